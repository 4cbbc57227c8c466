//! Flags from a file.

use crate::program::{Gearmand, LOCAL, command, file, refusal, run};

#[test]
fn the_command_line_wins_over_the_file_and_the_file_over_the_environment() {
    let text = "# gearmand would take these words for flags: --port\n--job-handle-prefix=FILE\n\t--port 0 \
                -L 192.0.2.1\n--verbose INFO";
    let config = file("wins.conf", text);
    let typed =
        ["--config-file", config.to_str().unwrap(), "--job-handle-prefix", "TYPED", "--listen", "127.0.0.1"];
    // The port is the file's: nobody may listen at port 1 of an address that is not ours.
    let gearmand = Gearmand::spawn(command(&typed).env("GEARMAND_PORT", "1"));
    assert_eq!(gearmand.ask("verbose"), "OK INFO");
    gearmand.submit_background("f", "x");
    assert!(gearmand.ask("show jobs").starts_with("TYPED:1\t"));
    gearmand.end("TERM", 0);
}

#[test]
fn the_default_file_may_be_absent_and_another_one_must_be_there() {
    // No test writes to /etc, so the default is absent or an administrator's own, which makes sense.
    assert_eq!(run(&["--check-args"]).0, 0);
    let line = refusal(&["--check-args", "--config-file", "/nonexistent"]);
    assert!(line.starts_with("gearmand: cannot read /nonexistent: "), "{line}");
}

#[test]
fn what_makes_no_sense_in_the_file_is_refused_with_its_name() {
    let nonsense = [
        ("--port=x", "invalid value 'x' for '--port <PORT>'"),
        ("--port=\"4730\"", "invalid value '\"4730\"' for '--port <PORT>'"),
        ("--por 1", "unexpected argument '--por' found"),
        ("some words", "unexpected argument 'some' found"),
        ("--port 1 --port 2", "cannot be used multiple times"),
        ("--ssl", "--ssl cannot be honoured yet"),
        ("--config-file other.conf", "--config-file stands in it"),
    ];
    for (text, expected) in nonsense {
        let config = file("nonsense.conf", text);
        let config = config.to_str().unwrap();
        let line = refusal(&[&LOCAL[..], &["--config-file", config]].concat());
        assert!(line.starts_with(&format!("gearmand: {config}: ")), "{line}");
        assert!(line.contains(expected), "{line}");
    }
}
