//! The program: what it says, what it refuses, and how it ends.

#[cfg(test)]
mod config_file;
#[cfg(test)]
mod flags;
#[cfg(test)]
mod listening;
#[cfg(test)]
mod logs;
#[cfg(test)]
mod process;
#[cfg(test)]
mod program;
#[cfg(test)]
mod supervised;

use program::{Gearmand, LOCAL, command, refusal, run};
use std::net::TcpListener;

#[test]
fn the_embedding_example_runs() {
    let said = program::example("embed");
    assert!(said.starts_with("workers and clients may come to 127.0.0.1:"), "{said}");
    assert!(said.ends_with("it ended with code 0\n"), "{said}");
}

#[test]
fn help_teaches() {
    let (code, help) = run(&["--help"]);
    assert_eq!(code, 0);
    insta::assert_snapshot!(help);
}

#[test]
fn the_version_is_told() {
    assert_eq!(run(&["-V"]), (0, format!("gearmand {}\n", env!("CARGO_PKG_VERSION"))));
}

#[test]
fn what_cannot_be_done_is_refused_in_one_line() {
    let refused = [
        &["--prot", "1"][..],
        &["4730"],
        &["-v"],
        &["--port", "70000"],
        &["--port", "gearman"],
        &["--port", "1", "--port", "2"],
        &["--verbose", "LOUD"],
        &["--job-retries", "256"],
        &["--job-retries", "-2"],
        &["--job-handle-prefix", "012345678901234567890123456789012345678901234"],
        &["--job-handle-prefix", "with space"],
        &["--queue-type", "Postgres"],
        &["--queue-type", "paper"],
        &["--keepalive-count", "0"],
        &["--ssl"],
        &["-r", "http"],
        &["--libsqlite3-db", "/tmp/jobs"],
        &["--config-file", "/nonexistent/gearmand.conf"],
        &["--listen", "192.0.2.1"],
        &["--listen", "unix:/nonexistent/gearmand.sock"],
        &["--pid-file", "/nonexistent/gearmand.pid"],
        &["--log-file", "/nonexistent/gearmand.log"],
        &["--user", "nobody-of-that-name"],
        &["--port"],
    ];
    let lines: Vec<String> = refused
        .iter()
        .map(|arguments| format!("{}\n    {}", arguments.join(" "), refusal(arguments)))
        .collect();
    insta::assert_snapshot!(lines.join("\n"));
}

#[test]
fn a_port_in_use_is_refused_with_its_address() {
    let taken = TcpListener::bind("127.0.0.1:0").unwrap();
    let port = taken.local_addr().unwrap().port().to_string();
    let line = refusal(&["--listen", "127.0.0.1", "--port", &port]);
    let expected = "gearmand: cannot listen on 127.0.0.1:PORT: Address already in use (os error 98); \
                    stop what listens there, or choose another --port";
    assert_eq!(line, expected.replace("PORT", &port));
}

#[test]
fn a_port_from_the_environment_counts_unless_one_is_typed() {
    let taken = TcpListener::bind("127.0.0.1:0").unwrap();
    let port = taken.local_addr().unwrap().port().to_string();
    let line = program::refusal_of(command(&["--listen", "127.0.0.1"]).env("GEARMAND_PORT", &port));
    assert!(line.contains(&format!("127.0.0.1:{port}: Address already in use")), "{line}");
    Gearmand::spawn(command(&LOCAL).env("GEARMAND_PORT", &port)).end("TERM", 0);
    let of_nothing = command(&["--check-args"]).env("GEARMAND_PORT", "").status().unwrap();
    assert!(of_nothing.success());
}

#[test]
fn flags_are_checked_without_a_start() {
    let taken = TcpListener::bind("127.0.0.1:0").unwrap();
    let port = taken.local_addr().unwrap().port().to_string();
    assert_eq!(run(&["--check-args", "--listen", "127.0.0.1", "--port", &port]), (0, String::new()));
    assert!(refusal(&["--check-args", "--port", "x"]).contains("invalid value 'x'"));
}

#[test]
fn it_listens_where_it_says_and_stops_when_told() {
    for signal in ["TERM", "INT"] {
        let gearmand = Gearmand::start(&[]);
        assert_eq!(gearmand.ask("version"), format!("OK {}", env!("CARGO_PKG_VERSION")));
        assert_eq!(gearmand.ask("verbose"), "OK ERROR");
        assert_eq!(gearmand.ask("getpid"), format!("OK {}", gearmand.pid()));
        gearmand.end(signal, 0);
    }
}

#[test]
fn a_peer_that_is_gone_when_it_is_written_to_ends_nothing() {
    let gearmand = Gearmand::start(&["--verbose", "INFO"]);
    // What the system sends to who writes to such a peer.
    gearmand.signal("PIPE");
    assert!(gearmand.ask("version").starts_with("OK "));
    let said = gearmand.end("TERM", 0);
    assert!(said.ends_with("INFO SIGTERM: stopping\n") && said.lines().count() == 1, "{said}");
}

#[test]
fn flags_reach_the_engine() {
    let gearmand = Gearmand::start(&["--job-handle-prefix", "J:here"]);
    gearmand.submit_background("f", "x");
    let jobs = gearmand.ask("show jobs");
    assert!(jobs.starts_with("J:here:1\t"), "{jobs}");
    gearmand.end("TERM", 0);
}

#[test]
fn a_handle_names_the_machine_unless_told_otherwise() {
    let gearmand = Gearmand::start(&[]);
    gearmand.submit_background("f", "x");
    let host = std::fs::read_to_string("/proc/sys/kernel/hostname").unwrap();
    // As much of a long name as leaves room for any number.
    let prefix: String = format!("H:{}", host.trim_end()).chars().take(42).collect();
    let jobs = gearmand.ask("show jobs");
    assert!(jobs.starts_with(&format!("{prefix}:1\t")), "{jobs}");
    gearmand.end("TERM", 0);
}

#[test]
fn it_drains_when_told() {
    Gearmand::start(&[]).end("USR1", 0);
}

#[test]
fn a_drain_that_takes_too_long_is_given_up_and_says_what_was_left() {
    let gearmand = Gearmand::start(&["--drain-timeout", "0"]);
    gearmand.submit_background("f", "x");
    let said = gearmand.end("USR1", 3);
    let left = "ERROR gave up draining, still waiting for f (0 running, 1 waiting, 0 workers)\n";
    assert!(said.ends_with(left), "{said}");
}

#[test]
fn a_text_command_ends_it_only_if_that_is_allowed() {
    let gearmand = Gearmand::start(&[]);
    assert!(gearmand.ask("shutdown").starts_with("ERR UNKNOWN_COMMAND"));
    gearmand.end("TERM", 0);
    let mut gearmand = Gearmand::start(&["--allow-shutdown"]);
    assert_eq!(gearmand.ask("shutdown"), "OK");
    gearmand.ended(0);
}

#[test]
fn what_differs_from_gearmand_is_said_at_the_start() {
    let gearmand = Gearmand::start(&["-j", "0", "--hashtable-buckets", "7"]);
    let said = gearmand.said();
    assert!(said[0].starts_with("gearmand: --job-retries 0 drops a job at the first loss"), "{said:?}");
    assert!(said[1].starts_with("gearmand: --hashtable-buckets has no effect"), "{said:?}");
    gearmand.end("TERM", 0);
}

#[test]
fn without_descriptors_peers_wait_and_are_served_when_there_are_some_again() {
    let arguments = [&LOCAL[..], &["--max-connections", "1000"]].concat();
    let gearmand = Gearmand::spawn(&mut program::in_shell("ulimit -n 40", &arguments));
    let mut peers: Vec<_> = (0..60).map(|_| gearmand.connect()).collect();
    let mut last = peers.pop().unwrap();
    program::say(&mut last, "version");
    let mut first = peers.remove(0);
    program::say(&mut first, "version");
    let version = format!("OK {}", env!("CARGO_PKG_VERSION"));
    assert_eq!(program::hear(&mut first), version);
    // There is no descriptor for the last one until the others have gone.
    drop(peers);
    assert_eq!(program::hear(&mut last), version);
    gearmand.end("TERM", 0);
}

#[test]
fn by_default_some_descriptors_are_kept_and_a_peer_too_many_is_told_so() {
    let gearmand = Gearmand::spawn(&mut program::in_shell("ulimit -n 100", &LOCAL));
    let mut peers: Vec<_> = (0..50).map(|_| gearmand.connect()).collect();
    let version = format!("OK {}", env!("CARGO_PKG_VERSION"));
    for peer in &mut peers {
        program::say(peer, "version");
        assert_eq!(program::hear(peer), version);
    }
    let refusal = program::read_to_end(&mut gearmand.connect());
    assert!(refusal.ends_with("TOO_MANY_CONNECTIONS\0Too many connections"), "{refusal}");
    gearmand.end("TERM", 0);
}

#[test]
fn who_is_sent_away_is_told_in_the_log() {
    let mut gearmand = Gearmand::start(&["--max-connections", "1", "--verbose", "WARNING"]);
    let _first = gearmand.connect();
    let refusal = program::read_to_end(&mut gearmand.connect());
    assert!(refusal.ends_with("TOO_MANY_CONNECTIONS\0Too many connections"), "{refusal}");
    gearmand.hear_until(|line| line.ends_with("WARNING declined or sent away, by reason: max-connections 1"));
    gearmand.end("TERM", 0);
}

#[test]
fn a_packet_above_the_limit_is_refused_and_so_is_a_job_above_the_memory() {
    let gearmand = Gearmand::start(&["--max-packet-size", "2K", "--memory-limit", "1K"]);
    let mut peer = gearmand.connect();
    program::write(&mut peer, &program::submit("f", &[b'x'; 3000]));
    assert!(program::hear_packet(&mut peer).ends_with("ARGUMENT_TOO_LARGE\0Packet exceeds the limit"));
    program::write(&mut peer, &program::submit("f", &[b'x'; 1500]));
    assert!(program::hear_packet(&mut peer).ends_with("QUEUE_ERROR\0Memory limit reached"));
    program::say(&mut peer, "version");
    assert!(program::hear(&mut peer).starts_with("OK "));
    gearmand.end("TERM", 0);
}

#[test]
fn metrics_are_served_where_it_says_and_only_if_asked_for() {
    let mut gearmand = Gearmand::start(&["--metrics", "0"]);
    let said = gearmand.hear_until(|line| line.starts_with("gearmand: metrics at "));
    let address = said.last().unwrap().trim_start_matches("gearmand: metrics at ");
    assert!(address.starts_with("127.0.0.1:"), "{address}");
    let mut stream = std::net::TcpStream::connect(address).unwrap();
    program::write(&mut stream, b"GET /metrics HTTP/1.1\r\nHost: here\r\nConnection: close\r\n\r\n");
    let answer = program::read_to_end(&mut stream);
    assert!(answer.starts_with("HTTP/1.1 200 OK\r\n"), "{answer}");
    assert!(answer.contains("content-type: text/plain; version=0.0.4"), "{answer}");
    let limit = answer.lines().find_map(|line| line.strip_prefix("gearmand_memory_limit_bytes ")).unwrap();
    assert!(limit.parse::<u64>().unwrap() > 1 << 20, "{limit}");
    gearmand.end("TERM", 0);
}
