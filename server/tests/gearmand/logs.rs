//! What is logged, and where.

use crate::program::{Gearmand, file, path};
use crate::supervised::Manager;
use std::collections::BTreeSet;
use std::fs::{read_to_string, rename, write};

/// The levels of the lines in a text, or whatever stands in their place.
fn levels(text: &str) -> Vec<&str> {
    text.lines().filter_map(|line| line.split_whitespace().nth(1)).collect()
}

#[test]
fn each_level_shows_what_is_as_grave_or_graver() {
    let expected = [
        ("FATAL", &[][..]),
        ("ALERT", &[]),
        ("CRITICAL", &[]),
        ("ERROR", &["ERROR"]),
        ("WARNING", &["ERROR", "WARNING"]),
        ("NOTICE", &["ERROR", "INFO", "WARNING"]),
        ("INFO", &["ERROR", "INFO", "WARNING"]),
        ("DEBUG", &["ERROR", "INFO", "WARNING"]),
    ];
    for (level, expected) in expected {
        let log = path(&format!("level-{level}"));
        let log_file = log.to_str().unwrap();
        let gearmand = Gearmand::start(&[
            "--verbose",
            level,
            "--log-file",
            log_file,
            "--hashtable-buckets",
            "7",
            "--drain-timeout",
            "0",
        ]);
        assert_eq!(gearmand.ask("verbose"), format!("OK {level}"));
        gearmand.submit_background("f", "x");
        assert_eq!(gearmand.end("USR1", 3), "", "the log lies elsewhere");
        let text = read_to_string(&log).unwrap();
        let seen: BTreeSet<&str> = levels(&text).into_iter().collect();
        assert_eq!(seen, expected.iter().copied().collect(), "{level}: {text}");
    }
}

#[test]
fn nothing_is_logged_if_nothing_shall_be() {
    let gearmand = Gearmand::start(&["--log-file", "none", "--verbose", "DEBUG", "--drain-timeout", "0"]);
    gearmand.submit_background("f", "x");
    assert_eq!(gearmand.end("USR1", 3), "");
}

#[test]
fn each_line_may_be_an_object() {
    let log = path("objects.log");
    let flags = ["--log-format", "json", "--log-file", log.to_str().unwrap(), "--verbose", "INFO"];
    Gearmand::start(&flags).end("TERM", 0);
    let text = read_to_string(&log).unwrap();
    let read = |line: &str| -> serde_json::Value { serde_json::from_str(line).unwrap() };
    let objects: Vec<serde_json::Value> = text.lines().map(read).collect();
    assert!(objects[0]["message"].as_str().unwrap().starts_with("listening on 127.0.0.1:"), "{text}");
    assert_eq!(objects[1]["message"], "SIGTERM: stopping");
    assert_eq!((&objects[1]["schema"], &objects[1]["level"]), (&1.into(), &"INFO".into()));
}

#[test]
fn stderr_too_has_nothing_but_objects_then() {
    let mut command = crate::program::command(&crate::program::LOCAL);
    command.args(["--log-format", "json", "--hashtable-buckets", "7"]);
    let gearmand = Gearmand::spawn_until(&mut command, |line| line.contains("listening on 127.0.0.1:"));
    let read = |line: &String| -> serde_json::Value { serde_json::from_str(line).unwrap() };
    let objects: Vec<serde_json::Value> = gearmand.said().iter().map(read).collect();
    assert_eq!(objects.len(), 2);
    assert_eq!((&objects[0]["level"], &objects[1]["level"]), (&"WARNING".into(), &"INFO".into()));
    gearmand.end("TERM", 0);
}

#[test]
fn after_a_rotation_lines_go_to_the_new_file() {
    let (log, old) = (path("rotated.log"), path("rotated.log.1"));
    let manager = Manager::new("rotation.sock");
    let gearmand = manager.start(&["--verbose", "INFO", "--log-file", log.to_str().unwrap()]);
    rename(&log, &old).unwrap();
    let before = read_to_string(&old).unwrap();
    gearmand.signal("HUP");
    manager.hear();
    assert_eq!(manager.hear(), "READY=1");
    gearmand.end("TERM", 0);
    assert_eq!(read_to_string(&old).unwrap(), before);
    let fresh = read_to_string(&log).unwrap();
    assert_eq!(fresh.lines().count(), 2, "{fresh}");
    assert!(fresh.ends_with("INFO SIGTERM: stopping\n"), "{fresh}");
}

#[test]
fn a_log_that_cannot_be_opened_anew_goes_on_as_it_was() {
    let log = path("stays.log");
    let manager = Manager::new("stays.sock");
    let gearmand = manager.start(&["--log-file", log.to_str().unwrap(), "--verbose", "INFO"]);
    let kept = std::fs::File::open(&log).unwrap();
    // A directory in its place cannot be written to, even by root.
    std::fs::remove_file(&log).unwrap();
    std::fs::create_dir(&log).unwrap();
    gearmand.signal("HUP");
    manager.hear();
    assert_eq!(manager.hear(), "READY=1");
    gearmand.end("TERM", 0);
    std::fs::remove_dir(&log).unwrap();
    let text = std::io::read_to_string(kept).unwrap();
    assert!(text.contains("ERROR cannot log to "), "{text}");
    assert!(text.ends_with("INFO SIGTERM: stopping\n"), "{text}");
}

#[test]
fn a_warning_that_is_repeated_is_held_back_and_counted() {
    let (config, log) = (file("repeats.conf", "--verbose INFO"), path("repeats.log"));
    let manager = Manager::new("repeats.sock");
    let files = ["--config-file", config.to_str().unwrap(), "--log-file", log.to_str().unwrap()];
    let gearmand = manager.start(&files);
    write(&config, "--verbose INFO --exceptions").unwrap();
    let (mut reloads, mut text) = (0, String::new());
    // Until a second is over, and one is written again.
    while !text.ends_with(" more like it since the last)\n") {
        gearmand.signal("HUP");
        manager.hear();
        assert_eq!(manager.hear(), "READY=1");
        reloads += 1;
        text = read_to_string(&log).unwrap();
    }
    let warnings: Vec<&str> =
        text.lines().filter(|line| line.contains("WARNING the config file has changed")).collect();
    let held_back = |line: &&str| -> usize {
        line.split_once("(and ").map_or(0, |(_, rest)| rest.split(' ').next().unwrap().parse().unwrap())
    };
    assert_eq!(warnings.iter().map(|line| 1 + held_back(line)).sum::<usize>(), reloads, "{text}");
    // Only warnings are.
    assert_eq!(text.lines().filter(|line| line.contains("INFO SIGHUP: logs opened anew")).count(), reloads);
    gearmand.end("TERM", 0);
}

#[test]
fn the_verbosity_is_taken_from_the_file_anew() {
    let config = file("reload.conf", "--verbose ERROR");
    let manager = Manager::new("reload.sock");
    let gearmand = manager.start(&["--config-file", config.to_str().unwrap()]);
    let reload = |text: &str| {
        write(&config, text).unwrap();
        gearmand.signal("HUP");
        manager.hear();
        assert_eq!(manager.hear(), "READY=1");
        gearmand.ask("verbose")
    };
    assert_eq!(reload("--verbose INFO"), "OK INFO");
    assert_eq!(reload("--verbose INFO --exceptions"), "OK INFO");
    assert_eq!(reload("--verbose FATAL --port=x"), "OK INFO");
    let said = gearmand.end("TERM", 0);
    let lines: Vec<&str> =
        said.lines().filter_map(|line| line.split_once('Z').map(|(_, rest)| rest.trim())).collect();
    assert_eq!(lines[0], "INFO SIGHUP: logs opened anew, verbosity INFO");
    assert_eq!(lines[2], "WARNING the config file has changed in more than --verbose, which needs a restart");
    assert!(
        lines[3].starts_with("ERROR SIGHUP: logs opened anew; everything else stays as it was: "),
        "{said}"
    );
    assert_eq!(lines[4], "INFO SIGTERM: stopping");
}
