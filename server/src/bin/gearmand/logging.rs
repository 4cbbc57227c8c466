//! Log lines: which are written, and where they go.

mod datagram;
mod destination;
mod line;
mod repeats;

pub(crate) use destination::Destination;
pub(crate) use line::Format;

use crate::options::Verbosity;
use destination::Sink;
use gearman_net::{Clock, MachineClock};
use line::Line;
use repeats::Repeats;
use std::io::{self, Write};
use std::sync::atomic::{AtomicU8, Ordering};
use std::sync::{Arc, Mutex};
use tracing::level_filters::LevelFilter;
use tracing::span::{Attributes, Id, Record};
use tracing::{Event, Level, Metadata, Subscriber};

/// Where everything that is logged in this process arrives.
pub(crate) struct Log {
    /// The loudest level that is written: an index into [`LEVELS`].
    loudest: AtomicU8,
    sinks: Vec<Sink>,
    repeats: Mutex<Repeats>,
    clock: MachineClock,
}

const LEVELS: [LevelFilter; 5] =
    [LevelFilter::OFF, LevelFilter::ERROR, LevelFilter::WARN, LevelFilter::INFO, LevelFilter::DEBUG];

/// Logs from now on.
///
/// # Errors
/// If a destination cannot be written to: one line that says which, and what to do.
pub(crate) fn start(destinations: Vec<Destination>, verbosity: Verbosity) -> Result<Arc<Log>, String> {
    let sinks = destinations.into_iter().map(Sink::open).collect::<Result<_, _>>()?;
    let (repeats, clock) = (Mutex::default(), MachineClock::new());
    let log = Arc::new(Log { loudest: AtomicU8::new(rank(verbosity)), sinks, repeats, clock });
    let taken = tracing::subscriber::set_global_default(Arc::clone(&log));
    taken.expect("logging is started once");
    Ok(log)
}

/// Lines above ERROR do not exist: what is so grave ends the program, which says why on stderr.
fn rank(verbosity: Verbosity) -> u8 {
    match verbosity {
        Verbosity::Fatal | Verbosity::Alert | Verbosity::Critical => 0,
        Verbosity::Error => 1,
        Verbosity::Warning => 2,
        Verbosity::Notice | Verbosity::Info => 3,
        Verbosity::Debug => 4,
    }
}

impl Log {
    /// Changes which lines are written.
    pub(crate) fn set_verbosity(&self, verbosity: Verbosity) {
        self.loudest.store(rank(verbosity), Ordering::Relaxed);
        tracing::callsite::rebuild_interest_cache();
    }

    /// Opens files anew, after somebody has moved them away. What cannot be opened goes on as it was.
    pub(crate) fn reopen(&self) {
        for refusal in self.sinks.iter().filter_map(|sink| sink.reopen().err()) {
            tracing::error!("{refusal}");
        }
    }

    /// Tells whoever started the program, whatever the verbosity is, and the log, if that lies elsewhere.
    pub(crate) fn announce(&self, level: Level, text: &str) {
        match self.sinks.iter().find(|sink| sink.is_stderr()) {
            Some(sink) if sink.format() == Format::Json => sink.write(&Line::new(level, text.to_owned())),
            Some(_) => say(text),
            None => {
                say(text);
                if level <= self.filter() {
                    self.write(&Line::new(level, text.to_owned()));
                }
            }
        }
    }

    fn filter(&self) -> LevelFilter {
        LEVELS[usize::from(self.loudest.load(Ordering::Relaxed))]
    }

    fn write(&self, line: &Line) {
        self.sinks.iter().for_each(|sink| sink.write(line));
    }

    /// How many lines like this one were held back before it; `None` if it is held back itself.
    fn held_back(&self, metadata: &'static Metadata<'static>) -> Option<u64> {
        if *metadata.level() != Level::WARN {
            return Some(0);
        }
        let mut repeats = self.repeats.lock().expect("no panic happens under this lock");
        repeats.admit(metadata.callsite(), self.clock.now())
    }
}

/// A line on stderr, as the program says it to its user.
pub(crate) fn say(text: &str) {
    // Whoever closed our stderr does not want to read it.
    let _ = writeln!(io::stderr(), "gearmand: {text}");
}

impl Subscriber for Log {
    // Whatever is louder than the hint does not come here.
    fn enabled(&self, _: &Metadata<'_>) -> bool {
        true
    }

    fn max_level_hint(&self) -> Option<LevelFilter> {
        Some(self.filter())
    }

    fn event(&self, event: &Event<'_>) {
        let metadata = event.metadata();
        if let Some(held_back) = self.held_back(metadata) {
            self.write(&Line::of(event, held_back));
        }
    }

    // Nothing here logs in spans.
    fn new_span(&self, _: &Attributes<'_>) -> Id {
        Id::from_u64(1)
    }
    fn record(&self, _: &Id, _: &Record<'_>) {}
    fn record_follows_from(&self, _: &Id, _: &Id) {}
    fn enter(&self, _: &Id) {}
    fn exit(&self, _: &Id) {}
}
