//! A handle means something to the server that has given it out, and to no other.

use super::{About, Bench, Fact, Ledger, Rule, RuleInfo};

#[derive(Debug, Default)]
pub(super) struct OneServersHandle;

impl Rule for OneServersHandle {
    const INFO: RuleInfo = RuleInfo {
        name: "one-servers-handle",
        sentence: "Of several servers, one knows no job by a handle that another one has given out.",
        defends: &["H-120", "K21"],
    };

    fn see(&mut self, fact: &Fact<'_>, _: &Ledger, bench: &mut Bench) {
        if let Fact::StatusOfAnother { connection, giver, status } = fact {
            bench.armed();
            if status.known {
                let what = format!("the status of {} says that it is known, and it is a job of the {giver}", status.handle);
                bench.accuse(About::connection(*connection), what);
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use crate::judge::script::{armed, broken};

    const ASKED: &str = "server-2 up
        c> submit mail bg
        c< created H:1
        c@2> get_status H:1";

    #[test]
    fn another_servers_job_is_not_known() {
        let script = format!("{ASKED}\n c@2< unknown H:1");
        assert_eq!((broken(&script), armed("one-servers-handle", &script)), (vec![], 1));
    }

    #[test]
    fn who_knows_it_all_the_same_is_wrong() {
        assert_eq!(broken(&format!("{ASKED}\n c@2< known H:1")), ["one-servers-handle"]);
    }

    #[test]
    fn a_handle_that_nobody_has_been_told_yet_may_be_anybodys() {
        let script = "server-2 up
            c> submit mail bg
            c@2> get_status H:1
            c@2< known H:1
            c< created H:1";
        assert_eq!((broken(script), armed("one-servers-handle", script)), (vec![], 0));
    }
}
