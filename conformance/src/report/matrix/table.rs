//! The two tables: how much came out well, and every case beside every server.

use std::collections::BTreeSet;
use std::fmt::Write as _;

use super::changes::Change;
use super::reading::{Case, Results};
use super::{Tone, anchor, escaped};
use crate::language::{Level, Transcript};
use crate::statements::Statement;
use crate::suite::Suite;

/// Per level, how many of the cases that were played came out well; and how much was not played.
pub(super) fn totals(page: &mut String, suite: &Suite, statements: &[Statement<'_>], servers: &[Results]) {
    begin(page, "Totals", "Cases that came out well, of those played", "Level", servers);
    page.push_str("<tbody>\n");
    for level in Level::ALL {
        let of_level: Vec<&Transcript> = suite.cases().filter(|case| case.header.level == *level).collect();
        if of_level.is_empty() {
            continue;
        }
        let _ = write!(page, "<tr><th scope=\"row\">{} {}</th>", badge(*level), of_level.len());
        for server in servers {
            let (well, played) = well(&of_level, server);
            let share = (well * 100).checked_div(played).unwrap_or(0);
            let _ = write!(
                page,
                "<td><span class=\"share\" style=\"--share:{share}%\">{well} of {played}</span></td>"
            );
        }
        page.push_str("</tr>\n");
    }
    row(page, "not played", servers, |server| skipped(suite, server));
    row(page, "statements exercised", servers, |server| {
        format!("{} of {}", exercised(suite, server), statements.len())
    });
    page.push_str("</tbody>\n</table>\n</div>\n");
}

fn row(page: &mut String, name: &str, servers: &[Results], cell: impl Fn(&Results) -> String) {
    let _ = write!(page, "<tr><th scope=\"row\">{name}</th>");
    servers.iter().for_each(|server| {
        let _ = write!(page, "<td>{}</td>", cell(server));
    });
    page.push_str("</tr>\n");
}

/// How many of these came out well, and how many were played.
fn well(cases: &[&Transcript], server: &Results) -> (usize, usize) {
    let tones = cases.iter().filter_map(|case| server.of(&case.header.id)).map(Case::tone);
    let played: Vec<Tone> = tones.filter(|tone| *tone != Tone::None).collect();
    (played.iter().filter(|tone| **tone < Tone::Bad).count(), played.len())
}

/// How many were not played, by the reason's name.
fn skipped(suite: &Suite, server: &Results) -> String {
    let verdicts: Vec<&str> = suite
        .cases()
        .map(|case| server.of(&case.header.id).map_or("SKIP(not in this run)", |case| case.verdict.as_str()))
        .filter(|verdict| Tone::of(verdict) == Tone::None)
        .collect();
    let names: BTreeSet<&str> = verdicts.iter().copied().collect();
    let counts = names.iter().map(|name| {
        let count = verdicts.iter().filter(|verdict| *verdict == name).count();
        let why = match name.trim_start_matches("SKIP(").trim_end_matches(')') {
            "feature" => "for want of a feature",
            "control" => "for want of control",
            why => why,
        };
        format!("{count} {why}")
    });
    if verdicts.is_empty() { "none".to_owned() } else { counts.collect::<Vec<_>>().join(", ") }
}

/// How many statements the cases cite that were played against it.
fn exercised(suite: &Suite, server: &Results) -> usize {
    let played = suite
        .cases()
        .filter(|case| server.of(&case.header.id).is_some_and(|result| result.tone() != Tone::None));
    played.flat_map(|case| &case.header.spec).collect::<BTreeSet<_>>().len()
}

/// Every case by chapter, beside every server.
pub(super) fn matrix(page: &mut String, suite: &Suite, servers: &[Results], changes: &[Change]) {
    page.push_str(
        "<h2>Matrix</h2>\n<p><label><input type=\"checkbox\" id=\"only\"> only where a server does something else</label></p>\n",
    );
    begin(page, "", "Every case, by chapter", "Case", servers);
    for chapter in suite.chapters() {
        let _ = writeln!(
            page,
            "<tbody>\n<tr class=\"chapter\"><th colspan=\"{}\" scope=\"rowgroup\">{chapter}</th></tr>",
            servers.len() + 1
        );
        for case in suite.cases().filter(|case| case.header.chapter() == chapter) {
            one(page, case, servers, changes);
        }
        page.push_str("</tbody>\n");
    }
    page.push_str("</table>\n</div>\n");
}

fn one(page: &mut String, case: &Transcript, servers: &[Results], changes: &[Change]) {
    let id = &case.header.id;
    let plain = servers.iter().all(|server| server.of(id).is_none_or(|result| result.tone().is_plain()));
    let _ = write!(
        page,
        "<tr{}><th scope=\"row\"><a href=\"#{}\">{}</a> {}</th>",
        if plain { " class=\"plain\"" } else { "" },
        anchor(id),
        escaped(&case.header.title),
        badge(case.header.level)
    );
    for server in servers {
        let change = changes.iter().find(|change| change.id == *id && change.profile == server.profile);
        cell(page, id, server, change);
    }
    page.push_str("</tr>\n");
}

fn cell(page: &mut String, id: &str, server: &Results, change: Option<&Change>) {
    let result = server.of(id);
    let tone = result.map_or(Tone::None, Case::tone);
    let word = escaped(&result.map_or_else(|| "–".to_owned(), Case::word));
    let before = change.map_or_else(String::new, |change| {
        let before = change.before.clone().unwrap_or_else(|| "not there".to_owned());
        format!("<br><small>was {}</small>", escaped(&before))
    });
    let class = tone.class();
    let _ = if tone.is_plain() {
        write!(page, "<td class=\"{class}\">{word}{before}</td>")
    } else {
        let place = format!("{}.{}", anchor(id), escaped(&server.profile));
        write!(page, "<td class=\"{class}\"><a href=\"#{place}\">{word}</a>{before}</td>")
    };
}

fn begin(page: &mut String, heading: &str, caption: &str, first: &str, servers: &[Results]) {
    if !heading.is_empty() {
        let _ = writeln!(page, "<h2>{heading}</h2>");
    }
    let _ = write!(
        page,
        "<div class=\"wide\" tabindex=\"0\" role=\"region\" aria-label=\"{caption}\">\n<table>\n\
         <caption>{caption}</caption>\n<thead>\n<tr><th scope=\"col\">{first}</th>"
    );
    for server in servers {
        let (profile, name) = (escaped(&server.profile), escaped(&server.server));
        let _ = write!(page, "<th scope=\"col\">{profile}<br><small>{name}</small></th>");
    }
    page.push_str("</tr>\n</thead>\n");
}

/// A level as a small label.
pub(super) fn badge(level: Level) -> String {
    format!("<span class=\"level {level}\">{level}</span>")
}
