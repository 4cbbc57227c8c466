//! Scripts: on the left what happens, on the right everything that is done about it.
//!
//! ```text
//! w: can_do reverse
//! w: sleep
//! c: submit reverse test         c< JobCreated H:1
//!                                w< Noop
//! w: grab                        w< JobAssign H:1 reverse test
//! w: complete H:1 tset           c< WorkComplete H:1 tset
//! ```
//!
//! `c:` is a request of peer `c`, who connects when first named, and `c<` what `c` is told; `c$` is a line of the
//! text protocol and `c>` a line of the reply, its tabs shown as spaces. `time: 1500` lets 1,500 milliseconds pass, with a stop at
//! every deadline on the way, and `skip: 1500` without one, as if the machine had been asleep; `next:` goes to the
//! deadline, and `now<` says when that is. `count: f` asks for the figures of function `f`, and `refused:` for what was
//! declined. A peer `c@10.0.0.7` comes from that address. `wall:`, `store:` and `server:` are the other events and effects.
//!
//! Words are parted by spaces; `""` is an empty word, and `unique=`, `reducer=` add to a submit. After every event all
//! truths about the tables are checked, and every script runs under two hash seeds.

#![expect(clippy::unwrap_used, reason = "a script that cannot be read is a broken test")]

use bytes::Bytes;
use gearman_engine::{
    Buffered, Config, ConnectionId, Doors, Effect, Effects, Engine, Event, FunctionFigures, RecordId,
    Refused, StoreError, StoredJob,
};
use gearman_protocol::{
    AdminReply, AdminRequest, Assignment, DecodeError, FunctionName, Grab, Handle, JobTimeout, Mode, Outward,
    Priority, Reducer, Report, Request, Response, Submit, Time, Unique, UnixMillis,
};
use std::fmt::Write;
use std::time::Duration;

/// What most scripts run with: handles are `H:1`, `H:2`, ...
pub(crate) fn config() -> Config {
    Config { handle_prefix: "H".into(), ..Config::default() }
}

/// Runs a script with the usual configuration.
#[track_caller]
pub(crate) fn check(script: &str) {
    check_with(&config(), script);
}

/// Runs a script, and compares all that was done with its right column.
#[track_caller]
pub(crate) fn check_with(config: &Config, script: &str) {
    let wanted = parse(script);
    let events: Vec<&str> = wanted.iter().map(|step| step.event).collect();
    let found = run(config, &events, 1);
    let same = wanted.iter().map(|step| &step.effects).eq(&found);
    assert!(
        same,
        "\nwanted:\n{}\nfound:\n{}",
        show(&events, wanted.iter().map(|step| &step.effects)),
        show(&events, &found)
    );
    assert_eq!(run(config, &events, 2), found, "the hash seed shows");
}

struct Step<'a> {
    event: &'a str,
    effects: Vec<String>,
}

fn parse(script: &str) -> Vec<Step<'_>> {
    let mut steps: Vec<Step<'_>> = Vec::new();
    for line in script.lines().filter(|line| !line.trim().is_empty()) {
        let indented = line.trim_start();
        let (left, right) = match indented.split_once("  ") {
            Some((left, right)) => (left, right),
            None => (indented, ""),
        };
        let is_effect = left.split(' ').next().is_some_and(|who| who.ends_with('<') || who.ends_with('>'));
        if is_effect {
            let step = steps.last_mut().expect("a script begins with an event");
            step.effects.push(indented.trim_end().to_owned());
        } else {
            assert!(!left.contains("< "), "put two spaces between what happens and what is done: {left}");
            let right = right.trim();
            let effects = if right.is_empty() { vec![] } else { vec![right.to_owned()] };
            steps.push(Step { event: left.trim_end(), effects });
        }
    }
    steps
}

fn show<'a>(events: &[&str], effects: impl IntoIterator<Item = &'a Vec<String>>) -> String {
    let mut text = String::new();
    for (event, effects) in events.iter().zip(effects) {
        let first = effects.first().map_or("", String::as_str);
        writeln!(text, "    {event:<40}{first}").unwrap();
        for effect in effects.iter().skip(1) {
            writeln!(text, "    {:<40}{effect}", "").unwrap();
        }
    }
    text
}

fn run(config: &Config, events: &[&str], hash_seed: u64) -> Vec<Vec<String>> {
    let mut stage = Stage {
        engine: Engine::new(config.clone(), hash_seed),
        now: Time::ZERO,
        peers: Vec::new(),
        effects: Effects::new(),
    };
    events.iter().map(|event| stage.play(event)).collect()
}

/// An engine, the time, and the names of the peers.
struct Stage {
    engine: Engine,
    now: Time,
    peers: Vec<String>,
    effects: Effects,
}

impl Stage {
    fn play(&mut self, event: &str) -> Vec<String> {
        let (who, what) = event.split_once(' ').unwrap_or((event, ""));
        let words = words(what);
        if who == "time:" {
            self.pass(number(&words[0]));
        } else if who == "next:" {
            return self.go_to_the_deadline();
        } else if who == "count:" {
            return self.counted(what);
        } else if who == "refused:" {
            return self.refused();
        } else if who == "skip:" {
            self.now = self.now + Duration::from_millis(number(&words[0]));
        } else if let Some(who) = who.strip_suffix('$') {
            let from = self.peer(who);
            let request = Request::Admin(AdminRequest::parse(&Bytes::copy_from_slice(what.as_bytes())));
            self.tell(Event::Received { from, request });
        } else {
            let event = self.event(who.trim_end_matches(':'), &words);
            self.tell(event);
        }
        self.described()
    }

    fn tell(&mut self, event: Event) {
        let text = format!("{event:?}");
        self.engine.handle(self.now, event, &mut self.effects);
        if let Err(violation) = self.engine.check() {
            panic!("after {text}: {violation}");
        }
    }

    /// Lets time pass as a driver does: it comes back at every deadline.
    fn pass(&mut self, millis: u64) {
        let until = self.now + Duration::from_millis(millis);
        while let Some(deadline) = self.engine.deadline().filter(|&deadline| deadline < until) {
            self.now = self.now.max(deadline);
            self.tell(Event::Elapsed);
            assert_ne!(self.engine.deadline(), Some(deadline), "a deadline has passed and stays");
        }
        self.now = until;
        self.tell(Event::Elapsed);
    }

    /// Lets time pass to the deadline, and says when that is.
    fn go_to_the_deadline(&mut self) -> Vec<String> {
        let Some(deadline) = self.engine.deadline() else { return vec!["now< never".into()] };
        self.now = deadline;
        self.tell(Event::Elapsed);
        let mut lines = vec![format!("now< {}", deadline.as_millis())];
        lines.extend(self.described());
        lines
    }

    /// Takes the effects out, in words.
    fn described(&mut self) -> Vec<String> {
        let effects: Vec<Effect> = self.effects.drain().collect();
        effects.iter().flat_map(|effect| self.describe(effect)).collect()
    }

    /// How a function stands, and what has become of its jobs as far as that is not nothing.
    fn counted(&self, name: &str) -> Vec<String> {
        let page = self.engine.functions(0, usize::MAX);
        let row = page.rows.into_iter().find(|row| row.function.as_bytes() == name.as_bytes());
        let FunctionFigures {
            waiting: [high, normal, low], scheduled, running, workers, oldest, counts, ..
        } = row.unwrap();
        let oldest = oldest.map_or_else(|| "none".into(), |oldest| oldest.as_millis().to_string());
        let counts = [
            ("submitted", counts.submitted),
            ("coalesced", counts.coalesced),
            ("completed", counts.completed),
            ("failed", counts.failed),
            ("dropped", counts.dropped),
            ("cancelled", counts.cancelled),
            ("abandoned", counts.abandoned),
            ("retried", counts.retried),
            ("timed_out", counts.timed_out),
        ];
        let counts = counts.iter().filter(|(_, count)| *count > 0);
        let counts = counts.map(|(what, count)| format!(" {what}={count}")).collect::<String>();
        let state =
            format!("{high}/{normal}/{low} scheduled={scheduled} running={running} workers={workers}");
        vec![format!("count> {state} oldest={oldest}"), format!("count>{counts}")]
    }

    fn refused(&self) -> Vec<String> {
        let refusals = self.engine.figures().refusals;
        let some = Refused::ALL.into_iter().filter(|&reason| refusals.of(reason) > 0);
        some.map(|reason| format!("refused> {} {}", reason.as_str(), refusals.of(reason))).collect()
    }

    fn peer(&mut self, name: &str) -> ConnectionId {
        let place = self.peers.iter().position(|peer| peer == name);
        let id = |place: usize| ConnectionId::new(place as u64 + 1);
        if let Some(place) = place {
            return id(place);
        }
        self.peers.push(name.to_owned());
        let from = id(self.peers.len() - 1);
        let address = name.split_once('@').map_or("127.0.0.1", |(_, address)| address);
        self.tell(Event::Opened { from, peer: address.into() });
        from
    }

    fn event(&mut self, who: &str, words: &[Bytes]) -> Event {
        let verb = std::str::from_utf8(&words[0]).unwrap();
        let word = |index: usize| words.get(index).cloned().unwrap_or_default();
        match (who, verb) {
            ("wall", _) => {
                return Event::Wall { now: UnixMillis::from_seconds(number(&words[0]).cast_signed()) };
            }
            ("server", "drain") => return Event::Drain,
            ("server", "logs") => {
                return Event::Verbosity { level: String::from_utf8(words[1].to_vec()).unwrap() };
            }
            ("store", "keeps") => return Event::Stored { record: record(&words[1]), outcome: Ok(()) },
            ("store", "fails") => {
                return Event::Stored { record: record(&words[1]), outcome: Err(StoreError) };
            }
            ("store", "replays") => return Event::Replayed { job: stored_job(words) },
            _ => {}
        }
        let from = self.peer(who);
        let request = match verb {
            "connects" => return Event::Elapsed,
            "closes" => return Event::Closed { from },
            "half-closes" => return Event::HalfClosed { from },
            "sends-nonsense" => return Event::Malformed { from, error: nonsense(&words[1]) },
            "buffers" => return Event::Buffered { from, fill: fill(words) },
            "can_do" => {
                let timeout = words.get(2).cloned().map(JobTimeout);
                Request::CanDo { function: function(&words[1]), timeout }
            }
            "cant_do" => Request::CantDo { function: function(&words[1]) },
            "reset" => Request::ResetAbilities,
            "all_yours" => Request::AllYours,
            "sleep" => Request::PreSleep,
            "grab" => Request::Grab(Grab::Plain),
            "grab_uniq" => Request::Grab(Grab::Uniq),
            "grab_all" => Request::Grab(Grab::All),
            "get_status" => Request::GetStatus { handle: Handle::new(word(1)) },
            "get_status_unique" => Request::GetStatusUnique { unique: word(1) },
            "echo" => Request::Echo { data: word(1) },
            "option" => Request::Option { name: word(1) },
            "id" => Request::SetClientId { id: word(1) },
            _ if verb.starts_with("submit") => Request::Submit(submit(verb, words)),
            _ => Request::Work { handle: Handle::new(word(1)), report: report(verb, &word(2), &word(3)) },
        };
        Event::Received { from, request }
    }

    fn name(&self, id: ConnectionId) -> &str {
        &self.peers[usize::try_from(id.get()).unwrap() - 1]
    }

    fn describe(&self, effect: &Effect) -> Vec<String> {
        let line = match effect {
            Effect::Send { to, response: Response::Admin(reply) } => {
                let name = self.name(*to);
                return reply_lines(reply)
                    .iter()
                    .map(|line| format!("{name}> {line}").trim_end().into())
                    .collect();
            }
            Effect::Send { to, response } => format!("{}< {}", self.name(*to), say(response)),
            Effect::Close { who, after_flush: true } => format!("{}< Close", self.name(*who)),
            Effect::Close { who, after_flush: false } => format!("{}< CloseNow", self.name(*who)),
            Effect::PauseReading { who } => format!("{}< PauseReading", self.name(*who)),
            Effect::ResumeReading { who } => format!("{}< ResumeReading", self.name(*who)),
            Effect::Store { job } => format!("store< Keep {}", say_stored(job)),
            Effect::Forget { record } => format!("store< Forget {}", record.get()),
            Effect::StopAccepting => "server< StopAccepting".into(),
            Effect::Draining { left } => {
                let left = left
                    .iter()
                    .map(|row| format!(" {}:{}/{}", show_bytes(&row.function), row.running, row.total));
                format!("server< Draining{}", left.collect::<String>())
            }
            Effect::Exit { code } => format!("server< Exit {code:?}"),
        };
        vec![line]
    }
}

/// Splits at spaces; `""` is an empty word, `\0` and `\n` are what they are in Rust.
fn words(text: &str) -> Vec<Bytes> {
    let word = |word: &str| {
        let word = if word == "\"\"" { "" } else { word };
        Bytes::from(word.replace("\\0", "\0").replace("\\n", "\n").replace("\\_", " ").into_bytes())
    };
    let words: Vec<Bytes> = text.split(' ').filter(|text| !text.is_empty()).map(word).collect();
    if words.is_empty() { vec![Bytes::new()] } else { words }
}

fn number(word: &[u8]) -> u64 {
    std::str::from_utf8(word).unwrap().parse().unwrap()
}

fn record(word: &[u8]) -> RecordId {
    RecordId::new(number(word))
}

fn function(word: &Bytes) -> FunctionName {
    FunctionName::new(word.clone()).unwrap()
}

fn option(words: &[Bytes], name: &str) -> Option<Bytes> {
    words.iter().find_map(|word| word.strip_prefix(name.as_bytes()).map(|value| word.slice_ref(value)))
}

fn submit(verb: &str, words: &[Bytes]) -> Submit {
    let priority = match verb {
        _ if verb.contains("_high") => Priority::High,
        _ if verb.contains("_low") => Priority::Low,
        _ => Priority::Normal,
    };
    let mode = match verb {
        "submit_epoch" => Mode::Epoch(words[3].clone()),
        _ if verb.ends_with("_bg") => Mode::Background,
        _ => Mode::Foreground,
    };
    Submit {
        function: function(&words[1]),
        unique: Unique::new(option(words, "unique=").unwrap_or_default()).unwrap(),
        priority,
        mode,
        reducer: option(words, "reducer=").map(|reducer| Reducer::new(reducer).unwrap()),
        workload: words.get(2).filter(|word| !word.starts_with(b"unique=")).cloned().unwrap_or_default(),
    }
}

/// `replays RECORD FUNCTION WORKLOAD [unique=U] [reducer=R] [priority=High|Low] [not-before=SECONDS]`
fn stored_job(words: &[Bytes]) -> StoredJob {
    StoredJob {
        record: record(&words[1]),
        function: function(&words[2]),
        unique: Unique::new(option(words, "unique=").unwrap_or_default()).unwrap(),
        priority: match option(words, "priority=").as_deref() {
            Some(b"High") => Priority::High,
            Some(b"Low") => Priority::Low,
            _ => Priority::Normal,
        },
        reducer: Reducer::new(option(words, "reducer=").unwrap_or_default()).unwrap(),
        not_before: option(words, "not-before=")
            .map(|seconds| UnixMillis::from_seconds(number(&seconds).cast_signed())),
        workload: words[3].clone(),
    }
}

fn report(verb: &str, first: &Bytes, second: &Bytes) -> Report {
    match verb {
        "data" => Report::Data(first.clone()),
        "warning" => Report::Warning(first.clone()),
        "status" => Report::Status { numerator: first.clone(), denominator: second.clone() },
        "complete" => Report::Complete(first.clone()),
        "fail" => Report::Fail,
        "exception" => Report::Exception(first.clone()),
        _ => panic!("no such verb: {verb}"),
    }
}

fn nonsense(kind: &[u8]) -> DecodeError {
    match kind {
        b"bad-magic" => DecodeError::BadMagic(*b"\0FOO"),
        b"response-magic" => DecodeError::WrongMagic { number: 7 },
        b"unknown-type" => DecodeError::UnexpectedType(43),
        b"missing-nul" => DecodeError::TooFewArguments { number: 7, wanted: 3, got: 1 },
        b"bad-function" => DecodeError::FunctionName,
        b"long-unique" => DecodeError::UniqueTooLarge,
        b"long-packet" => DecodeError::PacketTooLarge { size: u32::MAX },
        b"long-line" => DecodeError::LineTooLong { limit: 8192 },
        _ => panic!("no such nonsense: {}", kind.escape_ascii()),
    }
}

/// `buffers [in=BYTES] [out=BYTES] [since=MILLISECONDS]`
fn fill(words: &[Bytes]) -> Buffered {
    let amount = |name: &str| option(words, name).map(|word| number(&word));
    let bytes = |name: &str| usize::try_from(amount(name).unwrap_or(0)).unwrap();
    Buffered {
        inbound: bytes("in="),
        outward: bytes("out="),
        partial_since: amount("since=").map(Time::from_millis),
    }
}

fn reply_lines(reply: &AdminReply) -> Vec<String> {
    let mut out = Outward::new();
    reply.encode(&mut out);
    let text = String::from_utf8(out.to_vec()).unwrap();
    text.lines().map(|line| line.replace('\t', " ")).collect()
}

fn say(response: &Response) -> String {
    match response {
        Response::JobCreated { handle } => format!("JobCreated {handle}"),
        Response::Noop => "Noop".into(),
        Response::NoJob => "NoJob".into(),
        Response::JobAssign(assignment) => say_assignment(assignment),
        Response::Work { handle, report } => format!("Work{}", say_report(handle, report)),
        Response::Status(status) => {
            let (known, running) = (u8::from(status.known), u8::from(status.running));
            format!("Status {} {known} {running} {} {}", status.handle, status.numerator, status.denominator)
        }
        Response::StatusUnique(status) => {
            let (known, running) = (u8::from(status.known), u8::from(status.running));
            let progress = format!("{} {}", status.numerator, status.denominator);
            format!(
                "StatusUnique {} {known} {running} {progress} {}",
                show_bytes(&status.unique),
                status.watchers
            )
        }
        Response::Echo { data } => format!("Echo {}", show_bytes(data)),
        Response::Option { name } => format!("Option {}", show_bytes(name)),
        Response::Error { code, text } => format!("Error {} {}", code.escape_ascii(), text.escape_ascii()),
        Response::Admin(_) => unreachable!("text replies have lines"),
    }
}

fn say_assignment(assignment: &Assignment) -> String {
    let Assignment { handle, function, unique, reducer, workload, form } = assignment;
    let (unique, reducer, workload) =
        (show_bytes(unique.as_bytes()), show_bytes(reducer.as_bytes()), show_bytes(workload));
    match form {
        Grab::Plain => format!("JobAssign {handle} {function} {workload}"),
        Grab::Uniq => format!("JobAssignUniq {handle} {function} {unique} {workload}"),
        Grab::All => format!("JobAssignAll {handle} {function} {unique} {reducer} {workload}"),
    }
}

fn say_report(handle: &Handle, report: &Report) -> String {
    match report {
        Report::Data(data) => format!("Data {handle} {}", show_bytes(data)),
        Report::Warning(data) => format!("Warning {handle} {}", show_bytes(data)),
        Report::Status { numerator, denominator } => {
            format!("Status {handle} {} {}", show_bytes(numerator), show_bytes(denominator))
        }
        Report::Complete(data) => format!("Complete {handle} {}", show_bytes(data)),
        Report::Fail => format!("Fail {handle}"),
        Report::Exception(data) => format!("Exception {handle} {}", show_bytes(data)),
    }
}

/// What is as usual is left out.
fn say_stored(job: &StoredJob) -> String {
    let mut text = format!("{} {} {}", job.record.get(), job.function, show_bytes(&job.workload));
    let named = [("unique", job.unique.as_bytes()), ("reducer", job.reducer.as_bytes())];
    for (name, value) in named.iter().filter(|(_, value)| !value.is_empty()) {
        write!(text, " {name}={}", show_bytes(value)).unwrap();
    }
    if job.priority != Priority::Normal {
        write!(text, " priority={:?}", job.priority).unwrap();
    }
    if let Some(due) = job.not_before {
        write!(text, " at {}", due.get() / 1000).unwrap();
    }
    text
}

fn show_bytes(bytes: &[u8]) -> String {
    if bytes.is_empty() { "\"\"".into() } else { bytes.escape_ascii().to_string() }
}
