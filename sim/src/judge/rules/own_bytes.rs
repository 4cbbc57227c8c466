//! What is heard was said.

use super::{About, Bench, Fact, Ledger, Rule, RuleInfo};

#[derive(Debug, Default)]
pub(super) struct OwnBytes;

impl Rule for OwnBytes {
    const INFO: RuleInfo = RuleInfo {
        name: "own-bytes",
        sentence: "What a watcher hears is what a worker of the job has said, byte for byte.",
        defends: &["H-107", "H-115", "H-205"],
    };

    fn see(&mut self, fact: &Fact<'_>, ledger: &Ledger, bench: &mut Bench) {
        match *fact {
            Fact::HeardNobody { connection, job, .. } => {
                let what = "a watcher heard a report that no worker of the job has written".to_owned();
                bench.accuse(About::job(ledger, job).at(connection), what);
            }
            Fact::Heard { .. } => bench.armed(),
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
        w> complete H:1 result";

    #[test]
    fn what_was_said_is_heard() {
        let script = format!("{SAID}\n c< complete H:1 result");
        assert_eq!((broken(&script), armed("own-bytes", &script)), (vec![], 1));
    }

    #[test]
    fn anything_else_is_wrong() {
        assert_eq!(broken(&format!("{SAID}\n c< complete H:1 resul")), ["own-bytes"]);
        assert_eq!(broken(&format!("{SAID}\n c< data H:1 result")), ["own-bytes"]);
    }

    #[test]
    fn after_an_exception_in_vain_it_may_be_the_word_of_the_next_attempt() {
        let said = "c> submit mail
            c< created H:1
            w> can_do mail 100
            w> grab
            w< assign H:1 mail
            w> exception H:1 oops
            w> grab
            w> complete H:1 done
            +100";
        assert_eq!(broken(&format!("{said}\n c< complete H:1 done")), [""; 0]);
        let unasked = said.replacen("w> grab\n            w> complete", "w> complete", 1);
        assert_eq!(broken(&format!("{unasked}\n c< complete H:1 done")), ["own-bytes"]);
    }

    #[test]
    fn it_may_be_the_word_of_a_worker_that_is_not_known_to_have_the_job_yet() {
        let script = "w> can_do mail
            c> submit mail
            w> grab
            w> data H:1 guess
            c< created H:1
            c< data H:1 guess";
        assert_eq!(broken(script), [""; 0]);
    }
}
