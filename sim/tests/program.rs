//! The program: what it prints and how it ends.
#![expect(clippy::unwrap_used, reason = "a test that cannot go on says so with a panic")]

#[path = "program/report.rs"]
mod report;

use gearman_sim::plan::{Mix, Plan};
use serde_json::{Value, json};
use std::os::unix::fs::PermissionsExt;
use std::path::PathBuf;
use std::process::{Command, Output, Stdio};
use std::{env, fs};

fn program(arguments: &[&str]) -> Output {
    Command::new(env!("CARGO_BIN_EXE_gearman-sim")).args(arguments).output().unwrap()
}

fn text(bytes: &[u8]) -> String {
    String::from_utf8(bytes.to_vec()).unwrap()
}

/// A file in a directory of this process's own.
fn scratch(name: &str) -> PathBuf {
    let directory = PathBuf::from(env!("CARGO_TARGET_TMPDIR")).join(std::process::id().to_string());
    fs::create_dir_all(&directory).unwrap();
    directory.join(name)
}

fn save(name: &str, plan: &Value) -> String {
    let file = scratch(name);
    fs::write(&file, plan.to_string()).unwrap();
    file.to_str().unwrap().to_owned()
}

fn drawn(seed: u64) -> Value {
    serde_json::from_str(&Plan::draw(seed, &Mix::everything()).to_json()).unwrap()
}

#[test]
fn a_clean_campaign_ends_with_0_and_says_how_rich_it_was() {
    let json = scratch("summary.json");
    let output = program(&["--seeds", "0..6", "-j", "2", "--check", "--json", json.to_str().unwrap()]);
    let said = text(&output.stdout);
    assert_eq!(output.status.code(), Some(0), "{said}{}", text(&output.stderr));
    assert!(said.starts_with("6 seeds, 0 not clean, "), "{said}");
    assert!(
        said.contains("6 seeds did the same in another process with 1 threads and other hash keys"),
        "{said}"
    );
    assert_eq!(text(&output.stderr), "");
    let summary: Value = serde_json::from_str(&fs::read_to_string(json).unwrap()).unwrap();
    assert_eq!(
        (&summary["version"], &summary["summary"]["seeds"], &summary["summary"]["failed"]),
        (&json!(3), &json!(6), &json!([]))
    );
    assert_eq!(summary["parts"], json!([{"seeds": "0..=5", "shard": "1/1", "run": 6, "checked": true}]));
}

#[test]
fn a_broken_rule_ends_with_1_and_one_screen_that_explains_it() {
    let directory = scratch("wrong");
    let output =
        program(&["--seeds", "0..3", "--sabotage", "end-twice", "--out", directory.to_str().unwrap()]);
    let said = text(&output.stdout);
    assert_eq!(output.status.code(), Some(1), "{said}");
    for wanted in
        [" is wrong: one-terminal: ", "the story of H:sim", "cargo sim replay 0 --sabotage end-twice --trace"]
    {
        assert!(said.contains(wanted), "the screen has no {wanted:?}: {said}");
    }
    let lines = said.lines().count();
    assert!((24..=40).contains(&lines), "one screen has {lines} lines: {said}");
    let few = program(&["--seeds", "60", "--sabotage", "end-twice"]);
    let told = "seeds that were not clean;";
    assert!(
        text(&few.stdout).contains(told),
        "the campaign does not say that it ended early: {}",
        text(&few.stdout)
    );
    assert!(!said.contains("happened"), "the tables push what matters from the screen: {said}");
    let plan = directory.join("seed-0.json");
    let again = program(&["replay", plan.to_str().unwrap(), "--sabotage", "end-twice"]);
    assert_eq!(again.status.code(), Some(1), "{}", text(&again.stdout));
}

#[test]
fn a_sabotage_is_caught_by_the_rule_beside_it_and_not_with_that_rule_off() {
    let json = scratch("sabotage.json");
    let output = program(&["sabotage", "low-is-normal", "--json", json.to_str().unwrap()]);
    let said = text(&output.stdout);
    assert_eq!(output.status.code(), Some(0), "{said}");
    assert!(said.contains("1 sabotages, 1 caught by their rule, for which no other stands in"), "{said}");
    let table: Value = serde_json::from_str(&fs::read_to_string(json).unwrap()).unwrap();
    assert_eq!(table["sabotages"][0]["rule"], json!("priority"));
    let list = program(&["sabotage", "--list"]);
    assert_eq!(list.status.code(), Some(0));
    let list = text(&list.stdout);
    assert!(list.contains("low-is-normal                priority "), "{list}");
    assert!(list.contains(" (H-053, R3)\n") && list.contains(" (H-007); needle: a CANT_DO "), "{list}");
    let off = program(&["--seeds", "20", "--sabotage", "low-is-normal", "--rules", "fifo,one-terminal"]);
    assert_eq!(off.status.code(), Some(0), "{}", text(&off.stdout));
}

#[test]
fn bad_input_ends_with_2_and_one_line_that_says_what_is_wrong() {
    let old = save("old.json", &json!({"version": 0}));
    let deaf = {
        let mut plan = drawn(3);
        plan["server"]["worker_wakeup"] = json!(0);
        save("deaf.json", &plan)
    };
    let cases: [(&[&str], &str); 24] = [
        (&["--sneeds", "5"], "unexpected argument '--sneeds' found; see cargo sim --help"),
        (&["frobnicate"], "unrecognized subcommand 'frobnicate'; see cargo sim --help"),
        (&["--seeds", "many"], "write how many seeds (1000)"),
        (&["--faults", "sharknado"], "there is no fault \"sharknado\"; `cargo sim faults` lists them"),
        (&["faults", "--compare", "sharknado"], "there is no fault \"sharknado\""),
        (&["faults", "--compare", "--into", &old], "it has no <!-- faults -->"),
        (&["--rules", "golden"], "there is no rule \"golden\"; `cargo sim rules` lists them"),
        (&["--sabotage", "spanner"], "there is no sabotage \"spanner\""),
        (&["--shard", "3/2"], "such as 1/4"),
        (&["replay"], "<SEED|PLAN>"),
        (&["replay", "/no/such/plan.json"], "/no/such/plan.json: No such file"),
        (&["replay", "18446744073709551616"], "give a seed, 0 to 18446744073709551615, or a plan"),
        (&["replay", &old, "--faults", "none"], "--faults goes with a seed"),
        (&["replay", &deaf], "server: worker wakeup 0 wakes nobody"),
        (&["--seed", "18446744073709551616"], "18446744073709551616"),
        // Before the million seeds, not after.
        (&["--seeds", "1000000", "--json", "/no/such/directory/x.json"], "/no/such/directory/x.json"),
        (&["sabotage", "--json", "/no/such/directory/x.json"], "/no/such/directory/x.json"),
        (
            &["--stage", "loopback", "--gearmand", "/no/such/gearmand"],
            "/no/such/gearmand: there is no such program",
        ),
        (&["replay", "7", "--gearmand", "/bin/true"], "--gearmand is for --stage loopback"),
        (&["--stage", "loopback", "--check"], "a plan does not do the same twice"),
        (&["--stage", "loopback", "--sabotage", "end-twice"], "judges the program as it is"),
        (&["--stage", "loopback", "--faults", "clock-step"], "the wall clock is the whole machine's"),
        (&["sabotage", "--stage", "loopback"], "a process has none; take turmoil or bare"),
        (&["replay", &old], "a plan of version 0; this program runs version 1"),
    ];
    for (arguments, wanted) in cases {
        let output = program(arguments);
        let said = text(&output.stderr);
        assert_eq!(output.status.code(), Some(2), "{arguments:?}: {said}");
        assert!(said.starts_with("gearman-sim: ") && said.contains(wanted), "{arguments:?}: {said}");
        assert_eq!(said.lines().count(), 1, "{arguments:?}: {said}");
    }
}

#[test]
fn a_server_that_does_not_come_up_ends_with_2_and_its_last_words() {
    let script = scratch("no-gearmand");
    fs::write(&script, "#!/bin/sh\necho 'gearmand: no room' >&2\nexit 1\n").unwrap();
    fs::set_permissions(&script, fs::Permissions::from_mode(0o755)).unwrap();
    let output = program(&["replay", "7", "--stage", "loopback", "--gearmand", script.to_str().unwrap()]);
    let said = text(&output.stdout);
    assert_eq!(output.status.code(), Some(2), "{said}{}", text(&output.stderr));
    assert!(said.contains("seed 7 was not run: the server has not come up: gearmand: no room"), "{said}");
}

#[test]
fn a_server_that_has_lived_and_does_not_come_up_again_ends_with_4_and_its_last_words() {
    let script = scratch("lives-once");
    let lines = [
        "#!/bin/sh",
        "if [ -e \"$0.lived\" ]; then printf '%s\\n' 'a panic' 'note: none' >&2; exit 101; fi",
        ": >\"$0.lived\"",
        "echo 'listening on here' >&2",
        "exec sleep 600",
    ];
    fs::write(&script, lines.join("\n")).unwrap();
    fs::set_permissions(&script, fs::Permissions::from_mode(0o755)).unwrap();
    let out = scratch("lives-once.out");
    let (script, out) = (script.to_str().unwrap(), out.to_str().unwrap());
    // Its one server crashes after half a second.
    let seed = ["--stage", "loopback", "--faults", "server-crash", "--seed", "25"];
    let output = program(&[&seed[..], &["--gearmand", script, "--out", out]].concat());
    let said = text(&output.stdout);
    assert_eq!(output.status.code(), Some(4), "{said}{}", text(&output.stderr));
    let wanted =
        "the server has ended by itself: exit status: 101; its last words were\n  a panic\n  note: none\n";
    assert!(said.contains(&format!("a panic at {script}\n  {wanted}")), "{said}");
    let trace = fs::read_to_string(format!("{out}/seed-25.trace")).unwrap();
    assert!(trace.contains("has ended") || trace.contains("down"), "{trace}");
}

#[test]
fn somebody_who_waits_for_ever_ends_with_3_and_is_named() {
    let mut plan = drawn(3);
    // The worker of the core asks once and then not again for an hour.
    plan["workload"]["actors"][0]["worker"]["naps"] = json!([{"poll": 3_600_000}]);
    let output = program(&["replay", &save("stuck.json", &plan)]);
    let said = text(&output.stdout);
    assert_eq!(output.status.code(), Some(3), "{said}");
    assert!(said.contains("seed 3 is stuck") && said.contains("a0 is not at rest"), "{said}");
}

#[test]
fn a_job_that_waits_for_ever_ends_with_3_though_everybody_is_at_rest() {
    for stage in ["bare", "turmoil"] {
        let wrong = ["--sabotage", "noops-lost", "--rules", "fifo", "--stage", stage, "--seeds", "20"];
        let output = program(&wrong);
        let said = text(&output.stdout);
        assert_eq!(output.status.code(), Some(3), "{said}");
        let waits = said.lines().find(|line| line.contains(") has waited since #"));
        assert!(
            said.contains("is stuck: ") && waits.is_some_and(|line| line.contains(" for a worker")),
            "{said}"
        );
    }
}

#[test]
fn a_panic_ends_with_4_and_says_where_it_was() {
    let output = program(&["--seeds", "7..8", "--plant", "panic"]);
    let said = text(&output.stdout);
    assert_eq!(output.status.code(), Some(4), "{said}");
    assert!(said.contains("seed 7: a panic at sim/src/plant.rs:"), "{said}");
    assert!(said.contains("this panic was planted") && !said.contains("stack backtrace"), "{said}");
    assert!(said.contains("cargo sim replay 7 --plant panic --trace"), "{said}");
    let detached = program(&["--seeds", "7..8", "--plant", "detached-panic"]);
    let said = text(&detached.stdout);
    assert_eq!(detached.status.code(), Some(4), "{said}");
    assert!(said.contains("this panic was planted in a task"), "{said}");
}

#[test]
fn what_depends_on_more_than_its_plan_ends_with_5() {
    let clock = program(&["replay", "7", "--plant", "wall-clock"]);
    let said = text(&clock.stdout);
    assert_eq!(clock.status.code(), Some(5), "{said}");
    assert!(said.contains("seed 7 is not deterministic: a host has read the machine's wall clock"), "{said}");

    // One thread, so that each seed of the first process has had the same before it whenever this is run.
    for plant in ["hash-order", "thread", "static"] {
        let arguments = ["--seeds", "0..4", "-j", "1", "--plant", plant];
        let once = program(&arguments);
        let twice = program(&[&arguments[..], &["--check"]].concat());
        let said = text(&twice.stdout);
        assert_eq!((once.status.code(), twice.status.code()), (Some(0), Some(5)), "{plant}: {said}");
        assert!(said.contains("another process saw something else"), "{plant}: {said}");
    }
}

#[test]
fn the_first_difference_between_two_processes_is_shown() {
    let output = program(&["--seeds", "0..4", "--plant", "hash-order", "--check"]);
    let said = text(&output.stdout);
    let line = |start: &str| {
        said.lines().find(|line| line.starts_with(start)).map(|line| line[start.len()..].trim().to_owned())
    };
    assert!(line("  here ").is_some() && line("  here ") != line("  there "), "{said}");
}

#[test]
fn a_campaign_that_is_not_clean_is_run_again_and_keeps_its_exit_code() {
    let wrong = ["--seeds", "0..8", "-j", "1", "--sabotage", "orphan-runs", "--check"];
    let output = program(&wrong);
    let said = text(&output.stdout);
    assert_eq!(output.status.code(), Some(1), "{said}");
    assert!(said.contains("8 seeds did the same in another process"), "{said}");
}

#[test]
fn a_shard_without_seeds_ends_with_6() {
    let empty = program(&["--seeds", "2", "--shard", "3/3"]);
    let said = text(&empty.stdout);
    assert_eq!(empty.status.code(), Some(6), "{said}");
    assert!(said.contains("no seed was run: the shard is empty"), "{said}");
}

#[test]
fn the_greatest_seed_is_run() {
    let output = program(&["--stage", "bare", "--seed", "18446744073709551615"]);
    let said = text(&output.stdout);
    assert_eq!(output.status.code(), Some(0), "{said}{}", text(&output.stderr));
    assert!(said.starts_with("1 seeds, 0 not clean"), "{said}");
}

#[test]
fn a_campaign_without_what_it_was_asked_for_ends_with_6() {
    // A worker that is never slow cannot show whether limits are kept.
    let output =
        program(&["--stage", "bare", "--seeds", "100", "--faults", "none", "--rules", "timeout-late"]);
    let said = text(&output.stdout);
    assert_eq!(output.status.code(), Some(6), "{said}");
    assert!(
        said.contains("nothing was tested") && said.contains("timeout-late could decide: 0.00"),
        "{said}"
    );
}

#[test]
fn a_saved_plan_does_what_its_seed_does() {
    let directory = scratch("plans");
    let seed = program(&["replay", "5", "--out", directory.to_str().unwrap()]);
    let plan = program(&["replay", directory.join("seed-5.json").to_str().unwrap()]);
    let digest = |output: &Output| {
        let said = text(&output.stdout);
        said.lines().find(|line| line.contains("digest")).map(str::to_owned)
    };
    assert_eq!((seed.status.code(), plan.status.code()), (Some(0), Some(0)));
    assert!(digest(&seed).is_some());
    assert_eq!(digest(&seed), digest(&plan));
}

#[test]
fn a_trace_is_printed_in_the_protocols_own_words() {
    let output = program(&["replay", "5", "--trace"]);
    let said = text(&output.stdout);
    assert_eq!(output.status.code(), Some(0), "{said}");
    for wanted in ["server up", "SUBMIT_JOB", "JOB_CREATED H:sim:1", "the storm is over", "\nfaults\n"] {
        assert!(said.contains(wanted), "the trace has no {wanted:?}");
    }
}

#[test]
fn the_lists_are_as_long_as_they_say() {
    for (list, what, least) in [("rules", "rules", 28), ("faults", "classes of faults", 33)] {
        let output = program(&[list]);
        let said = text(&output.stdout);
        let lines = said.lines().count() - 1;
        assert_eq!(output.status.code(), Some(0));
        assert_eq!(said.lines().last(), Some(&*format!("{lines} {what}")));
        assert!(lines >= least, "{lines} {what}");
    }
}

#[test]
fn what_programs_see_of_a_fault_is_compared_with_the_machines_own_sockets() {
    let output = program(&["faults", "--compare", "worker-crash", "store-torn"]);
    let said = text(&output.stdout);
    assert_eq!(output.status.code(), Some(0), "{said}{}", text(&output.stderr));
    for wanted in [
        "| `worker-crash` | server | EOF; then nothing | the same |  |",
        "| read 64, wrote 64; then ECONNRESET when it reads; then nothing | the same |  |",
        "* `store-torn`: ",
    ] {
        assert!(said.contains(wanted), "{said}");
    }
}

/// Whether a process has set a handler for a signal.
fn catches(process: u32, signal: u32) -> bool {
    let status = fs::read_to_string(format!("/proc/{process}/status")).unwrap();
    let caught = status.lines().find_map(|line| line.strip_prefix("SigCgt:")).unwrap();
    u64::from_str_radix(caught.trim(), 16).unwrap() & 1 << (signal - 1) != 0
}

#[test]
fn a_campaign_that_is_told_to_end_ends_with_130_or_143_and_the_summary_so_far() {
    for (signal, number, code) in [("-INT", 2, 130), ("-TERM", 15, 143)] {
        let mut command = Command::new(env!("CARGO_BIN_EXE_gearman-sim"));
        let child = command.args(["--seeds", "1000000", "-j", "1"]).stdout(Stdio::piped()).spawn().unwrap();
        while !catches(child.id(), number) {
            std::thread::yield_now();
        }
        assert!(Command::new("kill").args([signal, &child.id().to_string()]).status().unwrap().success());
        let output = child.wait_with_output().unwrap();
        let said = text(&output.stdout);
        assert_eq!(output.status.code(), Some(code), "{said}");
        assert!(said.contains(" seeds, 0 not clean") && said.contains("interrupted: "), "{said}");
    }
}
