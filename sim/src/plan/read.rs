//! Plans as files.

use super::{Plan, VERSION};
use serde_json::Value;
use std::path::Path;
use std::{fmt, fs};

/// Why a plan cannot be run; one line that says what, where and what to do.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct PlanError(pub(super) String);

impl PlanError {
    /// An error that says this.
    #[must_use]
    pub fn new(what: impl Into<String>) -> Self {
        Self(what.into())
    }
}

impl fmt::Display for PlanError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

impl std::error::Error for PlanError {}

impl Plan {
    /// Reads a plan from a file.
    ///
    /// # Errors
    /// The file cannot be read, is no plan, is of another version, has a field that this version does not know, or
    /// speaks of something that it does not have.
    pub fn load(path: &Path) -> Result<Self, PlanError> {
        let about = |error: &dyn fmt::Display| PlanError(format!("{}: {error}", path.display()));
        let unread = |error: std::io::Error| {
            about(&format!("{error}; give a seed, 0 to {}, or a plan that --out wrote", u64::MAX))
        };
        let text = fs::read_to_string(path).map_err(unread)?;
        Self::from_json(&text).map_err(|error| about(&error))
    }

    /// Reads a plan from its JSON.
    ///
    /// # Errors
    /// As [`Plan::load`].
    pub fn from_json(text: &str) -> Result<Self, PlanError> {
        let json: Value =
            serde_json::from_str(text).map_err(|error| PlanError(format!("no plan: {error}")))?;
        match json.get("version").and_then(Value::as_u64) {
            Some(version) if version == u64::from(VERSION) => {}
            Some(version) => {
                return Err(PlanError(format!(
                    "a plan of version {version}; this program runs version {VERSION}: draw it again from its seed"
                )));
            }
            None => return Err(PlanError("no plan: it has no version".to_owned())),
        }
        // From the text and not from the value, so that errors have a line and a column.
        let plan: Self =
            serde_json::from_str(text).map_err(|error| PlanError(format!("no plan: {error}")))?;
        super::check::numbers(&json, "")?;
        plan.check()?;
        Ok(plan)
    }

    /// Its JSON, on many lines.
    ///
    /// # Panics
    /// Never: a plan is plain data with text for keys.
    #[must_use]
    pub fn to_json(&self) -> String {
        serde_json::to_string_pretty(self).expect("a plan is plain data") + "\n"
    }
}
