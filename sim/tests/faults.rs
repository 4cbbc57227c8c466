//! Each class of faults, alone, touches jobs.
#![expect(clippy::unwrap_used, reason = "a test that cannot go on says so with a panic")]

use gearman_sim::faults::FaultClass;
use gearman_sim::faults::tally::Touches;
use gearman_sim::plan::{Mix, Plan};
use gearman_sim::trial::{Conditions, Stage, hold};

/// What must happen for this class to have anything to do.
const fn needs(class: FaultClass) -> Option<FaultClass> {
    let needs_power = matches!(class, FaultClass::StoreLost | FaultClass::StoreTorn);
    if needs_power { Some(FaultClass::ServerPowerLoss) } else { None }
}

/// What a class has touched in the run of a seed that has no other faults.
fn touches(seed: u64, class: FaultClass) -> Touches {
    let needs = needs(class);
    let plan = Plan::draw(seed, &Mix::of(needs.into_iter().chain([class])));
    let conditions = Conditions::shipped(Stage::Turmoil);
    let outcome = hold(&plan, &conditions, Box::new(|_| {}));
    assert_eq!(outcome.failure, None, "seed {seed} with {class} alone");
    let tally = outcome.run.unwrap().tally;
    for &other in FaultClass::ALL.iter().filter(|other| **other != class && Some(**other) != needs) {
        assert_eq!(tally.of(other), Touches::default(), "{other} happened although only {class} may");
    }
    tally.of(class)
}

#[test]
fn each_class_alone_bites_within_a_few_seeds() {
    for &class in FaultClass::ALL {
        let bites = (0..20).any(|seed| touches(seed, class).bit > 0);
        assert!(bites, "{class} touched no job in twenty seeds");
    }
}
