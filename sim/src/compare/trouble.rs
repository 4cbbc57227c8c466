//! What is made to go wrong on both networks, and what is not, with the reason.

use super::scene::Habit;
use crate::faults::FaultClass;
use crate::faults::schedule::{Deed, Lanes, Last, Outcome, Reception, Whom};

/// Something that goes wrong while a peer asks a server.
#[derive(Clone, Debug)]
pub(super) struct Trouble {
    /// What sets it apart from others of its class.
    pub(super) variant: &'static str,
    pub(super) what: Wrong,
    /// What the peer does meanwhile.
    pub(super) habit: Habit,
}

/// What goes wrong.
#[derive(Clone, Debug)]
pub(super) enum Wrong {
    /// Every read and write is hit.
    Each(FaultClass),
    /// One deed of a plan; how long it lasts and whom it meets is not read.
    Once(Deed),
}

impl Trouble {
    pub(super) const fn class(&self) -> FaultClass {
        match &self.what {
            Wrong::Each(class) => *class,
            Wrong::Once(deed) => deed.class(),
        }
    }

    /// Whether the peer's next gate opens when it has just happened.
    pub(super) fn opens_when_it_happens(&self) -> bool {
        !self.habit.is_early() || self.habit.leaves()
    }

    /// Its name in the table.
    pub(super) fn name(&self) -> String {
        let class = self.class();
        if self.variant.is_empty() { format!("`{class}`") } else { format!("`{class}`, {}", self.variant) }
    }
}

const WHOM: Whom = Whom::Mover;
const BOTH: Lanes = Lanes::Both;

/// Every trouble that both networks can make.
pub(super) fn troubles() -> Vec<Trouble> {
    let each = |class| Trouble { variant: "", what: Wrong::Each(class), habit: Habit::Reads };
    let merge = Trouble { habit: Habit::AsksTwice, ..each(FaultClass::MergeWrite) };
    let to = |habit, variant, deed| Trouble { variant, what: Wrong::Once(deed), habit };
    let once = |variant, deed| to(Habit::Reads, variant, deed);
    let stall = |lanes, then| Deed::Stall { whom: WHOM, lanes, for_ms: 0, then };
    let dribble = |lanes| Deed::Dribble { whom: WHOM, lanes, bytes: 5, for_ms: 0 };
    // So slow that it takes nothing before all is well.
    let slow = Deed::SlowReader { whom: WHOM, bytes: 5, every: 1000, window: 16, for_ms: 0 };
    let cut = |lanes, last| Deed::Cut { whom: WHOM, lanes, last };
    let door = |reception| Deed::Door { whom: WHOM, reception, for_ms: 0 };
    let partition = |lanes, then| Deed::Partition { hosts: Vec::new(), server: None, lanes, for_ms: 0, then };
    let server_crash = || Deed::ServerCrash { server: 0, down_ms: 0 };
    let crash = || Deed::WorkerCrash { host: 0, down_ms: 0 };
    let leave = || Deed::Leave { whom: WHOM };
    vec![
        each(FaultClass::ShortRead),
        each(FaultClass::SplitWrite),
        merge,
        each(FaultClass::Delay),
        once("", dribble(BOTH)),
        to(Habit::AsksMuch, "", slow),
        once("", stall(BOTH, Outcome::Heals)),
        once("only requests", stall(Lanes::ToServer, Outcome::Heals)),
        once("only answers", stall(Lanes::FromServer, Outcome::Heals)),
        once("", stall(BOTH, Outcome::Breaks)),
        once("only requests", stall(Lanes::ToServer, Outcome::Breaks)),
        once("only answers", stall(Lanes::FromServer, Outcome::Breaks)),
        once("", Deed::HalfOpen { whom: WHOM, for_ms: 0 }),
        once("a request", cut(Lanes::ToServer, Last::Reset)),
        once("an answer", cut(Lanes::FromServer, Last::Reset)),
        once("a request", cut(Lanes::ToServer, Last::Fin)),
        once("an answer", cut(Lanes::FromServer, Last::Fin)),
        once("", door(Reception::Refuses)),
        once("", door(Reception::Hangs)),
        once("", door(Reception::Closes)),
        to(Habit::AreTwo, "", Deed::ReconnectStorm { hosts: Vec::new(), for_ms: 0 }),
        once("heals", partition(BOTH, Outcome::Heals)),
        once("breaks", partition(BOTH, Outcome::Breaks)),
        once("to the server, heals", partition(Lanes::ToServer, Outcome::Heals)),
        once("from the server, heals", partition(Lanes::FromServer, Outcome::Heals)),
        once("to the server, breaks", partition(Lanes::ToServer, Outcome::Breaks)),
        once("from the server, breaks", partition(Lanes::FromServer, Outcome::Breaks)),
        once("", server_crash()),
        to(Habit::WritesOn, "a peer that reads nothing", server_crash()),
        once("", Deed::ServerPause { server: 0, for_ms: 0 }),
        once("", crash()),
        to(Habit::Ignores, "an answer unread", crash()),
        once("", Deed::WorkerPause { host: 0, for_ms: 0 }),
        to(Habit::Leaves, "", leave()),
        to(Habit::LeavesHalf, "half of an answer unread", leave()),
        to(Habit::LeavesAll, "an answer unread", leave()),
    ]
}

/// Why a class is not compared, if it is not.
pub(super) const fn reason(class: FaultClass) -> Option<&'static str> {
    match class {
        FaultClass::ServerPowerLoss => Some(
            "the kernel of one machine always tells for a process that it is gone; what a host that is back says to \
             segments of connections that it does not know is a reset (RFC 9293, 3.5.1), which is what follows under turmoil",
        ),
        FaultClass::ServerDrain => Some(
            "the kernel closes the connections of a process that ends by itself as it does those of one that was killed, \
             which is server-crash; who is connected and not let in when it stops listening is reset, under turmoil as \
             by Linux (inet_csk_listen_stop)",
        ),
        FaultClass::JobTimeout | FaultClass::CallTimeout | FaultClass::HostileBytes => {
            Some("it is a habit of a program: what travels is what it writes, on any network")
        }
        FaultClass::ClockStep => Some(
            "it is a clock's and not a network's, and clock_settime(2) would set that of the whole machine; connections \
             do not know the time of day",
        ),
        FaultClass::StoreSlow
        | FaultClass::StoreFail
        | FaultClass::StoreReorder
        | FaultClass::StoreLost
        | FaultClass::StoreTorn => Some(
            "it is a disk's and not a network's; it follows write(2) and fsync(2), and is told to peers in packets alone",
        ),
        FaultClass::ShortRead
        | FaultClass::SplitWrite
        | FaultClass::MergeWrite
        | FaultClass::Dribble
        | FaultClass::Delay
        | FaultClass::SlowReader
        | FaultClass::StallHeal
        | FaultClass::StallReset
        | FaultClass::HalfOpen
        | FaultClass::ResetMidPacket
        | FaultClass::FinMidPacket
        | FaultClass::ConnectRefused
        | FaultClass::ConnectHang
        | FaultClass::AcceptClose
        | FaultClass::ReconnectStorm
        | FaultClass::Partition
        | FaultClass::PartitionOneWay
        | FaultClass::ServerCrash
        | FaultClass::ServerPause
        | FaultClass::WorkerCrash
        | FaultClass::WorkerPause
        | FaultClass::ClientLeave => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_class_is_compared_or_there_is_a_reason() {
        let troubles = troubles();
        for &class in FaultClass::ALL {
            let is_compared = troubles.iter().any(|trouble| trouble.class() == class);
            assert_ne!(is_compared, reason(class).is_some(), "{class}");
        }
    }
}
