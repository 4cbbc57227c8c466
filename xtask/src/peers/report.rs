//! What came out: a table of languages and scenarios, and the same for machines.

use std::collections::BTreeMap;

use serde::Serialize;

use super::cast::Sides;

/// The version of the JSON report, raised when a field changes its meaning.
const SCHEMA: u32 = 1;

/// What came out for one language in one scenario.
#[derive(Debug)]
pub(super) struct Entry {
    pub(super) language: String,
    pub(super) scenario: String,
    pub(super) outcome: Outcome,
}

#[derive(Debug)]
pub(super) enum Outcome {
    /// It did what it should, so many times; it took these sides itself.
    Passed { sides: Option<Sides>, runs: usize },
    /// It cannot be asked, for this reason.
    NotApplicable(String),
    /// It did not, and this is where.
    Failed(String),
}

#[derive(Serialize)]
struct Report<'a> {
    schema: u32,
    server: &'a str,
    results: Vec<Row<'a>>,
}

#[derive(Serialize)]
struct Row<'a> {
    language: &'a str,
    scenario: &'a str,
    outcome: &'static str,
    /// Which sides the language took: `both`, `client` or `worker`.
    #[serde(skip_serializing_if = "Option::is_none")]
    sides: Option<&'static str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    runs: Option<usize>,
    #[serde(skip_serializing_if = "Option::is_none")]
    reason: Option<&'a str>,
}

impl Outcome {
    fn name(&self) -> &'static str {
        match self {
            Self::Passed { .. } => "passed",
            Self::NotApplicable(_) => "not-applicable",
            Self::Failed(_) => "failed",
        }
    }

    /// As it stands in the table.
    fn cell(&self) -> &'static str {
        match self {
            Self::Passed { sides: Some(Sides::Client), .. } => "client",
            Self::Passed { sides: Some(Sides::Worker), .. } => "worker",
            Self::Passed { .. } => "ok",
            Self::NotApplicable(_) => "n/a",
            Self::Failed(_) => "FAIL",
        }
    }

    fn sides(&self) -> Option<&'static str> {
        match self {
            Self::Passed { sides, .. } => sides.map(|sides| match sides {
                Sides::Both => "both",
                Sides::Client => "client",
                Sides::Worker => "worker",
            }),
            Self::NotApplicable(_) | Self::Failed(_) => None,
        }
    }

    fn reason(&self) -> Option<&str> {
        match self {
            Self::Passed { .. } => None,
            Self::NotApplicable(reason) | Self::Failed(reason) => Some(reason),
        }
    }
}

/// The report for machines.
pub(super) fn json(server: &str, entries: &[Entry]) -> String {
    let row = |entry: &'_ Entry| match entry.outcome {
        Outcome::Passed { runs, .. } => Some(runs),
        Outcome::NotApplicable(_) | Outcome::Failed(_) => None,
    };
    let results = entries
        .iter()
        .map(|entry| Row {
            language: &entry.language,
            scenario: &entry.scenario,
            outcome: entry.outcome.name(),
            sides: entry.outcome.sides(),
            runs: row(entry),
            reason: entry.outcome.reason(),
        })
        .collect();
    serde_json::to_string_pretty(&Report { schema: SCHEMA, server, results }).expect("a report is JSON")
}

/// The table, the reasons for what is not applicable, and the sum.
pub(super) fn table(languages: &[String], entries: &[Entry]) -> String {
    let mut rows: Vec<&str> = Vec::new();
    let mut cells: BTreeMap<(&str, &str), &Outcome> = BTreeMap::new();
    for entry in entries {
        if !rows.contains(&entry.scenario.as_str()) {
            rows.push(&entry.scenario);
        }
        cells.insert((&entry.scenario, &entry.language), &entry.outcome);
    }
    let title = "scenario";
    let width = rows.iter().map(|row| row.len()).fold(title.len(), usize::max);
    let mut text = format!("{title:width$}");
    for language in languages {
        text += &format!("  {language:>7}");
    }
    for row in rows {
        text += &format!("\n{row:width$}");
        for language in languages {
            let cell = cells.get(&(row, language.as_str())).map_or("-", |outcome| outcome.cell());
            text += &format!("  {cell:>7}");
        }
    }
    text + "\n" + &legend(entries)
}

fn legend(entries: &[Entry]) -> String {
    let count = |name: &str| entries.iter().filter(|entry| entry.outcome.name() == name).count();
    let mut text = String::from(
        "\nok: its client and its worker; client, worker: that side, with another language on the other;\n-: it is not about this language; n/a:\n",
    );
    let mut reasons: BTreeMap<(&str, &str), Vec<&str>> = BTreeMap::new();
    for entry in entries {
        if let Outcome::NotApplicable(reason) = &entry.outcome {
            reasons.entry((&entry.language, reason)).or_default().push(&entry.scenario);
        }
    }
    for ((language, reason), scenarios) in reasons {
        text += &format!("  {language}: {}: {reason}\n", scenarios.join(", "));
    }
    text + &format!(
        "\n{} passed, {} not applicable, {} failed",
        count("passed"),
        count("not-applicable"),
        count("failed")
    )
}

#[cfg(test)]
mod tests {
    use super::*;

    fn entry(language: &str, outcome: Outcome) -> Entry {
        Entry { language: language.to_owned(), scenario: "trip".to_owned(), outcome }
    }

    fn entries() -> Vec<Entry> {
        vec![
            entry("c", Outcome::Passed { sides: Some(Sides::Both), runs: 2 }),
            entry("php", Outcome::NotApplicable("cannot".to_owned())),
            entry("perl", Outcome::Failed("perl: trip".to_owned())),
        ]
    }

    #[test]
    fn what_cannot_be_asked_is_not_shown_as_passed() {
        let languages = ["c", "php", "perl"].map(str::to_owned);
        let text = table(&languages, &entries());
        let lines: Vec<&str> = text.lines().collect();
        assert_eq!(lines[0], "scenario        c      php     perl");
        assert_eq!(lines[1], "trip           ok      n/a     FAIL");
        assert_eq!(lines.last(), Some(&"1 passed, 1 not applicable, 1 failed"));
        assert!(text.contains("  php: trip: cannot\n"), "{text}");
    }

    #[test]
    fn the_report_for_machines_has_a_schema() {
        let report: serde_json::Value =
            serde_json::from_str(&json("a server", &entries())).expect("it is JSON");
        assert_eq!(report["schema"], 1);
        assert_eq!(report["results"][0]["sides"], "both");
        assert_eq!(report["results"][1]["reason"], "cannot");
        assert_eq!(report["results"][2]["outcome"], "failed");
    }
}
