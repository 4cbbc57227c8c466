//! Clients that only want to hear themselves: what the sockets and the codec can do.

use super::peers::surprise;
use super::{Load, Run};
use crate::failure::Result;
use crate::outs::Outs;
use crate::packet::{Packet, request};
use crate::sample::{Meter, Sample};
use crate::stopwatch::Nanos;
use gearman_protocol::{Outward, PacketType};

/// How many bytes are echoed.
const SIZE: usize = 64;

/// Each client keeps so many echoes outstanding.
#[derive(Debug)]
pub(crate) struct Echo {
    data: [u8; SIZE],
}

impl Echo {
    /// So many clients, and echoes outstanding for each.
    pub(crate) fn run(
        mut run: Run,
        (clients, depth): (usize, usize),
        [warm_up, long]: [Nanos; 2],
    ) -> Result<Sample> {
        let mut load = Self { data: [b'e'; SIZE] };
        run.connect(clients)?;
        for _ in 0..depth {
            (0..clients).for_each(|link| load.ask(run.meter.now(), run.wire.outs().of(link)));
        }
        run.for_long(&mut load, warm_up, long)
    }

    fn ask(&mut self, now: Nanos, out: &mut Outward) {
        self.data[..8].copy_from_slice(&now.to_be_bytes());
        request(out, PacketType::EchoReq, &[&self.data]);
    }
}

impl Load for Echo {
    fn packet(&mut self, link: usize, packet: Packet<'_>, outs: &mut Outs, meter: &mut Meter) -> Result<()> {
        let PacketType::EchoRes = packet.kind else { return Err(surprise("a client", packet)) };
        meter.done(super::peers::began(packet.body)?);
        self.ask(meter.now(), outs.of(link));
        Ok(())
    }
}
