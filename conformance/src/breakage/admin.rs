//! Text commands, broken.

use super::Means::{Hears, Says, Trick};
use super::wire::{Message, line};
use super::{Breakage, Fate, breakage, change, drop_if, tricks};

/// How many tabs a line has.
fn tabs(message: &Message) -> usize {
    message.text().map_or(0, |text| text.iter().filter(|byte| **byte == b'\t').count())
}

/// Changes a column of the rows with so many tabs.
fn column(message: &mut Message, tabs_in: usize, at: usize, value: &str) -> Fate {
    change(tabs(message) == tabs_in, message, |message| {
        message.rewrite(|row| {
            let mut columns: Vec<&str> = row.split('\t').collect();
            columns[at] = value;
            columns.join("\t")
        });
    })
}

/// Whether it is a row of `workers`.
fn is_worker(message: &Message) -> bool {
    message.text().is_some_and(|text| {
        text.first().is_some_and(u8::is_ascii_digit) && text.windows(2).any(|pair| pair == b" :")
    })
}

/// Answers a command without carrying it out.
fn instead(message: &Message, command: &str, answer: &str) -> Fate {
    if message.begins(command) { Fate::Reply(line(answer)) } else { Fate::Pass }
}

/// Answers otherwise what would be answered so.
fn answer(message: &mut Message, is: &str, becomes: &'static str) -> Fate {
    change(message.begins(is), message, |message| message.rewrite(|_| becomes.to_owned()))
}

pub(super) const ALL: &[Breakage] = &[
    breakage(
        "line-feed-alone",
        "A carriage return before the line feed belongs to the last word.",
        &["admin-line-end"],
        Hears(|m| drop_if(matches!(m, Message::Line(line) if line.ends_with(b"\r\n")))),
    ),
    breakage(
        "admin-closes",
        "After the answer to a command the connection is closed.",
        &["admin-stays-open"],
        Says(|m| if m.begins(".") || m.begins("OK") || m.begins("ERR") { Fate::Close } else { Fate::Pass }),
    ),
    breakage(
        "admin-small-letters",
        "Commands in capitals are not known.",
        &["admin-any-case"],
        Hears(|m| {
            change(m.text().is_some_and(|text| text.iter().any(u8::is_ascii_uppercase)), m, |m| {
                m.rewrite(|_| "unknown".to_owned())
            })
        }),
    ),
    breakage(
        "admin-exact-words",
        "Words after a command make it unknown.",
        &["admin-extra-words"],
        Hears(|m| {
            change(["status ", "workers ", "version "].iter().any(|start| m.begins(start)), m, |m| {
                m.rewrite(|_| "unknown".to_owned())
            })
        }),
    ),
    breakage(
        "admin-tabs",
        "Words may be separated by tabs.",
        &["admin-spaces"],
        Hears(|m| change(m.text().is_some(), m, |m| m.rewrite(|text| text.replace('\t', " ")))),
    ),
    breakage(
        "unknown-in-words",
        "An unknown command is answered in other words.",
        &["admin-unknown-command-code"],
        Says(|m| answer(m, "ERR UNKNOWN_COMMAND", "ERR unknown")),
    ),
    breakage(
        "unknown-unanswered",
        "An unknown command is not answered.",
        &[
            "admin-unknown-command",
            "admin-empty-line",
            "cancel-incomplete",
            "cancel-other-word",
            "show-unknown",
            "create-incomplete",
            "drop-incomplete",
            "maxqueue-incomplete",
            "hostile-text-harmless",
        ],
        Says(|m| drop_if(m.begins("ERR"))),
    ),
    breakage(
        "ok-in-words",
        "OK is answered in other words.",
        &["admin-ok-line", "maxqueue-ok", "cancel-waiting", "create-function", "drop-function"],
        Says(|m| answer(m, "OK", "DONE")),
    ),
    breakage(
        "rows-with-blanks",
        "The columns of a table are separated by blanks.",
        &["status-table-row", "show-jobs-row", "priority-status-row"],
        Says(|m| change(tabs(m) > 0, m, |m| m.rewrite(|row| row.replace('\t', " ")))),
    ),
    breakage(
        "no-full-stop",
        "Tables do not end.",
        &[
            "status-table-end",
            "workers-table-end",
            "show-jobs-row",
            "show-unique-jobs-row",
            "priority-status-row",
        ],
        Says(|m| drop_if(m.text() == Some(b"."))),
    ),
    breakage(
        "total-of-none",
        "The total of a function is 0.",
        &["status-table-total", "epoch-counted"],
        Says(|m| column(m, 3, 1, "0")),
    ),
    breakage(
        "running-none",
        "The second number of a function is 0.",
        &["status-table-running"],
        Says(|m| column(m, 3, 2, "0")),
    ),
    breakage(
        "workers-none",
        "The third number of a function is 7.",
        &["status-table-workers", "status-table-registered-twice", "status-table-idle"],
        Says(|m| column(m, 3, 3, "7")),
    ),
    breakage(
        "functions-unlisted",
        "Functions are not listed.",
        &["status-table-registered", "submit-lists-function", "status-table-idle", "status-table-total"],
        Says(|m| drop_if(tabs(m) == 3)),
    ),
    breakage(
        "drops-rows-twice",
        "The rows of `status` come twice.",
        &["status-table-row"],
        Says(|m| if tabs(m) >= 3 { Fate::Twice } else { Fate::Pass }),
    ),
    breakage(
        "worker-rows-with-tabs",
        "A row of `workers` is separated by tabs.",
        &["workers-table-row"],
        Says(|m| change(is_worker(m), m, |m| m.rewrite(|row| row.replace(' ', "\t")))),
    ),
    breakage(
        "worker-rows-bare",
        "A row of `workers` names no functions.",
        &["workers-table-functions", "workers-table-no-functions"],
        Says(|m| {
            change(is_worker(m), m, |m| {
                m.rewrite(|row| row.split(" :").next().unwrap_or_default().to_owned());
            })
        }),
    ),
    breakage(
        "worker-rows-no-id",
        "A row of `workers` shows another id.",
        &["workers-table-client-id", "workers-table-no-id", "client-id-127", "client-id-longer"],
        Says(|m| {
            change(is_worker(m), m, |m| {
                m.rewrite(|row| {
                    let mut words: Vec<&str> = row.split(' ').collect();
                    words[2] = "somebody";
                    words.join(" ")
                });
            })
        }),
    ),
    breakage(
        "workers-unlisted",
        "`workers` lists nobody.",
        &["workers-table-everyone", "workers-table-row", "workers-table-no-functions"],
        Says(|m| drop_if(is_worker(m))),
    ),
    breakage(
        "priority-status-none",
        "`prioritystatus` counts nothing.",
        &["priority-status-counts"],
        Says(|m| {
            let _ = column(m, 4, 1, "0");
            let _ = column(m, 4, 2, "0");
            column(m, 4, 3, "0")
        }),
    ),
    breakage(
        "version-bare",
        "The answer to `version` has no `OK`.",
        &["version-ok"],
        Hears(|m| instead(m, "version", "1.0")),
    ),
    breakage(
        "version-unsaid",
        "`version` is answered by an empty line.",
        &["version-line"],
        Hears(|m| instead(m, "version", "")),
    ),
    breakage(
        "getpid-in-words",
        "`getpid` is answered without a number.",
        &["getpid-line"],
        Hears(|m| instead(m, "getpid", "OK")),
    ),
    breakage(
        "verbose-bare",
        "`verbose` is answered without a level.",
        &["verbose-line"],
        Hears(|m| instead(m, "verbose", "OK")),
    ),
    breakage(
        "show-jobs-empty",
        "`show jobs` lists nothing.",
        &["show-jobs-live", "show-jobs-row"],
        Hears(|m| instead(m, "show jobs", ".")),
    ),
    breakage(
        "show-jobs-no-losses",
        "`show jobs` counts no losses.",
        &["show-jobs-retries"],
        Says(|m| {
            change(tabs(m) == 3 && m.begins("H:"), m, |m| {
                m.rewrite(|row| {
                    let mut columns: Vec<&str> = row.split('\t').collect();
                    columns[1] = "0";
                    columns.join("\t")
                })
            })
        }),
    ),
    breakage(
        "show-unique-empty",
        "`show unique jobs` lists nothing.",
        &["show-unique-jobs-row"],
        Hears(|m| instead(m, "show unique jobs", ".")),
    ),
    breakage(
        "cancel-in-words",
        "`cancel job` is answered, and cancels nothing.",
        &[
            "cancel-waiting",
            "cancel-fails-watchers",
            "cancel-running",
            "cancel-running-one-terminal",
            "cancel-leaves-tables",
            "cancel-resubmit-runs",
            "epoch-cancel",
            "stored-until-cancel",
        ],
        Hears(|m| instead(m, "cancel job", "OK")),
    ),
    breakage(
        "cancel-anything",
        "`cancel job` of no job is answered by `OK`.",
        &["cancel-unknown"],
        Says(|m| answer(m, "ERR UNKNOWN_JOB", "OK")),
    ),
    breakage(
        "create-in-words",
        "`create function` is answered, and creates nothing.",
        &["create-function", "create-function-whole-name"],
        Hears(|m| instead(m, "create function", "OK")),
    ),
    breakage(
        "create-again-refused",
        "`create function` of a function that exists is refused.",
        &["create-function-again"],
        Trick(|| Box::<tricks::CreatesOnce>::default()),
    ),
    breakage(
        "drop-in-words",
        "`drop function` is answered, and drops nothing.",
        &["drop-function", "drop-function-in-use"],
        Hears(|m| instead(m, "drop function", "OK")),
    ),
    breakage(
        "drop-unknown-in-words",
        "`drop function` of no function is refused in other words.",
        &["drop-function-unknown"],
        Says(|m| answer(m, "ERR function not found", "ERR no such thing")),
    ),
    breakage(
        "drop-any-case",
        "`drop function` ignores the case of the name.",
        &["drop-function-exact"],
        Hears(|m| {
            change(m.begins("drop function") || m.begins("create function"), m, |m| {
                m.rewrite(|text| text.to_ascii_lowercase())
            })
        }),
    ),
];
