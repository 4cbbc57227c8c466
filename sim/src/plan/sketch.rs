//! What a plan has, in a few lines: what was drawn for its seed.

use super::Plan;
use crate::workload::Op;
use serde::Serialize;
use serde_json::Value;
use std::collections::BTreeMap;
use std::fmt::{self, Display};

/// What a plan has, in a few lines.
pub(crate) struct Sketch<'a>(pub(crate) &'a Plan);

impl Display for Sketch<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Plan { world, server, hosts, workload, faults, .. } = self.0;
        let largest = workload.submits().map(|submit| submit.size).max().unwrap_or(0);
        writeln!(
            f,
            "the plan: servers {}, hosts {}, actors {}, functions {}, storm {} ms, tick {} ms, window {} bytes, largest \
             workload {largest} bytes",
            workload.servers,
            hosts.len(),
            workload.actors.len(),
            workload.functions.len(),
            workload.storm_ms,
            world.tick_ms,
            world.window,
        )?;
        let knobs = serde_json::to_value(server).unwrap_or_default();
        let knobs = knobs.as_object().into_iter().flatten();
        line(f, "set up", knobs.map(|(name, value)| format!("{name} {value}")))?;
        let ops = workload.actors.iter().flat_map(|actor| &actor.steps).map(|step| name_of(&step.op));
        line(f, "operations", counted(ops))?;
        let rates = world.per_mille.iter();
        line(f, "of a thousand", rates.map(|(class, rate)| format!("{class} {rate}")))?;
        line(f, "faults", counted(faults.iter().map(|fault| fault.deed.class().to_string())))
    }
}

fn line(f: &mut fmt::Formatter<'_>, title: &str, words: impl Iterator<Item = String>) -> fmt::Result {
    let words: Vec<String> = words.collect();
    writeln!(f, "  {title}: {}", if words.is_empty() { "none".to_owned() } else { words.join(", ") })
}

fn counted(names: impl Iterator<Item = String>) -> impl Iterator<Item = String> {
    let mut counts: BTreeMap<String, usize> = BTreeMap::new();
    for name in names {
        *counts.entry(name).or_default() += 1;
    }
    counts.into_iter().map(|(name, count)| format!("{name} {count}"))
}

/// As plans have it; a command of the text protocol by its own name.
fn name_of(op: &Op) -> String {
    if let Op::Admin(command) = op { tag(command) } else { tag(op) }
}

fn tag(kind: &impl Serialize) -> String {
    match serde_json::to_value(kind) {
        Ok(Value::String(name)) => name,
        Ok(Value::Object(fields)) => fields.keys().next().cloned().unwrap_or_default(),
        _ => String::new(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::plan::Mix;

    #[test]
    fn what_was_drawn_is_told() {
        let plan = Plan::draw(7, &Mix::everything());
        let told = Sketch(&plan).to_string();
        let submits = format!("submit {}", plan.workload.submits().count());
        let rates = plan.world.per_mille.iter().map(|(class, rate)| format!("{class} {rate}"));
        let classes = plan.faults.iter().map(|fault| fault.deed.class().to_string());
        let store = format!("store {}", plan.server.store);
        for words in rates.chain(classes).chain([submits, store]) {
            assert!(told.contains(&words), "{words} is not in\n{told}");
        }
    }

    #[test]
    fn nothing_is_told_as_none() {
        let plan = Plan::draw(7, &Mix::of([]));
        assert!(Sketch(&plan).to_string().ends_with("  of a thousand: none\n  faults: none\n"));
    }
}
