//! `list`, `show` and `statements`.

use std::collections::BTreeMap;

use super::Refusal;
use crate::report::Exit;
use crate::statements;
use crate::suite::Suite;

/// Prints every case by chapter.
pub(super) fn list() -> Result<Exit, Refusal> {
    let suite = Suite::embedded().map_err(Refusal::usage)?;
    Ok(print(&suite))
}

/// Prints the cases of a suite by chapter.
pub(super) fn print(suite: &Suite) -> Exit {
    for chapter in suite.chapters() {
        anstream::println!("{chapter}");
        for case in suite.cases().filter(|case| case.header.chapter() == chapter) {
            anstream::println!("  {:48} {:9} {}", case.header.id, case.header.level, case.header.title);
        }
    }
    anstream::println!("{} cases in {} chapters", suite.cases().count(), suite.chapters().len());
    Exit::Met
}

/// Prints a case as it is written.
pub(super) fn show(id: &str) -> Result<Exit, Refusal> {
    let suite = Suite::embedded().map_err(Refusal::usage)?;
    let clients = Suite::clients().map_err(Refusal::usage)?;
    let case = suite.case(id).or_else(|| clients.case(id)).ok_or_else(|| {
        Refusal::usage(format!("no case is called `{id}`; `gearman-conformance list` shows them all"))
    })?;
    anstream::print!("{}", case.text);
    Ok(Exit::Met)
}

/// Prints every statement with its level and the number of cases that exercise it.
pub(super) fn statements(only_unexercised: bool) -> Result<Exit, Refusal> {
    let suite = Suite::embedded().map_err(Refusal::usage)?;
    let statements = statements::embedded().map_err(Refusal::usage)?;
    let cases =
        |id: &str| suite.cases().filter(|case| case.header.spec.iter().any(|cited| cited == id)).count();
    let mut chapter = "";
    let exceptions: BTreeMap<&str, bool> =
        statements::exceptions().map(|exception| (exception.id, exception.kept_back)).collect();
    let mut exercised = 0;
    for statement in &statements {
        let cases = cases(statement.id);
        exercised += usize::from(cases > 0);
        if only_unexercised && cases > 0 {
            continue;
        }
        if statement.chapter != chapter {
            chapter = statement.chapter;
            anstream::println!("{chapter}");
        }
        let mark = match (cases, exceptions.get(statement.id)) {
            (0, Some(true)) => "kept back: ",
            (0, _) => "not yet: ",
            _ => "",
        };
        anstream::println!(
            "  {:36} {:9} {cases:3}  {mark}{}",
            statement.id,
            statement.level,
            statement.sentence
        );
    }
    let kept_back = exceptions.values().filter(|&&kept_back| kept_back).count();
    anstream::println!(
        "statements exercised: {exercised} of {}; {kept_back} kept back, {} not yet",
        statements.len(),
        statements.len() - exercised - kept_back
    );
    Ok(Exit::Met)
}
