//! The program that ships, with all its threads: the plan's peers in this process, against `gearmand` processes over
//! the machine's own sockets, in real time.
//!
//! The peers live on the hosts of [`super::turmoil`], whose steps keep step with the machine's clock, and so does the
//! layer that makes networks go wrong. On a server's host there is no server but a relay, which carries bytes to a
//! process and back. Processes are killed with SIGKILL and stand still by SIGSTOP.
//!
//! What happens depends on the machine, so a plan does not do the same twice here. The judge's slack is how late the
//! steps of this run were, so that nobody is accused because a machine is busy.

mod canary;
mod descriptors;
mod pace;
mod patience;
mod process;
mod relay;
mod server;
mod town;

use super::storm::Storm;
use super::{Run, Settled, Stuck, Watcher};
use crate::faults::FaultClass;
use crate::faults::schedule::When;
use crate::history::ServerId;
use crate::journal::Told;
use crate::judge::Terms;
use crate::lives::Stretch;
use crate::plan::Plan;
use crate::trial::Stage;
use pace::Pace;
pub(crate) use process::end_all;
use server::Server;
use std::cell::RefCell;
use std::path::Path;
use std::rc::Rc;
use std::sync::atomic::{AtomicBool, Ordering};
use town::Town;

/// Whether the runs of this process are to be given up.
static GIVEN_UP: AtomicBool = AtomicBool::new(false);

/// Gives up all runs: somebody has pressed Ctrl-C, and does not want to wait for seconds.
pub(crate) fn give_up() {
    GIVEN_UP.store(true, Ordering::Relaxed);
}

/// What came of a plan, and on which terms the servers are to be judged for it.
pub(crate) struct Real {
    pub(crate) run: Run,
    pub(crate) terms: Terms,
    /// Why it has not come to its end, if it has not: then nobody can be judged for it.
    pub(crate) cut: Option<Cut>,
}

/// Why a run has not come to its end.
#[derive(Debug)]
pub(crate) enum Cut {
    /// A server's process has ended by itself; how, and its last words.
    Died(String),
    /// The machine does not let it be run; why.
    Refused(String),
}

/// What the machine has refused first.
#[derive(Clone, Default)]
struct Refusal(Rc<RefCell<Option<String>>>);

impl Refusal {
    fn note(&self, why: String) {
        self.0.borrow_mut().get_or_insert(why);
    }
}

/// Runs a plan, to its end if nothing is in the way.
///
/// # Errors
/// The machine does not let it be begun: one line that says why.
pub(crate) fn run(plan: &Plan, gearmand: &Path, watcher: Watcher) -> Result<Real, String> {
    let mut plan = adapted(plan.clone());
    let refusal = Refusal::default();
    let mut servers = (0..plan.workload.servers)
        .map(|id| Server::new(&plan, ServerId::new(id), gearmand, &refusal))
        .collect::<Result<Vec<Server>, String>>()?;
    for server in &mut servers {
        server.start()?;
        server.wait()?;
    }
    let pace = Pace::new(plan.world.tick());
    plan.world.epoch_ms = pace.wall().get();
    let mut town = Town::new(&plan, servers, (pace, refusal), watcher);
    let mut storm = Storm::new(&plan, town.house.cables.clone());
    let (settled, stuck, cut) = match play(&mut town, &mut storm) {
        Ok(settled) => (Some(settled), None, None),
        Err(Restless::Stuck(stuck)) => (None, Some(stuck), None),
        Err(Restless::Cut(cut)) => (None, None, Some(cut)),
    };
    let (lasted, slack) = (town.house.now(), plan.slack() + town.pace.slack());
    let Told { history, tally, census, mut lives } = town.house.cables.lock().journal().take();
    if settled.is_some() {
        lives.settle_all();
    }
    let ends = lives.ends().clone();
    let faults = storm.into_happened();
    let run = Run { history, tally, census, faults, ends, lasted, settled, stuck, held: None };
    // That a process was sent a signal is seen, and not when it heard.
    let terms = Terms { hears_at_once: false, ..Terms::of(&plan, slack) };
    Ok(Real { run, terms, cut })
}

/// Why a run does not come to rest.
enum Restless {
    /// Somebody waits for ever.
    Stuck(Stuck),
    /// It could not be gone on with.
    Cut(Cut),
}

impl From<Cut> for Restless {
    fn from(cut: Cut) -> Self {
        Self::Cut(cut)
    }
}

/// The storm and what comes after it; says how soon all is at rest.
fn play(town: &mut Town<'_>, storm: &mut Storm<'_>) -> Result<Settled, Restless> {
    while storm.rages(town.house.now(), town) {
        town.step()?;
    }
    town.house.storm_over();
    town.settle(town.house.now())
}

/// Why a class of faults cannot happen here, if it cannot.
pub(crate) const fn reason_against(class: FaultClass) -> Option<&'static str> {
    if class.is_of_a_store() {
        return Some("gearmand keeps no jobs in a store yet");
    }
    if matches!(class, FaultClass::ServerPowerLoss) {
        return Some("the kernel of this machine lives on, and tells for a process that it is gone");
    }
    if matches!(class, FaultClass::ClockStep) {
        return Some("the wall clock is the whole machine's");
    }
    None
}

/// The plan without what cannot be here. What waits for a store to be asked waits for a job to wait instead, which is
/// when a store would have been asked.
fn adapted(mut plan: Plan) -> Plan {
    plan.server.store = false;
    plan.world.per_mille.retain(|&class, _| Stage::Loopback.has(class));
    plan.faults.retain(|fault| Stage::Loopback.has(fault.deed.class()));
    for fault in &mut plan.faults {
        if let When::Storing { nth } = fault.when {
            fault.when = When::Reached { stretch: Stretch::Waiting, nth };
        }
    }
    plan
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::faults::schedule::{Deed, Fault};
    use crate::plan::Mix;

    #[test]
    fn an_adapted_plan_has_nothing_that_cannot_be_here() {
        for seed in 0..40 {
            let plan = adapted(Plan::draw(seed, &Mix::everything()));
            assert!(!plan.server.store);
            let once = plan.faults.iter().map(|fault| fault.deed.class());
            for class in once.chain(plan.world.per_mille.keys().copied()) {
                assert_eq!(reason_against(class), None, "{class}");
            }
            let waits_for_a_store = |fault: &Fault| matches!(fault.when, When::Storing { .. });
            assert!(!plan.faults.iter().any(waits_for_a_store));
        }
    }

    #[test]
    fn a_crash_while_the_store_is_asked_happens_when_a_job_waits() {
        let mut plan = Plan::draw(0, &Mix::of([]));
        let deed = Deed::ServerCrash { server: 0, down_ms: 50 };
        plan.faults = vec![Fault { when: When::Storing { nth: 7 }, deed: deed.clone() }];
        let when = When::Reached { stretch: Stretch::Waiting, nth: 7 };
        assert_eq!(adapted(plan).faults, [Fault { when, deed }]);
    }
}
