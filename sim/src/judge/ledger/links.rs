//! One connection as the ledger knows it.

use super::asked::{Asked, Question};
use super::turns::Turns;
use super::{Function, Functions, JobId, Moment, SubmitId, only};
use crate::history::Place;
use gearman_protocol::Handle;
use std::collections::VecDeque;
use std::time::Duration;

/// A connection of the server's present life.
#[derive(Debug)]
pub(crate) struct Link {
    /// What was asked and has no answer yet, in order; requests that get none stand here until a later answer
    /// proves that they are done.
    pub(crate) asked: VecDeque<Asked>,
    /// Since when the peer has closed it, at least its sending side.
    pub(crate) peer_over: Option<Place>,
    /// Whether the peer will read nothing more.
    pub(crate) is_gone: bool,
    /// Since when the server knows that it is over.
    pub(crate) server_over: Option<Place>,
    pub(crate) abilities: Abilities,
    pub(super) turns: Turns,
    pub(crate) sleep: Sleep,
    /// Since when the peer has asked for exceptions, and since when it knows that it gets them.
    pub(crate) exceptions_asked: Option<Place>,
    pub(crate) exceptions_sure: Option<Place>,
    /// How many reports that have been given up as undecided may still get an ERROR.
    pub(super) loose_errors: usize,
    /// Whether a table of the text protocol has begun and not ended.
    pub(super) in_table: bool,
    /// Whether the peer has written bytes after which nothing can be understood.
    pub(crate) is_garbled: bool,
    /// Whether an answer came that answers nothing: what is said here afterwards proves nothing.
    pub(crate) is_confused: bool,
    /// The jobs it holds, for all that is known, and the grabs that have brought them.
    pub(super) holds: Vec<(JobId, Place)>,
    /// Its reports that were written after a grab that has no answer: of which handle, and where.
    pub(super) unsettled: Vec<(Handle, Place)>,
    /// The jobs it watches.
    pub(super) watches: Vec<JobId>,
    /// Ends that it must hear before the next answer that proves that they were told.
    pub(super) dues: Vec<Due>,
}

/// A terminal packet that must have been sent by some place.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Due {
    pub(crate) job: JobId,
    pub(crate) since: Place,
    /// Whether it is due because the job was lost too often, rather than because it is known to have ended.
    pub(crate) dropped: bool,
}

/// What a connection can do, as its own requests say, in their order.
#[derive(Debug, Default)]
pub(crate) struct Abilities {
    pub(crate) mask: Functions,
    limits: Vec<(Function, Limit, Place)>,
}

/// The time limit of a job, as far as it is known.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Limit {
    /// There is none.
    None,
    /// This one.
    After(Duration),
    /// It was changed while the job was under way.
    Unclear,
}

impl Abilities {
    pub(super) fn add(&mut self, function: Function, limit: Limit, place: Place) {
        self.mask |= only(function);
        match self.limits.iter_mut().find(|(known, ..)| *known == function) {
            // Saying the same again changes nothing.
            Some((_, known, _)) if *known == limit => {}
            Some(known) => *known = (function, limit, place),
            None => self.limits.push((function, limit, place)),
        }
    }

    pub(super) const fn remove(&mut self, function: Function) {
        self.mask &= !only(function);
    }

    pub(super) const fn clear(&mut self) {
        self.mask = 0;
    }

    /// The limit of a job that was asked for at this place.
    pub(super) fn limit(&self, function: Function, asked: Place) -> Limit {
        match self.limits.iter().find(|(known, ..)| *known == function) {
            Some((_, limit, since)) if *since < asked => *limit,
            Some(_) => Limit::Unclear,
            None => Limit::None,
        }
    }
}

/// A worker's sleep, as its own requests and the NOOPs it has read say.
#[derive(Clone, Copy, Debug, Default)]
pub(crate) struct Sleep {
    /// Since when it has asked to sleep, if it has not asked for a job since.
    pub(crate) since: Option<Place>,
    /// Whether a NOOP has come since.
    pub(crate) is_woken: bool,
    /// How often it has asked to sleep, and how many NOOPs have come, since it connected.
    pub(crate) sleeps: u32,
    pub(crate) noops: u32,
}

impl Link {
    pub(super) fn new() -> Self {
        Self {
            asked: VecDeque::new(),
            peer_over: None,
            is_gone: false,
            server_over: None,
            abilities: Abilities::default(),
            turns: Turns::default(),
            sleep: Sleep::default(),
            exceptions_asked: None,
            exceptions_sure: None,
            loose_errors: 0,
            in_table: false,
            is_garbled: false,
            is_confused: false,
            holds: Vec::new(),
            unsettled: Vec::new(),
            watches: Vec::new(),
            dues: Vec::new(),
        }
    }

    /// Whether the server may know that it is over.
    pub(crate) const fn may_be_over(&self) -> bool {
        self.peer_over.is_some() || self.server_over.is_some() || self.is_garbled
    }

    /// Since when it sleeps and has not been woken, if it does and can do this.
    pub(crate) fn sleeps(&self, function: Function) -> Option<Place> {
        let is_able = self.abilities.mask & only(function) != 0
            && !self.asked.iter().any(|asked| asked.question.must_be_answered());
        self.sleep
            .since
            .filter(|_| is_able && !self.sleep.is_woken && !self.may_be_over() && !self.is_confused)
    }

    /// For which functions it has asked and has no answer.
    pub(super) fn asking(&self) -> Functions {
        let able = |asked: &Asked| if let Question::Grab { able, .. } = asked.question { able } else { 0 };
        self.asked.iter().fold(0, |all, asked| all | able(asked))
    }

    /// The submits that have no answer.
    pub(super) fn unanswered(&self) -> impl Iterator<Item = SubmitId> {
        let submit =
            |asked: &Asked| if let Question::Submit(submit) = asked.question { Some(submit) } else { None };
        self.asked.iter().filter_map(submit)
    }

    /// Whether it has given up the function by a request that was written after this place and may be done.
    pub(super) fn gives_up_after(&self, function: Function, place: Place) -> Option<Place> {
        let mut later = self.asked.iter().filter(|asked| asked.wrote.place > place);
        let found = later.find(|asked| {
            matches!(asked.question, Question::GiveUp { function: given } if given.is_none_or(|given| given == function))
        });
        found.map(|asked| asked.wrote.place)
    }

    /// Writes a request down.
    pub(super) fn ask(&mut self, wrote: Moment, question: Question) {
        let asleep = self.sleep.since.map(|_| self.abilities.mask);
        self.asked.push_back(Asked { wrote, question, asleep });
    }
}
