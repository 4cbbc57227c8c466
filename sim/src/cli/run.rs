//! A campaign on the command line.

use super::{Choice, Exit, RunArgs, check, complain, interrupt};
use crate::campaign::{Campaign, Demands, Report, Seeds, Summary, shortfalls};
use crate::plan::Plan;
use crate::screen::Screen;
use crate::trial::{Conditions, Failure, Outcome};
use gearman_net::{Clock, MachineClock};
use indicatif::{ProgressBar, ProgressStyle};
use serde_json::Value;
use std::collections::BTreeMap;
use std::io::{self, IsTerminal, Write};
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicBool, Ordering};
use std::{fs, thread};

/// After so many failing seeds a campaign ends early: they mostly have one cause.
const ENOUGH: usize = 20;

pub(super) fn run(args: &RunArgs) -> Exit {
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
    if seen.failed.is_empty() {
        say!("{}", seen.summary);
    } else {
        // The tables would push what matters from the screen.
        say!("{}", seen.summary.head());
    }
    if seen.failed.len() >= ENOUGH {
        let (ran, all) = (seen.summary.seeds, campaign.seeds.count());
        say!("stopped after {} seeds that were not clean; {ran} of {all} were run", seen.failed.len());
    }
    if let Err(error) = seen.keep(args, json.as_mut()) {
        complain(&error);
        return Exit::Usage;
    }
    let exit = seen.judge(&campaign, &args.choice);
    if interrupted.load(Ordering::Relaxed) {
        say!("interrupted: this is the summary of the seeds that were run");
        return interrupt::exit();
    }
    if exit == Exit::Clean && args.check {
        return check::compare(&campaign, &args.choice, &seen.digests, &interrupted);
    }
    exit
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

    pub(super) fn write(&mut self, json: &Value) -> Result<(), String> {
        writeln!(self.file, "{json:#}").map_err(|error| format!("{}: {error}", self.path.display()))
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
            seen.take(report);
            bar.inc(1);
            if !seen.failed.is_empty() {
                bar.set_message(format!("{} not clean", seen.failed.len()));
            }
            if interrupted.load(Ordering::Relaxed) || seen.failed.len() >= ENOUGH {
                stop.store(true, Ordering::Relaxed);
            }
        });
        seen.summary.took = clock.now() - begun;
        bar.finish_and_clear();
        seen
    }

    fn take(&mut self, report: Report) {
        self.summary.add(&report);
        self.digests.insert(report.seed, report.digest);
        self.failed.extend(report.failed.map(|failed| (report.seed, failed)));
    }

    /// Writes down what was asked for.
    fn keep(&mut self, args: &RunArgs, json: Option<&mut JsonFile>) -> Result<(), String> {
        if let Some(file) = json {
            file.write(&self.summary.to_json())?;
        }
        if let Some(directory) = &args.out {
            for (&seed, failed) in &self.failed {
                let file = directory.join(format!("seed-{seed}.json"));
                fs::write(&file, failed.0.to_json())
                    .map_err(|error| format!("{}: {error}", file.display()))?;
                self.plans.insert(seed, file);
            }
        }
        Ok(())
    }

    /// Shows the first seed that failed, or in what the campaign was too poor.
    fn judge(&self, campaign: &Campaign, choice: &Choice) -> Exit {
        if let Some((seed, failed)) = self.failed.first_key_value() {
            let (plan, outcome) = &**failed;
            let next = next(*seed, self.plans.get(seed), choice);
            say!("{}", Screen { plan, outcome, next: &next });
            let others: Vec<String> = self.failed.keys().skip(1).map(u64::to_string).collect();
            if !others.is_empty() {
                say!("not clean either: {}", others.join(", "));
            }
            return exit(outcome);
        }
        let Conditions { stage, rules, sabotage, .. } = &campaign.conditions;
        if sabotage.is_some() && self.summary.seeds > 0 {
            return Exit::Clean;
        }
        let demands = Demands { mix: &campaign.mix, rules, stage: *stage };
        let short = shortfalls(&self.summary, demands);
        if short.is_empty() {
            return Exit::Clean;
        }
        say!("nothing was tested: the campaign was too poor");
        short.iter().for_each(|line| say!("  {line}"));
        Exit::Untested
    }
}

/// The commands that lead further from a failing seed.
fn next(seed: u64, plan: Option<&PathBuf>, choice: &Choice) -> Vec<String> {
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
    }
}
