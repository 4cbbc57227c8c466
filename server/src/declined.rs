//! What was declined, as one log line a second at most.

use gearman_engine::{Refusals, Refused};

/// What the last line has told.
#[derive(Debug, Default)]
pub(crate) struct Declined(Refusals);

impl Declined {
    /// The line about what was declined since the last one; `None` if nothing was.
    pub(crate) fn line(&mut self, now: Refusals) -> Option<String> {
        let before = std::mem::replace(&mut self.0, now);
        let news = Refused::ALL.into_iter().filter_map(|reason| {
            let count = now.of(reason) - before.of(reason);
            (count > 0).then(|| format!("{} {count}", reason.as_str()))
        });
        let news: Vec<String> = news.collect();
        (!news.is_empty()).then(|| format!("declined or sent away, by reason: {}", news.join(", ")))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use gearman_engine::{Config, ConnectionId, Doors, Effects, Engine, Event};
    use gearman_protocol::{DecodeError, Time};

    #[test]
    fn only_what_is_new_is_told_and_silence_otherwise() {
        let mut engine = Engine::new(Config { max_connections: 1, ..Config::default() }, 1);
        let mut tell = |event: Event| {
            engine.handle(Time::ZERO, event, &mut Effects::new());
            engine.figures().refusals
        };
        let opened = |number| Event::Opened { from: ConnectionId::new(number), peer: "::1".into() };
        let mut declined = Declined::default();
        assert_eq!(declined.line(tell(opened(1))), None);
        tell(opened(2));
        let error = DecodeError::UnexpectedType(99);
        let now = tell(Event::Malformed { from: ConnectionId::new(1), error });
        let line = "declined or sent away, by reason: max-connections 1, malformed 1";
        assert_eq!(declined.line(now).as_deref(), Some(line));
        assert_eq!(declined.line(now), None);
        let line = "declined or sent away, by reason: max-connections 1";
        assert_eq!(declined.line(tell(opened(3))).as_deref(), Some(line));
    }
}
