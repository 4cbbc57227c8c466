//! A scenario as it is played: actors, what they are told, and what they are expected to say.

use std::collections::BTreeMap;

use super::actor::Actor;
use super::cast::Cast;
use super::language::place;
use super::script::{Action, Captured, Kind, Scenario, Step, Word};
use super::server::{Counts, Server};
use super::tool::Tool;
use super::wait_until;

/// What the worker is called that does what killed ones leave behind.
const FRESH: &str = "fresh";

/// One run of one scenario.
pub(super) struct Stage<'a> {
    cast: Cast<'a>,
    server: &'a mut Server,
    /// What makes the functions of this run its own.
    prefix: String,
    /// How many actors a group has at most.
    largest_group: usize,
    pub(super) actors: BTreeMap<String, Actor>,
    aliases: BTreeMap<String, String>,
    groups: BTreeMap<String, Vec<String>>,
    tools: BTreeMap<String, Tool>,
    captured: Captured,
}

impl<'a> Stage<'a> {
    pub(super) fn new(cast: Cast<'a>, server: &'a mut Server, prefix: String, largest_group: usize) -> Self {
        Self {
            cast,
            server,
            prefix,
            largest_group,
            actors: BTreeMap::new(),
            aliases: BTreeMap::new(),
            groups: BTreeMap::new(),
            tools: BTreeMap::new(),
            captured: Captured::new(),
        }
    }

    /// Does one step; the error says what was wrong.
    pub(super) fn perform(&mut self, step: &Step) -> Result<(), String> {
        match &step.action {
            Action::Start { name, count, kind, other, words } => {
                self.start(name, *count, *kind, *other, words)
            }
            Action::Tell { who, words } => {
                let line = self.line(words)?;
                self.each(who, |_, actor| actor.tell(&line))
            }
            Action::Hear { alias: None, who, words } => self.hear(who, words),
            Action::Hear { alias: Some(alias), who, words } => self.hear_from_any(alias, who, words),
            Action::Polls { who, ask, expect } => self.polls(who, ask, expect),
            Action::Retries { who, words } => self.retries(who, words),
            Action::Answers { who, answer, listener, expect } => self.answers(who, answer, listener, expect),
            Action::Exits { who, code } => self.exits(who, *code),
            Action::Prints { who, text } => self.prints(who, text),
            Action::Mentions { who, word } => self.mentions(who, word),
            Action::Gives { who, before, name } => self.gives(who, before, name),
            Action::Kill { who } => self.kill(who),
            Action::Restart => self.server.restart(),
            Action::Status { function, counts } => self.status(function, counts),
            Action::Watchers { unique, who } => self.watchers(unique, who),
        }
    }

    fn start(
        &mut self,
        name: &str,
        count: Option<usize>,
        kind: Kind,
        other: bool,
        words: &[Word],
    ) -> Result<(), String> {
        if kind == Kind::Tool {
            return self.start_tool(name, words);
        }
        let language = self.cast.plays(kind, other);
        let names: Vec<String> = count.map_or_else(
            || vec![name.to_owned()],
            |count| (1..=count.min(self.largest_group)).map(|n| format!("{name}{n}")).collect(),
        );
        let driver = language.driver(&self.server.host, self.server.port);
        let line = match kind {
            Kind::Worker => Some(format!("serve {}", self.line(words)?)),
            Kind::Partition => Some(format!("partition {}", self.line(words)?)),
            Kind::Client | Kind::Tool => None,
        };
        for name in &names {
            let mut actor =
                Actor::start(&driver).map_err(|error| format!("cannot start {}: {error}", driver[0]))?;
            if let Some(line) = &line {
                actor.tell(line)?;
            }
            self.actors.insert(name.clone(), actor);
        }
        self.groups.insert(name.to_owned(), names);
        Ok(())
    }

    /// Starts another program; what follows `<` is its input.
    fn start_tool(&mut self, name: &str, words: &[Word]) -> Result<(), String> {
        let at = words.iter().position(|word| *word == Word::Bare("<".to_owned()));
        let (command, input) = words.split_at(at.unwrap_or(words.len()));
        let command = command.iter().map(|word| self.argument(word)).collect::<Result<Vec<_>, _>>()?;
        let input = match input.get(1) {
            Some(Word::Data(bytes)) => bytes.as_slice(),
            _ => b"",
        };
        let tool =
            Tool::start(&command, input).map_err(|error| format!("cannot run {}: {error}", command[0]))?;
        self.tools.insert(name.to_owned(), tool);
        Ok(())
    }

    /// A word of a tool's command line.
    fn argument(&self, word: &Word) -> Result<String, String> {
        match word {
            Word::Data(bytes) => {
                String::from_utf8(bytes.clone()).map_err(|_| "an argument is UTF-8".to_owned())
            }
            Word::Bare(bare) => Ok(place(bare, &self.server.host, self.server.port)),
            Word::Function(_) | Word::Capture(_) | Word::Recall(_) => {
                word.spoken(&self.prefix, &self.captured)
            }
        }
    }

    /// The line that words make.
    fn line(&self, words: &[Word]) -> Result<String, String> {
        let words: Vec<String> =
            words.iter().map(|word| word.spoken(&self.prefix, &self.captured)).collect::<Result<_, _>>()?;
        Ok(words.join(" "))
    }

    fn hear(&mut self, who: &str, words: &[Word]) -> Result<(), String> {
        let (prefix, mut captured) = (self.prefix.clone(), self.captured.clone());
        self.each(who, |_, actor| {
            let line = actor.hear().map_err(|what| format!("{what}{}", actor.last_words()))?;
            if matches(words, &line, &prefix, &mut captured) {
                return Ok(());
            }
            let what = format!("it said `{}`{}", shortened(&line), actor.last_words());
            actor.unhear(line);
            Err(what)
        })?;
        self.captured = captured;
        Ok(())
    }

    /// Waits until one of several says something, which must be what is expected.
    fn hear_from_any(&mut self, alias: &str, who: &str, words: &[Word]) -> Result<(), String> {
        let names = self.named(who)?;
        let mut first = None;
        wait_until(|| {
            first = names.iter().find_map(|name| {
                let line = self.actors.get_mut(name)?.hear_now()?;
                Some((name.clone(), line))
            });
            first.is_some()
        })
        .map_err(|late| format!("none of them said anything {late}{}", self.server.said()))?;
        let Some((name, line)) = first else { return Err("none of them said anything".to_owned()) };
        if !matches(words, &line, &self.prefix, &mut self.captured) {
            return Err(format!("{name} said `{}`", shortened(&line)));
        }
        self.aliases.insert(alias.to_owned(), name);
        Ok(())
    }

    fn polls(&mut self, who: &str, ask: &[Word], expect: &[Word]) -> Result<(), String> {
        let ask = self.line(ask)?;
        let (prefix, mut captured) = (self.prefix.clone(), self.captured.clone());
        self.each(who, |_, actor| {
            let mut last = Ok(String::new());
            wait_until(|| {
                last = actor.tell(&ask).and_then(|()| actor.hear());
                last.as_ref().map_or(true, |line| matches(expect, line, &prefix, &mut captured))
            })
            .map_err(|late| format!("was not told so {late}, but {last:?}"))?;
            last.map(drop)
        })
    }

    /// Gives a task to a client that may find its connection gone, until somebody else has something to say.
    fn retries(&mut self, who: &str, words: &[Word]) -> Result<(), String> {
        let task = self.line(words)?;
        let mut wrong = Ok(());
        let mut running = false;
        wait_until(|| {
            if !running {
                wrong = self.each(who, |_, client| client.tell(&task).and_then(|()| client.tell("run")));
                running = true;
            }
            for (name, actor) in &mut self.actors {
                match actor.hear_now() {
                    Some(line) if name == who && line == "lost" => running = false,
                    Some(line) => {
                        actor.unhear(line);
                        return true;
                    }
                    None => {}
                }
            }
            wrong.is_err()
        })
        .map_err(|late| format!("nothing came of it {late}{}", self.server.said()))?;
        wrong
    }

    /// Lets whoever of several gets a job answer it, until somebody says what is expected, which must be the next that is said.
    ///
    /// A job under a time limit may move on before its worker has been told to answer, so nobody knows who will.
    fn answers(&mut self, who: &str, answer: &[Word], listener: &str, expect: &[Word]) -> Result<(), String> {
        let (workers, answer) = (self.named(who)?, self.line(answer)?);
        let mut wrong = Ok(());
        wait_until(|| {
            wrong = self.answer_jobs(&workers, &answer);
            wrong.is_err() || self.actors.get_mut(listener).is_some_and(Actor::has_spoken)
        })
        .map_err(|late| format!("{listener} said nothing {late}{}", self.server.said()))?;
        wrong?;
        self.hear(listener, expect)
    }

    /// Answers every job that these workers say they have; they may say nothing else.
    fn answer_jobs(&mut self, workers: &[String], answer: &str) -> Result<(), String> {
        for name in workers {
            let Some(worker) = self.actors.get_mut(name) else { continue };
            while let Some(line) = worker.hear_now() {
                if !line.starts_with("job ") {
                    return Err(format!("{name} said `{}`", shortened(&line)));
                }
                worker.tell(answer)?;
            }
        }
        Ok(())
    }

    fn exits(&mut self, who: &str, code: i32) -> Result<(), String> {
        let tool = self.tool(who)?;
        match tool.code()? {
            Some(ended) if ended == code => Ok(()),
            Some(ended) => Err(format!("it ended with {ended}, and said `{}`", tool.said()?)),
            None => Err("a signal ended it".to_owned()),
        }
    }

    fn prints(&mut self, who: &str, expected: &[u8]) -> Result<(), String> {
        let tool = self.tool(who)?;
        if tool.stdout()? == expected { Ok(()) } else { Err(format!("it said `{}`", tool.said()?)) }
    }

    fn mentions(&mut self, who: &str, word: &Word) -> Result<(), String> {
        let part = self.argument(word)?;
        let said = self.tool(who)?.said()?;
        if said.contains(&part) { Ok(()) } else { Err(format!("it said `{said}`")) }
    }

    /// Captures what a tool has said behind `before`, up to the end of its line.
    fn gives(&mut self, who: &str, before: &str, name: &str) -> Result<(), String> {
        let said = self.tool(who)?.said()?;
        let line = said.lines().find_map(|line| line.strip_prefix(before));
        let given = line.ok_or_else(|| format!("it said `{said}`"))?.to_owned();
        self.captured.insert(name.to_owned(), given);
        Ok(())
    }

    fn tool(&mut self, who: &str) -> Result<&mut Tool, String> {
        self.tools.get_mut(who).ok_or_else(|| format!("no tool is called {who}"))
    }

    fn kill(&mut self, who: &str) -> Result<(), String> {
        if self.tools.remove(who).is_some() {
            return Ok(());
        }
        for name in self.named(who)? {
            self.actors.remove(&name);
        }
        Ok(())
    }

    fn status(&self, function: &str, expected: &[u64; 3]) -> Result<(), String> {
        let function = format!("{}{function}", self.prefix);
        let mut last = Ok([0; 3]);
        wait_until(|| {
            last = self.server.counts(&function);
            last.as_ref().is_ok_and(|counts| counts == expected)
        })
        .map_err(|late| format!("the server did not count so {late}, but {last:?}{}", self.server.said()))
    }

    fn watchers(&self, unique: &str, who: &str) -> Result<(), String> {
        let expected = self.named(who)?.len();
        let mut last = Ok(0);
        wait_until(|| {
            last = self.server.watchers(unique);
            last.as_ref().is_ok_and(|&count| count == expected)
        })
        .map_err(|late| format!("the server did not count so {late}, but {last:?}"))
    }

    /// The actors that a word of a step names: one, a group (`w*`), or a choice (`a|b`).
    fn named(&self, who: &str) -> Result<Vec<String>, String> {
        let mut names = Vec::new();
        for who in who.split('|') {
            match who.strip_suffix('*') {
                Some(group) => names.extend(self.groups.get(group).cloned().unwrap_or_default()),
                None => names.push(self.aliases.get(who).map_or_else(|| who.to_owned(), Clone::clone)),
            }
        }
        match names.iter().find(|name| !self.actors.contains_key(*name)) {
            Some(absent) => Err(format!("nobody is called {absent}")),
            None => Ok(names),
        }
    }

    fn each(
        &mut self,
        who: &str,
        mut act: impl FnMut(&str, &mut Actor) -> Result<(), String>,
    ) -> Result<(), String> {
        for name in self.named(who)? {
            let actor = self.actors.get_mut(&name).ok_or("nobody is called so")?;
            act(&name, actor).map_err(|what| if name == who { what } else { format!("{name}: {what}") })?;
        }
        Ok(())
    }

    /// Ends all actors, and waits until the server counts nothing for the scenario's functions.
    pub(super) fn leave(&mut self, scenario: &Scenario) -> Result<(), String> {
        self.actors.clear();
        self.tools.clear();
        for function in &scenario.functions {
            self.status(function, &[0; 3])
                .map_err(|what| format!("status of {function}, at the end: {what}"))?;
        }
        Ok(())
    }

    /// Kills one actor, lets all others go on, and adds a worker of its own for every function.
    /// Returns when no job is left; the error says what still was.
    pub(super) fn survive(&mut self, victim: &str, scenario: &Scenario) -> Result<(), String> {
        self.actors.remove(victim);
        for actor in self.actors.values_mut().filter(|actor| actor.busy) {
            // It may have ended by itself.
            drop(actor.tell("complete =00"));
        }
        let functions: Vec<Word> = scenario.functions.iter().cloned().map(Word::Function).collect();
        self.start(FRESH, None, Kind::Worker, false, &functions)?;
        self.empty(scenario, false)?;
        self.actors.retain(|name, _| name == FRESH);
        self.tools.clear();
        // What a client had sent may reach the server after the client's end: somebody must still be there for it.
        self.empty(scenario, true)?;
        self.leave(scenario)
    }

    /// Returns when no job is left, and no client either if they must be gone; the error says what still was.
    fn empty(&mut self, scenario: &Scenario, of_clients: bool) -> Result<(), String> {
        let mut left = Ok((Vec::new(), 0));
        let emptied = wait_until(|| {
            self.answer_all();
            left = self.left(scenario, of_clients);
            left.as_ref().map_or(true, |(jobs, clients)| jobs.is_empty() && *clients == 0)
        });
        let left = left?;
        emptied.map_err(|late| format!("jobs and clients did not go {late}: {left:?}{}", self.server.said()))
    }

    /// Completes every job that an actor says it has.
    fn answer_all(&mut self) {
        for actor in self.actors.values_mut() {
            while let Some(line) = actor.hear_now() {
                if line.starts_with("job ") {
                    drop(actor.tell("complete =00"));
                }
            }
        }
    }

    /// The functions that still have jobs, with their counts; and how many clients there are, if they are asked for
    /// and the server has none but ours.
    fn left(&self, scenario: &Scenario, of_clients: bool) -> Result<(Vec<(String, Counts)>, usize), String> {
        let wrong = |error| format!("it does not answer: {error}{}", self.server.said());
        // Clients first: when they have gone, all that they sent is in the counts.
        let clients =
            if of_clients && self.server.is_ours() { self.server.clients().map_err(wrong)? } else { 0 };
        let status = self.server.status().map_err(wrong)?;
        let counts = |function: &String| status.get(&format!("{}{function}", self.prefix)).copied();
        let jobs = scenario
            .functions
            .iter()
            .filter_map(|function| Some((function.clone(), counts(function)?)))
            .filter(|(_, [jobs, running, _])| jobs + running > 0)
            .collect();
        Ok((jobs, clients))
    }
}

fn matches(words: &[Word], line: &str, prefix: &str, captured: &mut Captured) -> bool {
    let heard: Vec<&str> = line.split(' ').collect();
    heard.len() == words.len()
        && words.iter().zip(heard).all(|(word, heard)| word.matches(heard, prefix, captured))
}

/// A line that may hold much data, short enough to be read.
fn shortened(line: &str) -> String {
    let mut short: String = line.chars().take(200).collect();
    if short.len() < line.len() {
        short.push_str("...");
    }
    short
}
