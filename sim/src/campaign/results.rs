//! What a process found out about its part of a campaign, as a file, and how such files are put together.

use super::{Campaign, Seeds, Summary};
use crate::judge::rules;
use crate::plan;
use serde::{Deserialize, Serialize};
use serde_json::Value;
use std::fmt;
use std::path::{Path, PathBuf};
use std::{fs, io};
use thiserror::Error;

/// The version of the format that this program writes and reads.
const VERSION: u32 = 3;
/// How many absent parts of a range are named.
const LINES: usize = 10;

/// The results of one part of a campaign, or of several that were put together.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Results {
    version: u32,
    /// What was run.
    pub campaign: Identity,
    /// Which seeds of it.
    pub parts: Vec<Part>,
    /// What came of them.
    pub summary: Summary,
}

/// What results must agree in to be of one campaign.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Identity {
    /// The version of the program.
    pub program: String,
    /// The commit that it was built from, if whoever built it set `GEARMAN_SIM_COMMIT`.
    pub commit: Option<String>,
    /// The version of its plans.
    pub plans: u32,
    /// The digest of what it makes of seed 0, in hexadecimal; on the loopback stage, of the program that is judged too.
    pub fingerprint: String,
    /// The flags that choose what is run and what judges.
    pub flags: Vec<String>,
}

/// The seeds of one process.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields, try_from = "SavedPart", into = "SavedPart")]
pub struct Part {
    /// Which were to be run.
    pub seeds: Seeds,
    /// How many were.
    pub run: u64,
    /// Whether they were run twice and compared.
    pub checked: bool,
}

/// A part as it is written down.
#[derive(Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct SavedPart {
    seeds: String,
    shard: String,
    run: u64,
    checked: bool,
}

/// Why results cannot be read or put together; one line that says what, where and what to do.
#[derive(Debug, Error)]
pub enum ResultsError {
    /// The system does not let them be read.
    #[error("{0}: {1}; give what `run --json` wrote")]
    Unread(PathBuf, io::Error),
    /// The file was made and never written.
    #[error("{0}: it is empty: its campaign has not come to an end; run that part again")]
    Empty(PathBuf),
    /// They are none.
    #[error("{0}: no results: {1}")]
    NoResults(PathBuf, String),
    /// They are of another format.
    #[error(
        "{0}: results of version {1}; this program reads version {VERSION}: use the program that wrote them"
    )]
    Version(PathBuf, u64),
    /// They are of another campaign.
    #[error(
        "{0}: its {1} differs from that of the first results, {2} from {3}: only parts of one campaign can be put together"
    )]
    OfAnother(PathBuf, &'static str, String, String),
    /// They have seeds that other results have, or may have.
    #[error(
        "{0}: seeds {1} may overlap with seeds {2} of other results: take parts of one range in as many shards, or ranges apart"
    )]
    Overlap(PathBuf, String, String),
}

impl Results {
    /// What came of a campaign that was chosen with these flags.
    #[must_use]
    pub fn new(campaign: &Campaign, flags: Vec<String>, summary: Summary, checked: bool) -> Self {
        let part = Part { seeds: campaign.seeds.clone(), run: summary.seeds, checked };
        let campaign = Identity {
            program: env!("CARGO_PKG_VERSION").to_owned(),
            commit: option_env!("GEARMAN_SIM_COMMIT").map(str::to_owned),
            plans: plan::VERSION,
            fingerprint: format!("{:016x}", campaign.fingerprint()),
            flags,
        };
        Self { version: VERSION, campaign, parts: vec![part], summary }
    }

    /// Reads results from a file.
    ///
    /// # Errors
    /// The file cannot be read, was never written, is of another version, or is no such thing.
    pub fn load(path: &Path) -> Result<Self, ResultsError> {
        let text = fs::read_to_string(path).map_err(|error| ResultsError::Unread(path.to_owned(), error))?;
        if text.trim().is_empty() {
            return Err(ResultsError::Empty(path.to_owned()));
        }
        let none = |error: &dyn fmt::Display| ResultsError::NoResults(path.to_owned(), error.to_string());
        let json: Value = serde_json::from_str(&text).map_err(|error| none(&error))?;
        match json.get("version").and_then(Value::as_u64) {
            Some(version) if version == u64::from(VERSION) => {}
            Some(version) => return Err(ResultsError::Version(path.to_owned(), version)),
            None => return Err(none(&"they have no version")),
        }
        let results: Self = serde_json::from_str(&text).map_err(|error| none(&error))?;
        let is_unknown = |name: &&str| rules().iter().all(|rule| rule.name != *name);
        let unknown = results.summary.armed_rules().find(is_unknown).map(str::to_owned);
        unknown.map_or(Ok(results), |name| Err(none(&format!("there is no rule {name:?}"))))
    }

    /// Adds other results, which are in this file.
    ///
    /// # Errors
    /// They are of another campaign, or not certainly of other seeds.
    pub fn add(&mut self, other: &Self, path: &Path) -> Result<(), ResultsError> {
        if let Some((what, theirs, ours)) = self.campaign.difference(&other.campaign) {
            return Err(ResultsError::OfAnother(path.to_owned(), what, theirs, ours));
        }
        for part in &other.parts {
            if let Some(same) = self.parts.iter().find(|same| !same.seeds.is_apart_from(&part.seeds)) {
                return Err(ResultsError::Overlap(path.to_owned(), part.to_string(), same.to_string()));
            }
            self.parts.push(part.clone());
        }
        self.summary += &other.summary;
        Ok(())
    }

    /// Which seeds are not in it although others of their range are: a line for each part, and for each range no more
    /// than ten.
    #[must_use]
    pub fn missing(&self) -> Vec<String> {
        let mut missing = Vec::new();
        for (index, part) in self.parts.iter().enumerate() {
            if part.run < part.seeds.count() {
                missing.push(format!("seeds {part}: {} of {} were run", part.run, part.seeds.count()));
            }
            // The first of each range tells what is not there at all.
            let is_first = self.parts[..index].iter().all(|one| !one.seeds.is_of_the_range_of(&part.seeds));
            let others = part.seeds.other_parts().take_while(|_| is_first);
            let absent =
                others.filter(|other| self.parts.iter().all(|there| there.seeds != *other)).take(LINES);
            let line =
                |absent: Seeds| format!("seeds {absent}, shard {}: not in these results", absent.part());
            missing.extend(absent.map(line));
        }
        missing
    }
}

impl Identity {
    /// The first thing in which another one differs: what, and how it is there and here.
    fn difference(&self, other: &Self) -> Option<(&'static str, String, String)> {
        let commit = |of: &Self| of.commit.clone().unwrap_or_else(|| "none".to_owned());
        let flags = |of: &Self| if of.flags.is_empty() { "none".to_owned() } else { of.flags.join(" ") };
        let pairs = [
            ("program's version", other.program.clone(), self.program.clone()),
            ("commit", commit(other), commit(self)),
            ("version of plans", other.plans.to_string(), self.plans.to_string()),
            ("choice of flags", flags(other), flags(self)),
            ("fingerprint (what it makes of seed 0)", other.fingerprint.clone(), self.fingerprint.clone()),
        ];
        pairs.into_iter().find(|(_, theirs, ours)| theirs != ours)
    }
}

impl fmt::Display for Part {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}, shard {}", self.seeds, self.seeds.part())
    }
}

impl From<Part> for SavedPart {
    fn from(Part { seeds, run, checked }: Part) -> Self {
        Self { seeds: seeds.to_string(), shard: seeds.part().to_string(), run, checked }
    }
}

impl TryFrom<SavedPart> for Part {
    type Error = String;

    fn try_from(SavedPart { seeds, shard, run, checked }: SavedPart) -> Result<Self, String> {
        let range: Seeds = seeds.parse().map_err(|error| format!("seeds {seeds:?}: {error}"))?;
        let shard = shard.parse().map_err(|error| format!("shard {shard:?}: {error}"))?;
        Ok(Self { seeds: range.shard(shard), run, checked })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn results(seeds: &str, shard: &str) -> Results {
        let seeds: Seeds = seeds.parse().unwrap();
        let seeds = seeds.shard(shard.parse().unwrap());
        let campaign = Identity {
            program: "1".to_owned(),
            commit: None,
            plans: 1,
            fingerprint: "0".to_owned(),
            flags: Vec::new(),
        };
        let run = seeds.count();
        let mut summary = Summary::default();
        summary.seeds = run;
        Results { version: VERSION, campaign, parts: vec![Part { seeds, run, checked: false }], summary }
    }

    fn refusal(other: &Results) -> String {
        results("0..100", "1/4").add(other, Path::new("x.json")).unwrap_err().to_string()
    }

    #[test]
    fn results_survive_being_saved_and_have_the_version() {
        let results = results("0..100", "2/4");
        let text = serde_json::to_string(&results).unwrap();
        assert_eq!(serde_json::from_str::<Results>(&text).unwrap(), results);
    }

    #[test]
    fn only_parts_of_one_campaign_are_put_together() {
        type Change = fn(&mut Identity);
        let changes: [(Change, &str); 5] = [
            (
                |it| it.program = "2".to_owned(),
                "program's version differs from that of the first results, 2 from 1",
            ),
            (
                |it| it.commit = Some("c0ffee".to_owned()),
                "commit differs from that of the first results, c0ffee from none",
            ),
            (|it| it.plans = 2, "version of plans differs"),
            (
                |it| it.flags = vec!["--stage".to_owned(), "bare".to_owned()],
                "choice of flags differs from that of the first results, --stage bare from none",
            ),
            (|it| it.fingerprint = "1".to_owned(), "seed 0) differs"),
        ];
        for (change, wanted) in changes {
            let mut other = results("0..100", "2/4");
            change(&mut other.campaign);
            let said = refusal(&other);
            assert!(said.starts_with("x.json: its ") && said.contains(wanted), "{said}");
        }
    }

    #[test]
    fn no_seed_counts_twice() {
        for (seeds, shard) in [("0..100", "1/4"), ("0..100", "2/8"), ("50..60", "1/1")] {
            assert!(refusal(&results(seeds, shard)).contains("may overlap with seeds 0..=99, shard 1/4"));
        }
        let mut all = results("0..100", "1/4");
        all.add(&results("0..100", "2/4"), Path::new("")).unwrap();
        all.add(&results("100..110", "1/1"), Path::new("")).unwrap();
        assert_eq!(all.summary.seeds, 60);
        assert!(all.add(&results("0..100", "2/4"), Path::new("")).is_err());
    }

    #[test]
    fn what_is_missing_is_told_once() {
        let mut some = results("0..100", "3/4");
        some.parts[0].run = 7;
        some.add(&results("0..100", "1/4"), Path::new("")).unwrap();
        assert_eq!(
            some.missing(),
            [
                "seeds 0..=99, shard 3/4: 7 of 25 were run",
                "seeds 0..=99, shard 2/4: not in these results",
                "seeds 0..=99, shard 4/4: not in these results"
            ]
        );
        let mut all = results("0..4", "1/2");
        all.add(&results("0..4", "2/2"), Path::new("")).unwrap();
        assert_eq!(all.missing(), [""; 0]);
    }
}
