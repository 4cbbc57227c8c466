//! The statements of `spec.md`: what a job server promises, each under an id that transcripts cite.
//!
//! The page is written for people and read by this module, so there is one list and no copy of it.
//!
//! ```
//! let statements = gearman_conformance::statements::embedded()?;
//! let created = statements.iter().find(|statement| statement.id == "submit-job-created");
//! assert_eq!(created.map(|statement| statement.chapter), Some("Submit"));
//! # Ok::<(), gearman_conformance::statements::Fault>(())
//! ```

use std::collections::BTreeMap;
use std::fmt;

use crate::language::Level;

/// The page itself.
pub const SPEC: &str = include_str!("../spec.md");

/// One promise, as one line of the page states it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Statement<'p> {
    /// Its name, which never changes its meaning.
    pub id: &'p str,
    /// The heading it stands under.
    pub chapter: &'p str,
    /// How binding it is; never [`Level::Info`], which only cases have.
    pub level: Level,
    /// Where the claim comes from; at least one.
    pub sources: Vec<Source>,
    /// The promise, as one sentence.
    pub sentence: &'p str,
    /// Where it stands on the page, from 1.
    pub line: usize,
}

/// Where a claim comes from.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Source {
    /// The protocol document that comes with gearmand 2.
    Text,
    /// Seen on the wire at each of these.
    Observed(Vec<Server>),
    /// Read in the source of each of these.
    Code(Vec<Server>),
    /// Our own rule, without which other statements cannot be kept.
    Own,
}

/// A server that a claim was taken from.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Server {
    /// gearmand 1.1.20.
    Gearmand1,
    /// gearmand 2.0.0 and later.
    Gearmand2,
    /// Perl's Gearman::Server 1.130.1.
    Perl,
    /// geard of Python's gear 0.16.0.
    Gear,
}

impl Server {
    const WORDS: [(&str, Self); 4] = [
        ("gearmand-1.1", Self::Gearmand1),
        ("gearmand-2", Self::Gearmand2),
        ("perl", Self::Perl),
        ("gear", Self::Gear),
    ];

    fn from_word(text: &str) -> Result<Self, String> {
        Self::WORDS.iter().find(|(word, _)| *word == text).map(|(_, server)| *server).ok_or_else(|| {
            format!("`{text}` is no server; write one of {}", Self::WORDS.map(|(word, _)| word).join(", "))
        })
    }

    /// Those whose packets we have seen: what all of these do holds for "every server we watched".
    const WATCHED: [Self; 3] = [Self::Gearmand1, Self::Perl, Self::Gear];
}

/// What is wrong with a page of statements, and where.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Fault {
    /// The line, from 1.
    pub line: usize,
    /// What is wrong with it, and what to do.
    pub what: String,
}

impl fmt::Display for Fault {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "spec.md:{}: {}", self.line, self.what)
    }
}

impl std::error::Error for Fault {}

/// The statements that this crate carries, in the order of the page.
///
/// # Errors
///
/// What is wrong with the first line that cannot be read; the tests of this crate see to it that there is none.
pub fn embedded() -> Result<Vec<Statement<'static>>, Fault> {
    parse(SPEC)
}

/// A statement that no case exercises, and why.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Exception<'p> {
    /// The statement.
    pub id: &'p str,
    /// Whether the bytes that it takes are kept back, rather than nobody having found a way yet.
    pub kept_back: bool,
}

/// The statements that the page says no case exercises: the rows of its table that begin with `kept back` or `not yet`.
pub fn exceptions() -> impl Iterator<Item = Exception<'static>> {
    SPEC.lines().filter_map(|line| {
        let mut cells = line.strip_prefix("| ")?.split(" | ");
        let kept_back = match cells.next()? {
            "kept back" => true,
            "not yet" => false,
            _ => return None,
        };
        let id = cells.next()?.trim_matches('`');
        Some(Exception { id, kept_back })
    })
}

/// Reads a page of statements, in its order.
///
/// A line that begins with `* ` is a statement and belongs to the last heading `## ...`; everything else is prose.
///
/// # Errors
///
/// The first line that is not a statement in the fixed form, has an id that was used before, or claims a level that
/// its sources do not bear out.
pub fn parse(page: &str) -> Result<Vec<Statement<'_>>, Fault> {
    let mut chapter = "";
    let mut seen = BTreeMap::new();
    let mut statements = Vec::new();
    for (text, line) in page.lines().zip(1..) {
        if let Some(heading) = text.strip_prefix("## ") {
            chapter = heading;
        } else if let Some(rest) = text.strip_prefix("* ") {
            let fault = |what| Fault { line, what };
            let statement = statement(rest, chapter, line).map_err(fault)?;
            if let Some(earlier) = seen.insert(statement.id, line) {
                return Err(fault(format!(
                    "`{}` is the id of line {earlier} already; give it another",
                    statement.id
                )));
            }
            statements.push(statement);
        }
    }
    Ok(statements)
}

/// Reads a line after its `* `: an id in backquotes, a level in asterisks, sources in brackets, a dash, a sentence.
fn statement<'p>(rest: &'p str, chapter: &'p str, line: usize) -> Result<Statement<'p>, String> {
    let (head, sentence) = rest.split_once(" — ").ok_or("no ` — ` before the sentence")?;
    let (id, head) = enclosed(head, "`", "`").ok_or("a statement begins with its id in backquotes")?;
    let (level, head) =
        enclosed(head.trim_start(), "**", "**").ok_or("after the id comes the level in `**`")?;
    let (sources, after) =
        enclosed(head.trim_start(), "[", "]").ok_or("after the level come the sources in brackets")?;
    if !after.is_empty() {
        return Err(format!("`{after}` stands between the sources and the sentence; take it out"));
    }
    check_id(id)?;
    check_sentence(sentence)?;
    let level = Level::from_word(level).filter(|level| *level != Level::Info).ok_or_else(|| {
        format!("`{level}` is no level of a statement; write must, should, may or de-facto")
    })?;
    let sources = sources.split(", ").map(source).collect::<Result<Vec<_>, _>>()?;
    check_level(level, &sources)?;
    Ok(Statement { id, chapter, level, sources, sentence, line })
}

/// Splits `text` into what stands between the two marks at its beginning, and what comes after.
fn enclosed<'p>(text: &'p str, open: &str, close: &str) -> Option<(&'p str, &'p str)> {
    text.strip_prefix(open)?.split_once(close)
}

fn source(text: &str) -> Result<Source, String> {
    let (kind, servers) = text.split_once(' ').unwrap_or((text, ""));
    let servers = servers.split_whitespace().map(Server::from_word).collect::<Result<Vec<_>, _>>()?;
    match (kind, servers.is_empty()) {
        ("text", true) => Ok(Source::Text),
        ("own", true) => Ok(Source::Own),
        ("observed", false) => Ok(Source::Observed(servers)),
        ("code", false) => Ok(Source::Code(servers)),
        _ => Err(format!(
            "`{text}` is no source; write `text`, `own`, or `observed` or `code` with the servers' names"
        )),
    }
}

fn check_id(id: &str) -> Result<(), String> {
    let is_word = |word: &str| {
        !word.is_empty() && word.bytes().all(|byte| byte.is_ascii_lowercase() || byte.is_ascii_digit())
    };
    if id.split('-').all(is_word) {
        return Ok(());
    }
    Err(format!("`{id}` is no id; write lower case words of letters and digits, joined by `-`"))
}

/// One statement is one sentence, or a test could not say which half of it failed.
fn check_sentence(sentence: &str) -> Result<(), String> {
    if sentence.ends_with('.') && !sentence.contains(". ") {
        return Ok(());
    }
    Err("a statement is one sentence with a full stop at its end; make two statements of two sentences"
        .to_owned())
}

/// A level is a claim about the sources, and is held to them.
fn check_level(level: Level, sources: &[Source]) -> Result<(), String> {
    let own = sources.contains(&Source::Own);
    let written = sources.contains(&Source::Text);
    let done = sources.iter().any(|source| matches!(source, Source::Observed(_) | Source::Code(_)));
    let done_by_all = Server::WATCHED.iter().all(|server| observed(*server, sources));
    match level {
        Level::Must | Level::May | Level::DeFacto if own => Err("our own rule is a `should`".to_owned()),
        Level::Must if !written && !done_by_all => {
            Err("a `must` comes from the document or was observed at every server we watched".to_owned())
        }
        Level::May | Level::DeFacto if !done => {
            Err("what servers do was observed at one of them, or read in its code".to_owned())
        }
        Level::Must | Level::Should | Level::May | Level::DeFacto | Level::Info => Ok(()),
    }
}

fn observed(server: Server, sources: &[Source]) -> bool {
    sources.iter().any(|source| matches!(source, Source::Observed(servers) if servers.contains(&server)))
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use super::*;
    use crate::suite::Suite;

    fn fault(line: &str) -> String {
        match parse(&format!("## Submit\n\n{line}\n")) {
            Ok(statements) => panic!("read as {statements:?}"),
            Err(fault) => fault.to_string(),
        }
    }

    #[test]
    fn the_page_states_every_chapter() {
        let statements = embedded().expect("spec.md");
        assert!(statements.len() >= 180, "{} statements", statements.len());
        let mut chapters: Vec<&str> = statements.iter().map(|statement| statement.chapter).collect();
        chapters.dedup();
        assert_eq!(
            chapters.join(", "),
            "Framing, Echo and options, Submit, Grab, Results, Coalescing, Priorities and order, Wake-ups, \
             Worker loss, Client loss, Timeouts, Epoch, Reduce, Status, Admin, Limits, Hostile, Shutdown, Persistence"
        );
    }

    #[test]
    fn a_line_is_a_statement() {
        let page =
            "## Submit\nProse.\n* `submit-x` **de-facto** [text, code gearmand-1.1 gear] — It holds.\n";
        let expected = Statement {
            id: "submit-x",
            chapter: "Submit",
            level: Level::DeFacto,
            sources: vec![Source::Text, Source::Code(vec![Server::Gearmand1, Server::Gear])],
            sentence: "It holds.",
            line: 3,
        };
        assert_eq!(parse(page), Ok(vec![expected]));
    }

    #[test]
    fn a_line_in_another_form_is_refused() {
        for (line, what) in [
            ("* `a` **must** [text]: It holds.", "no ` — ` before the sentence"),
            ("* a **must** [text] — It holds.", "begins with its id"),
            ("* `a` must [text] — It holds.", "comes the level"),
            ("* `a` **must** — It holds.", "come the sources"),
            ("* `a` **must** [text] (1.1) — It holds.", "` (1.1)` stands between"),
            ("* `a_b` **must** [text] — It holds.", "`a_b` is no id"),
            ("* `a--b` **must** [text] — It holds.", "`a--b` is no id"),
            ("* `a` **shall** [text] — It holds.", "`shall` is no level"),
            ("* `a` **info** [text] — It holds.", "`info` is no level"),
            ("* `a` **must** [hearsay] — It holds.", "`hearsay` is no source"),
            ("* `a` **must** [text, observed] — It holds.", "`observed` is no source"),
            ("* `a` **must** [observed apache] — It holds.", "`apache` is no server"),
            ("* `a` **must** [text] — It holds", "one sentence"),
            ("* `a` **must** [text] — It holds. Always.", "one sentence"),
        ] {
            assert!(fault(line).contains(what), "{line}: {}", fault(line));
        }
    }

    #[test]
    fn a_level_is_held_to_its_sources() {
        for (line, what) in [
            ("* `a` **must** [observed gearmand-1.1 perl] — It holds.", "at every server we watched"),
            ("* `a` **must** [code gearmand-1.1 perl gear] — It holds.", "at every server we watched"),
            ("* `a` **may** [text] — It holds.", "was observed at one of them"),
            ("* `a` **de-facto** [text] — It holds.", "was observed at one of them"),
            ("* `a` **must** [own, text] — It holds.", "our own rule is a `should`"),
        ] {
            assert!(fault(line).contains(what), "{line}: {}", fault(line));
        }
        assert!(parse("* `a` **must** [observed gearmand-1.1 perl gear] — It holds.").is_ok());
    }

    #[test]
    fn every_cited_statement_exists() {
        let statements = embedded().expect("spec.md");
        let ids: BTreeSet<&str> = statements.iter().map(|statement| statement.id).collect();
        let suite = Suite::embedded().expect("transcripts");
        let unknown: Vec<String> = suite
            .cases()
            .flat_map(|case| case.header.spec.iter().map(move |id| (id, &case.header.id)))
            .filter(|(id, _)| !ids.contains(id.as_str()))
            .map(|(id, case)| format!("{case} cites `{id}`"))
            .collect();
        assert!(unknown.is_empty(), "no such statements: {unknown:#?}");
    }

    #[test]
    fn an_id_is_used_once() {
        let line = "* `a` **must** [text] — It holds.";
        assert_eq!(
            fault(&format!("{line}\n{line}")),
            "spec.md:4: `a` is the id of line 3 already; give it another"
        );
    }
}
