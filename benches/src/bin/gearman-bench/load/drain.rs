//! Workers that empty a queue.

use super::peers::{FUNCTION, introduce, work};
use super::{Background, Load, Run};
use crate::failure::Result;
use crate::outs::Outs;
use crate::packet::Packet;
use crate::sample::{Meter, Sample};
use gearman_protocol::PacketType;

/// Does jobs until all are done.
#[derive(Debug, Default)]
pub(crate) struct Drain {
    /// How many workers have found the queue empty.
    idle: usize,
}

impl Drain {
    /// Fills a queue, and measures how so many workers empty it.
    pub(crate) fn run(mut run: Run, waiting: u64, workers: usize) -> Result<Sample> {
        let mut clients = Background::connect(&mut run, 64)?;
        clients.fill(&mut run, waiting)?;
        let first = run.links();
        run.connect(workers)?;
        (first..first + workers).for_each(|link| introduce(&[FUNCTION], run.wire.outs().of(link)));
        Self::empty(&mut run, waiting, workers)
    }

    /// Lets workers that have been introduced do so many jobs, and waits until each of them has nothing to do.
    pub(super) fn empty(run: &mut Run, jobs: u64, workers: usize) -> Result<Sample> {
        let mut load = Self::default();
        run.meter.restart()?;
        run.until(&mut load, |_, meter| meter.jobs >= jobs)?;
        let sample = run.meter.sample()?;
        run.until(&mut load, |load, _| load.idle >= workers)?;
        Ok(sample)
    }
}

impl Load for Drain {
    fn packet(&mut self, link: usize, packet: Packet<'_>, outs: &mut Outs, meter: &mut Meter) -> Result<()> {
        self.idle += usize::from(packet.kind == PacketType::NoJob);
        if work(packet, outs.of(link))? {
            meter.done(meter.now());
        }
        Ok(())
    }
}
