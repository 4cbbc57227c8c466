//! The floor: the least work that a server of this protocol can do on this machine.
//!
//! One thread, one queue, no names, no uniques, no checks. A handle says which connection waits for the result, so that
//! there is not even a table of jobs; a job wakes one sleeper. What is large is read into the memory from which it is
//! written, and copied nowhere between. Nothing real can be faster with the same system calls.

use crate::failure::{Failure, Result};
use crate::outs::Outs;
use crate::packet::{Packet, response, split};
use crate::say::say;
use crate::stopwatch::SECOND;
use crate::wire::Wire;
use bytes::Bytes;
use gearman_protocol::{Magic, PacketType};
use std::collections::VecDeque;
use std::io::Write;
use std::net::{SocketAddr, TcpListener};

/// The longest handle: H, a connection, a number.
const HANDLE: usize = 48;

/// A job that waits.
#[derive(Debug)]
struct Job {
    client: usize,
    number: u64,
    workload: Bytes,
}

/// The whole state of the server.
#[derive(Debug, Default)]
pub(crate) struct Floor {
    queue: VecDeque<Job>,
    asleep: Vec<usize>,
    number: u64,
    /// Whether all submits are one job.
    coalescing: bool,
    /// Who waits for that job.
    watchers: Vec<usize>,
}

impl Floor {
    /// Serves until the process ends.
    pub(crate) fn serve(address: SocketAddr, coalescing: bool) -> Result<()> {
        let listener = TcpListener::bind(address).map_err(Failure::at(format!("listen at {address}")))?;
        let address = listener.local_addr().map_err(Failure::at("listen"))?;
        say(format_args!("floor: {address} pid {}", std::process::id()))?;
        let (mut wire, mut floor) = (Wire::listen(listener)?, Self { coalescing, ..Self::default() });
        loop {
            wire.turn(SECOND, |link, packet, outs| {
                floor.packet(link, packet, outs);
                Ok(())
            })?;
        }
    }

    fn packet(&mut self, link: usize, packet: Packet<'_>, outs: &mut Outs) {
        #[expect(clippy::wildcard_enum_match_arm, reason = "the floor does nothing that it need not")]
        match packet.kind {
            PacketType::SubmitJob | PacketType::SubmitJobBg => self.submit(link, packet, outs),
            PacketType::GrabJob => self.grab(link, outs),
            PacketType::WorkComplete if self.coalescing => self.fan_out(packet, outs),
            PacketType::WorkComplete => complete(packet, outs),
            PacketType::PreSleep => self.sleep(link, outs),
            PacketType::EchoReq => response(outs.of(link), PacketType::EchoRes, &[packet.body]),
            _ => {}
        }
    }

    fn submit(&mut self, link: usize, packet: Packet<'_>, outs: &mut Outs) {
        let (_, rest) = packet.split();
        let (_, workload) = split(rest);
        self.number += 1;
        let client = if packet.kind == PacketType::SubmitJob { link } else { usize::MAX };
        let job = Job { client, number: self.number, workload: packet.keep(workload) };
        response(outs.of(link), PacketType::JobCreated, &[job.handle(&mut [0; HANDLE])]);
        if self.coalescing {
            self.watchers.push(link);
            if self.watchers.len() > 1 {
                return;
            }
        }
        self.queue.push_back(job);
        if let Some(worker) = self.asleep.pop() {
            response(outs.of(worker), PacketType::Noop, &[]);
        }
    }

    fn grab(&mut self, link: usize, outs: &mut Outs) {
        let out = outs.of(link);
        let Some(job) = self.queue.pop_front() else { return response(out, PacketType::NoJob, &[]) };
        let mut room = [0; HANDLE];
        let arguments = [job.handle(&mut room), b"bench"];
        out.put_packet(Magic::Response, PacketType::JobAssign.number(), &arguments, Some(&job.workload));
    }

    /// The bare loop of sends.
    fn fan_out(&mut self, packet: Packet<'_>, outs: &mut Outs) {
        for watcher in self.watchers.drain(..) {
            packet.pass_on(outs.of(watcher), Magic::Response, PacketType::WorkComplete, &[packet.body]);
        }
    }

    fn sleep(&mut self, link: usize, outs: &mut Outs) {
        if self.queue.is_empty() {
            self.asleep.push(link);
        } else {
            response(outs.of(link), PacketType::Noop, &[]);
        }
    }
}

impl Job {
    fn handle<'a>(&self, room: &'a mut [u8; HANDLE]) -> &'a [u8] {
        let mut rest = &mut room[..];
        write!(rest, "H:{}:{}", self.client, self.number).expect("two numbers fit");
        let left = rest.len();
        &room[..HANDLE - left]
    }
}

/// The result goes to the connection that the handle names.
fn complete(packet: Packet<'_>, outs: &mut Outs) {
    let digits = packet.body.get(2..).unwrap_or_default().iter().take_while(|byte| byte.is_ascii_digit());
    let client =
        digits.fold(0_usize, |client, digit| client.wrapping_mul(10).wrapping_add(usize::from(digit - b'0')));
    if client < usize::MAX {
        packet.pass_on(outs.of(client), Magic::Response, PacketType::WorkComplete, &[packet.body]);
    }
}
