//! Several servers do not know of each other: whoever asks two of them for one thing gets it twice.

use super::{About, Bench, Fact, Ledger, Rule, RuleInfo};

#[derive(Debug, Default)]
pub(super) struct AskedOfOne;

impl Rule for AskedOfOne {
    const INFO: RuleInfo = RuleInfo {
        name: "asked-of-one",
        sentence: "What a peer asks of one server it asks of no other while it is connected to that one.",
        defends: &["J1"],
    };

    fn see(&mut self, fact: &Fact<'_>, _: &Ledger, bench: &mut Bench) {
        if let Fact::Asked { connection, elsewhere } = fact {
            bench.armed();
            if let Some(elsewhere) = elsewhere {
                let what = format!("{connection} asks for what its peer has asked for on {elsewhere}, of another server");
                bench.accuse(About::connection(*connection), what);
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use crate::judge::script::{armed, broken};

    #[test]
    fn different_things_may_be_asked_of_different_servers() {
        let script = "server-2 up
            c> submit mail w=one
            c@2> submit mail w=two";
        assert_eq!((broken(script), armed("asked-of-one", script)), (vec![], 2));
    }

    #[test]
    fn the_same_of_two_at_once_is_wrong() {
        assert_eq!(broken("server-2 up\n c> submit mail w=one\n c@2> submit mail w=one"), ["asked-of-one"]);
    }

    #[test]
    fn who_has_lost_the_first_may_ask_the_second_and_another_peer_may_want_the_same() {
        assert_eq!(broken("server-2 up\n c> submit mail w=one\n c is reset\n c@2> submit mail w=one"), [""; 0]);
        assert_eq!(broken("server-2 up\n c> submit mail w=one\n d> echo x\n d@2> submit mail w=one"), [""; 0]);
    }

    #[test]
    fn who_may_have_lost_the_first_is_not_accused_before_it_is_known() {
        // Its first server is gone, and the peer may have heard of that.
        assert_eq!(broken("server-2 up\n c> submit mail w=one\n server down\n c@2> submit mail w=one"), [""; 0]);
    }
}
