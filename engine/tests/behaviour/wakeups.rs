//! Who is woken, when, and how often.

use crate::script::{check, check_with, config};
use gearman_engine::Config;
use std::time::Duration;

fn waking(each: u32) -> Config {
    Config { worker_wakeup: Some(each), ..config() }
}

#[test]
fn every_able_sleeper_is_woken_once() {
    check(
        "
        v: can_do f
        w: can_do f
        n: can_do g
        v: sleep
        w: sleep
        n: sleep
        c: submit_bg f x                    c< JobCreated H:1
                                            v< Noop
                                            w< Noop
        c: submit_bg f y                    c< JobCreated H:2
    ",
    );
}

#[test]
fn a_worker_that_is_awake_is_not_woken() {
    check(
        "
        w: can_do f
        c: submit_bg f x                    c< JobCreated H:1
    ",
    );
}

#[test]
fn pre_sleep_is_answered_at_once_if_work_waits() {
    check(
        "
        w: can_do f
        c: submit_bg f x                    c< JobCreated H:1
        w: sleep                            w< Noop
        w: sleep                            w< Noop
        w: grab                             w< JobAssign H:1 f x
        w: sleep
    ",
    );
}

#[test]
fn pre_sleep_without_a_grab_begins_a_new_sleep() {
    check(
        "
        v: can_do f
        w: can_do f
        w: sleep
        c: submit_bg f x                    c< JobCreated H:1
                                            w< Noop
        v: grab                             v< JobAssign H:1 f x
        w: sleep
        c: submit_bg f y                    c< JobCreated H:2
                                            w< Noop
    ",
    );
}

#[test]
fn can_do_while_asleep_wakes_for_what_waits() {
    check(
        "
        w: sleep
        c: submit_bg f x                    c< JobCreated H:1
        w: can_do f                         w< Noop
        w: grab                             w< JobAssign H:1 f x
    ",
    );
}

#[test]
fn can_do_while_asleep_wakes_for_what_comes() {
    check(
        "
        w: sleep
        w: can_do f
        c: submit_bg f x                    c< JobCreated H:1
                                            w< Noop
    ",
    );
}

#[test]
fn other_requests_do_not_end_a_sleep() {
    check(
        "
        w: can_do f
        w: sleep
        w: echo hello                       w< Echo hello
        w: submit_bg g x                    w< JobCreated H:1
        c: submit_bg f x                    c< JobCreated H:2
                                            w< Noop
    ",
    );
}

#[test]
fn a_second_pre_sleep_changes_nothing() {
    check_with(
        &waking(1),
        "
        v: can_do f
        w: can_do f
        v: sleep
        w: sleep
        v: sleep
        c: submit_bg f x                    c< JobCreated H:1
                                            v< Noop
    ",
    );
}

#[test]
fn cant_do_while_asleep_means_no_noop() {
    check(
        "
        w: can_do f
        w: can_do g
        w: sleep
        w: cant_do f
        c: submit_bg f x                    c< JobCreated H:1
        c: submit_bg g x                    c< JobCreated H:2
                                            w< Noop
    ",
    );
}

#[test]
fn with_a_limit_each_job_wakes_so_many_in_the_order_they_fell_asleep() {
    check_with(
        &waking(1),
        "
        u: can_do f
        v: can_do f
        w: can_do f
        v: sleep
        w: sleep
        u: sleep
        c: submit_bg f x                    c< JobCreated H:1
                                            v< Noop
        c: submit_bg f y                    c< JobCreated H:2
                                            w< Noop
        c: submit_bg f z                    c< JobCreated H:3
                                            u< Noop
    ",
    );
}

#[test]
fn with_a_limit_of_two_each_job_wakes_two() {
    check_with(
        &waking(2),
        "
        u: can_do f
        v: can_do f
        w: can_do f
        u: sleep
        v: sleep
        w: sleep
        c: submit_bg f x                    c< JobCreated H:1
                                            u< Noop
                                            v< Noop
        c: submit_bg f y                    c< JobCreated H:2
                                            w< Noop
    ",
    );
}

#[test]
fn a_grab_that_leaves_work_behind_wakes_the_next() {
    check_with(
        &waking(1),
        "
        v: can_do f
        v: can_do g
        w: can_do f
        w: can_do g
        v: sleep
        w: sleep
        c: submit_bg f x                    c< JobCreated H:1
                                            v< Noop
        c: submit_bg g y                    c< JobCreated H:2
        v: grab                             v< JobAssign H:2 g y
                                            w< Noop
    ",
    );
}

#[test]
fn a_woken_worker_that_says_something_else_counts_no_more() {
    check_with(
        &waking(1),
        "
        v: can_do f
        w: can_do f
        v: sleep
        w: sleep
        c: submit_bg f x                    c< JobCreated H:1
                                            v< Noop
        v: echo busy                        v< Echo busy
                                            w< Noop
    ",
    );
}

#[test]
fn a_woken_worker_that_sleeps_again_is_woken_again() {
    check_with(
        &waking(1),
        "
        v: can_do f
        w: can_do f
        v: sleep
        w: sleep
        c: submit_bg f x                    c< JobCreated H:1
                                            v< Noop
        v: sleep                            v< Noop
        v: grab                             v< JobAssign H:1 f x
    ",
    );
}

#[test]
fn a_woken_worker_that_dies_is_replaced() {
    check_with(
        &waking(1),
        "
        v: can_do f
        w: can_do f
        v: sleep
        w: sleep
        c: submit_bg f x                    c< JobCreated H:1
                                            v< Noop
        v: closes                           w< Noop
    ",
    );
}

#[test]
fn a_woken_worker_that_can_no_longer_do_it_is_replaced() {
    check_with(
        &waking(1),
        "
        v: can_do f
        w: can_do f
        v: sleep
        w: sleep
        c: submit_bg f x                    c< JobCreated H:1
                                            v< Noop
        v: cant_do f                        w< Noop
    ",
    );
}

#[test]
fn a_woken_worker_that_hangs_is_replaced() {
    let config = Config { wakeup_timeout: Duration::from_millis(200), ..waking(1) };
    check_with(
        &config,
        "
        u: can_do f
        v: can_do f
        w: can_do f
        u: sleep
        v: sleep
        w: sleep
        c: submit_bg f x                    c< JobCreated H:1
                                            u< Noop
        time: 199
        time: 1                             v< Noop
        v: grab                             v< JobAssign H:1 f x
        time: 1000
        c: submit_bg f y                    c< JobCreated H:2
                                            w< Noop
        u: grab                             u< JobAssign H:2 f y
    ",
    );
}

#[test]
fn a_worker_that_hung_is_awake_when_it_is_heard_of() {
    check_with(
        &waking(1),
        "
        v: can_do f
        w: can_do f
        v: sleep
        c: submit_bg f x                    c< JobCreated H:1
                                            v< Noop
        time: 1000
        v: sleep                            v< Noop
        w: sleep                            w< Noop
        w: grab                             w< JobAssign H:1 f x
        v: sleep
        c: submit_bg f y                    c< JobCreated H:2
                                            v< Noop
    ",
    );
}

#[test]
fn a_lost_worker_wakes_sleepers_for_its_jobs() {
    check(
        "
        v: can_do f
        w: can_do f
        c: submit_bg f x                    c< JobCreated H:1
        v: grab                             v< JobAssign H:1 f x
        w: sleep
        v: closes                           w< Noop
        w: grab                             w< JobAssign H:1 f x
    ",
    );
}

#[test]
fn a_limit_wakes_one_for_each_of_several_requeued_jobs() {
    check_with(
        &waking(1),
        "
        u: can_do f
        v: can_do f
        w: can_do f
        c: submit_bg f x                    c< JobCreated H:1
        c: submit_bg f y                    c< JobCreated H:2
        u: grab                             u< JobAssign H:1 f x
        u: grab                             u< JobAssign H:2 f y
        v: sleep
        w: sleep
        u: closes                           v< Noop
                                            w< Noop
    ",
    );
}

#[test]
fn sleepers_of_one_function_are_not_woken_for_another() {
    check_with(
        &waking(1),
        "
        v: can_do f
        w: can_do f
        w: can_do g
        v: sleep
        w: sleep
        c: submit_bg g x                    c< JobCreated H:1
                                            w< Noop
        c: submit_bg f y                    c< JobCreated H:2
    ",
    );
}

#[test]
fn a_sleeper_that_learns_a_function_comes_after_those_who_knew_it() {
    check_with(
        &waking(1),
        "
        v: can_do g
        v: sleep
        w: can_do f
        w: sleep
        v: can_do f
        c: submit_bg f x                    c< JobCreated H:1
                                            w< Noop
    ",
    );
}

#[test]
fn of_several_functions_the_oldest_wakes_its_sleeper_first() {
    check_with(
        &waking(1),
        "
        u: can_do f
        u: can_do g
        v: can_do g
        w: can_do f
        w: can_do g
        c: submit_bg g y                    c< JobCreated H:1
        c: submit_bg f x                    c< JobCreated H:2
        u: grab                             u< JobAssign H:1 g y
        u: grab                             u< JobAssign H:2 f x
        v: sleep
        w: sleep
        u: closes                           w< Noop
    ",
    );
}
