//! The layouts of the text protocol's answers, byte for byte.

use crate::messages::encoded;
use bytes::Bytes;
use gearman_protocol::{
    AdminError, AdminReply, FunctionStatus, Handle, JobListing, PriorityStatus, WorkerListing,
};
use insta::assert_snapshot;

/// The bytes of an answer with its tabs and line ends visible.
fn layout(reply: &AdminReply) -> String {
    encoded(|out| reply.encode(out)).escape_ascii().to_string().replace("\\n", "\\n\n")
}

fn refusal(error: AdminError) -> String {
    layout(&AdminReply::Error(error))
}

#[test]
fn one_line() {
    assert_snapshot!(layout(&AdminReply::Ok), @r#"OK\r\n"#);
    assert_snapshot!(layout(&AdminReply::Value("2.0".into())), @r#"OK 2.0\n"#);
    assert_snapshot!(layout(&AdminReply::Line("OK".into())), @r#"OK\n"#);
}

#[test]
fn status() {
    let row = |function: &'static str, total, running, workers| FunctionStatus {
        function: function.into(),
        total,
        running,
        workers,
    };
    assert_snapshot!(layout(&AdminReply::Status(vec![row("lap", 3, 1, 2), row("two words", 0, 0, 0)])), @r#"
    lap\t3\t1\t2\n
    two words\t0\t0\t0\n
    .\n
    "#);
    assert_snapshot!(layout(&AdminReply::Status(vec![])), @r#".\n"#);
}

#[test]
fn priority_status() {
    let row = PriorityStatus { function: "lap".into(), high: 1, normal: 2, low: 3, workers: 4 };
    assert_snapshot!(layout(&AdminReply::PriorityStatus(vec![row])), @r#"
    lap\t1\t2\t3\t4\n
    .\n
    "#);
    assert_snapshot!(layout(&AdminReply::PriorityStatus(vec![])), @r#".\n"#);
}

#[test]
fn workers() {
    let row = |connection, address: &str, id: &'static str, functions: &[&'static str]| WorkerListing {
        connection,
        address: address.to_owned(),
        id: id.into(),
        functions: functions.iter().copied().map(Bytes::from).collect(),
    };
    let rows = vec![row(1, "127.0.0.1", "-", &[]), row(2, "::1", "w", &["lap", "sum"])];
    assert_snapshot!(layout(&AdminReply::Workers(rows)), @r#"
    1 127.0.0.1 - :\n
    2 ::1 w : lap sum\n
    .\n
    "#);
    assert_snapshot!(layout(&AdminReply::Workers(vec![])), @r#".\n"#);
}

#[test]
fn jobs() {
    let row = |handle: &'static str, retries, persisted| JobListing {
        handle: Handle::new(handle),
        retries,
        persisted,
    };
    assert_snapshot!(layout(&AdminReply::Jobs(vec![row("H:lap:1", 0, true), row("H:lap:2", 300, false)])), @r#"
    H:lap:1\t0\t0\t1\n
    H:lap:2\t300\t0\t0\n
    .\n
    "#);
    assert_snapshot!(layout(&AdminReply::Jobs(vec![])), @r#".\n"#);
}

#[test]
fn unique_jobs() {
    let uniques = ["key", "", "-"].map(Bytes::from).to_vec();
    assert_snapshot!(layout(&AdminReply::UniqueJobs(uniques)), @r#"
    key\n
    \n
    -\n
    .\n
    "#);
    assert_snapshot!(layout(&AdminReply::UniqueJobs(vec![])), @r#".\n"#);
}

#[test]
fn refusals() {
    let refusals = [
        refusal(AdminError::UnknownCommand("lap".into())),
        refusal(AdminError::UnknownShowArguments),
        refusal(AdminError::UnknownError),
        refusal(AdminError::InvalidArguments("create".into())),
        refusal(AdminError::UnknownJob),
        refusal(AdminError::FunctionNotFound),
        refusal(AdminError::FunctionInUse),
        refusal(AdminError::InvalidFunctionName),
        refusal(AdminError::MemoryLimit),
    ];
    assert_snapshot!(refusals.concat(), @r#"
    ERR UNKNOWN_COMMAND Unknown+server+commandlap\r\n
    ERR UNKNOWN_SHOW_ARGUMENTS\r\n
    ERR UNKNOWN_ERROR\r\n
    ERR INVALID_ARGUMENTS An+incomplete+set+of+arguments+was+sent+to+this+command+create\r\n
    ERR UNKNOWN_JOB\r\n
    ERR function not found\r\n
    ERR there are still connected workers or executing clients\r\n
    ERR INVALID_FUNCTION_NAME Function+name+must+be+1+to+512+bytes+without+control+characters\r\n
    ERR QUEUE_ERROR Memory+limit+reached\r\n
    "#);
}
