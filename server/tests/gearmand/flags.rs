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
fn what_gearmand_takes_is_taken() {
    let config = crate::program::file("taken.conf", "--worker-wakeup 3");
    let all = format!(
        "--backlog=64 --daemon --exceptions --file-descriptors=4096 --job-retries=5 --job-handle-prefix=H:here \
         --hashtable-buckets=991 --keepalive --keepalive-idle=60 --keepalive-interval=5 --keepalive-count=3 \
         --log-file=stderr --listen=127.0.0.1 --pid-file=/run/gearmand.pid --port=4730 --round-robin \
         --queue-type=builtin --config-file={} --syslog --coredump --threads=4 --user=nobody --verbose=INFO \
         --worker-wakeup=2",
        config.display()
    );
    let lines = [
        all.as_str(),
        "-b 64 -d -f 4096 -j 5 -l none -L ::1 -P /run/gearmand.pid -p 4730 -R -q Builtin -t 0 -u nobody -w 0",
        "-b64 -f4096 -j5 -lstderr -Llocalhost -P/run/gearmand.pid -p4730 -qbuiltin -t4 -unobody -w255 -dR",
        "--job-retries -1 --keepalive-idle -1 --keepalive-interval -1 --keepalive-count -1 --verbose FATAL",
    ];
    for line in lines {
        let words: Vec<&str> = ["--check-args"].into_iter().chain(line.split_whitespace()).collect();
        assert_eq!(run(&words), (0, String::new()), "{line}");
    }
    let names = |flags: &Flags| flags.iter().map(|(long, _)| long.clone()).collect::<BTreeSet<_>>();
    let tried = all.split_whitespace().filter_map(|word| flag(word.split('=').next()?)).collect();
    let told: Flags = ["help", "version", "check-args"].map(|long| (long.to_owned(), None)).into();
    let honoured = &names(&gearmands()) - &names(&documented("Refused so far"));
    assert_eq!(&names(&tried) | &names(&told), honoured);
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
