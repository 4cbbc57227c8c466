//! Clients that wait for results, and workers that make them.

use super::peers::{FUNCTION, Submitter, began, introduce, surprise, work};
use super::{Load, Run};
use crate::failure::Result;
use crate::figure::Figure;
use crate::outs::Outs;
use crate::packet::Packet;
use crate::sample::{Meter, Sample};
use crate::stopwatch::Nanos;
use gearman_protocol::{Outward, PacketType};

/// A closed loop: each client keeps so many jobs outstanding, and submits the next when one is done.
#[derive(Debug)]
pub(crate) struct Foreground {
    clients: usize,
    submitter: Submitter,
    outstanding: usize,
    ending: bool,
}

impl Foreground {
    /// So many clients, workers, and jobs outstanding for each client, with workloads of so many bytes.
    pub(crate) fn run(
        mut run: Run,
        (clients, workers, depth): (usize, usize, usize),
        workload: usize,
        [warm_up, long]: [Nanos; 2],
    ) -> Result<Sample> {
        let submitter = Submitter::new(PacketType::SubmitJob, run.meter.now(), workload);
        let mut load = Self { clients, submitter, outstanding: 0, ending: false };
        run.connect(clients + workers)?;
        (clients..clients + workers).for_each(|link| introduce(&[FUNCTION], run.wire.outs().of(link)));
        for _ in 0..depth {
            (0..clients).for_each(|link| load.submit(run.wire.outs().of(link), &run.meter));
        }
        let sample = run.for_long(&mut load, warm_up, long)?;
        let speed = sample.rate() * workload as f64 / 1e6;
        load.ending = true;
        run.until(&mut load, |load, _| load.outstanding == 0)?;
        Ok(sample.with(Figure::Megabytes, Some(speed)))
    }

    fn submit(&mut self, out: &mut Outward, meter: &Meter) {
        self.outstanding += 1;
        self.submitter.submit(FUNCTION, meter.now(), out);
    }
}

impl Load for Foreground {
    fn packet(&mut self, link: usize, packet: Packet<'_>, outs: &mut Outs, meter: &mut Meter) -> Result<()> {
        if link >= self.clients {
            return work(packet, outs.of(link)).map(drop);
        }
        #[expect(clippy::wildcard_enum_match_arm, reason = "every other packet is a surprise")]
        match packet.kind {
            PacketType::JobCreated => {}
            PacketType::WorkComplete => {
                meter.done(began(packet.split().1)?);
                self.outstanding -= 1;
                if !self.ending {
                    self.submit(outs.of(link), meter);
                }
            }
            _ => return Err(surprise("a client", packet)),
        }
        Ok(())
    }
}
