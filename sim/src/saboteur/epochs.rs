//! Jobs that are done before their time, or after it.

use super::{Desk, Means, Notes, Sabotage, Trick};
use gearman_engine::Event;
use gearman_protocol::{Mode, Request, Submit, Time};

pub(super) const ALL: &[Sabotage] = &[
    Sabotage {
        name: "epoch-at-once",
        sentence: "A job that was submitted with a time is handed out at once.",
        rule: "epoch-early",
        cites: &["H-113", "D1"],
        needle: None,
        means: Means::Trick(|| Box::new(Postpones { by_s: None })),
    },
    Sabotage {
        name: "epoch-a-second-early",
        sentence: "A job that was submitted with a time is handed out a second before it.",
        rule: "epoch-early",
        cites: &["H-113", "D1"],
        needle: None,
        means: Means::Trick(|| Box::new(Postpones { by_s: Some(-1) })),
    },
    Sabotage {
        name: "epoch-two-seconds-late",
        sentence: "A job that was submitted with a time is handed out two seconds after it.",
        rule: "epoch-late",
        cites: &["D1", "D3"],
        needle: None,
        means: Means::Trick(|| Box::new(Postpones { by_s: Some(2) })),
    },
    Sabotage {
        name: "clock-set-back-unheard",
        sentence: "When the wall clock is set back the server goes on as before.",
        rule: "epoch-early",
        cites: &["D1"],
        needle: Some(
            "a job for later, a step back of the clock while it waits, and a grab between the wrong time \
             and the right one",
        ),
        means: Means::Trick(|| Box::new(NeverBack::default())),
    },
];

/// Moves the times of jobs, or takes them away.
struct Postpones {
    by_s: Option<i64>,
}

impl Trick for Postpones {
    fn event(&mut self, _: Time, event: Event, _: &Notes, tell: &mut Desk) {
        let Event::Received { from, request: Request::Submit(submit) } = event else {
            return tell.server(event);
        };
        let mode = match (&submit.mode, self.by_s) {
            (Mode::Epoch(_), None) => Mode::Background,
            (Mode::Epoch(text), Some(by)) => {
                let seconds = std::str::from_utf8(text).ok().and_then(|text| text.parse::<i64>().ok());
                Mode::Epoch((seconds.unwrap_or(0) + by).to_string().into())
            }
            (Mode::Foreground | Mode::Background, _) => submit.mode.clone(),
        };
        tell.server(Event::Received { from, request: Request::Submit(Submit { mode, ..submit }) });
    }
}

/// Believes the wall clock only when it is further ahead than it ever was.
#[derive(Default)]
struct NeverBack {
    lead: Option<i64>,
}

impl Trick for NeverBack {
    fn event(&mut self, now: Time, event: Event, _: &Notes, tell: &mut Desk) {
        if let Event::Wall { now: wall } = event {
            let lead = wall.get().saturating_sub_unsigned(now.as_millis());
            if self.lead.is_some_and(|before| lead < before) {
                return;
            }
            self.lead = Some(lead);
        }
        tell.server(event);
    }
}
