//! Many seeds, on several threads.

mod failed;
mod floors;
mod grid;
mod reach;
mod results;
mod seeds;
mod summary;

pub use failed::{Failed, Kind};
pub use floors::{Demands, shortfalls};
pub use grid::Grid;
pub use results::{Identity, Part, Results, ResultsError};
pub use seeds::{Seeds, SeedsError, Shard, ShardError};
pub use summary::Summary;

use crate::census::Census;
use crate::chance;
use crate::faults::tally::Tally;
use crate::history::What;
use crate::lives::End;
use crate::plan::{Mix, Plan};
use crate::stage::Settled;
use crate::trial::{Conditions, Failure, Outcome, Stage, hold};
use crate::workload::ActorKind;
use gearman_protocol::Time;
use std::collections::BTreeMap;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::sync::mpsc;
use std::{fs, thread};

/// Which seeds, and how they are run.
#[derive(Clone, Debug)]
pub struct Campaign {
    /// Which.
    pub seeds: Seeds,
    /// Which classes of faults their plans may have.
    pub mix: Mix,
    /// How they are run and judged.
    pub conditions: Conditions,
    /// How many run at a time.
    pub threads: usize,
}

/// What came of one seed.
#[derive(Debug)]
pub struct Report {
    /// Which.
    pub seed: u64,
    /// The digest of its history; 0 if it panicked.
    pub digest: u64,
    /// How rich it was.
    pub figures: Figures,
    /// Its plan and all that is known, if it is not clean.
    pub failed: Option<Box<(Plan, Outcome)>>,
}

impl Report {
    /// Whether the machine did not let it be run to its end.
    #[must_use]
    pub fn was_not_run(&self) -> bool {
        self.failed.as_ref().is_some_and(|failed| matches!(failed.1.failure, Some(Failure::NotRun(_))))
    }
}

/// How rich a seed was.
#[derive(Clone, Debug, Default)]
pub struct Figures {
    /// Hosts, the server's included.
    pub hosts: usize,
    /// Messages that peers wrote or read.
    pub packets: u64,
    /// Messages that peers wrote.
    pub requests: u64,
    /// Those of them that no client library wrote.
    pub raw_requests: u64,
    /// Simulated time.
    pub lasted: Time,
    /// How soon after its storm it came to rest, if that was in simulated time.
    pub settled: Option<Settled>,
    /// Jobs that ended, by how.
    pub ends: BTreeMap<End, u64>,
    /// What faults touched.
    pub tally: Tally,
    /// What peers did.
    pub census: Census,
    /// For each rule whether it could decide at least once.
    pub armed: Vec<bool>,
}

impl Campaign {
    /// Runs all seeds, or those before `stop` is set, and tells each as it is done, in no particular order.
    ///
    /// # Panics
    /// If the system gives no threads.
    pub fn run(&self, stop: &AtomicBool, mut each: impl FnMut(Report)) {
        let next = AtomicU64::new(0);
        let (reports, done) = mpsc::channel();
        thread::scope(|scope| {
            for _ in 0..self.threads {
                let (reports, next) = (reports.clone(), &next);
                scope.spawn(move || {
                    while !stop.load(Ordering::Relaxed) {
                        let Some(seed) = self.seeds.nth(next.fetch_add(1, Ordering::Relaxed)) else { return };
                        if reports.send(self.one(seed)).is_err() {
                            return;
                        }
                    }
                });
            }
            drop(reports);
            done.into_iter().for_each(&mut each);
        });
    }

    /// What this program makes of seed 0 under the campaign's conditions: another program makes something else of it.
    /// Where a plan does not do the same each time, it is what it makes of it under turmoil, and the program file that
    /// is judged.
    #[must_use]
    pub fn fingerprint(&self) -> u64 {
        if self.conditions.stage.is_deterministic() {
            return self.one(0).digest;
        }
        // Of a program that cannot be read there are no results either.
        let program = self.conditions.program().ok().and_then(|path| fs::read(path).ok()).unwrap_or_default();
        let conditions = Conditions { stage: Stage::Turmoil, gearmand: None, ..self.conditions.clone() };
        Self { conditions, ..self.clone() }.one(0).digest ^ chance::hash(&program)
    }

    fn one(&self, seed: u64) -> Report {
        let plan = Plan::draw(seed, &self.mix);
        let outcome = hold(&plan, &self.conditions, Box::new(|_| {}));
        let figures = figures(&plan, &outcome);
        let digest = outcome.run.as_ref().map_or(0, |run| run.history.digest());
        let failed = outcome.failure.is_some().then(|| Box::new((plan, outcome)));
        Report { seed, digest, figures, failed }
    }
}

fn figures(plan: &Plan, outcome: &Outcome) -> Figures {
    let hosts = plan.hosts.len() + 1;
    let Some(run) = &outcome.run else { return Figures { hosts, ..Figures::default() } };
    let mut written = Written::default();
    run.history.entries().iter().for_each(|entry| written.see(plan, &entry.what));
    let counts = outcome.verdict.iter().flat_map(|verdict| &verdict.counts);
    Figures {
        hosts,
        requests: written.requests,
        raw_requests: written.raw_requests,
        packets: run.history.entries().iter().filter(|entry| entry.what.is_message()).count() as u64,
        lasted: run.lasted,
        settled: run.settled,
        ends: run.ends.clone(),
        tally: run.tally.clone(),
        census: run.census.clone(),
        armed: counts.map(|count| count.armed > 0).collect(),
    }
}

/// Who wrote how much.
#[derive(Default)]
struct Written {
    /// For each connection whether a client library has it.
    by_library: Vec<bool>,
    requests: u64,
    raw_requests: u64,
}

impl Written {
    fn see(&mut self, plan: &Plan, what: &What) {
        match what {
            What::Connected { actor, .. } => {
                self.by_library.push(plan.workload.actors[actor.index()].kind == ActorKind::Library);
            }
            What::Wrote { connection, .. } | What::WroteMalformed { connection, .. } => {
                self.requests += 1;
                self.raw_requests += u64::from(!self.by_library[connection.index()]);
            }
            What::Read { .. }
            | What::ReadMalformed { .. }
            | What::Closed { .. }
            | What::Ended { .. }
            | What::ServerUp(_)
            | What::ServerDrains(_)
            | What::ServerEnds(_)
            | What::ServerDown(_)
            | What::StormOver
            | What::AtRest => {}
        }
    }
}
