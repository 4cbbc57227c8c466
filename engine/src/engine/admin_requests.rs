//! The commands of the text protocol.

use super::{Engine, Turn, function_cost};
use crate::ExitCode;
use crate::figures::Ending;
use crate::tables::connections::{Connection, ConnectionKey, Presence};
use crate::tables::functions::Function;
use crate::tables::long_tables::Untold;
use bytes::Bytes;
use gearman_protocol::{
    AdminError, AdminReply, AdminRequest, FunctionName, Handle, Report, Response, WorkerListing,
};

impl Engine {
    pub(super) fn administer(&mut self, who: ConnectionKey, command: AdminRequest, turn: &mut Turn<'_>) {
        let reply = match command {
            AdminRequest::Status => {
                return self.tell_table(who, Untold::Status(self.functions.first()), turn);
            }
            AdminRequest::PriorityStatus => {
                return self.tell_table(who, Untold::PriorityStatus(self.functions.first()), turn);
            }
            AdminRequest::ShowJobs => {
                return self.tell_table(who, Untold::ShowJobs(self.all_jobs_left()), turn);
            }
            AdminRequest::ShowUniqueJobs => {
                return self.tell_table(who, Untold::ShowUniqueJobs(self.all_jobs_left()), turn);
            }
            AdminRequest::Workers => self.workers(),
            AdminRequest::CancelJob(handle) => self.cancel_job(&handle, turn),
            AdminRequest::CreateFunction(name) => self.with_function(who, name, |_| {}),
            AdminRequest::DropFunction(name) => self.drop_function(&name),
            AdminRequest::MaxQueue { function: name, limits } => {
                self.with_function(who, name, |function| function.limits = limits)
            }
            AdminRequest::Version => AdminReply::Value(Bytes::from(self.config.version.clone())),
            AdminRequest::GetPid => AdminReply::Value(Bytes::from(self.config.pid.to_string())),
            AdminRequest::Verbose => AdminReply::Value(Bytes::from(self.config.verbose.clone())),
            AdminRequest::Shutdown { graceful } if self.config.allow_shutdown => {
                self.send(who, Response::Admin(AdminReply::Ok), turn);
                return if graceful { self.drain(turn) } else { self.exit(ExitCode::Finished, turn) };
            }
            AdminRequest::Shutdown { .. } => AdminReply::Error(AdminError::UnknownCommand("shutdown".into())),
            AdminRequest::Malformed(error) => AdminReply::Error(error),
        };
        self.send(who, Response::Admin(reply), turn);
    }

    /// Takes time for each connection and each ability.
    fn workers(&self) -> AdminReply {
        let here = self.connections.in_order().filter(|(_, peer)| peer.presence == Presence::Here);
        AdminReply::Workers(here.map(|(_, peer)| self.worker(peer)).collect())
    }

    fn worker(&self, peer: &Connection) -> WorkerListing {
        let abilities = peer.abilities.keys(&self.abilities.slab).map(|key| &self.abilities.slab[key]);
        let mut abilities: Vec<_> = abilities.map(|ability| (ability.serial, ability.function)).collect();
        // The newest first, however the order in which they are tried has turned.
        abilities.sort_unstable_by_key(|&(serial, _)| std::cmp::Reverse(serial));
        let functions =
            abilities.into_iter().map(|(_, function)| self.functions.slab[function].name.to_bytes());
        WorkerListing {
            connection: peer.id.get(),
            address: peer.address.clone(),
            id: if peer.client_id.is_empty() { Bytes::from_static(b"-") } else { printable(&peer.client_id) },
            functions: functions.collect(),
        }
    }

    fn cancel_job(&mut self, handle: &Handle, turn: &mut Turn<'_>) -> AdminReply {
        let Some(job) = self.live_job(handle) else { return AdminReply::Error(AdminError::UnknownJob) };
        self.tell_watchers(job, handle, &Report::Fail, turn);
        self.end(job, Ending::Cancelled, turn);
        AdminReply::Ok
    }

    fn drop_function(&mut self, name: &[u8]) -> AdminReply {
        let Some(key) = self.find_function(name) else {
            return AdminReply::Error(AdminError::FunctionNotFound);
        };
        let function = &self.functions.slab[key];
        if function.workers > 0 || function.reserved > 0 || function.total() > 0 {
            return AdminReply::Error(AdminError::FunctionInUse);
        }
        self.memory -= function_cost(&function.name);
        self.long_tables.skip_function(key, self.functions.after(key));
        self.functions.remove(key);
        AdminReply::Ok
    }

    /// Does something to a function, which is new if nobody has named it before.
    fn with_function(
        &mut self,
        who: ConnectionKey,
        name: Bytes,
        change: impl FnOnce(&mut Function),
    ) -> AdminReply {
        let Ok(name) = FunctionName::new(name) else {
            return AdminReply::Error(AdminError::InvalidFunctionName);
        };
        let known = self.find_function(name.as_bytes());
        if let Err(refusal) = self.memory_for_function(who, known, &name, 0) {
            self.refusals.count(refusal.counts_as());
            return AdminReply::Error(AdminError::MemoryLimit);
        }
        let key = known.unwrap_or_else(|| self.function(name));
        change(&mut self.functions.slab[key]);
        AdminReply::Ok
    }
}

/// A text that cannot break the table it stands in: control characters become question marks.
pub(super) fn printable(text: &[u8]) -> Bytes {
    text.iter().map(|&byte| if byte.is_ascii_control() { b'?' } else { byte }).collect()
}
