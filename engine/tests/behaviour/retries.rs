//! Workers are lost while they hold jobs.

use crate::script::{check, check_with, config};
use gearman_engine::{Compat, Config};

fn limited_to(retries: u8) -> Config {
    Config { job_retries: Some(retries), ..config() }
}

#[test]
fn the_job_of_a_lost_worker_goes_to_the_back_and_its_watchers_are_told_nothing() {
    check(
        "
        v: can_do f
        w: can_do f
        c: submit f a                       c< JobCreated H:1
        c: submit f b                       c< JobCreated H:2
        c: submit f c                       c< JobCreated H:3
        v: grab                             v< JobAssign H:1 f a
        v: closes
        w: grab                             w< JobAssign H:2 f b
        w: grab                             w< JobAssign H:3 f c
        w: grab                             w< JobAssign H:1 f a
        w: complete H:1 x                   c< WorkComplete H:1 x
    ",
    );
}

#[test]
fn a_requeued_job_keeps_its_priority() {
    check(
        "
        v: can_do f
        w: can_do f
        c: submit_high_bg f a               c< JobCreated H:1
        c: submit_bg f b                    c< JobCreated H:2
        v: grab                             v< JobAssign H:1 f a
        v: closes
        w: grab                             w< JobAssign H:1 f a
    ",
    );
}

#[test]
fn several_jobs_of_a_lost_worker_are_requeued_in_the_order_they_were_assigned() {
    check(
        "
        v: can_do f
        w: can_do f
        c: submit_bg f a                    c< JobCreated H:1
        c: submit_high_bg f b               c< JobCreated H:2
        c: submit_bg f c                    c< JobCreated H:3
        v: grab                             v< JobAssign H:2 f b
        v: grab                             v< JobAssign H:1 f a
        v: grab                             v< JobAssign H:3 f c
        v: closes
        w: grab                             w< JobAssign H:2 f b
        w: grab                             w< JobAssign H:1 f a
        w: grab                             w< JobAssign H:3 f c
    ",
    );
}

#[test]
fn the_status_of_a_requeued_job_is_reset() {
    check(
        "
        v: can_do f
        w: can_do f
        c: submit f a                       c< JobCreated H:1
        v: grab                             v< JobAssign H:1 f a
        v: status H:1 5 10                  c< WorkStatus H:1 5 10
        v: closes
        c: get_status H:1                   c< Status H:1 1 0 0 0
        w: grab                             w< JobAssign H:1 f a
        c: get_status H:1                   c< Status H:1 1 1 0 0
    ",
    );
}

#[test]
fn losses_are_counted_and_without_a_limit_there_is_none() {
    let mut script = String::from("c: submit f a                       c< JobCreated H:1\n");
    for loss in 1..=300 {
        script += &format!("w{loss}: can_do f\n");
        script += &format!("w{loss}: grab                        w{loss}< JobAssign H:1 f a\n");
        script += &format!("w{loss}: closes\n");
    }
    script += "c$ show jobs                        c> H:1 300 0 0\n";
    script += "                                    c> .\n";
    check(&script);
}

#[test]
fn a_limit_of_two_drops_the_job_at_the_second_loss_with_one_fail_to_each_watcher() {
    check_with(
        &limited_to(2),
        "
        c: submit f a unique=u              c< JobCreated H:1
        d: submit f a unique=u              d< JobCreated H:1
        d: submit f a unique=u              d< JobCreated H:1
        v: can_do f
        v: grab                             v< JobAssign H:1 f a
        v: closes
        w: can_do f
        w: grab                             w< JobAssign H:1 f a
        w: closes                           c< WorkFail H:1
                                            d< WorkFail H:1
                                            d< WorkFail H:1
        c: get_status H:1                   c< Status H:1 0 0 0 0
        c: submit f a unique=u              c< JobCreated H:2
    ",
    );
}

#[test]
fn a_limit_of_one_and_a_limit_of_zero_drop_the_job_at_the_first_loss() {
    for retries in [0, 1] {
        check_with(
            &limited_to(retries),
            "
            w: can_do f
            c: submit f a                       c< JobCreated H:1
            d: submit_bg f b                    d< JobCreated H:2
            w: grab                             w< JobAssign H:1 f a
            w: grab                             w< JobAssign H:2 f b
            w: closes                           c< WorkFail H:1
            c$ status                           c> f 0 0 0
                                                c> .
        ",
        );
    }
}

#[test]
fn the_largest_limit_does_not_wrap() {
    let mut script = String::from("c: submit f a                       c< JobCreated H:1\n");
    script += "w: can_do f\n";
    for _ in 1..255 {
        script += "w: grab                             w< JobAssign H:1 f a\n";
        script += "w: cant_do f\n";
        script += "w: can_do f\n";
    }
    script += "w: grab                             w< JobAssign H:1 f a\n";
    script += "w: cant_do f                        c< WorkFail H:1\n";
    check_with(&limited_to(255), &script);
}

#[test]
fn compat_1_1_takes_zero_retries_as_no_limit() {
    let config = Config { compat: Compat::Version1_1 { round_robin: false }, ..limited_to(0) };
    check_with(
        &config,
        "
        w: can_do f
        c: submit f a                       c< JobCreated H:1
        w: grab                             w< JobAssign H:1 f a
        w: reset
        c: get_status H:1                   c< Status H:1 1 0 0 0
    ",
    );
}

#[test]
fn every_kind_of_loss_counts() {
    check_with(
        &limited_to(4),
        "
        c: submit f a                       c< JobCreated H:1
        w: can_do f
        w: grab                             w< JobAssign H:1 f a
        w: cant_do f
        w: can_do f
        w: grab                             w< JobAssign H:1 f a
        w: reset
        w: can_do f 1000
        w: grab                             w< JobAssign H:1 f a
        time: 1000
        c$ show jobs                        c> H:1 3 0 0
                                            c> .
        w: grab                             w< JobAssign H:1 f a
        w: closes                           c< WorkFail H:1
    ",
    );
}

#[test]
fn a_failure_that_a_worker_reports_is_final() {
    check_with(
        &limited_to(5),
        "
        w: can_do f
        c: submit f a                       c< JobCreated H:1
        w: grab                             w< JobAssign H:1 f a
        w: fail H:1                         c< WorkFail H:1
        w: grab                             w< NoJob
    ",
    );
}
