//! Everybody who watches hears everything.

use super::{About, Bench, Fact, Ledger, Rule, RuleInfo};

#[derive(Debug, Default)]
pub(super) struct WatchersHearAll;

impl Rule for WatchersHearAll {
    const INFO: RuleInfo = RuleInfo {
        name: "watchers-hear-all",
        sentence: "Every watcher hears every report of the job, in order, as often as it is attached.",
        defends: &["H-045", "K3"],
    };

    fn see(&mut self, fact: &Fact<'_>, ledger: &Ledger, bench: &mut Bench) {
        match *fact {
            Fact::Gap { connection, job } => {
                let what = "a watcher has missed a report".to_owned();
                bench.accuse(About::job(ledger, job).at(connection), what);
            }
            Fact::TooSeldom { connection, job } => {
                let what = "a watcher heard a report less often than it is attached".to_owned();
                bench.accuse(About::job(ledger, job).at(connection), what);
            }
            Fact::Heard { report, .. } if !report.is_terminal() => bench.armed(),
            _ => {}
        }
    }
}

#[cfg(test)]
mod tests {
    use crate::judge::script::{armed, broken};

    const SAID: &str = "c> submit mail
        c< created H:1
        w> can_do mail
        w> grab
        w< assign H:1 mail
        w> data H:1 one
        w> data H:1 two
        w> complete H:1 three";

    #[test]
    fn everything_in_order_is_right() {
        let script = format!("{SAID}\n c< data H:1 one\n c< data H:1 two\n c< complete H:1 three");
        assert_eq!((broken(&script), armed("watchers-hear-all", &script)), (vec![], 2));
    }

    #[test]
    fn a_gap_is_wrong() {
        let script = format!("{SAID}\n c< data H:1 one\n c< complete H:1 three");
        assert_eq!(broken(&script), ["watchers-hear-all"]);
        assert_eq!(broken(&format!("{SAID}\n c< data H:1 two")), ["watchers-hear-all"]);
    }

    #[test]
    fn what_was_said_between_two_attempts_of_one_worker_is_lost() {
        let timed = "c> submit mail
            c< created H:1
            w> can_do mail 100
            w> grab
            w< assign H:1 mail
            w> data H:1 one
            w> data H:1 two";
        assert_eq!(broken(&format!("{timed}\n +100\n c< data H:1 two")), ["watchers-hear-all"]);
        let asking = timed.replace("w> data H:1 one", "w> grab\n w> data H:1 one");
        assert_eq!(broken(&format!("{asking}\n +99\n c< data H:1 two")), ["watchers-hear-all"]);
        assert_eq!(broken(&format!("{asking}\n +100\n c< data H:1 two")), [""; 0]);
        // The answer says that both belong to the second attempt, and what was said before it was asked for does not.
        let again = format!("{asking}\n +100\n w< assign H:1 mail\n c< data H:1 two");
        assert_eq!(broken(&again), ["watchers-hear-all"]);
        let between = timed.replace("w> data H:1 two", "w> grab\n w> data H:1 two");
        let again = format!("{between}\n +100\n w< assign H:1 mail\n c< data H:1 two");
        assert_eq!(broken(&again), [""; 0]);
    }

    #[test]
    fn who_is_attached_twice_hears_everything_twice() {
        let twice = SAID.replacen("c> submit mail", "c> submit mail key=k\n c> submit mail key=k\n c< created H:1", 1);
        let right = format!("{twice}\n c< data H:1 one\n c< data H:1 one\n c< data H:1 two");
        assert_eq!(broken(&right), [""; 0]);
        assert_eq!(broken(&format!("{twice}\n c< data H:1 one\n c< data H:1 two")), ["watchers-hear-all"]);
    }

    #[test]
    fn who_may_have_come_later_need_not_have_heard_the_beginning() {
        let script = "c> submit mail key=k
            c< created H:1
            w> can_do mail
            w> grab
            w< assign H:1 mail
            w> data H:1 one
            d> submit mail key=k
            w> data H:1 two
            d< created H:1
            d< data H:1 two";
        assert_eq!(broken(script), [""; 0]);
    }

    #[test]
    fn what_a_lost_worker_said_may_be_lost_with_it() {
        let script = "c> submit mail
            c< created H:1
            w1> can_do mail
            w1> grab
            w1< assign H:1 mail
            w1> data H:1 one
            w1 closes
            w1 ended
            w2> can_do mail
            w2> grab
            w2< assign H:1 mail
            w2> data H:1 two
            c< data H:1 two";
        assert_eq!(broken(script), [""; 0]);
    }
}
