//! Finish what runs, take nothing new, then exit.

use crate::script::{check, check_with, config};
use gearman_engine::Config;
use std::time::Duration;

#[test]
fn an_idle_server_exits_at_once() {
    check(
        "
        w: can_do f
        w: sleep
        server: drain                       server< StopAccepting
                                            server< Exit Finished
    ",
    );
}

#[test]
fn a_draining_server_refuses_submits_and_ends_what_waits_and_runs() {
    check(
        "
        w: can_do f
        c: submit f x unique=u              c< JobCreated H:1
        c: submit_bg f y                    c< JobCreated H:2
        w: grab                             w< JobAssign H:1 f x
        server: drain                       server< StopAccepting
        c: submit f z                       c< Error SHUTDOWN_GRACEFUL Server is shutting down
        c: submit_bg f z                    c< Error SHUTDOWN_GRACEFUL Server is shutting down
        d: submit f x unique=u              d< Error SHUTDOWN_GRACEFUL Server is shutting down
        w: complete H:1 a                   c< WorkComplete H:1 a
        w: sleep                            w< Noop
        w: grab                             w< JobAssign H:2 f y
        w: complete H:2 b                   server< Exit Finished
        w: grab                             w< NoJob
        c: submit f z                       c< Error SHUTDOWN_GRACEFUL Server is shutting down
    ",
    );
}

#[test]
fn a_drain_does_not_wait_for_scheduled_jobs() {
    check(
        "
        wall: 1000
        c: submit_epoch f x 5000            c< JobCreated H:1
        server: drain                       server< StopAccepting
                                            server< Exit Finished
    ",
    );
}

#[test]
fn a_drain_waits_for_a_scheduled_job_that_becomes_due() {
    check(
        "
        wall: 1000
        w: can_do f
        c: submit_epoch f x 1005            c< JobCreated H:1
        c: submit_bg f y                    c< JobCreated H:2
        server: drain                       server< StopAccepting
        time: 5000
        w: grab                             w< JobAssign H:2 f y
        w: complete H:2 b
        w: grab                             w< JobAssign H:1 f x
        w: complete H:1 b                   server< Exit Finished
    ",
    );
}

#[test]
fn a_second_drain_changes_nothing() {
    check(
        "
        w: can_do f
        c: submit_bg f x                    c< JobCreated H:1
        server: drain                       server< StopAccepting
        server: drain
        w: grab                             w< JobAssign H:1 f x
        w: complete H:1 y                   server< Exit Finished
        server: drain
    ",
    );
}

#[test]
fn every_ten_seconds_it_is_told_what_a_drain_waits_for() {
    check(
        "
        w: can_do f
        c: submit_bg f x                    c< JobCreated H:1
        c: submit_bg g x                    c< JobCreated H:2
        c: submit_bg g x                    c< JobCreated H:3
        w: grab                             w< JobAssign H:1 f x
        server: drain                       server< StopAccepting
        time: 9999
        time: 1                             server< Draining f:1/1 g:0/2
        w: complete H:1 y
        time: 10000                         server< Draining g:0/2
        c$ cancel job H:2                   c> OK
        c$ cancel job H:3                   c> OK
                                            server< Exit Finished
        time: 60000
    ",
    );
}

#[test]
fn the_drain_timeout_ends_it_with_the_list_of_what_was_left() {
    let config = Config { drain_timeout: Some(Duration::from_secs(15)), ..config() };
    check_with(
        &config,
        "
        w: can_do f
        c: submit f x                       c< JobCreated H:1
        w: grab                             w< JobAssign H:1 f x
        server: drain                       server< StopAccepting
        time: 14999                         server< Draining f:1/1
        time: 1                             server< Draining f:1/1
                                            server< Exit Unfinished
        w: complete H:1 y                   c< WorkComplete H:1 y
        time: 60000
    ",
    );
}

#[test]
fn with_a_store_a_drain_waits_only_for_assigned_and_foreground_jobs() {
    let config = Config { store: true, ..config() };
    check_with(
        &config,
        "
        w: can_do f
        c: submit f x                       c< JobCreated H:1
        d: submit_bg f y                    store< Keep 1 f y
        store: keeps 1                      d< JobCreated H:2
        d: submit_bg f z                    store< Keep 2 f z
        store: keeps 2                      d< JobCreated H:3
        server: drain                       server< StopAccepting
        w: grab                             w< JobAssign H:1 f x
        w: grab                             w< JobAssign H:2 f y
        time: 10000                         server< Draining f:2/2
        w: complete H:1 a                   c< WorkComplete H:1 a
        w: complete H:2 a                   store< Forget 1
                                            server< Exit Finished
    ",
    );
}

#[test]
fn a_drain_waits_for_the_answers_of_the_store() {
    let config = Config { store: true, ..config() };
    check_with(
        &config,
        "
        c: submit_bg f y                    store< Keep 1 f y
        server: drain                       server< StopAccepting
        store: keeps 1                      c< JobCreated H:1
                                            server< Exit Finished
    ",
    );
}

#[test]
fn with_a_store_a_foreground_job_that_becomes_background_is_waited_for_no_more() {
    let config = Config { store: true, ..config() };
    check_with(
        &config,
        "
        c: submit f y unique=u              c< JobCreated H:1
        d: submit_bg f y unique=u           store< Keep 1 f y unique=u
        server: drain                       server< StopAccepting
        store: keeps 1                      d< JobCreated H:1
                                            server< Exit Finished
    ",
    );
}
