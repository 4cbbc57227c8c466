//! What is typed is what is told.

use super::values::{
    AtLeastOne, Memory, Retries, at_least_one, handle_prefix, listening, memory, port, queue_type, retries,
    size,
};
use super::*;
use gearman_engine::{Compat, MAX_HANDLE_PREFIX};
use std::time::Duration;

fn engine(flags: &str) -> Config {
    let typed = ["gearmand", "--config-file", "/dev/null"].into_iter().chain(flags.split_whitespace());
    match Options::parse(typed.map(OsString::from)) {
        Ok(options) => options.engine(),
        Err(Unusable::Told(text) | Unusable::Refused(text)) => panic!("{text}"),
    }
}

#[test]
fn flags_of_jobs_reach_the_engine() {
    let told = engine(
        "--job-handle-prefix H:here --job-retries 3 --worker-wakeup 2 --wakeup-timeout 70 --min-job-timeout 9 --exceptions",
    );
    assert_eq!((told.handle_prefix.as_str(), told.job_retries), ("H:here", Some(3)));
    assert_eq!((told.worker_wakeup, told.exceptions), (Some(2), true));
    assert_eq!(told.wakeup_timeout, Duration::from_millis(70));
    assert_eq!(told.min_job_timeout, Duration::from_millis(9));
    let plain = engine("--worker-wakeup 0");
    assert_eq!((plain.worker_wakeup, plain.exceptions), (None, false));
}

#[test]
fn the_older_ways_are_taken_when_they_are_asked_for() {
    assert_eq!(engine("").compat, Compat::Version2);
    assert_eq!(engine("--compat 1.1").compat, Compat::Version1_1 { round_robin: false });
    assert_eq!(engine("--compat 1.1 --round-robin").compat, Compat::Version1_1 { round_robin: true });
}

#[test]
fn limits_reach_the_engine() {
    let told = engine(
        "--output-limit 3M --connections-per-address 5 --functions-per-connection 7 --packet-timeout 11 --memory-limit 2G",
    );
    assert_eq!((told.output_limit, told.memory_limit), (3 << 20, 2 << 30));
    assert_eq!((told.connections_per_address, told.functions_per_connection), (Some(5), 7));
    assert_eq!(told.packet_timeout, Duration::from_secs(11));
    assert_eq!(engine("--connections-per-address 0").connections_per_address, None);
}

#[test]
fn sizes_end_in_nothing_or_a_letter() {
    for (typed, bytes) in [("17", 17), ("2k", 2048), ("3M", 3 << 20), ("12g", 12 << 30)] {
        assert_eq!(size(typed), Ok(bytes), "{typed}");
    }
    for typed in ["0", "0K", "", "K", "1T", "99999999999G"] {
        assert!(size(typed).is_err(), "{typed}");
    }
    assert_eq!(memory("40%").map(|memory| memory.of(|| 1000)), Ok(400));
    assert_eq!(Memory::Bytes(5).of(|| 1000), 5);
}

#[test]
fn numbers_have_limits() {
    for (typed, at) in [("-1", None), ("0", Some(0)), ("1", Some(1)), ("255", Some(255))] {
        assert_eq!(retries(typed), Ok(Retries(at)), "{typed}");
    }
    for (typed, number) in [("-1", None), ("1", Some(1)), ("32767", Some(32_767))] {
        assert_eq!(at_least_one(typed), Ok(AtLeastOne(number)), "{typed}");
    }
    for (typed, number) in [("", 4730), ("0", 0), ("65535", 65_535)] {
        assert_eq!(port(typed), Ok(number), "{typed}");
    }
    assert_eq!(["1%", "100%"].map(memory), [1, 100].map(|percent| Ok(Memory::Percent(percent))));
    for typed in ["-2", "256", ""] {
        assert!(retries(typed).is_err(), "{typed}");
    }
    for typed in ["-2", "0", "32768", ""] {
        assert!(at_least_one(typed).is_err(), "{typed}");
    }
    assert!(port("-1").is_err() && port("65536").is_err());
    for typed in ["0%", "101%", "%"] {
        assert!(memory(typed).is_err(), "{typed}");
    }
}

#[test]
fn a_queue_that_cannot_be_honoured_is_told_from_one_that_nobody_has() {
    assert_eq!(queue_type("BuiltIn"), Ok("builtin".to_owned()));
    assert!(queue_type("Postgres").unwrap_err().contains("cannot be honoured yet"));
    assert!(queue_type("paper").unwrap_err().contains("no such queue"));
}

#[test]
fn a_prefix_may_be_as_long_as_leaves_room_for_a_number() {
    let longest = "x".repeat(MAX_HANDLE_PREFIX);
    assert_eq!(handle_prefix(&longest), Ok(longest.clone()));
    assert!(handle_prefix(&format!("{longest}x")).is_err());
}

#[test]
fn an_address_may_lack_its_port() {
    for (typed, at) in [
        ("localhost", "localhost:4730"),
        ("localhost:1", "localhost:1"),
        ("localhost:port", "localhost:port:4730"),
        ("10.0.0.1", "10.0.0.1:4730"),
        ("[::1]:2", "[::1]:2"),
        ("::1", "[::1]:4730"),
        ("unix:/run/gearmand", "unix:/run/gearmand"),
    ] {
        assert_eq!(listening(typed, 4730), at);
    }
}
