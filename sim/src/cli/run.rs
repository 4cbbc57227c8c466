//! A campaign on the command line.

use super::check::Comparison;
use super::{Choice, Exit, RunArgs, check, complain, interrupt};
use crate::campaign::{Campaign, Demands, Failed, Grid, Kind, Report, Results, Seeds, Summary, shortfalls};
use crate::plan::Plan;
use crate::screen::Screen;
use crate::trial::{Conditions, Failure, Outcome, Stage};
use gearman_net::{Clock, MachineClock};
use indicatif::{ProgressBar, ProgressStyle};
use serde::Serialize;
use std::collections::BTreeMap;
use std::io::{self, IsTerminal, Write};
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicBool, Ordering};
use std::{fs, thread};

/// After so many failing seeds a campaign ends early: they mostly have one cause.
const ENOUGH: usize = 20;

pub(super) fn run(args: &RunArgs) -> Exit {
    if let Err(misfit) = args.choice.fits(args.check) {
        complain(&misfit);
        return Exit::Usage;
    }
    let seeds = match args.seed {
        Some(seed) => Seeds::one(seed),
        None => args.shard.map_or_else(|| args.seeds.clone(), |shard| args.seeds.clone().shard(shard)),
    };
    if let Some(directory) = &args.out
        && let Err(error) = fs::create_dir_all(directory)
    {
        complain(&format!("--out {}: {error}", directory.display()));
        return Exit::Usage;
    }
    let mut json = match args.json.as_deref().map(JsonFile::open).transpose() {
        Ok(json) => json,
        Err(error) => {
            complain(&error);
            return Exit::Usage;
        }
    };
    let campaign = Campaign {
        seeds,
        mix: args.choice.mix(),
        conditions: args.choice.conditions(),
        threads: args.threads.map_or_else(processors, usize::from),
    };
    let interrupted = interrupt::flag();
    let mut seen = Seen::of(&campaign, &interrupted);
    show(&seen.summary, args.choice.stage, args.operations);
    if seen.summary.is_hopeless(ENOUGH) {
        let (ran, all) = (seen.summary.seeds, campaign.seeds.count());
        say!("stopped after {} seeds that were not clean; {ran} of {all} were run", seen.failed.len());
    }
    if let Err(error) = seen.save_plans(args) {
        complain(&error);
        return Exit::Usage;
    }
    let mut exit = seen.judge(&args.choice);
    let mut checked = false;
    if interrupted.load(Ordering::Relaxed) {
        say!("interrupted: this is the summary of the seeds that were run");
        exit = interrupt::exit();
    } else if args.check && !seen.summary.is_hopeless(ENOUGH) {
        // A seed that is not clean says nothing about whether it is deterministic, nor about the others.
        let comparison = check::compare(&campaign, &args.choice, &seen.digests, &interrupted);
        checked = matches!(comparison, Comparison::Same | Comparison::Different(_));
        let compared = seen.compared(&comparison);
        exit = if exit == Exit::Clean { compared } else { exit };
    }
    if let Some(file) = &mut json {
        let results = Results::new(&campaign, args.choice.flags(), seen.summary, checked);
        if let Err(error) = file.write(&results) {
            complain(&error);
            return Exit::Usage;
        }
    }
    exit
}

/// What a campaign has seen; of one that was not clean not the tables, which would push what matters from the screen.
pub(super) fn show(summary: &Summary, stage: Stage, operations: bool) {
    if !summary.failed.is_empty() {
        say!("{}", summary.head());
        return;
    }
    say!("{summary}\n{}", Grid::of(summary, stage));
    if operations {
        say!("{}", summary.census());
    }
}

/// Says in what a campaign was too poor to have tested anything, if it was.
pub(super) fn weigh(summary: &Summary, choice: &Choice) -> Exit {
    let Conditions { stage, rules, sabotage, .. } = choice.conditions();
    if sabotage.is_some() && summary.seeds > 0 {
        return Exit::Clean;
    }
    let short = shortfalls(summary, Demands { mix: &choice.mix(), rules: &rules, stage });
    if short.is_empty() {
        return Exit::Clean;
    }
    say!("nothing was tested: the campaign was too poor");
    short.iter().for_each(|line| say!("  {line}"));
    Exit::Untested
}

pub(super) fn processors() -> usize {
    thread::available_parallelism().map_or(1, usize::from)
}

/// A bar for so many seeds, where somebody sees it.
pub(super) fn bar(count: u64, what: &'static str) -> ProgressBar {
    if !io::stderr().is_terminal() {
        return ProgressBar::hidden();
    }
    let style = ProgressStyle::with_template("{prefix:>12} {wide_bar} {pos}/{len} {per_sec} {eta} {msg}");
    let style = style.expect("the template is one").progress_chars("=> ");
    ProgressBar::new(count).with_style(style).with_prefix(what)
}

/// A file that is there before the work begins whose outcome it shall tell: an hour later it is too late to say that
/// the directory does not exist.
pub(super) struct JsonFile {
    path: PathBuf,
    file: fs::File,
}

impl JsonFile {
    pub(super) fn open(path: &Path) -> Result<Self, String> {
        let file = fs::File::create(path).map_err(|error| format!("--json {}: {error}", path.display()))?;
        Ok(Self { path: path.to_owned(), file })
    }

    pub(super) fn write(&mut self, json: &impl Serialize) -> Result<(), String> {
        let about = |error: io::Error| format!("{}: {error}", self.path.display());
        let text = serde_json::to_string_pretty(json).map_err(|error| about(error.into()))?;
        writeln!(self.file, "{text}").map_err(about)
    }
}

/// What a campaign has brought.
struct Seen {
    summary: Summary,
    digests: BTreeMap<u64, u64>,
    failed: BTreeMap<u64, Box<(Plan, Outcome)>>,
    plans: BTreeMap<u64, PathBuf>,
}

impl Seen {
    fn of(campaign: &Campaign, interrupted: &AtomicBool) -> Self {
        let bar = bar(campaign.seeds.count(), "seeds");
        let mut seen = Self {
            summary: Summary::default(),
            digests: BTreeMap::new(),
            failed: BTreeMap::new(),
            plans: BTreeMap::new(),
        };
        let clock = MachineClock::new();
        let begun = clock.now();
        let stop = AtomicBool::new(false);
        campaign.run(&stop, |report| {
            let is_interrupted = interrupted.load(Ordering::Relaxed);
            // Of a seed that was given up nothing is known.
            if !(is_interrupted && report.was_not_run()) {
                seen.take(report);
                bar.inc(1);
            }
            if !seen.failed.is_empty() {
                bar.set_message(format!("{} not clean", seen.failed.len()));
            }
            if is_interrupted || seen.summary.is_hopeless(ENOUGH) {
                stop.store(true, Ordering::Relaxed);
            }
        });
        seen.summary.took_ms = u64::try_from((clock.now() - begun).as_millis()).unwrap_or(u64::MAX);
        bar.finish_and_clear();
        seen
    }

    fn take(&mut self, report: Report) {
        self.summary.add(&report);
        self.digests.insert(report.seed, report.digest);
        self.failed.extend(report.failed.map(|failed| (report.seed, failed)));
    }

    /// Writes down the plans of those that were not clean, if that was asked for, and where a plan does not do the
    /// same twice what their peers saw.
    fn save_plans(&mut self, args: &RunArgs) -> Result<(), String> {
        if let Some(directory) = &args.out {
            for (&seed, failed) in &self.failed {
                let (plan, outcome) = &**failed;
                let file = directory.join(format!("seed-{seed}.json"));
                write(&file, plan.to_json())?;
                // What does not happen a second time is kept as it happened.
                if let Some(run) = outcome.run.as_ref().filter(|_| !args.choice.stage.is_deterministic()) {
                    let entries = run.history.entries().iter().map(|entry| format!("{entry}\n"));
                    write(&directory.join(format!("seed-{seed}.trace")), entries.collect())?;
                }
                self.plans.insert(seed, file);
            }
        }
        Ok(())
    }

    /// Shows the first seed that failed, of those that were run if there is one, or in what the campaign was too poor.
    fn judge(&self, choice: &Choice) -> Exit {
        let failed = self.summary.worst_first();
        let Some((first, others)) = failed.split_first() else { return weigh(&self.summary, choice) };
        let (plan, outcome) = &*self.failed[&first.seed];
        let next = next(first.seed, self.plans.get(&first.seed), choice);
        say!("{}", Screen { plan, outcome, next: &next });
        for (what, were_run) in [("not clean either", true), ("not run", false)] {
            let which = others.iter().filter(|one| (one.kind != Kind::NotRun) == were_run);
            let seeds: Vec<String> = which.map(|one| one.seed.to_string()).collect();
            if !seeds.is_empty() {
                say!("{what}: {}", seeds.join(", "));
            }
        }
        exit(outcome)
    }

    /// What follows from the comparison with another process.
    fn compared(&mut self, comparison: &Comparison) -> Exit {
        match comparison {
            Comparison::Same => Exit::Clean,
            Comparison::Different(seed) => {
                let why = "another process saw something else".to_owned();
                self.summary.fail(Failed { seed: *seed, kind: Kind::NotDeterministic, why });
                Exit::NotDeterministic
            }
            Comparison::Impossible => Exit::Usage,
            Comparison::Interrupted => interrupt::exit(),
        }
    }
}

fn write(file: &Path, text: String) -> Result<(), String> {
    fs::write(file, text).map_err(|error| format!("{}: {error}", file.display()))
}

/// The commands that lead further from a failing seed.
pub(super) fn next(seed: u64, plan: Option<&PathBuf>, choice: &Choice) -> Vec<String> {
    let replay = |what: &str, flags: Vec<String>| format!("cargo sim replay {what} {}", flags.join(" "));
    let again = replay(&seed.to_string(), choice.flags()).trim_end().to_owned();
    let mut next = vec![again.clone(), format!("{again} --trace")];
    if let Some(plan) = plan {
        let saved = replay(&plan.display().to_string(), choice.flags_of_a_plan());
        next.push(format!("{} --trace", saved.trim_end()));
    }
    next
}

/// The code for what came of a seed.
pub(super) const fn exit(outcome: &Outcome) -> Exit {
    match &outcome.failure {
        None => Exit::Clean,
        Some(Failure::Wrong(_)) => Exit::Wrong,
        Some(Failure::Stuck(_)) => Exit::Stuck,
        Some(Failure::Panic(_)) => Exit::Panic,
        Some(Failure::NotDeterministic(_)) => Exit::NotDeterministic,
        Some(Failure::NotRun(_)) => Exit::Usage,
    }
}
