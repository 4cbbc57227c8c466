//! The differences that stay.

use super::sights::End;

/// A difference that stays.
#[derive(Debug)]
pub(super) struct Accepted {
    /// The trouble's name.
    pub(super) name: &'static str,
    pub(super) end: End,
    /// What is seen on loopback.
    pub(super) real: &'static str,
    /// What follows from it, in a sentence without its full stop.
    pub(super) consequence: &'static str,
}

pub(super) const ALL: &[Accepted] = &[Accepted {
    name: "`server-crash`, a peer that reads nothing",
    end: End::Peer,
    real: "wrote 64; then EPIPE when it writes",
    consequence: "a program that only writes is not told here that nobody reads; no peer of ours is one, and the resets \
                  above show writers an error",
}];

/// The difference that is accepted of what this end sees of a trouble.
pub(super) fn accepted(name: &str, end: End) -> Option<&'static Accepted> {
    ALL.iter().find(|accepted| accepted.name == name && accepted.end == end)
}
