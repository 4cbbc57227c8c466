//! What a run says about a server, as entries of a profile.

use super::{Expectation, Expected, Profile, Reason};
use crate::language::Grade;
use crate::run::CaseResult;
use crate::verdict::Verdict;

/// How the reason of an entry begins that nobody has reviewed.
pub const UNREVIEWED: &str = "not reviewed: ";

/// What a case's result makes of its entry.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Observed {
    /// It needs none: it came out well, or was not played.
    Nothing,
    /// It came out so; the reason is still to be written.
    Entry(Expectation),
    /// Nothing that a profile could expect: the verdict, and why.
    NotBlessable(String),
}

/// What a result says, judged without the profile's entry for it.
#[must_use]
pub fn observed(result: &CaseResult) -> Observed {
    match result.verdict {
        Verdict::Fail => {}
        Verdict::Crash | Verdict::Hang | Verdict::Unsound | Verdict::Flaky { .. } => {
            let why = result.why.iter().map(|why| format!(" ({why})"));
            return Observed::NotBlessable(format!("{}{}", result.verdict, why.collect::<String>()));
        }
        Verdict::Pass
        | Verdict::NonStrict
        | Verdict::Info
        | Verdict::Skip(_)
        | Verdict::ExpectedFail
        | Verdict::UnexpectedPass => return Observed::Nothing,
    }
    let Some(played) = result.telling_round().and_then(|round| round.played.as_ref()) else {
        return Observed::NotBlessable(result.verdict.to_string());
    };
    if let Some(failure) = &played.failure {
        let reason = Reason::new(format!("{UNREVIEWED}{}", failure.summary));
        return Observed::Entry(Expectation { how: Expected::FailsAt(failure.statement.clone()), reason });
    }
    let mut names: Vec<String> = Vec::new();
    for outcome in played.outcomes.iter().filter(|outcome| outcome.grade != Grade::Ok) {
        if !names.contains(&outcome.name) {
            names.push(outcome.name.clone());
        }
    }
    let reason = Reason::new(format!("{UNREVIEWED}{}", names.join(", ")));
    Observed::Entry(Expectation { how: Expected::Outcomes(names), reason })
}

/// What became of an entry.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Blessed {
    /// It is as it was.
    Same,
    /// There was none.
    New,
    /// It says something else now and keeps its reason.
    Changed,
    /// The case comes out well now.
    Gone,
}

impl Profile {
    /// Takes what was observed into the profile; a reason that stands there stays.
    pub fn bless(&mut self, id: &str, entry: Option<Expectation>) -> Blessed {
        let Some(mut entry) = entry else {
            // An entry may name an outcome that needs none, to say why it is so.
            return if self.expected.remove(id).is_some() { Blessed::Gone } else { Blessed::Same };
        };
        let Some(old) = self.expected.get(id) else {
            self.expected.insert(id.to_owned(), entry);
            return Blessed::New;
        };
        if same(&old.how, &entry.how) {
            return Blessed::Same;
        }
        entry.reason.clone_from(&old.reason);
        self.expected.insert(id.to_owned(), entry);
        Blessed::Changed
    }
}

/// Whether what was expected is what was seen: a statement may be given by its beginning, outcomes in any order.
fn same(expected: &Expected, seen: &Expected) -> bool {
    match (expected, seen) {
        (Expected::FailsAt(start), Expected::FailsAt(statement)) => statement.starts_with(start),
        (Expected::Outcomes(one), Expected::Outcomes(other)) => {
            let sorted = |names: &[String]| {
                let mut names = names.to_vec();
                names.sort_unstable();
                names
            };
            sorted(one) == sorted(other)
        }
        (Expected::FailsAt(_), Expected::Outcomes(_)) | (Expected::Outcomes(_), Expected::FailsAt(_)) => {
            false
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn entry(statement: &str, reason: &str) -> Expectation {
        Expectation { how: Expected::FailsAt(statement.to_owned()), reason: Reason::new(reason) }
    }

    #[test]
    fn a_reason_stays_when_the_case_fails_elsewhere() {
        let mut profile = Profile::load("strict").expect("embedded");
        assert_eq!(profile.bless("a/b", Some(entry("c < NOOP", "not reviewed: silence"))), Blessed::New);
        profile.expected.insert("a/b".to_owned(), entry("c < NO", "it never wakes; seen on the wire"));
        assert_eq!(profile.bless("a/b", Some(entry("c < NOOP {within=3s}", "other"))), Blessed::Same);
        assert_eq!(profile.bless("a/b", Some(entry("fence c", "other"))), Blessed::Changed);
        assert_eq!(profile.expected["a/b"], entry("fence c", "it never wakes; seen on the wire"));
        assert_eq!(profile.bless("a/b", None), Blessed::Gone);
        assert_eq!(profile.bless("a/b", None), Blessed::Same);
    }

    #[test]
    fn every_entry_of_an_embedded_profile_is_reviewed_and_says_where_it_is_seen() {
        let servers = Profile::embedded().map(Profile::load);
        let clients = Profile::clients().map(Profile::load_client);
        for profile in servers.chain(clients) {
            let profile = profile.expect("embedded");
            for (entry, reason) in profile.reasons() {
                assert!(!reason.what.starts_with(UNREVIEWED), "{}: {entry}", profile.name);
                assert!(reason.seen.is_some(), "{}: {entry} does not say where it is seen", profile.name);
            }
        }
    }
}
