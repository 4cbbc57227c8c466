//! What administrators ask in text.

use crate::connection::Presence;
use crate::job::Job;
use crate::{Function, Model};
use bytes::Bytes;
use gearman_engine::{ConnectionId, ExitCode};
use gearman_protocol::{
    AdminError, AdminReply, AdminRequest, FunctionName, FunctionStatus, Handle, JobListing, Priority,
    PriorityStatus, QueueLimits, Response, WorkerListing,
};

impl Model {
    pub(crate) fn admin(&mut self, from: ConnectionId, command: AdminRequest) {
        let reply = self.admin_reply(from, command);
        self.send(from, Response::Admin(reply));
    }

    fn admin_reply(&mut self, from: ConnectionId, command: AdminRequest) -> AdminReply {
        match command {
            AdminRequest::Status => {
                AdminReply::Status(self.functions.iter().map(|it| self.status(it)).collect())
            }
            AdminRequest::PriorityStatus => {
                AdminReply::PriorityStatus(self.functions.iter().map(|it| self.priority_status(it)).collect())
            }
            AdminRequest::Workers => AdminReply::Workers(self.workers()),
            AdminRequest::ShowJobs => AdminReply::Jobs(self.live().map(listing).collect()),
            AdminRequest::ShowUniqueJobs => {
                AdminReply::UniqueJobs(self.live().map(|job| one_line(job.unique.as_bytes())).collect())
            }
            AdminRequest::CancelJob(handle) => self.cancel(&handle),
            AdminRequest::CreateFunction(name) => self.create_function(from, name, None),
            AdminRequest::MaxQueue { function, limits } => self.create_function(from, function, Some(limits)),
            AdminRequest::DropFunction(name) => self.drop_function(&name),
            AdminRequest::Version => value(&self.config.version),
            AdminRequest::GetPid => value(&self.config.pid.to_string()),
            AdminRequest::Verbose => value(&self.config.verbose),
            AdminRequest::Shutdown { graceful } => self.shutdown(graceful),
            AdminRequest::Malformed(error) => AdminReply::Error(error),
        }
    }

    fn live(&self) -> impl Iterator<Item = &Job> {
        self.jobs.iter().filter(|job| job.is_live())
    }

    fn workers_of(&self, function: &Function) -> u64 {
        count(self.connections.iter().filter(|connection| connection.is_able(&function.name)))
    }

    pub(crate) fn status(&self, function: &Function) -> FunctionStatus {
        let jobs = || self.live().filter(|job| job.function == function.name);
        FunctionStatus {
            function: function.name.to_bytes(),
            total: count(jobs()),
            running: count(jobs().filter(|job| job.worker().is_some())),
            workers: self.workers_of(function),
        }
    }

    fn priority_status(&self, function: &Function) -> PriorityStatus {
        let queued = |priority: Priority| {
            let jobs = self.live().filter(|job| job.function == function.name && job.priority == priority);
            count(jobs.filter(|job| job.worker().is_none()))
        };
        PriorityStatus {
            function: function.name.to_bytes(),
            high: queued(Priority::High),
            normal: queued(Priority::Normal),
            low: queued(Priority::Low),
            workers: self.workers_of(function),
        }
    }

    fn workers(&self) -> Vec<WorkerListing> {
        let here = self.connections.iter().filter(|connection| connection.presence == Presence::Here);
        let listings = here.map(|connection| {
            let mut abilities: Vec<_> = connection.abilities.iter().collect();
            abilities.sort_by_key(|ability| std::cmp::Reverse(ability.registered));
            WorkerListing {
                connection: connection.id.get(),
                address: connection.peer.clone(),
                id: one_line(&connection.client_id),
                functions: abilities.into_iter().map(|ability| ability.function.to_bytes()).collect(),
            }
        });
        listings.collect()
    }

    fn cancel(&mut self, handle: &Handle) -> AdminReply {
        let Some(number) = self.live().find(|job| job.handle == *handle).map(|job| job.number) else {
            return AdminReply::Error(AdminError::UnknownJob);
        };
        self.tell_failure(number);
        self.end(number);
        AdminReply::Ok
    }

    fn create_function(
        &mut self,
        from: ConnectionId,
        name: Bytes,
        limits: Option<QueueLimits>,
    ) -> AdminReply {
        let Ok(name) = FunctionName::new(name) else {
            return AdminReply::Error(AdminError::InvalidFunctionName);
        };
        let cost = self.cost_of_function(&name);
        if cost > 0 && self.is_too_much(from, cost) {
            return AdminReply::Error(AdminError::MemoryLimit);
        }
        let function = self.function(&name);
        function.limits = limits.unwrap_or(function.limits);
        AdminReply::Ok
    }

    fn drop_function(&mut self, name: &Bytes) -> AdminReply {
        let Some(index) = self.functions.iter().position(|function| function.name.as_bytes() == name) else {
            return AdminReply::Error(AdminError::FunctionNotFound);
        };
        let function = &self.functions[index];
        let jobs = self.jobs.iter().any(|job| job.function == function.name);
        if jobs || self.workers_of(function) > 0 {
            return AdminReply::Error(AdminError::FunctionInUse);
        }
        self.functions.remove(index);
        AdminReply::Ok
    }

    fn shutdown(&mut self, graceful: bool) -> AdminReply {
        if !self.config.allow_shutdown {
            return AdminReply::Error(AdminError::UnknownCommand(Bytes::from_static(b"shutdown")));
        }
        if graceful {
            self.begin_drain();
        } else {
            self.exit(ExitCode::Finished);
        }
        AdminReply::Ok
    }
}

fn count<'a, T: 'a>(items: impl Iterator<Item = &'a T>) -> u64 {
    items.map(|_| 1).sum()
}

fn value(text: &str) -> AdminReply {
    AdminReply::Value(Bytes::copy_from_slice(text.as_bytes()))
}

/// Text that stays in its line and its column.
fn one_line(text: &[u8]) -> Bytes {
    text.iter().map(|byte| if byte.is_ascii_control() { b'?' } else { *byte }).collect()
}

fn listing(job: &Job) -> JobListing {
    JobListing {
        handle: job.handle.clone(),
        retries: job.attempts,
        persisted: job.background && !job.unconfirmed,
    }
}
