//! The program's exit codes, files and words.

use std::process::{Command, Output};

use super::{fake, launch};

fn program(arguments: &[&str]) -> Output {
    Command::new(env!("CARGO_BIN_EXE_gearman-conformance")).args(arguments).output().unwrap()
}

#[track_caller]
pub(super) fn exits(arguments: &[&str], code: i32, words: &str) -> String {
    let output = program(arguments);
    let text = [output.stdout, output.stderr].concat();
    let text = String::from_utf8(text).unwrap();
    assert_eq!(output.status.code(), Some(code), "{arguments:?}: {text}");
    assert!(text.contains(words), "{arguments:?} says:\n{text}");
    assert!(!text.contains('\x1b'), "colours in a pipe:\n{text}");
    text
}

#[test]
fn zero_when_all_is_met() {
    exits(&["sanity", "--target", &fake::serve()], 0, "1 of 1 met");
    exits(&["run", "sanity/*", "--launch", &launch("")], 0, "PASS");
}

#[test]
fn one_when_something_is_not() {
    let text = exits(&["admin/version", "--target", &fake::serve(), "--time-scale", "0.3"], 1, "FAIL");
    assert!(text.contains("admin/version.gtx:"), "{text}");
    assert!(text.contains("expected"), "{text}");
    assert!(text.contains("waiting on the open connections"), "{text}");
    assert!(text.contains("gearman-conformance run admin/version --target 127.0.0.1:"), "{text}");
}

#[test]
fn two_when_the_command_line_makes_no_sense() {
    exits(&["sanity"], 2, "name a server");
    exits(&["no-such-case", "--target", "127.0.0.1:1"], 2, "no case is called `no-such-case`");
    exits(&["sanity", "--skip", "sanity", "--target", "127.0.0.1:1"], 2, "no case is left");
    exits(&["sanity", "--target", "nowhere"], 2, "is not HOST:PORT");
    exits(&["sanity", "--target", "127.0.0.1:1", "--variants", "some"], 2, "--variants `some`");
    exits(&["sanity", "--target", "127.0.0.1:1", "--profile", "no-such"], 2, "profile no-such");
    exits(&["sanity", "--target", "127.0.0.1:1", "--time-scale", "0"], 2, "must be above 0");
    exits(&["sanity", "--peer", "strict"], 2, "does not say how its server is launched");
    exits(&["sanity", "--launch", "true"], 2, "has no {port}");
    exits(&["sanity", "--fresh", "--target", "127.0.0.1:1"], 2, "'--fresh' cannot be used with '--target");
    // Before anybody is asked whether there is a server.
    exits(
        &["sanity", "--target", "127.0.0.1:1", "--json", "/no/such/folder/r.json"],
        2,
        "/no/such/folder/r.json: ",
    );
    exits(
        &["sanity", "--nonsense"],
        2,
        "unexpected argument '--nonsense' found; see gearman-conformance --help",
    );
    exits(&["sanity", "--targe", "127.0.0.1:1"], 2, "; a similar argument exists: '--target'");
    exits(&["no-such.gtx", "--target", "127.0.0.1:1"], 2, "no-such.gtx: No such file");
    exits(&["show", "no/such"], 2, "no case is called `no/such`");
    exits(&["lint", "/nonexistent.gtx"], 2, "/nonexistent.gtx");
}

#[test]
fn what_is_wrong_with_the_command_line_is_said_in_one_line() {
    let lines: [&[&str]; 6] = [
        &["sanity"],
        &["--nonsense"],
        &["--repeat", "0"],
        &["--level", "some"],
        &["--target", "a:1", "--launch", "b"],
        &["fmt"],
    ];
    for arguments in lines {
        let text = exits(arguments, 2, "gearman-conformance: ");
        assert_eq!(text.lines().count(), 1, "{text}");
    }
}

#[test]
fn a_file_is_played_like_a_case() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("own.gtx");
    let path = path.to_str().unwrap();
    let text =
        "gtx 1\nid: own/echo\ntitle: t\nlevel: must\n---\nopen c\nc > ECHO_REQ \"a\"\nc < ECHO_RES \"b\"\n";
    std::fs::write(path, text).unwrap();
    let told = exits(&[path, "--target", &fake::serve()], 1, "FAIL");
    assert!(told.contains(&format!("gearman-conformance run {path} --target")), "{told}");
    std::fs::write(path, text.replace("\"b\"", "\"a\"")).unwrap();
    exits(&[path, "--target", &fake::serve()], 0, "1 of 1 met");
    std::fs::write(path, text.replace("ECHO_RES", "ECHO_RSE")).unwrap();
    exits(&[path, "--target", &fake::serve()], 2, "own.gtx:8:5");
}

#[test]
fn how_the_server_ended_is_compared() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("own.gtx");
    let path = path.to_str().unwrap();
    let text = "gtx 1\nid: own/end\ntitle: t\nlevel: must\nneeds: control\n---\n\
                open c\nc > text \"x\"\nc < closed\nserver refuses\nserver ended 9\n";
    std::fs::write(path, text).unwrap();
    exits(&[path, "--launch", &launch("exit")], 0, "1 of 1 met");
    std::fs::write(path, text.replace("ended 9", "ended 0")).unwrap();
    exits(&[path, "--launch", &launch("exit")], 1, "the server ended otherwise: exit status: 9");
}

#[test]
fn a_server_that_answers_no_text_is_restarted_too() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("own.gtx");
    let path = path.to_str().unwrap();
    let text = "gtx 1\nid: own/restart\ntitle: t\nlevel: must\nneeds: control\n---\n\
                open c\nserver restart\nopen d\nd > ECHO_REQ \"a\"\nd < ECHO_RES \"a\"\n";
    std::fs::write(path, text).unwrap();
    exits(&[path, "--launch", &launch("nothing")], 0, "1 of 1 met");
}

#[test]
fn the_matrix_names_what_each_server_did_and_how_to_see_it_again() {
    let folder = tempfile::tempdir().unwrap();
    let file = |name: &str| folder.path().join(name).display().to_string();
    let (json, html, all) = (file("r.json"), file("m"), file("all.json"));
    let target = fake::serve();
    let arguments = ["admin/version", "sanity", "--target", &target, "--time-scale", "0.3", "--json", &json];
    exits(&arguments, 1, "FAIL");
    exits(&["matrix", &json, "--html", &html, "--json", &all], 0, "1 servers");
    let page = std::fs::read_to_string(file("m/index.html")).unwrap();
    assert!(page.contains("<td class=\"bad\"><a href=\"#admin--version.strict\">"), "{page}");
    assert!(page.contains("<section id=\"admin--version.strict\""));
    assert!(page.contains("<mark>a &lt; text $v:/OK .+/ {eol=lf}</mark>"));
    assert!(
        page.contains(&format!("gearman-conformance run admin/version --target {target} --profile strict"))
    );
    assert!(page.contains("<article id=\"sanity--roundtrip\">"));
    assert!(page.len() < 1_000_000, "{} bytes", page.len());
    for asks in ["<script", "src=", "url(", "href=\"http"] {
        assert!(!page.contains(asks), "the page asks for something elsewhere: {asks}");
    }
    let badge = std::fs::read_to_string(file("m/strict.svg")).unwrap();
    assert!(badge.contains("1 of 2 cases"), "{badge}");
    // What it has written itself, it reads.
    exits(&["matrix", &all, "--html", &html], 0, "1 servers");
}

#[test]
fn the_matrix_shows_what_changed_since_a_baseline() {
    let folder = tempfile::tempdir().unwrap();
    let file = |name: &str| folder.path().join(name).display().to_string();
    let (old, new, html) = (file("old.json"), file("new.json"), file("m"));
    exits(&["sanity", "--target", &fake::serve(), "--json", &old], 0, "1 of 1 met");
    let text = std::fs::read_to_string(&old).unwrap();
    std::fs::write(&new, text.replace("\"PASS\"", "\"FAIL\"")).unwrap();
    let compared = ["matrix", &new, "--baseline", &old, "--html", &html];
    exits(&compared, 0, "changed: strict sanity/roundtrip: PASS -> FAIL");
    let page = std::fs::read_to_string(file("m/index.html")).unwrap();
    assert!(
        page.contains("PASS → <strong>FAIL</strong>") && page.contains("<small>was PASS</small>"),
        "{page}"
    );
    exits(&["matrix", &new, "--baseline", &new, "--html", &html], 0, "1 servers");
    let page = std::fs::read_to_string(file("m/index.html")).unwrap();
    assert!(page.contains("<p>None.</p>"), "{page}");
}

#[test]
fn the_matrix_refuses_what_are_no_results() {
    let folder = tempfile::tempdir().unwrap();
    let file = |name: &str| folder.path().join(name).display().to_string();
    let (json, html) = (file("r.json"), file("m"));
    std::fs::write(&json, "{\"version\": 99, \"profile\": \"p\", \"server\": \"s\", \"results\": []}")
        .unwrap();
    exits(&["matrix", &json, "--html", &html], 2, "version 99 of the results is not known, only 1");
    exits(&["matrix", "/nonexistent.json", "--html", &html], 2, "/nonexistent.json: No such file");
    exits(&["matrix", "--html", &html], 2, "or --peers to play now");
}

#[test]
fn a_single_run_has_a_page_of_its_own() {
    let folder = tempfile::tempdir().unwrap();
    let html = folder.path().join("page").display().to_string();
    exits(&["sanity", "--target", &fake::serve(), "--html", &html], 0, "1 of 1 met");
    let page = std::fs::read_to_string(folder.path().join("page/index.html")).unwrap();
    assert!(page.contains("<td class=\"good\">ok</td>"), "{page}");
}

#[test]
fn three_when_there_is_no_sane_target() {
    exits(&["sanity", "--target", "127.0.0.1:1"], 3, "no server at 127.0.0.1:1");
    exits(&["sanity", "--launch", &launch("insane")], 3, "not a sane Gearman server");
    exits(&["sanity", "--launch", "true {port}"], 3, "ended before it accepted a connection");
}

#[test]
fn four_when_the_target_crashes_or_hangs() {
    exits(&["admin/version", "--launch", &launch("exit"), "--time-scale", "0.3"], 4, "CRASH");
    exits(&["admin/version", "--launch", &launch("mute"), "--time-scale", "0.3"], 4, "HANG");
}

#[test]
fn results_are_written_for_machines() {
    let folder = tempfile::tempdir().unwrap();
    let (json, junit) = (folder.path().join("r.json"), folder.path().join("r.xml"));
    let address = fake::serve();
    let arguments = [
        "sanity",
        "admin/version",
        "epoch/past",
        "--target",
        &address,
        "--time-scale",
        "0.3",
        "--profile",
        "gearwright",
        "--skip",
        "nothing",
        "--json",
        json.to_str().unwrap(),
        "--junit",
        junit.to_str().unwrap(),
    ];
    exits(&arguments, 1, "1 of 3 met");
    let text = std::fs::read_to_string(json).unwrap();
    let value: serde_json::Value = serde_json::from_str(&text).unwrap();
    assert_eq!(value["version"], 1);
    assert_eq!(value["exit"], 1);
    let result =
        |id: &str| value["results"].as_array().unwrap().iter().find(|case| case["id"] == id).unwrap().clone();
    assert_eq!(result("sanity/roundtrip")["verdict"], "PASS");
    assert_eq!(result("sanity/roundtrip")["endings"]["c"], "clean");
    let failed = result("admin/version");
    assert_eq!((&failed["verdict"], &failed["met"]), (&"FAIL".into(), &false.into()));
    assert_eq!(failed["failure"]["compared"][0]["same"], false);
    assert!(!failed["timeline"].as_array().unwrap().is_empty());
    let text = std::fs::read_to_string(junit).unwrap();
    assert!(text.contains("<testsuites name=\"gearman-conformance\" tests=\"3\" failures=\"2\">"), "{text}");
    assert!(text.contains("<testcase classname=\"sanity\" name=\"sanity/roundtrip (as-written)\""), "{text}");
    assert!(
        text.contains("<failure message=\"FAIL: `version` is answered by OK and the version\">"),
        "{text}"
    );
}

#[test]
fn lint_and_fmt_judge_files() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("case.gtx");
    let file = path.to_str().unwrap();
    std::fs::write(&path, "gtx 1\nid: x/case\ntitle: t\nlevel: must\n---\nopen  c\n").unwrap();
    exits(&["fmt", "--check", file], 1, "would be changed");
    exits(&["lint", file], 2, "does not explain itself");
    exits(&["fmt", file], 0, file);
    exits(&["fmt", "--check", file], 0, "");
    std::fs::write(&path, "gtx 1\nid: x/case\ntitle: t\nlevel: must\n---\nlisten c\n").unwrap();
    exits(&["lint", file], 2, "does not explain itself");
    std::fs::write(&path, "gtx 1\nid: x/case\ntitle: t\nlevel: must\n---\nopen c d\nc > ECHO_RQ \"x\"\n")
        .unwrap();
    let text = exits(&["lint", file], 2, "did you mean `ECHO_REQ`?");
    assert!(text.contains("case.gtx:7:5"), "{text}");
}

#[test]
fn bless_writes_what_is_seen_and_keeps_reasons() {
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("p.toml").display().to_string();
    let strict = gearman_conformance::profile::Profile::embedded_text("strict").unwrap();
    std::fs::write(&file, strict.replace("harmless", "time-scale = 0.3\nharmless")).unwrap();
    let target = fake::serve();
    let bless = ["bless", "admin/version", "sanity", "--profile", &file, "--target", &target];
    exits(&bless, 0, "new admin/version");
    let written = std::fs::read_to_string(&file).unwrap();
    assert!(written.starts_with("# What a server is held to"), "{written}");
    assert!(written.contains("\"admin/version\" = { fails-at = "), "{written}");
    assert!(!written.contains("sanity/roundtrip"), "{written}");
    // What is expected is met, and a reviewed reason stays.
    exits(&["admin/version", "--profile", &file, "--target", &target], 0, "1 of 1 met");
    let start = written.find("not reviewed:").unwrap();
    let end = start + written[start..].find('"').unwrap();
    let reviewed = format!("{}it has no version; seen on the wire{}", &written[..start], &written[end..]);
    std::fs::write(&file, &reviewed).unwrap();
    exits(&bless, 0, "1 entries under [expected]");
    assert_eq!(std::fs::read_to_string(&file).unwrap(), reviewed);
    exits(&["bless", "--profile", "strict", "--target", &target], 2, "give a path and not an embedded name");
}

#[test]
fn what_is_no_transcript_is_not_formatted() {
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("c.gtx").display().to_string();
    let text = "gtx 1\nid: a/b\ntitle: x\nlevel: must\n---\nopen   c\nc > ECHO_RQE \"x\"\n";
    std::fs::write(&file, text).unwrap();
    exits(&["fmt", &file], 2, "`ECHO_RQE` is not a packet type");
    exits(&["fmt", "--check", &file], 2, "`ECHO_RQE` is not a packet type");
    assert_eq!(std::fs::read_to_string(&file).unwrap(), text);
}

#[test]
fn a_chapter_that_nobody_played_is_told() {
    let arguments = ["persistence", "sanity", "--target", &fake::serve()];
    exits(&arguments, 0, "NOT PLAYED chapter persistence, none of its");
}

#[test]
fn a_failure_in_an_included_file_is_shown_there_with_every_byte_that_differs() {
    let folder = tempfile::tempdir().unwrap();
    let path = |name: &str| folder.path().join(name).display().to_string();
    let header = "gtx 1\nid: test/case\ntitle: a test\nlevel: must\n---\n";
    std::fs::write(path("case.gtx"), format!("{header}open c\ninclude part.gtxi\nfence c\n")).unwrap();
    let part = |answer: &str| {
        let text = format!("gtx 1\n---\nc > ECHO_REQ \"one two\"\nc < ECHO_RES \"{answer}\"\n");
        std::fs::write(path("part.gtxi"), text).unwrap();
    };
    let server = fake::serve();
    let run = [&path("case.gtx"), "--target", &server, "--json", &path("r.json")];
    part("one two");
    exits(&run, 0, "1 of 1 met");
    part("One twO");
    let text = exits(&run, 1, "part.gtxi:4:");
    assert!(text.contains("case.gtx:7 includes it"), "{text}");
    assert!(text.contains("\"One twO\"  \"one two\"\n"), "{text}");
    assert!(text.contains(" ^     ^    ^     ^\n"), "{text}");
    let json = std::fs::read_to_string(path("r.json")).unwrap();
    let json: serde_json::Value = serde_json::from_str(&json).unwrap();
    let failure = &json["results"][0]["failure"];
    assert_eq!((failure["line"].as_u64(), failure["included"]["line"].as_u64()), (Some(7), Some(4)));
    assert_eq!(failure["compared"][1]["marks"]["got"], serde_json::json!([[1, 2], [7, 8]]));
}

#[test]
fn a_server_that_nobody_starts_again_ends_the_run() {
    let port = std::net::TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap().port();
    let command = launch("exit").replace("{port}", &port.to_string());
    let mut server = Command::new("/bin/sh").args(["-c", &command]).spawn().unwrap();
    while std::net::TcpStream::connect(("127.0.0.1", port)).is_err() {
        std::thread::yield_now();
    }
    let address = format!("127.0.0.1:{port}");
    let text =
        exits(&["admin/version", "sanity", "--target", &address], 4, "SERVER GONE it ended in admin/version");
    assert!(text.contains("1 of 2 were not played"), "{text}");
    assert!(!text.contains("sanity/roundtrip"), "{text}");
    server.wait().unwrap();
}
