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
    let run = RunArguments { fresh: arguments.fresh, ..RunArguments::of(server, &[]) };
    let plan = play::planned(&run)?;
    let (plan, mut results) = play::silently(plan)?;
    let mut profile = plan.profile.clone();
    profile.name.clone_from(&arguments.name);
    profile.server.clone_from(&arguments.name);
    profile.launch.clone_from(&arguments.launch);
    profile.fresh = plan.fresh;
    profile.features = features(&plan, &results);
    if !profile.features.contains("GRAB_JOB_UNIQ") {
        profile.grab = gearman_protocol::PacketType::GrabJob;
    }
    play_again(&plan, &profile, &mut results)?;
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

/// Plays once more what goes another way now: the first time the server was thought to be able to do everything.
fn play_again(plan: &Plan, profile: &Profile, results: &mut [CaseResult]) -> Result<(), Refusal> {
    let is_other = |result: &&mut CaseResult| goes_another_way(&plan.cases[result.case], profile);
    let mut others: Vec<&mut CaseResult> = results.iter_mut().filter(is_other).collect();
    if others.is_empty() {
        return Ok(());
    }
    let cases = others.iter().map(|result| plan.cases[result.case].clone()).collect();
    let (_, again) = play::silently(Plan { cases, profile: profile.clone(), ..plan.clone() })?;
    for new in again {
        let old = &mut others[new.case];
        **old = CaseResult { case: old.case, ..new };
    }
    Ok(())
}

fn goes_another_way(case: &Transcript, profile: &Profile) -> bool {
    case.asked_features().into_iter().any(|feature| !profile.features.contains(feature))
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

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_asks_for_a_missing_feature_goes_another_way() {
        let case = |body: &str| {
            let text = format!("gtx 1\nid: a/b\ntitle: t\nlevel: must\n---\nopen c\n{body}");
            Transcript::parse("b.gtx", &text).expect("a transcript")
        };
        let asks = case("repeat 2\n  when cancel\n    fence c\n  end\nend\n");
        let mut profile = Profile::load("strict").expect("embedded");
        assert!(!goes_another_way(&asks, &profile));
        profile.features.remove("cancel");
        assert!(goes_another_way(&asks, &profile));
        assert!(!goes_another_way(&case("fence c\n"), &profile));
    }
}
