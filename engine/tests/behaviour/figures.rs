//! What is counted of each function, for whoever watches over the server.

use crate::script::{check, check_with, config};
use bytes::Bytes;
use gearman_engine::{Config, ConnectionId, Doors, Effects, Engine, Event};
use gearman_protocol::{AdminRequest, FunctionName, Mode, Priority, Request, Submit, Time, Unique};

#[test]
fn a_job_is_counted_where_it_stands_and_when_it_ends() {
    check(
        "
        w: can_do f
        c: submit f x                       c< JobCreated H:1
        c: submit_high f x                  c< JobCreated H:2
        c: submit_low_bg f x                c< JobCreated H:3
        count: f                            count> 1/1/1 scheduled=0 running=0 workers=1 oldest=0
                                            count> submitted=3
        w: grab                             w< JobAssign H:2 f x
        count: f                            count> 0/1/1 scheduled=0 running=1 workers=1 oldest=0
                                            count> submitted=3
        w: complete H:2 y                   c< WorkComplete H:2 y
        w: grab                             w< JobAssign H:1 f x
        w: fail H:1                         c< WorkFail H:1
        w: grab                             w< JobAssign H:3 f x
        w: exception H:3 x
        count: f                            count> 0/0/0 scheduled=0 running=0 workers=1 oldest=none
                                            count> submitted=3 completed=1 failed=2
    ",
    );
}

#[test]
fn a_submit_that_joins_is_counted_as_coalesced() {
    check(
        "
        c: submit f x unique=u              c< JobCreated H:1
        d: submit_bg f y unique=u           d< JobCreated H:1
        count: f                            count> 0/1/0 scheduled=0 running=0 workers=0 oldest=0
                                            count> submitted=1 coalesced=1
    ",
    );
}

#[test]
fn a_cancelled_job_and_one_that_nobody_waits_for_are_counted() {
    check(
        "
        c: submit f x                       c< JobCreated H:1
        c: submit f x                       c< JobCreated H:2
        d$ cancel job H:1                   c< WorkFail H:1
                                            d> OK
        c: closes
        count: f                            count> 0/0/0 scheduled=0 running=0 workers=0 oldest=none
                                            count> submitted=2 cancelled=1 abandoned=1
    ",
    );
}

#[test]
fn losses_and_what_they_lead_to_are_counted() {
    let config = Config { job_retries: Some(2), ..config() };
    check_with(
        &config,
        "
        w: can_do f 5000
        c: submit f x                       c< JobCreated H:1
        w: grab                             w< JobAssign H:1 f x
        time: 5000
        count: f                            count> 0/1/0 scheduled=0 running=0 workers=1 oldest=0
                                            count> submitted=1 retried=1 timed_out=1
        w: grab                             w< JobAssign H:1 f x
        w: cant_do f                        c< WorkFail H:1
        count: f                            count> 0/0/0 scheduled=0 running=0 workers=0 oldest=none
                                            count> submitted=1 dropped=1 retried=1 timed_out=1
    ",
    );
}

#[test]
fn the_oldest_is_the_first_of_all_queues_and_waits_since_it_may_run() {
    check(
        "
        c: submit_low f x                   c< JobCreated H:1
        time: 100
        c: submit_high f x                  c< JobCreated H:2
        time: 20
        count: f                            count> 1/0/1 scheduled=0 running=0 workers=0 oldest=120
                                            count> submitted=2
        w: can_do f
        w: grab                             w< JobAssign H:2 f x
        w: grab                             w< JobAssign H:1 f x
        w: closes
        time: 3
        count: f                            count> 1/0/1 scheduled=0 running=0 workers=0 oldest=3
                                            count> submitted=2 retried=2
    ",
    );
}

#[test]
fn a_job_that_is_not_due_is_scheduled_and_has_no_age() {
    check(
        "
        wall: 1000
        c: submit_epoch f x 1010            c< JobCreated H:1
        time: 9000
        count: f                            count> 0/0/0 scheduled=1 running=0 workers=0 oldest=none
                                            count> submitted=1
        time: 1500
        count: f                            count> 0/1/0 scheduled=0 running=0 workers=0 oldest=500
                                            count> submitted=1
    ",
    );
}

#[test]
fn a_job_counts_when_the_store_has_it() {
    let config = Config { store: true, ..config() };
    check_with(
        &config,
        "
        c: submit_bg f x                    store< Keep 1 f x
        count: f                            count> 0/0/0 scheduled=0 running=0 workers=0 oldest=none
                                            count>
        store: fails 1                      c< Error QUEUE_ERROR QUEUE_ERROR
        count: f                            count> 0/0/0 scheduled=0 running=0 workers=0 oldest=none
                                            count>
        c: submit_bg f x                    store< Keep 2 f x
        store: keeps 2                      c< JobCreated H:2
        count: f                            count> 0/1/0 scheduled=0 running=0 workers=0 oldest=0
                                            count> submitted=1
        refused:                            refused> store 1
    ",
    );
}

#[test]
fn what_the_store_has_not_answered_is_counted() {
    let mut engine = Engine::new(Config { store: true, ..config() }, 1);
    let from = ConnectionId::new(1);
    let submit = Submit {
        function: FunctionName::new("f").expect("a short name"),
        unique: Unique::default(),
        priority: Priority::Normal,
        mode: Mode::Background,
        reducer: None,
        workload: Bytes::new(),
    };
    engine.handle(Time::ZERO, Event::Opened { from, peer: "::1".to_owned() }, &mut Effects::new());
    for storing in [1, 2] {
        let request = Request::Submit(submit.clone());
        engine.handle(Time::ZERO, Event::Received { from, request }, &mut Effects::new());
        assert_eq!(engine.vitals().storing, storing);
    }
}

#[test]
fn who_has_come_is_counted_and_who_was_sent_away_too() {
    let mut engine = Engine::new(Config { max_connections: 1, ..config() }, 1);
    for number in [1, 2] {
        let from = ConnectionId::new(number);
        engine.handle(Time::ZERO, Event::Opened { from, peer: "::1".to_owned() }, &mut Effects::new());
        assert_eq!(engine.figures().opened, number);
    }
}

#[test]
fn functions_are_read_page_by_page() {
    let mut engine = Engine::new(config(), 1);
    let from = ConnectionId::new(1);
    let mut tell = |event| engine.handle(Time::ZERO, event, &mut Effects::new());
    tell(Event::Opened { from, peer: "::1".to_owned() });
    for name in ["a", "b", "c", "d", "e"] {
        let request = Request::Admin(AdminRequest::CreateFunction(Bytes::from_static(name.as_bytes())));
        tell(Event::Received { from, request });
    }
    let mut seen = String::new();
    let mut next = Some(0);
    while let Some(number) = next {
        let page = engine.functions(number, 2);
        assert!(page.rows.len() <= 2);
        page.rows.iter().for_each(|row| seen.push_str(&String::from_utf8_lossy(row.function.as_bytes())));
        assert!(page.next.is_none_or(|next| next == number + 1));
        next = page.next;
    }
    assert_eq!(seen, "abcde");
    assert_eq!(engine.functions(0, usize::MAX).rows.len(), 5);
    assert_eq!(engine.functions(usize::MAX, usize::MAX).rows.len(), 0);
}
