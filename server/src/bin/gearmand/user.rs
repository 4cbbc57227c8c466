//! Becoming another user, before there are threads.

use nix::unistd::{Uid, User, geteuid, setgid, setgroups, setuid};

/// Gives up root's rights for those of a user, for good.
///
/// # Errors
/// If there is no such user, or we are neither root nor that user: one line that says what to do.
pub(crate) fn switch(name: &str) -> Result<(), String> {
    let user = find(name)?;
    if user.uid == geteuid() {
        return Ok(());
    }
    if geteuid() != Uid::from_raw(0) {
        return Err(format!("cannot become {name}: only root can; leave --user out, or start it as root"));
    }
    let switched = setgroups(&[user.gid]).and_then(|()| setgid(user.gid)).and_then(|()| setuid(user.uid));
    switched.map_err(|error| format!("cannot become {name}: {error}"))
}

fn find(name: &str) -> Result<User, String> {
    match User::from_name(name) {
        Ok(Some(user)) => Ok(user),
        Ok(None) => Err(format!("there is no user {name}; --user takes one of this machine")),
        Err(error) => Err(format!("cannot look for the user {name}: {error}")),
    }
}
