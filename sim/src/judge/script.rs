//! Histories written by hand, for the tests of rules.
//!
//! One entry a line: who, which way, what.
//! ```text
//! c> submit reverse key=k1 high w=hello      c< created H:1
//! w> can_do reverse 100                      w< assign H:1 reverse w=hello
//! w> complete H:1 abc                        c< complete H:1 abc
//! w closes          w half-closes            w is closed         w is reset          w ended
//! c> submit reverse epoch=2, two seconds after the wall clock of these histories began
//! +250              server down              server up
//! ```
//! Peers connect when they are first named. When the server goes down their names get a prime: `c'` is the
//! connection that `c` was, and `c` a new one.

use super::{Accusation, Judge, StoreTerms, Terms, Verdict, rules};
use crate::history::{Actor, Closing, Connection, Entry, History, ServerId, What};
use crate::plan::Wall;
use bytes::Bytes;
use gearman_engine::Compat;
use gearman_protocol::{
    AdminError, AdminReply, AdminRequest, Assignment, DecodeError, FunctionName, Grab, Handle, JobStatus,
    JobTimeout, Mode, Priority, QueueLimits, Reducer, Report, Request, Response, Submit, Time, Unique,
};
use std::time::Duration;

/// No limit on retries, everybody is woken, clocks are exact.
pub(super) fn terms() -> Terms {
    Terms {
        job_retries: None,
        compat: Compat::Version2,
        worker_wakeup: None,
        min_job_timeout: Duration::from_millis(1),
        exceptions: false,
        slack: Duration::ZERO,
        store: None,
        keeps_limits: true,
        wall: Wall::default(),
        drains_for: Duration::from_millis(800),
        hears_at_once: true,
    }
}

/// The rules that a history breaks, each once, in the order in which they showed.
pub(super) fn broken(script: &str) -> Vec<&'static str> {
    broken_on(terms(), script)
}

/// As [`broken`], on other terms.
pub(super) fn broken_on(terms: Terms, script: &str) -> Vec<&'static str> {
    let mut names: Vec<&'static str> = Vec::new();
    for accusation in judged(terms, script).accusations {
        if !names.contains(&accusation.rule) {
            names.push(accusation.rule);
        }
    }
    names
}

/// How often a rule could decide.
pub(super) fn armed(rule: &str, script: &str) -> u64 {
    armed_on(terms(), rule, script)
}

/// As [`armed`], on other terms.
pub(super) fn armed_on(terms: Terms, rule: &str, script: &str) -> u64 {
    let verdict = judged(terms, script);
    let index = rules().iter().position(|info| info.name == rule).expect("the rule exists");
    verdict.counts[index].armed
}

/// A worker sleeps that can do what is submitted then.
pub(super) const SLEEPS: &str = "w> can_do mail
        w> grab
        w< no_job
        w> sleep
        c> submit mail bg
        c< created H:1";

/// The jobs that the script leaves waiting for ever, a line each.
pub(super) fn left(script: &str) -> Vec<String> {
    judged(terms(), script).left
}

/// The accusations that the script brings.
pub(super) fn accused(script: &str) -> Vec<Accusation> {
    judged(terms(), script).accusations
}

/// The terms of a server with a store that may fail.
pub(super) fn with_store() -> Terms {
    let store = StoreTerms { fails: true, forgets_within: Duration::from_millis(100) };
    Terms { store: Some(store), ..terms() }
}

/// The history that a script tells.
pub(super) fn entries(script: &str) -> Vec<Entry> {
    played(terms(), script).history.entries().to_vec()
}

fn judged(terms: Terms, script: &str) -> Verdict {
    played(terms, script).judge.finish()
}

fn played(terms: Terms, script: &str) -> Play {
    let (judge, history) = (Judge::new(terms), History::keeping());
    let mut play = Play { judge, history, now: Time::ZERO, peers: Vec::new() };
    play.see(What::ServerUp(FIRST));
    script.lines().map(str::trim).filter(|line| !line.is_empty()).for_each(|line| play.line(line));
    play
}

const FIRST: ServerId = ServerId::new(0);
const SECOND: ServerId = ServerId::new(1);

struct Play {
    judge: Judge,
    history: History,
    now: Time,
    peers: Vec<String>,
}

impl Play {
    fn see(&mut self, what: What) {
        let entry = self.history.record(self.now, what);
        self.judge.observe(&entry);
    }

    fn line(&mut self, line: &str) {
        if let Some(millis) = line.strip_prefix('+') {
            self.now = self.now + Duration::from_millis(millis.parse().expect("milliseconds"));
        } else if line == "server down" {
            self.see(What::ServerDown(FIRST));
            self.peers.iter_mut().for_each(|peer| peer.push('\''));
        } else if line == "server drains" {
            self.see(What::ServerDrains(FIRST));
        } else if line == "server ends" {
            self.see(What::ServerEnds(FIRST));
        } else if line == "all rest" {
            self.see(What::AtRest);
        } else if line == "server up" {
            self.see(What::ServerUp(FIRST));
        } else if line == "server-2 up" {
            self.see(What::ServerUp(SECOND));
        } else {
            let end = line.find([' ', '>', '<']).expect("a line begins with a peer");
            let (peer, rest) = line.split_at(end);
            let connection = self.peer(peer);
            let what = if let Some(text) = rest.strip_prefix('>') {
                written(connection, &Words::new(text))
            } else if let Some(text) = rest.strip_prefix('<') {
                What::Read { connection, response: response(&Words::new(text)) }
            } else {
                ending(connection, rest.trim())
            };
            self.see(what);
        }
    }

    fn peer(&mut self, name: &str) -> Connection {
        let number = |index: usize| u32::try_from(index).expect("few peers");
        if let Some(index) = self.peers.iter().position(|peer| peer == name) {
            return Connection::new(number(index));
        }
        self.peers.push(name.to_owned());
        let index = number(self.peers.len() - 1);
        let connection = Connection::new(index);
        // c@2 is c at the second server.
        let (actor, server) = match name.strip_suffix("@2") {
            Some(peer) => (self.peers.iter().position(|known| known == peer), SECOND),
            None => (None, FIRST),
        };
        let actor = Actor::new(actor.map_or(index, number));
        self.see(What::Connected { connection, actor, server });
        connection
    }
}

struct Words<'a>(Vec<&'a str>);

impl<'a> Words<'a> {
    fn new(text: &'a str) -> Self {
        Self(text.split_whitespace().collect())
    }

    fn word(&self, index: usize) -> &'a str {
        self.0.get(index).copied().unwrap_or_default()
    }

    fn has(&self, word: &str) -> bool {
        self.0.contains(&word)
    }

    fn named(&self, name: &str) -> Option<&'a str> {
        self.0.iter().find_map(|word| word.strip_prefix(name)?.strip_prefix('='))
    }

    fn bytes(&self, index: usize) -> Bytes {
        Bytes::copy_from_slice(self.word(index).as_bytes())
    }

    fn handle(&self, index: usize) -> Handle {
        Handle::new(self.bytes(index))
    }

    fn function(&self, index: usize) -> FunctionName {
        FunctionName::new(self.bytes(index)).expect("a function's name")
    }

    fn workload(&self) -> Bytes {
        Bytes::copy_from_slice(self.named("w").unwrap_or("work").as_bytes())
    }

    fn unique(&self) -> Unique {
        Unique::new(self.named("key").unwrap_or_default().to_owned()).expect("a unique")
    }

    fn reducer(&self) -> Option<Reducer> {
        self.named("reducer").map(|name| Reducer::new(name.to_owned()).expect("a reducer"))
    }
}

fn written(connection: Connection, words: &Words<'_>) -> What {
    let malformed = match words.word(0) {
        "nonsense" => Some(DecodeError::UnexpectedType(99)),
        "garbage" => Some(DecodeError::BadMagic(*b"\0HEY")),
        _ => None,
    };
    match malformed {
        Some(error) => What::WroteMalformed { connection, error, kind: None },
        None => What::Wrote { connection, request: request(words) },
    }
}

fn request(words: &Words<'_>) -> Request {
    match words.word(0) {
        "can_do" => {
            let timeout = words.0.get(2).map(|_| JobTimeout(words.bytes(2)));
            Request::CanDo { function: words.function(1), timeout }
        }
        "cant_do" => Request::CantDo { function: words.function(1) },
        "reset" => Request::ResetAbilities,
        "sleep" => Request::PreSleep,
        "grab" => Request::Grab(Grab::Plain),
        "grab_uniq" => Request::Grab(Grab::Uniq),
        "grab_all" => Request::Grab(Grab::All),
        "echo" => Request::Echo { data: words.bytes(1) },
        "option" => Request::Option { name: words.bytes(1) },
        "get_status" => Request::GetStatus { handle: words.handle(1) },
        "cancel" => Request::Admin(AdminRequest::CancelJob(words.handle(1))),
        "maxqueue" => {
            Request::Admin(AdminRequest::MaxQueue { function: words.bytes(1), limits: limits(&words.0[2..]) })
        }
        "version" => Request::Admin(AdminRequest::Version),
        "status" if words.0.len() == 1 => Request::Admin(AdminRequest::Status),
        "hello" => Request::Admin(AdminRequest::Malformed(AdminError::UnknownCommand(words.bytes(0)))),
        "submit" => Request::Submit(Submit {
            function: words.function(1),
            unique: words.unique(),
            priority: match (words.has("high"), words.has("low")) {
                (true, _) => Priority::High,
                (_, true) => Priority::Low,
                (false, false) => Priority::Normal,
            },
            mode: match (words.named("epoch"), words.has("bg")) {
                (Some(seconds), _) => Mode::Epoch(seconds.to_owned().into()),
                (None, true) => Mode::Background,
                (None, false) => Mode::Foreground,
            },
            reducer: words.reducer(),
            workload: words.workload(),
        }),
        _ => Request::Work { handle: words.handle(1), report: report(words) },
    }
}

/// One number for all priorities, or one for each; 0 is no limit.
fn limits(words: &[&str]) -> QueueLimits {
    let limit = |index: usize| {
        let number: u32 = words[index.min(words.len() - 1)].parse().expect("a number");
        (number > 0).then_some(number)
    };
    QueueLimits { high: limit(0), normal: limit(1), low: limit(2) }
}

fn report(words: &Words<'_>) -> Report {
    match words.word(0) {
        "data" => Report::Data(words.bytes(2)),
        "warning" => Report::Warning(words.bytes(2)),
        "status" => Report::Status { numerator: words.bytes(2), denominator: words.bytes(3) },
        "complete" => Report::Complete(words.bytes(2)),
        "fail" => Report::Fail,
        "exception" => Report::Exception(words.bytes(2)),
        other => panic!("no such word in a script: {other}"),
    }
}

fn response(words: &Words<'_>) -> Response {
    let error = |code: &'static str, text: &'static str| Response::Error {
        code: Bytes::from_static(code.as_bytes()),
        text: Bytes::from_static(text.as_bytes()),
    };
    match words.word(0) {
        "created" => Response::JobCreated { handle: words.handle(1) },
        "not_kept" => error("QUEUE_ERROR", "QUEUE_ERROR"),
        "full" => error("QUEUE_ERROR", "Job queue is full"),
        "draining" => error("SHUTDOWN_GRACEFUL", "Server is shutting down"),
        "noop" => Response::Noop,
        "no_job" => Response::NoJob,
        "assign" => Response::JobAssign(Assignment {
            handle: words.handle(1),
            function: words.function(2),
            unique: words.unique(),
            reducer: words.reducer().unwrap_or_default(),
            workload: words.workload(),
            form: match (words.named("reducer"), words.named("key")) {
                (Some(_), _) => Grab::All,
                (None, Some(_)) => Grab::Uniq,
                (None, None) => Grab::Plain,
            },
        }),
        "echo" => Response::Echo { data: words.bytes(1) },
        "option" => Response::Option { name: words.bytes(1) },
        "known" => Response::Status(JobStatus {
            handle: words.handle(1),
            known: true,
            running: words.has("running"),
            numerator: words.named("done").map_or(0, |text| text.parse().expect("a number")),
            denominator: words.named("of").map_or(0, |text| text.parse().expect("a number")),
        }),
        "unknown" => Response::Status(JobStatus { handle: words.handle(1), ..JobStatus::default() }),
        "not_yours" => error("JOB_NOT_FOUND", "Job given in work result not found"),
        "no_such_data" => error("JOB_NOT_FOUND", "Job does not exist on server"),
        "unexpected" => error("INVALID_COMMAND", "Command not expected"),
        "bad_magic" => error("INVALID_MAGIC", "Request magic expected"),
        "line" => Response::Admin(AdminReply::Line(words.0[1..].join(" ").into())),
        "unknown_option" => error("UNKNOWN_OPTION", "Server does not recognize given option"),
        _ => Response::Work { handle: words.handle(1), report: report(words) },
    }
}

fn ending(connection: Connection, text: &str) -> What {
    let how = match text {
        "closes" => Closing::ByPeer,
        "half-closes" => Closing::HalfClosed,
        "is closed" => Closing::ByServer,
        "is reset" => Closing::Reset,
        "is cut" => Closing::OnTheWay,
        "ended" => return What::Ended { connection },
        "connects" => return What::StormOver,
        other => panic!("no such ending in a script: {other}"),
    };
    What::Closed { connection, how }
}
