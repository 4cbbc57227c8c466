//! What single peers say.

use crate::failure::{Failure, Result};
use crate::packet::{Packet, request, split};
use crate::stopwatch::Nanos;
use bytes::Bytes;
use gearman_protocol::{Magic, Outward, PacketType};
use std::io::Write;

/// The function of all loads that need only one.
pub(super) const FUNCTION: &[u8] = b"bench";

/// Submits jobs, each with a unique of its own, as client libraries do.
#[derive(Debug)]
pub(super) struct Submitter {
    kind: PacketType,
    number: u64,
    /// What follows in a workload after the time of its beginning and a NUL: it is shared by all that are large.
    rest: Bytes,
}

impl Submitter {
    /// `first` must be larger than any number of an earlier run against the same server; the clock is.
    pub(super) fn new(kind: PacketType, first: Nanos, workload: usize) -> Self {
        let rest = vec![b'w'; workload - size_of::<Nanos>() - 1].into();
        Self { kind, number: (u64::from(std::process::id()) << 40) + first, rest }
    }

    /// Submits a job that carries the time of its beginning.
    pub(super) fn submit(&mut self, function: &[u8], now: Nanos, out: &mut Outward) {
        self.turn();
        self.submit_again(function, now, out);
    }

    /// From now on it is another job.
    pub(super) fn turn(&mut self) {
        self.number += 1;
    }

    /// Submits the same job once more.
    pub(super) fn submit_again(&self, function: &[u8], now: Nanos, out: &mut Outward) {
        let mut unique = [0; 16];
        write!(&mut unique[..], "{:016x}", self.number).expect("sixteen digits fit");
        let arguments = [function, &unique, &now.to_be_bytes()];
        out.put_packet(Magic::Request, self.kind.number(), &arguments, Some(&self.rest));
    }
}

/// When the job with this workload, or this result, began.
pub(super) fn began(workload: &[u8]) -> Result<Nanos> {
    let first = workload.first_chunk().ok_or_else(|| Failure::says("a result of less than eight bytes"))?;
    Ok(Nanos::from_be_bytes(*first))
}

/// A worker answers; its result is the workload. Gives whether it has done a job.
pub(super) fn work(packet: Packet<'_>, out: &mut Outward) -> Result<bool> {
    #[expect(clippy::wildcard_enum_match_arm, reason = "every other packet is a surprise")]
    match packet.kind {
        PacketType::Noop => request(out, PacketType::GrabJob, &[]),
        PacketType::NoJob => request(out, PacketType::PreSleep, &[]),
        PacketType::JobAssign => {
            let (handle, rest) = packet.split();
            let (_, workload) = split(rest);
            packet.pass_on(out, Magic::Request, PacketType::WorkComplete, &[handle, workload]);
            request(out, PacketType::GrabJob, &[]);
            return Ok(true);
        }
        _ => return Err(surprise("a worker", packet)),
    }
    Ok(false)
}

/// A worker introduces itself and asks for its first job.
pub(super) fn introduce(functions: &[&[u8]], out: &mut Outward) {
    functions.iter().for_each(|function| request(out, PacketType::CanDo, &[function]));
    request(out, PacketType::GrabJob, &[]);
}

/// A peer that expected something else.
pub(super) fn surprise(who: &str, packet: Packet<'_>) -> Failure {
    let shown = &packet.body[..packet.body.len().min(100)];
    Failure::says(format!("{who} was sent {} {}", packet.kind.name(), shown.escape_ascii()))
}
