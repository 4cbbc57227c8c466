//! SUBMIT_JOB in its nine forms: join a job that is live, or become one.

use super::{Engine, Turn};
use crate::config::{JOB_OVERHEAD, WATCHER_OVERHEAD};
use crate::numerals::leading_integer;
use crate::refusal::Refusal;
use crate::tables::connections::ConnectionKey;
use crate::tables::functions::FunctionKey;
use crate::tables::jobs::{JobKey, JoinKey, Keeping, KeyHash, NewJob};
use gearman_protocol::{Mode, Priority, Response, Submit, UnixMillis};

impl Engine {
    pub(super) fn submit(&mut self, who: ConnectionKey, submit: Submit, turn: &mut Turn<'_>) {
        if !submit.is_assignable() {
            return self.refuse(who, Refusal::TooLargeToAssign, turn);
        }
        if self.is_draining() {
            return self.refuse(who, Refusal::Draining, turn);
        }
        let function = self.find_function(submit.function.as_bytes());
        let key_hash = JoinKey::of(submit.unique.as_bytes(), &submit.workload).map(|key| self.key_hash(key));
        if let Some(job) = self.job_to_join(&submit, function, key_hash) {
            return self.join(who, job, submit.mode == Mode::Foreground, turn);
        }
        match self.room_for(who, &submit, function) {
            Ok(()) => self.submit_new(who, submit, function, key_hash, turn),
            Err(refusal) => self.refuse(who, refusal, turn),
        }
    }

    fn job_to_join(
        &self,
        submit: &Submit,
        function: Option<FunctionKey>,
        key_hash: Option<KeyHash>,
    ) -> Option<JobKey> {
        let key = JoinKey::of(submit.unique.as_bytes(), &submit.workload)?;
        self.jobs.by_key(key_hash?, function?, key)
    }

    /// A submit of the same key: one more watcher, or one more reason to run it.
    fn join(&mut self, who: ConnectionKey, key: JobKey, foreground: bool, turn: &mut Turn<'_>) {
        if foreground && let Err(refusal) = self.memory_for(who, WATCHER_OVERHEAD) {
            return self.refuse(who, refusal, turn);
        }
        let job = &self.jobs.slab[key];
        self.functions.slab[job.function].counts.coalesced += 1;
        match job.keeping {
            Keeping::Storing(record) if !foreground || !job.is_live() => {
                return self.wait_for_store(who, record, foreground);
            }
            Keeping::Foreground if !foreground && self.config.store => {
                return self.store_live(who, key, turn);
            }
            // The background submit must not be lost with the foreground client.
            Keeping::Foreground if !foreground => self.keep(key, Keeping::Background),
            Keeping::Foreground | Keeping::Background | Keeping::Storing(_) | Keeping::Stored(_) => {}
        }
        if foreground {
            self.attach(who, key);
        }
        self.acknowledge(who, key, turn);
    }

    fn submit_new(
        &mut self,
        who: ConnectionKey,
        submit: Submit,
        function: Option<FunctionKey>,
        key_hash: Option<KeyHash>,
        turn: &mut Turn<'_>,
    ) {
        let priority = priority(&submit);
        let Submit { function: name, unique, mode, reducer, workload, .. } = submit;
        let function = function.unwrap_or_else(|| self.function(name));
        let keeping = match mode {
            Mode::Foreground => Keeping::Foreground,
            Mode::Background | Mode::Epoch(_) if self.config.store => {
                Keeping::Storing(self.stores.next_record())
            }
            Mode::Background | Mode::Epoch(_) => Keeping::Background,
        };
        let not_before = not_before(&mode);
        let key = self.reserve_job(NewJob {
            function,
            priority,
            unique,
            reducer: reducer.unwrap_or_default(),
            workload,
            key_hash,
            keeping,
            not_before,
        });
        if let Keeping::Storing(record) = keeping {
            return self.ask_store(who, key, record, turn);
        }
        if keeping == Keeping::Foreground {
            self.attach(who, key);
        }
        self.admit(key, turn);
        self.acknowledge(who, key, turn);
    }

    fn acknowledge(&mut self, who: ConnectionKey, key: JobKey, turn: &mut Turn<'_>) {
        let handle = self.handles.name(self.jobs.slab[key].number);
        self.send(who, Response::JobCreated { handle }, turn);
    }

    /// Whether one more job fits into the function's queue and into the server's memory.
    fn room_for(
        &self,
        who: ConnectionKey,
        submit: &Submit,
        function: Option<FunctionKey>,
    ) -> Result<(), Refusal> {
        if let Some(function) = function {
            let function = &self.functions.slab[function];
            let jobs = function.total() + u64::from(function.reserved);
            if function.limit(priority(submit)).is_some_and(|limit| jobs >= u64::from(limit)) {
                return Err(Refusal::QueueFull);
            }
        }
        let watcher = if submit.mode == Mode::Foreground { WATCHER_OVERHEAD } else { 0 };
        let job = JOB_OVERHEAD + submit.workload.len() + watcher;
        self.memory_for_function(who, function, &submit.function, job)
    }
}

/// How urgent the job is: an epoch job is always of normal priority.
const fn priority(submit: &Submit) -> Priority {
    match submit.mode {
        Mode::Foreground | Mode::Background => submit.priority,
        Mode::Epoch(_) => Priority::Normal,
    }
}

/// When an epoch job may start. What is no number is 0, long past.
fn not_before(mode: &Mode) -> Option<UnixMillis> {
    match mode {
        Mode::Epoch(seconds) => Some(UnixMillis::from_seconds(leading_integer(seconds))),
        Mode::Foreground | Mode::Background => None,
    }
}
