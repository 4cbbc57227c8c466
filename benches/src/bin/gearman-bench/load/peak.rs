//! A queue that fills and empties again and again.

use super::peers::{FUNCTION, introduce, surprise};
use super::{Background, Drain, Load, Run};
use crate::failure::{Failure, Result};
use crate::figure::Figure;
use crate::outs::Outs;
use crate::packet::{Packet, request};
use crate::sample::{Meter, Sample};
use crate::stopwatch::SECOND;
use gearman_protocol::PacketType;
use std::ops::Range;

/// How many workers empty the queue.
const WORKERS: usize = 8;

/// How many tenths of a second the server has before its memory is looked at.
const SETTLING: usize = 20;

/// A queue that fills and empties so many times: what of the memory is given back.
#[derive(Debug)]
pub(crate) struct Peak;

impl Peak {
    pub(crate) fn run(mut run: Run, waiting: u64, times: usize) -> Result<Sample> {
        let mut clients = Background::connect(&mut run, 64)?;
        let first = run.links();
        run.connect(WORKERS)?;
        let mut valleys = Vec::new();
        for time in 1..=times {
            clients.fill(&mut run, waiting)?;
            (first..first + WORKERS).for_each(|link| introduce(&[FUNCTION], run.wire.outs().of(link)));
            Drain::empty(&mut run, waiting, WORKERS)?;
            // Allocators give back a little later, and only when they are used.
            for _ in 0..SETTLING {
                Resting::rest(&mut run, first..first + WORKERS)?;
                let due = run.meter.now() + SECOND / 10;
                run.until_due(&mut Resting(0), due)?;
            }
            let valley = run.meter.resident()?.ok_or_else(|| Failure::says("the peak needs --pid"))?;
            eprintln!("valley {time} of {times}: {} MiB", valley >> 20);
            valleys.push(valley);
        }
        let [Some(&first), Some(&last)] = [valleys.first(), valleys.last()] else {
            return Err(Failure::says("the peak must come at least once"));
        };
        let sample = run.meter.sample()?;
        Ok(sample.with(Figure::Valley, Some(last as f64 / first as f64)))
    }
}

/// Workers that forget what they are able to do: nobody who is able to do nothing is woken by the next submits.
struct Resting(usize);

impl Resting {
    /// Waits until the server knows that these workers rest.
    fn rest(run: &mut Run, links: Range<usize>) -> Result<()> {
        for link in links.clone() {
            let out = run.wire.outs().of(link);
            request(out, PacketType::ResetAbilities, &[]);
            request(out, PacketType::EchoReq, &[b"resting"]);
        }
        run.until(&mut Self(links.len()), |resting, _| resting.0 == 0)
    }
}

impl Load for Resting {
    fn packet(&mut self, _: usize, packet: Packet<'_>, _: &mut Outs, _: &mut Meter) -> Result<()> {
        #[expect(clippy::wildcard_enum_match_arm, reason = "every other packet is a surprise")]
        match packet.kind {
            PacketType::EchoRes => self.0 -= 1,
            // The last words of the work that is over.
            PacketType::NoJob | PacketType::Noop => {}
            _ => return Err(surprise("a resting worker", packet)),
        }
        Ok(())
    }
}
