//! One direction of a connection.

use crate::faults::schedule::Last;
use std::task::{Context, Waker};

/// Where bytes are going.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum Toward {
    Server,
    Peer,
}

impl Toward {
    pub(crate) const fn opposite(self) -> Self {
        match self {
            Self::Server => Self::Peer,
            Self::Peer => Self::Server,
        }
    }
}

/// The bytes that are under way in one direction, and who waits for them to move.
#[derive(Debug, Default)]
pub(super) struct Lane {
    /// How many faults make it stand still.
    pub(super) stalls: u32,
    /// Bytes that were written and not yet read.
    pub(super) in_flight: usize,
    /// What its reader gets after what is under way, if nothing more will be: the writer is dead or cut off.
    pub(super) last: Option<Last>,
    /// How its writer shall be cut off in the next message.
    pub(super) cut: Option<Last>,
    /// How slowly it moves, if it does.
    pub(super) pace: Option<Pace>,
    reader: Option<Waker>,
    writer: Option<Waker>,
}

/// A lane that moves slowly.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Pace {
    /// At most so many bytes can be taken at a time.
    pub(crate) bytes: usize,
    /// After so many steps of the simulation each.
    pub(crate) every: u32,
    /// No more than so many bytes may be under way.
    pub(crate) window: usize,
    /// How many can be taken now.
    pub(crate) left: usize,
    /// After how many steps there will be more.
    pub(crate) wait: u32,
}

impl Lane {
    /// How many bytes its reader may take now.
    pub(super) fn allowance(&self) -> usize {
        self.pace.map_or(usize::MAX, |pace| pace.left)
    }

    /// Its reader has taken so many.
    pub(super) fn taken(&mut self, count: usize) {
        self.in_flight -= count;
        if let Some(pace) = &mut self.pace {
            pace.left = pace.left.saturating_sub(count);
        }
        self.wake_writer();
    }

    /// A step of the simulation has passed; says whether it moves slowly.
    pub(super) fn step(&mut self) -> bool {
        let Some(pace) = &mut self.pace else { return false };
        pace.wait = pace.wait.saturating_sub(1);
        if pace.wait == 0 {
            (pace.left, pace.wait) = (pace.bytes, pace.every);
            self.wake();
        }
        true
    }

    /// Wakes the reader's task when something changes.
    pub(super) fn remember_reader(&mut self, cx: &Context<'_>) {
        remember(&mut self.reader, cx);
    }

    /// Wakes the writer's task when something changes.
    pub(super) fn remember_writer(&mut self, cx: &Context<'_>) {
        remember(&mut self.writer, cx);
    }

    pub(super) fn wake(&mut self) {
        self.reader.take().into_iter().for_each(Waker::wake);
        self.wake_writer();
    }

    pub(super) fn wake_writer(&mut self) {
        self.writer.take().into_iter().for_each(Waker::wake);
    }
}

fn remember(slot: &mut Option<Waker>, cx: &Context<'_>) {
    match slot {
        Some(waker) if waker.will_wake(cx.waker()) => {}
        Some(_) | None => *slot = Some(cx.waker().clone()),
    }
}
