//! A connection as frames that come in and one buffer that goes out.

use crate::Stream;
use crate::sync::thread_local;
use bytes::Buf;
use gearman_protocol::{DecodeError, Decoder, Frame, Limits, Outward};
use std::cell::RefCell;
use std::future::Future;
use std::io::{self, IoSlice};
use std::pin::{Pin, pin};
use std::task::{Context, Poll, ready};
use tokio::io::{AsyncReadExt, ReadBuf};

/// How many bytes one read takes at most, unless all of them belong to one long message.
pub const READ_SIZE: usize = 64 * 1024;

/// How many bytes of one long message are read, and how many are written, before it is the others' turn.
pub const TURN: usize = 4 * READ_SIZE;

/// How many pieces one vectored write takes at most.
const PIECES: usize = 64;

thread_local! {
    /// Where every connection of a thread reads, so that an idle connection holds no buffer.
    static SCRATCH: RefCell<Box<[u8]>> = RefCell::new(vec![0; READ_SIZE].into_boxed_slice());
}

/// A stream with the decoder of what comes in and the buffer of what goes out.
///
/// Nothing is lost when a future that polls it is dropped: all state is here.
#[derive(Debug)]
pub struct Wire<S> {
    stream: S,
    decoder: Decoder,
    broken: bool,
    outward: Outward,
    /// Whether bytes were written since the stream was last flushed.
    unflushed: bool,
}

impl<S: Stream> Wire<S> {
    /// A wire over a stream at its start.
    pub fn new(stream: S, limits: Limits) -> Self {
        Self {
            stream,
            decoder: Decoder::new(limits),
            broken: false,
            outward: Outward::new(),
            unflushed: false,
        }
    }

    /// What waits to be written.
    pub fn outward(&mut self) -> &mut Outward {
        &mut self.outward
    }

    /// The decoder, to see what it holds of a message that is not whole.
    pub fn decoder(&self) -> &Decoder {
        &self.decoder
    }

    /// Reads once, up to [`READ_SIZE`] bytes, or [`TURN`] of one long message, and hands over each frame that is whole.
    ///
    /// Gives the number of bytes read; 0 is the end of the stream. After an error of decoding, which is told
    /// once, all further bytes are dropped: nothing in them means anything.
    ///
    /// # Errors
    /// Whatever the stream says.
    pub fn poll_read(
        &mut self,
        cx: &mut Context<'_>,
        mut each: impl FnMut(Result<Frame, DecodeError>),
    ) -> Poll<io::Result<usize>> {
        if let Some(mut room) = self.decoder.room(TURN) {
            let count = ready!(pin!(self.stream.read_buf(&mut room)).poll(cx))?;
            self.decoder.take_whole().into_iter().for_each(|frame| each(Ok(frame)));
            return Poll::Ready(Ok(count));
        }
        SCRATCH.with(|scratch| {
            let mut scratch = scratch.borrow_mut();
            let mut buffer = ReadBuf::new(&mut scratch);
            ready!(Pin::new(&mut self.stream).poll_read(cx, &mut buffer))?;
            let mut input = buffer.filled();
            while !self.broken {
                match self.decoder.decode(&mut input) {
                    Ok(Some(frame)) => each(Ok(frame)),
                    Ok(None) => break,
                    Err(error) => {
                        self.broken = true;
                        each(Err(error));
                    }
                }
            }
            Poll::Ready(Ok(buffer.filled().len()))
        })
    }

    /// Writes until nothing waits; ready when all is written and flushed.
    ///
    /// Much is written in several turns, between which whoever else is ready has one.
    ///
    /// # Errors
    /// Whatever the stream says.
    pub fn poll_flush(&mut self, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        let mut turn = 0;
        while !self.outward.is_empty() {
            if turn >= TURN {
                cx.waker().wake_by_ref();
                return Poll::Pending;
            }
            let written = ready!(self.poll_write(cx))?;
            if written == 0 {
                return Poll::Ready(Err(io::ErrorKind::WriteZero.into()));
            }
            turn += written;
            self.outward.advance(written);
            self.unflushed = true;
        }
        if self.unflushed {
            ready!(Pin::new(&mut self.stream).poll_flush(cx))?;
            self.unflushed = false;
        }
        Poll::Ready(Ok(()))
    }

    /// Writes once. Mostly there is one piece, and the system takes one with less ado than a list of one.
    fn poll_write(&mut self, cx: &mut Context<'_>) -> Poll<io::Result<usize>> {
        let stream = Pin::new(&mut self.stream);
        if self.outward.chunk().len() == self.outward.len() {
            return stream.poll_write(cx, self.outward.chunk());
        }
        let mut pieces = [IoSlice::new(&[]); PIECES];
        let count = self.outward.chunks_vectored(&mut pieces);
        stream.poll_write_vectored(cx, &pieces[..count])
    }

    /// Half-closes the stream: the peer learns that nothing more will come.
    ///
    /// # Errors
    /// Whatever the stream says.
    pub fn poll_shutdown(&mut self, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.stream).poll_shutdown(cx)
    }
}
