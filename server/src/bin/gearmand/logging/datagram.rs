//! The syslog daemon and systemd's journal: one datagram per line.

use super::line::Line;
use std::io;
use std::os::unix::net::UnixDatagram;
use std::path::Path;

/// Lines to somebody who collects them on this machine.
pub(super) struct Datagrams {
    socket: UnixDatagram,
    path: &'static str,
    form: Form,
}

/// What a line looks like to who collects it.
type Form = fn(&Line) -> String;

const SYSLOG: &str = "/dev/log";
const JOURNAL: &str = "/run/systemd/journal/socket";

/// The facility `daemon` of syslog, times 8.
const DAEMON: u8 = 3 * 8;

impl Datagrams {
    pub(super) fn to_syslog() -> Result<Self, String> {
        Self::to(SYSLOG, syslog).map_err(|error| refusal("--syslog", SYSLOG, &error))
    }

    pub(super) fn to_journal() -> Result<Self, String> {
        Self::to(JOURNAL, journal).map_err(|error| refusal("--journald", JOURNAL, &error))
    }

    fn to(path: &'static str, form: Form) -> io::Result<Self> {
        let socket = UnixDatagram::unbound()?;
        // A collector that does not read must not hold up the server.
        socket.set_nonblocking(true)?;
        let datagrams = Self { socket, path, form };
        if Path::new(path).exists() { Ok(datagrams) } else { Err(io::ErrorKind::NotFound.into()) }
    }

    /// Each line finds its way anew, so that a collector may be restarted.
    pub(super) fn send(&self, line: &Line) -> io::Result<()> {
        self.socket.send_to((self.form)(line).as_bytes(), self.path).map(|_| ())
    }
}

fn refusal(flag: &str, path: &str, error: &io::Error) -> String {
    format!("cannot log to {path}: {error}; start what listens there, or leave {flag} out")
}

/// As the C library's `syslog` writes it, without the time, which the daemon knows.
fn syslog(line: &Line) -> String {
    format!("<{}>gearmand[{}]: {}", DAEMON + line.priority(), std::process::id(), line.text())
}

/// Fields of the journal's own protocol; a line has no line ends within.
fn journal(line: &Line) -> String {
    format!(
        "PRIORITY={}\nSYSLOG_FACILITY={}\nSYSLOG_IDENTIFIER=gearmand\nMESSAGE={}\n",
        line.priority(),
        DAEMON / 8,
        line.text()
    )
}

#[cfg(test)]
mod tests {
    use super::*;
    use tracing::Level;

    #[test]
    fn each_collector_is_spoken_to_in_its_form() {
        let path: &'static str = format!("/tmp/gearmand-collector-{}", std::process::id()).leak();
        let warning = Line::new(Level::WARN, "it is late".to_owned());
        let pid = std::process::id();
        let forms: [(Form, String); 2] = [
            (syslog, format!("<28>gearmand[{pid}]: it is late")),
            (
                journal,
                "PRIORITY=4\nSYSLOG_FACILITY=3\nSYSLOG_IDENTIFIER=gearmand\nMESSAGE=it is late\n".to_owned(),
            ),
        ];
        for (form, expected) in forms {
            let collector = UnixDatagram::bind(path).unwrap();
            let datagrams = Datagrams::to(path, form).unwrap();
            datagrams.send(&warning).unwrap();
            let mut buffer = [0; 512];
            let length = collector.recv(&mut buffer).unwrap();
            assert_eq!(String::from_utf8_lossy(&buffer[..length]), expected);
            // A collector that was restarted gets the next line.
            drop(collector);
            std::fs::remove_file(path).unwrap();
            datagrams.send(&warning).unwrap_err();
            let collector = UnixDatagram::bind(path).unwrap();
            datagrams.send(&warning).unwrap();
            assert_eq!(collector.recv(&mut buffer).unwrap(), length);
            std::fs::remove_file(path).unwrap();
        }
    }

    #[test]
    fn nobody_who_collects_is_refused_at_the_start() {
        let missing = Datagrams::to("/nonexistent/log", syslog).err().unwrap();
        assert_eq!(
            refusal("--syslog", "/nonexistent/log", &missing),
            "cannot log to /nonexistent/log: entity not found; start what listens there, or leave --syslog out"
        );
    }
}
