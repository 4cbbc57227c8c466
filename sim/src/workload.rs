//! Who does what on a bad day: the plan's actors and their operations, as plain data.
//!
//! A workload is drawn from a seed ([`Workload::draw`]), saved with its plan, and played by one [`Machine`] per
//! actor on whatever stage.
//! Nothing is drawn while it is played: a machine knows its [`ActorPlan`] and what it was told, so replaying needs
//! the data alone, and taking one operation out moves no other.

pub(crate) mod content;
mod draw;
mod hostile;
mod machine;

pub use hostile::Hostile;
pub use machine::{Machine, Output};

use crate::history::ServerId;
use gearman_engine::{Compat, Config};
use serde::{Deserialize, Serialize};
use std::time::Duration;

/// A run waits for jobs that are for so many seconds after its start, or less; those for later than that are far away.
pub(crate) const SOON_S: u32 = 4;

/// Everything that peers do in one run.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Workload {
    /// The functions' names; everything else speaks of them by index.
    pub functions: Vec<String>,
    /// How many servers there are, none of which knows of the others: 1 to 4.
    #[serde(default = "one")]
    pub servers: u8,
    /// The peers; an actor is known by its index here.
    pub actors: Vec<ActorPlan>,
    /// When the storm ends, in milliseconds after the start: all actors but the core leave for good.
    pub storm_ms: u32,
}

/// For how long a server that is told to end waits for jobs: its flag takes whole seconds.
pub(crate) const DRAINS_FOR: Duration = Duration::from_secs(1);

/// A plan that does not speak of servers has one.
const fn one() -> u8 {
    1
}

fn the_first() -> Vec<u8> {
    vec![0]
}

impl Workload {
    /// Makes the workloads of submits no larger than this, in bytes.
    pub(crate) fn limit_sizes(&mut self, most: u32) {
        for step in self.actors.iter_mut().flat_map(|actor| &mut actor.steps) {
            if let Op::Submit(submit) = &mut step.op {
                submit.size = submit.size.min(most);
            }
        }
    }

    /// The submits that all actors make.
    pub(crate) fn submits(&self) -> impl Iterator<Item = &SubmitPlan> {
        let steps = self.actors.iter().flat_map(|actor| &actor.steps);
        steps.filter_map(|step| if let Op::Submit(submit) = &step.op { Some(submit) } else { None })
    }

    /// How many jobs shall begin later than any run lasts.
    pub(crate) fn far_jobs(&self) -> usize {
        self.submits().filter(|submit| submit.epoch_s.is_some_and(|after_s| after_s > SOON_S)).count()
    }

    /// The same for one server, which all know.
    pub(crate) fn with_one_server(mut self) -> Self {
        self.servers = one();
        self.actors.iter_mut().for_each(|actor| actor.servers = the_first());
        self
    }

    /// The longest that a worker takes for a job when it does as planned.
    #[must_use]
    pub fn longest_act(&self) -> Duration {
        let acts =
            self.actors.iter().filter_map(|actor| actor.worker.as_ref()).flat_map(|worker| &worker.acts);
        let lasts = |act: &Act| {
            let reports = act.reports.iter().map(|report| u64::from(report.after_ms));
            u64::from(act.works_ms) + reports.sum::<u64>()
        };
        Duration::from_millis(acts.map(lasts).max().unwrap_or(0))
    }

    /// The longest that an actor takes for all its operations, jobs that it waits for included.
    #[must_use]
    pub fn longest_errands(&self) -> Duration {
        let patience = |op: &Op| {
            if let Op::Submit(SubmitPlan { then: Then::Ended(millis), .. }) = op { *millis } else { 2000 }
        };
        let lasts = |actor: &ActorPlan| -> u64 {
            let steps =
                actor.steps.iter().map(|step| u64::from(step.after_ms) + u64::from(patience(&step.op)));
            u64::from(actor.starts_ms) + steps.sum::<u64>()
        };
        Duration::from_millis(self.actors.iter().map(lasts).max().unwrap_or(0))
    }
}

/// How the server is set up: the part of its configuration that a seed varies.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Knobs {
    /// At which loss of its worker a job is dropped; `None` is never.
    pub job_retries: Option<u8>,
    /// How many sleepers a runnable job wakes; `None` is all.
    pub worker_wakeup: Option<u32>,
    /// For how long a woken worker may say nothing before the next is woken.
    pub wakeup_timeout_ms: u32,
    /// Shorter job timeouts are raised to this.
    pub min_job_timeout_ms: u32,
    /// Whether every connection gets WORK_EXCEPTION without asking.
    pub exceptions: bool,
    /// Whether it keeps background jobs in a store that outlives its process.
    #[serde(default)]
    pub store: bool,
    /// Which gearmand's scheduling it follows.
    #[serde(default)]
    pub scheduling: Scheduling,
}

/// Which gearmand's scheduling a server follows, by what it is told.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub enum Scheduling {
    /// Nothing: that of version 2.
    #[default]
    #[serde(rename = "2")]
    Version2,
    /// `--compat 1.1`.
    #[serde(rename = "1.1")]
    Version1_1,
    /// `--compat 1.1 --round-robin`.
    #[serde(rename = "1.1-round-robin")]
    Version1_1RoundRobin,
}

impl Scheduling {
    /// The same as the engine says it.
    #[must_use]
    pub const fn compat(self) -> Compat {
        match self {
            Self::Version2 => Compat::Version2,
            Self::Version1_1 => Compat::Version1_1 { round_robin: false },
            Self::Version1_1RoundRobin => Compat::Version1_1 { round_robin: true },
        }
    }
}

impl Knobs {
    /// A server's configuration with these knobs.
    #[must_use]
    pub fn config(&self, server: ServerId) -> Config {
        let number = server.index() + 1;
        Config {
            compat: self.scheduling.compat(),
            handle_prefix: if number == 1 { "H:sim".to_owned() } else { format!("H:sim-{number}") },
            job_retries: self.job_retries,
            worker_wakeup: self.worker_wakeup,
            wakeup_timeout: Duration::from_millis(self.wakeup_timeout_ms.into()),
            min_job_timeout: Duration::from_millis(self.min_job_timeout_ms.into()),
            exceptions: self.exceptions,
            store: self.store,
            drain_timeout: Some(DRAINS_FOR),
            ..Config::default()
        }
    }
}

/// What plays an actor.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum ActorKind {
    /// The house's client library, where the stage has it: its plan asks only for what the library does.
    Library,
    /// A [`Machine`], which may be odd, rude or hostile.
    Raw,
}

/// One peer: a connection at a time, on which it may be client, worker and administrator at once.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct ActorPlan {
    /// What plays it.
    pub kind: ActorKind,
    /// Whether it is of the core that lives through the storm, is never broken, and finishes what is left.
    pub core: bool,
    /// The servers that it knows, in the order in which it tries them whenever it is not connected.
    #[serde(default = "the_first")]
    pub servers: Vec<u8>,
    /// Whether it goes on to the next of them after each connection, instead of beginning with the first again.
    #[serde(default)]
    pub roams: bool,
    /// When it connects, in milliseconds after the start.
    pub starts_ms: u32,
    /// What it does as a worker, if it is one.
    pub worker: Option<WorkerPlan>,
    /// What else it does, one after the other.
    pub steps: Vec<Step>,
}

/// The habits of a worker.
///
/// Each list is played round and round: the n-th job, empty answer or NOOP takes the n-th item.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct WorkerPlan {
    /// What it registers after each connect, in this order.
    pub abilities: Vec<Ability>,
    /// Which form of GRAB_JOB it uses.
    pub grab: GrabForm,
    /// How many jobs it holds at once; at least 1.
    pub capacity: u8,
    /// What it does with a job; not empty.
    pub acts: Vec<Act>,
    /// What it does when there is no job; not empty.
    pub naps: Vec<Nap>,
    /// What it does when it is woken; not empty.
    pub wakes: Vec<Wake>,
}

/// A function that a worker can do.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Ability {
    /// Its index.
    pub function: u8,
    /// CAN_DO_TIMEOUT with this limit in milliseconds; `None` is CAN_DO.
    pub timeout_ms: Option<u32>,
}

/// The three forms of GRAB_JOB.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum GrabForm {
    /// GRAB_JOB.
    Plain,
    /// GRAB_JOB_UNIQ.
    Uniq,
    /// GRAB_JOB_ALL.
    All,
}

/// What a worker does with one job.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Act {
    /// What it reports meanwhile.
    pub reports: Vec<TimedReport>,
    /// For how long it works after the last of them, in milliseconds.
    pub works_ms: u32,
    /// How it ends.
    pub end: ActEnd,
}

/// A report that does not end the job.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct TimedReport {
    /// After how many milliseconds since the one before.
    pub after_ms: u32,
    /// What is reported.
    pub report: Progress,
}

/// The three reports that do not end a job.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Progress {
    /// WORK_DATA of this many bytes.
    Data(u32),
    /// WORK_WARNING of this many bytes.
    Warning(u32),
    /// WORK_STATUS, so many hundredths.
    Status(u8),
}

/// How a worker ends with a job.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum ActEnd {
    /// WORK_COMPLETE of this many bytes.
    Complete(u32),
    /// WORK_COMPLETE twice: the second is nobody's.
    CompleteTwice(u32),
    /// WORK_FAIL.
    Fail,
    /// WORK_EXCEPTION of this many bytes.
    Exception(u32),
    /// WORK_EXCEPTION and then WORK_FAIL, as Perl workers do.
    ExceptionThenFail(u32),
    /// It closes the connection, job in hand, and is back after this many milliseconds.
    Vanish(u32),
    /// It closes its sending side, job in hand, reads on until the server closes, and is back after so long.
    HalfClose(u32),
    /// CANT_DO for the job's function; it can do it again after this many milliseconds, and reports a result of
    /// this job then, which is late.
    CantDo(u32),
    /// RESET_ABILITIES; it registers everything again after this many milliseconds.
    Reset(u32),
    /// It forgets the job and goes on with the next.
    Forget,
}

/// What a worker does when there is no job.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Nap {
    /// PRE_SLEEP.
    Sleep {
        /// ECHO_REQ every so many milliseconds while it sleeps, as workers behind firewalls do.
        echo_ms: Option<u32>,
        /// It grabs without having been woken after so many milliseconds.
        grab_ms: Option<u32>,
    },
    /// It asks again after so many milliseconds, without sleeping.
    Poll(u32),
}

/// What a worker does when it is woken.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Wake {
    /// It grabs.
    Grab,
    /// PRE_SLEEP again, without a grab.
    SleepAgain,
    /// It does nothing for so many milliseconds and then grabs.
    Dawdle(u32),
}

/// One operation of an actor.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Step {
    /// How many milliseconds after the one before was done.
    pub after_ms: u32,
    /// What it is.
    pub op: Op,
}

/// What an actor can do at some moment.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Op {
    /// One of the submits.
    Submit(SubmitPlan),
    /// GET_STATUS.
    Status(Which),
    /// GET_STATUS_UNIQUE of the shared unique with this number.
    StatusUnique(u8),
    /// ECHO_REQ of this many bytes.
    Echo(u32),
    /// OPTION_REQ `exceptions`.
    Exceptions,
    /// OPTION_REQ of something no server knows.
    UnknownOption,
    /// SET_CLIENT_ID.
    SetClientId,
    /// ALL_YOURS.
    AllYours,
    /// A report about a job that it does not hold.
    Meddle(Which, Meddling),
    /// CAN_DO or CAN_DO_TIMEOUT, whatever the connection was before.
    CanDo(Ability),
    /// CANT_DO of a function.
    CantDo(u8),
    /// A command of the text protocol.
    Admin(AdminPlan),
    /// Bytes that are no request.
    Hostile(Hostile),
    /// It closes its sending side, reads to the end, and is back after so many milliseconds, or never.
    HalfClose {
        /// After how long.
        back_ms: Option<u32>,
    },
    /// It closes the connection, and is back after so many milliseconds, or never.
    Leave {
        /// After how long.
        back_ms: Option<u32>,
    },
}

/// A submit and what its client waits for before it goes on.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct SubmitPlan {
    /// What shall be done.
    pub function: u8,
    /// The client's key.
    pub unique: UniquePlan,
    /// How urgent it is.
    pub priority: PriorityPlan,
    /// Whether it is a background job.
    pub background: bool,
    /// Not before the wall clock says that so many seconds have passed since the run began; only of a background job
    /// of normal priority without a reducer.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub epoch_s: Option<u32>,
    /// With the reducer of this number.
    pub reducer: Option<u8>,
    /// How many bytes the workload has, at least those that tell it from others.
    pub size: u32,
    /// Whether it has none at all, which tells it from others too: only one submit of a plan may have none.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub is_empty: bool,
    /// What to wait for.
    pub then: Then,
}

/// The forms of a unique.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum UniquePlan {
    /// Empty: never shared.
    None,
    /// One that no other submit has.
    Own,
    /// The same, of bytes that are no text.
    Binary,
    /// One of a few that several actors use.
    Shared(u8),
    /// As shared, and 64 bytes long; only the last byte tells them apart.
    Longest(u8),
    /// `-`: the workload is the key, and it is one of a few.
    Dash(u8),
}

/// The three priorities.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum PriorityPlan {
    /// High.
    High,
    /// Normal.
    Normal,
    /// Low.
    Low,
}

/// What a client waits for after a submit.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Then {
    /// Nothing: the next operation is pipelined.
    Nothing,
    /// JOB_CREATED or a refusal.
    Created,
    /// The end of the job, but no longer than so many milliseconds.
    Ended(u32),
}

/// Which job an operation speaks of.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Which {
    /// One of its own, so many before the latest.
    Own(u8),
    /// One whose handle's number is so far from its latest: somebody else's, perhaps.
    Near(i8),
    /// None that exists.
    Nobody,
}

/// A report of somebody who does not hold the job.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Meddling {
    /// WORK_DATA.
    Data,
    /// WORK_STATUS.
    Status,
    /// WORK_COMPLETE.
    Complete,
    /// WORK_FAIL.
    Fail,
    /// WORK_EXCEPTION.
    Exception,
}

/// A command of the text protocol.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum AdminPlan {
    /// `status`.
    Status,
    /// `workers`.
    Workers,
    /// `version`.
    Version,
    /// `prioritystatus`.
    PriorityStatus,
    /// `show jobs`.
    ShowJobs,
    /// `show unique jobs`.
    ShowUniqueJobs,
    /// `getpid`.
    GetPid,
    /// `verbose`.
    Verbose,
    /// `cancel job`.
    Cancel(Which),
    /// `create function`, one that nobody works for.
    Create(u8),
    /// `drop function`, the same.
    Drop(u8),
    /// `maxqueue` of a function.
    MaxQueue {
        /// Its index.
        function: u8,
        /// How many jobs there may be for one of high, normal and low priority to be taken; 0 is no limit.
        most: [u8; 3],
    },
    /// `shutdown graceful`, which servers do not obey unless they are set up so.
    Shutdown,
    /// `shutdown`, the same.
    ShutdownAtOnce,
    /// A line that is no command.
    Unknown,
}
