//! A peer of our own that does nothing but ask a server whether it answers, so that nobody is judged for slowness.

use gearman_protocol::Time;
use std::io::{ErrorKind, Read, Write};
use std::net::{SocketAddr, TcpStream};
use std::time::Duration;

/// A command of the text protocol that changes nothing, and is answered with one line.
const QUESTION: &[u8] = b"version\n";

pub(super) struct Canary {
    /// The connection, while there is one.
    stream: Option<TcpStream>,
    /// When it asked what was not answered yet.
    asked: Option<Time>,
    /// The longest that an answer has taken.
    longest: Duration,
}

impl Canary {
    /// A canary at the server that listens there; one that cannot be reached is silent.
    pub(super) fn new(at: SocketAddr) -> Self {
        let stream = TcpStream::connect(at).ok().filter(|stream| stream.set_nonblocking(true).is_ok());
        Self { stream, asked: None, longest: Duration::ZERO }
    }

    /// Asks, if it has been answered, and hears what there is.
    pub(super) fn turn(&mut self, now: Time) {
        let Some(stream) = &mut self.stream else { return };
        let heard = match self.asked {
            None => stream.write(QUESTION).map(|_| self.asked = Some(now)),
            Some(since) => stream.read(&mut [0; 256]).and_then(|count| match count {
                0 => Err(ErrorKind::UnexpectedEof.into()),
                _ => {
                    self.longest = self.longest.max(now - since);
                    self.asked = None;
                    Ok(())
                }
            }),
        };
        if heard.is_err_and(|error| error.kind() != ErrorKind::WouldBlock) {
            self.stream = None;
        }
    }

    /// For how long it has been waiting for an answer.
    pub(super) fn waits(&self, now: Time) -> Duration {
        self.asked.filter(|_| self.stream.is_some()).map_or(Duration::ZERO, |since| now - since)
    }

    /// The longest that an answer has taken or is taking.
    pub(super) fn longest(&self, now: Time) -> Duration {
        self.longest.max(self.waits(now))
    }

    /// Forgets how long answers have taken.
    pub(super) fn forget(&mut self) {
        self.longest = Duration::ZERO;
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::net::TcpListener;

    #[test]
    fn an_answer_that_does_not_come_is_as_long_as_it_is_waited_for() {
        let door = TcpListener::bind("127.0.0.1:0").unwrap();
        let mut canary = Canary::new(door.local_addr().unwrap());
        let (mut server, _) = door.accept().unwrap();
        let at = Time::from_millis;
        canary.turn(at(10));
        let mut question = [0; QUESTION.len()];
        server.read_exact(&mut question).unwrap();
        assert_eq!((&question[..], canary.longest(at(70)).as_millis()), (QUESTION, 60));
        server.write_all(b"OK 2\n").unwrap();
        // The system may hand it over a little later: it is asked until it does.
        while canary.asked.is_some() {
            canary.turn(at(110));
        }
        assert_eq!(canary.longest(at(900)).as_millis(), 100);
        canary.forget();
        assert_eq!(canary.longest(at(900)), Duration::ZERO);
    }

    #[test]
    fn a_server_that_is_gone_is_waited_for_no_more() {
        let door = TcpListener::bind("127.0.0.1:0").unwrap();
        let mut canary = Canary::new(door.local_addr().unwrap());
        canary.turn(Time::ZERO);
        drop(door.accept().unwrap());
        while canary.stream.is_some() {
            canary.turn(Time::from_millis(10));
        }
        assert_eq!(canary.longest(Time::from_millis(500)), Duration::ZERO);
    }
}
