//! Jobs that start at a time.

use crate::script::check;

#[test]
fn an_epoch_job_waits_for_its_time_by_the_wall_clock_and_wakes_a_worker_then() {
    check(
        "
        wall: 1000
        w: can_do f
        w: sleep
        c: submit_epoch f x 1010            c< JobCreated H:1
        w: grab                             w< NoJob
        w: sleep
        time: 9999
        time: 1                             w< Noop
        w: grab                             w< JobAssign H:1 f x
    ",
    );
}

#[test]
fn an_epoch_job_outlives_its_client() {
    check(
        "
        wall: 1000
        w: can_do f
        c: submit_epoch f x 1010            c< JobCreated H:1
        c: closes
        time: 10000
        w: grab                             w< JobAssign H:1 f x
    ",
    );
}

#[test]
fn a_time_that_is_past_or_no_time_is_now() {
    for seconds in ["999", "1000", "-1", "soon", r#""""#] {
        check(&format!(
            "
            wall: 1000
            w: can_do f
            c: submit_epoch f x {seconds}       c< JobCreated H:1
            w: grab                             w< JobAssign H:1 f x
        "
        ));
    }
}

#[test]
fn a_time_too_far_to_be_told_is_never() {
    check(
        "
        wall: 1000
        w: can_do f
        c: submit_epoch f x 99999999999999999999
                                            c< JobCreated H:1
        time: 999999999
        w: grab                             w< NoJob
    ",
    );
}

#[test]
fn what_happens_at_another_time_makes_no_job_due() {
    check(
        "
        wall: 1000
        w: can_do f 5000
        c: submit_bg f x                    c< JobCreated H:1
        w: grab                             w< JobAssign H:1 f x
        c: submit_epoch f later 1010        c< JobCreated H:2
        time: 5000
        w: grab                             w< JobAssign H:1 f x
        w: grab                             w< NoJob
    ",
    );
}

#[test]
fn a_scheduled_job_hides_nothing() {
    check(
        "
        wall: 1000
        w: can_do f
        c: submit_epoch f later 2000        c< JobCreated H:1
        w: sleep
        c: submit_low_bg f low              c< JobCreated H:2
                                            w< Noop
        w: grab                             w< JobAssign H:2 f low
        w: sleep
        c: submit_bg f normal               c< JobCreated H:3
                                            w< Noop
        w: grab                             w< JobAssign H:3 f normal
        w: grab                             w< NoJob
    ",
    );
}

#[test]
fn a_due_job_joins_the_back_of_its_queue() {
    check(
        "
        wall: 1000
        w: can_do f
        c: submit_epoch f two 1002          c< JobCreated H:1
        c: submit_epoch f one 1001          c< JobCreated H:2
        c: submit_bg f now                  c< JobCreated H:3
        time: 5000
        c: submit_bg f late                 c< JobCreated H:4
        w: grab                             w< JobAssign H:3 f now
        w: grab                             w< JobAssign H:2 f one
        w: grab                             w< JobAssign H:1 f two
        w: grab                             w< JobAssign H:4 f late
    ",
    );
}

#[test]
fn a_scheduled_job_is_live() {
    check(
        "
        wall: 1000
        c: submit_epoch f x 2000            c< JobCreated H:1
        c$ status                           c> f 1 0 0
                                            c> .
        c$ prioritystatus                   c> f 0 1 0 0
                                            c> .
        c$ show jobs                        c> H:1 0 0 1
                                            c> .
        c: get_status H:1                   c< Status H:1 1 0 0 0
        c$ drop function f                  c> ERR there are still connected workers or executing clients
    ",
    );
}

#[test]
fn a_scheduled_job_counts_for_its_queue_limit() {
    check(
        "
        wall: 1000
        c$ maxqueue f 1                     c> OK
        c: submit_epoch f x 2000            c< JobCreated H:1
        c: submit_bg f x                    c< Error QUEUE_ERROR Job queue is full
        c: submit_epoch f x 2000            c< Error QUEUE_ERROR Job queue is full
    ",
    );
}

#[test]
fn a_submit_of_the_same_key_joins_a_scheduled_job_and_waits_with_it() {
    check(
        "
        wall: 1000
        w: can_do f
        c: submit_epoch f x 1010 unique=u   c< JobCreated H:1
        d: submit f x unique=u              d< JobCreated H:1
        e: submit_bg f x unique=u           e< JobCreated H:1
        w: grab                             w< NoJob
        time: 10000
        w: grab                             w< JobAssign H:1 f x
        w: complete H:1 y                   d< WorkComplete H:1 y
    ",
    );
}

#[test]
fn an_epoch_submit_that_meets_a_live_job_joins_it() {
    check(
        "
        wall: 1000
        w: can_do f
        c: submit f x unique=u              c< JobCreated H:1
        d: submit_epoch f x 2000 unique=u   d< JobCreated H:1
        c: closes
        w: grab                             w< JobAssign H:1 f x
    ",
    );
}

#[test]
fn a_watcher_that_leaves_a_scheduled_job_changes_nothing() {
    check(
        "
        wall: 1000
        w: can_do f
        c: submit_epoch f x 1010 unique=u   c< JobCreated H:1
        d: submit f x unique=u              d< JobCreated H:1
        d: closes
        time: 10000
        w: grab                             w< JobAssign H:1 f x
    ",
    );
}

#[test]
fn a_scheduled_job_can_be_cancelled() {
    check(
        "
        wall: 1000
        w: can_do f
        w: sleep
        c: submit_epoch f x 1010            c< JobCreated H:1
        c$ cancel job H:1                   c> OK
        time: 20000
        w: grab                             w< NoJob
    ",
    );
}

#[test]
fn the_wall_clock_may_be_stepped_forward() {
    check(
        "
        wall: 1000
        w: can_do f
        w: sleep
        c: submit_epoch f x 2000            c< JobCreated H:1
        time: 10
        wall: 2000                          w< Noop
    ",
    );
}

#[test]
fn the_wall_clock_may_be_stepped_back() {
    check(
        "
        wall: 1000
        w: can_do f
        w: sleep
        c: submit_epoch f x 1010            c< JobCreated H:1
        time: 9000
        wall: 1000
        time: 9999
        time: 1                             w< Noop
    ",
    );
}

#[test]
fn a_due_job_wakes_as_many_as_any_other() {
    let config = gearman_engine::Config { worker_wakeup: Some(1), ..crate::script::config() };
    crate::script::check_with(
        &config,
        "
        wall: 1000
        v: can_do f
        w: can_do f
        v: sleep
        w: sleep
        c: submit_epoch f x 1001            c< JobCreated H:1
        c: submit_epoch f y 1001            c< JobCreated H:2
        time: 500
        time: 500                           v< Noop
                                            w< Noop
    ",
    );
}

#[test]
fn a_lost_worker_does_not_put_a_due_job_back_into_the_calendar() {
    check(
        "
        wall: 1000
        v: can_do f
        w: can_do f
        c: submit_epoch f x 1001            c< JobCreated H:1
        time: 1000
        v: grab                             v< JobAssign H:1 f x
        wall: 900
        v: closes
        w: grab                             w< JobAssign H:1 f x
    ",
    );
}
