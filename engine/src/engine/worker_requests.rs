//! What workers ask: abilities, grabs and sleep.

use super::{Engine, Turn};
use crate::config::{ABILITY_OVERHEAD, Compat};
use crate::numerals::leading_integer;
use crate::refusal::Refusal;
use crate::tables::abilities::{Ability, AbilityKey, OfWorker};
use crate::tables::connections::{ConnectionKey, Rest};
use crate::tables::functions::FunctionKey;
use crate::tables::jobs::JobKey;
use crate::tables::list::List;
use bytes::Bytes;
use gearman_protocol::{Assignment, FunctionName, Grab, JobTimeout, Response};
use std::time::Duration;

/// How much of SET_CLIENT_ID is kept, in bytes.
pub(super) const MAX_CLIENT_ID: usize = 127;

impl Engine {
    /// Registers an ability in front of the others; one that is there already keeps its place and takes the new
    /// timeout.
    pub(super) fn can_do(
        &mut self,
        who: ConnectionKey,
        name: FunctionName,
        timeout: Option<&JobTimeout>,
        turn: &mut Turn<'_>,
    ) {
        let timeout = timeout.and_then(|timeout| self.job_timeout(timeout));
        let known = self.find_function(name.as_bytes());
        if let Some(ability) = known.and_then(|function| self.abilities.find(who, function)) {
            self.abilities.slab[ability].timeout = timeout;
        } else if self.connections.slab[who].abilities.len() >= self.config.functions_per_connection {
            self.refuse(who, Refusal::TooManyFunctions, turn);
        } else if let Err(refusal) = self.memory_for_function(who, known, &name, ABILITY_OVERHEAD) {
            self.refuse(who, refusal, turn);
        } else {
            let function = known.unwrap_or_else(|| self.function(name));
            self.register(who, function, timeout);
        }
    }

    /// Milliseconds; 0 and less are none, and little is raised, because client libraries pass seconds.
    fn job_timeout(&self, JobTimeout(text): &JobTimeout) -> Option<Duration> {
        let millis = u64::try_from(leading_integer(text)).ok().filter(|&millis| millis > 0)?;
        Some(Duration::from_millis(millis).max(self.config.min_job_timeout))
    }

    fn register(&mut self, who: ConnectionKey, function: FunctionKey, timeout: Option<Duration>) {
        self.memory += ABILITY_OVERHEAD;
        let key = self.abilities.insert(who, function, timeout);
        let worker = &mut self.connections.slab[who];
        worker.abilities.insert_after(&mut self.abilities.slab, None, key);
        let able = &mut self.functions.slab[function];
        able.workers += 1;
        if worker.rest == Rest::Asleep {
            able.sleepers.push_back(&mut self.abilities.slab, key);
            self.unsettle(function);
        }
    }

    /// The jobs of the function that the worker holds are lost to it. Takes time for each job in its hand.
    pub(super) fn cant_do(&mut self, who: ConnectionKey, name: &FunctionName, turn: &mut Turn<'_>) {
        let function = self.find_function(name.as_bytes());
        let Some(ability) = function.and_then(|function| self.abilities.find(who, function)) else { return };
        let function = self.abilities.slab[ability].function;
        let held = self.connections.slab[who].hand.keys(&self.jobs.slab);
        let lost: Vec<JobKey> = held.filter(|&job| self.jobs.slab[job].function == function).collect();
        self.unregister(ability);
        lost.into_iter().for_each(|job| self.lose(job, turn));
    }

    /// All jobs that the worker holds are lost to it. Takes time for each of them and for each ability.
    pub(super) fn reset_abilities(&mut self, who: ConnectionKey, turn: &mut Turn<'_>) {
        self.forget_abilities(who);
        while let Some(job) = self.connections.slab[who].hand.first() {
            self.lose(job, turn);
        }
    }

    pub(super) fn forget_abilities(&mut self, who: ConnectionKey) {
        while let Some(ability) = self.connections.slab[who].abilities.first() {
            self.unregister(ability);
        }
    }

    fn unregister(&mut self, key: AbilityKey) {
        let &Ability { worker, function, .. } = &self.abilities.slab[key];
        let able = &mut self.functions.slab[function];
        let worker = &mut self.connections.slab[worker];
        able.workers -= 1;
        // Whoever asks for this has been heard of, so it is not woken any more, and others were looked at for that.
        if worker.rest == Rest::Asleep {
            able.sleepers.remove(&mut self.abilities.slab, key);
        }
        worker.abilities.remove(&mut self.abilities.slab, key);
        self.abilities.remove(key);
        self.memory -= ABILITY_OVERHEAD;
    }

    /// Hands out a job: takes time for each ability of the worker.
    pub(super) fn grab(&mut self, who: ConnectionKey, form: Grab, turn: &mut Turn<'_>) {
        self.rest(who, Rest::Awake);
        let Some((ability, job)) = self.next_job(who) else {
            return self.send(who, Response::NoJob, turn);
        };
        self.rotate(who, ability);
        let timeout = self.abilities.slab[ability].timeout;
        self.assign(job, who, timeout.map(|timeout| turn.now + timeout));
        let assignment = self.assignment(job, form);
        self.send(who, Response::JobAssign(assignment), turn);
    }

    fn next_job(&self, who: ConnectionKey) -> Option<(AbilityKey, JobKey)> {
        let abilities = self.connections.slab[who].abilities.keys(&self.abilities.slab);
        let mut with_work = abilities.filter_map(|ability| {
            let function = &self.functions.slab[self.abilities.slab[ability].function];
            Some((ability, function, function.most_urgent()?))
        });
        let (ability, function, priority) = match self.config.compat {
            // Of several that are equally urgent this is the first.
            Compat::Version2 => with_work.min_by_key(|&(_, _, priority)| priority),
            Compat::Version1_1 { .. } => with_work.next(),
        }?;
        Some((ability, function.waiting[priority as usize].first()?))
    }

    /// The function that was just served goes last.
    fn rotate(&mut self, who: ConnectionKey, ability: AbilityKey) {
        let rotates = match self.config.compat {
            Compat::Version2 => true,
            Compat::Version1_1 { round_robin } => round_robin,
        };
        if rotates {
            let abilities: &mut List<Ability, OfWorker> = &mut self.connections.slab[who].abilities;
            abilities.remove(&mut self.abilities.slab, ability);
            abilities.push_back(&mut self.abilities.slab, ability);
        }
    }

    fn assignment(&self, key: JobKey, form: Grab) -> Assignment {
        let job = &self.jobs.slab[key];
        // Without a reducer GRAB_JOB_ALL is answered as GRAB_JOB_UNIQ.
        let form = if form == Grab::All && !job.cuts.has_reducer() { Grab::Uniq } else { form };
        let (unique, reducer, workload) = job.parts();
        Assignment {
            handle: self.handles.name(job.number),
            function: self.functions.slab[job.function].name.clone(),
            unique,
            reducer,
            workload,
            form,
        }
    }

    /// Begins a new sleep, which ends at once if there is work: takes time for each ability of the worker.
    pub(super) fn pre_sleep(&mut self, who: ConnectionKey, turn: &mut Turn<'_>) {
        let mut abilities = self.connections.slab[who].abilities.keys(&self.abilities.slab);
        let function = |ability: AbilityKey| &self.functions.slab[self.abilities.slab[ability].function];
        if abilities.any(|ability| function(ability).runnable() > 0) {
            self.wake(who, turn);
        } else {
            self.rest(who, Rest::Asleep);
        }
    }

    pub(super) fn set_client_id(&mut self, who: ConnectionKey, id: Bytes) {
        // A copy, so that a short name does not keep a long packet.
        let id = Bytes::copy_from_slice(&id[..id.len().min(MAX_CLIENT_ID)]);
        self.connections.slab[who].client_id = id;
    }
}
