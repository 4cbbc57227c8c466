//! Is this history one that a correct job server can have produced?
//!
//! A judge reads a history entry by entry, or after the run.
//! Its ledger reconstructs what must be true of the server; each rule compares what came with what had to come.
//! It knows nothing but what the peers saw and the terms on which the server ran, and where the order of two things
//! is open it accepts every order that fits.
//! So a correct server is never accused, and a rule that cannot decide stays silent; how often it could decide is
//! counted, because a rule that never could has proved nothing.

mod facts;
mod ledger;
mod rounds;
mod rules;
#[cfg(test)]
mod script;
mod story;

pub use rules::{RuleInfo, rules};
pub use story::story;

use crate::faults::FaultClass;
use crate::history::{Connection, Entry, Place, What};
use crate::plan::{Plan, Wall};
use crate::store::SLOWEST;
use crate::workload::DRAINS_FOR;
use facts::Fact;
use gearman_engine::Compat;
use gearman_protocol::{Handle, Time};
use ledger::{JobId, Ledger};
use rounds::Rounds;
use rules::Rules;
use std::time::Duration;

/// The terms on which a server is judged: what its configuration promises, and how exact clocks are.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Terms {
    /// At which loss of its worker a job is dropped; `None` is never, 0 is as 1 or, if the server follows gearmand 1.1, as
    /// `None`.
    pub job_retries: Option<u8>,
    /// Which gearmand's scheduling the server follows.
    pub compat: Compat,
    /// How many sleepers a runnable job wakes; `None` is all.
    pub worker_wakeup: Option<u32>,
    /// Shorter job timeouts are raised to this.
    pub min_job_timeout: Duration,
    /// Whether every connection gets WORK_EXCEPTION without asking.
    pub exceptions: bool,
    /// How far apart two hosts' clocks, and a deadline and what is done about it, may be.
    pub slack: Duration,
    /// Whether the server keeps background jobs in a store, and of what kind that is.
    pub store: Option<StoreTerms>,
    /// Whether the rules may take it as given that no time limit ends early.
    /// A promise that no rule holds the server to is none that others may build on.
    pub keeps_limits: bool,
    /// The server's wall clock.
    pub wall: Wall,
    /// For how long a server that was told to end waits for the work that it has.
    pub drains_for: Duration,
    /// Whether the history says when it was told, and not only when somebody began to tell it.
    pub hears_at_once: bool,
}

/// What a server's store promises.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct StoreTerms {
    /// Whether it may fail to keep a record.
    pub fails: bool,
    /// After so long what it was told to forget is forgotten for certain, whatever happens.
    pub forgets_within: Duration,
}

impl Terms {
    /// The terms of the server of this plan, on a stage whose clocks are so exact.
    #[must_use]
    pub fn of(plan: &Plan, slack: Duration) -> Self {
        let knobs = &plan.server;
        let fails = plan.world.per_mille.contains_key(&FaultClass::StoreFail);
        Self {
            job_retries: knobs.job_retries,
            compat: knobs.scheduling.compat(),
            worker_wakeup: knobs.worker_wakeup,
            min_job_timeout: Duration::from_millis(knobs.min_job_timeout_ms.into()),
            exceptions: knobs.exceptions,
            slack,
            store: knobs.store.then_some(StoreTerms { fails, forgets_within: SLOWEST }),
            keeps_limits: true,
            wall: Wall::of(plan),
            drains_for: DRAINS_FOR,
            hears_at_once: true,
        }
    }

    /// How often a job may be assigned at most.
    fn attempts(&self) -> Option<usize> {
        // To gearmand 1.1 a limit of 0 is none.
        let is_none = self.job_retries == Some(0) && self.compat != Compat::Version2;
        self.job_retries.filter(|_| !is_none).map(|limit| usize::from(limit.max(1)))
    }
}

/// One thing that no correct server does.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Accusation {
    /// The name of the rule that was broken.
    pub rule: &'static str,
    /// The entry at which it showed.
    pub place: Place,
    /// The time there.
    pub at: Time,
    /// The job that it is about, if it is about one.
    pub handle: Option<Handle>,
    /// The connection at which it showed, if it showed at one.
    pub connection: Option<Connection>,
    /// What happened, in one sentence.
    pub what: String,
}

/// What one rule has done in one run.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Count {
    /// How often it could decide.
    pub armed: u64,
    /// How often it accused.
    pub fired: u64,
}

/// What a judge found.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Verdict {
    /// What no correct server does, in the order in which it showed; at most [`MOST_ACCUSATIONS`].
    pub accusations: Vec<Accusation>,
    /// What each rule has done, in the order of [`rules`].
    pub counts: Vec<Count>,
    /// The jobs that nobody will ever be given though all is at rest, a line each: which waits for whom.
    pub left: Vec<String>,
    /// How many jobs were met.
    pub jobs: u64,
    /// How many of them are known to have ended.
    pub ended: u64,
}

/// After so many accusations the rest is only counted: a server that is wrong once is often wrong at every turn.
pub const MOST_ACCUSATIONS: usize = 64;

/// Where rules put what they find.
#[derive(Debug)]
struct Bench {
    counts: Vec<Count>,
    on: Vec<bool>,
    accusations: Vec<Accusation>,
    current: usize,
    place: Place,
    at: Time,
}

impl Bench {
    /// The current rule could decide.
    fn armed(&mut self) {
        self.counts[self.current].armed += 1;
    }

    /// The current rule was broken.
    fn accuse(&mut self, about: About, what: String) {
        if !self.on[self.current] {
            return;
        }
        self.counts[self.current].fired += 1;
        if self.accusations.len() < MOST_ACCUSATIONS {
            let About { handle, connection } = about;
            let rule = rules()[self.current].name;
            self.accusations.push(Accusation {
                rule,
                place: self.place,
                at: self.at,
                handle,
                connection,
                what,
            });
        }
    }
}

/// Whom and what an accusation is about.
#[derive(Clone, Debug, Default)]
struct About {
    handle: Option<Handle>,
    connection: Option<Connection>,
}

impl About {
    fn job(ledger: &Ledger, job: JobId) -> Self {
        Self { handle: Some(ledger[job].handle.clone()), connection: None }
    }

    fn connection(connection: Connection) -> Self {
        Self { handle: None, connection: Some(connection) }
    }

    fn at(self, connection: Connection) -> Self {
        Self { connection: Some(connection), ..self }
    }
}

/// Reads one history.
///
/// A server promises nothing about what was said to another, so each has a ledger and rules of its own; what only
/// several can be wrong about is told to the rules as facts.
#[derive(Debug)]
pub struct Judge {
    terms: Terms,
    courts: Vec<Court>,
    rounds: Rounds,
    bench: Bench,
    facts: Vec<Fact<'static>>,
    left: Vec<String>,
    /// Jobs of earlier lives of the servers.
    jobs: u64,
    ended: u64,
}

/// What is judged of one server.
#[derive(Debug)]
struct Court {
    ledger: Ledger,
    rules: Rules,
}

impl Judge {
    /// A judge with all rules.
    #[must_use]
    pub fn new(terms: Terms) -> Self {
        Self::with(terms, |_| true)
    }

    /// A judge with the rules of which `on` says so, by name.
    pub fn with(terms: Terms, on: impl Fn(&str) -> bool) -> Self {
        let keeps_limits = terms.keeps_limits && on(rules::PROMISES_LIMITS);
        let terms = Terms { keeps_limits, ..terms };
        let bench = Bench {
            counts: vec![Count::default(); rules().len()],
            on: rules().iter().map(|rule| on(rule.name)).collect(),
            accusations: Vec::new(),
            current: 0,
            place: 0,
            at: Time::ZERO,
        };
        Self {
            terms,
            courts: Vec::new(),
            rounds: Rounds::default(),
            bench,
            facts: Vec::new(),
            left: Vec::new(),
            jobs: 0,
            ended: 0,
        }
    }

    /// Takes the next entry.
    pub fn observe(&mut self, entry: &Entry) {
        let server = self.rounds.server(entry).index();
        while self.courts.len() <= server {
            self.courts.push(Court { ledger: Ledger::new(self.terms.clone()), rules: Rules::default() });
        }
        if matches!(entry.what, What::ServerDown(_)) {
            self.count_jobs(server);
        }
        (self.bench.place, self.bench.at) = (entry.place, entry.at);
        let mut facts = std::mem::take(&mut self.facts);
        if self.courts.len() > 1 {
            self.rounds.observe(entry, &mut facts);
        }
        let concerned = if entry.what == What::AtRest { 0..self.courts.len() } else { server..server + 1 };
        for Court { ledger, rules } in &mut self.courts[concerned] {
            ledger.observe(entry, &mut facts);
            for fact in facts.drain(..) {
                rules.see(&fact, ledger, &mut self.bench);
            }
            if entry.what == What::AtRest {
                self.left.extend(ledger.left_waiting().map(|(job, wait)| ledger.waits_for_whom(job, wait)));
            }
        }
        // Collected in place: the list keeps its memory and forgets what it borrowed.
        facts.clear();
        self.facts = facts.into_iter().map(|_| unreachable!("the list is empty")).collect();
    }

    /// Nothing more comes: the verdict.
    #[must_use]
    pub fn finish(mut self) -> Verdict {
        for server in 0..self.courts.len() {
            let Court { ledger, rules } = &mut self.courts[server];
            rules.see(&Fact::Finished, ledger, &mut self.bench);
            self.count_jobs(server);
        }
        let Bench { accusations, counts, .. } = self.bench;
        Verdict { accusations, counts, left: self.left, jobs: self.jobs, ended: self.ended }
    }

    fn count_jobs(&mut self, server: usize) {
        let jobs = &self.courts[server].ledger.jobs;
        self.jobs += jobs.len() as u64;
        self.ended += jobs.iter().filter(|job| job.over.is_some()).count() as u64;
    }
}
