//! The results of several processes, put together.

use super::{program, scratch, text};
use serde_json::{Value, json};
use std::fs;
use std::process::Command;

/// Runs a part of a campaign, saves its results, and gives their file and how it ended.
fn results(name: &str, arguments: &[&str]) -> (String, i32) {
    let file = scratch(name);
    let file = file.to_str().unwrap();
    let output = program(&[arguments, &["--json", file]].concat());
    (file.to_owned(), output.status.code().unwrap())
}

fn read(file: &str) -> Value {
    serde_json::from_str(&fs::read_to_string(file).unwrap()).unwrap()
}

/// What does not depend on how fast the machines were.
fn summary(file: &str) -> Value {
    let mut summary = read(file)["summary"].take();
    summary["took_ms"] = json!(0);
    summary
}

/// The end of the report of these files, what it says, and the file of its results.
fn report(name: &str, files: &[&str]) -> (i32, String, String) {
    let file = scratch(name);
    let file = file.to_str().unwrap();
    let output = program(&[&["report", "--json", file], files].concat());
    let said = text(&output.stdout) + &text(&output.stderr);
    (output.status.code().unwrap(), said, file.to_owned())
}

#[test]
fn the_results_of_all_shards_are_those_of_the_whole() {
    for (stage, seeds) in [("bare", "0..130"), ("turmoil", "3..10")] {
        let arguments = ["--stage", stage, "--seeds", seeds];
        let (whole, code) = results(&format!("{stage}-whole.json"), &arguments);
        let shards: Vec<String> = ["1/3", "2/3", "3/3"]
            .iter()
            .map(|shard| {
                let name = format!("{stage}-{}.json", &shard[..1]);
                results(&name, &[&arguments[..], &["--shard", shard]].concat()).0
            })
            .collect();
        let files: Vec<&str> = shards.iter().map(String::as_str).collect();
        // Two and one first: put together is as good as run together.
        let (_, _, two) = report(&format!("{stage}-two.json"), &files[..2]);
        let (end, said, all) = report(&format!("{stage}-all.json"), &[files[2], &two]);
        assert_eq!(end, code, "{said}");
        assert_eq!(summary(&all), summary(&whole), "{stage}");
        assert_eq!(read(&all)["campaign"], read(&whole)["campaign"]);
        assert!(said.starts_with("3 parts of a campaign"), "{said}");
    }
}

#[test]
fn the_first_seed_that_failed_anywhere_decides() {
    let arguments = ["--seeds", "0..4", "--sabotage", "end-twice"];
    let (first, _) = results("wrong-1.json", &[&arguments[..], &["--shard", "1/2"]].concat());
    let (second, _) = results("wrong-2.json", &[&arguments[..], &["--shard", "2/2"]].concat());
    let (end, said, _) = report("wrong.json", &[&second, &first]);
    assert_eq!(end, 1, "{said}");
    assert!(said.contains("seed 0 is wrong: one-terminal at "), "{said}");
    assert!(said.contains("cargo sim replay 0 --sabotage end-twice --trace"), "{said}");
}

#[test]
fn seeds_that_differ_in_another_process_are_in_the_results() {
    let arguments = ["--seeds", "0..4", "-j", "1", "--plant", "hash-order", "--check"];
    let (file, code) = results("differs.json", &arguments);
    let (end, said, _) = report("differs-all.json", &[&file]);
    assert_eq!((code, end), (5, 5), "{said}");
    assert!(said.contains("is not deterministic: another process saw something else"), "{said}");
}

#[test]
fn a_shard_that_is_not_there_ends_with_6_and_is_named() {
    let (file, _) = results("lonely.json", &["--stage", "bare", "--seeds", "0..8", "--shard", "2/2"]);
    let (end, said, _) = report("lonely-all.json", &[&file]);
    assert_eq!(end, 6, "{said}");
    assert!(said.contains("seeds 0..=7, shard 1/2: not in these results"), "{said}");
}

#[test]
fn what_is_of_no_campaign_or_of_another_is_refused_in_a_line() {
    let bare = ["--stage", "bare", "--seeds", "0..4"];
    let (file, _) = results("one.json", &bare);
    let (other, _) = results("other.json", &["--seeds", "4..5"]);
    let changed = |name: &str, edit: fn(&mut Value)| {
        let mut json = read(&file);
        edit(&mut json);
        let changed = scratch(name);
        fs::write(&changed, json.to_string()).unwrap();
        changed.to_str().unwrap().to_owned()
    };
    let old = changed("old.json", |json| json["version"] = json!(1));
    let odd = changed("odd.json", |json| json["summary"]["census"]["SUBMIT_ALL"] = json!(1));
    let rule = changed("rule.json", |json| json["summary"]["armed"]["golden"] = json!(1));
    let plans = changed("plans.json", |json| {
        json["campaign"]["plans"] = json!(99);
        json["parts"][0]["seeds"] = json!("9..=12");
    });
    let empty = scratch("empty.json");
    fs::write(&empty, "").unwrap();
    let none = scratch("no-results");
    fs::create_dir_all(&none).unwrap();
    let cases: [(&[&str], &str); 9] = [
        (&["/no/such/results.json"], "No such file"),
        (&[none.to_str().unwrap()], "none of the directories has a file"),
        (&[empty.to_str().unwrap()], "its campaign has not come to an end"),
        (&[&old], "results of version 1; this program reads version 3"),
        (&[&odd], "there is no operation \"SUBMIT_ALL\""),
        (&[&rule], "there is no rule \"golden\""),
        (
            &[&file, &other],
            "its choice of flags differs from that of the first results, none from --stage bare",
        ),
        (&[&file, &plans], "its version of plans differs from that of the first results, 99 from 1"),
        (&[&file, &file], "may overlap"),
    ];
    for (files, wanted) in cases {
        let output = program(&[&["report"], files].concat());
        let said = text(&output.stderr);
        assert_eq!(output.status.code(), Some(2), "{files:?}: {said}");
        assert!(said.starts_with("gearman-sim: ") && said.contains(wanted), "{files:?}: {said}");
        assert_eq!(said.lines().count(), 1, "{files:?}: {said}");
    }
}

#[test]
fn the_part_of_a_pod_is_that_of_its_index() {
    let run = |index: Option<&str>, shard: &str| {
        let mut command = Command::new(env!("CARGO_BIN_EXE_gearman-sim"));
        command
            .args(["--stage", "bare", "--seeds", "0..5", "--shard", shard])
            .env_remove("JOB_COMPLETION_INDEX");
        index.map(|index| command.env("JOB_COMPLETION_INDEX", index));
        let output = command.output().unwrap();
        (output.status.code().unwrap(), text(&output.stdout), text(&output.stderr))
    };
    let (code, said, _) = run(Some("1"), "index/2");
    assert_eq!(code, 0, "{said}");
    assert!(said.starts_with("2 seeds, "), "{said}");
    for (index, shard, wanted) in [
        (None, "index/2", "JOB_COMPLETION_INDEX is not set"),
        (Some("2"), "index/2", "JOB_COMPLETION_INDEX is 2, and of 2 parts the last has 1"),
        (Some("first"), "index/2", "both are numbers"),
        (Some("0"), "index/many", "both are numbers"),
    ] {
        let (code, _, said) = run(index, shard);
        assert_eq!(code, 2, "{said}");
        assert!(said.contains(wanted) && said.lines().count() == 1, "{said}");
    }
}

#[test]
fn operations_are_shown_with_where_the_jobs_were() {
    let output = program(&["--stage", "bare", "--seeds", "0..20", "--operations"]);
    let said = text(&output.stdout);
    assert_eq!(output.status.code(), Some(0), "{said}");
    let row = said.lines().find(|line| line.starts_with("cancel job ")).unwrap_or_default();
    assert_eq!(row.split_whitespace().count(), 2 + 2 + 6, "{said}");
}
