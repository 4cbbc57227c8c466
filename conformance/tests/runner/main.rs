//! The runner against a server that deviates on purpose: every check is seen to hold and seen to fail.

#![expect(clippy::unwrap_used, reason = "a test that cannot go on fails by panicking")]

mod clients;
mod exits;
mod fake;
mod recording;
mod signals;
mod statements;
mod verdicts;

use gearman_conformance::language::{Transcript, escaped};

/// A transcript with this body; `${NAME...}` holes are filled by the tests before it is read.
fn transcript(header: &str, body: &str) -> Transcript {
    let text = format!("gtx 1\nid: test/case\ntitle: a test\nlevel: must\n{header}---\n{body}");
    Transcript::parse("test/case.gtx", &text).unwrap_or_else(|findings| panic!("{findings}"))
}

/// The order to say one packet of a type with these arguments, as an argument of ECHO_REQ.
fn say(number: u32, arguments: &[&str]) -> String {
    let arguments: Vec<&[u8]> = arguments.iter().map(|argument| argument.as_bytes()).collect();
    format!("\"say {}\"", escaped(&fake::response(number, &arguments)))
}

/// The server that `--launch` starts: this test program again, told so by its environment.
#[test]
fn serve_when_told_to() {
    let Ok(port) = std::env::var("FAKE_PORT") else { return };
    let on_text = match std::env::var("FAKE_ON_TEXT").as_deref() {
        Ok("exit") => "exit",
        Ok("mute") => "mute",
        Ok("insane") => "insane",
        Ok("nothing") => "nothing",
        _ => "",
    };
    fake::serve_here(port.parse().unwrap(), on_text);
}

/// A launch command for it.
fn launch(on_text: &str) -> String {
    let program = std::env::current_exe().unwrap();
    format!(
        "env FAKE_PORT={{port}} FAKE_ON_TEXT={on_text} {} --exact serve_when_told_to --nocapture",
        program.display()
    )
}
