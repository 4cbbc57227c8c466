//! A way between two programs of one machine that goes wrong on demand.
//!
//! One thread has all sockets, none of which blocks, so that closing one is one call: with nothing lingering it is a
//! reset, as from a host that has forgotten the connection.

use super::sights::End;
use super::witness::Witness;
use crate::faults::schedule::{Last, Reception};
use crate::machine::{listen, reserve};
use crate::network::Toward;
use socket2::{SockRef, Socket};
use std::io::{self, Read, Write};
use std::net::{Shutdown, SocketAddr, TcpListener, TcpStream};
use std::sync::mpsc::{Receiver, RecvTimeoutError, Sender, channel};
use std::thread;
use std::time::Duration;

/// How often it looks at its sockets.
const TURN: Duration = Duration::from_millis(1);
/// How many connections may wait at its door.
const BACKLOG: i32 = 128;

/// What it is told to do.
#[derive(Clone, Copy, Debug)]
pub(super) enum Order {
    /// At most so many bytes pass in this direction, and no more until they have been read.
    Pace(Toward, usize),
    /// Nothing passes in this direction before there are so many bytes, which then pass together.
    Join(Toward, usize),
    /// Whatever comes passes so many turns later.
    Late(u32),
    /// Nothing passes in this direction.
    Stall(Toward),
    /// Nothing is even taken from who writes in this direction, so that its buffers fill.
    Fill(Toward),
    /// Everything passes again.
    Release(Toward),
    /// Connections break at both ends, by a reset.
    Break,
    /// They break at the peer's end, and what comes from the server goes nowhere.
    Forsake,
    /// The server is told of those that have broken at the peer's end alone.
    Tell,
    /// The next message in this direction passes in half; its writer gets a reset.
    Cut(Toward, Last),
    /// This meets whoever dials.
    Shut(Reception),
    /// Who dials is connected again.
    Open,
}

/// The proxy; it ends when this is dropped.
pub(super) struct Proxy {
    pub(super) address: SocketAddr,
    _reserved: Socket,
    orders: Sender<(Order, Sender<io::Result<()>>)>,
}

impl Proxy {
    /// A proxy before the server at this address; the witness knows what both ends have read.
    pub(super) fn new(server: SocketAddr, witness: Witness) -> io::Result<Self> {
        let (reserved, address) = reserve()?;
        let door = Some(listen(address, BACKLOG)?);
        let (orders, given) = channel();
        let work = Work {
            server,
            address,
            witness,
            door,
            fillers: Vec::new(),
            closes: false,
            pipes: Vec::new(),
            pace: [usize::MAX; 2],
            joined: [0; 2],
            late: 0,
            stalled: [false; 2],
            full: [false; 2],
            cut: [None; 2],
            passed: [0; 2],
        };
        thread::spawn(move || work.run(&given));
        Ok(Self { address, _reserved: reserved, orders })
    }

    /// Returns when it is so.
    pub(super) fn order(&self, order: Order) -> io::Result<()> {
        let (answer, answered) = channel();
        let is_gone = || io::Error::other("the proxy has ended");
        self.orders.send((order, answer)).map_err(|_| is_gone())?;
        answered.recv().map_err(|_| is_gone())?
    }
}

/// The place of a direction in arrays, and of the end to which it leads.
const fn place(toward: Toward) -> usize {
    match toward {
        Toward::Server => 0,
        Toward::Peer => 1,
    }
}

struct Work {
    server: SocketAddr,
    address: SocketAddr,
    witness: Witness,
    door: Option<TcpListener>,
    /// Connections that fill the backlog.
    fillers: Vec<TcpStream>,
    closes: bool,
    pipes: Vec<Pipe>,
    pace: [usize; 2],
    joined: [usize; 2],
    late: u32,
    stalled: [bool; 2],
    full: [bool; 2],
    cut: [Option<Last>; 2],
    /// How many bytes have passed.
    passed: [usize; 2],
}

impl Work {
    fn run(mut self, orders: &Receiver<(Order, Sender<io::Result<()>>)>) {
        loop {
            match orders.recv_timeout(TURN) {
                // Whoever gave the order and does not wait has ended.
                Ok((order, answer)) => drop(answer.send(self.obey(order))),
                Err(RecvTimeoutError::Timeout) => {}
                Err(RecvTimeoutError::Disconnected) => return,
            }
            self.accept();
            for toward in [Toward::Server, Toward::Peer] {
                self.carry(toward);
            }
        }
    }

    fn carry(&mut self, toward: Toward) {
        let (lane, reader) = match toward {
            Toward::Server => (place(toward), End::Server),
            Toward::Peer => (place(toward), End::Peer),
        };
        for pipe in &mut self.pipes {
            if !self.full[lane] {
                pipe.read(lane, self.late);
            }
            let holds = self.stalled[lane] || pipe.pending[lane].len() < self.joined[lane];
            let is_read = || self.witness.read(reader) >= self.passed[lane];
            if !holds && (self.pace[lane] == usize::MAX || is_read()) {
                self.passed[lane] += pipe.pass(lane, self.pace[lane], &mut self.cut[lane]);
            }
        }
    }

    fn obey(&mut self, order: Order) -> io::Result<()> {
        match order {
            Order::Pace(toward, bytes) => self.pace[place(toward)] = bytes,
            Order::Join(toward, bytes) => self.joined[place(toward)] = bytes,
            Order::Late(turns) => self.late = turns,
            Order::Stall(toward) => self.stalled[place(toward)] = true,
            Order::Fill(toward) => self.full[place(toward)] = true,
            Order::Release(toward) => {
                (self.stalled[place(toward)], self.full[place(toward)]) = (false, false);
            }
            Order::Cut(toward, last) => self.cut[place(toward)] = Some(last),
            Order::Break => self.pipes.iter_mut().for_each(Pipe::reset_both),
            Order::Forsake => self.pipes.iter_mut().for_each(|pipe| pipe.reset(place(Toward::Peer))),
            Order::Tell => {
                let forsaken = self.pipes.iter_mut().filter(|pipe| pipe.ends[place(Toward::Peer)].is_none());
                forsaken.for_each(Pipe::reset_both);
            }
            Order::Shut(Reception::Refuses) => self.close_door(),
            Order::Shut(Reception::Closes) => self.closes = true,
            Order::Shut(Reception::Hangs) => {
                self.close_door();
                let door = listen(self.address, 0)?;
                // A queue for none has room for one; who comes after it gets no answer.
                self.fillers.push(TcpStream::connect(self.address)?);
                self.door = Some(door);
                self.closes = false;
            }
            Order::Open => {
                for _ in self.fillers.drain(..) {
                    self.door.iter().for_each(|door| drop(door.accept()));
                }
                self.closes = false;
                match &self.door {
                    Some(door) => SockRef::from(door).listen(BACKLOG)?,
                    None => self.door = Some(listen(self.address, BACKLOG)?),
                }
            }
        }
        Ok(())
    }

    /// Nobody listens from now on, not even in a copy of the socket that a process has which is just being started.
    fn close_door(&mut self) {
        if let Some(door) = self.door.take() {
            // One that listens can be shut down.
            let _ = SockRef::from(&door).shutdown(Shutdown::Both);
        }
    }

    fn accept(&mut self) {
        // While the backlog is to stay full nobody is taken out of it.
        let Some(door) = self.door.as_ref().filter(|_| self.fillers.is_empty()) else { return };
        while let Ok((peer, _)) = door.accept() {
            if let Ok(mut pipe) = Pipe::new(peer, self.server) {
                if self.closes {
                    // What the peer has written is read all the same, for else it would be a reset.
                    pipe.cut(place(Toward::Peer), Last::Fin);
                }
                self.pipes.push(pipe);
            }
        }
    }
}

/// One connection: what is read at one end is written at the other.
struct Pipe {
    /// The server's, the peer's.
    ends: [Option<TcpStream>; 2],
    pending: [Vec<u8>; 2],
    /// For how many turns what is pending has to wait.
    wait: [u32; 2],
    /// Whether nothing more comes in this direction, and whether that was told.
    ended: [bool; 2],
    told: [bool; 2],
}

impl Pipe {
    fn new(peer: TcpStream, server: SocketAddr) -> io::Result<Self> {
        let server = TcpStream::connect(server)?;
        for end in [&server, &peer] {
            end.set_nonblocking(true)?;
            end.set_nodelay(true)?;
        }
        Ok(Self {
            ends: [Some(server), Some(peer)],
            pending: [Vec::new(), Vec::new()],
            wait: [0; 2],
            ended: [false; 2],
            told: [false; 2],
        })
    }

    fn reset(&mut self, end: usize) {
        if let Some(socket) = self.ends[end].take() {
            // One that is gone already cannot linger.
            let _ = SockRef::from(&socket).set_linger(Some(Duration::ZERO));
        }
    }

    fn read(&mut self, lane: usize, late: u32) {
        let Some(from) = &mut self.ends[1 - lane] else { return };
        let mut buffer = [0; 1 << 16];
        match from.read(&mut buffer) {
            Ok(0) => self.ended[lane] = true,
            Ok(count) => {
                if self.pending[lane].is_empty() {
                    self.wait[lane] = late;
                }
                self.pending[lane].extend_from_slice(&buffer[..count]);
            }
            Err(error) if error.kind() == io::ErrorKind::WouldBlock => {}
            // A reset goes through.
            Err(_) => self.reset_both(),
        }
    }

    fn reset_both(&mut self) {
        [0, 1].into_iter().for_each(|end| self.reset(end));
    }

    /// Passes at most so many bytes in this direction; says how many.
    fn pass(&mut self, lane: usize, pace: usize, cut: &mut Option<Last>) -> usize {
        if self.ends[lane].is_none() {
            self.pending[lane].clear();
        }
        self.wait[lane] = self.wait[lane].saturating_sub(1);
        let Some(to) = self.ends[lane].as_mut().filter(|_| self.wait[lane] == 0) else { return 0 };
        let cut = if self.pending[lane].is_empty() { None } else { cut.take() };
        let most = if cut.is_some() { self.pending[lane].len() / 2 } else { pace };
        let bytes = &self.pending[lane][..self.pending[lane].len().min(most)];
        // To write nothing is no call: a socket tells of a reset once, and that is to be seen by the next one.
        let written = if bytes.is_empty() { Ok(0) } else { to.write(bytes) };
        let count = match written {
            Ok(count) => count,
            Err(error) if error.kind() == io::ErrorKind::WouldBlock => 0,
            Err(_) => {
                self.reset_both();
                return 0;
            }
        };
        self.pending[lane].drain(..count);
        if let Some(last) = cut {
            self.pending[lane].clear();
            self.cut(lane, last);
        } else if self.ended[lane] && self.pending[lane].is_empty() && !self.told[lane] {
            self.told[lane] = true;
            // Who has closed as well needs not be told.
            let _ = to.shutdown(Shutdown::Write);
        }
        count
    }

    fn cut(&mut self, lane: usize, last: Last) {
        match last {
            Last::Reset => self.reset(lane),
            Last::Fin => self.ends[lane].iter().for_each(|to| drop(to.shutdown(Shutdown::Write))),
        }
        self.reset(1 - lane);
    }
}
