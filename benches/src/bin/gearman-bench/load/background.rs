//! Clients that leave jobs behind.

use super::peers::{FUNCTION, Submitter, surprise};
use super::{Load, Run};
use crate::failure::Result;
use crate::figure::Figure;
use crate::outs::Outs;
use crate::packet::Packet;
use crate::sample::{Meter, Sample};
use crate::stopwatch::Nanos;
use gearman_protocol::{Outward, PacketType};
use std::collections::VecDeque;

/// How many clients submit, and how many submits each has outstanding.
const CLIENTS: usize = 8;
const DEPTH: usize = 64;

/// Fills a queue.
#[derive(Debug)]
pub(crate) struct Background {
    submitter: Submitter,
    /// When the unanswered submits of each client were made; answers come in order.
    asked: Vec<VecDeque<Nanos>>,
    submitted: u64,
    accepted: u64,
    wanted: u64,
}

impl Background {
    /// Connects clients that will fill a queue.
    pub(super) fn connect(run: &mut Run, workload: usize) -> Result<Self> {
        run.connect(CLIENTS)?;
        let submitter = Submitter::new(PacketType::SubmitJobBg, run.meter.now(), workload);
        let asked = vec![VecDeque::with_capacity(DEPTH); CLIENTS];
        Ok(Self { submitter, asked, submitted: 0, accepted: 0, wanted: 0 })
    }

    /// Submits so many more jobs.
    pub(super) fn fill(&mut self, run: &mut Run, jobs: u64) -> Result<Sample> {
        self.wanted += jobs;
        run.meter.restart()?;
        for _ in 0..DEPTH {
            (0..CLIENTS).for_each(|link| self.submit(link, run.meter.now(), run.wire.outs().of(link)));
        }
        run.until(self, |load, _| load.accepted == load.wanted)?;
        run.meter.sample()
    }

    /// Fills a queue, and measures `count` submits around the one that finds so many jobs waiting.
    ///
    /// The memory for a job is right if the server has had no other load before.
    pub(crate) fn run(mut run: Run, waiting: u64, count: u64) -> Result<Sample> {
        let mut load = Self::connect(&mut run, 64)?;
        let empty = run.meter.resident()?;
        let before = waiting.saturating_sub(count / 2);
        load.fill(&mut run, before)?;
        let sample = load.fill(&mut run, count)?;
        let grown = sample.resident.zip(empty).map(|(full, empty)| full.saturating_sub(empty));
        Ok(sample.with(Figure::BytesPerJob, grown.map(|bytes| bytes as f64 / (before + count) as f64)))
    }

    fn submit(&mut self, link: usize, now: Nanos, out: &mut Outward) {
        if self.submitted < self.wanted {
            self.submitted += 1;
            self.asked[link].push_back(now);
            self.submitter.submit(FUNCTION, now, out);
        }
    }
}

impl Load for Background {
    fn packet(&mut self, link: usize, packet: Packet<'_>, outs: &mut Outs, meter: &mut Meter) -> Result<()> {
        let asked = self.asked.get_mut(link).and_then(VecDeque::pop_front);
        let (PacketType::JobCreated, Some(asked)) = (packet.kind, asked) else {
            return Err(surprise("a client", packet));
        };
        meter.done(asked);
        self.accepted += 1;
        self.submit(link, meter.now(), outs.of(link));
        Ok(())
    }
}
