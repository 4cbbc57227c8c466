//! Which job a worker gets.

use crate::script::{check, check_with, config};
use gearman_engine::{Compat, Config};

#[test]
fn jobs_of_a_function_go_out_in_the_order_of_their_submits() {
    check(
        "
        w: can_do f
        c: submit_bg f one                  c< JobCreated H:1
        d: submit_bg f two                  d< JobCreated H:2
        c: submit_bg f three                c< JobCreated H:3
        w: grab                             w< JobAssign H:1 f one
        w: grab                             w< JobAssign H:2 f two
        w: grab                             w< JobAssign H:3 f three
    ",
    );
}

#[test]
fn the_most_urgent_job_of_all_functions_goes_first() {
    check(
        "
        w: can_do old
        w: can_do new
        c: submit_low_bg new n1             c< JobCreated H:1
        c: submit_bg new n2                 c< JobCreated H:2
        c: submit_low_bg old o1             c< JobCreated H:3
        c: submit_high_bg old o2            c< JobCreated H:4
        w: grab                             w< JobAssign H:4 old o2
        w: grab                             w< JobAssign H:2 new n2
        w: grab                             w< JobAssign H:3 old o1
        w: grab                             w< JobAssign H:1 new n1
    ",
    );
}

#[test]
fn functions_take_turns_beginning_with_the_newest() {
    check(
        "
        w: can_do a
        w: can_do b
        w: can_do c
        c: submit_bg a a0                   c< JobCreated H:1
        c: submit_bg a a1                   c< JobCreated H:2
        c: submit_bg b b0                   c< JobCreated H:3
        c: submit_bg b b1                   c< JobCreated H:4
        c: submit_bg c c0                   c< JobCreated H:5
        c: submit_bg c c1                   c< JobCreated H:6
        w: grab                             w< JobAssign H:5 c c0
        w: grab                             w< JobAssign H:3 b b0
        w: grab                             w< JobAssign H:1 a a0
        w: grab                             w< JobAssign H:6 c c1
        w: grab                             w< JobAssign H:4 b b1
        w: grab                             w< JobAssign H:2 a a1
    ",
    );
}

#[test]
fn turns_are_kept_for_each_worker() {
    check(
        "
        v: can_do a
        v: can_do b
        w: can_do a
        w: can_do b
        c: submit_bg a a0                   c< JobCreated H:1
        c: submit_bg a a1                   c< JobCreated H:2
        c: submit_bg b b0                   c< JobCreated H:3
        c: submit_bg b b1                   c< JobCreated H:4
        v: grab                             v< JobAssign H:3 b b0
        w: grab                             w< JobAssign H:4 b b1
        v: grab                             v< JobAssign H:1 a a0
    ",
    );
}

#[test]
fn a_function_without_work_keeps_its_turn() {
    check(
        "
        w: can_do a
        w: can_do b
        w: can_do c
        c: submit_bg a a0                   c< JobCreated H:1
        w: grab                             w< JobAssign H:1 a a0
        c: submit_bg a a1                   c< JobCreated H:2
        c: submit_bg b b0                   c< JobCreated H:3
        c: submit_bg c c0                   c< JobCreated H:4
        w: grab                             w< JobAssign H:4 c c0
        w: grab                             w< JobAssign H:3 b b0
        w: grab                             w< JobAssign H:2 a a1
    ",
    );
}

#[test]
fn a_worker_gets_only_what_it_can_do() {
    check(
        "
        v: can_do f
        w: can_do g
        c: submit_bg f x                    c< JobCreated H:1
        w: grab                             w< NoJob
        n: grab                             n< NoJob
        v: grab                             v< JobAssign H:1 f x
    ",
    );
}

#[test]
fn compat_1_1_prefers_the_newest_function_to_the_most_urgent_job() {
    let config = Config { compat: Compat::Version1_1 { round_robin: false }, ..config() };
    check_with(
        &config,
        "
        w: can_do a
        w: can_do b
        c: submit_high_bg a a0              c< JobCreated H:1
        c: submit_low_bg b b0               c< JobCreated H:2
        c: submit_bg b b1                   c< JobCreated H:3
        w: grab                             w< JobAssign H:3 b b1
        w: grab                             w< JobAssign H:2 b b0
        w: grab                             w< JobAssign H:1 a a0
    ",
    );
}

#[test]
fn compat_1_1_lets_functions_take_turns_if_asked() {
    let config = Config { compat: Compat::Version1_1 { round_robin: true }, ..config() };
    check_with(
        &config,
        "
        w: can_do a
        w: can_do b
        c: submit_bg a a0                   c< JobCreated H:1
        c: submit_low_bg b b0               c< JobCreated H:2
        c: submit_low_bg b b1               c< JobCreated H:3
        w: grab                             w< JobAssign H:2 b b0
        w: grab                             w< JobAssign H:1 a a0
        w: grab                             w< JobAssign H:3 b b1
    ",
    );
}
