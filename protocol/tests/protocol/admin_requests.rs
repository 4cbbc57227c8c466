//! How lines of the text protocol are read.

use bytes::Bytes;
use gearman_protocol::{AdminRequest, Decoder, Frame, Limits};
use insta::assert_snapshot;

/// What each line asks for, one on a line.
fn read(lines: &[&str]) -> String {
    let read = lines.iter().map(|line| {
        let request = AdminRequest::parse(&Bytes::copy_from_slice(line.as_bytes()));
        format!("{line:?} {request:?}")
    });
    read.collect::<Vec<_>>().join("\n")
}

#[test]
fn commands() {
    assert_snapshot!(read(&["status", "prioritystatus", "workers", "version", "getpid", "verbose"]), @r#"
    "status" Status
    "prioritystatus" PriorityStatus
    "workers" Workers
    "version" Version
    "getpid" GetPid
    "verbose" Verbose
    "#);
}

#[test]
fn a_line_that_is_no_command_keeps_its_first_word() {
    assert_snapshot!(read(&["lap", "Lap of honour", ""]), @r#"
    "lap" Malformed(UnknownCommand(b"lap"))
    "Lap of honour" Malformed(UnknownCommand(b"Lap"))
    "" Malformed(UnknownCommand(b""))
    "#);
}

#[test]
fn key_words_have_no_case_and_names_have() {
    assert_snapshot!(read(&["STATUS", "Show Jobs", "CREATE Function Lap", "Drop FUNCTION Lap", "MaxQueue Lap 1"]), @r#"
    "STATUS" Status
    "Show Jobs" ShowJobs
    "CREATE Function Lap" CreateFunction(b"Lap")
    "Drop FUNCTION Lap" DropFunction(b"Lap")
    "MaxQueue Lap 1" MaxQueue { function: b"Lap", limits: QueueLimits { high: Some(1), normal: Some(1), low: Some(1) } }
    "#);
}

#[test]
fn a_refusal_repeats_the_command_as_it_was_typed() {
    assert_snapshot!(read(&["SHOW", "Cancel", "CREATE", "Drop lap", "MaxQueue"]), @r#"
    "SHOW" Malformed(UnknownCommand(b"SHOW"))
    "Cancel" Malformed(UnknownCommand(b"Cancel"))
    "CREATE" Malformed(InvalidArguments(b"CREATE"))
    "Drop lap" Malformed(InvalidArguments(b"Drop"))
    "MaxQueue" Malformed(InvalidArguments(b"MaxQueue"))
    "#);
}

#[test]
fn words_are_parted_by_runs_of_spaces() {
    assert_snapshot!(read(&["show   unique  jobs", "status   ", " status", "show\tjobs", "", "   "]), @r#"
    "show   unique  jobs" ShowUniqueJobs
    "status   " Status
    " status" Malformed(UnknownCommand(b""))
    "show\tjobs" Malformed(UnknownCommand(b"show\tjobs"))
    "" Malformed(UnknownCommand(b""))
    "   " Malformed(UnknownCommand(b""))
    "#);
}

#[test]
fn spaces_at_the_end_of_a_line_are_no_word() {
    assert_snapshot!(read(&[
        "create function lap ",
        "drop function lap  ",
        "show ",
        "show jobs ",
        "cancel job ",
        "cancel job H:lap:1 ",
        "maxqueue ",
        "maxqueue lap 1 2 3 ",
    ]), @r#"
    "create function lap " CreateFunction(b"lap")
    "drop function lap  " DropFunction(b"lap")
    "show " Malformed(UnknownCommand(b"show"))
    "show jobs " ShowJobs
    "cancel job " Malformed(UnknownCommand(b"cancel"))
    "cancel job H:lap:1 " CancelJob("H:lap:1")
    "maxqueue " Malformed(InvalidArguments(b"maxqueue"))
    "maxqueue lap 1 2 3 " MaxQueue { function: b"lap", limits: QueueLimits { high: Some(1), normal: Some(2), low: Some(3) } }
    "#);
}

#[test]
fn more_words_than_a_command_knows() {
    assert_snapshot!(read(&[
        "status of all the functions",
        "show jobs now",
        "show unique jobs now",
        "cancel job H:lap:1 now",
        "version one two three four five",
        "maxqueue lap 1 2 3",
        "maxqueue lap 1 2 3 4",
    ]), @r#"
    "status of all the functions" Status
    "show jobs now" Malformed(UnknownShowArguments)
    "show unique jobs now" Malformed(UnknownShowArguments)
    "cancel job H:lap:1 now" Malformed(UnknownError)
    "version one two three four five" Malformed(InvalidArguments(b"version"))
    "maxqueue lap 1 2 3" MaxQueue { function: b"lap", limits: QueueLimits { high: Some(1), normal: Some(2), low: Some(3) } }
    "maxqueue lap 1 2 3 4" Malformed(InvalidArguments(b"maxqueue"))
    "#);
}

#[test]
fn show() {
    assert_snapshot!(read(&["show", "show me", "show unique", "show unique jobs", "show jobs"]), @r#"
    "show" Malformed(UnknownCommand(b"show"))
    "show me" Malformed(UnknownShowArguments)
    "show unique" Malformed(UnknownShowArguments)
    "show unique jobs" ShowUniqueJobs
    "show jobs" ShowJobs
    "#);
}

#[test]
fn cancel() {
    assert_snapshot!(read(&["cancel", "cancel job", "cancel job H:lap:1", "cancel lap H:lap:1"]), @r#"
    "cancel" Malformed(UnknownCommand(b"cancel"))
    "cancel job" Malformed(UnknownCommand(b"cancel"))
    "cancel job H:lap:1" CancelJob("H:lap:1")
    "cancel lap H:lap:1" Malformed(UnknownError)
    "#);
}

#[test]
fn create_and_drop() {
    assert_snapshot!(read(&["create", "create function", "create function lap", "create function a b", "create lap x"]), @r#"
    "create" Malformed(InvalidArguments(b"create"))
    "create function" Malformed(InvalidArguments(b"create"))
    "create function lap" CreateFunction(b"lap")
    "create function a b" Malformed(InvalidArguments(b"create"))
    "create lap x" Malformed(InvalidArguments(b"create"))
    "#);
    assert_snapshot!(read(&["drop", "drop function", "drop function lap", "drop function a b", "drop lap x"]), @r#"
    "drop" Malformed(InvalidArguments(b"drop"))
    "drop function" Malformed(InvalidArguments(b"drop"))
    "drop function lap" DropFunction(b"lap")
    "drop function a b" Malformed(InvalidArguments(b"drop"))
    "drop lap x" Malformed(InvalidArguments(b"drop"))
    "#);
}

#[test]
fn maxqueue() {
    assert_snapshot!(read(&[
        "maxqueue",
        "maxqueue lap",
        "maxqueue lap 7",
        "maxqueue lap 7 8",
        "maxqueue lap 7 8 9",
        "maxqueue lap 0",
        "maxqueue lap -1",
        "maxqueue lap many",
        "maxqueue lap 7up",
        "maxqueue lap 99999999999",
    ]), @r#"
    "maxqueue" Malformed(InvalidArguments(b"maxqueue"))
    "maxqueue lap" MaxQueue { function: b"lap", limits: QueueLimits { high: None, normal: None, low: None } }
    "maxqueue lap 7" MaxQueue { function: b"lap", limits: QueueLimits { high: Some(7), normal: Some(7), low: Some(7) } }
    "maxqueue lap 7 8" MaxQueue { function: b"lap", limits: QueueLimits { high: Some(7), normal: Some(8), low: None } }
    "maxqueue lap 7 8 9" MaxQueue { function: b"lap", limits: QueueLimits { high: Some(7), normal: Some(8), low: Some(9) } }
    "maxqueue lap 0" MaxQueue { function: b"lap", limits: QueueLimits { high: None, normal: None, low: None } }
    "maxqueue lap -1" MaxQueue { function: b"lap", limits: QueueLimits { high: None, normal: None, low: None } }
    "maxqueue lap many" MaxQueue { function: b"lap", limits: QueueLimits { high: None, normal: None, low: None } }
    "maxqueue lap 7up" MaxQueue { function: b"lap", limits: QueueLimits { high: Some(7), normal: Some(7), low: Some(7) } }
    "maxqueue lap 99999999999" MaxQueue { function: b"lap", limits: QueueLimits { high: None, normal: None, low: None } }
    "#);
}

#[test]
fn shutdown() {
    assert_snapshot!(read(&["shutdown", "shutdown graceful", "shutdown GRACEFUL", "shutdown now"]), @r#"
    "shutdown" Shutdown { graceful: false }
    "shutdown graceful" Shutdown { graceful: true }
    "shutdown GRACEFUL" Shutdown { graceful: true }
    "shutdown now" Malformed(UnknownCommand(b"shutdown"))
    "#);
}

#[test]
fn both_line_ends_are_the_decoders() {
    let (mut decoder, mut input) =
        (Decoder::new(Limits::default()), &b"create function lap\ncreate function lap\r\n\nstatus\r\r\n"[..]);
    let mut lines = std::iter::from_fn(|| decoder.decode(&mut input).unwrap());
    assert_eq!(lines.next(), Some(Frame::Line("create function lap".into())));
    assert_eq!(lines.next(), Some(Frame::Line("create function lap".into())));
    assert_eq!(lines.next(), Some(Frame::Line(Bytes::new())));
    // One return belongs to the end of the line, a second one to its last word.
    assert_eq!(lines.next(), Some(Frame::Line("status\r".into())));
    assert_eq!(lines.next(), None);
}
