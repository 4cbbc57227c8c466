//! Many clients that wait for one job.

use super::peers::{FUNCTION, Submitter, introduce, surprise};
use super::{Load, Run};
use crate::failure::{Failure, Result};
use crate::outs::Outs;
use crate::packet::{Packet, request};
use crate::sample::{Meter, Sample};
use crate::stopwatch::Nanos;
use gearman_protocol::PacketType;

/// All clients submit the same job; the latency is from the worker's result to the last client that has it.
#[derive(Debug)]
pub(crate) struct Coalesce {
    clients: usize,
    submitter: Submitter,
    created: usize,
    heard: usize,
    /// How often a worker was given the job.
    executions: usize,
    idle: bool,
    sent: Nanos,
}

impl Coalesce {
    /// So many clients, so many times.
    pub(crate) fn run(mut run: Run, clients: usize, times: usize) -> Result<Sample> {
        let submitter = Submitter::new(PacketType::SubmitJob, run.meter.now(), 64);
        let mut load = Self { clients, submitter, created: 0, heard: 0, executions: 0, idle: false, sent: 0 };
        run.connect(clients + 1)?;
        introduce(&[FUNCTION], run.wire.outs().of(clients));
        run.until(&mut load, |load, _| load.idle)?;
        run.meter.restart()?;
        for time in 1..=times {
            load.once(&mut run)?;
            if load.executions != time {
                return Err(Failure::says(format!("{} executions of {time} jobs", load.executions)));
            }
        }
        run.meter.sample()
    }

    fn once(&mut self, run: &mut Run) -> Result<()> {
        (self.created, self.heard, self.idle) = (0, 0, false);
        self.submitter.turn();
        for link in 0..self.clients {
            self.submitter.submit_again(FUNCTION, run.meter.now(), run.wire.outs().of(link));
        }
        run.until(self, |load, _| load.created == load.clients)?;
        request(run.wire.outs().of(self.clients), PacketType::GrabJob, &[]);
        run.until(self, |load, _| load.heard == load.clients)?;
        run.meter.done(self.sent);
        // A second execution would come now.
        request(run.wire.outs().of(self.clients), PacketType::GrabJob, &[]);
        run.until(self, |load, _| load.idle)
    }
}

impl Load for Coalesce {
    fn packet(&mut self, link: usize, packet: Packet<'_>, outs: &mut Outs, meter: &mut Meter) -> Result<()> {
        #[expect(clippy::wildcard_enum_match_arm, reason = "every other packet is a surprise")]
        match packet.kind {
            PacketType::JobCreated => self.created += 1,
            PacketType::WorkComplete => self.heard += 1,
            PacketType::NoJob => self.idle = true,
            PacketType::JobAssign => {
                self.executions += 1;
                self.sent = meter.now();
                request(outs.of(link), PacketType::WorkComplete, &[packet.split().0, b"done"]);
            }
            _ => return Err(surprise("a peer", packet)),
        }
        Ok(())
    }
}
