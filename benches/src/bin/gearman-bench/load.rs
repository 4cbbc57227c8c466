//! Loads: what the peers of a server do.

mod background;
mod drain;
mod echo;
mod foreground;
mod peers;

pub(crate) use background::Background;
pub(crate) use drain::Drain;
pub(crate) use echo::Echo;
pub(crate) use foreground::Foreground;

use crate::failure::{Failure, Result};
use crate::outs::Outs;
use crate::packet::Packet;
use crate::sample::{Meter, Sample, Target};
use crate::stopwatch::{Nanos, SECOND, Stopwatch};
use crate::wire::Wire;

/// How long no server may be silent.
const PATIENCE: Nanos = 60 * SECOND;

/// What the peers of a server do: each answers what it hears.
pub(crate) trait Load {
    /// A packet has come on a link.
    fn packet(&mut self, link: usize, packet: Packet<'_>, outs: &mut Outs, meter: &mut Meter) -> Result<()>;
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

    fn connect(&mut self, count: usize) -> Result<()> {
        (0..count).try_for_each(|_| self.wire.connect(self.target.address).map(drop))
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

    /// After `warm_up`, counts for so long.
    fn for_long<L: Load>(&mut self, load: &mut L, warm_up: Nanos, long: Nanos) -> Result<Sample> {
        self.meter.restart()?;
        self.until(load, |_, meter| meter.elapsed() >= warm_up)?;
        self.meter.restart()?;
        self.until(load, |_, meter| meter.elapsed() >= long)?;
        self.meter.sample()
    }
}
