//! How long jobs waited, and who was passed over.

use super::{Cause, JobId, Ledger, Moment, Start};
use crate::history::{Connection, Place};
use crate::plan::{LATE, back};

/// When a job began to wait.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Since {
    /// By this place.
    Place(Place),
    /// After this place, and by the time there; the clocks' slack is counted in.
    Time(Moment),
}

impl Since {
    /// The place by which it had begun, or after which it did.
    pub(crate) const fn place(self) -> Place {
        match self {
            Self::Place(place) | Self::Time(Moment { place, .. }) => place,
        }
    }

    /// Whether what began at this moment began while the job waited.
    pub(crate) fn is_before(self, start: Moment) -> bool {
        match self {
            Self::Place(place) => place < start.place,
            Self::Time(moment) => moment.place < start.place && moment.at < start.at,
        }
    }
}

/// Why a job waited.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum WaitKind {
    /// It was new.
    Fresh,
    /// Its worker was lost.
    Lost,
    /// Its worker took too long.
    Expired,
    /// Its time had come.
    Due,
}

/// A time throughout which a job certainly waited in its queue, up to the grab that took it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Wait {
    pub(crate) kind: WaitKind,
    pub(crate) since: Since,
    /// It was not taken before this place.
    pub(crate) until: Place,
}

/// Spans of the history in each of which somebody was passed over.
///
/// Only the spans that can still prove something are kept, so that asking takes logarithmic time.
#[derive(Clone, Debug, Default)]
pub(crate) struct Passes(Vec<(Place, Moment)>);

impl Passes {
    /// Adds a span that ends here, later than all others.
    pub(crate) fn push(&mut self, start: Moment, end: Place) {
        if self.0.last().is_none_or(|(_, latest)| latest.place < start.place) {
            self.0.push((end, start));
        }
    }

    /// Whether one of the spans lies within the wait; if so, where it began.
    pub(crate) fn within(&self, wait: Wait) -> Option<Moment> {
        let before = self.0.partition_point(|&(end, _)| end < wait.until);
        let (_, start) = self.0.get(before.checked_sub(1)?)?;
        wait.since.is_before(*start).then_some(*start)
    }
}

impl Ledger {
    /// The wait that the job's present assignment has ended, if it is certain that the job was there, in its
    /// queue, all the time.
    pub(crate) fn wait_ended(&self, id: JobId) -> Option<Wait> {
        let job = &self[id];
        let present = job.present()?;
        if self.may_be_lost_unread(job.function, Some(present.connection)) {
            return None;
        }
        self.wait(id, job.attempts.len() - 1, present.grab.place)
    }

    /// The wait that nothing has ended yet, if it is certain that the job waits still.
    pub(crate) fn wait_going_on(&self, id: JobId) -> Option<Wait> {
        let job = &self[id];
        if self.may_be_over(id) || self.is_asked_for(job.function, None) {
            return None;
        }
        self.wait(id, job.attempts.len(), self.now.place + 1)
    }

    /// The jobs that certainly wait still, and have done so for longer than any server may be late: when all is at rest,
    /// and workers are there that could do them, nobody ever will.
    pub(crate) fn left_waiting(&self) -> impl Iterator<Item = (JobId, Wait)> + '_ {
        let soon = Moment { at: back(self.now.at, LATE), ..self.now };
        let is_left = move |wait: &Wait| wait.kind != WaitKind::Due || wait.since.is_before(soon);
        self.job_ids().filter_map(move |job| Some((job, self.wait_going_on(job).filter(is_left)?)))
    }

    /// The wait before an attempt.
    fn wait(&self, id: JobId, attempt: usize, until: Place) -> Option<Wait> {
        let job = &self[id];
        if job.is_murky {
            return None;
        }
        let (kind, since, earliest) = match attempt.checked_sub(1) {
            None => match job.start {
                Start::AtOnce => (WaitKind::Fresh, Since::Place(job.seen), job.earliest),
                Start::At(_) => {
                    (WaitKind::Due, Since::Time(Moment { place: job.seen, at: job.due }), job.earliest)
                }
                Start::Unclear => return None,
            },
            Some(last) => self.wait_after(id, last)?,
        };
        let certain = since.place() < until && !self.may_have_gone_astray(job.function, earliest);
        certain.then_some(Wait { kind, since, until })
    }

    /// The wait that follows an attempt that was lost.
    fn wait_after(&self, id: JobId, attempt: usize) -> Option<(WaitKind, Since, Place)> {
        let attempt = &self[id].attempts[attempt];
        let may_be_lost = attempt.given_up.is_some() || self.link(attempt.connection)?.may_be_over();
        let expiry = self.surely_expired_at(attempt).filter(|_| !may_be_lost);
        let kind = if expiry.is_some() { WaitKind::Expired } else { WaitKind::Lost };
        let (since, earliest) = match (attempt.released, expiry) {
            (Some((place, Cause::Lost)), _) => (Since::Place(place), place),
            (_, Some(expiry)) => (Since::Time(expiry), expiry.place),
            (Some((place, _)), None) => (Since::Place(place), place),
            (None, None) => return None,
        };
        Some((kind, since, earliest))
    }

    /// A grab that was answered with NO_JOB while the job waited.
    pub(crate) fn passed_over(&self, id: JobId, wait: Wait) -> Option<Moment> {
        self.empties[usize::from(self[id].function)].within(wait)
    }

    /// Whether nobody but this connection can have been given the job without the history saying so.
    pub(crate) fn is_where_it_seems(&self, id: JobId, except: Connection) -> bool {
        let job = &self[id];
        !job.is_murky
            && !self.may_have_gone_astray(job.function, job.earliest)
            && !self.is_asked_for(job.function, Some(except))
    }
}

#[cfg(test)]
mod tests {
    use crate::judge::script::{SLEEPS, armed, left};

    #[test]
    fn what_waits_when_all_is_at_rest_waits_for_ever() {
        let since = ["H:1 (mail) has waited since #8 for a worker, and one that can do it sleeps since #5"];
        assert_eq!(left(&format!("{SLEEPS}\n all rest")), since);
        assert_eq!(
            left(&format!("{SLEEPS}\n w closes\n w ended\n all rest")),
            ["H:1 (mail) has waited since #8 for a worker"]
        );
        let lost = "v> can_do mail
            v> grab
            v< assign H:1 mail
            v closes
            v ended
            all rest";
        assert_eq!(left(&format!("{SLEEPS}\n {lost}")).len(), 1);
        // No rule is about that.
        assert_eq!(armed("wake-up", &format!("{SLEEPS}\n all rest")), 0);
    }

    #[test]
    fn who_may_have_been_given_or_have_ended_is_not_left() {
        let taken = "w> grab
            w< assign H:1 mail";
        let over = "w> complete H:1 done";
        let asked = "v> can_do mail
            v> grab";
        let cancelled = "c> cancel H:1";
        for why in [taken, &format!("{taken}\n {over}"), asked, cancelled, ""] {
            let rest = if why.is_empty() { "" } else { "all rest" };
            assert_eq!(left(&format!("{SLEEPS}\n {why}\n {rest}")), [""; 0], "{why}");
        }
    }
}
