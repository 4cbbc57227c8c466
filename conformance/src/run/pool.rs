//! Servers that are ready for a case.

use std::collections::BTreeMap;
use std::fmt;
use std::sync::{Arc, Mutex, PoisonError};

use super::{Plan, Target};
use crate::language::Variant;
use crate::launch::{LaunchError, Server};
use crate::play::{Failure, FailureKind, Stage, play};

/// The settings a server was started with.
type Settings = BTreeMap<String, String>;

/// Lends servers to workers: the one that is attached, or launched ones by their settings.
#[derive(Debug)]
pub(super) struct Pool {
    pub(super) plan: Arc<Plan>,
    idle: Mutex<BTreeMap<Settings, Vec<Idle>>>,
}

/// A launched server that waits, and the case it was last used for.
#[derive(Debug)]
struct Idle {
    server: Server,
    last_case: Option<String>,
}

/// A server lent to a worker.
#[derive(Debug)]
pub(super) struct Lent {
    pub(super) address: String,
    /// The server, if the tool launched it.
    pub(super) server: Option<Server>,
    /// The case it was used for before.
    pub(super) last_case: Option<String>,
    settings: Settings,
}

/// Why there is no server to play against.
#[derive(Debug)]
pub enum Insane {
    /// It could not be launched.
    Launch(LaunchError),
    /// Nobody accepts connections at the address.
    Unreachable {
        /// The address.
        address: String,
        /// What the sanity case says.
        failure: Box<Failure>,
    },
    /// It accepts connections but answers nothing.
    Silent {
        /// The address.
        address: String,
        /// What the sanity case says.
        failure: Box<Failure>,
    },
    /// It answers, but not as a Gearman server does.
    Wrong {
        /// The address.
        address: String,
        /// What the sanity case says.
        failure: Box<Failure>,
    },
}

impl fmt::Display for Insane {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Launch(error) => error.fmt(f),
            Self::Unreachable { address, failure } => {
                write!(f, "no server at {address}: {}", failure.summary)
            }
            Self::Silent { address, failure } => write!(
                f,
                "the server at {address} accepts connections but answers nothing (sanity case, line {}: `{}`)",
                failure.line, failure.statement
            ),
            Self::Wrong { address, failure } => write!(
                f,
                "what answers at {address} is not a sane Gearman server (sanity case, line {}: `{}`: {})",
                failure.line, failure.statement, failure.summary
            ),
        }
    }
}

impl std::error::Error for Insane {}

impl Pool {
    pub(super) fn new(plan: Arc<Plan>) -> Self {
        Self { plan, idle: Mutex::default() }
    }

    /// A server with these settings that has been seen to be sane.
    pub(super) async fn acquire(&self, settings: &Settings) -> Result<Lent, Insane> {
        let idle =
            self.idle.lock().unwrap_or_else(PoisonError::into_inner).get_mut(settings).and_then(Vec::pop);
        let lent = |address, server| Lent { address, server, last_case: None, settings: settings.clone() };
        let (lent, known) = match (idle, &self.plan.target) {
            (Some(Idle { server, last_case }), _) => {
                (Lent { last_case, ..lent(server.address(), Some(server)) }, true)
            }
            (None, Target::Attached(address)) => (lent(address.clone(), None), self.is_known()),
            (None, Target::Program(program)) => {
                unreachable!("no server is started for the program `{program}`")
            }
            (None, Target::Launched(launch)) => {
                let server = launch.start(&self.plan.profile, settings).await.map_err(Insane::Launch)?;
                (lent(server.address(), Some(server)), false)
            }
        };
        if !known {
            self.sanity(&lent.address).await?;
            self.idle.lock().unwrap_or_else(PoisonError::into_inner).entry(settings.clone()).or_default();
        }
        Ok(lent)
    }

    /// Whether the attached server has been seen to be sane.
    fn is_known(&self) -> bool {
        !self.idle.lock().unwrap_or_else(PoisonError::into_inner).is_empty()
    }

    /// Takes a server back, unless a case has left its mark on it or the next is to have a fresh one.
    pub(super) fn release(&self, lent: Lent, last_case: Option<String>) {
        if let Some(server) = lent.server.filter(|server| !self.plan.fresh && !server.is_touched()) {
            let mut idle = self.idle.lock().unwrap_or_else(PoisonError::into_inner);
            idle.entry(lent.settings).or_default().push(Idle { server, last_case });
        }
    }

    /// Plays the sanity case.
    pub(super) async fn sanity(&self, address: &str) -> Result<(), Insane> {
        let stage = Stage {
            address: address.to_owned(),
            world: None,
            profile: &self.plan.profile,
            variant: Variant::AsWritten,
            time_scale: self.plan.time_scale,
            server: None,
            program: None,
        };
        let Some(failure) = play(&self.plan.sanity, stage).await.failure.map(Box::new) else { return Ok(()) };
        let address = address.to_owned();
        Err(match failure.kind {
            FailureKind::Unreachable => Insane::Unreachable { address, failure },
            FailureKind::Silence | FailureKind::NotRead => Insane::Silent { address, failure },
            FailureKind::Mismatch | FailureKind::Noise | FailureKind::Control | FailureKind::Mute => {
                Insane::Wrong { address, failure }
            }
        })
    }
}
