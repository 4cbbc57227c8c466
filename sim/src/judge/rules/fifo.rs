//! First in, first out.

use super::{About, Bench, Fact, Ledger, Rule, RuleInfo};
use crate::history::Connection;
use crate::judge::ledger::{Function, JobId, Map, Moment, Passes, Since, Start, Wait, WaitKind};
use gearman_protocol::Priority;

/// For each function and priority, which jobs were handed out when; and the same for each submitting connection
/// alone, whose submits are in order even if their answers are not there yet.
#[derive(Debug, Default)]
pub(super) struct Fifo {
    all: Map<(Function, Priority), Passes>,
    by_connection: Map<(Function, Priority, Connection), Passes>,
}

impl Rule for Fifo {
    const INFO: RuleInfo = RuleInfo {
        name: "fifo",
        sentence: "Jobs of one function and one priority that were never requeued are handed out as they came.",
        defends: &["H-021", "H-075", "O4"],
    };

    fn see(&mut self, fact: &Fact<'_>, ledger: &Ledger, bench: &mut Bench) {
        match *fact {
            Fact::Restarted => *self = Self::default(),
            Fact::Waited { job, wait } if wait.kind == WaitKind::Fresh => {
                if let Some(other) = self.overtaker(job, wait, ledger, bench) {
                    let what = format!("a job that was submitted later, at or after #{}, was handed out before", other.place);
                    bench.accuse(About::job(ledger, job), what);
                }
            }
            Fact::Assigned { job, attempt: 0, .. } => self.remember(job, ledger),
            _ => {}
        }
    }
}

impl Fifo {
    /// A later job that was handed out while this one waited.
    fn overtaker(&self, id: JobId, wait: Wait, ledger: &Ledger, bench: &mut Bench) -> Option<Moment> {
        let job = &ledger[id];
        let priority = job.priority?;
        bench.armed();
        let all = self.all.get(&(job.function, priority)).and_then(|passes| passes.within(wait));
        let same_connection = || {
            let maker = ledger.submit(job.maker?);
            // A store may be done with the later of two records first.
            if ledger.terms.store.is_some() && maker.is_background {
                return None;
            }
            let wait = Wait { since: Since::Place(maker.wrote.place), ..wait };
            self.by_connection.get(&(job.function, priority, maker.connection))?.within(wait)
        };
        all.or_else(same_connection)
    }

    /// A job was handed out for the first time.
    fn remember(&mut self, id: JobId, ledger: &Ledger) {
        let (job, now) = (&ledger[id], ledger.now);
        // One that waited for its time has come to its queue later than it was submitted.
        let is_plain = !job.is_murky && job.start == Start::AtOnce;
        let Some(priority) = job.priority.filter(|_| is_plain) else { return };
        let start = Moment { place: job.earliest, at: now.at };
        self.all.entry((job.function, priority)).or_default().push(start, now.place);
        if let Some(maker) = job.maker.map(|maker| ledger.submit(maker)) {
            let key = (job.function, priority, maker.connection);
            self.by_connection.entry(key).or_default().push(maker.wrote, now.place);
        }
    }
}

#[cfg(test)]
mod tests {
    use crate::judge::script::{armed, broken};

    const TWO: &str = "c> submit mail bg w=one
        c< created H:1
        d> submit mail bg w=two
        d< created H:2
        w> can_do mail
        w> grab";

    #[test]
    fn first_in_first_out() {
        let script = format!("{TWO}\n w< assign H:1 mail w=one\n w> grab\n w< assign H:2 mail w=two");
        assert_eq!((broken(&script), armed("fifo", &script)), (vec![], 2));
    }

    #[test]
    fn last_in_first_out_is_wrong() {
        let script = format!("{TWO}\n w< assign H:2 mail w=two\n w> grab\n w< assign H:1 mail w=one");
        assert_eq!(broken(&script), ["fifo"]);
    }

    #[test]
    fn submits_of_one_connection_are_in_order_before_they_are_answered() {
        let script = "c> submit mail bg w=one
            c> submit mail bg w=two
            c< created H:1
            c< created H:2
            w> can_do mail
            w> grab
            w< assign H:2 mail w=two
            w> grab
            w< assign H:1 mail w=one";
        assert_eq!(broken(script), ["fifo"]);
    }

    #[test]
    fn where_the_order_is_open_any_will_do() {
        // Two clients at once.
        let submits = "c> submit mail bg w=one
            d> submit mail bg w=two
            c< created H:1
            d< created H:2
            w> can_do mail
            w> grab
            w< assign H:2 mail w=two
            w> grab
            w< assign H:1 mail w=one";
        assert_eq!(broken(submits), [""; 0]);
        // Two grabs at once.
        let grabs = format!("v> can_do mail\n v> grab\n{TWO}\n w< assign H:2 mail w=two\n v< assign H:1 mail w=one");
        assert_eq!(broken(&grabs), [""; 0]);
    }

    #[test]
    fn what_was_requeued_is_at_the_back() {
        let script = format!(
            "{TWO}\n w< assign H:1 mail w=one\n w closes\n w ended\n v> can_do mail\n v> grab\n v< assign H:2 mail w=two
             v> grab\n v< assign H:1 mail w=one"
        );
        assert_eq!(broken(&script), [""; 0]);
        // Somebody who never read so may have been given the first one and have lost it.
        let unread = format!("u> can_do mail\n{TWO}\n u> grab\n u closes\n w< assign H:2 mail w=two\n w> grab\n w< assign H:1 mail w=one");
        assert_eq!(broken(&unread), [""; 0]);
    }
}
