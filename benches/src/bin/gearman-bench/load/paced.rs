//! A fixed rate: jobs come when they come, whether or not the server is behind.

use super::peers::{FUNCTION, Submitter, began, introduce, surprise, work};
use super::{Load, Run};
use crate::failure::{Failure, Result};
use crate::figure::Figure;
use crate::outs::Outs;
use crate::packet::{Packet, request};
use crate::sample::{Meter, Sample};
use crate::stopwatch::{Nanos, SECOND};
use gearman_protocol::PacketType;

/// How many clients submit, in turn.
const CLIENTS: usize = 8;
/// How long the server may take for the last jobs.
const GRACE: Nanos = 30 * SECOND;

/// Jobs at a fixed rate, done by workers that sleep between them.
///
/// A latency counts from the moment at which the job was due, not from the one at which it was sent: a server that is
/// behind makes no job wait in secret.
#[derive(Debug)]
pub(crate) struct Paced {
    submitter: Submitter,
    outstanding: u64,
    asleep: usize,
    echoed: usize,
}

impl Paced {
    /// So many workers, and jobs a second.
    pub(crate) fn run(
        mut run: Run,
        workers: usize,
        rate: u64,
        [warm_up, long]: [Nanos; 2],
    ) -> Result<Sample> {
        let submitter = Submitter::new(PacketType::SubmitJob, run.meter.now(), 64);
        let mut load = Self { submitter, outstanding: 0, asleep: 0, echoed: 0 };
        run.connect(CLIENTS)?;
        let empty = run.meter.resident()?;
        load.put_to_sleep(&mut run, workers)?;
        let full = run.meter.resident()?;
        load.submit_at(&mut run, rate, warm_up)?;
        run.meter.restart()?;
        load.submit_at(&mut run, rate, long)?;
        let end = run.meter.now();
        run.until(&mut load, |load, meter| load.outstanding == 0 || meter.now() > end + GRACE)?;
        if load.outstanding > 0 {
            return Err(Failure::says(format!(
                "{} jobs were not done half a minute later",
                load.outstanding
            )));
        }
        let sample = run.meter.sample()?;
        let grown = full.zip(empty).map(|(full, empty)| full.saturating_sub(empty));
        Ok(sample.with(Figure::BytesPerConnection, grown.map(|bytes| bytes as f64 / workers as f64)))
    }

    /// Connects the workers, and waits until the server knows that all of them are asleep.
    fn put_to_sleep(&mut self, run: &mut Run, workers: usize) -> Result<()> {
        run.connect(workers)?;
        let links = CLIENTS..CLIENTS + workers;
        links.clone().for_each(|link| introduce(&[FUNCTION], run.wire.outs().of(link)));
        run.until(self, |load, _| load.asleep == workers)?;
        links.for_each(|link| request(run.wire.outs().of(link), PacketType::EchoReq, &[b"all read?"]));
        run.until(self, |load, _| load.echoed == workers)
    }

    /// Submits at a rate for so long.
    fn submit_at(&mut self, run: &mut Run, rate: u64, long: Nanos) -> Result<()> {
        let start = run.meter.now();
        for number in 0..long / SECOND * rate + long % SECOND * rate / SECOND {
            let due = start + number * SECOND / rate;
            run.until_due(self, due)?;
            let link = usize::try_from(number).expect("a count") % CLIENTS;
            self.outstanding += 1;
            self.submitter.submit(FUNCTION, due, run.wire.outs().of(link));
        }
        Ok(())
    }
}

impl Load for Paced {
    fn packet(&mut self, link: usize, packet: Packet<'_>, outs: &mut Outs, meter: &mut Meter) -> Result<()> {
        #[expect(clippy::wildcard_enum_match_arm, reason = "every other packet is a surprise")]
        match packet.kind {
            PacketType::EchoRes => self.echoed += 1,
            _ if link >= CLIENTS => {
                self.asleep += usize::from(packet.kind == PacketType::NoJob);
                work(packet, outs.of(link))?;
            }
            PacketType::JobCreated => {}
            PacketType::WorkComplete => {
                meter.done(began(packet.split().1)?);
                self.outstanding -= 1;
            }
            _ => return Err(surprise("a client", packet)),
        }
        Ok(())
    }
}
