//! One peer's bytes are that peer's trouble.

use super::{About, Bench, Fact, Ledger, Rule, RuleInfo};
use crate::history::Closing;
use crate::judge::ledger::Question;

#[derive(Debug, Default)]
pub(super) struct BrokenPeerAlone;

impl Rule for BrokenPeerAlone {
    const INFO: RuleInfo = RuleInfo {
        name: "broken-peer-alone",
        sentence: "The server closes only connections whose own peer has left or sent what cannot be understood.",
        defends: &["H-017", "H-059", "H-087", "M5"],
    };

    fn see(&mut self, fact: &Fact<'_>, ledger: &Ledger, bench: &mut Bench) {
        match fact {
            Fact::Closed { connection, how: Closing::ByServer } => {
                let Some(link) = ledger.link(*connection) else { return };
                let had_left = link.peer_over.is_some_and(|place| place < ledger.now.place);
                if !link.is_garbled && !had_left {
                    let what = format!("{connection} was closed although its peer did nothing wrong");
                    bench.accuse(About::connection(*connection), what);
                }
            }
            Fact::Answered { asked, .. } if matches!(asked.question, Question::Malformed(_)) => bench.armed(),
            _ => {}
        }
    }
}

#[cfg(test)]
mod tests {
    use crate::judge::script::{armed, broken};

    #[test]
    fn who_sends_garbage_is_closed() {
        let script = "m> garbage
            m< bad_magic
            m is closed";
        assert_eq!((broken(script), armed("broken-peer-alone", script)), (vec![], 1));
    }

    #[test]
    fn who_does_nothing_wrong_is_not() {
        assert_eq!(broken("c> echo x\n m> garbage\n c is closed"), ["broken-peer-alone"]);
        assert_eq!(broken("m> nonsense\n m is closed"), ["broken-peer-alone"]);
    }

    #[test]
    fn a_server_that_is_told_to_end_closes_nobody_before_it_ends() {
        assert_eq!(broken("c> echo x\n server drains\n c is closed"), ["broken-peer-alone"]);
        // Whoever was not let in yet is reset.
        assert_eq!(broken("c> echo x\n server drains\n c is reset"), [""; 0]);
        assert_eq!(broken("c> echo x\n server drains\n server ends\n server down\n c' is closed"), [""; 0]);
    }

    #[test]
    fn a_peer_that_has_left_or_was_cut_off_is_not_the_servers_doing() {
        assert_eq!(broken("c> echo x\n c half-closes\n c is closed"), [""; 0]);
        assert_eq!(broken("c> echo x\n c is reset"), [""; 0]);
        assert_eq!(broken("c> echo x\n c is cut"), [""; 0]);
    }

    #[test]
    fn whether_the_nonsense_or_the_end_was_read_first_is_open() {
        // No answer tells that the server has read what is nonsense, or that its peer has left.
        assert_eq!(broken("m> garbage\n m is closed"), [""; 0]);
        assert_eq!(broken("c> echo x\n c half-closes\n c< echo x\n c is closed"), [""; 0]);
    }
}
