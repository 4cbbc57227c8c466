//! One variant: which lines are changed, and how.

use sha2::{Digest as _, Sha256};

use crate::language::{Action, Input, Output, Statement, Transcript};

/// How many ways of changing a transcript are tried until one can be read again.
const TRIES: u64 = 50;

/// The numbers that a header field is set to: around the ends of what it can hold, and around what servers have tables for.
const NUMBERS: [u32; 16] =
    [0, 1, 2, 5, 6, 11, 12, 42, 43, 99, 1000, 65_536, 0x7fff_ffff, 0x8000_0000, 0xffff_fffe, 0xffff_ffff];

/// Numbers that look random and follow from what they are drawn for.
struct Chance {
    key: String,
    drawn: u64,
}

impl Chance {
    /// A number below `limit`; 0 if there is none.
    fn below(&mut self, limit: usize) -> usize {
        self.drawn += 1;
        let digest = Sha256::digest(format!("{} {}", self.key, self.drawn));
        let number = digest.iter().take(8).fold(0_u64, |number, byte| number << 8 | u64::from(*byte));
        usize::try_from(number % u64::try_from(limit.max(1)).unwrap_or(1)).unwrap_or(0)
    }

    fn one_of<'l, T>(&mut self, list: &'l [T]) -> Option<&'l T> {
        list.get(self.below(list.len()))
    }
}

/// The variant of a transcript with this seed and number, as text and as what it means; `None` for a transcript that
/// sends nothing.
pub(crate) fn variant(source: &Transcript, seed: u64, number: u64) -> Option<(String, Transcript)> {
    (0..TRIES).find_map(|attempt| {
        let key = format!("mutate {seed} {} {number} {attempt}", source.header.id);
        let mut chance = Chance { key, drawn: 0 };
        let mut lines: Vec<String> = source.text.lines().map(str::to_owned).collect();
        let what = change(source, &mut lines, &mut chance)?;
        // Now and then two things are wrong.
        if chance.below(4) == 0 {
            change(source, &mut lines, &mut chance)?;
        }
        let text = lines.join("\n") + "\n";
        let title = format!("title: variant {number} of seed {seed}, {what}, of {}\n", source.header.id);
        let text = text.replacen(&format!("title: {}\n", source.header.title), &title, 1);
        let parsed = Transcript::parse(&source.path, &text).ok()?;
        Some((text, parsed))
    })
}

/// Changes one line that is sent; says in a few words what was done.
fn change(source: &Transcript, lines: &mut [String], chance: &mut Chance) -> Option<&'static str> {
    let mut sends: Vec<&Statement> = Vec::new();
    source.walk(|statement| sends.extend(statement.action.as_send().is_some().then_some(statement)));
    let chosen = *chance.one_of(&sends)?;
    let at = chosen.line - 1;
    let send = chosen.action.as_send()?;
    let is_packet = matches!(send.output, Output::Packet { .. });
    let to = &send.to;
    let line = lines.get(at)?.trim_end().to_owned();
    // A line with attributes of its own keeps them: two of a kind cannot be read.
    let may_have_attributes = is_packet && !line.ends_with('}') && !line.contains('#');
    let in_batch = is_inside_batch(source, chosen);
    match chance.below(10) {
        0 if may_have_attributes => {
            let number = chance.one_of(&NUMBERS)?;
            lines[at] = format!("{line} {{type={number}}}");
            Some("a type")
        }
        1 if may_have_attributes => {
            let number = chance.one_of(&NUMBERS)?;
            lines[at] = format!("{line} {{len={number}}}");
            Some("a length")
        }
        2 if may_have_attributes => {
            let position = chance.below(4);
            let mut magic = *b"\0REQ";
            magic[position] = u8::try_from(chance.below(256)).unwrap_or(0);
            let magic: String = magic.iter().map(|byte| format!("\\x{byte:02x}")).collect();
            lines[at] = format!("{line} {{magic=\"{magic}\"}}");
            Some("a magic")
        }
        3 if may_have_attributes && !in_batch => {
            // More is announced than comes, and the connection ends there.
            let more = 1 + chance.below(100_000);
            let (end, length) = (chance.one_of(&["close", "reset"])?, 12 + more);
            lines[at] = format!("{line} {{len={length}}}\n{end} {to}\nopen {to}");
            Some("a packet cut off")
        }
        4 if !in_batch => {
            let times = 2 + chance.below(40);
            lines[at] = format!("repeat {times}\n{line}\nend");
            Some("a repeated message")
        }
        5 => {
            let other = chance.one_of(&sends)?.line - 1;
            lines.swap(at, other);
            Some("messages that have changed places")
        }
        6 => {
            let count = 1 + chance.below(40);
            let bytes: Vec<String> = (0..count).map(|_| format!("{:02x}", chance.below(256))).collect();
            lines[at] = format!("{to} > hex {}\n{line}", bytes.join(" "));
            Some("bytes in between")
        }
        7 => {
            lines[at] = String::new();
            Some("a message left out")
        }
        8 if is_packet => {
            lines[at] = without_an_argument(&line, chosen, chance)?;
            Some("an argument left out")
        }
        9 if !in_batch => {
            let end = chance.one_of(&["close", "reset"])?;
            lines[at] = format!("{line}\n{end} {to}\nopen {to}");
            Some("a connection ended early")
        }
        _ => None,
    }
}

fn is_inside_batch(source: &Transcript, chosen: &Statement) -> bool {
    let mut inside = false;
    source.walk(|statement| {
        if matches!(statement.action, Action::Batch { .. }) {
            inside |= statement.inner().iter().any(|inner| inner.line == chosen.line);
        }
    });
    inside
}

/// The same packet by its number, with one argument fewer.
fn without_an_argument(line: &str, chosen: &Statement, chance: &mut Chance) -> Option<String> {
    let Output::Packet { kind, arguments } = &chosen.action.as_send()?.output else { return None };
    if arguments.is_empty() || line.ends_with('}') {
        return None;
    }
    let left_out = chance.below(arguments.len());
    let kept: Vec<String> = arguments
        .iter()
        .enumerate()
        .filter(|(at, _)| *at != left_out)
        .map(|(_, value)| format!(" {value}"))
        .collect();
    Some(format!("{} > REQ({}){}", chosen.action.as_send()?.to, kind.number(), kept.concat()))
}

/// Whether variants of it say something: it sends to a server, and needs no hold of it.
pub(crate) fn is_fit(source: &Transcript) -> bool {
    let mut sends = false;
    let mut controls = source.plays_server();
    source.walk(|statement| {
        sends |= statement.action.as_send().is_some();
        // What an included file sends is no line of this text, so it could not be changed here.
        controls |= matches!(statement.action, Action::Server(_) | Action::Include(_));
        // A case that waits for the end of the server's life would only wait.
        controls |=
            statement.action.as_receive().is_some_and(|receive| matches!(receive.input, Input::Words(_)));
    });
    sends && !controls && source.header.settings.is_empty()
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use super::*;
    use crate::suite::{SANITY, Suite};

    #[test]
    fn one_seed_always_gives_the_same_variants() {
        let suite = Suite::embedded().unwrap_or_else(|findings| panic!("{findings}"));
        let Some(source) = suite.case(SANITY) else { panic!("no sanity case") };
        let texts = |seed| -> Vec<String> {
            (0..40).filter_map(|number| variant(source, seed, number)).map(|(text, _)| text).collect()
        };
        assert_eq!(texts(7), texts(7));
        assert_ne!(texts(7), texts(8));
        let different: BTreeSet<String> = texts(7).into_iter().collect();
        assert!(different.len() >= 35, "{} different of 40", different.len());
        assert!(!different.contains(&source.text));
    }
}
