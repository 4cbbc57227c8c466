//! Workers that empty a queue.

use super::peers::{FUNCTION, introduce, work};
use super::{Background, Load, Run};
use crate::failure::Result;
use crate::outs::Outs;
use crate::packet::Packet;
use crate::sample::{Meter, Sample};

/// Does jobs until all are done.
#[derive(Debug)]
pub(crate) struct Drain;

impl Drain {
    /// Fills a queue, and measures how so many workers empty it. The latency is the time from turn to turn.
    pub(crate) fn run(mut run: Run, waiting: u64, workers: usize) -> Result<Sample> {
        let mut clients = Background::connect(&mut run, 64)?;
        clients.fill(&mut run, waiting)?;
        let first = run.links();
        run.connect(workers)?;
        (first..first + workers).for_each(|link| introduce(&[FUNCTION], run.wire.outs().of(link)));
        run.meter.restart()?;
        run.until(&mut Self, |_, meter| meter.jobs >= waiting)?;
        let sample = run.meter.sample()?;
        // The last results are on their way out: a worker that hangs up instead leaves its job to be done again.
        run.wire.turn(0, |_, _, _| Ok(()))?;
        Ok(sample)
    }
}

impl Load for Drain {
    fn packet(&mut self, link: usize, packet: Packet<'_>, outs: &mut Outs, meter: &mut Meter) -> Result<()> {
        if work(packet, outs.of(link))? {
            meter.done(meter.now());
        }
        Ok(())
    }
}
