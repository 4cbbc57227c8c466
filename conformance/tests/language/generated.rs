//! Documents that nobody wrote.

use gearman_conformance::language::{Document, Transcript, format};
use proptest::prelude::*;

use super::survives;

fn space() -> impl Strategy<Value = &'static str> {
    prop_oneof![Just(" "), Just("  "), Just("\t"), Just("   ")]
}

fn indent() -> impl Strategy<Value = &'static str> {
    prop_oneof![Just(""), Just("  "), Just("\t"), Just(" ")]
}

/// What may follow the content of a line.
fn tail() -> impl Strategy<Value = String> {
    let comment = prop_oneof![Just(""), Just(" # why"), Just("   #"), Just("\t# \"not a string")];
    let ending = prop_oneof![3 => Just("\n"), 1 => Just("\r\n"), 1 => Just("  \n")];
    (comment, ending).prop_map(|(comment, ending)| format!("{comment}{ending}"))
}

fn value() -> impl Strategy<Value = String> {
    let text =
        "[ -!#-~é]{0,8}".prop_map(|text| format!("\"{}\"", text.replace('\\', "\\\\").replace("${", "$ {")));
    let fixed = [
        "$h",
        "@fill(3,\"x # y\")",
        "@rand(16,seed=2)",
        "@seq(4)",
        "\"${ns}f\"",
        "\"\\0\\xff\\\"\"",
        "@unix(+2)",
    ];
    prop_oneof![2 => text, 1 => prop::sample::select(fixed.to_vec()).prop_map(str::to_owned)]
}

fn pattern() -> impl Strategy<Value = String> {
    let fixed = [
        "*",
        "$h",
        "!$h",
        "$n:/[a-z ]+/",
        "/a\\/b #/",
        "@len(3)",
        "1..5",
        "@sha256(\"",
        "\"x\"",
        "@fill(2,\"ab\")",
    ];
    prop::sample::select(fixed.to_vec()).prop_map(|text| match text {
        "@sha256(\"" => format!("@sha256(\"{}\")", "0f".repeat(32)),
        other => other.to_owned(),
    })
}

fn attributes(kinds: &'static [&'static str]) -> impl Strategy<Value = String> {
    prop::option::of(prop::sample::select(kinds.to_vec()))
        .prop_map(|kind| kind.map(|kind| format!(" {{{kind}}}")).unwrap_or_default())
}

/// A statement of one line, its words separated by single spaces.
fn simple() -> impl Strategy<Value = String> {
    prop_oneof![
        (value(), attributes(&["gap=5ms", "split=3,12 gap=1ms", "magic=\"\\0X }\" len=0xff", "type=99"]))
            .prop_map(|(value, attributes)| format!("c > ECHO_REQ {value}{attributes}")),
        (value(), value()).prop_map(|(one, two)| format!("c > REQ(99) {one} {two}")),
        (value(), attributes(&["eol=lf", "eol=none"]))
            .prop_map(|(value, more)| format!("c > text {value}{more}")),
        (value(), value()).prop_map(|(one, two)| format!("c > raw {one} {two}")),
        Just("c > hex 00 ff 0a".to_owned()),
        (pattern(), attributes(&["within=3s"]))
            .prop_map(|(pattern, more)| format!("c < ECHO_RES {pattern}{more}")),
        (pattern(), pattern()).prop_map(|(one, two)| format!("c <~ ERROR {one} {two}")),
        (pattern(), attributes(&["order=any", "within=1m"]))
            .prop_map(|(pattern, more)| format!("c <lines {pattern}{more}")),
        pattern().prop_map(|pattern| format!("c <rest {pattern}")),
        prop::sample::select(vec![
            "c < closed",
            "c < fin",
            "c < reset",
            "fence c d",
            "fence c {harmless=none}",
            "quiet c d 400ms",
            "sleep 1s",
            "shutdown d",
            "server restart",
            "server kill USR1",
            "server refuses",
            "server ended 0",
            "listen l\nstart p\np > words run $h \"x\"\np < words ran * \"y\"\naccept q\nq <~ GRAB\nq > ASSIGN \"h\" \"f\" \"u\" \"w\"\nclose l p q",
            "include other",
        ])
        .prop_map(str::to_owned),
    ]
}

/// A block of statements; `depth` bounds the nesting.
fn block(depth: u32) -> BoxedStrategy<Vec<String>> {
    let line = simple().prop_map(|line| vec![line]);
    let statement = if depth == 0 {
        line.boxed()
    } else {
        let body = || block(depth - 1);
        let wrapped = |head: &'static str| {
            move |mut lines: Vec<String>| {
                lines.insert(0, head.to_owned());
                lines.push("end".to_owned());
                lines
            }
        };
        prop_oneof![
            6 => line,
            1 => body().prop_map(wrapped("repeat 3 as $i")),
            1 => body().prop_map(wrapped("when epoch")),
            1 => Just(["batch c", "c > NOOP", "end"].map(str::to_owned).to_vec()),
            1 => Just(["unordered", "c < NOOP", "d <~ NO_JOB", "end"].map(str::to_owned).to_vec()),
            1 => attributes(&["within=3s"]).prop_map(|more| vec![
                format!("until{more}"),
                "c > ECHO_REQ \"x\"".to_owned(),
                "c <~ ECHO_RES $h".to_owned(),
                "end".to_owned(),
            ]),
            1 => (body(), body()).prop_map(|(one, two)| [vec!["when epoch".to_owned()], one, vec!["else".to_owned()], two, vec![
                "end".to_owned()
            ]]
            .concat()),
        ]
        .boxed()
    };
    prop::collection::vec(statement, 0..5).prop_map(|list| list.concat()).boxed()
}

/// Puts other spaces between the words of a line; strings and brackets keep theirs.
fn respace(line: &str, space: &str) -> String {
    if line.contains(['"', '{', '/']) { line.to_owned() } else { line.replace(' ', space) }
}

fn document() -> impl Strategy<Value = String> {
    let either = Just("either\nalt ok one\nc < NOOP\nfence c\nalt wrong two\nquiet c 5ms\nend\n".to_owned());
    let finally = Just("finally\nclose c\nend\n".to_owned());
    let body = block(2).prop_flat_map(|lines| {
        lines
            .into_iter()
            .map(|line| {
                (Just(line), indent(), space(), tail()).prop_map(|(line, indent, space, tail)| {
                    format!("{indent}{}{tail}", respace(&line, space))
                })
            })
            .collect::<Vec<_>>()
    });
    let header =
        prop_oneof![Just(""), Just("tags: time\n"), Just("# a comment\n\nexplain:\n  one\n   two\n")];
    (header, body, prop::option::of(either), prop::option::of(finally), any::<bool>()).prop_map(
        |(header, body, either, finally, ends)| {
            let start = "open c d\nc < ECHO_RES $h\n";
            let parts =
                [start.to_owned(), body.concat(), either.unwrap_or_default(), finally.unwrap_or_default()];
            let text = format!("gtx 1\nid: a/b\ntitle: t\nlevel: must\n{header}---\n{}", parts.concat());
            if ends { text } else { text.trim_end().to_owned() }
        },
    )
}

proptest! {
    #[test]
    fn legal_documents_survive(text in document()) {
        survives(&text);
    }

    #[test]
    fn any_text_prints_back_and_harms_nobody(text in "(?s).{0,200}") {
        let (document, _) = Document::read(&text);
        prop_assert_eq!(document.to_string(), &text[..]);
        if let Err(findings) = Transcript::parse("any.gtx", &text) {
            prop_assert!(!findings.to_string().is_empty());
        }
        let _ = format(&document);
    }

    #[test]
    fn damaged_documents_print_back_and_harm_nobody(text in document(), at in any::<prop::sample::Index>(), noise in "[ -~\n]{0,3}") {
        let at = (0..=at.index(text.len())).rev().find(|&at| text.is_char_boundary(at)).unwrap_or(0);
        let damaged = format!("{}{noise}{}", &text[..at], &text[(at + 1..=text.len()).find(|&at| text.is_char_boundary(at)).unwrap_or(text.len())..]);
        let (document, _) = Document::read(&damaged);
        prop_assert_eq!(document.to_string(), &damaged[..]);
        if let Err(findings) = Transcript::parse("damaged.gtx", &damaged) {
            prop_assert!(!findings.to_string().is_empty());
        }
    }
}
