//! gearmand's flags that cannot be honoured yet: each is refused by its name, never ignored.

use clap::{Arg, ArgAction, ArgMatches, Command};

/// Long names, short names, and what to do instead.
const FLAGS: &[(&str, Option<char>, &str)] = &[
    ("protocol", Some('r'), "HTTP is not spoken"),
    ("http-port", None, "HTTP is not spoken"),
    ("ssl", None, "TLS is not spoken; put a TLS proxy before it"),
    ("ssl-ca-file", None, "TLS is not spoken; put a TLS proxy before it"),
    ("ssl-certificate", None, "TLS is not spoken; put a TLS proxy before it"),
    ("ssl-key", None, "TLS is not spoken; put a TLS proxy before it"),
    ("store-queue-on-shutdown", None, IN_MEMORY),
    ("libsqlite3-db", None, IN_MEMORY),
    ("libsqlite3-table", None, IN_MEMORY),
    ("mysql-host", None, IN_MEMORY),
    ("mysql-port", None, IN_MEMORY),
    ("mysql-user", None, IN_MEMORY),
    ("mysql-password", None, IN_MEMORY),
    ("mysql-db", None, IN_MEMORY),
    ("mysql-table", None, IN_MEMORY),
    ("libpq-conninfo", None, IN_MEMORY),
    ("libpq-table", None, IN_MEMORY),
    ("libdrizzle-host", None, IN_MEMORY),
    ("libdrizzle-port", None, IN_MEMORY),
    ("libdrizzle-uds", None, IN_MEMORY),
    ("libdrizzle-user", None, IN_MEMORY),
    ("libdrizzle-password", None, IN_MEMORY),
    ("libdrizzle-db", None, IN_MEMORY),
    ("libdrizzle-table", None, IN_MEMORY),
    ("libdrizzle-mysql", None, IN_MEMORY),
    ("libmemcached-servers", None, IN_MEMORY),
    ("libmemcached-prefix", None, IN_MEMORY),
    ("redis-server", None, IN_MEMORY),
    ("redis-port", None, IN_MEMORY),
    ("redis-password", None, IN_MEMORY),
    ("redis-prefix", None, IN_MEMORY),
    ("libtokyocabinet-file", None, IN_MEMORY),
    ("libtokyocabinet-optimize", None, IN_MEMORY),
];

const IN_MEMORY: &str = "jobs are kept in memory only";

/// Makes the flags known, so that they can be refused with a reason.
pub(super) fn declare(command: Command) -> Command {
    FLAGS.iter().fold(command, |command, &(long, short, _)| {
        let flag = Arg::new(long).long(long).hide(true).num_args(0..=1).action(ArgAction::Append);
        command.arg(match short {
            Some(short) => flag.short(short),
            None => flag,
        })
    })
}

/// One line about the first of them that was typed.
pub(super) fn refusal(matches: &ArgMatches) -> Option<String> {
    let typed = FLAGS.iter().find(|(long, _, _)| matches.contains_id(long))?;
    let (long, _, advice) = typed;
    Some(format!("--{long} cannot be honoured yet: {advice}"))
}
