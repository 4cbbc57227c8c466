//! One direction of a connection.

use std::task::{Context, Waker};

/// Where bytes are going.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
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
    /// Whether the writer's program died: nothing comes after what is under way.
    pub(super) is_last: bool,
    reader: Option<Waker>,
    writer: Option<Waker>,
}

impl Lane {
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
