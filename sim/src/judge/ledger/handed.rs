//! Jobs as answers tell of them: which submits made one, and to whom it was handed out.

use super::jobs::{Handed, NEVER};
use super::links::{Due, Limit};
use super::{Attempt, Cause, Functions, JobId, Ledger, Moment, Start, SubmitId, Submitted, Watch};
use crate::history::Connection;
use crate::judge::facts::Fact;
use gearman_protocol::{Assignment, Handle};

impl Ledger {
    /// A submit was answered.
    pub(super) fn created(
        &mut self,
        connection: Connection,
        id: SubmitId,
        handle: &Handle,
        facts: &mut Vec<Fact<'_>>,
    ) {
        let (function, key) = (self.submits[id].function, self.submits[id].key);
        self.submits[id].may_have_a_job = false;
        if let Some(key) = key {
            self.keys[key].open.retain(|&open| open != id);
        }
        let before = key.and_then(|key| self.keys[key].job);
        let job = self.by_handle(handle).unwrap_or_else(|| self.add_job(handle, function));
        let is_first = self[job].submits.is_empty();
        if is_first {
            self.introduce(job, id);
        } else if self[job].key != key || key.is_none() {
            facts.push(Fact::Mistaken { submit: id, job });
            self[job].is_mistaken = true;
            self[job].is_murky = true;
            return;
        }
        self[job].submits.push(id);
        self.attach(connection, job, id);
        facts.push(Fact::Created { submit: id, job, before });
        if let Some(key) = key {
            self.keys[key].job = Some(job);
        }
    }

    /// The first answer that names a job: which submits can have made it.
    fn introduce(&mut self, job: JobId, id: SubmitId) {
        let Submitted { key, priority, wrote, function, start, .. } = self.submits[id];
        let others = self.open_submits(key).iter().map(|&open| &self.submits[open]);
        let earliest = others.clone().map(|other| other.wrote.place).chain([wrote.place]).min().unwrap_or(0);
        let same = others.clone().all(|other| other.priority == priority);
        let one_start = others.clone().all(|other| other.start == start);
        let alone = others.count() == 0;
        let (is_old, up, should_be_refused) = (self.may_be_old(id), self.up, self.should_be_refused(id));
        let is_start_clear = one_start && !(is_old && self.knows_epochs);
        let due = match start {
            Start::At(moment) if is_start_clear => {
                self.terms.wall.latest(moment, self.now.at, self.terms.slack)
            }
            Start::At(_) | Start::AtOnce | Start::Unclear => NEVER,
        };
        let introduced = &mut self[job];
        introduced.key = key;
        // Whoever takes what he should refuse is wrong in that, and whatever becomes of it follows.
        introduced.is_murky |= introduced.function != function || should_be_refused;
        introduced.earliest = earliest;
        introduced.priority = same.then_some(priority);
        introduced.due = due;
        introduced.start = if is_start_clear { start } else { Start::Unclear };
        introduced.maker = alone.then_some(id);
        if is_old {
            introduced.is_old = true;
            introduced.earliest = up;
            (introduced.priority, introduced.maker) = (None, None);
        }
    }

    fn attach(&mut self, connection: Connection, job: JobId, id: SubmitId) {
        let place = self.now.place;
        if self.submits[id].is_background {
            self[job].is_background = true;
            return;
        }
        let watches = &mut self[job].watches;
        match watches.iter_mut().find(|watch| watch.connection == connection) {
            Some(watch) => watch.attached.push(place),
            None => {
                watches.push(Watch {
                    connection,
                    attached: vec![place],
                    ends: 0,
                    cursor: None,
                    copies: 0,
                    is_blurred: false,
                });
            }
        }
        // A cancelled job that lives on is another matter.
        let over = self[job].over.filter(|_| !self[job].cancelling);
        if let Some(link) = self.link_mut(connection) {
            link.watches.push(job);
            if let Some(since) = over {
                link.dues.push(Due { job, since, dropped: false });
            }
        }
    }

    /// A job was handed out.
    pub(super) fn assigned<'a>(
        &mut self,
        connection: Connection,
        grab: Moment,
        able: Functions,
        assignment: &'a Assignment,
        facts: &mut Vec<Fact<'a>>,
    ) {
        let function = self.function(&assignment.function);
        let known = self.by_handle(&assignment.handle);
        let job = known.unwrap_or_else(|| self.add_job(&assignment.handle, function));
        if known.is_none() || self[job].start == Start::Unclear {
            self[job].start = self.offered_start(assignment);
        }
        let Some(link) = self.link(connection) else { return };
        let limit = link.abilities.limit(function, grab.place);
        let given_up = link.gives_up_after(function, grab.place);
        let released = link.server_over.map(|place| (place, Cause::Lost));
        let read = self.now;
        let said = self.take_reports(job, connection, grab.place);
        let attempt = Attempt { connection, grab, read, limit, given_up, released, said };
        let handed = Handed::new(function, assignment);
        self[job].handed.get_or_insert_with(|| handed.clone());
        let was_over = !self[job].is_murky && self[job].over.is_some_and(|over| over < grab.place);
        let index = self.add_attempt(job, attempt, facts);
        self[job].is_murky |= was_over;
        if let Some(link) = self.link_mut(connection).filter(|link| link.server_over.is_none()) {
            link.holds.push((job, grab.place));
        }
        // What another key's submit has made did not wait as long as this job seems to.
        let is_its_own = !self.is_of_another_key(job, &handed);
        let ahead = self.ahead_of(connection, function, grab.place, !self[job].is_murky);
        facts.push(Fact::Assigned { job, attempt: index, able, ahead, handed, was_over });
        if let Some(legacy) = self.inherits(assignment, connection) {
            facts.push(Fact::Inherited { job, legacy });
        }
        if self.is_unpromised(assignment) {
            facts.push(Fact::Unpromised { job });
        }
        if is_its_own
            && index + 1 == self[job].attempts.len()
            && let Some(wait) = self.wait_ended(job)
        {
            facts.push(Fact::Waited { job, wait });
        }
    }

    /// Puts an attempt where it belongs among the others: after the last one, unless that still holds the job and
    /// this one can have been lost before it was read.
    fn add_attempt(&mut self, job: JobId, attempt: Attempt, facts: &mut Vec<Fact<'_>>) -> usize {
        let count = self[job].attempts.len();
        let Some(before) = self[job].present() else {
            self[job].attempts.push(attempt);
            return 0;
        };
        let was_released = self.may_be_released(before);
        let is_stale = self.may_have_been_lost_before(&attempt, before);
        if was_released {
            // Which of the two came first cannot be told if both can have been lost.
            let cause = self.cause_of(before);
            self[job].is_murky |= is_stale;
            self.release(job, count - 1, cause);
            self[job].attempts.push(attempt);
            return count;
        }
        if is_stale {
            let mut attempt = attempt;
            attempt.released.get_or_insert((before.read.place, Cause::Either));
            self[job].attempts.insert(count - 1, attempt);
            return count - 1;
        }
        facts.push(Fact::Clash { job, attempts: [count - 1, count] });
        self[job].is_murky = true;
        self.release(job, count - 1, Cause::Either);
        self[job].attempts.push(attempt);
        count
    }

    /// Whether this attempt, which was read later, can have been over before the other began.
    fn may_have_been_lost_before(&self, attempt: &Attempt, other: &Attempt) -> bool {
        let earlier = attempt.grab.place < other.read.place;
        let expired = match attempt.limit {
            Limit::None => false,
            Limit::After(limit) => other.read.at + self.terms.slack >= attempt.grab.at + limit,
            Limit::Unclear => true,
        };
        let given_up = attempt.given_up.is_some_and(|place| place < other.read.place);
        let over = self.link(attempt.connection).is_none_or(|link| {
            let ends = [link.peer_over, link.server_over];
            link.is_garbled || ends.into_iter().flatten().any(|place| place < other.read.place)
        });
        earlier && (expired || given_up || over)
    }

    pub(super) fn cause_of(&self, attempt: &Attempt) -> Cause {
        let lost =
            attempt.given_up.is_some() || self.link(attempt.connection).is_none_or(super::Link::may_be_over);
        match (lost, self.may_be_expired(attempt)) {
            (true, true) => Cause::Either,
            (true, false) => Cause::Lost,
            (false, _) => Cause::Expired,
        }
    }
}
