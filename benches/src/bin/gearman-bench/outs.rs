//! What is to be said on many connections, written once per turn.

use bytes::Buf;
use gearman_protocol::Outward;
use std::io::{self, IoSlice, Write};
use std::net::TcpStream;

/// How many pieces go out with one system call.
const SLICES: usize = 64;

/// What is to be said on many connections.
#[derive(Debug, Default)]
pub(crate) struct Outs {
    outs: Vec<Out>,
    /// Those that have something to say.
    marked: Vec<usize>,
}

#[derive(Debug, Default)]
struct Out {
    bytes: Outward,
    marked: bool,
}

impl Outs {
    /// There is one more connection.
    pub(crate) fn grow(&mut self) {
        self.outs.push(Out::default());
    }

    /// The place for what this link says when the next turn begins.
    pub(crate) fn of(&mut self, link: usize) -> &mut Outward {
        self.mark(link);
        &mut self.outs[link].bytes
    }

    /// This link shall be written to, if there is anything to write.
    pub(crate) fn mark(&mut self, link: usize) {
        if !self.outs[link].marked {
            self.outs[link].marked = true;
            self.marked.push(link);
        }
    }

    /// Takes a link off the list of those that have something to say.
    pub(crate) fn next(&mut self) -> Option<usize> {
        let link = self.marked.pop()?;
        self.outs[link].marked = false;
        Some(link)
    }

    /// Writes all that this link says.
    ///
    /// # Errors
    /// `WouldBlock` if the peer does not take all of it now.
    pub(crate) fn write(&mut self, link: usize, mut stream: &TcpStream) -> io::Result<()> {
        let out = &mut self.outs[link].bytes;
        while out.has_remaining() {
            let mut slices = [IoSlice::new(&[]); SLICES];
            let filled = out.chunks_vectored(&mut slices);
            let count = stream.write_vectored(&slices[..filled])?;
            out.advance(count);
        }
        Ok(())
    }
}
