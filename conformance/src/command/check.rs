//! `lint` and `fmt`.

use std::fs;
use std::path::{Path, PathBuf};

use super::Refusal;
use super::play::on_disk;
use crate::language::{Document, Findings, Transcript, format, included, lint_included, lint_with};
use crate::report::Exit;

/// Reports what is wrong with files.
pub(super) fn lint_files(files: &[String]) -> Result<Exit, Refusal> {
    let mut bad = 0;
    let paths = transcripts(files)?;
    for path in &paths {
        let (name, text) = (path.display().to_string(), read(path)?);
        let checked = if is_part(path) {
            lint_included(&name, &text, &on_disk)
        } else {
            lint_with(&name, &text, &on_disk).map(|_| ())
        };
        let Err(findings) = checked else { continue };
        bad += 1;
        for finding in &findings.list {
            anstream::eprintln!("{}\n", finding.styled(&findings.path, &findings.text));
        }
    }
    let verdict = if bad == 0 { "all of them in order" } else { "not in order" };
    anstream::println!(
        "{} transcripts: {}{verdict}",
        paths.len(),
        if bad == 0 { String::new() } else { format!("{bad} ") }
    );
    Ok(if bad == 0 { Exit::Met } else { Exit::Usage })
}

/// Rewrites files in the one way, or tells which would change.
pub(super) fn format_files(files: &[String], check: bool) -> Result<Exit, Refusal> {
    let mut changed = 0;
    for path in transcripts(files)? {
        let text = read(&path)?;
        // What cannot be played is not formatted either: a file that was rewritten would look as if it were in order.
        readable(&path, &text).map_err(Refusal::usage)?;
        let (document, _) = Document::read(&text);
        let formatted = format(&document);
        if formatted == text {
            continue;
        }
        changed += 1;
        anstream::println!("{}{}", path.display(), if check { ": would be changed" } else { "" });
        if !check {
            fs::write(&path, formatted).map_err(|error| unreadable(&path, &error))?;
        }
    }
    Ok(if check && changed > 0 { Exit::NotMet } else { Exit::Met })
}

/// Whether a file is one that others include.
fn is_part(path: &Path) -> bool {
    path.extension().is_some_and(|extension| extension == "gtxi")
}

fn readable(path: &Path, text: &str) -> Result<(), Findings> {
    let name = path.display().to_string();
    if is_part(path) {
        return included(&name, text, &on_disk);
    }
    Transcript::parse_with(&name, text, &on_disk).map(|_| ())
}

fn read(path: &Path) -> Result<String, Refusal> {
    fs::read_to_string(path).map_err(|error| unreadable(path, &error))
}

fn unreadable(path: &Path, error: &std::io::Error) -> Refusal {
    Refusal::usage(format!("{}: {error}", path.display()))
}

/// The files named, and those inside the folders named.
fn transcripts(files: &[String]) -> Result<Vec<PathBuf>, Refusal> {
    let mut paths = Vec::new();
    for file in files {
        collect(Path::new(file), &mut paths)?;
    }
    paths.sort();
    if paths.is_empty() { Err(Refusal::usage("no `.gtx` file there")) } else { Ok(paths) }
}

fn collect(path: &Path, paths: &mut Vec<PathBuf>) -> Result<(), Refusal> {
    if !path.is_dir() {
        paths.push(path.to_owned());
        return Ok(());
    }
    for entry in fs::read_dir(path).map_err(|error| unreadable(path, &error))? {
        let inner = entry.map_err(|error| unreadable(path, &error))?.path();
        if inner.is_dir() || is_part(&inner) || inner.extension().is_some_and(|extension| extension == "gtx")
        {
            collect(&inner, paths)?;
        }
    }
    Ok(())
}
