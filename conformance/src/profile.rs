//! What is known about one implementation: how to start it, what it can do, and how it differs.
//!
//! A profile is TOML and is read by people at least as often as by this tool: every deviation stands on a line of
//! its own, sorted by case, with a reason that says what the server does.

mod observing;
mod reason;
mod writing;

use std::collections::{BTreeMap, BTreeSet};
use std::fmt;
use std::time::Duration;

use gearman_protocol::PacketType;
use serde::Deserialize;

pub use observing::{Blessed, Observed, UNREVIEWED, observed};
pub use reason::Reason;

use crate::language::{Grade, Transcript};
use crate::suite::Suite;
use crate::vocabulary;

/// The version of the format that this tool reads.
const VERSION: u32 = 1;

/// The profiles that the binary carries, with their names.
const EMBEDDED: &[(&str, &str)] = &[
    ("gear", include_str!("../profiles/gear.toml")),
    ("gearmand-c", include_str!("../profiles/gearmand-c.toml")),
    ("gearwright", include_str!("../profiles/gearwright.toml")),
    ("perl", include_str!("../profiles/perl.toml")),
    ("strict", include_str!("../profiles/strict.toml")),
];

/// The profiles of clients and workers that the binary carries, with their names.
const CLIENTS: &[(&str, &str)] = &[
    ("c", include_str!("../profiles/clients/c.toml")),
    ("gear", include_str!("../profiles/clients/gear.toml")),
    ("gearwright", include_str!("../profiles/clients/gearwright.toml")),
    ("perl", include_str!("../profiles/clients/perl.toml")),
    ("php", include_str!("../profiles/clients/php.toml")),
    ("strict", include_str!("../profiles/clients/strict.toml")),
    ("tools", include_str!("../profiles/clients/tools.toml")),
];

/// What is known about one implementation.
#[derive(Debug, Clone)]
pub struct Profile {
    /// A short name, as in a column's head.
    pub name: String,
    /// The implementation and its version, for people.
    pub server: String,
    /// The command that starts it in the foreground, with `{port}` in it.
    pub launch: Option<String>,
    /// Whether it keeps something from one case for the next, so that each needs a server of its own.
    pub fresh: bool,
    /// The request with a known answer that fences use.
    pub fence: Fence,
    /// The request that workers use to ask for a job when leftovers are drained.
    pub grab: PacketType,
    /// By how much slower than usual it may be.
    pub time_scale: f64,
    /// The packets that `<~` and fences skip.
    pub harmless: Vec<PacketType>,
    /// What it can do; the rest is skipped.
    pub features: BTreeSet<String>,
    /// What to append to the command for a named setting; `{value}` stands for its value.
    pub settings: BTreeMap<String, String>,
    /// Deviations that a case goes on after.
    pub tolerances: BTreeMap<Tolerance, Reason>,
    /// Cases that are known to come out differently.
    pub expected: BTreeMap<String, Expectation>,
    /// Cases that are known to come out now so, now so.
    pub flaky: BTreeMap<String, Reason>,
    /// Cases that are not played.
    pub excluded: BTreeMap<String, Reason>,
}

/// A request that every server of a kind answers in a known way.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize)]
pub enum Fence {
    /// GET_STATUS for a handle that does not exist.
    #[serde(rename = "GET_STATUS")]
    Status,
    /// ECHO_REQ.
    #[serde(rename = "ECHO_REQ")]
    Echo,
}

/// A deviation that is recorded once instead of failing every case that meets it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Tolerance {
    /// WORK_FAIL ends its handle with a NUL.
    HandleNul,
    /// Responses carry another magic than `\0RES`.
    ResMagic,
    /// Numbers of a status are empty instead of 0.
    StatusEmpty,
}

impl Fence {
    fn usual() -> Self {
        Self::Status
    }
}

impl Tolerance {
    /// Its name in profiles.
    #[must_use]
    pub fn name(self) -> &'static str {
        match self {
            Self::HandleNul => "handle-nul",
            Self::ResMagic => "res-magic",
            Self::StatusEmpty => "status-empty",
        }
    }
}

/// How a case is known to come out.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Expectation {
    /// In which way.
    pub how: Expected,
    /// Why.
    pub reason: Reason,
}

/// The way a case is known to come out.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Expected {
    /// With these outcomes, none of them graded `ok`.
    Outcomes(Vec<String>),
    /// By failing at the statement whose text begins so.
    FailsAt(String),
}

/// Why a profile cannot be used.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ProfileError {
    /// The file or the embedded name.
    pub from: String,
    /// What is wrong; TOML errors come with their line and a caret.
    pub message: String,
}

impl fmt::Display for ProfileError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "profile {}: {}", self.from, self.message.trim_end())
    }
}

impl std::error::Error for ProfileError {}

/// The file as it is written.
#[derive(Deserialize)]
#[serde(rename_all = "kebab-case", deny_unknown_fields)]
struct File {
    profile: u32,
    name: String,
    #[serde(alias = "client")]
    server: String,
    launch: Option<String>,
    #[serde(default)]
    fresh: bool,
    /// A client is never asked anything, so its profile says nothing here.
    #[serde(default = "Fence::usual")]
    fence: Fence,
    grab: String,
    #[serde(default = "usual_time")]
    time_scale: f64,
    harmless: Vec<String>,
    features: Vec<String>,
    #[serde(default)]
    settings: BTreeMap<String, String>,
    #[serde(default)]
    tolerances: BTreeMap<Tolerance, Reason>,
    #[serde(default)]
    expected: BTreeMap<String, Entry>,
    #[serde(default)]
    flaky: BTreeMap<String, Reason>,
    #[serde(default)]
    excluded: BTreeMap<String, Reason>,
}

fn usual_time() -> f64 {
    1.0
}

#[derive(Deserialize)]
#[serde(rename_all = "kebab-case", deny_unknown_fields)]
struct Entry {
    outcome: Option<OneOrMore>,
    fails_at: Option<String>,
    reason: String,
    seen: Option<String>,
}

#[derive(Deserialize)]
#[serde(untagged)]
enum OneOrMore {
    One(String),
    More(Vec<String>),
}

impl Profile {
    /// The names of the profiles that the binary carries.
    pub fn embedded() -> impl Iterator<Item = &'static str> {
        EMBEDDED.iter().map(|(name, _)| *name)
    }

    /// The text of an embedded profile.
    #[must_use]
    pub fn embedded_text(name: &str) -> Option<&'static str> {
        EMBEDDED.iter().find(|(known, _)| *known == name).map(|(_, text)| *text)
    }

    /// The names of the profiles of clients and workers that the binary carries.
    pub fn clients() -> impl Iterator<Item = &'static str> {
        CLIENTS.iter().map(|(name, _)| *name)
    }

    /// The text of an embedded profile of a client.
    #[must_use]
    pub fn client_text(name: &str) -> Option<&'static str> {
        CLIENTS.iter().find(|(known, _)| *known == name).map(|(_, text)| *text)
    }

    /// Reads an embedded profile of a client by its name, or a file by its path.
    ///
    /// # Errors
    ///
    /// As [`Profile::load`].
    pub fn load_client(from: &str) -> Result<Self, ProfileError> {
        Self::read(from, Self::client_text(from), &Self::clients().collect::<Vec<_>>())
    }

    /// Reads an embedded profile by its name, or a file by its path.
    ///
    /// # Errors
    ///
    /// The file cannot be read, is not TOML, or says something that makes no sense.
    pub fn load(from: &str) -> Result<Self, ProfileError> {
        Self::read(from, Self::embedded_text(from), &Self::embedded().collect::<Vec<_>>())
    }

    fn read(from: &str, embedded: Option<&str>, known: &[&str]) -> Result<Self, ProfileError> {
        let error = |message: String| ProfileError { from: from.to_owned(), message };
        let text = match embedded {
            Some(text) => text.to_owned(),
            None => std::fs::read_to_string(from)
                .map_err(|cause| error(format!("{cause}; give a file or one of {}", known.join(", "))))?,
        };
        Self::parse(&text).map_err(error)
    }

    /// Reads a profile's text.
    ///
    /// # Errors
    ///
    /// What is wrong with it.
    pub fn parse(text: &str) -> Result<Self, String> {
        let file: File = toml::from_str(text).map_err(|cause| cause.to_string())?;
        if file.profile != VERSION {
            return Err(format!("version {} of the format is not known, only {VERSION}", file.profile));
        }
        let profile = Self {
            name: file.name,
            server: file.server,
            launch: file.launch,
            fresh: file.fresh,
            fence: file.fence,
            grab: packet("grab", &file.grab)?,
            time_scale: file.time_scale,
            harmless: file.harmless.iter().map(|name| packet("harmless", name)).collect::<Result<_, _>>()?,
            features: file.features.into_iter().collect(),
            settings: file.settings,
            tolerances: file.tolerances,
            expected: file.expected.into_iter().map(expectation).collect::<Result<_, _>>()?,
            flaky: file.flaky,
            excluded: file.excluded,
        };
        profile.check()?;
        Ok(profile)
    }

    fn check(&self) -> Result<(), String> {
        if !(self.time_scale > 0.0 && self.time_scale <= 1000.0) {
            return Err(format!("time-scale is {}, not between 0 and 1000", self.time_scale));
        }
        for feature in &self.features {
            vocabulary::check_feature(feature)?;
        }
        for setting in self.settings.keys() {
            vocabulary::check_setting(setting)?;
        }
        match self.reasons().find_map(|(entry, reason)| Some((entry, reason.flaw()?))) {
            Some((entry, flaw)) => Err(format!("`{entry}` has {flaw}")),
            None => Ok(()),
        }
    }

    /// Why each of its entries stands there, with the case or the tolerance it is about.
    pub fn reasons(&self) -> impl Iterator<Item = (&str, &Reason)> {
        let tolerances = self.tolerances.iter().map(|(tolerance, reason)| (tolerance.name(), reason));
        let expected = self.expected.iter().map(|(case, entry)| (case.as_str(), &entry.reason));
        let others = self.flaky.iter().chain(&self.excluded).map(|(case, reason)| (case.as_str(), reason));
        tolerances.chain(expected).chain(others)
    }

    /// Whether every case and outcome that the profile names exists.
    ///
    /// # Errors
    ///
    /// The first that does not.
    pub fn check_against(&self, suite: &Suite) -> Result<(), String> {
        for id in self.flaky.keys().chain(self.excluded.keys()).chain(self.expected.keys()) {
            if suite.case(id).is_none() {
                return Err(format!("`{id}` is not a case of this suite"));
            }
        }
        for (id, entry) in &self.expected {
            if let (Expected::Outcomes(names), Some(case)) = (&entry.how, suite.case(id)) {
                names.iter().try_for_each(|name| check_outcome(case, name))?;
            }
        }
        Ok(())
    }

    /// A time of the usual length, stretched for this server.
    #[must_use]
    pub fn stretch(&self, time: Duration) -> Duration {
        time.mul_f64(self.time_scale)
    }
}

fn packet(key: &str, name: &str) -> Result<PacketType, String> {
    PacketType::from_name(name).ok_or_else(|| format!("`{key}` names `{name}`, which is not a packet type"))
}

fn expectation((case, entry): (String, Entry)) -> Result<(String, Expectation), String> {
    let how = match (entry.outcome, entry.fails_at) {
        (Some(OneOrMore::One(name)), None) => Expected::Outcomes(vec![name]),
        (Some(OneOrMore::More(names)), None) => Expected::Outcomes(names),
        (None, Some(text)) if !text.is_empty() => Expected::FailsAt(text),
        _ => return Err(format!("`{case}` needs either `outcome` or `fails-at`, and not both")),
    };
    Ok((case, Expectation { how, reason: Reason { what: entry.reason, seen: entry.seen } }))
}

fn check_outcome(case: &Transcript, name: &str) -> Result<(), String> {
    let id = &case.header.id;
    match case.outcomes().find(|alternative| alternative.name == name) {
        None => Err(format!("`{id}` has no outcome `{name}`")),
        Some(alternative) if alternative.grade == Grade::Ok => {
            Err(format!("the outcome `{name}` of `{id}` is graded ok, so it needs no entry"))
        }
        Some(_) => Ok(()),
    }
}
