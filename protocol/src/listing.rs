//! Tables of the text protocol that are long: they become bytes piece by piece, while they are written.
//!
//! A server with a hundred thousand functions would else stop for everybody while it spells `status` out.

use crate::admin::{AdminReply, FunctionStatus, JobListing, PriorityStatus, WorkerListing};
use bytes::Bytes;
use std::fmt;
use std::vec;

/// What ends a table.
pub(crate) const END: &[u8] = b".\n";

/// A line of a table.
pub(crate) trait Row {
    /// Appends the line.
    fn write(&self, text: &mut Vec<u8>);
    /// How many bytes that is.
    fn length(&self) -> usize;
}

/// What is left of a table.
pub(crate) trait Listing: fmt::Debug + Send {
    /// How many bytes it will be.
    fn left(&self) -> usize;
    /// Appends lines until the text has `enough` bytes, or the last line.
    fn write(&mut self, text: &mut Vec<u8>, enough: usize);
    /// Appends all that is left, and leaves it.
    fn copy(&self, text: &mut Vec<u8>);
}

/// Rows that are not written yet. When there are none, the end is not either, unless nothing is left.
#[derive(Debug)]
struct Rows<R> {
    rows: vec::IntoIter<R>,
    left: usize,
}

impl<R: Row + fmt::Debug + Send> Listing for Rows<R> {
    fn left(&self) -> usize {
        self.left
    }

    fn write(&mut self, text: &mut Vec<u8>, enough: usize) {
        while self.left > 0 && text.len() < enough {
            let before = text.len();
            match self.rows.next() {
                Some(row) => row.write(text),
                None => text.extend_from_slice(END),
            }
            self.left -= text.len() - before;
        }
    }

    fn copy(&self, text: &mut Vec<u8>) {
        table(self.rows.as_slice(), text);
    }
}

/// Appends a whole table.
pub(crate) fn table(rows: &[impl Row], text: &mut Vec<u8>) {
    rows.iter().for_each(|row| row.write(text));
    text.extend_from_slice(END);
}

fn listing<R: Row + fmt::Debug + Send + 'static>(rows: Vec<R>) -> Box<dyn Listing> {
    let left = rows.iter().map(Row::length).sum::<usize>() + END.len();
    Box::new(Rows { rows: rows.into_iter(), left })
}

/// The reply as a table that can be written piece by piece, if it is a table.
pub(crate) fn of(reply: AdminReply) -> Result<Box<dyn Listing>, AdminReply> {
    Ok(match reply {
        AdminReply::Status(rows) => listing(rows),
        AdminReply::PriorityStatus(rows) => listing(rows),
        AdminReply::Workers(rows) => listing(rows),
        AdminReply::Jobs(rows) => listing(rows),
        AdminReply::UniqueJobs(rows) => listing(rows),
        reply @ (AdminReply::Ok
        | AdminReply::Value(_)
        | AdminReply::Part(_)
        | AdminReply::Error(_)
        | AdminReply::Line(_)) => return Err(reply),
    })
}

impl Row for FunctionStatus {
    fn write(&self, text: &mut Vec<u8>) {
        text.extend_from_slice(&self.function);
        columns(text, [self.total, self.running, self.workers]);
    }

    fn length(&self) -> usize {
        self.function.len() + columns_length([self.total, self.running, self.workers])
    }
}

impl Row for PriorityStatus {
    fn write(&self, text: &mut Vec<u8>) {
        text.extend_from_slice(&self.function);
        columns(text, [self.high, self.normal, self.low, self.workers]);
    }

    fn length(&self) -> usize {
        self.function.len() + columns_length([self.high, self.normal, self.low, self.workers])
    }
}

impl Row for WorkerListing {
    fn write(&self, text: &mut Vec<u8>) {
        number(text, self.connection);
        let parts: [&[u8]; 5] = [b" ", self.address.as_bytes(), b" ", &self.id, b" :"];
        for part in parts {
            text.extend_from_slice(part);
        }
        for function in &self.functions {
            text.push(b' ');
            text.extend_from_slice(function);
        }
        text.push(b'\n');
    }

    fn length(&self) -> usize {
        let functions: usize = self.functions.iter().map(|function| 1 + function.len()).sum();
        number_length(self.connection) + self.address.len() + self.id.len() + functions + "   :\n".len()
    }
}

impl Row for JobListing {
    fn write(&self, text: &mut Vec<u8>) {
        text.extend_from_slice(self.handle.as_bytes());
        columns(text, self.columns());
    }

    fn length(&self) -> usize {
        self.handle.as_bytes().len() + columns_length(self.columns())
    }
}

impl JobListing {
    /// The second one was gearmand's mark of dead jobs; here only live ones are listed.
    fn columns(&self) -> [u64; 3] {
        [self.retries, 0, self.persisted.into()]
    }
}

impl Row for Bytes {
    fn write(&self, text: &mut Vec<u8>) {
        text.extend_from_slice(self);
        text.push(b'\n');
    }

    fn length(&self) -> usize {
        self.len() + 1
    }
}

/// Numbers behind a name, to the end of the line.
fn columns<const N: usize>(text: &mut Vec<u8>, numbers: [u64; N]) {
    for column in numbers {
        text.push(b'\t');
        number(text, column);
    }
    text.push(b'\n');
}

fn columns_length<const N: usize>(numbers: [u64; N]) -> usize {
    1 + numbers.into_iter().map(|column| 1 + number_length(column)).sum::<usize>()
}

fn number(text: &mut Vec<u8>, number: u64) {
    text.extend_from_slice(itoa::Buffer::new().format(number).as_bytes());
}

fn number_length(number: u64) -> usize {
    number.checked_ilog10().map_or(1, |digits| digits as usize + 1)
}
