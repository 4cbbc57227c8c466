//! Whether the rules see: servers that are wrong on purpose, each against the rule that must catch it.

use super::run::{JsonFile, bar, processors};
use super::{Exit, SabotageArgs, complain, interrupt};
use crate::campaign::{Campaign, Report, Seeds};
use crate::judge::rules;
use crate::naive::Server;
use crate::plan::Mix;
use crate::saboteur::Sabotage;
use crate::trial::{Conditions, RuleChoice, Stage, judge};
use serde_json::{Value, json};
use std::collections::BTreeSet;
use std::sync::atomic::{AtomicBool, Ordering};

/// The version of the JSON that the table makes.
const VERSION: u32 = 2;

/// How many times as many seeds again a sabotage gets that was not caught in the first ones.
const MORE: u64 = 3;

pub(super) fn sabotage(args: &SabotageArgs) -> Exit {
    let chosen = args.chosen();
    let threads = args.threads.map_or_else(processors, usize::from);
    let mut json = match args.json.as_deref().map(JsonFile::open).transpose() {
        Ok(json) => json,
        Err(error) => {
            complain(&error);
            return Exit::Usage;
        }
    };
    let interrupted = interrupt::flag();
    let seeds = args.seeds.count();
    let bar = bar(seeds * chosen.len() as u64, "sabotage");
    say!(
        "{:<28} {:<22} {:<8} {:>9} {:>6}  with the rule off",
        "sabotage",
        "rule",
        "stage",
        "caught in",
        "first"
    );
    let mut rows = Vec::new();
    for sabotage in chosen {
        let mut row = Row::new(sabotage);
        for seeds in [args.seeds.clone(), args.seeds.following(MORE)] {
            if row.caught.is_empty() {
                row.try_on(seeds, args.stage, threads, &interrupted, || bar.inc(1));
            }
        }
        if interrupted.load(Ordering::Relaxed) {
            bar.finish_and_clear();
            say!("interrupted: these are the sabotages that were tried");
            return interrupt::exit();
        }
        bar.suspend(|| say!("{}", row.line(args.stage)));
        rows.push(row);
    }
    bar.finish_and_clear();
    let proved = rows.iter().filter(|row| row.is_proved()).count();
    let needles = rows.iter().filter(|row| row.sabotage.is_needle).count();
    say!("{} sabotages, {proved} caught by their rule and by no other; {needles} are needles", rows.len());
    if let Some(file) = &mut json {
        let table: Vec<Value> = rows.iter().map(Row::to_json).collect();
        let table =
            json!({"version": VERSION, "seeds": seeds, "stage": args.stage.name(), "sabotages": table});
        if let Err(error) = file.write(&table) {
            complain(&error);
            return Exit::Usage;
        }
    }
    if proved == rows.len() { Exit::Clean } else { Exit::Wrong }
}

/// What became of one sabotage.
struct Row {
    sabotage: Sabotage,
    /// How many seeds it was tried on.
    tried: u64,
    /// The seeds in which its rule caught it.
    caught: BTreeSet<u64>,
    /// What else is seen of it when its rule is off.
    otherwise: BTreeSet<&'static str>,
}

impl Row {
    const fn new(sabotage: Sabotage) -> Self {
        Self { sabotage, tried: 0, caught: BTreeSet::new(), otherwise: BTreeSet::new() }
    }

    fn try_on(
        &mut self,
        seeds: Seeds,
        stage: Stage,
        threads: usize,
        interrupted: &AtomicBool,
        tick: impl Fn(),
    ) {
        self.tried += seeds.count();
        let campaign = self.campaign(seeds, stage, threads);
        campaign.run(interrupted, |report| {
            self.take(&report, &campaign.conditions);
            tick();
        });
    }

    fn campaign(&self, seeds: Seeds, stage: Stage, threads: usize) -> Campaign {
        let sabotage = Some(self.sabotage);
        let rules = RuleChoice::all();
        let conditions =
            Conditions { stage, rules, hash_seed: 0, server: Server::Engine, sabotage, plant: None };
        Campaign { seeds, mix: Mix::everything(), conditions, threads }
    }

    /// Judges a seed once more without the rule that must have caught it.
    fn take(&mut self, report: &Report, conditions: &Conditions) {
        let Some((plan, outcome)) = report.failed.as_deref() else { return };
        let Some(run) = &outcome.run else {
            self.otherwise.insert("a panic");
            return;
        };
        let fired = outcome.verdict.iter().flat_map(|verdict| rules().iter().zip(&verdict.counts));
        if fired.into_iter().any(|(rule, count)| rule.name == self.sabotage.rule && count.fired > 0) {
            self.caught.insert(report.seed);
        }
        let others = RuleChoice::all().without(self.sabotage.rule);
        let verdict = judge(plan, conditions, &others, run.history.entries());
        self.otherwise.extend(verdict.accusations.iter().map(|accusation| accusation.rule));
        self.otherwise.extend(run.stuck.is_some().then_some("being stuck"));
    }

    /// Caught by its rule, and by nothing else when that is off.
    fn is_proved(&self) -> bool {
        !self.caught.is_empty() && self.otherwise.is_empty()
    }

    fn line(&self, stage: Stage) -> String {
        let Sabotage { name, rule, .. } = self.sabotage;
        let (count, first) =
            (self.caught.len(), self.caught.first().map_or_else(|| "-".to_owned(), u64::to_string));
        let (stage, caught) = (stage.name(), format!("{count}/{}", self.tried));
        format!("{name:<28} {rule:<22} {stage:<8} {caught:>9} {first:>6}  {}", self.without())
    }

    fn without(&self) -> String {
        if self.otherwise.is_empty() {
            return "not caught".to_owned();
        }
        let names: Vec<&str> = self.otherwise.iter().copied().collect();
        format!("seen by {}", names.join(", "))
    }

    fn to_json(&self) -> Value {
        json!({
            "name": self.sabotage.name,
            "sentence": self.sabotage.sentence,
            "rule": self.sabotage.rule,
            "history": self.sabotage.history,
            "needle": self.sabotage.is_needle,
            "tried_on": self.tried,
            "caught_in": self.caught.len(),
            "first_seed": self.caught.first(),
            "with_the_rule_off": self.otherwise,
        })
    }
}
