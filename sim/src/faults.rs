//! The bad things that can happen, by name.

pub mod schedule;
pub mod tally;

use serde::{Deserialize, Serialize};
use std::fmt;

macro_rules! fault_classes {
    ($( $variant:ident $name:literal $place:ident $sentence:literal; )*) => {
        /// A class of faults; each is on or off per seed.
        #[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
        #[serde(rename_all = "kebab-case")]
        pub enum FaultClass {
            $(
                #[doc = concat!("`", $name, "`: ", $sentence, ".")]
                $variant,
            )*
        }

        impl FaultClass {
            /// Every class.
            pub const ALL: &'static [Self] = &[$(Self::$variant),*];

            /// Its name in plans, lists and reports.
            #[must_use]
            pub const fn name(self) -> &'static str {
                match self {
                    $(Self::$variant => $name,)*
                }
            }

            /// Whether it can happen on bare doors too, without hosts and a network between them.
            #[must_use]
            pub const fn needs_no_network(self) -> bool {
                match self {
                    $(Self::$variant => matches!(Place::$place, Place::Anywhere),)*
                }
            }

            /// What it does, in a sentence without its full stop.
            #[must_use]
            pub const fn sentence(self) -> &'static str {
                match self {
                    $(Self::$variant => $sentence,)*
                }
            }
        }
    };
}

/// Where a class of faults can happen.
enum Place {
    /// Between hosts.
    Network,
    /// On bare doors too: it is a habit of actors, the store's, or the server's end.
    Anywhere,
}

fault_classes! {
    ShortRead "short-read" Network "a read returns fewer bytes than have arrived";
    SplitWrite "split-write" Network "a write takes only its first bytes, and the rest must wait for some ticks";
    MergeWrite "merge-write" Network "bytes of several writes travel together, later than they could";
    Dribble "dribble" Network "a connection's bytes arrive a few at a time for a while";
    Delay "delay" Network "bytes arrive some ticks later than they could";
    SlowReader "slow-reader" Network "a peer takes little at a time for a while, and has little room for what waits";
    StallHeal "stall-heal" Network "a connection's bytes stand still for a while, in one direction or both, then arrive";
    StallReset "stall-reset" Network "a connection stands still for a while, then breaks at both ends";
    HalfOpen "half-open" Network "a connection ends at its peer, and the server is told much later, by a reset";
    ResetMidPacket "reset-mid-packet" Network "a part of a message passes, and then its reader gets a reset";
    FinMidPacket "fin-mid-packet" Network "a part of a message passes, and then its reader gets the end of the stream";
    ConnectRefused "connect-refused" Network "a connection breaks, and its peer is refused for a while when it dials";
    ConnectHang "connect-hang" Network "a connection breaks, and its peer waits for a while when it dials";
    AcceptClose "accept-close" Network "a connection breaks, and those that its peer dials for a while are made and closed at once";
    ReconnectStorm "reconnect-storm" Network "all connections of some hosts break, and after a while all dial at one moment";
    Partition "partition" Network "some hosts and the server cannot reach each other; then they can, or give up";
    PartitionOneWay "partition-one-way" Network "bytes between some hosts and the server pass in one direction only";
    ServerCrash "server-crash" Anywhere "the server's process dies, and starts again with what its store has, if it has one";
    ServerPowerLoss "server-power-loss" Anywhere "the server's host goes dark without a word, and starts again with what was written for certain";
    ServerDrain "server-drain" Anywhere "the server is told to end: it takes nothing new, finishes what it can, ends, and starts again";
    ServerPause "server-pause" Network "the server's process stands still for a while";
    WorkerCrash "worker-crash" Network "all workers of a host die with the jobs they hold, and start again";
    WorkerPause "worker-pause" Network "all workers of a host stand still for a while with the jobs they hold";
    ClientLeave "client-leave" Anywhere "a client closes its connection without waiting for anything";
    JobTimeout "job-timeout" Anywhere "a worker takes longer for a job than the limit it registered";
    ClockStep "clock-step" Anywhere "the wall clock of all servers is set, forwards or back, while a job waits for its time";
    CallTimeout "call-timeout" Anywhere "a client gives up a call that takes too long";
    HostileBytes "hostile-bytes" Anywhere "bytes arrive that no honest peer would send";
    StoreSlow "store-slow" Anywhere "the store takes long to keep a record";
    StoreFail "store-fail" Anywhere "the store cannot keep a record, and says so";
    StoreReorder "store-reorder" Anywhere "the store is done with a record before one that it was given earlier";
    StoreLost "store-lost" Anywhere "all that the store was still writing is gone after a loss of power";
    StoreTorn "store-torn" Anywhere "a record that was being written is half there after a loss of power";
}

impl FaultClass {
    /// Whether it hits single reads or writes, by the hundred in a run.
    #[must_use]
    pub const fn hits_single_writes(self) -> bool {
        matches!(self, Self::ShortRead | Self::SplitWrite | Self::MergeWrite | Self::Delay)
    }

    /// Whether a server ends by it.
    #[must_use]
    pub const fn ends_a_server(self) -> bool {
        matches!(self, Self::ServerCrash | Self::ServerPowerLoss | Self::ServerDrain)
    }

    /// Whether it is a store's.
    #[must_use]
    pub const fn is_of_a_store(self) -> bool {
        matches!(
            self,
            Self::StoreSlow | Self::StoreFail | Self::StoreReorder | Self::StoreLost | Self::StoreTorn
        )
    }

    /// Whether a plan says how often it happens, rather than when.
    #[must_use]
    pub const fn has_a_rate(self) -> bool {
        self.hits_single_writes() || self.is_of_a_store()
    }

    /// The class with this name.
    #[must_use]
    pub fn from_name(name: &str) -> Option<Self> {
        Self::ALL.iter().copied().find(|class| class.name() == name)
    }
}

impl fmt::Display for FaultClass {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(self.name())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_class_has_one_name_everywhere() {
        for &class in FaultClass::ALL {
            assert_eq!(FaultClass::from_name(class.name()), Some(class));
            assert_eq!(serde_json::to_string(&class).unwrap(), format!("\"{class}\""));
        }
        assert_eq!(FaultClass::from_name("sharknado"), None);
    }
}
