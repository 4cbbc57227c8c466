//! One log line.

use std::fmt::{Debug, Write};
use tracing::field::{Field, Visit};
use tracing::{Event, Level};
use tracing_subscriber::fmt::format::Writer;
use tracing_subscriber::fmt::time::{FormatTime, SystemTime};

/// How a line looks where it is written as it is.
#[derive(Clone, Copy, Debug, PartialEq, Eq, clap::ValueEnum)]
pub(crate) enum Format {
    Text,
    Json,
}

/// Version of the objects that [`Format::Json`] writes.
const SCHEMA: u32 = 1;

pub(super) struct Line {
    level: Level,
    text: String,
}

#[derive(serde::Serialize)]
struct Json<'a> {
    schema: u32,
    time: String,
    level: &'static str,
    message: &'a str,
}

impl Line {
    pub(super) fn new(level: Level, text: String) -> Self {
        // Peers choose some of the words, and shall not write lines of their own.
        let text = text.replace(char::is_control, "?");
        Self { level, text }
    }

    /// What was logged, and how many more of its kind were not.
    pub(super) fn of(event: &Event<'_>, held_back: u64) -> Self {
        let mut words = Words(String::new());
        event.record(&mut words);
        if held_back > 0 {
            // Writing to a string cannot fail.
            let _ = write!(words.0, " (and {held_back} more like it since the last)");
        }
        Self::new(*event.metadata().level(), words.0)
    }

    pub(super) fn text(&self) -> &str {
        &self.text
    }

    /// The line as it is written to stderr or a file, with its end.
    pub(super) fn format(&self, format: Format) -> String {
        match format {
            Format::Text => format!("{} {:>7} {}\n", now(), self.level_name(), self.text),
            Format::Json => {
                let (time, level) = (now(), self.level_name());
                let json = Json { schema: SCHEMA, time, level, message: &self.text };
                serde_json::to_string(&json).expect("strings and a number can be written") + "\n"
            }
        }
    }

    /// The level's name in gearmand's words.
    fn level_name(&self) -> &'static str {
        match self.level {
            Level::ERROR => "ERROR",
            Level::WARN => "WARNING",
            Level::INFO => "INFO",
            Level::DEBUG | Level::TRACE => "DEBUG",
        }
    }

    /// The level's number in the words of syslog.
    pub(super) fn priority(&self) -> u8 {
        match self.level {
            Level::ERROR => 3,
            Level::WARN => 4,
            Level::INFO => 6,
            Level::DEBUG | Level::TRACE => 7,
        }
    }
}

/// The wall clock's time, in UTC.
fn now() -> String {
    let mut text = String::new();
    // Writing to a string cannot fail.
    let _ = SystemTime.format_time(&mut Writer::new(&mut text));
    text
}

/// The message, and after it what else was recorded.
struct Words(String);

impl Visit for Words {
    fn record_debug(&mut self, field: &Field, value: &dyn Debug) {
        // Writing to a string cannot fail.
        let _ = if field.name() == "message" {
            self.0.insert_str(0, &format!("{value:?}"));
            Ok(())
        } else {
            write!(self.0, " {field}={value:?}")
        };
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn text_has_time_level_and_message() {
        let line = Line::new(Level::WARN, "it is\nlate".to_owned()).format(Format::Text);
        let (time, rest) = line.split_once(' ').unwrap();
        assert!(time.starts_with("20") && time.ends_with('Z'), "{time}");
        assert_eq!(rest, "WARNING it is?late\n");
    }

    #[test]
    fn json_is_one_object_with_its_version() {
        let line = Line::new(Level::INFO, "a \"word\"".to_owned()).format(Format::Json);
        let object: serde_json::Value = serde_json::from_str(&line).unwrap();
        assert_eq!(object["schema"], 1);
        assert_eq!((&object["level"], &object["message"]), (&"INFO".into(), &"a \"word\"".into()));
        assert!(object["time"].as_str().unwrap().ends_with('Z'));
        assert_eq!(line.lines().count(), 1);
    }
}
