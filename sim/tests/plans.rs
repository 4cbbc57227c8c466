//! Plans as files.
#![expect(clippy::unwrap_used, reason = "a test that cannot go on says so with a panic")]

use gearman_sim::plan::{Mix, Plan, VERSION};
use serde_json::{Value, json};

/// A change to a plan's JSON.
type Edit = fn(&mut Value);

/// Seed 3 has one server.
fn edited(seed: u64, edit: impl FnOnce(&mut Value)) -> Result<Plan, String> {
    let mut json = serde_json::from_str(&Plan::draw(seed, &Mix::everything()).to_json()).unwrap();
    edit(&mut json);
    Plan::from_json(&json.to_string()).map_err(|error| error.to_string())
}

fn refusal(edit: impl FnOnce(&mut Value)) -> String {
    let error = edited(3, edit).unwrap_err();
    assert!(!error.contains('\n'), "more than one line: {error}");
    error
}

#[test]
fn a_plan_survives_being_saved() {
    for seed in 0..200 {
        let plan = Plan::draw(seed, &Mix::everything());
        assert_eq!(Plan::from_json(&plan.to_json()), Ok(plan), "seed {seed}");
    }
}

#[test]
fn leaving_a_class_of_faults_out_leaves_the_others_as_they_were() {
    use gearman_sim::faults::FaultClass;
    let is_a_habit = |class| {
        use FaultClass::{CallTimeout, ClientLeave, HostileBytes, JobTimeout};
        matches!(class, ClientLeave | JobTimeout | CallTimeout | HostileBytes)
    };
    // What is a habit of actors is taken out of the workload as well.
    for &left_out in FaultClass::ALL.iter().filter(|class| !is_a_habit(**class)) {
        for seed in 0..20 {
            let mut whole = Plan::draw(seed, &Mix::everything());
            let classes = FaultClass::ALL.iter().copied().filter(|class| *class != left_out);
            let less = Plan::draw(seed, &Mix::of(classes));
            whole.faults.retain(|fault| fault.deed.class() != left_out);
            whole.world.per_mille.remove(&left_out);
            assert_eq!(less, whole, "seed {seed} without {left_out}");
        }
    }
}

#[test]
fn another_version_is_refused_by_its_number() {
    let error = refusal(|plan| plan["version"] = json!(VERSION + 1));
    assert_eq!(error, "a plan of version 2; this program runs version 1: draw it again from its seed");
    assert_eq!(refusal(|plan| *plan = json!({"seed": 3})), "no plan: it has no version");
    assert!(refusal(|plan| *plan = json!([1, 2])).starts_with("no plan"));
}

#[test]
fn an_unknown_field_is_refused_by_its_name() {
    for edit in [
        (|plan: &mut Value| plan["luck"] = json!(7)) as Edit,
        |plan| plan["world"]["luck"] = json!(7),
        |plan| plan["server"]["luck"] = json!(7),
        |plan| plan["hosts"][0]["luck"] = json!(7),
        |plan| plan["workload"]["luck"] = json!(7),
        |plan| plan["workload"]["actors"][1]["luck"] = json!(7),
        |plan| plan["faults"][0]["luck"] = json!(7),
    ] {
        let error = refusal(edit);
        assert!(error.contains("unknown field `luck`"), "{error}");
    }
}

#[test]
fn a_plan_that_speaks_of_what_it_does_not_have_is_refused() {
    let cases: [(Edit, &str); 19] = [
        (|plan| plan["world"]["tick_ms"] = json!(0), "world.tick_ms is 0"),
        (|plan| plan["world"]["window"] = json!(0), "world.window is 0"),
        (|plan| plan["world"]["per_mille"] = json!({"partition": 3}), "speaks of partition"),
        (|plan| plan["hosts"] = json!([]), "there are 0 hosts"),
        (|plan| plan["world"]["per_mille"] = json!({"short-read": 1001}), "hits 1001 of 1000"),
        (|plan| plan["hosts"][0]["name"] = json!("server"), "a name of its own"),
        (|plan| plan["hosts"][1]["name"] = plan["hosts"][0]["name"].clone(), "a name of its own"),
        (|plan| plan["workload"]["actors"][0]["worker"]["capacity"] = json!(0), "job at a time"),
        (|plan| plan["server"]["min_job_timeout_ms"] = json!(0), "server: minimum job timeout is zero"),
        (|plan| plan["hosts"][0]["actors"] = json!([]), "actor 0 lives on 0 hosts"),
        (|plan| plan["workload"]["functions"] = json!(["a\nb"]), "workload.functions"),
        (
            |plan| {
                plan["faults"] =
                    json!([{"when": {"at": 5}, "deed": {"worker-crash": {"host": 99, "down_ms": 5}}}])
            },
            "faults[0]: there is no host 99",
        ),
        (
            |plan| plan["faults"] = json!([{"when": {"at": 5}, "deed": {"leave": {"whom": {"actor": 99}}}}]),
            "faults[0]: there is no actor 99",
        ),
        (|plan| plan["workload"]["servers"] = json!(9), "workload.servers is 9; 1 to 4 can be run"),
        (
            |plan| plan["workload"]["actors"][2]["servers"] = json!([0, 3]),
            "actor 2 must know at least one of the 1 servers, and no other",
        ),
        (
            |plan| {
                plan["faults"] =
                    json!([{"when": {"at": 5}, "deed": {"server-pause": {"server": 1, "for_ms": 5}}}])
            },
            "faults[0]: there is no server 1",
        ),
        (
            |plan| {
                plan["faults"] =
                    json!([{"when": {"at": 5}, "deed": {"worker-pause": {"host": 99, "for_ms": 5}}}])
            },
            "faults[0]: there is no host 99",
        ),
        (
            |plan| {
                plan["faults"] =
                    json!([{"when": {"at": 5}, "deed": {"reconnect-storm": {"hosts": [1, 99], "for_ms": 5}}}])
            },
            "faults[0]: there is no host 99",
        ),
        (
            |plan| {
                plan["faults"] =
                    json!([{"when": {"at": 5}, "deed": {"half-open": {"whom": {"actor": 99}, "for_ms": 5}}}])
            },
            "faults[0]: there is no actor 99",
        ),
    ];
    for (edit, wanted) in cases {
        let error = refusal(edit);
        assert!(error.contains(wanted), "{error:?} does not say {wanted:?}");
    }
}

#[test]
fn a_plan_that_would_not_end_is_refused() {
    let greatest = json!(u32::MAX);
    let cases: [(&str, &[&str]); 6] = [
        ("workload.storm_ms", &["workload", "storm_ms"]),
        ("hosts.0.latency_ms", &["hosts", "0", "latency_ms"]),
        ("world.window", &["world", "window"]),
        ("server.wakeup_timeout_ms", &["server", "wakeup_timeout_ms"]),
        ("workload.actors.0.starts_ms", &["workload", "actors", "0", "starts_ms"]),
        (
            "workload.actors.0.worker.acts.0.works_ms",
            &["workload", "actors", "0", "worker", "acts", "0", "works_ms"],
        ),
    ];
    for (name, path) in cases {
        let pointer = format!("/{}", path.join("/"));
        let error = refusal(|plan| *plan.pointer_mut(&pointer).unwrap() = greatest.clone());
        assert_eq!(error, format!("{name} is 4294967295; 3600000 is the most that can be run"));
    }
    let size = refusal(|plan| {
        plan["workload"]["actors"][0]["worker"]["acts"] =
            json!([{"reports": [], "works_ms": 1, "end": {"complete": 4_000_000_000_u32}}])
    });
    assert!(size.contains("end.complete is 4000000000"), "{size}");
    // Each is allowed alone, and there are as many as there are jobs.
    let slow = refusal(|plan| {
        plan["workload"]["actors"][0]["worker"]["acts"] =
            json!([{"reports": [], "works_ms": 3_600_000, "end": "fail"}])
    });
    assert!(slow.contains("s of simulated time; 7200 s can be run"), "{slow}");
}

#[test]
fn a_plan_that_does_not_speak_of_servers_has_one() {
    let plan = edited(3, |plan| {
        plan["workload"].as_object_mut().unwrap().remove("servers");
        for actor in plan["workload"]["actors"].as_array_mut().unwrap() {
            actor.as_object_mut().unwrap().remove("servers");
            actor.as_object_mut().unwrap().remove("roams");
        }
    });
    assert_eq!(plan.unwrap(), Plan::draw(3, &Mix::everything()));
}
