//! The lines above `---`.

use std::collections::BTreeMap;
use std::ops::Range;

use super::diagnostic::Diagnostic;
use super::document::Line;
use super::number;
use super::transcript::{Header, Level, Variant};
use crate::vocabulary;

/// The keys, in the order in which `fmt` writes them.
pub(super) const KEYS: &[&str] = &[
    "id",
    "title",
    "spec",
    "level",
    "needs",
    "server",
    "variants",
    "within",
    "runs",
    "since",
    "tags",
    "exclusive",
    "destructive",
    "explain",
];

/// A key, its value, and where both stand.
#[derive(Debug)]
pub(super) struct Entry {
    pub(super) key: String,
    pub(super) value: String,
    /// The key.
    pub(super) key_span: Range<usize>,
    /// The value.
    pub(super) span: Range<usize>,
}

/// Collects the entries of the header; a block under a key is joined with newlines.
pub(super) fn entries(lines: &[&Line], found: &mut Vec<Diagnostic>) -> Vec<Entry> {
    let mut entries: Vec<Entry> = Vec::new();
    for line in lines {
        let Some(token) = line.tokens.first() else { continue };
        if !token.space.is_empty() {
            match entries.last_mut().filter(|entry| entry.key == "explain") {
                Some(entry) => {
                    entry.value.push_str(if entry.value.is_empty() { "" } else { "\n" });
                    entry.value.push_str(&token.text);
                    entry.span.end = token.end();
                }
                None => found.push(
                    Diagnostic::error("this line is indented but no block is open", token.span())
                        .label("only `explain:` has a block"),
                ),
            }
            continue;
        }
        match entry(&token.text, token.start) {
            Ok(entry) => push(&mut entries, entry, found),
            Err(finding) => found.push(finding),
        }
    }
    entries
}

fn push(entries: &mut Vec<Entry>, entry: Entry, found: &mut Vec<Diagnostic>) {
    if entries.iter().any(|earlier| earlier.key == entry.key) {
        found.push(
            Diagnostic::error(format!("`{}` is given twice", entry.key), entry.key_span.clone())
                .label("given before"),
        );
    }
    entries.push(entry);
}

fn entry(text: &str, start: usize) -> Result<Entry, Diagnostic> {
    let Some((key, rest)) = text.split_once(':') else {
        return Err(Diagnostic::error("a header line is `key: value`", start..start + text.len())
            .label("no `:` in it")
            .help("the header ends with a line `---`"));
    };
    let key_span = start..start + key.len();
    if !KEYS.contains(&key) {
        return Err(Diagnostic::error(format!("`{key}` is not a header key"), key_span)
            .label("unknown")
            .help(format!("the keys are {}", KEYS.join(", "))));
    }
    let value = rest.trim_start();
    let value_start = start + text.len() - value.len();
    Ok(Entry {
        key: key.to_owned(),
        value: value.to_owned(),
        key_span,
        span: value_start..start + text.len(),
    })
}

impl Header {
    /// Reads the entries; what is missing is marked at `span`.
    pub(super) fn read(entries: &[Entry], span: Range<usize>, found: &mut Vec<Diagnostic>) -> Self {
        let mut reader = Reader { entries, found };
        let level = reader.choice("level", Level::from_word, "must, should, may, de-facto or info");
        let header = Self {
            id: reader.text("id").unwrap_or_default(),
            title: reader.text("title").unwrap_or_default(),
            spec: reader.words("spec"),
            level: level.unwrap_or(Level::Must),
            needs: reader.known("needs", vocabulary::check_feature),
            settings: reader.settings(),
            variants: reader.variants(),
            within: reader.choice("within", number::duration, "a time, as in `3s`"),
            runs: reader
                .choice("runs", |text| number::parse(text).filter(|&runs| runs > 0), "1 or more")
                .unwrap_or(1),
            since: reader.text("since"),
            tags: reader.words("tags"),
            explain: reader.text("explain").unwrap_or_default(),
            exclusive: reader.flag("exclusive"),
            destructive: reader.flag("destructive"),
        };
        if let Some(entry) = reader.entry("id").filter(|entry| !is_id(&entry.value)) {
            let finding = Diagnostic::error(format!("`{}` is not an id", entry.value), entry.span.clone())
                .label("expected `chapter/slug`")
                .help("ids are lower case words of letters, digits and `-`, separated by `/`");
            reader.found.push(finding);
        }
        for key in ["id", "title", "level"] {
            if reader.entry(key).is_none() {
                let finding = Diagnostic::error(format!("the header has no `{key}`"), span.clone())
                    .label(format!("`{key}: ...` must stand above `---`"));
                reader.found.push(finding);
            }
        }
        header
    }
}

/// Whether `text` can name a case: at least a chapter and a slug.
fn is_id(text: &str) -> bool {
    let is_slug = |part: &str| {
        !part.is_empty()
            && part.bytes().all(|byte| byte.is_ascii_lowercase() || byte.is_ascii_digit() || byte == b'-')
    };
    text.contains('/') && text.split('/').all(is_slug)
}

struct Reader<'h> {
    entries: &'h [Entry],
    found: &'h mut Vec<Diagnostic>,
}

impl<'h> Reader<'h> {
    fn entry(&self, key: &str) -> Option<&'h Entry> {
        self.entries.iter().find(|entry| entry.key == key)
    }

    fn text(&self, key: &str) -> Option<String> {
        self.entry(key).map(|entry| entry.value.clone())
    }

    fn words(&self, key: &str) -> Vec<String> {
        self.entry(key)
            .map(|entry| entry.value.split_whitespace().map(str::to_owned).collect())
            .unwrap_or_default()
    }

    /// Words that must be in the vocabulary.
    fn known(&mut self, key: &str, check: impl Fn(&str) -> Result<(), String>) -> Vec<String> {
        let words = self.words(key);
        for word in &words {
            let Some((entry, help)) = self.entry(key).zip(check(word).err()) else { continue };
            let start = entry.span.start + entry.value.find(word.as_str()).unwrap_or(0);
            let finding =
                Diagnostic::error(format!("`{word}` is unknown to `{key}`"), start..start + word.len());
            self.found.push(finding.label("not in the vocabulary").help(help));
        }
        words
    }

    fn wrong(&mut self, entry: &Entry, expected: &str) {
        let message = format!("`{}` is not a value for `{}`", entry.value, entry.key);
        self.found.push(Diagnostic::error(message, entry.span.clone()).label(format!("expected {expected}")));
    }

    fn choice<T>(&mut self, key: &str, read: impl Fn(&str) -> Option<T>, expected: &str) -> Option<T> {
        let entry = self.entry(key)?;
        let value = read(&entry.value);
        if value.is_none() {
            self.wrong(entry, expected);
        }
        value
    }

    fn flag(&mut self, key: &str) -> bool {
        self.choice(key, |text| text.parse().ok(), "true or false").unwrap_or(false)
    }

    fn variants(&mut self) -> Option<Vec<Variant>> {
        let read = |text: &str| text.split_whitespace().map(Variant::from_word).collect::<Option<Vec<_>>>();
        self.choice("variants", read, "words out of as-written, bytes, split, merged")
    }

    fn settings(&mut self) -> BTreeMap<String, String> {
        let read = |text: &str| {
            let inner = text.strip_prefix('{')?.strip_suffix('}')?;
            Some(inner.split_whitespace().map(setting).collect())
        };
        let settings: BTreeMap<String, String> =
            self.choice("server", read, "settings, as in `{retries=1 exceptions}`").unwrap_or_default();
        for name in settings.keys() {
            let Some((entry, help)) = self.entry("server").zip(vocabulary::check_setting(name).err()) else {
                continue;
            };
            let finding = Diagnostic::error(format!("`{name}` is unknown to `server`"), entry.span.clone());
            self.found.push(finding.label("not in the vocabulary").help(help));
        }
        settings
    }
}

/// `retries=1` is a name and a value; `exceptions` alone has an empty one.
fn setting(word: &str) -> (String, String) {
    let (name, value) = word.split_once('=').unwrap_or((word, ""));
    (name.to_owned(), value.to_owned())
}
