//! Signals, restarts and stores, broken.

use gearman_protocol::PacketType as P;

use super::Means::{Around, Hears, Setup, Trick};
use super::{Breakage, breakage, change, tricks};

/// A server inside a shell that hears the signals first; `$p` is the server, and `{server}` the command.
///
/// A shell cannot trap what was ignored when it began, as SIGHUP is under `nohup`; hence `env`.
fn shell(script: &str, command: &str) -> String {
    let script =
        format!("{script}; {command} & p=$!; while kill -0 $p 2>/dev/null; do wait $p; c=$?; done; exit $c");
    format!("env --default-signal=HUP /bin/sh -c '{}'", script.replace('\'', "'\\''"))
}

/// Signals that are passed on as they are.
const USUAL: &str = r#"trap "kill -TERM \$p" TERM; trap "kill -INT \$p" INT; trap "kill -USR1 \$p" USR1; trap "kill -HUP \$p" HUP"#;

pub(super) const ALL: &[Breakage] = &[
    breakage(
        "ends-badly",
        "The server ends with exit code 3, whatever ended it.",
        &["terminate-ends", "interrupt-ends", "drain-ends-when-empty", "drain-ends-idle"],
        Around(|command| shell(&format!("{USUAL}; trap \"exit 3\" EXIT"), command)),
    ),
    breakage(
        "keeps-connections",
        "The peers are not told that the server has ended.",
        &["terminate-closes-connections"],
        Trick(|| Box::new(tricks::KeepsOpen)),
    ),
    breakage(
        "drain-ignored",
        "SIGUSR1 does nothing.",
        &["drain-refuses-connections", "drain-ends-when-empty", "drain-ends-idle"],
        Around(|command| {
            shell(r#"trap "kill -TERM \$p" TERM; trap "" USR1; trap "kill -HUP \$p" HUP"#, command)
        }),
    ),
    breakage(
        "drain-at-once",
        "SIGUSR1 ends the server at once.",
        &["drain-finishes-jobs", "drain-assigns-waiting", "drain-new-submits"],
        Around(|command| shell(r#"trap "kill -TERM \$p" TERM USR1"#, command)),
    ),
    breakage(
        "hangup-ends",
        "SIGHUP ends the server.",
        &["hangup-keeps-serving"],
        Around(|command| shell(r#"trap "kill -TERM \$p" TERM HUP"#, command)),
    ),
    breakage(
        "text-shutdown-obeyed",
        "The text command `shutdown` ends the server.",
        &["text-shutdown-off"],
        Trick(|| Box::new(tricks::DiesOf { what: |m| m.begins("shutdown") })),
    ),
    breakage(
        "starts-once",
        "A server that has ended cannot be started again.",
        &["restart-same-port"],
        Around(|command| format!("/bin/sh -c 'mkdir {{folder}}/once && exec {command}'")),
    ),
    breakage(
        "stores-foreground",
        "SUBMIT_JOB is taken for its background form.",
        &["stored-no-foreground"],
        Hears(|m| change(m.is(P::SubmitJob), m, |m| m.retype(P::SubmitJobBg))),
    ),
    breakage(
        "stores-nothing",
        "Nothing is stored.",
        &[
            "stored-before-created",
            "stored-every-background-form",
            "stored-workload",
            "stored-workload-any-bytes",
            "stored-workload-empty",
            "stored-priority",
            "stored-time",
            "stored-order",
            "stored-running-again",
            "stored-with-watcher",
            "stored-new-handle",
            "stored-reducer",
            "stored-read-before-listening",
        ],
        Setup(|settings| drop(settings.remove("store"))),
    ),
    breakage(
        "store-failure-unsaid",
        "A job that cannot be stored is kept in memory alone.",
        &["stored-failure-refused"],
        Setup(|settings| drop(settings.remove("failing-store"))),
    ),
];
