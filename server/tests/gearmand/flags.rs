//! The flags, in the help text, the manual, the completions and the documentation.

use crate::program::{refusal, run};
use std::collections::BTreeSet;

/// A flag: its long name and its short one, if it has one.
type Flags = BTreeSet<(String, Option<char>)>;

/// Every flag of gearmand 1.1.20 and 2.x, whichever queues it was built with.
const GEARMANDS: &str = "\
    backlog/b daemon/d exceptions file-descriptors/f help/h job-retries/j job-handle-prefix hashtable-buckets \
    keepalive keepalive-idle keepalive-interval keepalive-count log-file/l listen/L pid-file/P port/p protocol/r \
    http-port round-robin/R queue-type/q config-file syslog coredump threads/t user/u verbose version/V \
    worker-wakeup/w check-args ssl ssl-ca-file ssl-certificate ssl-key store-queue-on-shutdown libsqlite3-db \
    libsqlite3-table mysql-host mysql-port mysql-user mysql-password mysql-db mysql-table libpq-conninfo \
    libpq-table libdrizzle-host libdrizzle-port libdrizzle-uds libdrizzle-user libdrizzle-password libdrizzle-db \
    libdrizzle-table libdrizzle-mysql libmemcached-servers libmemcached-prefix redis-server redis-port \
    redis-password redis-prefix libtokyocabinet-file libtokyocabinet-optimize";

fn gearmands() -> Flags {
    let flag = |word: &str| match word.split_once('/') {
        Some((long, short)) => (long.to_owned(), short.chars().next()),
        None => (word.to_owned(), None),
    };
    GEARMANDS.split_whitespace().map(flag).collect()
}

/// `-p, --port ..` or `--port ..`.
fn flag(text: &str) -> Option<(String, Option<char>)> {
    let (short, rest) = match text.strip_prefix('-')?.split_once(", --") {
        Some((short, rest)) if short.len() == 1 => (short.chars().next(), rest),
        _ => (None, text.strip_prefix("--")?),
    };
    Some((rest.split([' ', '[', '<']).next()?.to_owned(), short))
}

fn in_help() -> Flags {
    run(&["--help"]).1.lines().filter_map(|line| flag(line.trim_start())).collect()
}

fn in_manual() -> Flags {
    let page = run(&["--generate", "man"]).1;
    let plain = page.replace("\\fB", "").replace("\\fR", "").replace("\\fI", "").replace("\\-", "-");
    plain.lines().filter_map(flag).collect()
}

/// The rows below a heading of the page about flags.
fn documented(heading: &str) -> Flags {
    let page = include_str!("../../../docs/flags.md");
    let section = page.split("\n## ").find_map(|section| section.strip_prefix(heading)).unwrap();
    let row = |line: &str| {
        let mut cells = line.split('|').skip(1).map(|cell| cell.trim().trim_matches('`'));
        let long = cells.next()?.strip_prefix("--").filter(|name| !name.starts_with('-'))?.to_owned();
        Some((long, cells.next()?.chars().nth(1)))
    };
    section.lines().filter_map(row).collect()
}

#[test]
fn help_manual_and_documentation_name_the_same_flags() {
    let help = in_help();
    assert!(help.contains(&("port".to_owned(), Some('p'))), "{help:?}");
    assert_eq!(in_manual(), help);
    assert_eq!(documented("Honoured"), help);
}

#[test]
fn completions_name_every_flag() {
    for shell in ["bash", "zsh", "fish"] {
        let completions = run(&["--generate", shell]).1;
        for (long, _) in in_help() {
            assert!(completions.contains(&long), "{shell}: {long}");
        }
    }
}

#[test]
fn every_flag_of_gearmand_is_honoured_or_refused_by_its_name() {
    let (honoured, refused) = (documented("Honoured"), documented("Refused so far"));
    assert_eq!(honoured.intersection(&refused).count(), 0);
    let known: Flags = honoured.union(&refused).cloned().collect();
    let unknown: Vec<_> = gearmands().difference(&known).cloned().collect();
    assert_eq!(unknown, [], "gearmand has them and the page has not");
    for (long, short) in &refused {
        let expected = format!("gearmand: --{long} cannot be honoured yet: ");
        let short = short.map(|short| format!("-{short}"));
        for typed in [Some(format!("--{long}")), short].into_iter().flatten() {
            let line = refusal(&[&typed]);
            assert!(line.starts_with(&expected), "{line}");
        }
    }
}
