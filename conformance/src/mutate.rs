//! Malformed variants of a transcript, and a target that must stay sane through them.
//!
//! A variant is a transcript again: one or two lines of the original are changed, so that what broke a server can be
//! written to a file, read and played.
//! Which lines and how follows from the seed and the variant's number alone, so that one seed always gives the same.

mod change;

use std::io;
use std::path::PathBuf;
use std::time::Duration;

use tokio::time::{Instant, sleep};

use crate::language::{Transcript, Variant};
use crate::launch::Server;
use crate::play::{Stage, play};
use crate::profile::Profile;

pub(crate) use change::{is_fit, variant};

/// By how much the waits of a variant are shortened: most of its expectations cannot come true any more.
const IMPATIENCE: f64 = 0.01;

/// By how much the waits of the sanity cases are stretched: a busy machine keeps a sound server from its work for
/// seconds, and must not be told from one that hangs by that.
const PATIENCE: f64 = 10.0;

/// How long a server may take to let go of the connections of a variant.
const SETTLING: Duration = Duration::from_secs(5);

/// How many descriptors more than at the beginning are no leak: connections that are being closed.
const DESCRIPTORS_TO_SPARE: usize = 2;

/// A target, and what tells whether it is sane.
pub(crate) struct Target<'t> {
    pub(crate) address: String,
    pub(crate) profile: &'t Profile,
    /// The server itself, if the tool launched it.
    pub(crate) server: Option<Server>,
    /// Its process, if that is known: then its memory and its descriptors are watched.
    pub(crate) process: Option<u32>,
    pub(crate) sanity: &'t Transcript,
    /// An echo, for servers that have it.
    pub(crate) echo: Option<&'t Transcript>,
}

/// What a process holds.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Held {
    /// Resident memory in bytes.
    pub(crate) memory: usize,
    /// Open descriptors.
    pub(crate) descriptors: usize,
}

/// What is wrong with a target after a variant.
#[derive(Debug)]
pub(crate) enum Insanity {
    /// The process has ended.
    Ended(String),
    /// The sanity case fails: a fresh connection echoes, and a job goes from client to worker and back.
    Sanity(String),
    /// Connections that are closed are still held.
    Descriptors {
        /// At the beginning.
        before: usize,
        /// Now.
        after: usize,
    },
}

impl std::fmt::Display for Insanity {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            Self::Ended(how) => write!(f, "the server ended: {how}"),
            Self::Sanity(why) => write!(f, "the server is not sane: {why}"),
            Self::Descriptors { before, after } => {
                write!(f, "the server holds {after} descriptors, and held {before} before the first variant")
            }
        }
    }
}

impl Target<'_> {
    /// Plays a variant, whatever comes of it.
    pub(crate) async fn suffer(&self, variant: &Transcript) {
        let stage = self.stage(IMPATIENCE);
        let _ = play(variant, stage).await;
    }

    /// Whether a fresh connection is served as it should be, and the process lives.
    pub(crate) async fn examine(&mut self) -> Result<(), Insanity> {
        if let Some(status) = self.server.as_mut().and_then(Server::ended) {
            return Err(Insanity::Ended(status.to_string()));
        }
        let mut failure = play(self.sanity, self.stage(PATIENCE)).await.failure;
        if let (None, Some(echo)) = (&failure, self.echo) {
            failure = play(echo, self.stage(PATIENCE)).await.failure;
        }
        let Some(failure) = failure else { return Ok(()) };
        if let Some(server) = &mut self.server {
            server.wait_for_end().await;
            if let Some(status) = server.ended() {
                return Err(Insanity::Ended(status.to_string()));
            }
        }
        Err(Insanity::Sanity(format!("`{}`: {}", failure.statement, failure.summary)))
    }

    /// Whether the descriptors of ended connections have been given back.
    pub(crate) async fn settle(&self, before: Held) -> Result<(), Insanity> {
        let deadline = Instant::now() + SETTLING;
        loop {
            let Some(now) = self.held() else { return Ok(()) };
            if now.descriptors <= before.descriptors + DESCRIPTORS_TO_SPARE {
                return Ok(());
            }
            if Instant::now() >= deadline {
                return Err(Insanity::Descriptors { before: before.descriptors, after: now.descriptors });
            }
            sleep(Duration::from_millis(20)).await;
        }
    }

    /// What the process holds, if it can be looked at.
    pub(crate) fn held(&self) -> Option<Held> {
        held(self.process?).ok()
    }

    fn stage(&self, time_scale: f64) -> Stage<'_> {
        Stage {
            address: self.address.clone(),
            world: None,
            profile: self.profile,
            variant: Variant::AsWritten,
            time_scale,
            server: None,
            program: None,
        }
    }
}

fn held(process: u32) -> io::Result<Held> {
    let folder = PathBuf::from(format!("/proc/{process}"));
    let pages: usize = std::fs::read_to_string(folder.join("statm"))?
        .split(' ')
        .nth(1)
        .and_then(|pages| pages.parse().ok())
        .ok_or_else(|| io::Error::other("statm says nothing"))?;
    let descriptors = std::fs::read_dir(folder.join("fd"))?.count();
    Ok(Held { memory: pages * rustix::param::page_size(), descriptors })
}
