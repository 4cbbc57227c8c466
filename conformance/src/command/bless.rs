//! `probe` and `bless`: profiles made of what a server was seen to do.

use std::collections::{BTreeMap, BTreeSet};

use super::playing::{STRICT, ServerArguments};
use super::{BlessArguments, ProbeArguments, Refusal, RunArguments, play};
use crate::language::Transcript;
use crate::profile::{Blessed, Observed, Profile, observed};
use crate::report::Exit;
use crate::run::{CaseResult, Plan};

/// Plays cases without the profile's expectations and writes into it what came of them.
pub(super) fn bless(arguments: &BlessArguments) -> Result<Exit, Refusal> {
    let server =
        ServerArguments::of(arguments.target.as_ref(), arguments.launch.as_ref(), &arguments.profile);
    let run = RunArguments::of(server, &arguments.globs);
    let text = read(&arguments.profile)?;
    let mut plan = play::planned(&run)?;
    let mut profile = plan.profile.clone();
    plan.profile.expected.clear();
    let (plan, results) = play::silently(plan)?;
    let mut blocked = 0;
    for result in &results {
        let id = &plan.cases[result.case].header.id;
        blocked += usize::from(!take(&mut profile, id, result));
    }
    let heading: String =
        text.lines().take_while(|line| line.starts_with('#')).map(|line| format!("{line}\n")).collect();
    write(&arguments.profile, &profile.to_text(&heading))?;
    anstream::println!("{}: {} entries under [expected]", arguments.profile, profile.expected.len());
    Ok(if blocked == 0 { Exit::Met } else { Exit::NotMet })
}

/// Takes one result into the profile and tells what changed; false if a profile cannot hold it.
fn take(profile: &mut Profile, id: &str, result: &CaseResult) -> bool {
    let entry = match observed(result) {
        Observed::NotBlessable(verdict) => {
            anstream::println!(
                "{:>14} {id}: {verdict}; put it under [flaky] or [excluded] with a reason",
                "not written"
            );
            return false;
        }
        Observed::Entry(entry) => Some(entry),
        // An entry may say why an outcome is harmless: that is kept as long as the outcome is there.
        Observed::Nothing if result.telling_round().is_none() || graded(result) => return true,
        Observed::Nothing => None,
    };
    let word = match profile.bless(id, entry) {
        Blessed::Same => return true,
        Blessed::New => "new",
        Blessed::Changed => "changed",
        Blessed::Gone => "gone",
    };
    anstream::println!("{word:>14} {id}");
    true
}

/// Whether an outcome was taken that is neither plain nor wrong.
fn graded(result: &CaseResult) -> bool {
    use crate::verdict::Verdict;
    matches!(result.verdict, Verdict::NonStrict | Verdict::Info)
}

/// Plays everything, and writes a profile of what the server can do and what it does otherwise.
pub(super) fn probe(arguments: &ProbeArguments) -> Result<Exit, Refusal> {
    let server = ServerArguments::of(arguments.target.as_ref(), arguments.launch.as_ref(), STRICT);
    let plan = play::planned(&RunArguments::of(server, &[]))?;
    let (plan, results) = play::silently(plan)?;
    let mut profile = plan.profile.clone();
    profile.name.clone_from(&arguments.name);
    profile.server.clone_from(&arguments.name);
    profile.launch.clone_from(&arguments.launch);
    profile.features = features(&plan, &results);
    if !profile.features.contains("GRAB_JOB_UNIQ") {
        profile.grab = gearman_protocol::PacketType::GrabJob;
    }
    for result in &results {
        let header = &plan.cases[result.case].header;
        if header.needs.iter().all(|need| need == "control" || profile.features.contains(need)) {
            take(&mut profile, &header.id, result);
        }
    }
    let heading = "# Made by `gearman-conformance probe`. Read every line: say in each reason what the server does, add `seen = \"FILE: FUNCTION\"`,\n\
                   # and put back what it can do after all under `features`.\n";
    write(&arguments.output, &profile.to_text(heading))?;
    let missing: Vec<String> = plan.profile.features.difference(&profile.features).cloned().collect();
    anstream::println!(
        "features that no case found: {}",
        if missing.is_empty() { "none".to_owned() } else { missing.join(", ") }
    );
    anstream::println!(
        "{}: {} features, {} entries to review",
        arguments.output,
        profile.features.len(),
        profile.expected.len()
    );
    Ok(Exit::Met)
}

/// The features that the server was seen to have: some case that needs one came out well, and no feature that the
/// case needs besides is missing.
fn features(plan: &Plan, results: &[CaseResult]) -> BTreeSet<String> {
    let well: Vec<&Transcript> = results
        .iter()
        .filter(|result| result.telling_round().is_some() && result.verdict.is_met())
        .map(|result| &plan.cases[result.case])
        .collect();
    let mut counts: BTreeMap<&String, usize> = BTreeMap::new();
    for case in well {
        case.header.needs.iter().for_each(|need| *counts.entry(need).or_default() += 1);
    }
    plan.profile.features.iter().filter(|feature| counts.contains_key(feature)).cloned().collect()
}

fn read(path: &str) -> Result<String, Refusal> {
    std::fs::read_to_string(path).map_err(|error| {
        Refusal::usage(format!(
            "{path}: {error}; bless writes into a file, so give a path and not an embedded name"
        ))
    })
}

fn write(path: &str, text: &str) -> Result<(), Refusal> {
    std::fs::write(path, text).map_err(|error| Refusal::usage(format!("{path}: {error}")))
}
