//! Servers that are told to end, and do it badly.

use super::{Desk, Every, Means, Notes, Sabotage, Trick};
use gearman_engine::{Effect, Event, ExitCode};
use gearman_protocol::{Handle, Mode, Request, Response, Time};

pub(super) const ALL: &[Sabotage] = &[
    Sabotage {
        name: "drain-takes-new",
        sentence: "Told to end, it says JOB_CREATED to every second foreground submit that it should refuse.",
        rule: "drain-keeps-its-word",
        cites: &["H-133"],
        needle: None,
        means: Means::Trick(|| Box::new(TakesNew::default())),
    },
    Sabotage {
        name: "drain-drops-running",
        sentence: "Told to end, it ends at once, whatever runs.",
        rule: "drain-keeps-its-word",
        cites: &["H-134"],
        needle: None,
        means: Means::Trick(|| Box::new(EndsAtOnce)),
    },
];

/// Says that it has taken what it has refused.
#[derive(Debug, Default)]
struct TakesNew {
    /// Whether somebody will wait for what is being submitted.
    is_foreground: bool,
    refused: Every,
}

impl Trick for TakesNew {
    fn event(&mut self, _: Time, event: Event, _: &Notes, tell: &mut Desk) {
        self.is_foreground = matches!(
            &event,
            Event::Received { request: Request::Submit(submit), .. } if submit.mode == Mode::Foreground
        );
        tell.server(event);
    }

    fn effect(&mut self, effect: Effect, notes: &Notes, tell: &mut Desk) {
        tell.world(match effect {
            Effect::Send { to, response: Response::Error { code, .. } }
                if self.is_foreground && code[..] == *b"SHUTDOWN_GRACEFUL" && self.refused.nth(2) =>
            {
                let handle = format!("{}:taken{}", notes.handle_prefix, self.refused.count);
                Effect::Send { to, response: Response::JobCreated { handle: Handle::new(handle) } }
            }
            other => other,
        });
    }
}

/// Does not wait.
#[derive(Debug)]
struct EndsAtOnce;

impl Trick for EndsAtOnce {
    fn event(&mut self, _: Time, event: Event, _: &Notes, tell: &mut Desk) {
        if event == Event::Drain {
            tell.world(Effect::Exit { code: ExitCode::Finished });
        }
        tell.server(event);
    }
}
