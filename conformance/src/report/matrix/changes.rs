//! What is otherwise than in earlier results.

use super::reading::{Case, Results};

/// A cell that says something else than before.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Change {
    /// The profile's name.
    pub profile: String,
    /// The case.
    pub id: String,
    /// What the cell said; `None` if it was not there.
    pub before: Option<String>,
    /// What it says; `None` if it is not there any more.
    pub now: Option<String>,
}

impl std::fmt::Display for Change {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let said = |word: &Option<String>| word.clone().unwrap_or_else(|| "not there".to_owned());
        write!(f, "{} {}: {} -> {}", self.profile, self.id, said(&self.before), said(&self.now))
    }
}

/// Every cell of these servers that differs from the baseline; servers that it does not have are new as a whole, and
/// are not listed case by case.
#[must_use]
pub fn changes(baseline: &[Results], servers: &[Results]) -> Vec<Change> {
    let mut changes = Vec::new();
    for server in servers {
        let Some(old) = baseline.iter().find(|old| old.profile == server.profile) else { continue };
        let mut ids: Vec<&str> =
            old.results.iter().chain(&server.results).map(|case| case.id.as_str()).collect();
        ids.sort_unstable();
        ids.dedup();
        for id in ids {
            let (before, now) = (old.of(id).map(said), server.of(id).map(said));
            if before != now {
                changes.push(Change { profile: server.profile.clone(), id: id.to_owned(), before, now });
            }
        }
    }
    changes
}

/// The verdict, and what was seen where that is not the same.
fn said(case: &Case) -> String {
    match case.word().as_str() {
        "ok" | "–" => case.verdict.clone(),
        word if word == case.verdict.to_lowercase() => case.verdict.clone(),
        word => format!("{} {word}", case.verdict),
    }
}
