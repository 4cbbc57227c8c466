//! The whole system on one thread: the real server and the real client library on turmoil's hosts, over a network
//! with faults.

mod leaving;
mod pausable;

use super::house::{House, REST, byte_faults, servers};
use super::storm::{Storm, Victims};
use super::{MakeDoors, Options, Run, Settled, Stuck, held_for_ever};
use crate::actors::{Role, cast};
use crate::history::{Actor, ServerId};
use crate::journal::{Journal, Told};
use crate::network::{Cables, Home, SimNetwork, now};
use crate::plan::{Plan, Wall};
use crate::store::{Cheat, Crash, Disk, Shelf};
use crate::workload::DRAINS_FOR;
use gearman_net::Clock;
use gearman_protocol::{Time, UnixMillis};
use leaving::{Gate, Leaving};
use pausable::Pausable;
use std::rc::Rc;
use std::sync::Arc;
use std::time::Duration;

/// The longest that a server can take to end when it waits for no job: peers have two seconds for what is written, and
/// it may stand still meanwhile.
const GOES_WITHIN: Duration = Duration::from_millis(2800);

/// Runs a plan to its end.
#[must_use]
pub fn run(plan: &Plan, options: Options) -> Run {
    let Options { history, watcher, doors, cheat, submit_to_two } = options;
    let journal = Journal::new(history, plan.lives(), watcher);
    let cables = Cables::new(byte_faults(plan), servers(plan), journal);
    let roles = cast(plan, submit_to_two);
    let mut town = Town::new(plan, &cables, roles, (&doors, cheat));
    let mut storm = Storm::new(plan, cables.clone());
    while storm.rages(town.house.now(), &mut town) {
        town.house.step();
    }
    town.house.storm_over();
    let settled = town.settle(town.house.now());
    let lasted = town.house.now();
    if settled.is_ok() {
        cables.lock().journal().at_rest(lasted);
    }
    let Told { history, tally, census, mut lives } = cables.lock().journal().take();
    if settled.is_ok() {
        lives.settle_all();
    }
    let ends = lives.ends().clone();
    let faults = storm.into_happened();
    let held = town.held().filter(|_| settled.is_ok());
    let (settled, stuck) = (settled.as_ref().ok().copied(), settled.err());
    Run { history, tally, census, faults, ends, lasted, settled, stuck, held }
}

/// The hosts, and the servers' stores.
struct Town<'a> {
    house: House<'a>,
    shelves: Vec<Shelf>,
    gates: Vec<Rc<Gate>>,
}

impl<'a> Town<'a> {
    fn new(
        plan: &'a Plan,
        cables: &Cables,
        roles: Vec<Role>,
        (doors, cheat): (&'a MakeDoors<'a>, Option<Cheat>),
    ) -> Self {
        let clock = SimClock(Arc::new(Wall::of(plan)));
        let (mut shelves, mut gates) = (Vec::new(), Vec::new());
        let house = House::new(plan, cables, roles, |sim, id, host| {
            let disk = Disk::new(plan.seed_of(id), plan.world.per_mille.clone(), cheat);
            let shelf = Shelf::new(disk, cables.clone(), host);
            let gate = Rc::new(Gate::default());
            let (shared, kept, clock) = (cables.clone(), shelf.clone(), clock.clone());
            let door = Rc::clone(&gate);
            sim.host(id.to_string(), move || {
                let inner = Pausable::new(doors(id), shared.clone(), host);
                let doors = Leaving { inner, id, cables: shared.clone() };
                serve(shared.clone(), (id, host), doors, clock.clone(), (kept.clone(), Rc::clone(&door)))
            });
            shelves.push(shelf);
            gates.push(gate);
        });
        Self { house, shelves, gates }
    }

    /// Waits until everybody is at rest, and the servers have heard the last of those who have left: a large
    /// message may arrive long after the storm. What is for later must have had its time. Says who is not at rest if
    /// that takes longer than it can.
    fn settle(&mut self, since: Time) -> Result<Settled, Stuck> {
        let (bound, rests_until) = (self.house.plan.settles_within(), self.house.plan.rests_until());
        let (mut rested, mut heard) = (self.house.now(), self.house.now());
        loop {
            self.house.step();
            let now = self.house.now();
            if self.house.restless().next().is_some() {
                rested = now;
            }
            if self.house.hears_of_visitors() {
                heard = now;
            }
            if now - rested.max(heard) >= REST && now >= rests_until {
                return Ok(Settled { within: rested - since, bound });
            }
            if now - since > bound + REST {
                let mut stuck = self.house.stuck(since);
                if heard == now {
                    stuck.who.push("a server has not learnt that somebody has left".to_owned());
                }
                return Err(stuck);
            }
        }
    }

    /// What a server holds for ever, when all is done.
    fn held(&self) -> Option<String> {
        let ids = (0..).map(ServerId::new);
        let far_jobs = self.house.plan.workload.far_jobs();
        ids.zip(&self.gates).find_map(|(id, gate)| held_for_ever(id, gate.vitals()?, far_jobs))
    }
}

impl Victims for Town<'_> {
    fn is_up(&self, host: usize) -> bool {
        self.house.is_up(host)
    }

    fn crash(&mut self, host: usize) {
        self.house.kill(host);
        self.house.cables.lock().died(host);
        if let Some(server) = self.house.server_at(host) {
            self.gates[server.index()].forget();
            self.shelves[server.index()].crash(Crash::Process);
        }
    }

    fn go_dark(&mut self, server: ServerId) {
        let host = self.house.plan.host_of(server);
        self.house.kill(host);
        self.house.cables.lock().went_dark(server);
        self.house.cables.lock().died(host);
        self.gates[server.index()].forget();
        self.shelves[server.index()].crash(Crash::Power);
    }

    fn drain(&mut self, server: ServerId) -> Duration {
        self.gates[server.index()].tell();
        DRAINS_FOR + GOES_WITHIN
    }

    fn has_ended(&self, server: ServerId) -> bool {
        self.gates[server.index()].is_empty()
    }

    fn stored(&self) -> u64 {
        self.shelves.iter().map(|shelf| shelf.disk().asked()).sum()
    }

    fn restart(&mut self, host: usize) {
        if let Some(server) = self.house.server_at(host) {
            self.house.cables.lock().has_power(server);
        }
        self.house.restart(host);
    }

    fn pause(&mut self, host: usize, until: Time) {
        self.house.cables.lock().pause(host, until);
    }

    fn resume(&mut self, host: usize, until: Time) {
        self.house.cables.lock().resume(host, until);
    }

    fn overrun(&mut self, actor: u32, takes_ms: u32) {
        self.house.role(actor).overrun(takes_ms);
    }

    fn hurry(&mut self, actor: u32, within_ms: u32) {
        self.house.role(actor).hurry(within_ms);
    }
}

async fn serve(
    cables: Cables,
    (id, host): (ServerId, usize),
    doors: Leaving<Pausable>,
    clock: SimClock,
    (shelf, gate): (Shelf, Rc<Gate>),
) -> turmoil::Result {
    // The server dials nobody.
    let network = SimNetwork::new(cables.clone(), Home { host, actor: Actor::new(u32::MAX) });
    let config = gearman_server::Config::at("0.0.0.0:4730");
    let kept = shelf.disk().read();
    let server = gearman_server::serve_with_store(&network, clock, doors, config, shelf, kept).await?;
    {
        let mut state = cables.lock();
        state.server_is_up(id);
        state.journal().server_up(now(), id);
    }
    gate.opened(server.clone());
    tokio::select! {
        biased;
        _ = server.finished() => match gate.left().await {},
        never = gate.pass_on(&server, (&cables, host)) => match never {},
    }
}

/// Simulated time.
#[derive(Clone)]
struct SimClock(Arc<Wall>);

impl Clock for SimClock {
    fn now(&self) -> Time {
        now()
    }

    fn wall(&self) -> UnixMillis {
        self.0.at(now())
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::faults::schedule::{Deed, Fault, When};
    use crate::history::{History, What};
    use crate::plan::Mix;
    use crate::stage::deaf::Deaf;
    use crate::stage::hoarder::Hoarder;
    use crate::workload::{ActorKind, ActorPlan, Op, PriorityPlan, Step, SubmitPlan, Then, UniquePlan};
    use gearman_engine::{Doors, Engine};
    use gearman_protocol::Request;

    type MakeOne = fn(Engine) -> Box<dyn Doors + Send>;

    /// Plays a quiet plan in which a server is told to end in the last moment of the storm.
    fn drained(doors: MakeOne) -> Run {
        let mut plan = Plan::draw(0, &Mix::of([]));
        plan.world.tick_ms = 1;
        let deed = Deed::ServerDrain { server: 0, down_ms: 50 };
        plan.faults = vec![Fault { when: When::At(plan.workload.storm_ms - 1), deed }];
        played(&plan, doors)
    }

    fn played(plan: &Plan, doors: MakeOne) -> Run {
        let options = Options {
            history: History::keeping(),
            watcher: Box::new(|_| {}),
            doors: Box::new(|id| doors(Engine::new(plan.server.config(id), 0))),
            cheat: None,
            submit_to_two: false,
        };
        run(plan, options)
    }

    #[test]
    fn the_storm_lasts_until_who_was_told_to_end_has_and_is_back() {
        let seen = drained(|engine| Box::new(engine));
        let only = ServerId::default();
        let is_its_life = |what: &&What| {
            *what == &What::StormOver
                || [What::ServerUp, What::ServerDrains, What::ServerEnds, What::ServerDown]
                    .iter()
                    .any(|stage| *what == &stage(only))
        };
        let seen = seen.history.entries().iter().map(|entry| &entry.what);
        let life: Vec<&What> = seen.filter(is_its_life).collect();
        let expected = [
            What::ServerUp(only),
            What::ServerDrains(only),
            What::ServerEnds(only),
            What::ServerDown(only),
            What::ServerUp(only),
            What::StormOver,
        ];
        assert_eq!(life, expected.iter().collect::<Vec<_>>());
    }

    #[test]
    fn who_dies_in_the_last_moment_of_the_storm_need_not_end() {
        let mut plan = Plan::draw(0, &Mix::of([]));
        plan.world.tick_ms = 1;
        let last = plan.workload.storm_ms - 1;
        let drain = Fault { when: When::At(last - 1), deed: Deed::ServerDrain { server: 0, down_ms: 50 } };
        let crash = Fault { when: When::At(last), deed: Deed::ServerCrash { server: 0, down_ms: 50 } };
        plan.faults = vec![drain, crash];
        // What stays as long as it lives dies all the same.
        let seen = played(&plan, |engine| Box::new(Deaf(engine)));
        assert_eq!(seen.faults.len(), 2);
    }

    #[test]
    fn what_a_server_still_holds_when_all_is_done_is_a_leak() {
        let plans = || (0..).map(|seed| Plan::draw(seed, &Mix::everything()));
        for has_far_jobs in [false, true] {
            let fits =
                |plan: &Plan| (plan.workload.far_jobs() > 0) == has_far_jobs && plan.workload.servers > 1;
            let plan = plans().find(fits).expect("there is one");
            let held = played(&plan, |engine| Box::new(Hoarder(engine))).held.expect("it holds a job");
            assert!(held.contains("the server holds 1 jobs, 0 watchers and 0 records"), "{held}");
            assert_eq!(played(&plan, |engine| Box::new(engine)).held, None);
        }
    }

    #[test]
    fn no_run_is_over_before_what_is_for_later_is_done_or_forgotten() {
        let plans = (0..).map(|seed| Plan::draw(seed, &Mix::everything()));
        let is_long = |plan: &Plan| plan.rests_until().as_millis() > u64::from(plan.workload.storm_ms) + 2500;
        let plan = plans.filter(|plan| plan.workload.far_jobs() == 0).find(is_long).expect("there is one");
        let seen = played(&plan, |engine| Box::new(engine));
        assert!(seen.lasted >= plan.rests_until() && seen.settled.is_some(), "{:?}", seen.stuck);
    }

    /// Its window lets little of it through at a time, so that it arrives when the core has long been at rest.
    #[test]
    fn what_arrives_long_after_the_storm_is_done_before_all_is_at_rest() {
        let mut plan = Plan::draw(0, &Mix::of([]));
        plan.world.window = 2048;
        plan.workload.storm_ms = 1000;
        let submit = SubmitPlan {
            function: 0,
            unique: UniquePlan::None,
            priority: PriorityPlan::Normal,
            background: true,
            epoch_s: None,
            reducer: None,
            size: 200_000,
            is_empty: false,
            then: Then::Nothing,
        };
        let actors = &mut plan.workload.actors;
        actors.iter_mut().for_each(|actor| actor.steps.clear());
        let is_visitor =
            |actor: &ActorPlan| !actor.core && actor.worker.is_none() && actor.kind == ActorKind::Raw;
        let visitor = actors.iter().position(is_visitor).expect("there is one");
        let after_ms = plan.workload.storm_ms - 1 - plan.workload.actors[visitor].starts_ms;
        plan.workload.actors[visitor].steps = vec![Step { after_ms, op: Op::Submit(submit) }];
        let seen = played(&plan, |engine| Box::new(engine));
        let is_done = |what: &What| matches!(what, What::Wrote { request: Request::Work { report, .. }, .. } if report.is_terminal());
        assert!(seen.history.entries().iter().any(|entry| is_done(&entry.what)), "{:?}", seen.settled);
    }

    #[test]
    #[should_panic(expected = "was told to end and has not")]
    fn a_server_that_is_told_to_end_and_stays_is_noticed() {
        drained(|engine| Box::new(Deaf(engine)));
    }
}
