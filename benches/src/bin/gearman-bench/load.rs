//! Loads: what the peers of a server do.

mod background;
mod coalesce;
mod drain;
mod echo;
mod foreground;
mod functions;
mod huge;
mod paced;
mod peak;
mod peers;
mod reported;
mod status;

pub(crate) use background::Background;
pub(crate) use coalesce::Coalesce;
pub(crate) use drain::Drain;
pub(crate) use echo::Echo;
pub(crate) use foreground::Foreground;
pub(crate) use functions::Functions;
pub(crate) use huge::Huge;
pub(crate) use paced::Paced;
pub(crate) use peak::Peak;
pub(crate) use reported::Reported;
pub(crate) use status::Status;

use crate::failure::{Failure, Result};
use crate::outs::Outs;
use crate::packet::{Packet, request};
use crate::sample::{Meter, Sample, Target};
use crate::stopwatch::{Nanos, SECOND, Stopwatch};
use crate::wire::Wire;
use gearman_protocol::PacketType;

/// How long no server may be silent.
const PATIENCE: Nanos = 60 * SECOND;

/// How many connections may wait to be accepted.
const BACKLOG: usize = 16;

/// What the peers of a server do: each answers what it hears.
pub(crate) trait Load {
    /// A packet has come on a link.
    fn packet(&mut self, link: usize, packet: Packet<'_>, outs: &mut Outs, meter: &mut Meter) -> Result<()>;
}

/// Waits for an echo, while nobody else says anything.
struct Accepted(bool);

impl Load for Accepted {
    fn packet(&mut self, _: usize, packet: Packet<'_>, _: &mut Outs, _: &mut Meter) -> Result<()> {
        self.0 = packet.kind == PacketType::EchoRes;
        if self.0 { Ok(()) } else { Err(peers::surprise("a new peer", packet)) }
    }
}

/// A run against one server.
pub(crate) struct Run {
    wire: Wire,
    target: Target,
    meter: Meter,
}

impl Run {
    pub(crate) fn new(target: &Target, watch: Stopwatch) -> Result<Self> {
        Ok(Self { wire: Wire::new()?, target: target.clone(), meter: Meter::new(target, watch)? })
    }

    /// Connects so many more peers, no faster than the server accepts them: a connection that its backlog has no room
    /// for is tried again by the kernel a second later.
    fn connect(&mut self, count: usize) -> Result<()> {
        for number in 1..=count {
            let link = self.wire.connect(self.target.address(self.links()))?;
            if number % BACKLOG == 0 {
                request(self.wire.outs().of(link), PacketType::EchoReq, &[b"accepted?"]);
                self.until(&mut Accepted(false), |accepted, _| accepted.0)?;
            }
        }
        Ok(())
    }

    /// How many links there are: the index of the next.
    fn links(&self) -> usize {
        self.wire.links()
    }

    /// Lets the peers act until it is enough.
    fn until<L: Load>(&mut self, load: &mut L, mut enough: impl FnMut(&L, &Meter) -> bool) -> Result<()> {
        let Self { wire, meter, .. } = self;
        let mut heard = meter.now();
        while !enough(load, meter) {
            let mut any = false;
            wire.turn(SECOND, |link, packet, outs| {
                any = true;
                load.packet(link, packet, outs, meter)
            })?;
            heard = if any { meter.now() } else { heard };
            if meter.now() - heard > PATIENCE {
                return Err(Failure::says("the server has said nothing for a minute"));
            }
        }
        Ok(())
    }

    /// Lets the peers act until then, and once even if that is past: who is behind must still listen.
    fn until_due<L: Load>(&mut self, load: &mut L, due: Nanos) -> Result<()> {
        let Self { wire, meter, .. } = self;
        loop {
            let patience = due.saturating_sub(meter.now());
            wire.turn(patience, |link, packet, outs| load.packet(link, packet, outs, meter))?;
            if meter.now() >= due {
                return Ok(());
            }
        }
    }

    /// After `warm_up`, counts for so long.
    fn for_long<L: Load>(&mut self, load: &mut L, warm_up: Nanos, long: Nanos) -> Result<Sample> {
        self.meter.restart()?;
        self.until(load, |_, meter| meter.elapsed() >= warm_up)?;
        self.meter.restart()?;
        self.until(load, |_, meter| meter.elapsed() >= long)?;
        self.meter.sample()
    }
}
