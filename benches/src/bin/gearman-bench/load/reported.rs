//! The load of a report: jobs at a fixed rate, and workers that take their time over each, for long.

use super::peers::{FUNCTION, Submitter, began, introduce, surprise};
use super::{Load, Run};
use crate::failure::{Failure, Result};
use crate::figure::Figure;
use crate::outs::Outs;
use crate::packet::{Packet, request, split};
use crate::sample::{Meter, Sample};
use crate::stopwatch::{Nanos, SECOND};
use gearman_protocol::PacketType;
use std::collections::VecDeque;

/// How many clients submit, in turn.
const CLIENTS: usize = 8;
/// After which part of the time the server's memory is what it will be: minute two of ten.
const SETTLED: u64 = 5;
/// By how many bytes it may still change, if a tenth is less.
const SLACK: u64 = 8 << 20;
/// How long the server may take for the last jobs, beyond the work itself.
const GRACE: Nanos = 30 * SECOND;

/// Jobs at a fixed rate, each of which occupies a worker for a fixed time.
///
/// A latency counts from the moment at which the job was due, and has the work in it.
/// The run fails if the server's memory goes on changing.
#[derive(Debug)]
pub(crate) struct Reported {
    submitter: Submitter,
    work: Nanos,
    /// All jobs take the same time, so that the first to begin is the first to end.
    running: VecDeque<Running>,
    outstanding: u64,
}

/// A job in the hands of a worker.
#[derive(Debug)]
struct Running {
    ends: Nanos,
    link: usize,
    handle: Vec<u8>,
    workload: Vec<u8>,
}

impl Reported {
    /// So many workers, milliseconds for a job, and jobs a second.
    pub(crate) fn run(
        mut run: Run,
        workers: usize,
        milliseconds: u64,
        rate: u64,
        long: Nanos,
    ) -> Result<Sample> {
        let submitter = Submitter::new(PacketType::SubmitJob, run.meter.now(), 64);
        let work = milliseconds * SECOND / 1000;
        let mut load = Self { submitter, work, running: VecDeque::new(), outstanding: 0 };
        run.connect(CLIENTS + workers)?;
        (CLIENTS..CLIENTS + workers).for_each(|link| introduce(&[FUNCTION], run.wire.outs().of(link)));
        // Until the first jobs end there are fewer results than submits.
        load.submit_at(&mut run, rate, 2 * work)?;
        run.meter.restart()?;
        load.submit_at(&mut run, rate, long / SETTLED)?;
        let settled = resident(&run.meter)?;
        load.submit_at(&mut run, rate, long - long / SETTLED)?;
        let sample = run.meter.sample()?;
        let end = resident(&run.meter)?;
        load.finish(&mut run)?;
        is_steady(settled, end)?;
        let mebibytes = |bytes| Some(bytes as f64 / f64::from(1 << 20));
        Ok(sample.with(Figure::Settled, mebibytes(settled)).with(Figure::Resident, mebibytes(end)))
    }

    /// Submits at a rate for so long.
    fn submit_at(&mut self, run: &mut Run, rate: u64, long: Nanos) -> Result<()> {
        let start = run.meter.now();
        for number in 0..long / SECOND * rate + long % SECOND * rate / SECOND {
            let due = start + number * SECOND / rate;
            self.work_until(run, due)?;
            let link = usize::try_from(number).expect("a count") % CLIENTS;
            self.outstanding += 1;
            self.submitter.submit(FUNCTION, due, run.wire.outs().of(link));
        }
        self.work_until(run, start + long)
    }

    /// Lets the peers act until then; jobs whose time has come are done.
    fn work_until(&mut self, run: &mut Run, due: Nanos) -> Result<()> {
        while let Some(ends) = self.running.front().map(|job| job.ends).filter(|&ends| ends <= due) {
            run.until_due(self, ends)?;
            let Some(job) = self.running.pop_front() else { continue };
            let out = run.wire.outs().of(job.link);
            request(out, PacketType::WorkComplete, &[&job.handle, &job.workload]);
            request(out, PacketType::GrabJob, &[]);
        }
        run.until_due(self, due)
    }

    /// Lets the workers do what is left.
    fn finish(&mut self, run: &mut Run) -> Result<()> {
        let end = run.meter.now() + 2 * self.work + GRACE;
        while self.outstanding > 0 {
            let now = run.meter.now();
            if now > end {
                return Err(Failure::says(format!("{} jobs were never done", self.outstanding)));
            }
            self.work_until(run, now + SECOND / 10)?;
        }
        Ok(())
    }
}

impl Load for Reported {
    fn packet(&mut self, link: usize, packet: Packet<'_>, outs: &mut Outs, meter: &mut Meter) -> Result<()> {
        match (packet.kind, link >= CLIENTS) {
            (PacketType::Noop, true) => request(outs.of(link), PacketType::GrabJob, &[]),
            (PacketType::NoJob, true) => request(outs.of(link), PacketType::PreSleep, &[]),
            (PacketType::JobAssign, true) => {
                let (handle, rest) = packet.split();
                let (_, workload) = split(rest);
                let ends = meter.now() + self.work;
                let (handle, workload) = (handle.to_vec(), workload.to_vec());
                self.running.push_back(Running { ends, link, handle, workload });
            }
            (PacketType::JobCreated, false) => {}
            (PacketType::WorkComplete, false) => {
                meter.done(began(packet.split().1)?);
                self.outstanding -= 1;
            }
            (_, worker) => return Err(surprise(if worker { "a worker" } else { "a client" }, packet)),
        }
        Ok(())
    }
}

fn resident(meter: &Meter) -> Result<u64> {
    meter.resident()?.ok_or_else(|| {
        Failure::says("reported-load compares the server's memory: give its process, as in --pid")
    })
}

/// Whether memory is at the end what it was before, within a tenth or [`SLACK`].
fn is_steady(settled: u64, end: u64) -> Result<()> {
    if end.abs_diff(settled) <= (settled / 10).max(SLACK) {
        return Ok(());
    }
    let [settled, end] = [settled, end].map(|bytes| bytes >> 10);
    Err(Failure::says(format!(
        "the server had {settled} KiB after a fifth of the time and {end} KiB at the end: it should stay within a tenth or 8 MiB"
    )))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn memory_may_change_by_a_tenth_or_eight_mebibytes() {
        let mebibytes = |count: u64| count << 20;
        for (settled, end, steady) in [
            (10, 18, true),
            (10, 19, false),
            (10, 2, true),
            (10, 1, false),
            (200, 220, true),
            (200, 221, false),
        ] {
            let found = is_steady(mebibytes(settled), mebibytes(end));
            assert_eq!(found.is_ok(), steady, "from {settled} to {end} MiB");
        }
    }
}
