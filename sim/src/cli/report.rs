//! The results of several machines, put together and judged as one campaign's.

use super::page::Page;
use super::run::{JsonFile, next, show, weigh};
use super::{Choice, Cli, Exit, ReportArgs, complain};
use crate::campaign::{Failed, Grid, Kind, Results};
use clap::Parser;
use std::path::{Path, PathBuf};
use std::{fs, io};

/// How many failing seeds are shown.
const LINES: usize = 10;

pub(super) fn report(args: &ReportArgs) -> Exit {
    let page = args.into.as_deref().map(|file| Page::at(file, "campaign")).transpose();
    let results = page.and_then(|page| Ok((page, together(&args.results)?)));
    match results.and_then(|(page, results)| Ok((choice(&results)?, page, results))) {
        Ok((choice, page, results)) => judge(args, &choice, page, &results),
        Err(error) => {
            complain(&error);
            Exit::Usage
        }
    }
}

/// All results as one.
fn together(paths: &[PathBuf]) -> Result<Results, String> {
    let mut all: Option<Results> = None;
    for path in files(paths)? {
        let results = Results::load(&path).map_err(|error| error.to_string())?;
        match &mut all {
            Some(all) => all.add(&results, &path).map_err(|error| error.to_string())?,
            None => all = Some(results),
        }
    }
    all.ok_or_else(|| {
        "there are no results: none of the directories has a file that ends in .json".to_owned()
    })
}

/// Directories stand for what ends in .json in them, in the order of the names.
fn files(paths: &[PathBuf]) -> Result<Vec<PathBuf>, String> {
    let mut files = Vec::new();
    for path in paths {
        if path.is_dir() {
            files.extend(listed(path).map_err(|error| format!("{}: {error}", path.display()))?);
        } else {
            files.push(path.clone());
        }
    }
    Ok(files)
}

fn listed(directory: &Path) -> io::Result<Vec<PathBuf>> {
    let entries = fs::read_dir(directory)?.map(|entry| entry.map(|entry| entry.path()));
    let mut files = entries.collect::<io::Result<Vec<PathBuf>>>()?;
    files.retain(|file| file.extension().is_some_and(|extension| extension == "json"));
    files.sort_unstable();
    Ok(files)
}

/// What the flags of a campaign choose.
fn choice(results: &Results) -> Result<Choice, String> {
    let flags = &results.campaign.flags;
    let words = [&["gearman-sim".to_owned()], &flags[..]].concat();
    let cli = Cli::try_parse_from(words).map_err(|_| {
        format!("the results were made with flags that this program does not have: {}", flags.join(" "))
    })?;
    Ok(cli.run.choice)
}

fn judge(args: &ReportArgs, choice: &Choice, page: Option<Page<'_>>, results: &Results) -> Exit {
    let Results { campaign, parts, summary, .. } = results;
    let commit = campaign.commit.as_deref().unwrap_or("of no commit that was named");
    let checked: u64 = parts.iter().filter(|part| part.checked).map(|part| part.run).sum();
    let about = format!(
        "{} part{} of a campaign, gearman-sim {} {commit}, {checked} seeds run twice",
        parts.len(),
        if parts.len() == 1 { "" } else { "s" },
        campaign.program
    );
    say!("{about}");
    show(summary, choice.stage, args.operations);
    if let Some(page) = page {
        let grid = Grid::of(summary, choice.stage);
        let text = format!("```text\n{about}\n{summary}\n{grid}```");
        if let Err(error) = page.write(&text) {
            complain(&error);
            return Exit::Usage;
        }
    }
    let missing = results.missing();
    if !missing.is_empty() {
        say!("seeds are missing: run these parts again");
        missing.iter().for_each(|line| say!("  {line}"));
    }
    let failed = summary.worst_first();
    let exit = match failed.first() {
        Some(first) => failures(first, &failed, choice),
        // Of what was not run nobody knows whether it is clean.
        None if !missing.is_empty() => Exit::Untested,
        None => weigh(summary, choice),
    };
    let written = args.json.as_deref().map(|path| JsonFile::open(path)?.write(results)).transpose();
    match written {
        Ok(_) => exit,
        Err(error) => {
            complain(&error);
            Exit::Usage
        }
    }
}

/// The seeds that were not clean, the worst first; that one decides.
fn failures(first: &Failed, all: &[&Failed], choice: &Choice) -> Exit {
    all.iter().take(LINES).for_each(|failed| say!("{failed}"));
    if all.len() > LINES {
        say!("and {} more", all.len() - LINES);
    }
    say!("\nnext");
    next(first.seed, None, choice).iter().for_each(|command| say!("  {command}"));
    match first.kind {
        Kind::Wrong => Exit::Wrong,
        Kind::Stuck => Exit::Stuck,
        Kind::Panic => Exit::Panic,
        Kind::NotDeterministic => Exit::NotDeterministic,
        Kind::NotRun => Exit::Usage,
    }
}
