//! The language: what is read prints back, what is written in the one way stays so, and mistakes are shown.

#![expect(clippy::unwrap_used, reason = "a test that cannot go on fails by panicking")]

mod generated;
mod mistakes;

use std::collections::BTreeSet;

use gearman_conformance::language::{
    Document, Input, Output, Statement, Transcript, format, lint, lint_with,
};
use gearman_conformance::profile::Profile;
use gearman_conformance::statements;
use gearman_conformance::suite::{SANITY, Suite};
use gearman_protocol::{Direction, PacketType};

/// What a transcript means, without the places where it stands: header, and statements with their depth.
fn meaning(transcript: &Transcript) -> (String, Vec<String>) {
    fn add(list: &mut Vec<String>, statement: &Statement, depth: usize) {
        // Spaces in strings are kept by the tokens, so the text says all that the action does.
        list.push(format!("{depth} {}", statement.text));
        statement.inner().into_iter().for_each(|inner| add(list, inner, depth + 1));
    }
    let mut list = Vec::new();
    transcript.body.iter().for_each(|statement| add(&mut list, statement, 0));
    (format!("{:?}", transcript.header), list)
}

/// What a transcript of these tests finds wherever it includes a file.
fn a_file(_path: &str) -> Result<String, String> {
    Ok("gtx 1\n---\nsleep 1ms\n".to_owned())
}

/// Prints back what was read, and is formatted without a change of meaning; formatting twice changes nothing.
#[track_caller]
fn survives(text: &str) {
    let (document, found) = Document::read(text);
    assert_eq!(document.to_string(), text);
    assert!(found.is_empty(), "{found:?}");
    let formatted = format(&document);
    let parse = |text| {
        Transcript::parse_with("case.gtx", text, &a_file).unwrap_or_else(|findings| panic!("{findings}"))
    };
    let (before, after) = (parse(text), parse(&formatted));
    assert_eq!(meaning(&before), meaning(&after));
    assert_eq!(format(&Document::read(&formatted).0), formatted);
}

#[test]
fn every_case_is_in_order() {
    for (path, text) in Suite::embedded_texts() {
        survives(text);
        lint(path, text).unwrap_or_else(|findings| panic!("{findings}"));
    }
}

#[test]
fn every_case_for_clients_is_in_order_and_plays_the_server() {
    for (path, text) in Suite::client_texts() {
        survives(text);
        let case = lint(path, text).unwrap_or_else(|findings| panic!("{findings}"));
        assert!(case.plays_server(), "{path}");
    }
    let suite = Suite::clients().unwrap();
    assert_eq!(suite.cases().count(), Suite::client_texts().len(), "two cases share an id");
    assert!(suite.cases().count() >= 80);
    assert!(Suite::embedded().unwrap().cases().all(|case| !case.plays_server()));
}

#[test]
fn every_profile_of_a_client_names_cases_and_outcomes_that_exist_in_order() {
    let suite = Suite::clients().unwrap();
    for name in Profile::clients() {
        let profile = Profile::load_client(name).unwrap_or_else(|error| panic!("{error}"));
        profile.check_against(&suite).unwrap_or_else(|error| panic!("{name}: {error}"));
        let text = Profile::client_text(name).unwrap();
        for table in text.split("\n[").skip(1) {
            let keys: Vec<&str> = table.lines().filter(|line| line.starts_with('"')).collect();
            assert!(keys.is_sorted(), "{name}: a table is not sorted");
        }
    }
}

#[test]
fn the_suite_is_as_large_as_it_says() {
    let suite = Suite::embedded().unwrap();
    assert_eq!(suite.cases().count(), Suite::embedded_texts().len(), "two cases share an id");
    assert!(suite.cases().count() >= 290);
    assert!(suite.case(SANITY).is_some());
}

/// Every statement is exercised by a case or stands in the page's own list of those that are not, and in one only.
#[test]
fn every_statement_is_exercised_or_says_why_not() {
    let suite = Suite::embedded().unwrap();
    let cited: BTreeSet<&str> =
        suite.cases().flat_map(|case| case.header.spec.iter().map(String::as_str)).collect();
    let statements: BTreeSet<&str> =
        statements::embedded().unwrap().iter().map(|statement| statement.id).collect();
    let excepted: BTreeSet<&str> = statements::exceptions().map(|exception| exception.id).collect();
    let unexercised: BTreeSet<&str> = statements.difference(&cited).copied().collect();
    assert_eq!(unexercised, excepted);
}

/// Every request is sent and every response expected by some case.
#[test]
fn every_packet_type_travels_both_ways() {
    let (mut sent, mut expected) = (BTreeSet::new(), BTreeSet::new());
    for case in Suite::embedded().unwrap().cases() {
        case.walk(|statement| {
            if let Some(Output::Packet { kind, .. }) = statement.action.as_send().map(|send| &send.output) {
                sent.insert(kind.number());
            }
            let input = statement.action.as_receive().map(|receive| &receive.input);
            if let Some(Input::Packet { kind, .. }) = input {
                expected.insert(kind.number());
            }
        });
    }
    for packet_type in PacketType::ALL {
        // Responses are sent all the same: the server must refuse them.
        assert!(sent.contains(&packet_type.number()), "nobody sends {}", packet_type.name());
        let comes = matches!(packet_type.direction(), Direction::Response | Direction::Both);
        assert!(!comes || expected.contains(&packet_type.number()), "nobody expects {}", packet_type.name());
    }
}

#[test]
fn every_profile_names_cases_and_outcomes_that_exist_in_order() {
    let suite = Suite::embedded().unwrap();
    for name in Profile::embedded() {
        let profile = Profile::load(name).unwrap_or_else(|error| panic!("{error}"));
        profile.check_against(&suite).unwrap_or_else(|error| panic!("{name}: {error}"));
        let text = Profile::embedded_text(name).unwrap();
        for table in text.split("\n[").skip(1) {
            let keys: Vec<&str> = table.lines().filter(|line| line.starts_with('"')).collect();
            assert!(
                keys.is_sorted(),
                "{name}: the entries of [{} are not sorted",
                table.lines().next().unwrap()
            );
        }
        let features: Vec<&str> = text.lines().filter(|line| line.starts_with("  \"")).collect();
        assert!(features.is_sorted(), "{name}: the features are not sorted");
    }
}

#[test]
fn profiles_that_make_no_sense_are_refused() {
    let strict = Profile::embedded_text("strict").unwrap();
    let refused = |text: &str, words: &str| {
        let message =
            Profile::parse(text).and_then(|profile| profile.check_against(&Suite::embedded().unwrap()));
        let message = message.unwrap_err();
        assert!(message.contains(words), "{message}");
    };
    refused(&strict.replace("profile = 1", "profile = 2"), "version 2");
    refused(&strict.replace("\"retries\"", "\"retires\""), "`retires` is not a feature");
    refused(&strict.replace("\"NOOP\"", "\"NOPE\""), "`NOPE`");
    refused(&format!("nonsense = 1\n{strict}"), "nonsense");
    let with = |table: &str| format!("{strict}\n{table}");
    refused(&with("[settings]\nretires = \"x\""), "`retires` is not a setting");
    refused(&with("[expected]\n\"echo/large\" = { fails-at = \"c <\" }"), "reason");
    refused(&with("[expected]\n\"echo/large\" = { fails-at = \"c <\", reason = \" \" }"), "empty reason");
    refused(
        &with("[expected]\n\"echo/large\" = { fails-at = \"c <\", reason = \"r\", seen = \"somewhere\" }"),
        "`WHERE: WHAT`",
    );
    refused(&with("[expected]\n\"echo/large\" = { reason = \"r\" }"), "`outcome` or `fails-at`");
    refused(
        &with("[expected]\n\"no/case\" = { fails-at = \"c <\", reason = \"r\" }"),
        "`no/case` is not a case",
    );
    refused(
        &with("[expected]\n\"framing/type-43\" = { outcome = \"no\", reason = \"r\" }"),
        "has no outcome `no`",
    );
    refused(
        &with("[expected]\n\"framing/type-43\" = { outcome = \"refused\", reason = \"r\" }"),
        "graded ok",
    );
    refused(&with("[flaky]\n\"no/case\" = { reason = \"r\" }"), "`no/case` is not a case");
    refused(&with("[tolerances]\nanything = { reason = \"r\" }"), "anything");
}

#[test]
fn every_example_of_the_guide_is_in_order() {
    let guide = include_str!("../../../docs/transcripts.md");
    let mut examples = 0;
    for block in guide.split("```gtx\n").skip(1) {
        let text = block.split("```").next().unwrap();
        // Pieces of a body get a header of their own; they may use c, w and $h.
        let (path, text) = if text.starts_with("gtx 1") {
            let id = text.lines().find_map(|line| line.strip_prefix("id: ")).unwrap();
            (format!("{id}.gtx"), text.to_owned())
        } else {
            let header = "gtx 1\nid: guide/piece\ntitle: a piece of the guide\nspec: none\nlevel: must\n\
                          needs: control ECHO_REQ GRAB_JOB_UNIQ SUBMIT_JOB_EPOCH WORK_DATA\ntags: time\nexplain:\n  It stands in the guide.\n---\nopen c w\nc < JOB_CREATED $h\n";
            ("guide/piece.gtx".to_owned(), format!("{header}{text}"))
        };
        lint_with(&path, &text, &a_file).unwrap_or_else(|findings| panic!("{findings}"));
        survives(&text);
        examples += 1;
    }
    assert!(examples >= 8, "only {examples} examples were found");
    let profile = guide.split("```toml\n").nth(1).and_then(|block| block.split("```").next()).unwrap();
    let profile = Profile::parse(profile).unwrap_or_else(|error| panic!("{error}"));
    profile.check_against(&Suite::embedded().unwrap()).unwrap_or_else(|error| panic!("{error}"));
}

#[test]
fn the_one_way_of_writing() {
    let text = "  gtx 1\n\n\nid:x/y\ntitle:   a  title \nlevel: must\nexplain:\n      deep\n---\n\n\nopen   c   # one\nc > \
                 ECHO_REQ  \"a  b\"     # two\n\nc > hex 00 01   02\nwhen   epoch\n c > text \"x\"  {eol=lf}\n else\nc > text \
                 \"y\"\n  end\neither\nalt   ok one\nc < text *\nalt wrong two\nquiet c 5ms\nend # last\n\n\n";
    let formatted = format(&Document::read(text).0);
    insta::assert_snapshot!(formatted, @r#"
    gtx 1

    id: x/y
    title: a  title
    level: must
    explain:
      deep
    ---

    open c               # one
    c > ECHO_REQ "a  b"  # two

    c > hex 00 01  02
    when epoch
      c > text "x" {eol=lf}
    else
      c > text "y"
    end
    either
      alt ok one
        c < text *
      alt wrong two
        quiet c 5ms
    end  # last
    "#);
}
