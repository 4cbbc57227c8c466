//! A server and a peer that note what they see, the same on every network.
//!
//! A message is a line of 64 bytes, and the server answers each with another, or with very many if it is in capitals.
//! The peer asks once in peace, once while something is wrong, and once after it; it dials again whenever its
//! connection is over.

use crate::network::rehearsal::TICK;
use gearman_net::{Listener, Network};
use std::fmt;
use std::io;
use std::str::FromStr;
use std::sync::Arc;
use std::time::Duration;
use tokio::io::{AsyncRead, AsyncReadExt, AsyncWriteExt};
use tokio::sync::watch;
use tokio::task::JoinSet;
use tokio::time::sleep;

/// How long a message is.
pub(super) const LINE: usize = 64;
/// How long an answer is that the buffers of two sockets do not hold: a writer's may grow to 4 MiB (tcp_wmem in
/// tcp(7)), and a reader's does not while nothing is taken.
pub(super) const MUCH: usize = 1 << 23;
/// How long an end thinks before it writes. What is written one after the other begins in two ticks of turmoil, and is
/// read apart if nothing joins it; and it is less than a tick, so that what is held back to be joined still is.
const THOUGHT: Duration = Duration::from_millis(TICK / 2 + 1);

/// What an end has seen.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Saw {
    /// It listens.
    Listening,
    /// It is connected.
    Connected,
    /// So many bytes were taken.
    Wrote(usize),
    /// So many bytes came, as they were written and in their order.
    Read(usize),
    /// Other bytes came than were written.
    OtherBytes,
    /// The stream's end.
    End,
    /// An error.
    Failed(Errno, Call),
}

/// What an end was about when it got an error.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Call {
    Dials,
    Writes,
    Reads,
}

impl Call {
    const ALL: [Self; 3] = [Self::Dials, Self::Writes, Self::Reads];

    const fn name(self) -> &'static str {
        match self {
            Self::Dials => "dials",
            Self::Writes => "writes",
            Self::Reads => "reads",
        }
    }
}

/// An error of the system by its name, as far as a connection has any.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Errno(String);

impl From<&io::Error> for Errno {
    fn from(error: &io::Error) -> Self {
        #[expect(
            clippy::wildcard_enum_match_arm,
            reason = "the other kinds have no name that is better than their own"
        )]
        Self(match error.kind() {
            io::ErrorKind::ConnectionReset => "ECONNRESET".to_owned(),
            io::ErrorKind::ConnectionRefused => "ECONNREFUSED".to_owned(),
            io::ErrorKind::ConnectionAborted => "ECONNABORTED".to_owned(),
            io::ErrorKind::BrokenPipe => "EPIPE".to_owned(),
            other => format!("{other:?}"),
        })
    }
}

impl fmt::Display for Saw {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Listening => f.write_str("listens"),
            Self::Connected => f.write_str("connected"),
            Self::Wrote(count) => write!(f, "wrote {count}"),
            Self::Read(count) => write!(f, "read {count}"),
            Self::OtherBytes => f.write_str("other bytes"),
            Self::End => f.write_str("EOF"),
            Self::Failed(Errno(name), call) => write!(f, "{name} when it {}", call.name()),
        }
    }
}

impl FromStr for Saw {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        let plain = [Self::Listening, Self::Connected, Self::OtherBytes, Self::End];
        if let Some(saw) = plain.into_iter().find(|saw| saw.to_string() == text) {
            return Ok(saw);
        }
        let counted = |name| text.strip_prefix(name).and_then(|count: &str| count.parse().ok());
        let failed = || {
            let (errno, call) = text.split_once(" when it ")?;
            let call = Call::ALL.into_iter().find(|one| one.name() == call)?;
            Some(Self::Failed(Errno(errno.to_owned()), call))
        };
        let wrote = || counted("wrote ").map(Self::Wrote);
        let read = || counted("read ").map(Self::Read);
        wrote().or_else(read).or_else(failed).ok_or_else(|| format!("{text:?} is nothing that an end sees"))
    }
}

/// Where all peers, or all connections of the server, note what they have seen, and which of them has.
pub(super) type Notes = Arc<dyn Fn(usize, Saw) + Send + Sync>;
/// Where one of them does.
type Note = Box<dyn Fn(Saw) + Send + Sync>;

fn of(notes: &Notes, nth: usize) -> Note {
    let notes = Arc::clone(notes);
    Box::new(move |saw| notes(nth, saw))
}

/// How many gates have been opened, as the peers see it.
pub(super) type Gates = watch::Receiver<usize>;

/// What a peer does, above all with its second question.
#[derive(Clone, Copy, Debug, PartialEq, Eq, clap::ValueEnum)]
pub(crate) enum Habit {
    /// It asks while something is wrong, and reads the answer.
    Reads,
    /// The same, with two questions for each before it reads.
    AsksTwice,
    /// The same, with a second question that has very much for an answer.
    AsksMuch,
    /// The same, and there are two of it.
    AreTwo,
    /// It asks while something is wrong, and reads nothing from then on.
    WritesOn,
    /// It has asked before, and has left the answer unread.
    Ignores,
    /// It has asked before and read the answer, and closes when something is to be wrong.
    Leaves,
    /// The same, with half of the answer unread.
    LeavesHalf,
    /// The same, with all of it unread.
    LeavesAll,
}

impl Habit {
    /// Whether it has asked before something goes wrong.
    pub(super) const fn is_early(self) -> bool {
        self.leaves() || matches!(self, Self::Ignores)
    }

    pub(super) const fn leaves(self) -> bool {
        matches!(self, Self::Leaves | Self::LeavesHalf | Self::LeavesAll)
    }

    const fn peers(self) -> usize {
        if matches!(self, Self::AreTwo) { 2 } else { 1 }
    }

    /// How many questions it asks before it reads.
    const fn questions(self) -> usize {
        if matches!(self, Self::AsksTwice) { 2 } else { 1 }
    }

    /// What it asks.
    fn question(self, letter: u8) -> [u8; LINE] {
        line(if self == Self::AsksMuch && letter == b'b' { letter.to_ascii_uppercase() } else { letter })
    }

    /// How many bytes of an answer it reads.
    const fn reads(self, letter: u8) -> usize {
        match self {
            Self::AsksTwice => 2 * LINE,
            Self::AsksMuch if letter == b'b' => MUCH,
            Self::Reads | Self::AsksMuch | Self::AreTwo | Self::Leaves => LINE,
            Self::LeavesHalf if letter != b'a' => LINE / 2,
            Self::WritesOn | Self::Ignores | Self::LeavesAll if letter != b'a' => 0,
            Self::WritesOn | Self::Ignores | Self::LeavesHalf | Self::LeavesAll => LINE,
        }
    }
}

/// Answers everybody, for ever.
pub(super) async fn serve<N: Network>(network: N, address: &str, notes: Notes) -> io::Result<()> {
    let mut listener = network.bind(address).await?;
    notes(0, Saw::Listening);
    for nth in 0.. {
        let (stream, _) = listener.accept().await?;
        tokio::spawn(answer(stream, of(&notes, nth)));
    }
    Ok(())
}

async fn answer<S: gearman_net::Stream>(mut stream: S, note: Note) {
    let mut read = Lines::default();
    loop {
        let before = read.count;
        if !read.some(&mut stream, &note).await {
            return;
        }
        for _ in before / LINE..read.count / LINE {
            let lines = if read.letter.is_ascii_uppercase() { MUCH / LINE } else { 1 };
            if !write(&mut stream, &line(b'!').repeat(lines), &note).await {
                return;
            }
        }
    }
}

/// Plays the peers of this habit until all have left.
pub(super) async fn ask<N: Network>(network: N, address: &str, habit: Habit, gates: Gates, notes: Notes) {
    let peers = (0..habit.peers())
        .map(|nth| ask_alone(network.clone(), address.to_owned(), habit, gates.clone(), of(&notes, nth)));
    peers.collect::<JoinSet<()>>().join_all().await;
}

/// Asks three times, the second and the third time when another gate has been opened.
async fn ask_alone<N: Network>(network: N, address: String, habit: Habit, mut gates: Gates, note: Note) {
    let mut connection = None;
    for (nth, letter) in [b'a', b'b', b'c'].into_iter().enumerate() {
        connection = exchange(&network, &address, connection, (letter, habit), &note).await;
        if connection.is_none() && letter == b'b' {
            connection = exchange(&network, &address, None, (letter, habit), &note).await;
        }
        let is_over = gates.wait_for(|&opened| opened > nth).await.is_err();
        if is_over || letter == b'b' && habit.leaves() {
            return;
        }
    }
}

/// One question and what is read of its answer, over a new connection if there is none; the connection, if it stands.
async fn exchange<N: Network>(
    network: &N,
    address: &str,
    connection: Option<N::Stream>,
    (letter, habit): (u8, Habit),
    note: &Note,
) -> Option<N::Stream> {
    let mut stream = match connection {
        Some(stream) => stream,
        None => dial(network, address, note).await?,
    };
    for _ in 0..habit.questions() {
        if !write(&mut stream, &habit.question(letter), note).await {
            return None;
        }
    }
    let bytes = habit.reads(letter);
    let mut read = Lines::default();
    while read.count < bytes {
        if !read.some(&mut (&mut stream).take((bytes - read.count) as u64), note).await {
            return None;
        }
    }
    Some(stream)
}

async fn dial<N: Network>(network: &N, address: &str, note: &Note) -> Option<N::Stream> {
    match network.connect(address).await {
        Ok(stream) => {
            note(Saw::Connected);
            Some(stream)
        }
        Err(error) => {
            note(Saw::Failed(Errno::from(&error), Call::Dials));
            None
        }
    }
}

/// Writes a message; says whether more can be written.
async fn write(stream: &mut impl gearman_net::Stream, message: &[u8], note: &Note) -> bool {
    sleep(THOUGHT).await;
    let written = stream.write_all(message).await;
    note(match &written {
        Ok(()) => Saw::Wrote(message.len()),
        Err(error) => Saw::Failed(Errno::from(error), Call::Writes),
    });
    written.is_ok()
}

/// A message: one letter, 63 times, and the end of the line.
fn line(letter: u8) -> [u8; LINE] {
    let mut line = [letter; LINE];
    line[LINE - 1] = b'\n';
    line
}

/// What has come in one direction of a connection.
#[derive(Default)]
struct Lines {
    count: usize,
    /// The letter of the line that is under way.
    letter: u8,
}

impl Lines {
    /// Reads once; says whether more can come.
    async fn some(&mut self, stream: &mut (impl AsyncRead + Unpin), note: &Note) -> bool {
        let mut buffer = [0; 4096];
        match stream.read(&mut buffer).await {
            Ok(0) => note(Saw::End),
            Ok(count) => {
                note(if self.fits(&buffer[..count]) { Saw::Read(count) } else { Saw::OtherBytes });
                return true;
            }
            Err(error) => note(Saw::Failed(Errno::from(&error), Call::Reads)),
        }
        false
    }

    /// Whether these bytes follow those before: lines of one letter each, the letters never going back, capital or not.
    fn fits(&mut self, bytes: &[u8]) -> bool {
        bytes.iter().all(|&byte| {
            let place = self.count % LINE;
            self.count += 1;
            match place {
                0 => {
                    let before = std::mem::replace(&mut self.letter, byte).to_ascii_lowercase();
                    before <= byte.to_ascii_lowercase() && byte != b'\n'
                }
                63 => byte == b'\n',
                _ => byte == self.letter,
            }
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_was_seen_can_be_told_in_a_line() {
        for saw in [
            Saw::Listening,
            Saw::Connected,
            Saw::Wrote(64),
            Saw::Read(13),
            Saw::OtherBytes,
            Saw::End,
            Saw::Failed(Errno("EPIPE".to_owned()), Call::Writes),
        ] {
            assert_eq!(saw.to_string().parse::<Saw>(), Ok(saw));
        }
        assert!("read".parse::<Saw>().is_err());
    }

    #[test]
    fn bytes_that_are_lost_doubled_or_out_of_order_are_others() {
        let fits = |bytes: &[u8]| Lines::default().fits(bytes);
        let two = [line(b'a'), line(b'b')].concat();
        assert!(fits(&two));
        assert!(!fits(&two[1..]) && !fits(&[&two[..70], &two[69..]].concat()));
        assert!(!fits(&[line(b'b'), line(b'a')].concat()) && !fits(&[line(b'B'), line(b'a')].concat()));
        assert!(!fits(&[&two[..10], &two[11..]].concat()));
    }
}
