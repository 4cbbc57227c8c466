//! When the engine wants to be asked again.

use crate::script::{check, check_with, config};
use gearman_engine::Config;
use std::time::Duration;

#[test]
fn an_idle_server_has_no_deadline() {
    check(
        "
        w: can_do f 1000
        w: sleep
        c: submit f x                       c< JobCreated H:1
                                            w< Noop
        w: grab                             w< JobAssign H:1 f x
        w: complete H:1 y                   c< WorkComplete H:1 y
        w: sleep
        next:                               now< never
    ",
    );
}

#[test]
fn it_is_when_a_job_takes_too_long() {
    check(
        "
        time: 100
        v: can_do f
        v: sleep
        w: can_do f 5000
        c: submit f x                       c< JobCreated H:1
                                            v< Noop
        w: grab                             w< JobAssign H:1 f x
        v: sleep
        next:                               now< 5100
                                            v< Noop
    ",
    );
}

#[test]
fn it_is_when_a_woken_worker_counts_as_hung() {
    let config = Config { worker_wakeup: Some(1), ..config() };
    check_with(
        &config,
        "
        v: can_do f
        w: can_do f
        v: sleep
        w: sleep
        time: 10
        c: submit f x                       c< JobCreated H:1
                                            v< Noop
        next:                               now< 1010
                                            w< Noop
        next:                               now< 2010
        next:                               now< never
    ",
    );
}

#[test]
fn it_is_when_a_job_is_due_by_the_wall_clock() {
    check(
        "
        time: 500
        wall: 1000
        w: can_do f
        w: sleep
        c: submit_epoch f x 1003            c< JobCreated H:1
        c: submit_epoch f y 1002            c< JobCreated H:2
        next:                               now< 2500
                                            w< Noop
        w: grab                             w< JobAssign H:2 f y
        w: sleep
        next:                               now< 3500
                                            w< Noop
    ",
    );
}

#[test]
fn a_step_of_the_wall_clock_moves_it() {
    check(
        "
        wall: 1000
        w: can_do f
        w: sleep
        c: submit_epoch f x 1010            c< JobCreated H:1
        time: 1000
        wall: 1009
        next:                               now< 2000
                                            w< Noop
    ",
    );
}

#[test]
fn it_is_when_a_message_should_be_finished() {
    check(
        "
        time: 7
        c: buffers in=12 since=7
        next:                               now< 60007
                                            c< Error TIMEOUT Packet was not finished in time
                                            c< Close
        next:                               now< 120007
                                            c< CloseNow
        next:                               now< never
    ",
    );
}

#[test]
fn it_is_when_a_drain_reports_and_gives_up() {
    let config = Config { drain_timeout: Some(Duration::from_secs(12)), ..config() };
    check_with(
        &config,
        "
        c: submit f x                       c< JobCreated H:1
        server: drain                       server< StopAccepting
        next:                               now< 10000
                                            server< Draining f:0/1
        next:                               now< 12000
                                            server< Draining f:0/1
                                            server< Exit Unfinished
        next:                               now< never
    ",
    );
}

#[test]
fn the_earliest_of_all_comes_first() {
    check(
        "
        wall: 1000
        w: can_do f 3000
        w: can_do g 2000
        c: submit_bg f x                    c< JobCreated H:1
        c: submit_bg g x                    c< JobCreated H:2
        w: grab                             w< JobAssign H:2 g x
        w: grab                             w< JobAssign H:1 f x
        c: submit_epoch h x 1001            c< JobCreated H:3
        next:                               now< 1000
        next:                               now< 2000
        next:                               now< 3000
        next:                               now< never
    ",
    );
}
