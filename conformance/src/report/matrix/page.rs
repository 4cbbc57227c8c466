//! The page itself.

use std::collections::BTreeSet;
use std::fmt::Write as _;

use super::article::article;
use super::changes::Change;
use super::reading::Results;
use super::table::{matrix, totals};
use super::{anchor, escaped};
use crate::statements::Statement;
use crate::suite::Suite;

const STYLE: &str = include_str!("page.css");

/// The page for these servers, in their order; `changes` is what a baseline was compared with.
#[must_use]
pub fn render(
    suite: &Suite,
    statements: &[Statement<'_>],
    servers: &[Results],
    changes: Option<&[Change]>,
) -> String {
    let mut page = String::from(
        "<!doctype html>\n<html lang=\"en\">\n<head>\n<meta charset=\"utf-8\">\n\
         <meta name=\"viewport\" content=\"width=device-width, initial-scale=1\">\n\
         <title>Gearman conformance</title>\n<style>\n",
    );
    let _ = write!(page, "{STYLE}</style>\n</head>\n<body>\n");
    page.push_str("<header>\n<h1 id=\"top\">Gearman conformance</h1>\n");
    introduction(&mut page, suite, statements);
    page.push_str("</header>\n<main>\n");
    totals(&mut page, suite, statements, servers);
    if let Some(changes) = changes {
        changed(&mut page, changes);
    }
    matrix(&mut page, suite, servers, changes.unwrap_or_default());
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
        "<p>What Gearman job servers do with {} cases in {} chapters, each a transcript of what clients and workers \
         send and what must come back. Statements exercised: {exercised} of {}.</p>\n\
         <p>A cell names what the server did. It leads to the case, the line that was not met, \
         and the command that plays it again.</p>\n\
         <ul class=\"legend\"><li class=\"good\">ok</li><li class=\"neutral\">recorded for its own sake</li>\
         <li class=\"odd\">against the letter, harmless</li><li class=\"bad\">not as it should be</li>\
         <li class=\"none\">– not played</li></ul>\n",
        suite.cases().count(),
        suite.chapters().len(),
        statements.len()
    );
}

/// What is otherwise than in the baseline.
fn changed(page: &mut String, changes: &[Change]) {
    page.push_str("<h2>Changes since the baseline</h2>\n");
    if changes.is_empty() {
        page.push_str("<p>None.</p>\n");
        return;
    }
    page.push_str("<ul>\n");
    for change in changes {
        let said = |word: &Option<String>| escaped(&word.clone().unwrap_or_else(|| "not there".to_owned()));
        let _ = writeln!(
            page,
            "<li>{}, <a href=\"#{}\">{}</a>: {} → <strong>{}</strong></li>",
            escaped(&change.profile),
            anchor(&change.id),
            change.id,
            said(&change.before),
            said(&change.now)
        );
    }
    page.push_str("</ul>\n");
}
