//! A trouble between two processes of this machine.

use super::proxy::{Order, Proxy};
use super::scene::{Habit, LINE, Saw, ask, serve};
use super::sights::{End, Sights};
use super::trouble::{Trouble, Wrong};
use super::witness::Witness;
use crate::faults::FaultClass;
use crate::faults::schedule::{Deed, Lanes, Outcome, Reception};
use crate::machine::{reserve, signal};
use crate::network::Toward;
use crate::stage::toward;
use clap::ValueEnum;
use gearman_net::Tcp;
use socket2::Socket;
use std::io::{self, BufRead, BufReader, Write};
use std::net::SocketAddr;
use std::process::{Child, Command, Stdio};
use std::sync::Arc;
use std::thread;
use tokio::sync::watch;

/// Plays a peer, or the server, in this process: what it sees is told line by line, and each line of stdin opens a
/// gate.
pub(crate) fn play(address: &str, peer: Option<Habit>, tell: fn(&str)) -> io::Result<()> {
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build()?;
    let notes = Arc::new(move |nth: usize, saw: Saw| tell(&format!("{nth} {saw}")));
    let Some(habit) = peer else { return runtime.block_on(serve(Tcp, address, notes)) };
    let (opened, gates) = watch::channel(0);
    let open = move |_| opened.send_modify(|count| *count += 1);
    thread::spawn(move || io::stdin().lines().map_while(Result::ok).for_each(open));
    runtime.block_on(ask(Tcp, address, habit, gates, notes));
    Ok(())
}

/// What both ends see, who are waited for until they have seen what is expected, or nothing more for long.
pub(super) fn see(trouble: &Trouble, expected: &Sights) -> io::Result<Sights> {
    let mut stage = Stage::new(trouble)?;
    let mut sights = Sights::default();
    let mut changes = 0..;
    let mut settle = |stage: &Stage| {
        let seen = stage.witness.settle(expected.until(changes.next().unwrap_or_default()));
        sights.push(seen);
    };
    settle(&stage);
    if trouble.habit.is_early() {
        stage.peer.open_gate()?;
        settle(&stage);
    }
    stage.begin(trouble)?;
    if trouble.opens_when_it_happens() {
        stage.peer.open_gate()?;
    }
    settle(&stage);
    stage.end(trouble)?;
    if !trouble.habit.leaves() {
        stage.peer.open_gate()?;
    }
    settle(&stage);
    Ok(sights)
}

struct Stage {
    witness: Witness,
    server: Player,
    peer: Player,
    /// Where the server listens, also when it is started again.
    at: SocketAddr,
    _reserved: Socket,
    proxy: Proxy,
}

impl Stage {
    fn new(trouble: &Trouble) -> io::Result<Self> {
        let witness = Witness::default();
        let (reserved, at) = reserve()?;
        let server = Player::server(at, &witness)?;
        let proxy = Proxy::new(at, witness.clone())?;
        if let Wrong::Each(class) = trouble.what {
            for toward in [Toward::Server, Toward::Peer] {
                proxy.order(habitual(class, toward))?;
            }
        }
        let target = if is_direct(trouble) { at } else { proxy.address };
        let peer = Player::peer(target, trouble.habit, &witness)?;
        Ok(Self { witness, server, peer, at, _reserved: reserved, proxy })
    }

    fn begin(&mut self, trouble: &Trouble) -> io::Result<()> {
        let Wrong::Once(deed) = &trouble.what else { return Ok(()) };
        match *deed {
            Deed::Stall { lanes, .. } => self.each(lanes, Order::Stall),
            Deed::Dribble { lanes, .. } => self.each(lanes, |toward| Order::Pace(toward, 5)),
            Deed::SlowReader { .. } => self.proxy.order(Order::Fill(Toward::Peer)),
            Deed::HalfOpen { .. } => self.proxy.order(Order::Forsake),
            Deed::Cut { lanes, last, .. } => self.each(lanes, |toward| Order::Cut(toward, last)),
            Deed::Door { reception, .. } => {
                self.proxy.order(Order::Shut(reception))?;
                self.proxy.order(Order::Break)
            }
            Deed::ReconnectStorm { .. } => {
                self.proxy.order(Order::Shut(Reception::Hangs))?;
                self.proxy.order(Order::Break)
            }
            Deed::Partition { lanes, .. } => {
                self.proxy.order(Order::Shut(Reception::Hangs))?;
                self.each(lanes, Order::Stall)
            }
            Deed::ServerCrash { .. } => self.server.kill(),
            Deed::ServerPause { .. } => self.server.signal("-STOP"),
            Deed::WorkerCrash { .. } => self.peer.kill(),
            Deed::WorkerPause { .. } => self.peer.signal("-STOP"),
            // The peer leaves by itself; the others are not compared.
            Deed::Leave { .. }
            | Deed::ServerPowerLoss { .. }
            | Deed::ServerDrain { .. }
            | Deed::Overrun { .. }
            | Deed::ClockStep { .. }
            | Deed::Impatience { .. } => Ok(()),
        }
    }

    fn end(&mut self, trouble: &Trouble) -> io::Result<()> {
        let Wrong::Once(deed) = &trouble.what else { return Ok(()) };
        if let Deed::Stall { then: Outcome::Breaks, .. } | Deed::Partition { then: Outcome::Breaks, .. } =
            deed
        {
            self.proxy.order(Order::Break)?;
        }
        match *deed {
            Deed::Stall { lanes, .. } => self.each(lanes, Order::Release),
            Deed::Dribble { lanes, .. } => self.each(lanes, |toward| Order::Pace(toward, usize::MAX)),
            Deed::SlowReader { .. } => self.proxy.order(Order::Release(Toward::Peer)),
            Deed::HalfOpen { .. } => self.proxy.order(Order::Tell),
            Deed::Door { .. } | Deed::ReconnectStorm { .. } => self.proxy.order(Order::Open),
            Deed::Partition { lanes, .. } => {
                self.each(lanes, Order::Release)?;
                self.proxy.order(Order::Open)
            }
            Deed::ServerCrash { .. } => {
                self.server = Player::server(self.at, &self.witness)?;
                Ok(())
            }
            Deed::ServerPause { .. } => self.server.signal("-CONT"),
            Deed::WorkerPause { .. } => self.peer.signal("-CONT"),
            Deed::Cut { .. }
            | Deed::WorkerCrash { .. }
            | Deed::Leave { .. }
            | Deed::ServerPowerLoss { .. }
            | Deed::ServerDrain { .. }
            | Deed::Overrun { .. }
            | Deed::ClockStep { .. }
            | Deed::Impatience { .. } => Ok(()),
        }
    }

    fn each(&self, lanes: Lanes, order: impl Fn(Toward) -> Order) -> io::Result<()> {
        toward(lanes).iter().try_for_each(|&toward| self.proxy.order(order(toward)))
    }
}

/// What hits every read and write: pieces shorter than a header, pieces, two questions or answers in one, or bytes that
/// come later.
fn habitual(class: FaultClass, toward: Toward) -> Order {
    if class == FaultClass::ShortRead {
        Order::Pace(toward, 5)
    } else if class == FaultClass::SplitWrite {
        Order::Pace(toward, 40)
    } else if class == FaultClass::MergeWrite {
        Order::Join(toward, 2 * LINE)
    } else {
        Order::Late(20)
    }
}

/// Whether nothing may stand between: processes die or stand still before each other's eyes.
const fn is_direct(trouble: &Trouble) -> bool {
    matches!(
        trouble.what,
        Wrong::Once(
            Deed::ServerCrash { .. }
                | Deed::ServerPause { .. }
                | Deed::WorkerCrash { .. }
                | Deed::WorkerPause { .. }
                | Deed::Leave { .. }
        )
    )
}

/// Who of those in a process has seen what.
fn noted(line: &str) -> Option<(usize, Saw)> {
    let (nth, saw) = line.split_once(' ')?;
    Some((nth.parse().ok()?, saw.parse().ok()?))
}

/// A process that plays a part.
struct Player {
    child: Child,
    is_alive: bool,
}

impl Player {
    /// The server, once it listens.
    fn server(at: SocketAddr, witness: &Witness) -> io::Result<Self> {
        let player = Self::new(&[&at.to_string()], End::Server, witness)?;
        if witness.listens() { Ok(player) } else { Err(io::Error::other("the server does not come up")) }
    }

    fn peer(target: SocketAddr, habit: Habit, witness: &Witness) -> io::Result<Self> {
        let habit = habit.to_possible_value().map(|value| value.get_name().to_owned()).unwrap_or_default();
        Self::new(&[&target.to_string(), &habit], End::Peer, witness)
    }

    fn new(args: &[&str], end: End, witness: &Witness) -> io::Result<Self> {
        let mut command = Command::new(std::env::current_exe()?);
        command.arg("play").args(args).stdin(Stdio::piped()).stdout(Stdio::piped());
        let mut child = command.spawn()?;
        let output = child.stdout.take().ok_or(io::ErrorKind::BrokenPipe)?;
        let witness = witness.clone();
        thread::spawn(move || {
            let lines = BufReader::new(output).lines().map_while(Result::ok);
            lines.filter_map(|line| noted(&line)).for_each(|(nth, saw)| witness.note(end, nth, saw));
        });
        Ok(Self { child, is_alive: true })
    }

    /// Nothing if it is dead.
    fn open_gate(&mut self) -> io::Result<()> {
        if !self.is_alive {
            return Ok(());
        }
        self.child.stdin.as_mut().ok_or(io::ErrorKind::BrokenPipe)?.write_all(b"\n")
    }

    fn signal(&self, name: &str) -> io::Result<()> {
        signal(self.child.id(), name)
    }

    /// SIGKILL.
    fn kill(&mut self) -> io::Result<()> {
        self.is_alive = false;
        self.child.kill()?;
        self.child.wait().map(drop)
    }
}

impl Drop for Player {
    fn drop(&mut self) {
        // One that has ended by itself needs no end.
        let _ = self.kill();
    }
}
