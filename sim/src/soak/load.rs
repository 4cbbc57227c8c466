//! A heavy load, the same for hours: clients that submit so many jobs a second, and workers that take so long for one.

use super::{Wrong, compare};
use bytes::Bytes;
use gearman_engine::{
    Config, ConnectionId, Doors, Effect, Effects, Engine, Event, FUNCTION_OVERHEAD, Vitals,
};
use gearman_protocol::{
    Assignment, FunctionName, Grab, Handle, JobTimeout, Mode, Priority, Report, Request, Response, Submit,
    Time, Unique,
};
use std::cmp::Reverse;
use std::collections::{BTreeMap, BinaryHeap, VecDeque};
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

/// How heavy the load is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Load {
    /// How many workers there are.
    pub workers: u32,
    /// How long each takes for a job.
    pub job: Duration,
    /// How many jobs are submitted in a second.
    pub rate: u64,
    /// For how long they are.
    pub lasts: Duration,
}

/// What became of it.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Done {
    /// How many jobs were submitted and completed.
    pub jobs: u64,
    /// How many events the engine was told.
    pub events: u64,
    /// The most jobs that there were at a time.
    pub most_jobs: usize,
    /// The longest that a client waited.
    pub longest: Duration,
    /// When the last job was done.
    pub lasted: Time,
    /// What the engine held before the first submit and after the last job.
    pub vitals: Vitals,
}

/// How many connections submit.
const CLIENTS: u64 = 10;
/// After how many jobs a worker leaves and comes again.
const SHIFT: u32 = 500;
const PREFIX: &str = "H:soak";
const FUNCTION: &str = "soak";

/// Submits for as long as the load lasts, and goes on until every job is done; a flag ends it sooner.
///
/// # Errors
/// The first thing that is not as it should be: a job that is not handed out in the order of submission, or twice,
/// whose client hears of it twice or gets another's result, or something that the engine holds at the end and did not
/// at the start.
pub fn run(load: &Load, interrupted: &AtomicBool) -> Result<Done, Wrong> {
    let mut floor = Floor::new(load);
    floor.everybody_comes()?;
    let start = floor.engine.vitals();
    floor.put(Time::ZERO, Item::Submits);
    while floor.step()? {
        if interrupted.load(Ordering::Relaxed) {
            floor.load.lasts = Duration::ZERO;
        }
    }
    if let Some(number) = floor.submitted.keys().next() {
        return Err(floor.wrong(format!("job {number} is never done")));
    }
    compare(floor.now, start, floor.engine.vitals())?;
    floor.done.vitals = start;
    floor.everybody_leaves()?;
    let memory = FUNCTION_OVERHEAD + function().as_bytes().len();
    compare(floor.now, Vitals { functions: 1, memory, ..Vitals::default() }, floor.engine.vitals())?;
    Ok(floor.done)
}

/// Something that will happen.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
enum Item {
    /// Clients submit what is due.
    Submits,
    /// This worker has done this job.
    Works(usize, u64),
    /// The engine wanted to be called.
    Elapses,
}

struct Floor {
    load: Load,
    engine: Engine,
    now: Time,
    agenda: BinaryHeap<Reverse<(Time, Item)>>,
    /// What peers say at this moment and the engine has not heard yet.
    said: VecDeque<Event>,
    effects: Effects,
    workers: Vec<Worker>,
    /// The connection of a worker, without its clients' and counted from 0.
    homes: BTreeMap<ConnectionId, usize>,
    connections: u64,
    /// When the jobs that are not done were submitted, by number.
    submitted: BTreeMap<u64, Time>,
    last_created: u64,
    last_assigned: u64,
    alarm: Option<Time>,
    done: Done,
}

#[derive(Clone, Copy)]
struct Worker {
    home: ConnectionId,
    jobs: u32,
}

impl Floor {
    fn new(load: &Load) -> Self {
        let config = Config { handle_prefix: PREFIX.to_owned(), ..Config::default() };
        Self {
            load: *load,
            engine: Engine::new(config, 1),
            now: Time::ZERO,
            agenda: BinaryHeap::new(),
            said: VecDeque::new(),
            effects: Effects::new(),
            workers: Vec::new(),
            homes: BTreeMap::new(),
            connections: 0,
            submitted: BTreeMap::new(),
            last_created: 0,
            last_assigned: 0,
            alarm: None,
            done: Done::default(),
        }
    }

    fn everybody_comes(&mut self) -> Result<(), Wrong> {
        for _ in 0..CLIENTS {
            self.connect();
        }
        for worker in 0..self.load.workers as usize {
            let home = self.connect();
            self.workers.push(Worker { home, jobs: 0 });
            self.begin_work(worker);
        }
        self.hear()
    }

    fn everybody_leaves(&mut self) -> Result<(), Wrong> {
        let workers = self.workers.iter().map(|worker| worker.home);
        let clients = (1..=CLIENTS).map(ConnectionId::new);
        self.said.extend(clients.chain(workers).map(|from| Event::Closed { from }));
        self.hear()
    }

    fn connect(&mut self) -> ConnectionId {
        self.connections += 1;
        let from = ConnectionId::new(self.connections);
        self.said.push_back(Event::Opened { from, peer: "::1".to_owned() });
        from
    }

    fn begin_work(&mut self, worker: usize) {
        let home = self.workers[worker].home;
        self.homes.insert(home, worker);
        let timeout = Some(JobTimeout(Bytes::from_static(b"600000")));
        self.say(home, Request::CanDo { function: function(), timeout });
        self.say(home, Request::Grab(Grab::Uniq));
    }

    fn say(&mut self, from: ConnectionId, request: Request) {
        self.said.push_back(Event::Received { from, request });
    }

    fn put(&mut self, at: Time, item: Item) {
        self.agenda.push(Reverse((at, item)));
    }

    /// Lets the next thing happen; `false` if there is none.
    fn step(&mut self) -> Result<bool, Wrong> {
        let Some(Reverse((at, item))) = self.agenda.pop() else { return Ok(false) };
        self.now = at;
        match item {
            Item::Submits => self.submit(),
            Item::Works(worker, number) => self.complete(worker, number),
            Item::Elapses if self.alarm == Some(at) => {
                self.alarm = None;
                self.said.push_back(Event::Elapsed);
            }
            Item::Elapses => {}
        }
        self.hear()?;
        Ok(true)
    }

    /// Submits what is due in this millisecond, by one client after the other.
    fn submit(&mut self) {
        let due = u128::from(self.load.rate) * u128::from(self.now.as_millis() + 1) / 1000;
        while u128::from(self.done.jobs) < due {
            self.done.jobs += 1;
            let from = ConnectionId::new(1 + self.done.jobs % CLIENTS);
            self.submitted.insert(self.done.jobs, self.now);
            let workload = Bytes::copy_from_slice(&self.done.jobs.to_be_bytes());
            self.say(from, submit(workload));
        }
        let next = self.now + Duration::from_millis(1);
        if next < Time::ZERO + self.load.lasts {
            self.put(next, Item::Submits);
        }
    }

    fn complete(&mut self, worker: usize, number: u64) {
        let handle = Handle::new(format!("{PREFIX}:{number}"));
        let home = self.workers[worker].home;
        let data = Bytes::copy_from_slice(&number.to_be_bytes());
        self.say(home, Request::Work { handle, report: Report::Complete(data) });
        self.workers[worker].jobs += 1;
        if !self.workers[worker].jobs.is_multiple_of(SHIFT) {
            return self.say(home, Request::Grab(Grab::Uniq));
        }
        self.said.push_back(Event::Closed { from: home });
        self.homes.remove(&home);
        self.workers[worker].home = self.connect();
        self.begin_work(worker);
    }

    /// The engine hears what was said, and peers answer what it says, until all are silent.
    fn hear(&mut self) -> Result<(), Wrong> {
        while let Some(event) = self.said.pop_front() {
            self.done.events += 1;
            let mut effects = std::mem::take(&mut self.effects);
            self.engine.handle(self.now, event, &mut effects);
            for effect in effects.drain() {
                let Effect::Send { to, response } = effect else {
                    return Err(self.wrong(format!("the engine does {effect:?}")));
                };
                self.told(to, response)?;
            }
            self.effects = effects;
            self.done.most_jobs = self.done.most_jobs.max(self.submitted.len());
        }
        let deadline = self.engine.deadline();
        if let Some(at) = deadline.filter(|&at| self.alarm.is_none_or(|alarm| at < alarm)) {
            self.alarm = Some(at);
            self.put(at, Item::Elapses);
        }
        Ok(())
    }

    fn told(&mut self, to: ConnectionId, response: Response) -> Result<(), Wrong> {
        match response {
            Response::JobCreated { handle } => self.created(&handle),
            Response::Work { handle, report: Report::Complete(data) } => self.ended(&handle, &data),
            Response::JobAssign(assignment) => self.assigned(to, &assignment),
            Response::Noop => {
                self.say(to, Request::Grab(Grab::Uniq));
                Ok(())
            }
            Response::NoJob => {
                self.say(to, Request::PreSleep);
                Ok(())
            }
            other @ (Response::Work { .. }
            | Response::Error { .. }
            | Response::Echo { .. }
            | Response::Option { .. }
            | Response::Status(_)
            | Response::StatusUnique(_)
            | Response::Admin(_)) => Err(self.wrong(format!("connection {} is told {other:?}", to.get()))),
        }
    }

    fn created(&mut self, handle: &Handle) -> Result<(), Wrong> {
        self.last_created += 1;
        let wanted = self.last_created;
        self.expect(number(handle) == Some(wanted), || format!("submit {wanted} is acknowledged as {handle}"))
    }

    /// Jobs of one priority are handed out in the order of submission, and each once.
    fn assigned(&mut self, to: ConnectionId, assignment: &Assignment) -> Result<(), Wrong> {
        self.last_assigned += 1;
        let wanted = self.last_assigned;
        let right =
            number(&assignment.handle) == Some(wanted) && assignment.workload[..] == wanted.to_be_bytes();
        self.expect(right, || format!("{} is handed out instead of job {wanted}", assignment.handle))?;
        let Some(&worker) = self.homes.get(&to) else {
            return Err(self.wrong(format!("connection {} gets a job and is no worker", to.get())));
        };
        self.put(self.now + self.load.job, Item::Works(worker, wanted));
        Ok(())
    }

    fn ended(&mut self, handle: &Handle, data: &[u8]) -> Result<(), Wrong> {
        let submitted = number(handle).and_then(|number| {
            let since = self.submitted.remove(&number)?;
            (data == number.to_be_bytes()).then_some(since)
        });
        let Some(since) = submitted else {
            return Err(
                self.wrong(format!("a client hears of {handle} once too often, or gets another's result"))
            );
        };
        self.done.longest = self.done.longest.max(self.now - since);
        self.done.lasted = self.now;
        Ok(())
    }

    fn expect(&self, holds: bool, otherwise: impl FnOnce() -> String) -> Result<(), Wrong> {
        if holds { Ok(()) } else { Err(self.wrong(otherwise())) }
    }

    fn wrong(&self, what: String) -> Wrong {
        Wrong { at: self.now, what }
    }
}

fn function() -> FunctionName {
    FunctionName::new(FUNCTION).expect("this is a name")
}

fn submit(workload: Bytes) -> Request {
    Request::Submit(Submit {
        function: function(),
        unique: Unique::default(),
        priority: Priority::Normal,
        mode: Mode::Foreground,
        reducer: None,
        workload,
    })
}

fn number(handle: &Handle) -> Option<u64> {
    let text = std::str::from_utf8(handle.as_bytes()).ok()?;
    text.rsplit_once(':')?.1.parse().ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn soak(workers: u32, job_ms: u64, seconds: u64) -> Result<Done, Wrong> {
        let load = Load {
            workers,
            job: Duration::from_millis(job_ms),
            rate: 695,
            lasts: Duration::from_secs(seconds),
        };
        run(&load, &AtomicBool::new(false))
    }

    #[test]
    fn a_minute_of_the_reported_load_leaves_nothing() {
        let done = soak(600, 1100, 60).unwrap();
        assert_eq!(done.jobs, 60 * 695);
        // 600 workers do 545 jobs a second, so that the rest waits.
        assert!(done.most_jobs > 8000, "{done:?}");
        assert_eq!(done.vitals.connections, 610);
    }

    #[test]
    fn enough_workers_let_nobody_wait() {
        let done = soak(600, 860, 60).unwrap();
        assert_eq!(done.longest, Duration::from_millis(860));
    }
}
