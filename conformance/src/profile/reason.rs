//! Why something stands in a profile, and where it is seen.

use std::fmt;

use serde::Deserialize;

/// Why an entry stands in a profile.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Reason {
    /// What the server does.
    #[serde(rename = "reason")]
    pub what: String,
    /// Where that is seen, as `WHERE: WHAT`: a file of its source and the function in it, or what is on the wire or in its log.
    pub seen: Option<String>,
}

impl Reason {
    /// What the server does; nobody has said yet where that is seen.
    #[must_use]
    pub fn new(what: impl Into<String>) -> Self {
        Self { what: what.into(), seen: None }
    }

    /// What is wrong with it, if something is.
    pub(super) fn flaw(&self) -> Option<&'static str> {
        let is_place = |seen: &String| {
            seen.split_once(": ")
                .is_some_and(|(place, what)| !place.trim().is_empty() && !what.trim().is_empty())
        };
        match &self.seen {
            _ if self.what.trim().is_empty() => Some("an empty reason"),
            Some(seen) if !is_place(seen) => {
                Some("a `seen` that is not `WHERE: WHAT`, as `server.c: run_command`")
            }
            _ => None,
        }
    }
}

impl fmt::Display for Reason {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.what)?;
        self.seen.iter().try_for_each(|seen| write!(f, " [{seen}]"))
    }
}
