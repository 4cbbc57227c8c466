//! What people are told when they write something wrong.

use gearman_conformance::language::{Transcript, lint, lint_included, lint_with};

/// The findings on a body under a good header.
#[track_caller]
fn findings(body: &str) -> String {
    let text = format!("gtx 1\nid: a/b\ntitle: t\nlevel: must\n---\n{body}");
    Transcript::parse("b.gtx", &text).unwrap_err().to_string()
}

#[test]
fn a_misspelt_packet_gets_a_suggestion() {
    insta::assert_snapshot!(findings("open c\nc > SUBMIT_JBO \"f\" \"u\" \"w\"\n"), @r#"
    error: `SUBMIT_JBO` is not a packet type
     --> b.gtx:7:5
      |
    7 | c > SUBMIT_JBO "f" "u" "w"
      |     ^^^^^^^^^^ no such packet in the protocol
      |
      = help: did you mean `SUBMIT_JOB`?
    "#);
}

#[test]
fn an_unclosed_string_is_marked_from_its_quote() {
    insta::assert_snapshot!(findings("open c\nc > ECHO_REQ \"never\n"), @r#"
    error: this string is never closed
     --> b.gtx:7:14
      |
    7 | c > ECHO_REQ "never
      |              ^^^^^^ no `"` follows on this line
      |
      = help: write a quote inside a string as `\"` and a newline as `\n`
    "#);
}

#[test]
fn a_wrong_count_names_the_arguments() {
    insta::assert_snapshot!(findings("open c\nc > SUBMIT_JOB \"f\" \"w\"\n"), @r#"
    error: SUBMIT_JOB has 3 arguments, not 2
     --> b.gtx:7:5
      |
    7 | c > SUBMIT_JOB "f" "w"
      |     ^^^^^^^^^^ wrong number of arguments
      |
      = help: its arguments are function, unique, workload; other counts are written `REQ(n) ...`
    "#);
}

#[test]
fn a_block_without_an_end_is_marked_where_it_opens() {
    insta::assert_snapshot!(findings("open c\nunordered\n  c < NOOP\n"), @r#"
    error: `unordered` is never closed
     --> b.gtx:7:1
      |
    7 | unordered
      | ^^^^^^^^^ no `end` follows
    "#);
}

#[test]
fn several_mistakes_are_told_at_once() {
    insta::assert_snapshot!(findings("opne c\nquiet c 5\nc < ECHO_RES /(/\n"), @r#"
    error: `opne` is not a statement
     --> b.gtx:6:1
      |
    6 | opne c
      | ^^^^ unknown
      |
      = help: did you mean `open`?

    error: `5` is not a time
     --> b.gtx:7:9
      |
    7 | quiet c 5
      |         ^ expected a time
      |
      = help: times are whole numbers with a unit: `400ms`, `3s` or `1m`

    error: this regular expression cannot be read
     --> b.gtx:8:14
      |
    8 | c < ECHO_RES /(/
      |              ^^^ unclosed group
    "#);
}

/// Each body and the words and the place of its first finding.
#[test]
fn each_mistake_has_its_words_and_its_place() {
    for (body, words, place) in [
        ("open c\nc > ECHO_REQ\n", "ECHO_REQ has 1 argument, not 0", "7:5"),
        ("open c\nc > NOOP \"x\"\n", "NOOP has 0 arguments, not 1", "7:5"),
        ("open c\nc < REQ(3) *\n", "is not something a server sends", "7:1"),
        ("open c\nc >> NOOP\n", "`>>` is not an arrow", "7:3"),
        ("open c\nc < ECHO_RES x\n", "`x` is not a pattern", "7:14"),
        ("open c\nc < ECHO_RES 5..1\n", "`5..1` is not a range", "7:14"),
        ("open c\nc < ECHO_RES $h:x\n", "`$h:x` is not a variable", "7:14"),
        ("open c\nc < ECHO_RES $h:\n", "`$h:` is not a variable", "7:14"),
        ("open c\nc < ECHO_RES !$\n", "`!$` is not a variable", "7:14"),
        ("open c\nc < ECHO_RES @len(x)\n", "not a call that can be read", "7:14"),
        ("accept c\n", "nobody can connect here", "6:1"),
        ("start d\n", "a program would not know where to connect", "6:1"),
        ("listen s\nlisten t\n", "the transcript listens already", "7:1"),
        ("listen s\naccept c\nfence c\n", "a fence asks a server", "8:1"),
        ("listen s\naccept c\nc < RES(3) *\n", "`RES(3)` is not something a client sends", "8:1"),
        ("listen s\naccept c\nc > words run\n", "`c` is a connection, not a program", "8:1"),
        ("listen s\nstart d\nd > NOOP\n", "`d` is a program", "8:1"),
        ("listen s\nstart d\nd > words\n", "a word is missing", "8:9"),
        ("listen s\ns > NOOP\n", "nothing travels on `s`", "7:1"),
        ("listen s\naccept c\nc > ASSIGN \"h\"\n", "ASSIGN has 4 arguments, not 1", "8:5"),
        ("open c\nc > ECHO_REQ @len(3)\n", "`@len(3)` is not a value", "7:14"),
        ("open c\nc > ECHO_REQ @fill(3,\"\")\n", "not a call that can be read", "7:14"),
        ("open c\nc > ECHO_REQ \"\\q\"\n", "unknown escape `\\q`", "7:15"),
        ("open c\nc > ECHO_REQ \"${}\"\n", "does not hold a variable's name", "7:15"),
        ("open c\nc > ECHO_REQ $h\n", "`$h` has no value here", "7:1"),
        ("open c\nc > ECHO_REQ \"${h}\"\n", "`$h` has no value here", "7:1"),
        ("open c\nc < ECHO_RES /${h}/\n", "`$h` has no value here", "7:1"),
        ("open c\nc < ECHO_RES !$h\n", "`$h` has no value here", "7:1"),
        ("open c\nuntil\nc > NOOP\nend\n", "`until` begins with a question and ends with an answer", "7:1"),
        ("open c\nuntil\nc < NOOP\nend\n", "`until` begins with a question and ends with an answer", "7:1"),
        ("open c\nuntil\nc > NOOP\nc < closed\nend\n", "`until` only holds questions", "9:1"),
        ("open c\nuntil\nc > NOOP\nfence c\nc < NOOP\nend\n", "`until` only holds questions", "9:1"),
        ("open c\nuntil {order=any}\nc > NOOP\nc < NOOP\nend\n", "`order` means nothing", "7:8"),
        ("open c\nrepeat 2\nc < ECHO_RES $h\nend\nc > ECHO_REQ $h\n", "`$h` has no value here", "10:1"),
        ("c > NOOP\n", "`c` is not open here", "6:1"),
        ("open c\nclose c\nc > NOOP\n", "`c` is not open here", "8:1"),
        ("open c c\n", "`c` is open already", "6:1"),
        ("open 5\n", "`5` is not the name of a connection", "6:6"),
        ("open\n", "the name of a connection is missing", "6:4"),
        ("open c\nclose c {within=3s}\n", "takes no attributes", "7:9"),
        ("open c\nc > NOOP {within=3s}\n", "`within` means nothing on this statement", "7:11"),
        ("open c\nc < NOOP {within=3}\n", "`3` is not a value for `within`", "7:18"),
        ("open c\nc > NOOP {magic=\"abc\"}\n", "is not a value for `magic`", "7:17"),
        ("open c\nc > text \"x\" {eol=cr}\n", "`cr` is not a value for `eol`", "7:19"),
        ("open c\nc > text \"x\" {eol}\n", "`eol` is not an attribute", "7:15"),
        ("open c\nc > hex 0\n", "pairs of hexadecimal digits", "7:9"),
        ("open c\nc > SUBMIT_JOB_BG \"a\\0b\" \"\" \"\"\n", "not the last one holds a NUL", "7:1"),
        ("sleep 5\n", "`5` is not a time", "6:7"),
        ("quiet 5ms\n", "the name of a connection, before the time, is missing", "6:9"),
        ("server kill HUPP\n", "`HUPP` is not a signal", "6:13"),
        ("server\n", "what is done to the server is missing", "6:6"),
        ("when epohc\nend\n", "`epohc` is not a feature", "6:6"),
        ("repeat x\nend\n", "`x` is not how often", "6:8"),
        ("repeat 2 as i\nend\n", "`i` is not a variable", "6:13"),
        ("end\n", "`end` without a block", "6:1"),
        ("else\n", "`else` without a block", "6:1"),
        ("open c\nbatch c\nc < NOOP\nend\n", "a batch on `c` only holds `c > ...`", "8:1"),
        ("open c\nunordered\nc > NOOP\nend\n", "`unordered` only holds", "8:1"),
        ("open c\neither\nc < NOOP\nend\n", "`either` begins with an `alt`", "8:1"),
        ("open c\neither\nend\n", "`either` has no alternatives", "7:1"),
        ("open c\neither\nalt good x\nc < NOOP\nend\n", "`good` is not a grade", "8:5"),
        ("open c\neither\nalt ok x\nc > NOOP\nend\n", "an alternative begins with", "8:1"),
        (
            "open c\neither\nalt ok x\nc < NOOP\nalt ok x\nc < NO_JOB\nend\n",
            "the outcome `x` is named twice",
            "10:1",
        ),
        ("open c\nunordered\nelse\nend\n", "`else` does not belong to this block", "8:1"),
        ("finally\nend\nsleep 1s\n", "`finally` is the last statement", "6:1"),
        ("repeat 2\nfinally\nend\nend\n", "`finally` does not stand inside a block", "7:1"),
        ("when epoch\nalt ok x\nend\n", "`alt` belongs to `either`", "7:1"),
    ] {
        let text = findings(body);
        assert!(text.contains(words), "{body}\n{text}");
        assert!(text.contains(&format!("b.gtx:{place}\n")), "{body}\n{text}");
    }
}

#[test]
fn headers_are_checked() {
    let parse = |text: &str| Transcript::parse("b.gtx", text).unwrap_err().to_string();
    let with = |line: &str| parse(&format!("gtx 1\nid: a/b\ntitle: t\nlevel: must\n{line}\n---\n"));
    for (line, words) in [
        ("colour: red", "`colour` is not a header key"),
        ("level: must", "`level` is given twice"),
        ("just words", "a header line is `key: value`"),
        ("  indented", "no block is open"),
        ("within: 3", "`3` is not a value for `within`"),
        ("runs: 0", "`0` is not a value for `runs`"),
        ("exclusive: yes", "expected true or false"),
        ("variants: all", "`all` is not a value for `variants`"),
        ("needs: retires", "`retires` is unknown to `needs`"),
        ("server: {retires=1}", "`retires` is unknown to `server`"),
        ("server: retries=1", "expected settings"),
    ] {
        let text = with(line);
        assert!(text.contains(words), "{line}\n{text}");
    }
    assert!(parse("").contains("`gtx 1` is missing"));
    assert!(parse("gtx 2\n---\n").contains("`gtx 2` is a version of the language this tool does not know"));
    assert!(parse("hello\n---\n").contains("a transcript begins with `gtx 1`"));
    assert!(parse("gtx 1\nid: a/b\n").contains("`---`, which ends the header, is missing"));
    assert!(parse("gtx 1\nid: A\ntitle: t\nlevel: must\n---\n").contains("`A` is not an id"));
    assert!(parse("gtx 1\nid: a/b\ntitle: t\n---\n").contains("the header has no `level`"));
}

#[test]
fn the_rules_of_the_suite_are_warnings() {
    let good = "gtx 1\nid: a/b\ntitle: t\nspec: s\nlevel: must\nexplain:\n  Because.\n---\nopen c\n";
    assert!(lint("a/b.gtx", good).is_ok());
    let warned = |path: &str, text: &str, words: &str| {
        let text = lint(path, text).unwrap_err().to_string();
        assert!(text.contains(words), "{text}");
        assert!(text.contains("warning"), "{text}");
    };
    warned("a/c.gtx", good, "the id does not say where the file is");
    warned("a/b.gtx", &good.replace("explain:\n  Because.\n", ""), "does not explain itself");
    warned("a/b.gtx", &good.replace("spec: s\n", ""), "names no statement");
    warned("a/b.gtx", &good.replace("title: t", "title: t."), "a title has no full stop");
    warned("a/b.gtx", &good.replace("open c", "open  c"), "is not formatted");
    let body = |line: &str| format!("{good}{line}\n");
    warned("a/b.gtx", &body("sleep 1s"), "waits for a second or more");
    warned("a/b.gtx", &body("quiet c 1s"), "waits for a second or more");
    warned("a/b.gtx", &body("server restart"), "controls its server");
    for name in ["\"f\"", "\"f${ns}\"", "@fill(3,\"f\")"] {
        warned("a/b.gtx", &body(&format!("c > CAN_DO {name}")), "does not begin with `${ns}`");
    }
    warned("a/b.gtx", &body("c > text \"maxqueue f 1\""), "does not begin with `${ns}`");
    assert!(lint("a/b.gtx", &body("c > CAN_DO \"${ns}f\"")).is_ok());
    assert!(lint("a/b.gtx", &body("c > text \"maxqueue ${ns}f 1\"")).is_ok());
}

/// What is found in a case with this body beside these files.
#[track_caller]
fn including(body: &str, files: &[(&str, &str)]) -> String {
    let text = format!("gtx 1\nid: a/b\ntitle: t\nlevel: must\n---\n{body}");
    let find = |path: &str| {
        let text = files.iter().find(|(name, _)| *name == path).map(|(_, text)| (*text).to_owned());
        text.ok_or_else(|| "no such file".to_owned())
    };
    Transcript::parse_with("a/b.gtx", &text, &find).unwrap_err().to_string()
}

#[test]
fn what_is_wrong_in_an_included_file_is_told_where_it_is_included() {
    let part = ("parts/w.gtxi", "gtx 1\n---\nw > CAN_DO \"f\"\n");
    insta::assert_snapshot!(including("open c\ninclude ../parts/w.gtxi\n", &[part]), @r#"
    error: parts/w.gtxi:3: `w` is not open here
     --> a/b.gtx:7:1
      |
    7 | include ../parts/w.gtxi
      | ^^^^^^^^^^^^^^^^^^^^^^^ `open` it first
    "#);
    for (file, words) in [
        ("gtx 1\n---\nopen c\nc > ECHO_REQ 1\n", "a/one.gtxi:4: `1` is not"),
        ("gtx 1\nid: a/c\n---\n", "a/one.gtxi:2: a file that is included has no header"),
        ("gtx 1\n", "a/one.gtxi:1: `---`, which ends the header, is missing"),
        ("gtx 1\n---\nfinally\nend\n", "a/one.gtxi:3: `finally` does not stand in a file that is included"),
        (
            "gtx 1\n---\ninclude one.gtxi\n",
            "a/one.gtxi:3: `one.gtxi` cannot be included: it would include itself",
        ),
        ("gtx 1\n---\ninclude two.gtxi\n", "a/one.gtxi:3: `two.gtxi` cannot be included: no such file"),
        ("gtx 1\n---\nsleep\n", "a/one.gtxi:3: a time is missing"),
    ] {
        let text = including("include one.gtxi\n", &[("a/one.gtxi", file)]);
        assert!(text.contains(words), "{file}\n{text}");
        assert!(text.contains("a/b.gtx:6:"), "{text}");
    }
    assert!(findings("include one.gtxi\n").contains("no files belong to this text"));
}

#[test]
fn files_to_be_included_are_checked_too() {
    let none = |_: &str| Err("no such file".to_owned());
    assert!(lint_included("one.gtxi", "gtx 1\n---\nw > CAN_DO \"f\"\n", &none).is_ok());
    for (text, words) in [
        ("gtx 1\n---\nw  > CAN_DO \"f\"\n", "is not formatted"),
        ("gtx 1\n---\nfinally\nend\n", "does not stand in a file that is included"),
        ("gtx 1\ntitle: t\n---\n", "has no header"),
    ] {
        let found = lint_included("one.gtxi", text, &none).unwrap_err().to_string();
        assert!(found.contains(words), "{found}");
    }
    let case = "gtx 1\nid: a/b\ntitle: t\nspec: s\nlevel: must\nexplain:\n  Because.\n---\nopen w\ninclude one.gtxi\n";
    let with = |text: &'static str| lint_with("a/b.gtx", case, &move |_| Ok(text.to_owned()));
    assert!(with("gtx 1\n---\nw > CAN_DO \"${ns}f\"\n").is_ok());
    let found = with("gtx 1\n---\n\nw > CAN_DO \"f\"\n").unwrap_err().to_string();
    assert!(found.contains("a/one.gtxi:4: this function's name does not begin with `${ns}`"), "{found}");
    assert!(found.contains("a/b.gtx:10:1"), "{found}");
}
