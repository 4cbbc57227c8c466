//! CAN_DO, CANT_DO, RESET_ABILITIES.

use crate::script::{check, check_with, config};
use gearman_engine::Config;

#[test]
fn a_second_can_do_counts_once() {
    check(
        "
        w: can_do f
        w: can_do f
        w$ status                           w> f 0 0 1
                                            w> .
        w$ workers                          w> 1 127.0.0.1 - : f
                                            w> .
        w: cant_do f
        w$ status                           w> f 0 0 0
                                            w> .
    ",
    );
}

#[test]
fn a_second_can_do_keeps_its_place() {
    check(
        "
        w: can_do a
        w: can_do b
        w: can_do a
        w$ workers                          w> 1 127.0.0.1 - : b a
                                            w> .
    ",
    );
}

#[test]
fn a_second_can_do_takes_no_job_away() {
    check(
        "
        w: can_do f
        c: submit f x                       c< JobCreated H:1
        w: grab                             w< JobAssign H:1 f x
        w: can_do f
        w: complete H:1 y                   c< WorkComplete H:1 y
    ",
    );
}

#[test]
fn the_last_timeout_given_wins() {
    check(
        "
        w: can_do f 5000
        w: can_do f 2000
        c: submit f x                       c< JobCreated H:1
        w: grab                             w< JobAssign H:1 f x
        time: 2000
        c: get_status H:1                   c< Status H:1 1 0 0 0
        w: can_do f
        w: grab                             w< JobAssign H:1 f x
        time: 9000
        c: get_status H:1                   c< Status H:1 1 1 0 0
    ",
    );
}

#[test]
fn cant_do_requeues_the_jobs_of_that_function_in_the_order_they_were_assigned() {
    check(
        "
        w: can_do f
        w: can_do g
        c: submit_bg f f1                   c< JobCreated H:1
        c: submit_bg f f2                   c< JobCreated H:2
        c: submit_bg g g1                   c< JobCreated H:3
        c: submit_bg f f3                   c< JobCreated H:4
        w: grab                             w< JobAssign H:3 g g1
        w: grab                             w< JobAssign H:1 f f1
        w: grab                             w< JobAssign H:2 f f2
        w: cant_do f
        w: complete H:1 late                w< Error JOB_NOT_FOUND Job given in work result not found
        w: complete H:3 fine
        v: can_do f
        v: grab                             v< JobAssign H:4 f f3
        v: grab                             v< JobAssign H:1 f f1
        v: grab                             v< JobAssign H:2 f f2
    ",
    );
}

#[test]
fn reset_abilities_requeues_everything_in_the_order_it_was_assigned() {
    check(
        "
        w: can_do f
        w: can_do g
        c: submit_bg f f1                   c< JobCreated H:1
        c: submit_bg g g1                   c< JobCreated H:2
        c: submit_bg f f2                   c< JobCreated H:3
        w: grab                             w< JobAssign H:2 g g1
        w: grab                             w< JobAssign H:1 f f1
        w: grab                             w< JobAssign H:3 f f2
        w: reset
        c$ show jobs                        c> H:1 1 0 1
                                            c> H:2 1 0 1
                                            c> H:3 1 0 1
                                            c> .
        w$ workers                          w> 1 127.0.0.1 - :
                                            w> 2 127.0.0.1 - :
                                            w> .
        w: grab                             w< NoJob
        v: can_do f
        v: grab                             v< JobAssign H:1 f f1
        v: grab                             v< JobAssign H:3 f f2
    ",
    );
}

#[test]
fn cant_do_of_something_never_registered_changes_nothing() {
    check(
        "
        w: can_do f
        w: cant_do g
        w: reset
        w: reset
        w$ status                           w> f 0 0 0
                                            w> .
    ",
    );
}

#[test]
fn a_connection_registers_no_more_functions_than_it_may() {
    let config = Config { functions_per_connection: 2, ..config() };
    check_with(
        &config,
        "
        w: can_do a
        w: can_do b
        w: can_do c                         w< Error ARGUMENT_TOO_LARGE Too many functions on this connection
        w: can_do a 5000
        w$ status                           w> a 0 0 1
                                            w> b 0 0 1
                                            w> .
        w: cant_do a
        w: can_do c
        v: can_do a
    ",
    );
}
