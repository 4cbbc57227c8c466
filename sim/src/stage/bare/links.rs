//! Connections without a network: a queue in each direction, and how long things are under way in it.

use crate::chance::rng;
use crate::workload::Hostile;
use bytes::Bytes;
use gearman_protocol::{DecodeError, Decoder, Limits, Request, Response, Time};
use std::collections::VecDeque;
use std::time::Duration;

/// Something on its way to the server.
pub(super) enum ToServer {
    Opened,
    Request(Request),
    Malformed(DecodeError),
    HalfClosed,
    Closed,
}

/// Something on its way to a peer.
pub(super) enum ToPeer {
    Response(Response),
    Closed,
}

/// What is in bytes: a request, or what is wrong with them.
pub(super) type Found = (Result<Request, DecodeError>, Option<Hostile>);

/// All connections that there ever were.
pub(super) struct Links {
    seed: u64,
    links: Vec<Link>,
}

struct Link {
    actor: usize,
    server: usize,
    /// Nothing takes longer than so many milliseconds.
    slowest: u64,
    messages: u64,
    to_server: Lane<ToServer>,
    to_peer: Lane<ToPeer>,
    decoder: Decoder,
    peer_reads: bool,
    server_reads: bool,
    ended: bool,
}

struct Lane<T> {
    queue: VecDeque<T>,
    /// When the last of them arrives; nothing overtakes it.
    last: Time,
}

impl<T> Lane<T> {
    const fn new() -> Self {
        Self { queue: VecDeque::new(), last: Time::ZERO }
    }

    fn push(&mut self, message: T, at: Time) -> Time {
        self.queue.push_back(message);
        self.last = self.last.max(at);
        self.last
    }
}

impl Links {
    pub(super) const fn new(seed: u64) -> Self {
        Self { seed, links: Vec::new() }
    }

    pub(super) fn open(&mut self, actor: usize, server: usize) -> usize {
        let number = self.links.len();
        let mut chance = rng(self.seed, number as u64, "bare.link", 0);
        let slowest = *chance.weighted(&[(2, 0), (3, 2), (3, 8), (1, 40)]);
        self.links.push(Link {
            actor,
            server,
            slowest,
            messages: 0,
            to_server: Lane::new(),
            to_peer: Lane::new(),
            decoder: Decoder::new(Limits::default()),
            peer_reads: true,
            server_reads: true,
            ended: false,
        });
        number
    }

    /// All that there ever were with a server.
    pub(super) fn of(&self, server: usize) -> Vec<usize> {
        let all = self.links.iter().enumerate();
        all.filter(|(_, link)| link.server == server).map(|(number, _)| number).collect()
    }

    /// With which server one is.
    pub(super) fn server(&self, link: usize) -> usize {
        self.links[link].server
    }

    /// Whose one is.
    pub(super) fn actor(&self, link: usize) -> usize {
        self.links[link].actor
    }

    /// What is under way to the peer never arrives.
    pub(super) fn lose_answers(&mut self, link: usize) {
        self.links[link].to_peer.queue.clear();
    }

    /// When the next message arrives.
    fn due(&mut self, link: usize, now: Time) -> Time {
        let Link { slowest, messages, .. } = &mut self.links[link];
        *messages += 1;
        let delay = rng(self.seed, link as u64, "bare.delay", *messages).between(0..=*slowest);
        now + Duration::from_millis(delay)
    }

    pub(super) fn send(&mut self, link: usize, now: Time, message: ToServer) -> Time {
        let due = self.due(link, now);
        self.links[link].to_server.push(message, due)
    }

    /// Takes the next message to the server; `None` if the server does not read it any more.
    pub(super) fn arrived(&mut self, link: usize) -> Option<ToServer> {
        let link = &mut self.links[link];
        let message = link.to_server.queue.pop_front();
        message.filter(|_| link.server_reads)
    }

    /// Sends to the peer; `None` if it is gone.
    pub(super) fn answer(&mut self, link: usize, now: Time, message: ToPeer) -> Option<Time> {
        if !self.links[link].peer_reads {
            return None;
        }
        let due = self.due(link, now);
        Some(self.links[link].to_peer.push(message, due))
    }

    /// Takes the next message to the peer, and who it is; `None` if the peer does not read it any more.
    pub(super) fn returned(&mut self, link: usize) -> Option<(usize, ToPeer)> {
        let link = &mut self.links[link];
        let message = link.to_peer.queue.pop_front();
        message.filter(|_| link.peer_reads).map(|message| (link.actor, message))
    }

    /// What the server will find in these bytes, and which kind of hostile bytes they are if they are no request.
    pub(super) fn decode(&mut self, link: usize, bytes: &Bytes) -> Vec<Found> {
        let decoder = &mut self.links[link].decoder;
        let (mut input, mut found) = (&bytes[..], Vec::new());
        while !input.is_empty() {
            match decoder.decode(&mut input) {
                Ok(None) => break,
                Ok(Some(frame)) => {
                    let message = Request::parse(frame.clone());
                    let kind = message.as_ref().err().and_then(|&error| Hostile::found(error, Some(&frame)));
                    found.push((message, kind));
                }
                Err(error) => {
                    found.push((Err(error), Hostile::found(error, None)));
                    break;
                }
            }
        }
        found
    }

    /// Whether the peer has begun a message and not finished it.
    pub(super) fn is_within_a_message(&self, link: usize) -> bool {
        self.links[link].decoder.partial().is_some()
    }

    /// The peer is gone: nothing more is read.
    pub(super) fn forget_peer(&mut self, link: usize) {
        self.links[link].peer_reads = false;
    }

    /// The server learns of the end; whether that is news.
    pub(super) fn end(&mut self, link: usize) -> bool {
        !std::mem::replace(&mut self.links[link].ended, true)
    }

    /// The server closes; whether it had not yet.
    pub(super) fn close_server(&mut self, link: usize) -> bool {
        std::mem::replace(&mut self.links[link].server_reads, false)
    }
}
