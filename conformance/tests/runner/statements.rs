//! Each kind of statement, with what makes it hold and what makes it fail.

use gearman_conformance::language::Variant;
use gearman_conformance::play::{Failure, FailureKind, Played, Stage, play};
use gearman_conformance::profile::Profile;

use super::{fake, say, transcript};

/// Plays a body once, with waits cut to a tenth.
fn played(header: &str, body: &str, profile: &Profile, variant: Variant) -> Played {
    let case = transcript(header, body);
    let stage = Stage {
        address: fake::serve(),
        world: None,
        profile,
        variant,
        time_scale: 0.3,
        server: None,
        program: None,
    };
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
    runtime.block_on(play(&case, stage))
}

fn strict() -> Profile {
    Profile::load("strict").unwrap()
}

/// The body must hold.
#[track_caller]
fn holds(body: &str) {
    let played = played("", body, &strict(), Variant::AsWritten);
    assert_eq!(played.failure, None, "{body}");
}

/// The body must fail at this statement in this way.
#[track_caller]
fn fails(body: &str, at: &str, kind: FailureKind) -> Failure {
    let failure =
        played("", body, &strict(), Variant::AsWritten).failure.unwrap_or_else(|| panic!("held:\n{body}"));
    assert_eq!((failure.statement.as_str(), failure.kind), (at, kind), "{failure:#?}");
    failure
}

/// A transcript in which the server says one packet and one line looks at it.
fn after_packet(number: u32, arguments: &[&str], line: &str) -> String {
    format!("open c\nc > ECHO_REQ {}\n{line}\n", say(number, arguments))
}

#[test]
fn a_packet_is_compared_by_type_arguments_and_magic() {
    let created = |line: &str| after_packet(8, &["H:1"], line);
    holds(&created("c < JOB_CREATED \"H:1\""));
    fails(&created("c < JOB_CREATED \"H:2\""), "c < JOB_CREATED \"H:2\"", FailureKind::Mismatch);
    fails(&created("c < ECHO_RES \"H:1\""), "c < ECHO_RES \"H:1\"", FailureKind::Mismatch);
    fails(&created("c < text \"H:1\""), "c < text \"H:1\"", FailureKind::Mismatch);
    fails(&created("c < closed"), "c < closed", FailureKind::Mismatch);
    fails("open c\nc > ECHO_REQ \"nothing\"\nc < NOOP\n", "c < NOOP", FailureKind::Silence);
    let request = "open c\nc > ECHO_REQ \"say \\0REQ\\0\\0\\0\\x06\\0\\0\\0\\0\"\nc < NOOP\n";
    fails(request, "c < NOOP", FailureKind::Mismatch);
}

#[test]
fn a_body_where_a_type_has_none_and_a_missing_argument_fail() {
    holds(&after_packet(10, &[], "c < NO_JOB"));
    fails(&after_packet(10, &["x"], "c < NO_JOB"), "c < NO_JOB", FailureKind::Mismatch);
    holds(&after_packet(19, &["CODE", "text"], "c < ERROR \"CODE\" *"));
    fails(
        &after_packet(19, &["CODE"], "c < ERROR \"CODE\" *"),
        "c < ERROR \"CODE\" *",
        FailureKind::Mismatch,
    );
}

#[test]
fn every_pattern_can_fail() {
    let digest = "@sha256(\"2cf24dba5fb0a30e26e83b2ac5b9e29e1b161e5c1fa7425e73043362938b9824\")";
    for (value, good, bad) in [
        ("hello", "\"hello\"", "\"hell\""),
        ("hello", "/h.*o/", "/h.*l/"),
        ("hello", "/hello/", "/ell/"),
        ("hello", "@len(5)", "@len(6)"),
        ("hello", digest, "@sha256(\"0000000000000000000000000000000000000000000000000000000000000000\")"),
        ("12", "10..12", "13..20"),
        ("12", "12..12", "0..11"),
        ("1x", "*", "0..9"),
        ("aaa", "@fill(3,\"a\")", "@fill(4,\"a\")"),
        ("hello", "$h:/[a-z]+/", "$h:/[0-9]+/"),
    ] {
        let echo = |pattern: &str| format!("open c\nc > ECHO_REQ \"{value}\"\nc < ECHO_RES {pattern}\n");
        holds(&echo(good));
        fails(&echo(bad), &format!("c < ECHO_RES {bad}"), FailureKind::Mismatch);
    }
}

#[test]
fn a_capture_holds_later_uses_to_its_value() {
    let twice = |second: &str, pattern: &str| {
        format!(
            "open c\nc > ECHO_REQ \"a\"\nc < ECHO_RES $v\nc > ECHO_REQ \"{second}\"\nc < ECHO_RES {pattern}\n"
        )
    };
    holds(&twice("a", "$v"));
    fails(&twice("b", "$v"), "c < ECHO_RES $v", FailureKind::Mismatch);
    holds(&twice("b", "!$v"));
    fails(&twice("a", "!$v"), "c < ECHO_RES !$v", FailureKind::Mismatch);
    holds(&twice("xay", "\"x${v}y\""));
    holds(&twice("xay", "/x${v}./"));
    fails(&twice("xby", "/x${v}./"), "c < ECHO_RES /x${v}./", FailureKind::Mismatch);
    holds(&after_packet(19, &["a", "a"], "c < ERROR $v $v"));
    fails(&after_packet(19, &["a", "b"], "c < ERROR $v $v"), "c < ERROR $v $v", FailureKind::Mismatch);
}

#[test]
fn the_ends_of_a_connection_are_told_apart() {
    let ends = |how: &str, line: &str| format!("open c\nc > ECHO_REQ \"{how}\"\nc < {line}\n");
    holds(&ends("fin", "fin"));
    holds(&ends("fin", "closed"));
    holds(&ends("reset", "reset"));
    holds(&ends("reset", "closed"));
    fails(&ends("fin", "reset"), "c < reset", FailureKind::Mismatch);
    fails(&ends("reset", "fin"), "c < fin", FailureKind::Mismatch);
    fails(&ends("fin", "NOOP"), "c < NOOP", FailureKind::Mismatch);
    fails(&ends("nothing", "closed"), "c < closed", FailureKind::Silence);
}

#[test]
fn only_the_tilde_skips_what_is_harmless() {
    let noop = "\\0RES\\0\\0\\0\\x06\\0\\0\\0\\0";
    let no_job = "\\0RES\\0\\0\\0\\x0a\\0\\0\\0\\0";
    let said = |line: &str| format!("open c\nc > ECHO_REQ \"say {noop}{noop}{no_job}\"\n{line}\n");
    holds(&said("c <~ NO_JOB"));
    fails(&said("c < NO_JOB"), "c < NO_JOB", FailureKind::Mismatch);
    fails(&said("c <~ JOB_CREATED *"), "c <~ JOB_CREATED *", FailureKind::Mismatch);
}

#[test]
fn until_asks_again_while_the_answer_is_of_the_kind_expected() {
    let until = |order: &str, answer: &str| {
        format!("open c\nuntil {{within=300ms}}\n  c > ECHO_REQ \"{order}\"\n  {answer}\nend\nfence c\n")
    };
    // The server says yes first and no then.
    holds(&until("turn", "c < ECHO_RES \"no\""));
    let told =
        fails(&until("turn", "c < ECHO_RES \"perhaps\""), "c < ECHO_RES \"perhaps\"", FailureKind::Mismatch);
    assert!(told.summary.starts_with("after 90ms of asking, "), "{told:?}");
    let other = until("say \\0RES\\0\\0\\0\\x0a\\0\\0\\0\\0", "c < ECHO_RES \"x\"");
    let told = fails(&other, "c < ECHO_RES \"x\"", FailureKind::Mismatch);
    assert_eq!(told.summary, "something else came");
    fails(&until("fin", "c < ECHO_RES \"x\""), "c < ECHO_RES \"x\"", FailureKind::Mismatch);
    fails(&until("nothing", "c < ECHO_RES \"x\""), "c < ECHO_RES \"x\"", FailureKind::Silence);
}

#[test]
fn until_forgets_what_a_round_in_vain_captured() {
    let ask = "  c > ECHO_REQ \"turn\"\n";
    // The rounds are yes, no, yes and no, yes, no.
    holds(&format!(
        "open c\nuntil\n{ask}  c < ECHO_RES $v\n{ask}  c < ECHO_RES *\n{ask}  c < ECHO_RES \"no\"\nend\n\
         c > ECHO_REQ $v\nc < ECHO_RES \"no\"\n"
    ));
}

#[test]
fn until_reads_whole_tables() {
    let table = |line: &str| {
        format!(
            "open c\nuntil {{within=300ms}}\n  c > text \"${{ns}}a\"\n  c > text \"other\"\n  c > text \".\"\n  \
             c <lines {line}\nend\nfence c\n"
        )
    };
    holds(&table("\"${ns}a\""));
    fails(&table("\"${ns}b\""), "c <lines \"${ns}b\"", FailureKind::Mismatch);
}

#[test]
fn a_fence_finds_what_should_not_be_there() {
    holds("open c d\nfence c d\n");
    fails(&after_packet(8, &["H:1"], "fence c"), "fence c", FailureKind::Mismatch);
    holds(&after_packet(6, &[], "fence c"));
    fails(&after_packet(6, &[], "fence c {harmless=none}"), "fence c {harmless=none}", FailureKind::Mismatch);
    fails("open c\nc > ECHO_REQ \"lie\"\nfence c\n", "fence c", FailureKind::Mismatch);
    fails("open c\nc > ECHO_REQ \"mute\"\nfence c\n", "fence c", FailureKind::Silence);
    fails("open c\nc > ECHO_REQ \"fin\"\nfence c\n", "fence c", FailureKind::Mismatch);
}

#[test]
fn quiet_hears_packets_halves_and_ends() {
    holds("open c\nquiet c 200ms\n");
    for order in ["later \\0", "later OK\\n", "fin"] {
        let body = format!("open c d\nc > ECHO_REQ \"{order}\"\nquiet c d 1s\n");
        fails(&body, "quiet c d 1s", FailureKind::Noise);
    }
}

#[test]
fn text_is_compared_with_its_line_end() {
    let said = |line: &str| format!("open c\nc > ECHO_REQ \"say OK\\r\\n\"\n{line}\n");
    holds(&said("c < text \"OK\""));
    holds(&said("c < text \"OK\" {eol=crlf}"));
    fails(&said("c < text \"OK\" {eol=lf}"), "c < text \"OK\" {eol=lf}", FailureKind::Mismatch);
    fails(&said("c < text \"KO\""), "c < text \"KO\"", FailureKind::Mismatch);
}

#[test]
fn a_table_must_have_these_lines_and_no_others() {
    let said = |lines: &str, pattern: &str| {
        format!(
            "open c\nc > ECHO_REQ \"x\"\nc < ECHO_RES *\nc > ECHO_REQ \"say {lines}\"\nc <lines {pattern}\n"
        )
    };
    let table = "${ns}a\\t1\\nother\\t7\\n${ns}b\\t2\\n.\\n";
    let both = "\"${ns}a\\t1\" \"${ns}b\\t2\"";
    let swapped = "\"${ns}b\\t2\" \"${ns}a\\t1\"";
    holds(&said(table, both));
    fails(&said(table, swapped), &format!("c <lines {swapped}"), FailureKind::Mismatch);
    holds(&said(table, &format!("{swapped} {{order=any}}")));
    fails(&said(table, "\"${ns}a\\t1\""), "c <lines \"${ns}a\\t1\"", FailureKind::Mismatch);
    fails(&said(table, &format!("{both} *")), &format!("c <lines {both} *"), FailureKind::Mismatch);
    fails(&said("${ns}a\\t1\\n", "\"${ns}a\\t1\""), "c <lines \"${ns}a\\t1\"", FailureKind::Silence);
    let cut = after_packet(6, &[], "c <lines");
    fails(&cut, "c <lines", FailureKind::Mismatch);
}

#[test]
fn a_table_line_is_ours_by_a_captured_word() {
    let said = |line: &str| {
        format!(
            "open c\nc > ECHO_REQ \"H:1\"\nc < ECHO_RES $h\n\
             c > ECHO_REQ \"say H:1\\t0\\nH:11\\t0\\n.\\n\"\nc <lines {line}\n"
        )
    };
    holds(&said("\"${h}\\t0\""));
    fails(&said("\"${h}\\t1\""), "c <lines \"${h}\\t1\"", FailureKind::Mismatch);
}

#[test]
fn the_rest_is_everything_up_to_the_end() {
    let said = |pattern: &str| {
        format!(
            "open c\nbatch c\n  c > ECHO_REQ \"say a\\r\\nb\"\n  c > ECHO_REQ \"fin\"\nend\nc <rest {pattern}\n"
        )
    };
    holds(&said("\"a\\r\\nb\""));
    fails(&said("\"a\\nb\""), "c <rest \"a\\nb\"", FailureKind::Mismatch);
    fails("open c\nc > ECHO_REQ \"say a\"\nc <rest *\n", "c <rest *", FailureKind::Silence);
}

#[test]
fn unordered_takes_any_order_and_nothing_else() {
    let said = |lines: &str| {
        format!(
            "open c d\nc > ECHO_REQ \"later \"\nc > ECHO_REQ \"one\"\nc > ECHO_REQ \"two\"\nd > ECHO_REQ \"three\"\n\
             unordered\n{lines}end\n"
        )
    };
    holds(&said("c < ECHO_RES \"two\"\nd < ECHO_RES \"three\"\nc < ECHO_RES \"one\"\n"));
    let wrong = said("c < ECHO_RES \"two\"\nc < ECHO_RES \"four\"\n");
    fails(&wrong, "c < ECHO_RES \"two\"", FailureKind::Mismatch);
    let more = said("c < ECHO_RES \"two\"\nc < ECHO_RES \"one\"\nd < NOOP\n");
    fails(&more, "d < NOOP", FailureKind::Mismatch);
    let missing =
        said("c < ECHO_RES \"two\"\nc < ECHO_RES \"one\"\nd < ECHO_RES \"three\"\nd < ECHO_RES \"four\"\n");
    fails(&missing, "d < ECHO_RES \"four\"", FailureKind::Silence);
    let noop = "open c\nc > ECHO_REQ \"say \\0RES\\0\\0\\0\\x06\\0\\0\\0\\0\"\nc > ECHO_REQ \"one\"\n";
    holds(&format!("{noop}unordered\n  c <~ ECHO_RES \"one\"\nend\n"));
    fails(
        &format!("{noop}unordered\n  c < ECHO_RES \"one\"\nend\n"),
        "c < ECHO_RES \"one\"",
        FailureKind::Mismatch,
    );
}

#[test]
fn either_takes_the_alternative_that_begins_so() {
    let either = |order: &str| {
        format!(
            "open c\nc > ECHO_REQ \"{order}\"\neither\n  alt ok first\n    c < ECHO_RES \"a\"\n  alt non-strict second\n    \
             c < ECHO_RES $v:/[bc]/\n    c > ECHO_REQ $v\n    c < ECHO_RES \"b\"\n  alt info silence\n    quiet c 1s\n  alt \
             wrong table\n    c <lines \"${{ns}}x\"\nend\n"
        )
    };
    let outcome = |order: &str| {
        let played = played("", &either(order), &strict(), Variant::AsWritten);
        (played.outcomes.iter().map(|outcome| outcome.name.clone()).collect::<String>(), played.failure)
    };
    assert_eq!(outcome("a"), ("first".to_owned(), None));
    assert_eq!(outcome("b"), ("second".to_owned(), None));
    assert_eq!(outcome("nothing"), ("silence".to_owned(), None));
    assert_eq!(outcome("say ${ns}x\\n.\\n"), ("table".to_owned(), None));
    // There is no way back out of an alternative.
    let (name, failure) = outcome("c");
    assert_eq!((name.as_str(), failure.unwrap().statement.as_str()), ("second", "c < ECHO_RES \"b\""));
    let (name, failure) = outcome("d");
    assert_eq!((name.as_str(), failure.unwrap().statement.as_str()), ("", "either"));
    let (name, failure) = outcome("say ${ns}y\\n.\\n");
    assert_eq!((name.as_str(), failure.unwrap().statement.as_str()), ("", "either"));
    let silent = "open c\nc > ECHO_REQ \"nothing\"\neither\n  alt ok one\n    c < NOOP\nend\n";
    fails(silent, "either", FailureKind::Silence);
}

#[test]
fn repeat_counts_and_forgets_its_captures() {
    holds("open c\nrepeat 3 as $i\n  c > ECHO_REQ \"n${i}\"\n  c < ECHO_RES $v:/n[0-2]/\nend\n");
    fails(
        "open c\nrepeat 3 as $i\n  c > ECHO_REQ \"n${i}\"\n  c < ECHO_RES /n[01]/\nend\n",
        "c < ECHO_RES /n[01]/",
        FailureKind::Mismatch,
    );
}

#[test]
fn when_asks_the_profile() {
    let body = "open c\nwhen epoch\n  c > ECHO_REQ \"able\"\nelse\n  c > ECHO_REQ \"unable\"\nend\nc < ECHO_RES \"able\"\n";
    let mut profile = strict();
    profile.features.insert("epoch".to_owned());
    assert_eq!(played("", body, &profile, Variant::AsWritten).failure, None);
    profile.features.remove("epoch");
    assert!(played("", body, &profile, Variant::AsWritten).failure.is_some());
}

#[test]
fn finally_runs_after_a_failure_and_can_fail_itself() {
    let body = |last: &str| format!("open c\nc > ECHO_REQ \"a\"\nc < NOOP\nfinally\n  {last}\nend\n");
    let case = played("", &body("c < ECHO_RES \"a\""), &strict(), Variant::AsWritten);
    assert_eq!(case.failure.unwrap().statement, "c < NOOP");
    let said: Vec<String> = case.moments.iter().map(ToString::to_string).collect();
    let body = "open c\nfinally\n  c > ECHO_REQ \"bye\"\n  c < NOOP\nend\n";
    fails(body, "c < NOOP", FailureKind::Mismatch);
    assert!(!said.is_empty());
}

#[test]
fn a_connection_that_cannot_be_made_fails() {
    let case = transcript("", "open c\n");
    let profile = strict();
    let address = "127.0.0.1:1".to_owned();
    let stage = Stage {
        address,
        world: None,
        profile: &profile,
        variant: Variant::AsWritten,
        time_scale: 1.0,
        server: None,
        program: None,
    };
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
    let failure = runtime.block_on(play(&case, stage)).failure.unwrap();
    assert_eq!((failure.statement.as_str(), failure.kind), ("open c", FailureKind::Unreachable));
}

#[test]
fn a_failure_shows_the_heads_of_all_connections() {
    let body = "open c d e\nc > ECHO_REQ \"a\"\nd > ECHO_REQ \"b\"\nd < ECHO_RES \"b\"\nc < NOOP\n";
    let failure = fails(body, "c < NOOP", FailureKind::Mismatch);
    let heads: Vec<String> = failure.heads.iter().map(|(name, head)| format!("{name}: {head}")).collect();
    assert_eq!(heads, ["c: ECHO_RES \"a\"", "d: nothing", "e: nothing"]);
    assert_eq!(failure.line, 10);
}

#[test]
fn every_variant_sends_the_same_bytes() {
    let body = "open c\nc > ECHO_REQ \"one\"\nc > text \"two\"\nc > ECHO_REQ @seq(5000)\nbatch c\n  c > ECHO_REQ \"4\"\n  \
                c > ECHO_REQ \"5\"\nend\nc > ECHO_REQ \"six\" {split=1,13 gap=1ms}\nc < ECHO_RES \"one\"\nc < text \"two\"\n\
                c < ECHO_RES @seq(5000)\nc < ECHO_RES \"4\"\nc < ECHO_RES \"5\"\nc < ECHO_RES \"six\"\nfence c\n";
    for variant in Variant::ALL {
        assert_eq!(played("", body, &strict(), *variant).failure, None, "{variant}");
    }
}

#[test]
fn attributes_change_the_header() {
    // The fake echoes by type alone, so a changed type must change the answer.
    holds("open c\nc > ECHO_REQ \"H\" {type=15}\nc < STATUS_RES \"H\" \"0\" \"0\" \"0\" \"0\"\n");
    // Half of what is announced is never a request.
    holds("open c\nc > ECHO_REQ \"abc\" {len=6}\nquiet c 100ms\nc > raw \"def\"\nc < ECHO_RES \"abcdef\"\n");
}

#[test]
fn tolerances_let_a_case_go_on_and_are_recorded() {
    let text = Profile::embedded_text("strict").unwrap();
    let tolerant = |name: &str| {
        Profile::parse(&format!("{text}\n[tolerances]\n{name} = {{ reason = \"a test\" }}\n")).unwrap()
    };
    let magic = "open c\nc > ECHO_REQ \"say \\0REQ\\0\\0\\0\\x06\\0\\0\\0\\0\"\nc < NOOP\n".to_owned();
    let handle = after_packet(14, &["H:1\0"], "c < WORK_FAIL \"H:1\"");
    let empty =
        after_packet(20, &["H:1", "0", "0", "", ""], "c < STATUS_RES \"H:1\" \"0\" \"0\" \"0\" \"0\"");
    for (name, body) in [("res-magic", &magic), ("handle-nul", &handle), ("status-empty", &empty)] {
        assert!(played("", body, &strict(), Variant::AsWritten).failure.is_some(), "{name}");
        let played = played("", body, &tolerant(name), Variant::AsWritten);
        assert_eq!(played.failure, None, "{name}");
        let names: Vec<&str> = played.deviations.iter().map(|tolerance| tolerance.name()).collect();
        assert_eq!(names, [name]);
    }
    let other = after_packet(14, &["H:2\0"], "c < WORK_FAIL \"H:1\"");
    assert!(played("", &other, &tolerant("handle-nul"), Variant::AsWritten).failure.is_some());
}

#[test]
fn leftovers_are_drained() {
    let body = "open c\nc > SUBMIT_JOB_BG \"${ns}f\" \"u\" \"\"\nc < JOB_CREATED *\n\
                c > SUBMIT_JOB_BG \"${ns}g\" \"u\" \"\"\nc < JOB_CREATED *\n";
    let case = transcript("", body);
    let profile = strict();
    let address = fake::serve();
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
    let stage = |address: &str| Stage {
        address: address.to_owned(),
        world: None,
        profile: &profile,
        variant: Variant::AsWritten,
        time_scale: 1.0,
        server: None,
        program: None,
    };
    let first = runtime.block_on(play(&case, stage(&address)));
    assert_eq!((first.failure, first.leftovers), (None, 2));
}

#[test]
fn how_a_connection_ended_is_told() {
    let ending = |body: &str| {
        let played = played("", body, &strict(), Variant::AsWritten);
        assert_eq!(played.failure, None, "{body}");
        played.endings[0].1.word()
    };
    assert_eq!(ending("open c\n"), "clean");
    assert_eq!(ending("open c\nc > ECHO_REQ \"fin\"\nc < closed\n"), "clean");
    assert_eq!(ending("open c\nc > ECHO_REQ \"fin\"\nsleep 50ms\n"), "wrong side");
    assert_eq!(ending("open c\nc > ECHO_REQ \"reset\"\nc < reset\n"), "reset");
    assert_eq!(ending("open c\nc > ECHO_REQ \"say x\"\nreset c\n"), "unknown");
}
