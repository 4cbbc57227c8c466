//! A server: a port, and a process behind it.

use super::Refusal;
use super::canary::Canary;
use super::process::{self, Process};
use super::relay::Backend;
use crate::history::ServerId;
use crate::machine::reserve;
use crate::plan::Plan;
use socket2::Socket;
use std::cell::Cell;
use std::net::SocketAddr;
use std::path::{Path, PathBuf};
use std::rc::Rc;

/// One server, whose process has one life after the other.
pub(super) struct Server {
    gearmand: PathBuf,
    flags: Vec<String>,
    pub(super) backend: Backend,
    pub(super) life: Option<Process>,
    pub(super) canary: Option<Canary>,
    /// Keeps the port while no process has it.
    _reserved: Socket,
}

impl Server {
    pub(super) fn new(plan: &Plan, id: ServerId, gearmand: &Path, refusal: &Refusal) -> Result<Self, String> {
        let (reserved, at) = reserve().map_err(|error| format!("no port for a server: {error}"))?;
        Ok(Self {
            gearmand: gearmand.to_owned(),
            flags: process::flags(&plan.server, id, at),
            backend: Backend {
                at,
                process: Rc::new(Cell::new(0)),
                is_leaving: Rc::new(Cell::new(false)),
                turn: plan.world.tick(),
                refusal: refusal.clone(),
            },
            life: None,
            canary: None,
            _reserved: reserved,
        })
    }

    const fn at(&self) -> SocketAddr {
        self.backend.at
    }

    pub(super) fn start(&mut self) -> Result<(), String> {
        let life = Process::start(&self.gearmand, &self.flags)?;
        self.backend.process.set(life.id());
        self.backend.is_leaving.set(false);
        self.life = Some(life);
        Ok(())
    }

    /// Waits until it listens.
    pub(super) fn wait(&mut self) -> Result<(), String> {
        self.life.iter().try_for_each(Process::wait)?;
        self.canary = Some(Canary::new(self.at()));
        Ok(())
    }

    /// Whether it has just come up.
    pub(super) fn has_come_up(&mut self) -> bool {
        let has_come_up = self.life.as_ref().is_some_and(Process::has_come_up);
        if has_come_up {
            self.canary = Some(Canary::new(self.at()));
        }
        has_come_up
    }

    /// SIGUSR1: it shall end.
    pub(super) fn drain(&mut self) -> Result<(), String> {
        // One that ends answers no more questions.
        self.canary = None;
        self.backend.is_leaving.set(true);
        self.life.as_mut().map_or(Ok(()), Process::drain)
    }

    /// Whether it has ended as it was told to.
    pub(super) fn has_drained(&mut self) -> bool {
        self.life.as_mut().is_some_and(Process::has_drained)
    }

    /// SIGKILL.
    pub(super) fn kill(&mut self) {
        self.canary = None;
        self.life = None;
    }
}
