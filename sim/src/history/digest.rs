//! A rolling digest: one number that two histories share only if they are the same.

use super::{Closing, Connection, Entry, ServerId, What};
use gearman_protocol::{
    AdminError, AdminReply, AdminRequest, DecodeError, Grab, Mode, Priority, QueueLimits, Report, Request,
    Response, Submit,
};

/// The digest of the entries folded so far. Stable across platforms and releases of the standard library.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Digest(u64);

impl Default for Digest {
    fn default() -> Self {
        Self::new()
    }
}

impl Digest {
    /// The digest of nothing.
    #[must_use]
    pub const fn new() -> Self {
        Self(0x6765_6172_7772_6967)
    }

    /// The number.
    #[must_use]
    pub const fn value(self) -> u64 {
        self.0
    }

    /// Takes an entry in. Its place need not be folded: it is how many were folded before.
    pub fn fold(&mut self, entry: &Entry) {
        self.number(entry.at.as_millis());
        match &entry.what {
            What::ServerUp(server) => self.server(1, *server),
            What::ServerDown(server) => self.server(2, *server),
            What::ServerDrains(server) => self.server(11, *server),
            What::ServerEnds(server) => self.server(12, *server),
            What::Connected { connection, actor, server } => {
                self.tagged(3, *connection);
                self.number(actor.index() as u64 | (server.index() as u64) << 32);
            }
            What::Wrote { connection, request } => {
                self.tagged(4, *connection);
                self.request(request);
            }
            What::WroteMalformed { connection, error, .. } => {
                self.tagged(5, *connection);
                self.error(*error);
            }
            What::Read { connection, response } => {
                self.tagged(6, *connection);
                self.response(response);
            }
            What::ReadMalformed { connection, error } => {
                self.tagged(7, *connection);
                self.error(*error);
            }
            What::Closed { connection, how } => {
                self.tagged(8, *connection);
                self.number(match how {
                    Closing::ByPeer => 0,
                    Closing::HalfClosed => 1,
                    Closing::ByServer => 2,
                    Closing::Reset => 3,
                    Closing::OnTheWay => 4,
                });
            }
            What::Ended { connection } => self.tagged(9, *connection),
            What::StormOver => self.number(10),
            What::AtRest => self.number(13),
        }
    }

    const fn server(&mut self, tag: u64, server: ServerId) {
        self.number(tag | (server.index() as u64) << 32);
    }

    const fn number(&mut self, number: u64) {
        // One multiplication of 64 by 64 bits whose halves are folded: cheap, and every bit counts.
        let wide = ((self.0 ^ number) as u128).wrapping_mul(0x9E37_79B9_7F4A_7C15_F39C_C060_5CED_C835);
        #[expect(clippy::cast_possible_truncation, reason = "the two halves are taken apart on purpose")]
        let folded = (wide >> 64) as u64 ^ wide as u64;
        self.0 = folded.rotate_left(23) ^ number;
    }

    fn tagged(&mut self, tag: u64, connection: Connection) {
        self.number(tag << 32 | connection.index() as u64);
    }

    fn bytes(&mut self, bytes: &[u8]) {
        self.number(bytes.len() as u64);
        let mut chunks = bytes.chunks_exact(8);
        for chunk in &mut chunks {
            self.number(u64::from_le_bytes(chunk.try_into().expect("the chunk has eight bytes")));
        }
        let rest = chunks.remainder().iter().rev();
        self.number(rest.fold(0, |number, &byte| number << 8 | u64::from(byte)));
    }

    fn request(&mut self, request: &Request) {
        match request {
            Request::CanDo { function, timeout } => {
                self.number(1);
                self.bytes(function.as_bytes());
                self.bytes(timeout.as_ref().map_or(b"", |timeout| &timeout.0));
            }
            Request::CantDo { function } => {
                self.number(2);
                self.bytes(function.as_bytes());
            }
            Request::ResetAbilities => self.number(3),
            Request::PreSleep => self.number(4),
            Request::AllYours => self.number(5),
            Request::Submit(submit) => self.submit(submit),
            Request::Grab(form) => self.number(match form {
                Grab::Plain => 7,
                Grab::Uniq => 8,
                Grab::All => 9,
            }),
            Request::Work { handle, report } => {
                self.number(10);
                self.bytes(handle.as_bytes());
                self.report(report);
            }
            Request::GetStatus { handle } => {
                self.number(11);
                self.bytes(handle.as_bytes());
            }
            Request::GetStatusUnique { unique } => {
                self.number(12);
                self.bytes(unique);
            }
            Request::Echo { data } => {
                self.number(13);
                self.bytes(data);
            }
            Request::Option { name } => {
                self.number(14);
                self.bytes(name);
            }
            Request::SetClientId { id } => {
                self.number(15);
                self.bytes(id);
            }
            Request::Admin(command) => self.admin(command),
        }
    }

    fn submit(&mut self, submit: &Submit) {
        let priority = match submit.priority {
            Priority::High => 0,
            Priority::Normal => 1,
            Priority::Low => 2,
        };
        let (mode, epoch) = match &submit.mode {
            Mode::Foreground => (0, &b""[..]),
            Mode::Background => (1, &b""[..]),
            Mode::Epoch(seconds) => (2, &seconds[..]),
        };
        self.number(6 | priority << 8 | mode << 16 | u64::from(submit.reducer.is_some()) << 24);
        self.bytes(epoch);
        self.bytes(submit.function.as_bytes());
        self.bytes(submit.unique.as_bytes());
        self.bytes(submit.reducer.as_ref().map_or(b"", |reducer| reducer.as_bytes()));
        self.bytes(&submit.workload);
    }

    fn report(&mut self, report: &Report) {
        let (number, first, second): (u64, &[u8], &[u8]) = match report {
            Report::Data(data) => (1, data, b""),
            Report::Warning(data) => (2, data, b""),
            Report::Status { numerator, denominator } => (3, numerator, denominator),
            Report::Complete(data) => (4, data, b""),
            Report::Fail => (5, b"", b""),
            Report::Exception(data) => (6, data, b""),
        };
        self.number(number);
        self.bytes(first);
        self.bytes(second);
    }

    fn admin(&mut self, command: &AdminRequest) {
        let (number, argument): (u64, &[u8]) = match command {
            AdminRequest::Status => (20, b""),
            AdminRequest::PriorityStatus => (21, b""),
            AdminRequest::Workers => (22, b""),
            AdminRequest::ShowJobs => (23, b""),
            AdminRequest::ShowUniqueJobs => (24, b""),
            AdminRequest::CancelJob(handle) => (25, handle.as_bytes()),
            AdminRequest::CreateFunction(name) => (26, name),
            AdminRequest::DropFunction(name) => (27, name),
            AdminRequest::MaxQueue { function, limits } => {
                let QueueLimits { high, normal, low } = limits;
                for limit in [high, normal, low] {
                    self.number(limit.map_or(u64::MAX, u64::from));
                }
                (28, function)
            }
            AdminRequest::Version => (29, b""),
            AdminRequest::GetPid => (30, b""),
            AdminRequest::Verbose => (31, b""),
            AdminRequest::Shutdown { graceful } => (32 + u64::from(*graceful), b""),
            AdminRequest::Malformed(error) => match error {
                AdminError::UnknownCommand(word) | AdminError::InvalidArguments(word) => (40, word),
                AdminError::UnknownShowArguments => (41, b""),
                AdminError::UnknownError => (42, b""),
                AdminError::UnknownJob => (43, b""),
                AdminError::FunctionNotFound => (44, b""),
                AdminError::FunctionInUse => (45, b""),
                AdminError::InvalidFunctionName => (46, b""),
                AdminError::MemoryLimit => (47, b""),
            },
        };
        self.number(number);
        self.bytes(argument);
    }

    fn response(&mut self, response: &Response) {
        match response {
            Response::JobCreated { handle } => {
                self.number(1);
                self.bytes(handle.as_bytes());
            }
            Response::Noop => self.number(2),
            Response::NoJob => self.number(3),
            Response::JobAssign(assignment) => {
                self.number(match assignment.form {
                    Grab::Plain => 4,
                    Grab::Uniq => 5,
                    Grab::All => 6,
                });
                self.bytes(assignment.handle.as_bytes());
                self.bytes(assignment.function.as_bytes());
                self.bytes(assignment.unique.as_bytes());
                self.bytes(assignment.reducer.as_bytes());
                self.bytes(&assignment.workload);
            }
            Response::Work { handle, report } => {
                self.number(7);
                self.bytes(handle.as_bytes());
                self.report(report);
            }
            Response::Status(status) => {
                self.number(8 | u64::from(status.known) << 8 | u64::from(status.running) << 9);
                self.number(u64::from(status.numerator) << 32 | u64::from(status.denominator));
                self.bytes(status.handle.as_bytes());
            }
            Response::StatusUnique(status) => {
                self.number(9 | u64::from(status.known) << 8 | u64::from(status.running) << 9);
                self.number(u64::from(status.numerator) << 32 | u64::from(status.denominator));
                self.number(u64::from(status.watchers));
                self.bytes(&status.unique);
            }
            Response::Echo { data } => {
                self.number(10);
                self.bytes(data);
            }
            Response::Option { name } => {
                self.number(11);
                self.bytes(name);
            }
            Response::Error { code, text } => {
                self.number(12);
                self.bytes(code);
                self.bytes(text);
            }
            Response::Admin(reply) => self.reply(reply),
        }
    }

    fn reply(&mut self, reply: &AdminReply) {
        // A peer sees lines; the other layouts only exist before they are written.
        let mut out = gearman_protocol::Outward::new();
        reply.encode(&mut out);
        self.number(13);
        self.bytes(&out.to_vec());
    }

    fn error(&mut self, error: DecodeError) {
        let (number, detail): (u64, u64) = match error {
            DecodeError::BadMagic(magic) => (1, u64::from(u32::from_be_bytes(magic))),
            DecodeError::LineTooLong { limit } => (2, limit as u64),
            DecodeError::WrongMagic { number } => (3, u64::from(number)),
            DecodeError::UnexpectedType(number) => (4, u64::from(number)),
            DecodeError::TooFewArguments { number, wanted, got } => {
                (5 | (wanted as u64) << 8 | (got as u64) << 16, u64::from(number))
            }
            DecodeError::FunctionName => (6, 0),
            DecodeError::UniqueTooLarge => (7, 0),
            DecodeError::PacketTooLarge { size } => (8, u64::from(size)),
            DecodeError::NotANumber { number } => (9, u64::from(number)),
        };
        self.number(number);
        self.number(detail);
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use bytes::Bytes;
    use gearman_protocol::Time;

    fn entry(at: u64, what: What) -> Entry {
        Entry { place: 0, at: Time::from_millis(at), what }
    }

    fn digest(entries: &[Entry]) -> u64 {
        let mut digest = Digest::new();
        entries.iter().for_each(|entry| digest.fold(entry));
        digest.value()
    }

    fn echo(at: u64, connection: u32, data: &'static [u8]) -> Entry {
        let request = Request::Echo { data: Bytes::from_static(data) };
        entry(at, What::Wrote { connection: Connection::new(connection), request })
    }

    /// Saved digests stay comparable only while this number does not change.
    #[test]
    fn a_digest_means_the_same_for_ever() {
        assert_eq!(
            digest(&[entry(0, What::ServerUp(ServerId::default())), echo(5, 1, b"hello, gearman")]),
            17_481_863_631_620_678_212
        );
    }

    #[test]
    fn time_connection_bytes_and_order_all_count() {
        let base = [echo(5, 1, b"0123456789"), echo(5, 2, b"x")];
        let others = [
            [echo(6, 1, b"0123456789"), echo(5, 2, b"x")],
            [echo(5, 3, b"0123456789"), echo(5, 2, b"x")],
            [echo(5, 1, b"0123456788"), echo(5, 2, b"x")],
            [echo(5, 1, b"012345678"), echo(5, 2, b"9x")],
            [echo(5, 2, b"x"), echo(5, 1, b"0123456789")],
        ];
        for other in others {
            assert_ne!(digest(&other), digest(&base));
        }
        assert_eq!(digest(&base), digest(&base.clone()));
    }
}
