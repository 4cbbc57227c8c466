//! Servers that break one statement on purpose, to see whether the cases can see.
//!
//! A case that cannot fail is worth nothing, and nobody can tell by reading it.
//! So a sound server is put behind a proxy that misbehaves in one named way, and the cases that cite the statements
//! it breaks are played: at least one of them must fail. None of it touches the server that is tested otherwise.

mod admin;
mod framing;
mod grabs;
mod limits;
mod losses;
mod notes;
mod order;
mod proxy;
mod results;
mod server;
mod special_submits;
mod status;
mod submits;
mod tricks;
mod wire;

use std::collections::BTreeMap;

pub(crate) use proxy::Proxy;

use notes::Notes;
use wire::{Ended, Framed, Message};

/// One way to misbehave.
#[derive(Debug, Clone, Copy)]
pub struct Breakage {
    /// Its name.
    pub name: &'static str,
    /// What the server does, in one sentence.
    pub sentence: &'static str,
    /// The statements that it breaks.
    pub breaks: &'static [&'static str],
    means: Means,
}

/// How it is done.
#[derive(Debug, Clone, Copy)]
enum Means {
    /// What the server hears is changed.
    Hears(fn(&mut Message) -> Fate),
    /// What the server says is changed.
    Says(fn(&mut Message) -> Fate),
    /// Both.
    Both(fn(&mut Message) -> Fate, fn(&mut Message) -> Fate),
    /// Somebody with a memory sits in between.
    Trick(fn() -> Box<dyn Trick>),
    /// The server is set up otherwise than the case asks.
    Setup(fn(&mut BTreeMap<String, String>)),
    /// The launch command is put inside another.
    Around(fn(&str) -> String),
}

/// What becomes of a message.
#[derive(Debug, Clone)]
enum Fate {
    /// It goes on, as it is now.
    Pass,
    /// It does not.
    Drop,
    /// It goes on twice.
    Twice,
    /// It goes on behind the next one of its connection.
    Late,
    /// It goes on, and its connection is closed.
    Close,
    /// It does not, and its connection is closed.
    Cut,
    /// The peer is told this instead.
    Reply(Message),
    /// It goes on, and the peer is told this as well.
    Also(Message),
}

/// A connection, in the order in which they were made.
type Id = u64;

/// Somebody between the peers and the server: every message passes through it.
trait Trick: Send {
    /// A peer has said something.
    fn up(&mut self, at: Id, framed: Framed, desk: &mut Desk<'_>) {
        desk.up(at, framed.message);
    }

    /// The server has.
    fn down(&mut self, at: Id, message: Message, desk: &mut Desk<'_>) {
        desk.down(at, message);
    }

    /// A peer has ended its side.
    fn peer_ended(&mut self, at: Id, how: Ended, desk: &mut Desk<'_>) {
        desk.acts.push(Act::EndUp(at, how));
    }

    /// The server has ended its side.
    fn server_ended(&mut self, at: Id, how: Ended, desk: &mut Desk<'_>) {
        desk.acts.push(Act::EndDown(at, how));
    }

    /// A message has arrived in part.
    fn partial(&mut self, _at: Id, _desk: &mut Desk<'_>) {}

    /// What was asked for on the proxy's own behalf some time ago.
    fn timer(&mut self, _at: Id, _what: Vec<u8>, _desk: &mut Desk<'_>) {}
}

/// Where a trick puts what shall be done.
struct Desk<'n> {
    acts: Vec<Act>,
    notes: &'n Notes,
    /// A peer that does not read what it is sent.
    stalled: Option<Id>,
}

#[derive(Debug)]
enum Act {
    /// To the server.
    Up(Id, Message),
    /// To the peer.
    Down(Id, Message),
    /// No more to the server.
    EndUp(Id, Ended),
    /// No more to the peer.
    EndDown(Id, Ended),
    /// A text command to the server, on a connection of the proxy's own; nobody hears the answer.
    Own(Vec<u8>),
    /// [`Trick::timer`] after so many milliseconds.
    After(u64, Id, Vec<u8>),
    /// The server seems to be dead from now on.
    Die,
}

impl Desk<'_> {
    fn up(&mut self, at: Id, message: Message) {
        self.acts.push(Act::Up(at, message));
    }

    fn down(&mut self, at: Id, message: Message) {
        self.acts.push(Act::Down(at, message));
    }

    fn close(&mut self, at: Id) {
        self.acts.push(Act::EndDown(at, Ended::Fin));
        self.acts.push(Act::EndUp(at, Ended::Fin));
    }

    fn own(&mut self, line: &[u8]) {
        self.acts.push(Act::Own(line.to_vec()));
    }
}

const fn breakage(
    name: &'static str,
    sentence: &'static str,
    breaks: &'static [&'static str],
    means: Means,
) -> Breakage {
    Breakage { name, sentence, breaks, means }
}

/// Drops what is so.
fn drop_if(is: bool) -> Fate {
    if is { Fate::Drop } else { Fate::Pass }
}

/// Changes a message that is so.
fn change(is: bool, message: &mut Message, change: impl FnOnce(&mut Message)) -> Fate {
    if is {
        change(message);
    }
    Fate::Pass
}

/// Every breakage.
#[must_use]
pub fn all() -> Vec<Breakage> {
    [
        framing::ALL,
        submits::ALL,
        special_submits::ALL,
        grabs::ALL,
        results::ALL,
        order::ALL,
        losses::ALL,
        status::ALL,
        admin::ALL,
        limits::ALL,
        server::ALL,
    ]
    .concat()
}

impl Breakage {
    /// The breakage that breaks nothing: what passes beside it passes through the same proxy.
    #[must_use]
    pub fn none() -> Self {
        Self { name: "none", sentence: "The proxy alone.", breaks: &[], means: Means::Says(|_| Fate::Pass) }
    }

    /// The settings that a server of a case gets instead.
    pub(crate) fn settings(&self, settings: &BTreeMap<String, String>) -> BTreeMap<String, String> {
        let mut settings = settings.clone();
        if let Means::Setup(change) = self.means {
            change(&mut settings);
        }
        settings
    }

    /// The command that starts the server instead.
    pub(crate) fn command(&self, command: &str) -> String {
        match self.means {
            Means::Around(around) => around(command),
            Means::Hears(_) | Means::Says(_) | Means::Both(..) | Means::Trick(_) | Means::Setup(_) => {
                command.to_owned()
            }
        }
    }

    fn trick(&self) -> Box<dyn Trick> {
        match self.means {
            Means::Hears(hears) => Box::new(tricks::Plain::new(hears, |_| Fate::Pass)),
            Means::Says(says) => Box::new(tricks::Plain::new(|_| Fate::Pass, says)),
            Means::Both(hears, says) => Box::new(tricks::Plain::new(hears, says)),
            Means::Trick(make) => make(),
            Means::Setup(_) | Means::Around(_) => {
                Box::new(tricks::Plain::new(|_| Fate::Pass, |_| Fate::Pass))
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::suite::Suite;

    #[test]
    fn every_breakage_has_a_name_of_its_own_and_breaks_what_some_case_cites() {
        let suite = Suite::embedded().expect("transcripts");
        let mut names = std::collections::BTreeSet::new();
        for breakage in all() {
            assert!(names.insert(breakage.name), "{} is there twice", breakage.name);
            assert!(!breakage.breaks.is_empty(), "{} breaks nothing", breakage.name);
            assert!(breakage.sentence.ends_with('.'), "{}", breakage.sentence);
            for id in breakage.breaks {
                let cited = suite.cases().any(|case| case.header.spec.iter().any(|cited| cited == id));
                assert!(cited, "{} breaks {id}, which no case cites", breakage.name);
            }
        }
    }

    #[test]
    fn every_statement_that_a_case_cites_is_broken_by_something() {
        let suite = Suite::embedded().expect("transcripts");
        let broken: std::collections::BTreeSet<&str> =
            all().iter().flat_map(|breakage| breakage.breaks.iter().copied()).collect();
        // A server that was tried breaks these without help, as its profile says; can-fail counts that.
        let anyway = ["stored-each-of-same-unique", "stored-when-coalesced"];
        let cited = suite.cases().flat_map(|case| &case.header.spec).map(String::as_str);
        let whole: Vec<&str> = cited.filter(|id| !broken.contains(id) && !anyway.contains(id)).collect();
        assert!(whole.is_empty(), "nothing breaks {whole:?}; give it a breakage in conformance/src/breakage");
    }
}
