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

    fn connect(run: &mut Run, functions: usize, workers: usize) -> Result<Self> {
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

/// One peer asks for echoes at a fixed rate while another asks for `status` of very many functions, or, if the server
/// serves metrics, scrapes them.
#[derive(Debug)]
pub(crate) struct Status {
    /// The connection that asks.
    asker: usize,
    /// What it asks for.
    question: &'static [u8],
    /// How many answers it was given: each is begun or ended by something that stands nowhere else.
    answers: fn(&[u8]) -> usize,
    /// The connection that echoes; the one after all others.
    echoer: usize,
    asked: usize,
    answered: usize,
    workers: Functions,
}

const SCRAPE: &[u8] = b"GET /metrics HTTP/1.1\r\nHost: bench\r\n\r\n";

/// Each answer to `status` ends with the one dot in it: no name and no number has any.
fn statuses(bytes: &[u8]) -> usize {
    bytes.iter().filter(|&&byte| byte == b'.').count()
}

/// Each answer begins so; what is read begins with an answer, because the next is asked for when this one is there.
fn scrapes(bytes: &[u8]) -> usize {
    usize::from(bytes.starts_with(b"HTTP/1.1 200 "))
}

impl Status {
    /// How many echoes a second.
    const RATE: u64 = 1000;
    /// The other one asks once in so many echoes, if the last question has been answered.
    const EVERY: u64 = 100;

    /// The latency is the echo's.
    pub(crate) fn run(mut run: Run, functions: usize, workers: usize, long: Nanos) -> Result<Sample> {
        let workers = Functions::connect(&mut run, functions, workers)?;
        let scraper = run.connect_scraper()?;
        let asker = scraper.map_or_else(|| run.connect_text(), Ok)?;
        let question = if scraper.is_some() { SCRAPE } else { b"status\n" };
        let answers = if scraper.is_some() { scrapes } else { statuses };
        let echoer = run.links();
        run.connect(1)?;
        let mut load = Self { asker, question, answers, echoer, asked: 0, answered: 0, workers };
        run.meter.restart()?;
        let start = run.meter.now();
        for number in 0..long / (SECOND / Self::RATE) {
            let due = start + number * (SECOND / Self::RATE);
            run.until_due(&mut load, due)?;
            if number % Self::EVERY == 0 && load.answered == load.asked {
                load.asked += 1;
                run.wire.outs().of(asker).put_slice(load.question);
            }
            request(run.wire.outs().of(echoer), PacketType::EchoReq, &[&due.to_be_bytes()]);
        }
        run.until(&mut load, |load, _| load.answered >= load.asked)?;
        let sample = run.meter.sample()?;
        let longest = sample.latency_at(1.0);
        Ok(sample.with(Figure::Longest, Some(longest)))
    }
}

impl Load for Status {
    fn packet(&mut self, link: usize, packet: Packet<'_>, outs: &mut Outs, meter: &mut Meter) -> Result<()> {
        if link == self.asker {
            self.answered += (self.answers)(packet.body);
        } else if link == self.echoer {
            meter.done(began(packet.body)?);
        } else {
            self.workers.packet(link, packet, outs, meter)?;
        }
        Ok(())
    }
}
