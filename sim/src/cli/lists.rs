//! What there is, a line each.

use super::Exit;
use crate::faults::FaultClass;
use crate::judge;
use crate::saboteur::Sabotage;

pub(super) fn rules() -> Exit {
    let rules = judge::rules();
    for rule in rules {
        say!("{:<24} {} ({})", rule.name, rule.sentence, rule.defends.join(", "));
    }
    say!("{} rules", rules.len());
    Exit::Clean
}

pub(super) fn faults() -> Exit {
    let classes = FaultClass::ALL;
    classes.iter().for_each(|class| say!("{class:<18} {}", class.sentence()));
    say!("{} classes of faults", classes.len());
    Exit::Clean
}

pub(super) fn sabotages(sabotages: &[Sabotage]) -> Exit {
    for Sabotage { name, rule, sentence, cites, needle, .. } in sabotages {
        let needle = needle.map_or_else(String::new, |things| format!("; needle: {things}"));
        say!("{name:<28} {rule:<22} {sentence} ({}){needle}", cites.join(", "));
    }
    let needles = sabotages.iter().filter(|sabotage| sabotage.needle.is_some()).count();
    say!(
        "{} sabotages; {needles} are needles, for which three things or more must come together",
        sabotages.len()
    );
    Exit::Clean
}
