//! The store of simulated servers: a disk that outlives their processes, behind the server's store door.

mod disk;

pub use disk::Cheat;
pub(crate) use disk::{Crash, Disk, Kept, SLOWEST};

use crate::network::{Cables, now};
use gearman_engine::{RecordId, StoredJob};
use gearman_server::{Outcome, Store};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

/// The disk of one server, as each of its processes holds it.
#[derive(Clone)]
pub(crate) struct Shelf {
    disk: Arc<Mutex<Disk>>,
    cables: Cables,
    /// The host of its server.
    host: usize,
}

impl Shelf {
    pub(crate) fn new(disk: Disk, cables: Cables, host: usize) -> Self {
        Self { disk: Arc::new(Mutex::new(disk)), cables, host }
    }

    pub(crate) fn disk(&self) -> MutexGuard<'_, Disk> {
        self.disk.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// The process is gone, and with the power perhaps what was not written for certain.
    pub(crate) fn crash(&self, how: Crash) {
        self.disk().crash(how);
        self.count_bites();
    }

    /// Ends a task when its time has come.
    async fn finish(self, number: u64, outcome: Option<Outcome>) {
        let wait = self.disk().due(number) - now();
        tokio::time::sleep(wait).await;
        let kept = self.disk().finish(number);
        if let (Some(outcome), Some(kept)) = (outcome, kept) {
            // The disk goes on while the server's process stands still.
            self.cables.running(self.host).await;
            outcome.tell(kept.outcome);
        }
    }

    fn count_bites(&self) {
        let bites = self.disk().take_bites();
        let mut state = self.cables.lock();
        bites.into_iter().for_each(|(class, stretch)| state.journal().bit_a_job(class, stretch));
    }
}

impl Store for Shelf {
    fn keep(&mut self, job: StoredJob, outcome: Outcome) {
        let is_calm = self.cables.lock().journal().is_storm_over();
        let (number, answers_first) = {
            let mut disk = self.disk();
            disk.calm(is_calm);
            (disk.keep(now(), job), disk.answers_first())
        };
        self.count_bites();
        // The tasks end with the process, and what they were to say is never said.
        if answers_first {
            outcome.tell(Ok(()));
            tokio::spawn(self.clone().finish(number, None));
        } else {
            tokio::spawn(self.clone().finish(number, Some(outcome)));
        }
    }

    fn forget(&mut self, record: RecordId) {
        let number = self.disk().forget(now(), record);
        self.count_bites();
        if let Some(number) = number {
            tokio::spawn(self.clone().finish(number, None));
        }
    }
}
