//! What comes of playings: every verdict comes out, and only where it should.

use std::collections::BTreeMap;
use std::sync::Arc;

use gearman_conformance::language::{Transcript, Variant};
use gearman_conformance::launch::Launch;
use gearman_conformance::profile::{Expectation, Expected, Profile, Reason};
use gearman_conformance::report::Exit;
use gearman_conformance::run::{CaseResult, Plan, Target};
use gearman_conformance::suite::{SANITY, Suite};
use gearman_conformance::verdict::{Skip, Verdict};

use super::{fake, launch, transcript};

fn plan(cases: Vec<Transcript>, target: Target) -> Plan {
    Plan {
        cases,
        sanity: Suite::embedded().unwrap().case(SANITY).unwrap().clone(),
        profile: Profile::load("strict").unwrap(),
        target,
        variants: vec![Variant::AsWritten],
        repeat: 1,
        jobs: 1,
        time_scale: 0.3,
        fresh: false,
        allow_destructive: false,
        fail_fast: false,
    }
}

fn attached(case: Transcript) -> Plan {
    plan(vec![case], Target::Attached(fake::serve()))
}

fn launched(cases: Vec<Transcript>) -> Plan {
    plan(cases, Target::Launched(Launch::new(launch("")).unwrap()))
}

fn run(plan: Plan) -> Vec<CaseResult> {
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
    runtime.block_on(async {
        let mut coming = Arc::new(plan).start().await.unwrap();
        let mut results = Vec::new();
        while let Some(result) = coming.next().await {
            results.push(result);
        }
        results
    })
}

/// The verdict on the only case of a plan, with the exit that it asks for.
fn verdict(plan: Plan) -> (Verdict, Exit) {
    let results = run(plan);
    assert_eq!(results.len(), 1);
    (results[0].verdict, Exit::of(&results))
}

fn good() -> Transcript {
    transcript("", "open c\nc > ECHO_REQ \"a\"\nc < ECHO_RES \"a\"\n")
}

fn bad() -> Transcript {
    transcript("", "open c\nc > ECHO_REQ \"a\"\nc < ECHO_RES \"b\"\n")
}

fn graded(grade: &str) -> Transcript {
    let body = format!(
        "open c\nc > ECHO_REQ \"a\"\neither\n  alt {grade} it\n    c < ECHO_RES \"a\"\n  alt ok other\n    c < NOOP\nend\n"
    );
    transcript("", &body)
}

fn expecting(mut plan: Plan, how: Expected) -> Plan {
    plan.profile.expected =
        BTreeMap::from([("test/case".to_owned(), Expectation { how, reason: Reason::new("a test") })]);
    plan
}

#[test]
fn grades_become_verdicts() {
    assert_eq!(verdict(attached(good())), (Verdict::Pass, Exit::Met));
    assert_eq!(verdict(attached(bad())), (Verdict::Fail, Exit::NotMet));
    assert_eq!(verdict(attached(graded("ok"))), (Verdict::Pass, Exit::Met));
    assert_eq!(verdict(attached(graded("non-strict"))), (Verdict::NonStrict, Exit::Met));
    assert_eq!(verdict(attached(graded("info"))), (Verdict::Info, Exit::Met));
    assert_eq!(verdict(attached(graded("wrong"))), (Verdict::Fail, Exit::NotMet));
}

#[test]
fn an_expected_failure_must_fail_and_at_its_place() {
    let at = |text: &str| Expected::FailsAt(text.to_owned());
    assert_eq!(verdict(expecting(attached(bad()), at("c < ECHO_RES"))), (Verdict::ExpectedFail, Exit::Met));
    assert_eq!(verdict(expecting(attached(bad()), at("open"))), (Verdict::Fail, Exit::NotMet));
    assert_eq!(
        verdict(expecting(attached(good()), at("c < ECHO_RES"))),
        (Verdict::UnexpectedPass, Exit::NotMet)
    );
}

#[test]
fn an_expected_outcome_must_come_out() {
    let outcome = |name: &str| Expected::Outcomes(vec![name.to_owned()]);
    assert_eq!(
        verdict(expecting(attached(graded("wrong")), outcome("it"))),
        (Verdict::ExpectedFail, Exit::Met)
    );
    assert_eq!(
        verdict(expecting(attached(graded("non-strict")), outcome("it"))),
        (Verdict::NonStrict, Exit::Met)
    );
    assert_eq!(
        verdict(expecting(attached(graded("wrong")), outcome("other"))),
        (Verdict::Fail, Exit::NotMet)
    );
    assert_eq!(
        verdict(expecting(attached(graded("non-strict")), outcome("other"))),
        (Verdict::Fail, Exit::NotMet)
    );
    assert_eq!(
        verdict(expecting(attached(graded("ok")), outcome("it"))),
        (Verdict::UnexpectedPass, Exit::NotMet)
    );
    assert_eq!(verdict(expecting(attached(bad()), outcome("it"))), (Verdict::Fail, Exit::NotMet));
}

#[test]
fn rounds_that_differ_are_flaky() {
    let turns = || transcript("", "open c\nc > ECHO_REQ \"turn\"\nc < ECHO_RES \"yes\"\n");
    let mut plan = attached(turns());
    plan.repeat = 4;
    assert_eq!(verdict(plan), (Verdict::Flaky { met: 2, rounds: 4, known: false }, Exit::NotMet));
    let mut plan = attached(turns());
    plan.repeat = 4;
    plan.profile.flaky = BTreeMap::from([("test/case".to_owned(), Reason::new("a test"))]);
    assert_eq!(verdict(plan), (Verdict::Flaky { met: 2, rounds: 4, known: true }, Exit::Met));
    let mut plan = attached(transcript("runs: 3\n", "open c\nc > ECHO_REQ \"turn\"\nc < ECHO_RES \"yes\"\n"));
    plan.repeat = 1;
    assert_eq!(verdict(plan).0, Verdict::Flaky { met: 2, rounds: 3, known: false });
}

#[test]
fn a_server_that_ends_has_crashed_and_the_next_case_gets_a_new_one() {
    let crash = transcript("", "open c\nc > ECHO_REQ \"exit\"\nc < ECHO_RES \"exit\"\n");
    let results = run(launched(vec![crash, good()]));
    let verdicts: Vec<Verdict> = results.iter().map(|result| result.verdict).collect();
    assert_eq!(verdicts, [Verdict::Crash, Verdict::Pass]);
    assert_eq!(Exit::of(&results), Exit::Broken);
    assert!(results[0].why.as_ref().unwrap().contains("exit status: 9"), "{:?}", results[0].why);
    let log = results[0].telling_round().unwrap().log.join("\n");
    assert!(log.contains("told to exit"), "{log}");
}

#[test]
fn a_crash_behind_the_last_expectation_is_seen_too() {
    let crash = transcript("", "open c\nc > ECHO_REQ \"exit\"\nc < closed\n");
    assert_eq!(verdict(launched(vec![crash])), (Verdict::Crash, Exit::Broken));
}

#[test]
fn a_server_that_answers_nobody_hangs() {
    let hang = || transcript("", "open c\nc > ECHO_REQ \"mute\"\nc < ECHO_RES \"mute\"\n");
    assert_eq!(verdict(attached(hang())), (Verdict::Hang, Exit::Broken));
    assert_eq!(verdict(launched(vec![hang()])), (Verdict::Hang, Exit::Broken));
}

#[test]
fn a_failure_of_a_server_out_of_its_mind_is_unsound() {
    let lie = transcript("", "open c\nc > ECHO_REQ \"lie\"\nc < ECHO_RES \"lie\"\n");
    assert_eq!(verdict(attached(lie)), (Verdict::Unsound, Exit::NoTarget));
}

#[test]
fn what_cannot_be_played_is_skipped_with_a_reason() {
    let body = "open c\nc > ECHO_REQ \"a\"\nc < ECHO_RES \"b\"\n";
    let skipped = |header: &str, change: fn(&mut Plan)| {
        let mut plan = attached(transcript(header, body));
        change(&mut plan);
        let results = run(plan);
        let is_skipped = matches!(results[0].verdict, Verdict::Skip(_));
        assert_eq!(results[0].why.is_some(), is_skipped);
        results[0].verdict
    };
    let nothing: fn(&mut Plan) = |_| {};
    assert_eq!(skipped("needs: epoch\n", nothing), Verdict::Skip(Skip::Feature));
    assert_eq!(skipped("needs: control\n", nothing), Verdict::Skip(Skip::Control));
    assert_eq!(skipped("server: {retries=1}\n", nothing), Verdict::Skip(Skip::Control));
    assert_eq!(skipped("destructive: true\n", nothing), Verdict::Skip(Skip::Excluded));
    assert_eq!(skipped("destructive: true\n", |plan| plan.allow_destructive = true), Verdict::Fail);
    let exclude: fn(&mut Plan) = |plan| {
        plan.profile.excluded = BTreeMap::from([("test/case".to_owned(), Reason::new("a test"))]);
    };
    assert_eq!(skipped("", exclude), Verdict::Skip(Skip::Excluded));
    let settings = transcript("server: {retries=1}\n", body);
    assert_eq!(verdict(launched(vec![settings])).0, Verdict::Skip(Skip::Feature));
}

#[test]
fn a_launched_server_can_be_controlled() {
    let restart = "needs: control\n";
    let body = "open c\nserver stop\nc > ECHO_REQ \"a\"\nquiet c 500ms\nserver cont\nc < ECHO_RES \"a\"\nserver restart\n\
                c < closed\nserver ready\nclose c\nopen c\nfence c\nserver kill KILL\nc < closed\nserver start\nopen d\nfence d\n";
    let results = run(launched(vec![transcript(restart, body)]));
    assert_eq!(results[0].verdict, Verdict::Pass, "{:?}", results[0].telling_round());
    for refused in ["server kill KILL\nserver stop\n", "finally\n  server kill KILL\n  server stop\nend\n"] {
        let results = run(launched(vec![transcript(restart, refused), good()]));
        let verdicts: Vec<Verdict> = results.iter().map(|result| result.verdict).collect();
        assert_eq!(verdicts, [Verdict::Fail, Verdict::Pass]);
    }
}

#[test]
fn timed_cases_are_played_as_written_only_and_others_in_all_variants() {
    let body = "open c\nc > ECHO_REQ \"a\"\nc < ECHO_RES \"a\"\n";
    let count = |header: &str| {
        let mut plan = attached(transcript(header, body));
        plan.variants = Variant::ALL.to_vec();
        run(plan).len()
    };
    assert_eq!(count(""), 4);
    assert_eq!(count("tags: time\n"), 1);
    assert_eq!(count("variants: as-written split\n"), 2);
}

#[test]
fn a_fresh_server_remembers_nothing_of_the_round_before() {
    let turns = || transcript("", "open c\nc > ECHO_REQ \"turn\"\nc < ECHO_RES \"yes\"\n");
    let twice = |fresh| Plan { repeat: 2, fresh, ..launched(vec![turns()]) };
    let flaky = Verdict::Flaky { met: 1, rounds: 2, known: false };
    assert_eq!(verdict(twice(false)).0, flaky);
    assert_eq!(verdict(twice(true)).0, Verdict::Pass);
}

#[test]
fn fail_fast_begins_nothing_more() {
    let mut plan = plan(vec![bad(), good(), good()], Target::Attached(fake::serve()));
    plan.fail_fast = true;
    assert_eq!(run(plan).len(), 1);
}

#[test]
fn many_workers_play_everything_once() {
    let mut plan = launched((0..20).map(|_| good()).collect());
    plan.jobs = 4;
    let results = run(plan);
    assert_eq!(results.len(), 20);
    assert_eq!(Exit::of(&results), Exit::Met);
}
