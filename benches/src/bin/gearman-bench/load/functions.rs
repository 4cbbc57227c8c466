//! Very many functions.

use super::peers::{Submitter, began, introduce, surprise, work};
use super::{Load, Run};
use crate::failure::Result;
use crate::figure::Figure;
use crate::outs::Outs;
use crate::packet::{Packet, request};
use crate::sample::{Meter, Sample};
use crate::stopwatch::{Nanos, SECOND};
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
    begun: bool,
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
        load.begun = true;
        for link in (0..CLIENTS).cycle().take(CLIENTS * DEPTH) {
            load.submit(link, run.wire.outs(), run.meter.now());
        }
        run.for_long(&mut load, warm_up, long)
    }

    fn connect(run: &mut Run, functions: usize, workers: usize) -> Result<Self> {
        let names: Vec<_> = (0..functions).map(|number| format!("function-{number:06}")).collect();
        let submitter = Submitter::new(PacketType::SubmitJob, run.meter.now(), 64);
        let mut load = Self { names, next: 0, submitter, asleep: 0, begun: false };
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
        self.next = (self.next + STRIDE) % self.names.len();
        self.submitter.submit(self.names[self.next].as_bytes(), now, outs.of(link));
    }
}

impl Load for Functions {
    fn packet(&mut self, link: usize, packet: Packet<'_>, outs: &mut Outs, meter: &mut Meter) -> Result<()> {
        #[expect(clippy::wildcard_enum_match_arm, reason = "every other packet is a surprise")]
        match packet.kind {
            _ if link >= CLIENTS => {
                self.asleep += usize::from(!self.begun && packet.kind == PacketType::NoJob);
                work(packet, outs.of(link))?;
            }
            PacketType::JobCreated => {}
            PacketType::WorkComplete => {
                meter.done(began(packet.split().1)?);
                self.submit(link, outs, meter.now());
            }
            _ => return Err(surprise("a client", packet)),
        }
        Ok(())
    }
}

/// One peer asks for echoes at a fixed rate while another asks for `status` of very many functions.
#[derive(Debug)]
pub(crate) struct Status {
    /// The connection that asks for `status`.
    asker: usize,
    /// The connection that echoes; the one after the last worker.
    echoer: usize,
    asked: u64,
    answers: u64,
    workers: Functions,
}

impl Status {
    /// How many echoes a second.
    const RATE: u64 = 1000;
    /// `status` is asked for once in so many echoes, if the last one has been answered.
    const EVERY: u64 = 100;

    /// The latency is the echo's.
    pub(crate) fn run(mut run: Run, functions: usize, workers: usize, long: Nanos) -> Result<Sample> {
        let workers = Functions::connect(&mut run, functions, workers)?;
        let (asker, echoer) = (run.connect_text()?, run.links());
        run.connect(1)?;
        let mut load = Self { asker, echoer, asked: 0, answers: 0, workers };
        run.meter.restart()?;
        let start = run.meter.now();
        for number in 0..long / (SECOND / Self::RATE) {
            let due = start + number * (SECOND / Self::RATE);
            run.until_due(&mut load, due)?;
            if number % Self::EVERY == 0 && load.answers == load.asked {
                load.asked += 1;
                run.wire.outs().of(asker).put_slice(b"status\n");
            }
            request(run.wire.outs().of(echoer), PacketType::EchoReq, &[&due.to_be_bytes()]);
        }
        run.until(&mut load, |load, _| load.answers >= load.asked)?;
        let sample = run.meter.sample()?;
        let longest = sample.latency_at(1.0);
        Ok(sample.with(Figure::Longest, Some(longest)))
    }
}

impl Load for Status {
    fn packet(&mut self, link: usize, packet: Packet<'_>, outs: &mut Outs, meter: &mut Meter) -> Result<()> {
        if link == self.asker {
            // No name and no number has a dot: each one ends an answer.
            let dots = packet.body.iter().filter(|&&byte| byte == b'.').count();
            self.answers += dots as u64;
        } else if link == self.echoer {
            meter.done(began(packet.body)?);
        } else {
            self.workers.packet(link, packet, outs, meter)?;
        }
        Ok(())
    }
}
