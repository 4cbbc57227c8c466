//! `matrix`.

use std::path::Path;

use super::playing::ServerArguments;
use super::{MatrixArguments, Refusal, RunArguments, play};
use crate::report::Exit;
use crate::report::matrix::{Change, Results, badge, changes, parse, render, together};
use crate::statements;
use crate::suite::Suite;

/// Writes the page that shows servers side by side: those of the results named, then those of the peers, which are
/// played for it.
pub(super) fn matrix(arguments: &MatrixArguments) -> Result<Exit, Refusal> {
    if arguments.files.is_empty() && arguments.peers.is_empty() {
        return Err(Refusal::usage("name results of `run --json`, or --peers to play now"));
    }
    let baseline = arguments.baseline.as_deref().map(|file| results(file, &read(file)?)).transpose()?;
    let mut runs: Vec<String> = arguments.files.iter().map(|file| read(file)).collect::<Result<_, _>>()?;
    for peer in &arguments.peers {
        runs.push(play::results(&RunArguments::of(ServerArguments::of_peer(peer), &[]))?);
    }
    let names = arguments.files.iter().chain(&arguments.peers);
    let servers: Vec<Results> = names
        .zip(&runs)
        .map(|(name, run)| results(name, run))
        .collect::<Result<Vec<_>, _>>()?
        .into_iter()
        .flatten()
        .collect();
    let changes = baseline.map(|baseline| changes(&baseline, &servers));
    if let Some(file) = &arguments.json {
        let all = together(&runs).map_err(|error| Refusal { exit: Exit::Own, message: error.to_string() })?;
        write(Path::new(file), &all)?;
    }
    folder(&arguments.html, &servers, changes.as_deref())?;
    for change in changes.iter().flatten() {
        anstream::println!("changed: {change}");
    }
    anstream::println!("{}/index.html: {} servers", arguments.html, servers.len());
    Ok(Exit::Met)
}

/// Writes the page as `index.html` and a badge for each server into a folder, which is made if need be.
pub(super) fn folder(html: &str, servers: &[Results], changes: Option<&[Change]>) -> Result<(), Refusal> {
    let suite = Suite::embedded().map_err(Refusal::usage)?;
    let statements = statements::embedded().map_err(Refusal::usage)?;
    let folder = Path::new(html);
    std::fs::create_dir_all(folder).map_err(|error| Refusal::usage(format!("{html}: {error}")))?;
    write(&folder.join("index.html"), &render(&suite, &statements, servers, changes))?;
    servers
        .iter()
        .try_for_each(|server| write(&folder.join(format!("{}.svg", server.profile)), &badge(server)))
}

fn read(file: &str) -> Result<String, Refusal> {
    std::fs::read_to_string(file).map_err(|error| Refusal::usage(format!("{file}: {error}")))
}

fn write(path: &Path, text: &str) -> Result<(), Refusal> {
    std::fs::write(path, text).map_err(|error| Refusal::usage(format!("{}: {error}", path.display())))
}

fn results(name: &str, text: &str) -> Result<Vec<Results>, Refusal> {
    parse(text).map_err(|error| Refusal::usage(format!("{name}: {error}")))
}
