//! Whether a plan does the same in another process, with other hash keys, another number of threads, and other plans
//! before it.

use super::run::{bar, processors};
use super::{Choice, DigestArgs, Exit, complain, interrupt};
use crate::campaign::{Campaign, Seeds};
use crate::plan::Plan;
use crate::trial::hold;
use std::collections::BTreeMap;
use std::io::{self, BufRead, BufReader, Write};
use std::process::{Child, Command, Stdio};
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, PoisonError};

/// What the other process seeds its hash tables with.
const OTHER_HASH_SEED: u64 = 0x00C0_FFEE;
/// How many equal lines are shown before the first that differs.
const CONTEXT: usize = 5;

/// Prints the digest of each seed as it is done; the last one comes first, so that what one seed leaves behind meets
/// other seeds than where they were run before.
pub(super) fn digests(args: &DigestArgs) -> Exit {
    if let Err(misfit) = args.choice.fits(true) {
        complain(&misfit);
        return Exit::Usage;
    }
    let seeds = args.shard.map_or_else(|| args.seeds.clone(), |shard| args.seeds.clone().shard(shard));
    let campaign = Campaign {
        seeds: seeds.backwards(),
        mix: args.choice.mix(),
        conditions: args.choice.conditions(),
        threads: args.threads.into(),
    };
    let stop = interrupt::flag();
    campaign.run(&stop, |report| {
        // Nobody reads on when the parent is gone.
        if writeln!(io::stdout(), "{} {:016x}", report.seed, report.digest).is_err() {
            stop.store(true, Ordering::Relaxed);
        }
    });
    Exit::Clean
}

/// What a comparison with another process has shown.
pub(super) enum Comparison {
    /// Both saw the same.
    Same,
    /// They part in this seed.
    Different(u64),
    /// There was no other process to compare with.
    Impossible,
    /// It was cut short.
    Interrupted,
}

/// Runs a campaign again in another process and compares digests.
pub(super) fn compare(
    campaign: &Campaign,
    choice: &Choice,
    digests: &BTreeMap<u64, u64>,
    interrupted: &AtomicBool,
) -> Comparison {
    let threads = if campaign.threads == 1 { 2.max(processors()) } else { campaign.threads - 1 };
    let others = match other_digests(&campaign.seeds, choice, threads, interrupted) {
        Ok(others) => others,
        Err(error) => {
            complain(&format!("--check: the other process: {error}"));
            return Comparison::Impossible;
        }
    };
    if interrupted.load(Ordering::Relaxed) {
        say!("interrupted: {} seeds were compared", others.len());
        return Comparison::Interrupted;
    }
    if let Some((seed, _)) = digests.iter().find(|(seed, digest)| others.get(seed) != Some(digest)) {
        show_difference(*seed, choice);
        return Comparison::Different(*seed);
    }
    say!("{} seeds did the same in another process with {threads} threads and other hash keys", others.len());
    Comparison::Same
}

fn other_digests(
    seeds: &Seeds,
    choice: &Choice,
    threads: usize,
    interrupted: &AtomicBool,
) -> io::Result<BTreeMap<u64, u64>> {
    let mut arguments = vec!["digests".to_owned(), "-j".to_owned(), threads.to_string()];
    arguments.extend(seeds.flags());
    let mut child = other_process(&arguments, choice)?;
    let bar = bar(seeds.count(), "again");
    let mut digests = BTreeMap::new();
    let output = child.stdout.take().ok_or(io::ErrorKind::BrokenPipe)?;
    for line in BufReader::new(output).lines() {
        digests.extend(digest(&line?));
        bar.inc(1);
        if interrupted.load(Ordering::Relaxed) {
            child.kill()?;
        }
    }
    bar.finish_and_clear();
    let ended = child.wait()?;
    // What it has not told would look as if it had come out otherwise.
    if !interrupted.load(Ordering::Relaxed) && !ended.success() {
        return Err(io::Error::other(format!("it has ended with {ended}")));
    }
    Ok(digests)
}

fn digest(line: &str) -> Option<(u64, u64)> {
    let (seed, digest) = line.split_once(' ')?;
    Some((seed.parse().ok()?, u64::from_str_radix(digest, 16).ok()?))
}

fn other_process(arguments: &[String], choice: &Choice) -> io::Result<Child> {
    let hash_seed = (choice.hash_seed ^ OTHER_HASH_SEED).to_string();
    let mut command = Command::new(std::env::current_exe()?);
    command.args(arguments).args(choice.flags()).args(["--hash-seed", &hash_seed]);
    command.stdin(Stdio::null()).stdout(Stdio::piped()).spawn()
}

/// The trace of the seed here beside that of the other process, from shortly before they part.
fn show_difference(seed: u64, choice: &Choice) {
    say!("seed {seed} is not deterministic: another process saw something else");
    let here = trace(seed, choice);
    let there = other_trace(seed, choice).unwrap_or_default();
    let equal = here.iter().zip(&there).take_while(|(here, there)| here == there).count();
    here[equal.saturating_sub(CONTEXT)..equal].iter().for_each(|line| say!("          {line}"));
    let end = || "(nothing more)".to_owned();
    say!("  here    {}", here.get(equal).cloned().unwrap_or_else(end));
    say!("  there   {}", there.get(equal).cloned().unwrap_or_else(end));
}

fn trace(seed: u64, choice: &Choice) -> Vec<String> {
    let lines = Arc::new(Mutex::new(Vec::new()));
    let into = Arc::clone(&lines);
    let watcher = Box::new(move |entry: &crate::history::Entry| {
        into.lock().unwrap_or_else(PoisonError::into_inner).push(entry.to_string());
    });
    let _ = hold(&Plan::draw(seed, &choice.mix()), &choice.conditions(), watcher);
    std::mem::take(&mut *lines.lock().unwrap_or_else(PoisonError::into_inner))
}

fn other_trace(seed: u64, choice: &Choice) -> io::Result<Vec<String>> {
    let arguments = ["replay".to_owned(), seed.to_string(), "--trace".to_owned()];
    let output = other_process(&arguments, choice)?.wait_with_output()?;
    let text = String::from_utf8_lossy(&output.stdout);
    Ok(text.lines().take_while(|line| !line.is_empty()).map(str::to_owned).collect())
}
