//! Each class of faults on two networks: what programs see of it under turmoil, and what between two processes of
//! this machine.
//!
//! Bytes, their order, and how a connection ends are compared; time is not.

mod accepted;
mod loopback;
mod proxy;
mod scene;
mod sights;
mod simulated;
mod trouble;
mod witness;

pub(crate) use loopback::play;
pub(crate) use scene::Habit;

use crate::faults::FaultClass;
use accepted::{Accepted, accepted};
use sights::End;
use std::fmt::{self, Write};
use std::io;
use std::panic::resume_unwind;
use std::thread;
use trouble::{Trouble, reason, troubles};

/// So many troubles are made at one time: they wait more than they work.
const AT_ONCE: usize = 8;

/// A trouble as one end sees it.
struct Row {
    name: String,
    end: End,
    simulated: String,
    real: String,
    accepted: Option<&'static Accepted>,
}

impl Row {
    /// What is wrong with it: an unexpected difference, or one that is expected and is not there.
    fn complaint(&self) -> Option<String> {
        let Self { name, end, simulated, real, accepted } = self;
        let wrong = match accepted {
            None if simulated == real => return None,
            None => {
                format!("{simulated:?} under turmoil, {real:?} on loopback, and nobody has accepted that")
            }
            Some(_) if simulated == real => format!("{real:?} on both, and a difference is accepted"),
            Some(accepted) if accepted.real != real => {
                format!("{real:?} on loopback, and {:?} is accepted", accepted.real)
            }
            Some(_) => return None,
        };
        Some(format!("{name}, {end}: {wrong}; mend sim/src/network or sim/src/compare/accepted.rs"))
    }
}

/// The table of all troubles of some classes.
pub(crate) struct Table {
    classes: Vec<FaultClass>,
    rows: Vec<Row>,
}

impl Table {
    /// Makes every trouble of these classes on both networks.
    ///
    /// # Errors
    /// The machine gives no sockets or processes.
    pub(crate) fn make(classes: &[FaultClass]) -> io::Result<Self> {
        let troubles: Vec<Trouble> =
            troubles().into_iter().filter(|trouble| classes.contains(&trouble.class())).collect();
        let mut rows = Vec::new();
        for some in troubles.chunks(AT_ONCE) {
            let seen: Vec<io::Result<[Row; 2]>> = thread::scope(|scope| {
                let seeing: Vec<_> = some.iter().map(|trouble| scope.spawn(|| rows_of(trouble))).collect();
                seeing
                    .into_iter()
                    .map(|one| one.join().unwrap_or_else(|panic| resume_unwind(panic)))
                    .collect()
            });
            for both in seen {
                rows.extend(both?);
            }
        }
        Ok(Self { classes: classes.to_vec(), rows })
    }

    /// What is wrong with it, a line each.
    pub(crate) fn complaints(&self) -> Vec<String> {
        self.rows.iter().filter_map(Row::complaint).collect()
    }
}

fn rows_of(trouble: &Trouble) -> io::Result<[Row; 2]> {
    let name = trouble.name();
    let simulated = simulated::see(trouble);
    let expected =
        End::BOTH.into_iter().fold(simulated.clone(), |expected, end| match accepted(&name, end) {
            Some(accepted) => expected.with(end, accepted.real),
            None => expected,
        });
    let real = loopback::see(trouble, &expected)?;
    Ok(End::BOTH.map(|end| Row {
        name: name.clone(),
        end,
        simulated: simulated.of(end),
        real: real.of(end),
        accepted: accepted(&name, end),
    }))
}

/// As Markdown: the table, and below it what was not compared.
impl fmt::Display for Table {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        writeln!(f, "| fault | seen by the | under turmoil | on loopback | what follows |")?;
        writeln!(f, "|---|---|---|---|---|")?;
        for row in &self.rows {
            let Row { name, end, simulated, real, accepted } = row;
            let real = if simulated == real { "the same" } else { real };
            let consequence = accepted.map_or("", |accepted| accepted.consequence);
            writeln!(f, "| {name} | {end} | {simulated} | {real} | {consequence} |")?;
        }
        let mut reasons: Vec<(&str, String)> = Vec::new();
        for (reason, class) in self.classes.iter().filter_map(|&class| Some((reason(class)?, class))) {
            match reasons.iter_mut().find(|(other, _)| *other == reason) {
                Some((_, classes)) => write!(classes, ", `{class}`")?,
                None => reasons.push((reason, format!("`{class}`"))),
            }
        }
        if !reasons.is_empty() {
            writeln!(f, "\nNot compared:\n")?;
        }
        reasons.iter().try_for_each(|(reason, classes)| writeln!(f, "* {classes}: {reason}."))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_difference_is_a_complaint_unless_just_this_one_is_accepted() {
        let accepted = Accepted { name: "`delay`", end: End::Peer, real: "EOF", consequence: "nothing" };
        let complaint = |simulated: &str, real: &str, accepted: Option<&'static Accepted>| {
            let (simulated, real) = (simulated.to_owned(), real.to_owned());
            Row { name: "`delay`".to_owned(), end: End::Peer, simulated, real, accepted }.complaint()
        };
        let accepted: Option<&'static Accepted> = Some(Box::leak(Box::new(accepted)));
        assert_eq!(complaint("EOF", "EOF", None), None);
        assert_eq!(complaint("nothing", "EOF", accepted), None);
        assert!(complaint("nothing", "EOF", None).is_some());
        assert!(complaint("EOF", "EOF", accepted).is_some(), "it is there no more");
        assert!(complaint("nothing", "ECONNRESET when it reads", accepted).is_some(), "it is another one");
    }

    #[test]
    fn a_difference_is_accepted_of_a_trouble_that_there_is() {
        let names: Vec<String> = troubles().iter().map(Trouble::name).collect();
        for Accepted { name, .. } in accepted::ALL {
            assert!(names.iter().any(|one| one == name), "there is no trouble {name}");
        }
    }

    /// The half of the table that needs no real time; the other one is a step of CI.
    #[test]
    fn what_is_seen_under_turmoil_is_what_the_docs_say() {
        let page = include_str!("../../docs/measurements.md");
        for trouble in troubles() {
            let simulated = simulated::see(&trouble);
            for end in End::BOTH {
                let row = format!("| {} | {end} | {} | ", trouble.name(), simulated.of(end));
                assert!(
                    page.contains(&row),
                    "docs/measurements.md has no row {row:?}: see `cargo sim faults --compare`"
                );
            }
        }
    }
}
