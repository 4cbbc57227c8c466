//! The ledger: what must be, may be and cannot be true of the server, reconstructed from what its peers saw.
//!
//! It knows three kinds of truth.
//! *Certain*: every server that could have produced this history was in that state.
//! *Possible*: some could.
//! *Open*: the answer was lost, so nobody will ever know.
//! Order is interval order: what stands in the history where it was read was done by then, and what stands where it
//! was written was not done before; requests of one connection are done in the order in which they were written.
//! The ledger accuses nobody: it turns entries into [`Fact`]s, and the rules judge.

mod answered;
mod asked;
mod attempts;
mod calendar;
mod handed;
mod jobs;
mod legacy;
mod links;
mod map;
mod queues;
mod reports;
mod turns;
mod watching;

pub(crate) use asked::{Asked, Question};
pub(crate) use attempts::Attempt;
pub(crate) use calendar::{Passes, Since, Wait, WaitKind};
pub(crate) use jobs::{Handed, Job, JobId, Start, SubmitId, Watch};
use legacy::{Content, Legacies, Offer, OldKey};
pub(crate) use links::{Limit, Link};
pub(crate) use map::Map;
pub(crate) use reports::{Fate, Said};

use super::Terms;
use super::facts::Fact;
use crate::history::{Closing, Connection, Entry, Place, What};
use attempts::Cause;
use gearman_protocol::{FunctionName, Handle, Time};
use jobs::{Key, KeyId, KeyState, Submitted};
use queues::LimitAsked;

/// A place in the history and the time there.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Moment {
    pub(crate) place: Place,
    pub(crate) at: Time,
}

/// Functions are numbered as they are met. A set of them is a bit mask, so there is room for this many; jobs of
/// any further function are not judged.
const MOST_FUNCTIONS: usize = 63;

/// A set of functions.
pub(crate) type Functions = u64;

/// One function's number.
pub(crate) type Function = u8;

/// The mask of one function.
pub(crate) const fn only(function: Function) -> Functions {
    1 << function
}

#[derive(Debug)]
pub(crate) struct Ledger {
    pub(crate) terms: Terms,
    /// Where the history stands.
    pub(crate) now: Moment,
    links: Vec<Option<Link>>,
    functions: Map<FunctionName, Function>,
    pub(crate) jobs: Vec<Job>,
    handles: Map<Handle, JobId>,
    /// Handles that somebody has asked to cancel, whether they were met or not.
    cancelled: Map<Handle, ()>,
    /// Reports on handles that no answer has told.
    unmet: Map<Handle, Vec<Said>>,
    submits: Vec<Submitted>,
    key_numbers: Map<Key, KeyId>,
    keys: Vec<KeyState>,
    /// Every `maxqueue`.
    queue_limits: Vec<LimitAsked>,
    /// Connections that have asked for a job and have no answer yet.
    askers: Vec<Connection>,
    /// For each function, until when a grab whose answer was lost may have taken a job of it and lost it again.
    detours: Vec<Detour>,
    /// For each function, the grabs that were answered with NO_JOB.
    empties: Vec<Passes>,
    /// Since when the server is up.
    up: Place,
    /// What was ever asked for, if there is a store.
    offers: Map<Content, Offer>,
    /// How often each key was used, over all lives.
    key_uses: Map<OldKey, u32>,
    /// The keys of background submits of earlier lives, whose jobs may have been kept.
    old_keys: Map<OldKey, ()>,
    /// What is left of the lives before.
    pub(crate) legacies: Legacies,
    /// Whether anybody has ever asked for a job at a time.
    knows_epochs: bool,
    /// Whether somebody has asked to cancel a job whose handle was not met.
    has_stray_cancels: bool,
    /// Whether answers came on some connection that answer nothing: jobs may have been done unseen.
    is_blind: bool,
    /// When the server was told to end: from then on it refuses whatever is submitted.
    pub(crate) told_to_end: Option<Moment>,
}

/// Grabs whose answers nobody will read.
#[derive(Clone, Copy, Debug, Default)]
struct Detour {
    /// Connections whose end the server has not been told of.
    open: u32,
    /// The last place at which such a job came back.
    until: Place,
}

impl Ledger {
    pub(crate) fn new(terms: Terms) -> Self {
        Self {
            terms,
            now: Moment { place: 0, at: Time::ZERO },
            links: Vec::new(),
            functions: Map::default(),
            jobs: Vec::new(),
            handles: Map::default(),
            cancelled: Map::default(),
            unmet: Map::default(),
            submits: Vec::new(),
            key_numbers: Map::default(),
            keys: Vec::new(),
            queue_limits: Vec::new(),
            askers: Vec::new(),
            detours: vec![Detour::default(); MOST_FUNCTIONS + 1],
            empties: vec![Passes::default(); MOST_FUNCTIONS + 1],
            up: 0,
            offers: Map::default(),
            key_uses: Map::default(),
            old_keys: Map::default(),
            legacies: Legacies::default(),
            knows_epochs: false,
            has_stray_cancels: false,
            is_blind: false,
            told_to_end: None,
        }
    }

    /// Takes an entry in and says what follows from it.
    pub(crate) fn observe<'a>(&mut self, entry: &'a Entry, facts: &mut Vec<Fact<'a>>) {
        self.now = Moment { place: entry.place, at: entry.at };
        match &entry.what {
            What::ServerUp(_) => self.up = entry.place,
            What::StormOver => {}
            What::AtRest => facts.push(Fact::Rested),
            What::ServerDrains(_) => {
                self.told_to_end.get_or_insert(self.now);
            }
            What::ServerEnds(_) => facts.push(Fact::Ends),
            What::ServerDown(_) => self.restart(facts),
            What::Connected { connection, .. } => {
                let index = connection.index();
                if self.links.len() <= index {
                    self.links.resize_with(index + 1, || None);
                }
                self.links[index] = Some(Link::new());
            }
            What::Wrote { connection, request } => self.wrote(*connection, request),
            What::WroteMalformed { connection, error, .. } => self.wrote_malformed(*connection, *error),
            What::Read { connection, response } => self.read(*connection, response, facts),
            What::ReadMalformed { connection, error } => {
                if self.link(*connection).is_some() {
                    facts.push(Fact::Unreadable { connection: *connection, error: *error });
                }
            }
            What::Closed { connection, how } => self.closed(*connection, *how, facts),
            What::Ended { connection } => self.ended(*connection),
        }
    }

    /// The server's process is gone, and so is everything it knew and has not given to a store.
    fn restart(&mut self, facts: &mut Vec<Fact<'_>>) {
        let links = std::mem::take(&mut self.links);
        for (handle, grab) in self.missing() {
            facts.push(Fact::Missing { handle, grab });
        }
        let mut next = Self { now: self.now, ..Self::new(self.terms.clone()) };
        if self.terms.store.is_some() {
            next.legacies = self.bequeath();
            next.old_keys = self.bequeath_keys();
            next.offers = std::mem::take(&mut self.offers);
            next.key_uses = std::mem::take(&mut self.key_uses);
            next.knows_epochs = self.knows_epochs;
        }
        *self = next;
        // What still comes out of the old connections is no news.
        self.links.resize_with(links.len(), || None);
        facts.push(Fact::Restarted);
    }

    pub(crate) fn link(&self, connection: Connection) -> Option<&Link> {
        self.links.get(connection.index())?.as_ref()
    }

    /// Whether it was submitted to a server that had been told to end, if that is known.
    pub(crate) fn should_be_refused(&self, submit: SubmitId) -> bool {
        let is_after = |told: Moment| self.submit(submit).wrote.place > told.place;
        self.terms.hears_at_once && self.told_to_end.is_some_and(is_after)
    }

    /// That a job waits in vain, in words.
    pub(crate) fn waits_for_whom(&self, id: JobId, wait: Wait) -> String {
        let Job { handle, function, .. } = &self[id];
        let known = self.functions.iter().find(|(_, number)| *number == function);
        let name = known.map_or_else(String::new, |(name, _)| format!(" ({name})"));
        let since = wait.since.place();
        let whom = match self.sleeper(*function) {
            Some(place) => format!("a worker, and one that can do it sleeps since #{place}"),
            None => "a worker".to_owned(),
        };
        format!("{handle}{name} has waited since #{since} for {whom}")
    }

    /// Since when somebody sleeps who is able to do this and has not been woken.
    pub(crate) fn sleeper(&self, function: Function) -> Option<Place> {
        self.links.iter().flatten().find_map(|link| link.sleeps(function))
    }

    fn link_mut(&mut self, connection: Connection) -> Option<&mut Link> {
        self.links.get_mut(connection.index())?.as_mut()
    }

    /// The number of a function, which is new if nobody has named it before.
    fn function(&mut self, name: &FunctionName) -> Function {
        let next = Function::try_from(self.functions.len().min(MOST_FUNCTIONS)).unwrap_or(Function::MAX);
        *self.functions.entry(name.clone()).or_insert(next)
    }

    pub(crate) fn submit(&self, id: SubmitId) -> &Submitted {
        &self.submits[id]
    }

    /// The peer's side of a connection is over, or half of it.
    fn closed(&mut self, connection: Connection, how: Closing, facts: &mut Vec<Fact<'_>>) {
        let place = self.now.place;
        let Some(link) = self.link_mut(connection) else { return };
        facts.push(Fact::Closed { connection, how });
        link.peer_over.get_or_insert(place);
        if how == Closing::HalfClosed || std::mem::replace(&mut link.is_gone, true) {
            return;
        }
        let asking = link.asking();
        let told = link.server_over.is_some();
        let lost: Vec<SubmitId> = link.unanswered().collect();
        lost.into_iter().for_each(|submit| self.submits[submit].is_lost = true);
        self.askers.retain(|&asker| asker != connection);
        if !told {
            for function in functions_of(asking) {
                self.detours[usize::from(function)].open += 1;
            }
        }
    }

    /// The server has been told of a connection's end, or has ended it: everything that was asked on it is done or
    /// will never be, and what its worker held is lost to it.
    fn ended(&mut self, connection: Connection) {
        let place = self.now.place;
        let Some(link) = self.link_mut(connection) else { return };
        if link.server_over.replace(place).is_some() {
            return;
        }
        let asking = link.asking();
        let (gone, confused) = (link.is_gone, link.is_confused);
        for (job, grab) in std::mem::take(&mut link.holds) {
            self.release_of(job, grab, Cause::Lost);
        }
        for function in functions_of(asking) {
            let detour = &mut self.detours[usize::from(function)];
            detour.until = place;
            if gone {
                detour.open -= 1;
            }
        }
        if confused {
            for detour in &mut self.detours {
                detour.until = place;
                detour.open -= 1;
            }
        }
    }
}

/// The numbers of the functions in a set.
pub(crate) fn functions_of(mut functions: Functions) -> impl Iterator<Item = Function> {
    std::iter::from_fn(move || {
        let number = functions.trailing_zeros();
        functions &= functions.wrapping_sub(1);
        Function::try_from(number).ok().filter(|&number| u32::from(number) < u64::BITS)
    })
}
