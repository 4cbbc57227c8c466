//! The signals that mean something to us.

use crate::logging::Log;
use crate::options::{Options, Unusable};
use crate::supervisor;
use gearman_server::Control;
use std::io;
use std::sync::Arc;
use tokio::signal::unix::{Signal, SignalKind, signal};

pub(crate) struct Signals {
    terminate: Signal,
    interrupt: Signal,
    drain: Signal,
    hang_up: Signal,
}

impl Signals {
    pub(crate) fn catch() -> io::Result<Self> {
        Ok(Self {
            terminate: signal(SignalKind::terminate())?,
            interrupt: signal(SignalKind::interrupt())?,
            drain: signal(SignalKind::user_defined1())?,
            hang_up: signal(SignalKind::hangup())?,
        })
    }

    pub(crate) async fn obey(mut self, control: Control, log: Arc<Log>, options: Options) {
        loop {
            tokio::select! {
                biased;
                _ = self.terminate.recv() => stop(&control, "SIGTERM"),
                _ = self.interrupt.recv() => stop(&control, "SIGINT"),
                _ = self.drain.recv() => drain(&control),
                _ = self.hang_up.recv() => reload(&control, &log, &options),
            }
        }
    }
}

fn stop(control: &Control, signal: &str) {
    tracing::info!("{signal}: stopping");
    supervisor::stopping();
    control.stop();
}

fn drain(control: &Control) {
    tracing::info!("SIGUSR1: draining");
    supervisor::stopping();
    control.drain();
}

/// Opens logs anew and takes over what can change while the server runs.
fn reload(control: &Control, log: &Log, options: &Options) {
    supervisor::reloading();
    log.reopen();
    match Options::parse(std::env::args_os()) {
        Ok(fresh) => {
            log.set_verbosity(fresh.logging.verbose);
            control.tell_verbosity(fresh.logging.verbose.to_string());
            tracing::info!("SIGHUP: logs opened anew, verbosity {}", fresh.logging.verbose);
            if fresh.needs_restart_after(options) {
                tracing::warn!("the config file has changed in more than --verbose, which needs a restart");
            }
        }
        Err(Unusable::Refused(line) | Unusable::Told(line)) => {
            tracing::error!("SIGHUP: logs opened anew; everything else stays as it was: {line}");
        }
    }
    supervisor::ready();
}
