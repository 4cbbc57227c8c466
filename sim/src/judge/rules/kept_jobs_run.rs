//! What was acknowledged outlives the process.

use super::{About, Bench, Fact, Ledger, Rule, RuleInfo};
use crate::history::Place;
use gearman_protocol::Handle;

#[derive(Debug, Default)]
pub(super) struct KeptJobsRun;

impl Rule for KeptJobsRun {
    const INFO: RuleInfo = RuleInfo {
        name: "kept-jobs-run",
        sentence: "A background job that a server with a store has acknowledged is handed out after its restart.",
        defends: &["H-018", "H-037", "H-038", "H-110"],
    };

    fn see(&mut self, fact: &Fact<'_>, ledger: &Ledger, bench: &mut Bench) {
        match fact {
            Fact::Restarted if ledger.legacies.has_any(false) => bench.armed(),
            Fact::Missing { handle, grab } => accuse(handle, *grab, bench),
            Fact::Finished => ledger.missing().iter().for_each(|(handle, grab)| accuse(handle, *grab, bench)),
            _ => {}
        }
    }
}

fn accuse(handle: &Handle, grab: Place, bench: &mut Bench) {
    let about = About { handle: Some(handle.clone()), connection: None };
    let what = format!("{handle} was acknowledged before the restart, and the grab #{grab} was told that there is no job");
    bench.accuse(about, what);
}

#[cfg(test)]
mod tests {
    use crate::judge::script::{armed_on, broken, broken_on, with_store};

    const ACKNOWLEDGED: &str = "c> submit mail bg w=one
        c< created H:1
        server down
        server up
        w> can_do mail
        w> grab";

    #[test]
    fn what_was_kept_is_there_after_the_restart() {
        let script = format!("{ACKNOWLEDGED}\n w< assign H:1 mail w=one");
        assert_eq!(broken_on(with_store(), &script), [""; 0]);
        assert_eq!(armed_on(with_store(), "kept-jobs-run", &script), 1);
    }

    #[test]
    fn what_is_not_there_is_missing() {
        let script = format!("{ACKNOWLEDGED}\n w< no_job");
        assert_eq!(broken_on(with_store(), &script), ["kept-jobs-run"]);
        assert_eq!(broken_on(with_store(), &format!("{script}\n server down")), ["kept-jobs-run"]);
        // Without a store nothing was promised.
        assert_eq!(broken(&script), [""; 0]);
    }

    #[test]
    fn a_key_that_others_use_makes_it_another_matter() {
        let keyed = ACKNOWLEDGED.replace("bg w=one", "key=k bg w=one");
        assert_eq!(broken_on(with_store(), &format!("{keyed}\n w< no_job")), ["kept-jobs-run"]);
        let shared = keyed.replace("server up", "server up\n d> submit mail key=k bg w=two");
        assert_eq!(broken_on(with_store(), &format!("{shared}\n w< no_job")), [""; 0]);
    }

    #[test]
    fn what_nobody_asked_for_in_one_life_is_there_in_the_next() {
        let again = ACKNOWLEDGED.replace("server up", "server up\n server down\n server up");
        assert_eq!(broken_on(with_store(), &format!("{again}\n w< no_job")), ["kept-jobs-run"]);
        assert_eq!(broken_on(with_store(), &format!("{again}\n w< assign H:1 mail w=one")), [""; 0]);
    }

    #[test]
    fn what_another_may_have_been_given_or_was_not_acknowledged_is_not_missed() {
        let astray = format!("{ACKNOWLEDGED}\n v> can_do mail\n v> grab\n w< no_job");
        assert_eq!(broken_on(with_store(), &astray), [""; 0]);
        assert_eq!(broken_on(with_store(), &format!("{astray}\n v closes")), [""; 0]);
        let unread = format!("{ACKNOWLEDGED}\n w< no_job").replace("c< created H:1", "");
        assert_eq!(broken_on(with_store(), &unread), [""; 0]);
        let cancelled = format!("{ACKNOWLEDGED}\n w< no_job").replace("server down", "d> cancel H:1\n server down");
        assert_eq!(broken_on(with_store(), &cancelled), [""; 0]);
        let foreground = format!("{ACKNOWLEDGED}\n w< no_job").replace(" bg", "");
        assert_eq!(broken_on(with_store(), &foreground), [""; 0]);
    }
}
