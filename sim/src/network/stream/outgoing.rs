//! What was written and is not on its way yet.

use super::{End, poll_timer};
use crate::faults::FaultClass;
use crate::faults::schedule::Last;
use bytes::BytesMut;
use std::io;
use std::pin::Pin;
use std::task::{Context, Poll, ready};
use std::time::Duration;
use tokio::io::AsyncWrite;
use tokio::time::{Sleep, sleep};
use turmoil::net::TcpStream;

/// The sending buffer of a socket.
#[derive(Default)]
pub(super) struct Outgoing {
    /// Until when nothing more is taken.
    pause: Option<Pin<Box<Sleep>>>,
    /// Bytes that wait for company.
    held: BytesMut,
    /// Until when they wait.
    due: Option<Pin<Box<Sleep>>>,
    /// Whether the last message that was begun has not been taken to its end.
    is_within: bool,
    writes: u64,
}

impl Outgoing {
    /// Takes bytes, all of them or fewer.
    pub(super) fn poll_write(
        &mut self,
        inner: &mut TcpStream,
        cx: &mut Context<'_>,
        bytes: &[u8],
        end: &End,
    ) -> Poll<io::Result<usize>> {
        let room = end.cables.lock().room(end.id, end.toward, cx).min(bytes.len());
        self.poll_held(inner, cx)?;
        ready!(poll_timer(&mut self.pause, cx));
        if room == 0 && !bytes.is_empty() {
            return Poll::Pending;
        }
        if self.cut(inner, &bytes[..room], end) {
            return Poll::Ready(Ok(room));
        }
        let takes = self.split(room, end);
        self.is_within = takes < bytes.len();
        let bytes = &bytes[..takes];
        if self.hold(bytes, end) {
            // A kernel sends it when its time has come; here the task does, which must be woken for it.
            self.poll_held(inner, cx)?;
        } else {
            ready!(Pin::new(inner).poll_write(cx, bytes))?;
        }
        self.writes += 1;
        end.cables.lock().given(end.id, end.toward, bytes, bytes.len());
        Poll::Ready(Ok(takes))
    }

    /// Takes these bytes as a kernel does, passes a part of the message that they begin with, and cuts this end off,
    /// if that is to be; says whether it is.
    fn cut(&mut self, inner: &TcpStream, bytes: &[u8], end: &End) -> bool {
        let mut state = end.cables.lock();
        let Some(last) = state.cut(end.id, end.toward) else { return false };
        let class = match last {
            Last::Reset => FaultClass::ResetMidPacket,
            Last::Fin => FaultClass::FinMidPacket,
        };
        let message = first_message(bytes);
        let chance = state.chance(class, end, self.writes).filter(|_| !self.is_within && message > 1);
        let Some(mut chance) = chance else { return false };
        let part = 1 + chance.index(message - 1);
        self.held.extend_from_slice(&bytes[..part]);
        state.given(end.id, end.toward, bytes, part);
        state.bit(class, end.id);
        state.cut_off(end.id, end.toward, last);
        drop(state);
        self.send_held_from(inner);
        true
    }

    /// How many of `could` bytes to take; fewer make the rest wait.
    fn split(&mut self, could: usize, end: &End) -> usize {
        let mut state = end.cables.lock();
        match state.draw(FaultClass::SplitWrite, end, self.writes) {
            Some(mut chance) if could > 1 => {
                let ticks = chance.between(1..=4);
                self.pause = Some(Box::pin(sleep(state.ticks(ticks))));
                state.bit(FaultClass::SplitWrite, end.id);
                1 + chance.index(could - 1)
            }
            _ => could,
        }
    }

    /// Keeps bytes back to travel with later ones, if they must stay behind others or chance says so.
    fn hold(&mut self, bytes: &[u8], end: &End) -> bool {
        let mut state = end.cables.lock();
        if !self.held.is_empty() {
            state.bit(FaultClass::MergeWrite, end.id);
        } else if let Some(mut chance) = state.draw(FaultClass::MergeWrite, end, self.writes) {
            let wait: Duration = state.ticks(chance.between(1..=3));
            self.due = Some(Box::pin(sleep(wait)));
        } else {
            return false;
        }
        self.held.extend_from_slice(bytes);
        true
    }

    /// How many bytes wait for company.
    pub(super) fn held(&self) -> usize {
        self.held.len()
    }

    /// Sends what waited for company, if its time has come; wakes the task when it will.
    pub(super) fn poll_held(&mut self, inner: &TcpStream, cx: &mut Context<'_>) -> io::Result<()> {
        if !self.held.is_empty() && poll_timer(&mut self.due, cx).is_ready() {
            inner.try_write(&self.held)?;
            self.held.clear();
        }
        Ok(())
    }

    /// Sends what waited for company, as a kernel does when the program is gone.
    pub(super) fn send_held_from(&mut self, inner: &TcpStream) {
        if !self.held.is_empty() {
            // A peer that is gone gets nothing: that is what the error says, and nobody is left to be told.
            let _ = inner.try_write(&self.held);
            self.held.clear();
        }
    }
}

/// How long the message is that these bytes begin with, as far as they go: a packet says it in its header, and a line
/// of text ends with a newline.
fn first_message(bytes: &[u8]) -> usize {
    let length = match bytes {
        [0, _, _, _, _, _, _, _, size @ ..] if size.len() >= 4 => {
            let size = u32::from_be_bytes([size[0], size[1], size[2], size[3]]);
            12 + usize::try_from(size).unwrap_or(usize::MAX - 12)
        }
        text => text.iter().position(|&byte| byte == b'\n').map_or(text.len(), |end| end + 1),
    };
    length.min(bytes.len())
}
