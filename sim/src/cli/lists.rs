//! What there is, a line each.

use super::Exit;
use crate::faults::FaultClass;
use crate::judge;

pub(super) fn rules() -> Exit {
    let rules = judge::rules();
    rules.iter().for_each(|rule| say!("{:<24} {}", rule.name, rule.sentence));
    say!("{} rules", rules.len());
    Exit::Clean
}

pub(super) fn faults() -> Exit {
    let classes = FaultClass::ALL;
    classes.iter().for_each(|class| say!("{class:<18} {}", class.sentence()));
    say!("{} classes of faults", classes.len());
    Exit::Clean
}
