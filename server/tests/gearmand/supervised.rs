//! A service manager that wants to know how it goes.

use crate::program::{Gearmand, LOCAL, command, path};
use std::os::unix::net::UnixDatagram;
use std::path::PathBuf;
use std::time::Duration;

/// Somebody who hears what a service tells, as systemd does.
pub(crate) struct Manager {
    socket: UnixDatagram,
    path: PathBuf,
}

impl Manager {
    pub(crate) fn new(name: &str) -> Self {
        let path = path(name);
        let socket = UnixDatagram::bind(&path).unwrap();
        // A server that tells nothing fails the test, rather than keep it for ever.
        socket.set_read_timeout(Some(Duration::from_mins(2))).unwrap();
        Self { socket, path }
    }

    pub(crate) fn start(&self, flags: &[&str]) -> Gearmand {
        let gearmand = Gearmand::spawn(command(&[&LOCAL, flags].concat()).env("NOTIFY_SOCKET", &self.path));
        assert_eq!(self.hear(), "READY=1");
        gearmand
    }

    /// Waits for what it is told next, without the time.
    pub(crate) fn hear(&self) -> String {
        let mut buffer = [0; 256];
        // A signal ends a wait that has a limit, and the system does not begin it anew.
        let length = loop {
            match self.socket.recv(&mut buffer) {
                Err(error) if error.kind() == std::io::ErrorKind::Interrupted => {}
                received => break received.unwrap(),
            }
        };
        let told = String::from_utf8_lossy(&buffer[..length]).into_owned();
        let lines: Vec<&str> = told.lines().filter(|line| !line.starts_with("MONOTONIC_USEC=")).collect();
        lines.join(" ")
    }
}

#[test]
fn the_manager_hears_of_start_reload_and_end() {
    let manager = Manager::new("manager.sock");
    let gearmand = manager.start(&[]);
    gearmand.signal("HUP");
    assert_eq!(manager.hear(), "RELOADING=1");
    assert_eq!(manager.hear(), "READY=1");
    gearmand.submit_background("f", "x");
    gearmand.signal("USR1");
    assert_eq!(manager.hear(), "STOPPING=1");
    gearmand.end("TERM", 0);
}
