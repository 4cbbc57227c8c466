//! Profiles as text, in the one way: sorted, a line a case.

use std::collections::BTreeMap;
use std::fmt::Write as _;

use super::{Expectation, Expected, Fence, Profile, Reason};

impl Profile {
    /// The profile as a file; `heading` is the comment that it begins with.
    #[must_use]
    pub fn to_text(&self, heading: &str) -> String {
        let mut text = String::from(heading);
        let _ =
            writeln!(text, "profile = 1\nname = {}\nserver = {}", quoted(&self.name), quoted(&self.server));
        if let Some(launch) = &self.launch {
            let _ = writeln!(text, "launch = {}", quoted(launch));
        }
        if self.fresh {
            text.push_str("fresh = true\n");
        }
        let fence = match self.fence {
            Fence::Status => "GET_STATUS",
            Fence::Echo => "ECHO_REQ",
        };
        let _ = writeln!(text, "fence = \"{fence}\"\ngrab = \"{}\"", self.grab.name());
        if (self.time_scale - 1.0).abs() > f64::EPSILON {
            let _ = writeln!(text, "time-scale = {:?}", self.time_scale);
        }
        let harmless: Vec<String> = self.harmless.iter().map(|kind| quoted(kind.name())).collect();
        let _ = writeln!(text, "harmless = [{}]\nfeatures = [", harmless.join(", "));
        self.features.iter().for_each(|feature| {
            let _ = writeln!(text, "  {},", quoted(feature));
        });
        text.push_str("]\n");
        table(&mut text, "settings", &self.settings, |key, value| format!("{key} = {}", quoted(value)));
        table(&mut text, "tolerances", &self.tolerances, |what, why| {
            format!("{} = {{ {} }}", what.name(), fields(why))
        });
        table(&mut text, "expected", &self.expected, expected);
        table(&mut text, "flaky", &self.flaky, reason);
        table(&mut text, "excluded", &self.excluded, reason);
        text
    }
}

fn table<K, V>(text: &mut String, name: &str, entries: &BTreeMap<K, V>, line: impl Fn(&K, &V) -> String) {
    if entries.is_empty() {
        return;
    }
    let _ = writeln!(text, "\n[{name}]");
    for (key, value) in entries {
        let _ = writeln!(text, "{}", line(key, value));
    }
}

fn expected(id: &String, entry: &Expectation) -> String {
    let how = match &entry.how {
        Expected::FailsAt(statement) => format!("fails-at = {}", quoted(statement)),
        Expected::Outcomes(names) => match &names[..] {
            [name] => format!("outcome = {}", quoted(name)),
            names => {
                let names: Vec<String> = names.iter().map(|name| quoted(name)).collect();
                format!("outcome = [{}]", names.join(", "))
            }
        },
    };
    format!("\"{id}\" = {{ {how}, {} }}", fields(&entry.reason))
}

fn reason(id: &String, why: &Reason) -> String {
    format!("\"{id}\" = {{ {} }}", fields(why))
}

fn fields(why: &Reason) -> String {
    let seen = why.seen.iter().map(|seen| format!(", seen = {}", quoted(seen)));
    format!("reason = {}{}", quoted(&why.what), seen.collect::<String>())
}

/// A TOML string; statements hold quotes and backslashes, which read better in the form without escapes.
fn quoted(text: &str) -> String {
    let is_plain = !text.contains(['"', '\\']) && !text.chars().any(char::is_control);
    let is_literal = !text.contains('\'') && !text.chars().any(char::is_control);
    match (is_plain, is_literal) {
        (true, _) => format!("\"{text}\""),
        (false, true) => format!("'{text}'"),
        (false, false) => {
            let escaped = text.chars().map(|character| match character {
                '"' | '\\' => format!("\\{character}"),
                control if control.is_control() => format!("\\u{:04X}", u32::from(control)),
                other => other.to_string(),
            });
            format!("\"{}\"", escaped.collect::<String>())
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_embedded_profile_is_written_as_it_is_read() {
        for name in Profile::embedded() {
            let text = Profile::embedded_text(name).expect("embedded");
            let heading: String = text
                .lines()
                .take_while(|line| line.starts_with('#'))
                .map(|line| format!("{line}\n"))
                .collect();
            let profile = Profile::parse(text).expect("a profile");
            assert_eq!(profile.to_text(&heading), text, "profiles/{name}.toml is not written in the one way");
        }
    }

    #[test]
    fn what_is_not_usual_is_written_too() {
        let text = Profile::embedded_text("strict").expect("embedded");
        let profile = Profile { fresh: true, time_scale: 2.0, ..Profile::parse(text).expect("a profile") };
        let written = profile.to_text("");
        assert!(
            written.contains("\nfresh = true\n") && written.contains("\ntime-scale = 2.0\n"),
            "{written}"
        );
        assert!(Profile::parse(&written).expect(&written).fresh);
    }

    #[test]
    fn any_text_is_quoted_so_that_it_is_read_again() {
        for text in ["plain", "with \"quotes\"", "it's", "it's \"both\"", "back\\slash's", "a\tb"] {
            let file = format!("text = {}", quoted(text));
            let table: BTreeMap<String, String> = toml::from_str(&file).expect(&file);
            assert_eq!(table["text"], text);
        }
    }
}
