//! One case on the page: what it is about, what each server did, and the transcript with what did not hold.

use std::collections::BTreeSet;
use std::fmt::Write as _;

use super::reading::{Case, Failure, Moment, Results};
use super::table::badge;
use super::{anchor, escaped};
use crate::language::Transcript;

/// How many messages of a playing are shown.
const SHOWN_MOMENTS: usize = 40;

/// How many lines of a server's log are shown.
const SHOWN_LOG: usize = 20;

pub(super) fn article(page: &mut String, case: &Transcript, servers: &[Results]) {
    let header = &case.header;
    let _ = write!(
        page,
        "<article id=\"{}\">\n<h3>{}</h3>\n<p><code>{}</code> {} {}</p>\n",
        anchor(&header.id),
        escaped(&header.title),
        header.id,
        badge(header.level),
        header
            .spec
            .iter()
            .map(|id| format!("<code class=\"spec\">{id}</code>"))
            .collect::<Vec<_>>()
            .join(" ")
    );
    if !header.explain.is_empty() {
        let _ = writeln!(page, "<p>{}</p>", escaped(&header.explain));
    }
    let results = servers.iter().filter_map(|server| Some((server, server.of(&header.id)?)));
    let told: Vec<(&Results, &Case)> = results.filter(|(_, result)| !result.tone().is_plain()).collect();
    told.iter().for_each(|(server, result)| deviation(page, server, result));
    transcript(page, case, &told);
    page.push_str("<p><a href=\"#top\">to the top</a></p>\n</article>\n");
}

/// The transcript with the lines marked at which somebody did something else.
fn transcript(page: &mut String, case: &Transcript, told: &[(&Results, &Case)]) {
    let failed = told.iter().filter_map(|(_, result)| Some(result.failure.as_ref()?.line));
    let taken = told.iter().flat_map(|(_, result)| {
        result.outcomes.iter().filter(|outcome| outcome.grade != "ok").map(|outcome| outcome.line)
    });
    let marked: BTreeSet<usize> = failed.chain(taken).collect();
    let _ = write!(page, "<pre tabindex=\"0\" aria-label=\"Transcript of {}\">", case.header.id);
    // The header says again what stands above.
    let body = case.text.lines().zip(1..).skip_while(|(line, _)| *line != "---").skip(1);
    for (line, at) in body {
        let line = escaped(line);
        let shown = if marked.contains(&at) { format!("<mark>{line}</mark>") } else { line };
        let _ = writeln!(page, "{shown}");
    }
    page.push_str("</pre>\n");
}

/// What a server did otherwise, why, and the command that shows it again.
fn deviation(page: &mut String, server: &Results, result: &Case) {
    let _ = write!(
        page,
        "<section id=\"{}.{}\" class=\"told\">\n<h4>{} <span class=\"{}\">{}: {}</span></h4>\n",
        anchor(&result.id),
        escaped(&server.profile),
        escaped(&server.profile),
        result.tone().class(),
        result.verdict,
        escaped(&result.word())
    );
    if let Some(why) = &result.why {
        let _ = writeln!(page, "<p>{}</p>", escaped(why));
    }
    if let Some(failure) = &result.failure {
        compared(page, failure);
    }
    let _ = writeln!(page, "<p>again: <code>{}</code></p>", escaped(&server.again(result)));
    timeline(page, &result.timeline);
    log(page, &result.log);
    page.push_str("</section>\n");
}

/// The line, and expected and got side by side.
fn compared(page: &mut String, failure: &Failure) {
    let _ =
        writeln!(page, "<p><code>{}</code>: {}</p>", escaped(&failure.statement), escaped(&failure.summary));
    if failure.compared.is_empty() {
        return;
    }
    page.push_str("<div class=\"wide\" tabindex=\"0\"><table class=\"compared\">\n");
    page.push_str("<thead><tr><td></td><th scope=\"col\">expected</th><th scope=\"col\">got</th></tr></thead>\n<tbody>\n");
    for row in &failure.compared {
        let class = if row.same { "" } else { " class=\"bad\"" };
        let _ = writeln!(
            page,
            "<tr><th scope=\"row\">{}</th><td><code>{}</code></td><td{class}><code>{}</code></td></tr>",
            escaped(&row.what),
            marked(&row.expected, &row.marks.expected),
            marked(&row.got, &row.marks.got)
        );
    }
    page.push_str("</tbody></table></div>\n");
}

/// A text with the characters marked that differ.
fn marked(text: &str, marks: &[(usize, usize)]) -> String {
    let part = |from: usize, to: usize| -> String {
        escaped(&text.chars().skip(from).take(to - from).collect::<String>())
    };
    let mut shown = String::new();
    let mut done = 0;
    for &(start, end) in marks.iter().filter(|(start, end)| start < end) {
        let start = start.max(done);
        let _ = write!(shown, "{}<mark>{}</mark>", part(done, start), part(start, end.max(start)));
        done = end.max(done);
    }
    shown + &part(done, text.chars().count().max(done))
}

/// What passed on all connections, in one order; the bytes stand below each message.
fn timeline(page: &mut String, moments: &[Moment]) {
    if moments.is_empty() {
        return;
    }
    page.push_str("<details><summary>What passed on every connection</summary><pre tabindex=\"0\" aria-label=\"Timeline\">");
    for moment in moments.iter().take(SHOWN_MOMENTS) {
        let (millis, rest) = (moment.micros / 1000, moment.micros % 1000);
        let way = match moment.way.as_str() {
            "out" => "&gt;",
            "in" => "&lt;",
            _ => "·",
        };
        let _ = writeln!(
            page,
            "{millis:>5}.{rest:03} ms  {} {way} {}",
            escaped(&moment.connection),
            escaped(&moment.what)
        );
        if let Some(hex) = &moment.hex {
            let _ = writeln!(page, "<span class=\"hex\">              {hex}</span>");
        }
    }
    if moments.len() > SHOWN_MOMENTS {
        let _ = writeln!(page, "          and {} more", moments.len() - SHOWN_MOMENTS);
    }
    page.push_str("</pre></details>\n");
}

/// The last lines that the server wrote.
fn log(page: &mut String, lines: &[String]) {
    if lines.is_empty() {
        return;
    }
    page.push_str("<details><summary>Server log</summary><pre tabindex=\"0\" aria-label=\"Server log\">");
    for line in &lines[lines.len().saturating_sub(SHOWN_LOG)..] {
        let _ = writeln!(page, "{}", escaped(line));
    }
    page.push_str("</pre></details>\n");
}
