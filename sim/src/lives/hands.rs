//! What a worker is able to do, and what it works at, as it says itself: on one connection.

use bytes::Bytes;
use gearman_protocol::FunctionName;
use std::collections::BTreeSet;

#[derive(Debug, Default)]
pub(super) struct Hands {
    able: BTreeSet<FunctionName>,
    /// The jobs that it was given and has neither ended nor given up, the latest last.
    held: Vec<(Bytes, FunctionName)>,
}

impl Hands {
    /// For how many functions it has said that it works.
    pub(super) fn functions(&self) -> usize {
        self.able.len()
    }

    /// Whether it works at the job beside one that it was given later.
    pub(super) fn have_beside(&self, handle: &[u8]) -> bool {
        self.held.split_last().is_some_and(|(_, earlier)| earlier.iter().any(|(held, _)| held == handle))
    }

    pub(super) fn can(&mut self, function: &FunctionName) {
        self.able.insert(function.clone());
    }

    /// The server takes back what it has of this function.
    pub(super) fn cannot(&mut self, function: &FunctionName) {
        self.able.remove(function);
        self.held.retain(|(_, held)| held != function);
    }

    pub(super) fn take(&mut self, handle: &Bytes, function: &FunctionName) {
        self.let_go(handle);
        self.held.push((handle.clone(), function.clone()));
    }

    pub(super) fn let_go(&mut self, handle: &[u8]) {
        self.held.retain(|(held, _)| held != handle);
    }
}
