//! `list` and `show`.

use super::Refusal;
use crate::report::Exit;
use crate::suite::Suite;

/// Prints every case by chapter.
pub(super) fn list() -> Result<Exit, Refusal> {
    let suite = Suite::embedded().map_err(Refusal::usage)?;
    for chapter in suite.chapters() {
        anstream::println!("{chapter}");
        for case in suite.cases().filter(|case| case.header.chapter() == chapter) {
            anstream::println!("  {:48} {:9} {}", case.header.id, case.header.level, case.header.title);
        }
    }
    anstream::println!("{} cases in {} chapters", suite.cases().count(), suite.chapters().len());
    Ok(Exit::Met)
}

/// Prints a case as it is written.
pub(super) fn show(id: &str) -> Result<Exit, Refusal> {
    let suite = Suite::embedded().map_err(Refusal::usage)?;
    let case = suite.case(id).ok_or_else(|| {
        Refusal::usage(format!("no case is called `{id}`; `gearman-conformance list` shows them all"))
    })?;
    anstream::print!("{}", case.text);
    Ok(Exit::Met)
}
