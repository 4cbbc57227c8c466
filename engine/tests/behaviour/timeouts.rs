//! CAN_DO_TIMEOUT.

use crate::script::{check, check_with, config};
use gearman_engine::Config;
use std::time::Duration;

#[test]
fn a_job_that_takes_too_long_is_requeued_and_nobody_is_told() {
    check(
        "
        w: can_do f 1500
        c: submit f x                       c< JobCreated H:1
        w: grab                             w< JobAssign H:1 f x
        time: 1499
        c: get_status H:1                   c< Status H:1 1 1 0 0
        time: 1
        c: get_status H:1                   c< Status H:1 1 0 0 0
        c$ show jobs                        c> H:1 1 0 0
                                            c> .
    ",
    );
}

#[test]
fn a_requeued_job_wakes_a_sleeper() {
    check(
        "
        v: can_do f
        w: can_do f 1000
        c: submit f x                       c< JobCreated H:1
        w: grab                             w< JobAssign H:1 f x
        v: sleep
        time: 1000                          v< Noop
        v: grab                             v< JobAssign H:1 f x
    ",
    );
}

#[test]
fn timeouts_below_a_second_become_a_second() {
    check(
        "
        w: can_do f 9
        c: submit f x                       c< JobCreated H:1
        w: grab                             w< JobAssign H:1 f x
        time: 999
        c: get_status H:1                   c< Status H:1 1 1 0 0
        time: 1
        c: get_status H:1                   c< Status H:1 1 0 0 0
    ",
    );
}

#[test]
fn the_floor_can_be_lowered() {
    let config = Config { min_job_timeout: Duration::from_millis(1), ..config() };
    check_with(
        &config,
        "
        w: can_do f 9
        c: submit f x                       c< JobCreated H:1
        w: grab                             w< JobAssign H:1 f x
        time: 9
        c: get_status H:1                   c< Status H:1 1 0 0 0
    ",
    );
}

#[test]
fn zero_negative_and_non_numeric_timeouts_are_none() {
    for timeout in ["0", "-5", "soon", r#""""#] {
        check(&format!(
            "
            w: can_do f {timeout}
            c: submit f x                       c< JobCreated H:1
            w: grab                             w< JobAssign H:1 f x
            time: 999999999
            c: get_status H:1                   c< Status H:1 1 1 0 0
        "
        ));
    }
}

#[test]
fn a_timeout_too_long_to_be_told_never_strikes() {
    check(
        "
        w: can_do f 99999999999999999999
        c: submit f x                       c< JobCreated H:1
        w: grab                             w< JobAssign H:1 f x
        time: 999999999
        w: complete H:1 y                   c< WorkComplete H:1 y
    ",
    );
}

#[test]
fn the_timer_goes_with_the_end_of_its_job() {
    check(
        "
        w: can_do f 1000
        c: submit f x                       c< JobCreated H:1
        w: grab                             w< JobAssign H:1 f x
        w: complete H:1 y                   c< WorkComplete H:1 y
        c: submit f z                       c< JobCreated H:2
        time: 5000
        c$ status                           c> f 1 0 1
                                            c> .
        w: grab                             w< JobAssign H:2 f z
        w: grab                             w< NoJob
    ",
    );
}

#[test]
fn each_job_of_a_worker_has_a_timer_of_its_own() {
    check(
        "
        w: can_do slow 3000
        w: can_do patient
        w: can_do quick 1000
        c: submit slow x                    c< JobCreated H:1
        c: submit quick y                   c< JobCreated H:2
        c: submit patient z                 c< JobCreated H:3
        w: grab                             w< JobAssign H:2 quick y
        w: grab                             w< JobAssign H:3 patient z
        w: grab                             w< JobAssign H:1 slow x
        time: 1000
        c$ show jobs                        c> H:1 0 0 0
                                            c> H:2 1 0 0
                                            c> H:3 0 0 0
                                            c> .
        time: 2000
        c$ show jobs                        c> H:1 1 0 0
                                            c> H:2 1 0 0
                                            c> H:3 0 0 0
                                            c> .
    ",
    );
}

#[test]
fn the_time_counts_from_the_assignment() {
    check(
        "
        w: can_do f 1000
        time: 5000
        c: submit f x                       c< JobCreated H:1
        time: 5000
        w: grab                             w< JobAssign H:1 f x
        time: 999
        c: get_status H:1                   c< Status H:1 1 1 0 0
        time: 1
        c: get_status H:1                   c< Status H:1 1 0 0 0
    ",
    );
}

#[test]
fn sleep_does_not_stop_the_timer_of_a_job() {
    check(
        "
        w: can_do f 1000
        c: submit f x                       c< JobCreated H:1
        w: grab                             w< JobAssign H:1 f x
        w: sleep
        time: 1000                          w< Noop
        w: grab                             w< JobAssign H:1 f x
    ",
    );
}

#[test]
fn the_timer_belongs_to_the_owner_it_was_armed_for() {
    check(
        "
        w: can_do f 1000
        v: can_do f
        c: submit f x                       c< JobCreated H:1
        w: grab                             w< JobAssign H:1 f x
        time: 500
        w: cant_do f
        v: grab                             v< JobAssign H:1 f x
        time: 5000
        c: get_status H:1                   c< Status H:1 1 1 0 0
    ",
    );
}

#[test]
fn jobs_that_are_late_at_the_same_moment_are_requeued_in_the_order_they_were_assigned() {
    check(
        "
        v: can_do f
        w: can_do f 1000
        c: submit_bg f one                  c< JobCreated H:1
        c: submit_bg f two                  c< JobCreated H:2
        v: grab                             v< JobAssign H:1 f one
        w: grab                             w< JobAssign H:2 f two
        v: closes
        w: grab                             w< JobAssign H:1 f one
        time: 1000
        w: grab                             w< JobAssign H:2 f two
        w: grab                             w< JobAssign H:1 f one
    ",
    );
}

#[test]
fn a_job_that_is_due_comes_before_one_that_is_late_at_the_same_moment() {
    check(
        "
        wall: 1000
        w: can_do f 2000
        c: submit_bg f late                 c< JobCreated H:1
        w: grab                             w< JobAssign H:1 f late
        c: submit_epoch f due 1002          c< JobCreated H:2
        time: 2000
        w: grab                             w< JobAssign H:2 f due
        w: grab                             w< JobAssign H:1 f late
    ",
    );
}

#[test]
fn what_has_passed_happens_in_the_order_of_its_moments() {
    check(
        "
        wall: 1000
        w: can_do f 2000
        c: submit_bg f late                 c< JobCreated H:1
        w: grab                             w< JobAssign H:1 f late
        c: submit_epoch f due 1001          c< JobCreated H:2
        skip: 3000
        w: grab                             w< JobAssign H:2 f due
        w: grab                             w< JobAssign H:1 f late
    ",
    );
}
