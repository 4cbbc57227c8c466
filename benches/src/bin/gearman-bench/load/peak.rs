//! A queue that fills and empties again and again.

use super::peers::{FUNCTION, introduce};
use super::{Background, Drain, Run};
use crate::failure::{Failure, Result};
use crate::figure::Figure;
use crate::packet::request;
use crate::sample::Sample;
use gearman_protocol::PacketType;

/// How many workers empty the queue.
const WORKERS: usize = 8;

/// A queue that fills and empties so many times: what of the memory is given back.
#[derive(Debug)]
pub(crate) struct Peak;

impl Peak {
    pub(crate) fn run(mut run: Run, waiting: u64, times: usize) -> Result<Sample> {
        let mut clients = Background::connect(&mut run, 64)?;
        let first = run.links();
        run.connect(WORKERS)?;
        let mut valleys = Vec::new();
        for _ in 0..times {
            clients.fill(&mut run, waiting)?;
            (first..first + WORKERS).for_each(|link| introduce(&[FUNCTION], run.wire.outs().of(link)));
            Drain::empty(&mut run, waiting, WORKERS)?;
            // Who is able to do nothing is not woken by the next submits.
            for link in first..first + WORKERS {
                request(run.wire.outs().of(link), PacketType::ResetAbilities, &[]);
            }
            valleys.push(run.meter.resident()?.ok_or_else(|| Failure::says("the peak needs --pid"))?);
        }
        let [Some(&first), Some(&last)] = [valleys.first(), valleys.last()] else {
            return Err(Failure::says("the peak must come at least once"));
        };
        let sample = run.meter.sample()?;
        Ok(sample.with(Figure::Valley, Some(last as f64 / first as f64)))
    }
}
