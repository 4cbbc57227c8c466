//! Whether the rules see: servers that are wrong on purpose, each against the rule that must catch it.

mod beside;
mod row;

use super::page::Page;
use super::run::{JsonFile, bar, processors};
use super::{Exit, SabotageArgs, complain, interrupt};
use crate::judge::rules;
use crate::plan::Mix;
use crate::trial::Stage;
use beside::{Beside, Here, Other, Worth};
use row::{Row, TRIES, Tries, median};
use serde_json::{Value, json};
use std::sync::atomic::Ordering;

/// The version of the JSON that the table makes.
const VERSION: u32 = 6;

/// How many times as many seeds again a sabotage gets that was caught too seldom in the first ones.
const MORE: u64 = 3;

pub(super) fn sabotage(args: &SabotageArgs) -> Exit {
    if args.stage == Stage::Loopback {
        complain(
            "--stage loopback: a sabotage sits in the doors of an engine, and a process has none; take turmoil or bare",
        );
        return Exit::Usage;
    }
    let chosen = args.chosen();
    let threads = args.threads.map_or_else(processors, usize::from);
    let json = args.json.as_deref().map(JsonFile::open).transpose();
    let page = args.into.as_deref().map(|file| Page::at(file, "sabotages")).transpose();
    let (stage, uniform) = (args.stage.name(), args.uniform);
    let here = Here { version: VERSION, stage, uniform, tried: chosen.len(), seeds: args.seeds.count() };
    let other = args.beside.as_deref().map(|file| Other::read(file, here)).transpose();
    let (mut json, page, other) = match json.and_then(|json| Ok((json, page?, other?))) {
        Ok(all) => all,
        Err(error) => {
            complain(&error);
            return Exit::Usage;
        }
    };
    let interrupted = interrupt::flag();
    let (seeds, first) = (args.seeds.count(), args.seeds.nth(0).unwrap_or(0));
    let mix = if args.uniform { Mix::uniform() } else { Mix::everything() };
    let bar = bar(seeds * chosen.len() as u64, "sabotage");
    say!(
        "{:<28} {:<22} {:>9} {:>6} {:>6} {:>7}  with the rule off",
        "sabotage",
        "rule",
        "caught in",
        "first",
        "needs",
        "seconds"
    );
    let mut table = Table { rows: Vec::new(), seeds, stage: args.stage, uniform: args.uniform };
    for sabotage in chosen {
        let mut row = Row::new(sabotage, first);
        for seeds in [args.seeds.clone(), args.seeds.following(MORE)] {
            if !row.is_well_known() {
                let campaign = row.campaign(seeds, args.stage, mix.clone(), threads);
                row.try_on(&campaign, &interrupted, || bar.inc(1));
            }
        }
        if interrupted.load(Ordering::Relaxed) {
            bar.finish_and_clear();
            say!("interrupted: these are the sabotages that were tried");
            return interrupt::exit();
        }
        bar.suspend(|| say!("{}", row.line()));
        table.rows.push(row);
    }
    bar.finish_and_clear();
    say!("{}", table.sums());
    let has_worth = other.as_ref().is_none_or(|other| table.compare(other));
    let blind = if args.names.is_empty() { table.blind() } else { Vec::new() };
    blind.iter().for_each(|rule| say!("{rule}: no sabotage is caught by this rule"));
    let written = json.as_mut().map_or(Ok(()), |file| file.write(&table.to_json()));
    let inserted = page.map_or(Ok(()), |page| page.write(&table.markdown()));
    if let Err(error) = written.and(inserted) {
        complain(&error);
        return Exit::Usage;
    }
    if blind.is_empty() && has_worth && table.proved() == table.rows.len() {
        Exit::Clean
    } else {
        Exit::Wrong
    }
}

/// What became of all.
struct Table {
    rows: Vec<Row>,
    /// How many seeds each got at first.
    seeds: u64,
    stage: Stage,
    uniform: bool,
}

impl Table {
    fn proved(&self) -> usize {
        self.rows.iter().filter(|row| row.is_proved()).count()
    }

    /// The rules that nothing shows to see.
    fn blind(&self) -> Vec<&'static str> {
        let seen = |name| self.rows.iter().any(|row| row.is_proved() && row.sabotage.rule == name);
        rules().iter().map(|rule| rule.name).filter(|name| !seen(*name)).collect()
    }

    /// How many seeds each try needed for all of them together, if all are caught.
    fn needs(&self) -> Option<Tries> {
        let mut sums = Tries::default();
        for row in &self.rows {
            sums.iter_mut().zip(row.needs()?).for_each(|(sum, needed)| *sum += needed);
        }
        Some(sums)
    }

    /// Tells how it compares with another; whether it is as it should be.
    fn compare(&self, other: &Other) -> bool {
        if other.uniform == self.uniform {
            say!("{}", Beside::of(&self.rows, other));
            return true;
        }
        // Where a sabotage is not caught here the table has failed already.
        let worth = self.needs().and_then(|needs| Worth::of(median(needs), other));
        worth.is_none_or(|worth| {
            say!("{worth}");
            worth.is_enough()
        })
    }

    fn sums(&self) -> String {
        let needles = self.rows.iter().filter(|row| row.sabotage.needle.is_some()).count();
        let (all, proved) = (self.rows.len(), self.proved());
        let needs = self.needs().map_or_else(String::new, |needs| {
            format!("; all together need {} seeds (median of {TRIES} tries)", median(needs))
        });
        format!(
            "{all} sabotages, {proved} caught by their rule, for which no other stands in; {needles} are needles{needs}"
        )
    }

    fn to_json(&self) -> Value {
        let rows: Vec<Value> = self.rows.iter().map(Row::to_json).collect();
        let needs = self.needs();
        json!({
            "version": VERSION,
            "seeds": self.seeds,
            "stage": self.stage.name(),
            "uniform": self.uniform,
            "sabotages": rows,
            "tries_needed": needs,
            "median_needed": needs.map(median),
        })
    }

    fn markdown(&self) -> String {
        let mut text = self.sums() + ".\n\n";
        let (seeds, most) = (self.seeds, self.seeds * (1 + MORE));
        text += &format!(
            "Each was tried on {seeds} seeds, or on {most} if these were too few to say how often it is caught.\n\n"
        );
        text += "| sabotage | cites | rule | caught in | seeds needed | seconds | with the rule off |\n";
        text += "|---|---|---|---|---|---|---|\n";
        self.rows.iter().for_each(|row| text += &row.markdown());
        text
    }
}
