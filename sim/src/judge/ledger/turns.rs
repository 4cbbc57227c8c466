//! In which turn a worker's functions are served.

use super::{Function, Functions, Ledger, MOST_FUNCTIONS, only};
use crate::history::{Connection, Place};
use gearman_engine::Compat;
use std::collections::VecDeque;

/// The functions of one worker in the order in which they are served.
///
/// A grab's answer says which function was served, so what was asked behind the grab is not counted before that.
#[derive(Debug, Default)]
pub(super) struct Turns {
    /// As the server had them when it looked at the last grab that has brought a job.
    order: Vec<Function>,
    /// Functions of which it is not known when their turn is.
    adrift: Functions,
    /// What the worker has asked for since, and where.
    changes: VecDeque<(Place, Change)>,
}

#[derive(Clone, Copy, Debug)]
enum Change {
    /// CAN_DO: the newest goes first, and one that is known keeps its place.
    Registers(Function),
    /// CANT_DO, or RESET_ABILITIES of all.
    GivesUp(Option<Function>),
}

impl Turns {
    pub(super) fn registers(&mut self, function: Function, place: Place) {
        if usize::from(function) < MOST_FUNCTIONS {
            self.changes.push_back((place, Change::Registers(function)));
        }
    }

    pub(super) fn gives_up(&mut self, function: Option<Function>, place: Place) {
        self.changes.push_back((place, Change::GivesUp(function)));
    }

    /// A job of this function was the answer to this grab: the functions that came before it.
    fn serves(&mut self, function: Function, grab: Place, goes_last: bool) -> Functions {
        self.catch_up(grab);
        let turn = self.order.iter().position(|&known| known == function);
        if goes_last && self.adrift & only(function) != 0 {
            self.adrift &= !only(function);
            self.order.push(function);
        }
        let Some(turn) = turn else { return 0 };
        let ahead = set(&self.order[..turn]);
        if goes_last {
            self.order[turn..].rotate_left(1);
        }
        ahead
    }

    /// Something was the answer to this grab that no turn can have brought.
    fn loses_count(&mut self, grab: Place) {
        self.catch_up(grab);
        self.adrift |= set(&std::mem::take(&mut self.order));
    }

    /// Does what was asked before this grab.
    fn catch_up(&mut self, grab: Place) {
        while let Some((_, change)) = self.changes.pop_front_if(|(place, _)| *place < grab) {
            match change {
                Change::Registers(function)
                    if self.adrift & only(function) != 0 || self.order.contains(&function) => {}
                Change::Registers(function) => self.order.insert(0, function),
                Change::GivesUp(Some(function)) => {
                    self.adrift &= !only(function);
                    self.order.retain(|&known| known != function);
                }
                Change::GivesUp(None) => (self.adrift, self.order) = (0, Vec::new()),
            }
        }
    }
}

fn set(functions: &[Function]) -> Functions {
    functions.iter().fold(0, |all, &function| all | only(function))
}

impl Ledger {
    /// A job of this function was the answer to this grab: the worker's functions whose turn came before. Nothing is
    /// known of turns where a job was given out that was not there to be given.
    pub(super) fn ahead_of(
        &mut self,
        worker: Connection,
        function: Function,
        grab: Place,
        was_there: bool,
    ) -> Functions {
        let goes_last = self.terms.compat != (Compat::Version1_1 { round_robin: false });
        let Some(link) = self.link_mut(worker).filter(|link| !link.is_confused) else { return 0 };
        if was_there {
            return link.turns.serves(function, grab, goes_last);
        }
        link.turns.loses_count(grab);
        0
    }
}
