//! What the system allows the process.

use rustix::process::{DumpableBehavior, Resource, Rlimit, getrlimit, set_dumpable_behavior, setrlimit};

/// Sets how many descriptors we may have.
///
/// # Errors
/// If that is more than the system allows: one line that says what to do.
pub(crate) fn set_descriptors(count: u64) -> Result<(), String> {
    let Rlimit { maximum, .. } = getrlimit(Resource::Nofile);
    // Only root may raise the upper limit.
    let maximum = maximum.map(|maximum| maximum.max(count));
    setrlimit(Resource::Nofile, Rlimit { current: Some(count), maximum }).map_err(|error| {
        let allowed = getrlimit(Resource::Nofile).maximum.unwrap_or(u64::MAX);
        format!("cannot have {count} descriptors: {error}; --file-descriptors may be up to {allowed}, or more as root")
    })
}

/// Takes memory from the system in small pages, even if the allocator asks for huge ones: of those 2 MiB are cleared
/// before the first byte is used, in the middle of somebody's submit, and part of the last is never used.
pub(crate) fn take_small_pages() {
    // A system that does not know this works as well, only slower.
    let _ = nix::sys::prctl::set_thp_disable(true);
}

/// Lets a crash leave a core dump as large as may be.
///
/// # Errors
/// If the system does not let us: one line that says so.
pub(crate) fn allow_core_dumps() -> Result<(), String> {
    let about = |error| format!("cannot allow core dumps: {error}; leave --coredump out");
    let Rlimit { maximum, .. } = getrlimit(Resource::Core);
    setrlimit(Resource::Core, Rlimit { current: maximum, maximum }).map_err(about)?;
    // A process that has changed its user leaves none unless it says that it may.
    set_dumpable_behavior(DumpableBehavior::Dumpable).map_err(about)
}
