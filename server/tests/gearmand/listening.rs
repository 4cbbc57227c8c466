//! Where it listens.

use crate::program::{Gearmand, ask, command, in_shell, path};
use std::fs::read_to_string;
use std::net::{TcpListener, TcpStream};
use std::os::fd::OwnedFd;
use std::os::unix::net::UnixStream;

#[test]
fn it_listens_at_several_addresses_and_kinds() {
    let socket = path("several.sock");
    let at = format!("unix:{}", socket.display());
    let flags = ["--port", "0", "-L", "127.0.0.1", "-L", "127.0.0.2:0", "-L", &at];
    let mut gearmand = Gearmand::spawn(&mut command(&flags));
    let said = gearmand.hear_until(|line| line.contains("unix:")).to_owned();
    let second = said[0].trim_start_matches("gearmand: listening on ");
    assert!(second.starts_with("127.0.0.2:"), "{said:?}");
    assert_eq!(said[1], format!("gearmand: listening on {at}"));
    // A peer at a path has no address, and no other peer is there yet.
    let row = ask(UnixStream::connect(&socket).unwrap(), "workers");
    assert_eq!(row.split(' ').nth(1), Some("unix"), "{row}");
    let pid = format!("OK {}", gearmand.pid());
    assert_eq!(gearmand.ask("getpid"), pid);
    assert_eq!(ask(TcpStream::connect(second).unwrap(), "getpid"), pid);
    gearmand.end("TERM", 0);
    assert!(!socket.exists());
}

#[test]
fn a_socket_that_a_killed_server_left_is_replaced_and_one_in_use_is_not() {
    let socket = path("left.sock");
    let at = format!("unix:{}", socket.display());
    Gearmand::spawn(&mut command(&["--listen", &at])).killed();
    assert!(socket.exists());
    let mut gearmand = Gearmand::spawn(&mut command(&["--listen", &at]));
    let line = crate::program::refusal(&["--listen", &at]);
    assert!(line.contains("Address already in use"), "{line}");
    assert_eq!(ask(UnixStream::connect(&socket).unwrap(), "getpid"), format!("OK {}", gearmand.pid()));
    gearmand.signal("TERM");
    gearmand.ended(0);
}

#[test]
fn it_takes_over_a_socket_that_another_process_opened() {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let address = listener.local_addr().unwrap();
    // A socket that was handed over takes the place of the default, which is in use.
    let taken = TcpListener::bind("0.0.0.0:0").unwrap();
    let port = taken.local_addr().unwrap().port().to_string();
    let mut command = in_shell("exec 3<&0 && export LISTEN_FDS=1", &["--port", &port]);
    let gearmand = Gearmand::spawn(command.stdin(OwnedFd::from(listener)));
    assert_eq!(gearmand.address(), address.to_string());
    assert_eq!(gearmand.ask("getpid"), format!("OK {}", gearmand.pid()));
    gearmand.end("TERM", 0);
}

#[test]
fn what_was_handed_over_must_listen() {
    let mut command = in_shell("exec 3<&0 && export LISTEN_FDS=1", &[]);
    let line = crate::program::refusal_of(command.stdin(std::process::Stdio::null()));
    assert_eq!(
        line,
        "gearmand: socket 0 of those handed over does not listen; use ListenStream= in the socket unit"
    );
}

/// What the system's table says of the server's end of a connection: which timer runs, and for how long yet, in
/// hundredths of a second.
fn timer(server: u16, peer: u16) -> (u64, u64) {
    let table = read_to_string("/proc/net/tcp").unwrap();
    let ends = format!("0100007F:{server:04X} 0100007F:{peer:04X} ");
    let row = table.lines().find_map(|row| row.split_once(&ends)).unwrap().1;
    let hex = |text| u64::from_str_radix(text, 16).unwrap();
    // State and queues come first.
    let (which, left) = row.split_whitespace().nth(2).unwrap().split_once(':').unwrap();
    (hex(which), hex(left))
}

#[test]
fn silent_peers_are_asked_after_the_time_that_was_told() {
    for (flags, seconds) in
        [(&[][..], 60), (&["--keepalive-idle", "-1"], 60), (&["--keepalive-idle", "7777"], 7777)]
    {
        let gearmand = Gearmand::start(flags);
        let silent = gearmand.connect();
        // Peers are taken one after the other: who is answered came after the silent one.
        gearmand.ask("version");
        let port = gearmand.address().rsplit_once(':').unwrap().1.parse().unwrap();
        let (which, left) = timer(port, silent.local_addr().unwrap().port());
        assert_eq!(which, 2, "it is the timer of keepalive");
        assert!((1..=seconds * 100).contains(&left) && left > (seconds - 60) * 100, "{left}");
        gearmand.end("TERM", 0);
    }
}
