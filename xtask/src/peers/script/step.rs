//! One step of a scenario.

use super::word::{Word, words};

/// A line of a scenario, and where it stands.
#[derive(Debug)]
pub(in super::super) struct Step {
    pub(in super::super) line: usize,
    pub(in super::super) text: String,
    pub(in super::super) action: Action,
}

/// What an actor is when it starts.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(in super::super) enum Kind {
    Client,
    Worker,
    /// A worker of the library's own map/reduce.
    Partition,
    /// Another program, which speaks no line protocol.
    Tool,
}

/// What is done or expected.
#[derive(Debug)]
pub(in super::super) enum Action {
    /// `NAME[*COUNT] client|worker|partition|tool[@other] WORDS`
    Start {
        name: String,
        count: Option<usize>,
        kind: Kind,
        other: bool,
        words: Vec<Word>,
    },
    /// `NAME > WORDS`
    Tell {
        who: String,
        words: Vec<Word>,
    },
    /// `[ALIAS =] NAME < WORDS`: with an alias, whichever of several is first, known by the alias from then on.
    Hear {
        alias: Option<String>,
        who: String,
        words: Vec<Word>,
    },
    /// `NAME polls WORDS = WORDS`: asks until the answer is the expected one.
    Polls {
        who: String,
        ask: Vec<Word>,
        expect: Vec<Word>,
    },
    /// `NAME retries WORDS`: says so and `run`, again and again for as long as the answer is `lost`.
    Retries {
        who: String,
        words: Vec<Word>,
    },
    /// `NAME answers WORDS until LISTENER < WORDS`: says so for every job it gets, until the listener has this to say.
    Answers {
        who: String,
        answer: Vec<Word>,
        listener: String,
        expect: Vec<Word>,
    },
    /// `NAME exits CODE`, `NAME prints "all of it"`, `NAME mentions "a part"`: of a tool, after its end.
    Exits {
        who: String,
        code: i32,
    },
    Prints {
        who: String,
        text: Vec<u8>,
    },
    Mentions {
        who: String,
        word: Word,
    },
    /// `NAME gives "before" ?name`: captures the rest of the line that begins so.
    Gives {
        who: String,
        before: String,
        name: String,
    },
    /// `kill NAME`
    Kill {
        who: String,
    },
    /// `restart`: the server dies and is started again.
    Restart,
    /// `status FUNCTION TOTAL RUNNING WORKERS`: until the server says so.
    Status {
        function: String,
        counts: [u64; 3],
    },
    /// `watchers UNIQUE NAME`: until the server counts as many as there are actors of this name.
    Watchers {
        unique: String,
        who: String,
    },
}

impl Step {
    pub(super) fn parse(text: &str, line: usize, functions: &[String]) -> Result<Self, String> {
        let words = words(text, functions)?;
        let action = action(&words).ok_or("no such step")?;
        Ok(Self { line, text: text.trim().to_owned(), action })
    }
}

fn action(words: &[Word]) -> Option<Action> {
    let (first, rest) = words.split_first()?;
    match (name(first)?, rest) {
        ("restart", []) => Some(Action::Restart),
        ("kill", [who]) => Some(Action::Kill { who: name(who)?.to_owned() }),
        ("status", [Word::Function(function), counts @ ..]) => {
            let counts: Vec<u64> = counts.iter().map(number).collect::<Option<_>>()?;
            Some(Action::Status { function: function.clone(), counts: counts.try_into().ok()? })
        }
        ("watchers", [unique, who]) => {
            Some(Action::Watchers { unique: name(unique)?.to_owned(), who: name(who)?.to_owned() })
        }
        (alias, [equals, who, sign, words @ ..]) if is(equals, "=") && is(sign, "<") => Some(Action::Hear {
            alias: Some(alias.to_owned()),
            who: name(who)?.to_owned(),
            words: words.to_vec(),
        }),
        (who, [verb, words @ ..]) => actors(who, name(verb)?, words),
        (_, []) => None,
    }
}

/// A step whose first word names an actor.
fn actors(who: &str, verb: &str, words: &[Word]) -> Option<Action> {
    let owned = who.to_owned();
    match (verb, words) {
        (">", words) => Some(Action::Tell { who: owned, words: words.to_vec() }),
        ("<", words) => Some(Action::Hear { alias: None, who: owned, words: words.to_vec() }),
        ("retries", words) => Some(Action::Retries { who: owned, words: words.to_vec() }),
        ("polls", words) => {
            let at = words.iter().position(|word| is(word, "="))?;
            Some(Action::Polls { who: owned, ask: words[..at].to_vec(), expect: words[at + 1..].to_vec() })
        }
        ("answers", words) => {
            let (answer, rest) = words.split_at(words.iter().position(|word| is(word, "until"))?);
            let [_, listener, sign, expect @ ..] = rest else { return None };
            is(sign, "<").then_some(Action::Answers {
                who: owned,
                answer: answer.to_vec(),
                listener: name(listener)?.to_owned(),
                expect: expect.to_vec(),
            })
        }
        ("exits", [code]) => Some(Action::Exits { who: owned, code: name(code)?.parse().ok()? }),
        ("prints", [Word::Data(text)]) => Some(Action::Prints { who: owned, text: text.clone() }),
        ("mentions", [word]) => Some(Action::Mentions { who: owned, word: word.clone() }),
        ("gives", [Word::Data(before), Word::Capture(name)]) => {
            let before = String::from_utf8(before.clone()).ok()?;
            Some(Action::Gives { who: owned, before, name: name.clone() })
        }
        (kind, words) => start(who, kind, words),
    }
}

fn start(who: &str, kind: &str, words: &[Word]) -> Option<Action> {
    let (kind, other) = kind.strip_suffix("@other").map_or((kind, false), |kind| (kind, true));
    let kind = match kind {
        "client" => Kind::Client,
        "worker" => Kind::Worker,
        "partition" => Kind::Partition,
        "tool" => Kind::Tool,
        _ => return None,
    };
    let (name, count) = match who.split_once('*') {
        Some((name, count)) => (name, Some(count.parse().ok()?)),
        None => (who, None),
    };
    Some(Action::Start { name: name.to_owned(), count, kind, other, words: words.to_vec() })
}

fn name(word: &Word) -> Option<&str> {
    match word {
        Word::Bare(name) => Some(name),
        Word::Function(_) | Word::Data(_) | Word::Capture(_) | Word::Recall(_) => None,
    }
}

fn number(word: &Word) -> Option<u64> {
    name(word)?.parse().ok()
}

fn is(word: &Word, text: &str) -> bool {
    name(word) == Some(text)
}
