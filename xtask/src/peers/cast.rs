//! Who plays whom: which parts of a scenario a language can take.

use std::collections::BTreeSet;
use std::fmt;

use super::language::Language;
use super::script::{Action, Kind, Scenario, Word};

/// What a client is told or hears.
const CLIENT_VERBS: [&str; 12] = [
    "exceptions",
    "timeout",
    "task",
    "run",
    "background",
    "poll",
    "progress",
    "reduce",
    "data",
    "warning",
    "status",
    "complete",
];

/// What a worker is told while it does a job.
const WORKER_VERBS: [&str; 8] =
    ["complete", "fail", "exception", "die", "data", "warning", "status", "unique"];

/// The two sides of a scenario, with the languages that take them.
#[derive(Clone, Copy)]
pub(super) struct Cast<'a> {
    /// The one that is looked at.
    pub(super) language: &'a Language,
    pub(super) client: &'a Language,
    pub(super) worker: &'a Language,
    /// Who plays what is written `worker@other`.
    pub(super) other: &'a Language,
}

/// Which sides a language took itself.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Sides {
    Both,
    Client,
    Worker,
}

impl Cast<'_> {
    pub(super) fn sides(&self) -> Sides {
        match (self.client.name == self.language.name, self.worker.name == self.language.name) {
            (true, true) => Sides::Both,
            (true, false) => Sides::Client,
            (false, _) => Sides::Worker,
        }
    }

    /// The language that plays actors of this kind.
    pub(super) fn plays(&self, kind: Kind, other: bool) -> &Language {
        match kind {
            _ if other => self.other,
            Kind::Client => self.client,
            Kind::Worker | Kind::Partition | Kind::Tool => self.worker,
        }
    }
}

impl fmt::Display for Cast<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} client, {} worker", self.client.name, self.worker.name)?;
        if self.other.name == self.worker.name {
            Ok(())
        } else {
            write!(f, ", {} the other", self.other.name)
        }
    }
}

/// All casts in which `language` takes what it can of a scenario, or why it can take nothing.
pub(super) fn casts<'a>(
    scenario: &Scenario,
    language: &'a Language,
    languages: &'a [Language],
) -> Result<Vec<Cast<'a>>, String> {
    let demands = demands(scenario);
    let lack = |who: &Language, role: &str| {
        demands
            .iter()
            .filter(|demand| demand.starts_with(role))
            .find_map(|demand| who.lacks.get(demand).cloned())
    };
    // Others are asked in the order of the file, beginning behind the language itself.
    let at = languages.iter().position(|one| one.name == language.name).unwrap_or_default();
    let (before, after) = languages.split_at(at + 1);
    let next = || after.iter().chain(before);
    let (client, worker) = match (lack(language, "client "), lack(language, "worker ")) {
        (None, None) => (language, language),
        (None, Some(lacking)) => {
            (language, next().find(|one| lack(one, "worker ").is_none()).ok_or(lacking)?)
        }
        (Some(lacking), None) => {
            (next().find(|one| lack(one, "client ").is_none()).ok_or(lacking)?, language)
        }
        (Some(client), Some(worker)) => {
            return Err(if client == worker { client } else { format!("{client}; {worker}") });
        }
    };
    // Who is the other speaks as a worker, and in some scenarios as a client inside its job.
    let mut others = next().filter(|one| lack(one, "worker ").is_none() && one.name != language.name);
    let mut others: Vec<&Language> =
        if scenario.every_other { others.collect() } else { others.next().into_iter().collect() };
    if others.is_empty() {
        if scenario.steps.iter().any(|step| matches!(step.action, Action::Start { other: true, .. })) {
            return Err("no other language can play the other worker".to_owned());
        }
        others.push(worker);
    }
    Ok(others.into_iter().map(|other| Cast { language, client, worker, other }).collect())
}

/// What a scenario asks of clients and of workers: `ROLE VERB`.
fn demands(scenario: &Scenario) -> BTreeSet<String> {
    let mut demands = BTreeSet::new();
    for step in &scenario.steps {
        match &step.action {
            Action::Start { kind: Kind::Worker, words, .. } if words.iter().any(is_limited) => {
                demands.insert("worker limit".to_owned());
            }
            Action::Start { kind: Kind::Partition, .. } => {
                demands.insert("worker partition".to_owned());
            }
            Action::Tell { words, .. } => told(words, &mut demands),
            Action::Polls { ask: words, .. } | Action::Retries { words, .. } => told(words, &mut demands),
            Action::Hear { words, .. } => heard(words, &mut demands),
            Action::Answers { answer, expect, .. } => {
                told(answer, &mut demands);
                heard(expect, &mut demands);
            }
            Action::Start { .. }
            | Action::Exits { .. }
            | Action::Prints { .. }
            | Action::Mentions { .. }
            | Action::Gives { .. }
            | Action::Kill { .. }
            | Action::Restart
            | Action::Status { .. }
            | Action::Watchers { .. } => {}
        }
    }
    demands
}

/// Whether this names a function with a time limit.
fn is_limited(word: &Word) -> bool {
    matches!(word, Word::Function(name) if name.contains(':'))
}

fn told(words: &[Word], demands: &mut BTreeSet<String>) {
    let Some(Word::Bare(verb)) = words.first() else { return };
    // `status` and its like are told to workers and heard from clients.
    let role = if WORKER_VERBS.contains(&verb.as_str()) { "worker" } else { "client" };
    demands.insert(format!("{role} {verb}"));
    if words.contains(&Word::Data(Vec::new())) {
        demands.insert(format!("{role} empty"));
    }
}

/// `TAG EVENT ..` is heard from clients, `job ..` and `unique ..` from workers.
fn heard(words: &[Word], demands: &mut BTreeSet<String>) {
    if let [Word::Bare(_), Word::Bare(event), ..] = words
        && CLIENT_VERBS.contains(&event.as_str())
    {
        demands.insert(format!("client {event}"));
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::peers::script::parse;

    fn languages() -> [Language; 2] {
        let language = |name: &str, lacks: &str| {
            let text = format!("name = '{name}'\ndriver = []\nready = []\nneeds = ''\n[lacks]\n{lacks}");
            toml::from_str(&text).unwrap()
        };
        [language("able", ""), language("unable", "'worker partition' = 'it has no call'")]
    }

    /// The casts of the first language, as they are shown.
    fn shown(steps: &str) -> Result<Vec<String>, String> {
        let text = format!(
            "[[scenario]]\nname = 'n'\npromise = 'p'\nfunctions = ['f']\nsteps = '''\n{steps}\n'''\n"
        );
        let (scenarios, languages) = (parse(&text).unwrap(), languages());
        let casts = casts(&scenarios[0], &languages[0], &languages)?;
        Ok(casts.iter().map(Cast::to_string).collect())
    }

    #[test]
    fn what_only_one_language_can_is_played_by_it_alone() {
        assert_eq!(shown("w worker f").unwrap(), ["able client, able worker, unable the other"]);
        assert_eq!(shown("w partition f").unwrap(), ["able client, able worker"]);
        assert_eq!(
            shown("w partition f\nv worker@other f"),
            Err("no other language can play the other worker".to_owned())
        );
    }
}
