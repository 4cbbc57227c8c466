//! `matrix`.

use super::Refusal;
use crate::report::Exit;
use crate::report::matrix::{Results, render};
use crate::statements;
use crate::suite::Suite;

/// Writes the page that shows the servers of these results side by side.
pub(super) fn matrix(files: &[String], html: &str) -> Result<Exit, Refusal> {
    let suite = Suite::embedded().map_err(Refusal::usage)?;
    let statements = statements::embedded().map_err(Refusal::usage)?;
    let servers: Vec<Results> = files.iter().map(|file| results(file)).collect::<Result<_, _>>()?;
    std::fs::write(html, render(&suite, &statements, &servers))
        .map_err(|error| Refusal::usage(format!("{html}: {error}")))?;
    anstream::println!("{html}: {} servers, {} cases", servers.len(), suite.cases().count());
    Ok(Exit::Met)
}

fn results(file: &str) -> Result<Results, Refusal> {
    let text = std::fs::read_to_string(file).map_err(|error| Refusal::usage(format!("{file}: {error}")))?;
    Results::parse(&text).map_err(|error| Refusal::usage(format!("{file}: {error}")))
}
