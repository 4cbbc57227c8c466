//! How it runs among other processes.

use crate::program::{Gearmand, LOCAL, command, in_shell, kill, path, refusal};
use std::fs::{File, read_to_string};
use std::net::TcpListener;

/// A line of a file about a process that the system keeps.
fn line_of(pid: u32, file: &str, name: &str) -> Vec<String> {
    let text = read_to_string(format!("/proc/{pid}/{file}")).unwrap();
    let line = text.lines().find_map(|line| line.strip_prefix(name)).unwrap();
    line.split_whitespace().map(str::to_owned).collect()
}

#[test]
fn the_pid_file_comes_and_goes_with_it() {
    let pid_file = path("gearmand.pid");
    let flags = ["--pid-file", pid_file.to_str().unwrap()];
    let gearmand = Gearmand::start(&flags);
    assert_eq!(read_to_string(&pid_file).unwrap(), format!("{}\n", gearmand.pid()));
    let line = refusal(&[&LOCAL[..], &flags].concat());
    assert!(line.contains(&format!("process {} holds it", gearmand.pid())), "{line}");
    assert!(pid_file.exists(), "the one that was refused has not removed it");
    gearmand.end("TERM", 0);
    assert!(!pid_file.exists());
}

#[test]
fn a_pid_file_that_a_killed_server_left_is_written_over() {
    let pid_file = path("killed.pid");
    let flags = ["--pid-file", pid_file.to_str().unwrap()];
    Gearmand::start(&flags).killed();
    let left = read_to_string(&pid_file).unwrap();
    let gearmand = Gearmand::start(&flags);
    assert_ne!(read_to_string(&pid_file).unwrap(), left);
    gearmand.end("TERM", 0);
}

#[test]
fn in_the_background_it_leaves_the_session_and_ends_by_its_pid() {
    let (pid_file, log) = (path("daemon.pid"), path("daemon.log"));
    let files = ["--pid-file", pid_file.to_str().unwrap(), "--log-file", log.to_str().unwrap()];
    // Its stdout and stderr end when it has let go of them: otherwise this waits for ever.
    let started =
        command(&[&LOCAL[..], &["--daemon", "--verbose", "INFO"], &files].concat()).output().unwrap();
    assert_eq!(started.status.code(), Some(0), "{started:?}");
    assert!(String::from_utf8_lossy(&started.stderr).starts_with("gearmand: listening on 127.0.0.1:"));
    let pid: u32 = read_to_string(&pid_file).unwrap().trim().parse().unwrap();
    let session = &line_of(pid, "stat", &format!("{pid} "))[4];
    assert_eq!(*session, pid.to_string());
    let locked = File::open(&pid_file).unwrap();
    kill(pid, "TERM");
    // The lock ends with the process.
    locked.lock().unwrap();
    assert!(!pid_file.exists());
    assert!(read_to_string(&log).unwrap().ends_with("INFO SIGTERM: stopping\n"));
}

#[test]
fn a_start_in_the_background_that_fails_says_why() {
    let taken = TcpListener::bind("127.0.0.1:0").unwrap();
    let port = taken.local_addr().unwrap().port().to_string();
    let flags = ["--daemon", "--listen", "127.0.0.1", "--port", &port, "--log-file", "none"];
    assert!(refusal(&flags).contains("Address already in use"));
}

#[test]
fn root_becomes_the_user_and_nobody_else_can() {
    let own = std::process::Command::new("id").arg("-un").output().unwrap().stdout;
    Gearmand::start(&["--user", String::from_utf8(own).unwrap().trim()]).end("TERM", 0);
    let is_root = line_of(std::process::id(), "status", "Uid:")[1] == "0";
    if !is_root {
        let line = refusal(&[&LOCAL[..], &["--user", "daemon"]].concat());
        assert!(line.contains("only root can"), "{line}");
        return;
    }
    let gearmand = Gearmand::start(&["--user", "daemon"]);
    // On every Linux system with these accounts, `daemon` is 1.
    for ids in ["Uid:", "Gid:"] {
        assert_eq!(line_of(gearmand.pid(), "status", ids), ["1"; 4]);
    }
    assert_eq!(line_of(gearmand.pid(), "status", "Groups:"), ["1"]);
    gearmand.end("TERM", 0);
}

#[test]
fn descriptors_are_limited_as_told() {
    let gearmand = Gearmand::start(&["-f", "77"]);
    assert_eq!(line_of(gearmand.pid(), "limits", "Max open files")[0], "77");
    gearmand.end("TERM", 0);
    // No system has so many.
    let line = refusal(&[&LOCAL[..], &["--file-descriptors", "9000000000"]].concat());
    assert!(line.starts_with("gearmand: cannot have 9000000000 descriptors: "), "{line}");
}

#[test]
fn it_serves_on_as_many_threads_as_told() {
    // Of one, that is the first thread; others have it beside them.
    for (told, threads) in [("0", 1), ("1", 1), ("3", 4)] {
        let gearmand = Gearmand::start(&["--threads", told]);
        let tasks = std::fs::read_dir(format!("/proc/{}/task", gearmand.pid())).unwrap();
        assert_eq!(tasks.count(), threads, "--threads {told}");
        gearmand.end("TERM", 0);
    }
}

#[test]
fn memory_comes_in_small_pages() {
    let gearmand = Gearmand::start(&[]);
    assert_eq!(line_of(gearmand.pid(), "status", "THP_enabled:"), ["0"]);
    gearmand.end("TERM", 0);
}

#[test]
fn a_core_dump_may_be_as_large_as_the_system_allows() {
    let flags = [&LOCAL[..], &["--coredump"]].concat();
    let gearmand = Gearmand::spawn(&mut in_shell("ulimit -S -c 0", &flags));
    let limits = line_of(gearmand.pid(), "limits", "Max core file size");
    assert_eq!(limits[0], limits[1]);
    gearmand.end("TERM", 0);
}
