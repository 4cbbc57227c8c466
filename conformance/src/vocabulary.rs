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

/// What a client or a worker under test may be able to do, or the library it is made with.
pub const CLIENT_FEATURES: &[(&str, &str)] = &[
    ("background", "submits in the background, and tells the handle"),
    ("client", "submits jobs and waits for their ends"),
    ("client-data", "tells of WORK_DATA as it comes"),
    ("client-exception", "asks for exceptions and tells of WORK_EXCEPTION"),
    ("client-status", "tells of WORK_STATUS as it comes"),
    ("client-timeout", "gives up after a time"),
    ("client-warning", "tells of WORK_WARNING as it comes"),
    ("empty-workload", "submits a workload of no bytes"),
    ("poll", "asks for the state of a background job"),
    ("several", "has several jobs outstanding on one connection"),
    ("worker", "takes jobs and does them"),
    ("worker-data", "sends WORK_DATA"),
    ("worker-exception", "sends WORK_EXCEPTION"),
    ("worker-option", "asks for exceptions as a worker, before it registers"),
    ("worker-status", "sends WORK_STATUS"),
    ("worker-unique", "tells the unique of a job"),
    ("worker-warning", "sends WORK_WARNING"),
];

/// What a server may be started with.
pub const SETTINGS: &[(&str, &str)] = &[
    ("exceptions", "every connection has the option `exceptions`"),
    ("failing-store", "background jobs would be kept where nothing can be kept"),
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
    let mut known = FEATURES.iter().chain(CLIENT_FEATURES);
    if PacketType::from_name(name).is_some() || known.any(|(known, _)| *known == name) {
        return Ok(());
    }
    Err(format!(
        "`{name}` is not a feature; features are packet types, {}, and of clients {}",
        list(FEATURES),
        list(CLIENT_FEATURES)
    ))
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
