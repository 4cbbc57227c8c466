//! The words that headers and profiles share: a misspelt one must not skip a case silently.

use gearman_protocol::PacketType;

/// What a server may be able to do, beside the packet types it takes, which are features by their names.
pub const FEATURES: &[(&str, &str)] = &[
    ("cancel", "`cancel job`"),
    ("coalescing", "submits of one function and unique share a job"),
    ("control", "the tool launched the server and may signal and restart it"),
    ("create-function", "`create function`"),
    ("drop-function", "`drop function`"),
    ("epoch", "jobs that start at a time"),
    ("exceptions", "the option of this name"),
    ("global-priority", "priority counts over all functions of a worker"),
    ("maxqueue", "`maxqueue`"),
    ("priority-status", "`prioritystatus`"),
    ("reduce", "jobs with a reducer"),
    ("retries", "jobs of lost workers are run again"),
    ("show", "`show jobs` and `show unique jobs`"),
    ("timeouts", "CAN_DO_TIMEOUT in milliseconds, after which the job is run again"),
];

/// What a server may be started with.
pub const SETTINGS: &[(&str, &str)] = &[
    ("exceptions", "every connection has the option `exceptions`"),
    ("handle-prefix", "what handles begin with"),
    ("retries", "after how many lost workers a job is dropped"),
    ("store", "background jobs are kept on disk, where a restart finds them"),
    ("wakeup", "how many workers are woken for a job"),
];

/// Accepts the name of a feature.
///
/// # Errors
///
/// A sentence that names the known ones.
pub fn check_feature(name: &str) -> Result<(), String> {
    if PacketType::from_name(name).is_some() || FEATURES.iter().any(|(known, _)| *known == name) {
        return Ok(());
    }
    Err(format!("`{name}` is not a feature; features are packet types and {}", list(FEATURES)))
}

/// Accepts the name of a setting.
///
/// # Errors
///
/// A sentence that names the known ones.
pub fn check_setting(name: &str) -> Result<(), String> {
    if SETTINGS.iter().any(|(known, _)| *known == name) {
        return Ok(());
    }
    Err(format!("`{name}` is not a setting; settings are {}", list(SETTINGS)))
}

fn list(words: &[(&str, &str)]) -> String {
    words.iter().map(|(name, _)| *name).collect::<Vec<_>>().join(", ")
}
