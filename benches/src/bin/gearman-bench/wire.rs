//! Many connections on one thread: epoll, one read and one write per connection and turn. A large packet that comes in
//! parts is read into memory of its own.

use crate::failure::{Failure, Result};
use crate::outs::Outs;
use crate::packet::{LARGE, Packet};
use crate::stopwatch::{Nanos, SECOND};
use bytes::Bytes;
use rustix::buffer::spare_capacity;
use rustix::event::epoll::{self, CreateFlags, EventData, EventFlags};
use rustix::time::Timespec;
use std::io::{self, ErrorKind, Read};
use std::net::{SocketAddr, TcpListener, TcpStream};
use std::os::fd::OwnedFd;

/// How much is read at once, in bytes, unless it is the rest of a large packet.
const READ: usize = 64 << 10;
/// How many connections are served in one turn.
const EVENTS: usize = 1024;
/// What epoll says of the listener, which is no link.
const LISTENER: u64 = u64::MAX;

/// One connection.
struct Link {
    stream: TcpStream,
    /// The beginning of a packet whose end has not come; one that is large has room for all of it and is read into.
    partial: Vec<u8>,
    /// Whether epoll shall say when the peer takes more.
    full: bool,
}

/// The connections of one thread.
pub(crate) struct Wire {
    epoll: OwnedFd,
    listener: Option<TcpListener>,
    /// A link keeps its index; what has closed leaves a gap.
    links: Vec<Option<Link>>,
    outs: Outs,
    scratch: Vec<u8>,
    events: Vec<epoll::Event>,
}

impl Wire {
    pub(crate) fn new() -> Result<Self> {
        let epoll = epoll::create(CreateFlags::CLOEXEC).map_err(Failure::at("epoll"))?;
        let (scratch, events) = (vec![0; READ], Vec::with_capacity(EVENTS));
        Ok(Self { epoll, listener: None, links: Vec::new(), outs: Outs::default(), scratch, events })
    }

    /// A wire that accepts connections; each becomes the next link, and may close without harm.
    pub(crate) fn listen(listener: TcpListener) -> Result<Self> {
        let mut wire = Self::new()?;
        listener.set_nonblocking(true).map_err(Failure::at("listen"))?;
        let data = EventData::new_u64(LISTENER);
        epoll::add(&wire.epoll, &listener, data, EventFlags::IN).map_err(Failure::at("epoll"))?;
        wire.listener = Some(listener);
        Ok(wire)
    }

    /// Connects to a server; gives the link's index.
    pub(crate) fn connect(&mut self, server: SocketAddr) -> Result<usize> {
        let stream = TcpStream::connect(server).map_err(Failure::at(format!("connect to {server}")))?;
        self.adopt(stream)
    }

    fn adopt(&mut self, stream: TcpStream) -> Result<usize> {
        let ready = stream.set_nonblocking(true).and_then(|()| stream.set_nodelay(true));
        ready.map_err(Failure::at("a new connection"))?;
        let index = self.links.len();
        let data = EventData::new_u64(index as u64);
        epoll::add(&self.epoll, &stream, data, EventFlags::IN).map_err(Failure::at("epoll"))?;
        self.links.push(Some(Link { stream, partial: Vec::new(), full: false }));
        self.outs.grow();
        Ok(index)
    }

    /// How many links there are or were: the index of the next.
    pub(crate) fn links(&self) -> usize {
        self.links.len()
    }

    /// What the links will say when the next turn begins.
    pub(crate) fn outs(&mut self) -> &mut Outs {
        &mut self.outs
    }

    /// Writes what is to be said, waits for at most so long, and lets `each` answer every packet that has come.
    ///
    /// # Errors
    /// If what comes is no packet, or `each` fails, or, unless this wire listens, a connection ends.
    pub(crate) fn turn<F>(&mut self, patience: Nanos, mut each: F) -> Result<()>
    where
        F: FnMut(usize, Packet<'_>, &mut Outs) -> Result<()>,
    {
        self.flush()?;
        self.wait(patience)?;
        for at in 0..self.events.len() {
            let epoll::Event { flags, data } = self.events[at];
            if data.u64() == LISTENER {
                self.accept()?;
                continue;
            }
            let link = usize::try_from(data.u64()).expect("it was an index");
            if flags.contains(EventFlags::OUT) {
                self.outs.mark(link);
            }
            if flags.intersects(EventFlags::IN | EventFlags::HUP | EventFlags::ERR) {
                self.read(link, &mut each)?;
            }
        }
        Ok(())
    }

    fn wait(&mut self, patience: Nanos) -> Result<()> {
        self.events.clear();
        let [tv_sec, tv_nsec] = [patience / SECOND, patience % SECOND].map(u64::cast_signed);
        let spare = spare_capacity(&mut self.events);
        match epoll::wait(&self.epoll, spare, Some(&Timespec { tv_sec, tv_nsec })) {
            Ok(_) | Err(rustix::io::Errno::INTR) => Ok(()),
            Err(error) => Err(Failure::at("epoll")(error)),
        }
    }

    fn accept(&mut self) -> Result<()> {
        while let Some(listener) = &self.listener {
            match listener.accept() {
                Ok((stream, _)) => drop(self.adopt(stream)?),
                Err(error) if error.kind() == ErrorKind::WouldBlock => break,
                Err(error) => return Err(Failure::at("accept")(error)),
            }
        }
        Ok(())
    }

    fn read<F>(&mut self, index: usize, mut each: F) -> Result<()>
    where
        F: FnMut(usize, Packet<'_>, &mut Outs) -> Result<()>,
    {
        let Some(link) = &mut self.links[index] else { return Ok(()) };
        let outs = &mut self.outs;
        match link.read(&mut self.scratch) {
            Ok(0) => self.close(index, ErrorKind::UnexpectedEof.into()),
            // What was read into a packet's own memory is already where it belongs.
            Ok(count) => link.take(&self.scratch[..count.min(READ)], |packet| each(index, packet, outs)),
            Err(error) if is_passing(&error) => Ok(()),
            Err(error) => self.close(index, error),
        }
    }

    fn close(&mut self, link: usize, why: io::Error) -> Result<()> {
        if self.listener.is_none() {
            return Err(Failure::at("a connection of the load")(why));
        }
        self.links[link] = None;
        Ok(())
    }

    /// Writes what waits, as far as the peers take it.
    fn flush(&mut self) -> Result<()> {
        while let Some(index) = self.outs.next() {
            let Some(link) = &mut self.links[index] else { continue };
            let full = match self.outs.write(index, &link.stream) {
                Ok(()) => false,
                Err(error) if is_passing(&error) => true,
                Err(error) => {
                    self.close(index, error)?;
                    continue;
                }
            };
            if full != link.full {
                link.full = full;
                let flags = if full { EventFlags::IN | EventFlags::OUT } else { EventFlags::IN };
                let data = EventData::new_u64(index as u64);
                epoll::modify(&self.epoll, &link.stream, data, flags).map_err(Failure::at("epoll"))?;
            }
        }
        Ok(())
    }
}

impl Link {
    /// How long the large packet is whose beginning has come, in bytes: it has memory of its own.
    fn large(&self) -> Option<usize> {
        Packet::length(&self.partial).filter(|&length| length >= LARGE)
    }

    /// Reads once, into the memory of a large packet or into what all links share.
    fn read(&mut self, scratch: &mut [u8]) -> io::Result<usize> {
        match self.large() {
            Some(_) => Ok(rustix::io::read(&self.stream, spare_capacity(&mut self.partial))?),
            None => (&self.stream).read(scratch),
        }
    }

    /// Has every packet answered that is whole with the bytes that were read, and keeps the rest.
    fn take(&mut self, bytes: &[u8], mut each: impl FnMut(Packet<'_>) -> Result<()>) -> Result<()> {
        let mut partial = std::mem::take(&mut self.partial);
        match Packet::length(&partial) {
            Some(length) if length >= LARGE && length > partial.len() => self.partial = partial,
            Some(length) if length >= LARGE => {
                // Memory may have been given with more room than was asked for.
                let next = partial.split_off(length);
                let memory = Bytes::from(partial);
                Packet::whole(&memory)?.map_or(Ok(()), &mut each)?;
                self.keep(answer(&next, each)?);
            }
            _ if partial.is_empty() => self.keep(answer(bytes, each)?),
            _ => {
                partial.extend_from_slice(bytes);
                self.keep(answer(&partial, each)?);
            }
        }
        Ok(())
    }

    /// Keeps the beginning of a packet, with room for all of it.
    fn keep(&mut self, beginning: &[u8]) {
        if !beginning.is_empty() {
            self.partial = Vec::with_capacity(Packet::length(beginning).unwrap_or(beginning.len()));
            self.partial.extend_from_slice(beginning);
        }
    }
}

/// Has every whole packet answered; gives the beginning of the next.
fn answer(mut input: &[u8], mut each: impl FnMut(Packet<'_>) -> Result<()>) -> Result<&[u8]> {
    while let Some(packet) = Packet::cut(&mut input)? {
        each(packet)?;
    }
    Ok(input)
}

/// Whether it will do later what it did not do now.
fn is_passing(error: &io::Error) -> bool {
    matches!(error.kind(), ErrorKind::WouldBlock | ErrorKind::Interrupted)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::packet::request;
    use gearman_protocol::{Outward, PacketType};
    use std::io::Write;
    use std::thread;

    /// What arrives of packets whose bodies have these sizes: how long each is, and whether it has memory of its own.
    fn arrived(sizes: &[usize]) -> Vec<(usize, bool)> {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let (mut wire, mut out) = (Wire::new().unwrap(), Outward::new());
        wire.connect(listener.local_addr().unwrap()).unwrap();
        sizes.iter().for_each(|&size| request(&mut out, PacketType::EchoReq, &[&vec![b'e'; size]]));
        let (mut peer, _) = listener.accept().unwrap();
        // Kept open until all has arrived: the end of a connection is an error here.
        let writing = thread::spawn(move || peer.write_all(&out.to_vec()).map(|()| peer));
        let mut arrived = Vec::new();
        while arrived.len() < sizes.len() {
            let each = |_, packet: Packet<'_>, _: &mut Outs| {
                let kept = packet.keep(packet.body);
                arrived.push((packet.body.len(), kept.as_ptr() == packet.body.as_ptr()));
                Ok(())
            };
            wire.turn(SECOND, each).unwrap();
        }
        writing.join().unwrap().unwrap();
        arrived
    }

    #[test]
    fn a_large_packet_has_memory_of_its_own_and_the_next_one_follows() {
        assert_eq!(arrived(&[1_000_000, 8, 300_000]), [(1_000_000, true), (8, false), (300_000, true)]);
    }
}
