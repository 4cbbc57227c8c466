//! Very many functions.

use super::peers::{Submitter, began, introduce, surprise, work};
use super::{Load, Run};
use crate::failure::Result;
use crate::outs::Outs;
use crate::packet::Packet;
use crate::sample::{Meter, Sample};
use crate::stopwatch::Nanos;
use gearman_protocol::PacketType;

/// How many clients submit, and how many jobs each has outstanding.
const CLIENTS: usize = 8;
const DEPTH: usize = 64;
/// How many functions a worker is able to do.
const ABILITIES: usize = 10;
/// Coprime with every number of functions used: jobs visit all of them, neighbours far apart.
const STRIDE: usize = 7919;

/// A closed loop over many functions.
#[derive(Debug)]
pub(crate) struct Functions {
    names: Vec<String>,
    next: usize,
    submitter: Submitter,
    asleep: usize,
    outstanding: usize,
    stage: Stage,
}

/// How far a run has come.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Stage {
    /// Workers go to sleep.
    Before,
    /// Who hears of a result submits the next job.
    During,
    /// What is outstanding is awaited.
    After,
}

impl Functions {
    /// So many functions and workers, each able to do ten of them, or the only one.
    pub(crate) fn run(
        mut run: Run,
        functions: usize,
        workers: usize,
        [warm_up, long]: [Nanos; 2],
    ) -> Result<Sample> {
        let mut load = Self::connect(&mut run, functions, workers)?;
        load.stage = Stage::During;
        for link in (0..CLIENTS).cycle().take(CLIENTS * DEPTH) {
            load.submit(link, run.wire.outs(), run.meter.now());
        }
        let sample = run.for_long(&mut load, warm_up, long)?;
        load.stage = Stage::After;
        run.until(&mut load, |load, _| load.outstanding == 0)?;
        Ok(sample)
    }

    pub(super) fn connect(run: &mut Run, functions: usize, workers: usize) -> Result<Self> {
        let names: Vec<_> = (0..functions).map(|number| format!("function-{number:06}")).collect();
        let submitter = Submitter::new(PacketType::SubmitJob, run.meter.now(), 64);
        let mut load = Self { names, next: 0, submitter, asleep: 0, outstanding: 0, stage: Stage::Before };
        run.connect(CLIENTS + workers)?;
        for worker in 0..workers {
            let abilities: Vec<_> = (0..ABILITIES.min(functions))
                .map(|ability| load.names[(worker * ABILITIES + ability) % functions].as_bytes())
                .collect();
            introduce(&abilities, run.wire.outs().of(CLIENTS + worker));
        }
        run.until(&mut load, |load, _| load.asleep == workers)?;
        Ok(load)
    }

    fn submit(&mut self, link: usize, outs: &mut Outs, now: Nanos) {
        self.outstanding += 1;
        self.next = (self.next + STRIDE) % self.names.len();
        self.submitter.submit(self.names[self.next].as_bytes(), now, outs.of(link));
    }
}

impl Load for Functions {
    fn packet(&mut self, link: usize, packet: Packet<'_>, outs: &mut Outs, meter: &mut Meter) -> Result<()> {
        #[expect(clippy::wildcard_enum_match_arm, reason = "every other packet is a surprise")]
        match packet.kind {
            _ if link >= CLIENTS => {
                self.asleep += usize::from(self.stage == Stage::Before && packet.kind == PacketType::NoJob);
                work(packet, outs.of(link))?;
            }
            PacketType::JobCreated => {}
            PacketType::WorkComplete => {
                meter.done(began(packet.split().1)?);
                self.outstanding -= 1;
                if self.stage == Stage::During {
                    self.submit(link, outs, meter.now());
                }
            }
            _ => return Err(surprise("a client", packet)),
        }
        Ok(())
    }
}
