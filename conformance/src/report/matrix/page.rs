//! The page itself.

use std::collections::BTreeSet;
use std::fmt::Write as _;

use super::Tone;
use super::reading::{Case, Results};
use crate::language::{Level, Transcript};
use crate::statements::Statement;
use crate::suite::Suite;

const STYLE: &str = include_str!("page.css");

/// The page for these servers, in their order.
#[must_use]
pub fn render(suite: &Suite, statements: &[Statement<'_>], servers: &[Results]) -> String {
    let mut page = String::from(
        "<!doctype html>\n<html lang=\"en\">\n<head>\n<meta charset=\"utf-8\">\n\
         <meta name=\"viewport\" content=\"width=device-width, initial-scale=1\">\n\
         <title>Gearman conformance</title>\n<style>\n",
    );
    let _ = write!(page, "{STYLE}</style>\n</head>\n<body>\n<main>\n<h1>Gearman conformance</h1>\n");
    introduction(&mut page, suite, statements);
    totals(&mut page, suite, servers);
    cases(&mut page, suite, servers);
    page.push_str("<h2>The cases</h2>\n");
    suite.cases().for_each(|case| article(&mut page, case, servers));
    page.push_str("</main>\n</body>\n</html>\n");
    page
}

fn introduction(page: &mut String, suite: &Suite, statements: &[Statement<'_>]) {
    let cited: BTreeSet<&str> =
        suite.cases().flat_map(|case| case.header.spec.iter().map(String::as_str)).collect();
    let exercised = statements.iter().filter(|statement| cited.contains(statement.id)).count();
    let _ = write!(
        page,
        "<p>{} cases in {} chapters; statements exercised: {exercised} of {}.</p>\n\
         <p>A cell names what the server did; it leads to the case and to the command that plays it again.\n\
         <span class=\"good\">ok</span> <span class=\"odd\">against the letter, harmless</span>\n\
         <span class=\"bad\">not as it should be</span> <span class=\"none\">– not played</span></p>\n",
        suite.cases().count(),
        suite.chapters().len(),
        statements.len()
    );
}

/// Per level, how many of the cases that were played came out well.
fn totals(page: &mut String, suite: &Suite, servers: &[Results]) {
    page.push_str(
        "<h2>Totals</h2>\n<div class=\"wide\" tabindex=\"0\" role=\"region\" aria-label=\"Totals\">\n",
    );
    page.push_str("<table>\n<caption>Well, of those played</caption>\n");
    head(page, "Level", servers);
    page.push_str("<tbody>\n");
    for level in Level::ALL {
        let of_level: Vec<&Transcript> = suite.cases().filter(|case| case.header.level == *level).collect();
        if of_level.is_empty() {
            continue;
        }
        let _ = write!(page, "<tr><th scope=\"row\">{level} ({})</th>", of_level.len());
        for server in servers {
            let tones = of_level
                .iter()
                .filter_map(|case| server.of(&case.header.id))
                .map(|case| Tone::of(&case.verdict));
            let played: Vec<Tone> = tones.filter(|tone| *tone != Tone::None).collect();
            let well = played.iter().filter(|tone| **tone < Tone::Bad).count();
            let _ = write!(page, "<td>{well} of {}</td>", played.len());
        }
        page.push_str("</tr>\n");
    }
    page.push_str("</tbody>\n</table>\n</div>\n");
}

fn head(page: &mut String, first: &str, servers: &[Results]) {
    let _ = write!(page, "<thead>\n<tr><th scope=\"col\">{first}</th>");
    for server in servers {
        let _ = write!(page, "<th scope=\"col\">{}</th>", escaped(&server.server));
    }
    page.push_str("</tr>\n</thead>\n");
}

fn cases(page: &mut String, suite: &Suite, servers: &[Results]) {
    page.push_str("<h2>Matrix</h2>\n<div class=\"wide\" tabindex=\"0\" role=\"region\" aria-label=\"Matrix\">\n<table>\n");
    page.push_str("<caption>Every case, by chapter</caption>\n");
    head(page, "Case", servers);
    page.push_str("<tbody>\n");
    for chapter in suite.chapters() {
        let _ = writeln!(
            page,
            "<tr><th class=\"chapter\" colspan=\"{}\" scope=\"rowgroup\">{chapter}</th></tr>",
            servers.len() + 1
        );
        for case in suite.cases().filter(|case| case.header.chapter() == chapter) {
            let (id, level) = (&case.header.id, case.header.level);
            let _ = write!(
                page,
                "<tr><th scope=\"row\"><a href=\"#{id}\">{}</a> <span class=\"level\">{level}</span></th>",
                escaped(&case.header.title)
            );
            servers.iter().for_each(|server| cell(page, id, server.of(id)));
            page.push_str("</tr>\n");
        }
    }
    page.push_str("</tbody>\n</table>\n</div>\n");
}

fn cell(page: &mut String, id: &str, result: Option<&Case>) {
    let tone = result.map_or(Tone::None, |result| Tone::of(&result.verdict));
    let word = result.map_or_else(|| "–".to_owned(), Case::word);
    let class = tone.class();
    let _ = match tone {
        Tone::Good | Tone::None => write!(page, "<td class=\"{class}\">{}</td>", escaped(&word)),
        Tone::Neutral | Tone::Odd | Tone::Bad => {
            write!(page, "<td class=\"{class}\"><a href=\"#{id}\">{}</a></td>", escaped(&word))
        }
    };
}

/// A case: what it is about, what each server did, and the transcript with the lines that did not hold.
fn article(page: &mut String, case: &Transcript, servers: &[Results]) {
    let header = &case.header;
    let _ = write!(
        page,
        "<article id=\"{0}\">\n<h3>{1}</h3>\n<p><code>{0}</code>, {2}; statements: <code>{3}</code></p>\n<p>{4}</p>\n",
        header.id,
        escaped(&header.title),
        header.level,
        header.spec.join(" "),
        escaped(&header.explain)
    );
    let results = servers.iter().filter_map(|server| Some((server, server.of(&header.id)?)));
    let told: Vec<(&Results, &Case)> =
        results.filter(|(_, result)| !matches!(Tone::of(&result.verdict), Tone::Good | Tone::None)).collect();
    if !told.is_empty() {
        deviations(page, &header.id, &told);
    }
    let failed: BTreeSet<usize> =
        told.iter().filter_map(|(_, result)| Some(result.failure.as_ref()?.line)).collect();
    page.push_str("<pre tabindex=\"0\">");
    for (line, at) in case.text.lines().zip(1..) {
        let line = escaped(line);
        let shown = if failed.contains(&at) { format!("<mark>{line}</mark>") } else { line };
        let _ = writeln!(page, "{shown}");
    }
    page.push_str("</pre>\n</article>\n");
}

/// What some servers did otherwise, why, and the command that shows it again.
fn deviations(page: &mut String, id: &str, told: &[(&Results, &Case)]) {
    page.push_str("<dl>\n");
    for (server, result) in told {
        let _ = write!(
            page,
            "<dt>{} <span class=\"{}\">{} {}</span></dt>\n<dd>",
            escaped(&server.server),
            Tone::of(&result.verdict).class(),
            result.verdict,
            escaped(&result.word())
        );
        if let Some(failure) = &result.failure {
            let _ =
                write!(page, "<code>{}</code>: {}. ", escaped(&failure.statement), escaped(&failure.summary));
        }
        let why = result.why.as_deref().unwrap_or_default();
        let _ = writeln!(
            page,
            "{}<br>again: <code>gearman-conformance run {} --peer {} -vv</code></dd>",
            escaped(why),
            id,
            escaped(&server.profile)
        );
    }
    page.push_str("</dl>\n");
}

fn escaped(text: &str) -> String {
    text.replace('&', "&amp;").replace('<', "&lt;").replace('>', "&gt;").replace('"', "&quot;")
}
