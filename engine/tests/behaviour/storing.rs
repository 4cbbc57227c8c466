//! Background jobs that are acknowledged when a store has them.

use crate::script::{check_with, config};
use gearman_engine::Config;

/// Runs a script with a store.
#[track_caller]
pub(crate) fn check(script: &str) {
    check_with(&Config { store: true, ..config() }, script);
}

#[test]
fn a_background_job_is_acknowledged_when_the_store_has_it() {
    check(
        "
        w: can_do f
        w: sleep
        c: submit_bg f x unique=u           store< Keep 1 f x unique=u
        store: keeps 1                      c< JobCreated H:1
                                            w< Noop
        w: grab                             w< JobAssign H:1 f x
        w: complete H:1 y                   store< Forget 1
    ",
    );
}

#[test]
fn a_foreground_job_is_not_stored() {
    check(
        "
        w: can_do f
        c: submit f x                       c< JobCreated H:1
        w: grab                             w< JobAssign H:1 f x
        w: complete H:1 y                   c< WorkComplete H:1 y
    ",
    );
}

#[test]
fn until_the_store_answers_nobody_sees_the_job() {
    check(
        "
        w: can_do f
        c: submit_bg f x unique=u           store< Keep 1 f x unique=u
        w: grab                             w< NoJob
        w: sleep
        w$ status                           w> f 0 0 1
                                            w> .
        w$ prioritystatus                   w> f 0 0 0 1
                                            w> .
        w$ show jobs                        w> .
        w$ show unique jobs                 w> .
        w: get_status H:1                   w< Status H:1 0 0 0 0
        w: get_status_unique u              w< StatusUnique u 0 0 0 0 0
        w$ cancel job H:1                   w> ERR UNKNOWN_JOB
        w: cant_do f
        w$ drop function f                  w> ERR there are still connected workers or executing clients
        store: keeps 1                      c< JobCreated H:1
    ",
    );
}

#[test]
fn a_job_that_waits_for_the_store_takes_room() {
    check(
        "
        d$ maxqueue f 1                     d> OK
        c: submit_bg f x                    store< Keep 1 f x
        d: submit_bg f y                    d< Error QUEUE_ERROR Job queue is full
        d$ drop function f                  d> ERR there are still connected workers or executing clients
        store: keeps 1                      c< JobCreated H:1
    ",
    );
}

#[test]
fn every_later_reply_of_the_connection_waits_behind_it() {
    check(
        "
        w: can_do f
        c: submit f one                     c< JobCreated H:1
        c: submit_bg f two                  store< Keep 1 f two
        c: submit f three
        c: echo hello
        c$ version
        d: echo hello                       d< Echo hello
        w: grab                             w< JobAssign H:1 f one
        w: data H:1 part
        store: keeps 1                      c< JobCreated H:2
                                            c< JobCreated H:3
                                            c< Echo hello
                                            c> OK 0.1.0
                                            c< WorkData H:1 part
        c: echo again                       c< Echo again
    ",
    );
}

#[test]
fn replies_wait_for_the_first_of_several_answers() {
    check(
        "
        c: submit_bg f one                  store< Keep 1 f one
        c: echo between
        c: submit_bg f two                  store< Keep 2 f two
        c: echo after
        store: keeps 2
        store: fails 1                      c< Error QUEUE_ERROR QUEUE_ERROR
                                            c< Echo between
                                            c< JobCreated H:2
                                            c< Echo after
    ",
    );
}

#[test]
fn a_noop_waits_as_well() {
    check(
        "
        w: can_do f
        w: submit_bg g x                    store< Keep 1 g x
        w: sleep
        c: submit f y                       c< JobCreated H:2
        store: keeps 1                      w< JobCreated H:1
                                            w< Noop
    ",
    );
}

#[test]
fn later_submits_of_the_same_key_wait_for_the_same_answer() {
    check(
        "
        w: can_do f
        c: submit_bg f x unique=u           store< Keep 1 f x unique=u
        d: submit_bg f x unique=u
        e: submit f x unique=u
        e: submit f x unique=u
        store: keeps 1                      c< JobCreated H:1
                                            d< JobCreated H:1
                                            e< JobCreated H:1
                                            e< JobCreated H:1
        w: grab                             w< JobAssign H:1 f x
        w: complete H:1 y                   e< WorkComplete H:1 y
                                            e< WorkComplete H:1 y
                                            store< Forget 1
    ",
    );
}

#[test]
fn if_the_store_fails_all_of_them_are_refused_and_the_key_is_free() {
    check(
        "
        w: can_do f
        c: submit_bg f x unique=u           store< Keep 1 f x unique=u
        d: submit_bg f x unique=u
        e: submit f x unique=u
        store: fails 1                      c< Error QUEUE_ERROR QUEUE_ERROR
                                            d< Error QUEUE_ERROR QUEUE_ERROR
                                            e< Error QUEUE_ERROR QUEUE_ERROR
        w: grab                             w< NoJob
        c$ show jobs                        c> .
        c: submit_bg f x unique=u           store< Keep 2 f x unique=u
        store: keeps 2                      c< JobCreated H:2
    ",
    );
}

#[test]
fn a_submit_that_the_store_refuses_leaves_its_function() {
    check(
        "
        c: submit_bg f x                    store< Keep 1 f x
        store: fails 1                      c< Error QUEUE_ERROR QUEUE_ERROR
        c$ status                           c> f 0 0 0
                                            c> .
    ",
    );
}

#[test]
fn a_submitter_who_vanished_changes_nothing() {
    check(
        "
        w: can_do f
        c: submit_bg f x                    store< Keep 1 f x
        c: submit_bg f y                    store< Keep 2 f y
        c: closes
        store: keeps 1
        store: fails 2
        w: grab                             w< JobAssign H:1 f x
        w: grab                             w< NoJob
    ",
    );
}

#[test]
fn a_foreground_submitter_who_vanished_while_waiting_does_not_watch() {
    check(
        "
        w: can_do f
        c: submit_bg f x unique=u           store< Keep 1 f x unique=u
        d: submit f x unique=u
        d: closes
        store: keeps 1                      c< JobCreated H:1
        c: get_status_unique u              c< StatusUnique u 1 0 0 0 0
    ",
    );
}

#[test]
fn a_peer_that_half_closes_gets_what_waits_before_it_is_closed() {
    check(
        "
        w: can_do f
        c: submit_bg f x unique=u           store< Keep 1 f x unique=u
        c: submit f x unique=u
        c: half-closes
        store: keeps 1                      c< JobCreated H:1
                                            c< JobCreated H:1
                                            c< Close
        w: get_status_unique u              w< StatusUnique u 1 0 0 0 0
    ",
    );
}

#[test]
fn nonsense_closes_the_connection_after_what_waits() {
    check(
        "
        c: submit_bg f x                    store< Keep 1 f x
        c: sends-nonsense bad-magic
        store: keeps 1                      c< JobCreated H:1
                                            c< Error INVALID_MAGIC Request magic expected
                                            c< Close
    ",
    );
}

#[test]
fn jobs_run_in_the_order_of_their_submits_however_the_store_answers() {
    check(
        "
        w: can_do f
        a: submit_bg f one                  store< Keep 1 f one
        b: submit_bg f two                  store< Keep 2 f two
        c: submit f three                   c< JobCreated H:3
        d: submit_bg f four                 store< Keep 3 f four
        store: keeps 3                      d< JobCreated H:4
        store: keeps 2                      b< JobCreated H:2
        store: keeps 1                      a< JobCreated H:1
        w: grab                             w< JobAssign H:1 f one
        w: grab                             w< JobAssign H:2 f two
        w: grab                             w< JobAssign H:3 f three
        w: grab                             w< JobAssign H:4 f four
    ",
    );
}

#[test]
fn a_job_that_waits_for_the_store_holds_up_no_other() {
    check(
        "
        w: can_do f
        a: submit_bg f one                  store< Keep 1 f one
        b: submit_bg f two                  store< Keep 2 f two
        store: keeps 2                      b< JobCreated H:2
        w: grab                             w< JobAssign H:2 f two
        w: grab                             w< NoJob
    ",
    );
}

#[test]
fn a_foreground_job_that_becomes_background_is_stored_first() {
    check(
        "
        w: can_do f
        c: submit f x unique=u              c< JobCreated H:1
        d: submit_bg f x unique=u           store< Keep 1 f x unique=u
        e: submit_bg f x unique=u
        b: submit f x unique=u              b< JobCreated H:1
        c$ show jobs                        c> H:1 0 0 0
                                            c> .
        store: keeps 1                      d< JobCreated H:1
                                            e< JobCreated H:1
        c: closes
        b: closes
        w: grab                             w< JobAssign H:1 f x
        w: complete H:1 y                   store< Forget 1
    ",
    );
}

#[test]
fn a_foreground_job_is_kept_while_the_store_is_asked_and_goes_if_it_fails() {
    check(
        "
        w: can_do f
        c: submit f x unique=u              c< JobCreated H:1
        d: submit_bg f x unique=u           store< Keep 1 f x unique=u
        c: closes
        w$ status                           w> f 1 0 1
                                            w> .
        store: fails 1                      d< Error QUEUE_ERROR QUEUE_ERROR
        w$ status                           w> f 0 0 1
                                            w> .
    ",
    );
}

#[test]
fn a_foreground_job_stays_foreground_if_the_store_fails() {
    check(
        "
        w: can_do f
        c: submit f x unique=u              c< JobCreated H:1
        d: submit_bg f x unique=u           store< Keep 1 f x unique=u
        store: fails 1                      d< Error QUEUE_ERROR QUEUE_ERROR
        d: submit_bg f x unique=u           store< Keep 2 f x unique=u
        store: fails 2                      d< Error QUEUE_ERROR QUEUE_ERROR
        w: grab                             w< JobAssign H:1 f x
        w: complete H:1 y                   c< WorkComplete H:1 y
    ",
    );
}

#[test]
fn a_job_that_ends_before_the_store_answers_is_acknowledged_and_forgotten() {
    check(
        "
        w: can_do f
        c: submit f x unique=u              c< JobCreated H:1
        d: submit_bg f x unique=u           store< Keep 1 f x unique=u
        w: grab                             w< JobAssign H:1 f x
        w: complete H:1 y                   c< WorkComplete H:1 y
        d: echo hello
        store: keeps 1                      store< Forget 1
                                            d< JobCreated H:1
                                            d< Echo hello
    ",
    );
}

#[test]
fn a_job_that_ends_before_the_store_fails_is_refused_all_the_same() {
    check(
        "
        w: can_do f
        c: submit f x unique=u              c< JobCreated H:1
        d: submit_bg f x unique=u           store< Keep 1 f x unique=u
        w: grab                             w< JobAssign H:1 f x
        w: fail H:1                         c< WorkFail H:1
        store: fails 1                      d< Error QUEUE_ERROR QUEUE_ERROR
    ",
    );
}

#[test]
fn every_end_of_a_stored_job_is_told_to_the_store_once() {
    let config = Config { store: true, job_retries: Some(1), ..config() };
    check_with(
        &config,
        "
        w: can_do f
        c: submit_bg f a                    store< Keep 1 f a
        store: keeps 1                      c< JobCreated H:1
        c: submit_bg f b                    store< Keep 2 f b
        store: keeps 2                      c< JobCreated H:2
        c: submit_bg f c                    store< Keep 3 f c
        store: keeps 3                      c< JobCreated H:3
        c: submit_bg f d                    store< Keep 4 f d
        store: keeps 4                      c< JobCreated H:4
        w: grab                             w< JobAssign H:1 f a
        w: fail H:1                         store< Forget 1
        w: grab                             w< JobAssign H:2 f b
        w: exception H:2 boom               store< Forget 2
        w: grab                             w< JobAssign H:3 f c
        w: closes                           store< Forget 3
        c$ cancel job H:4                   store< Forget 4
                                            c> OK
    ",
    );
}

#[test]
fn a_job_that_is_requeued_stays_stored() {
    check(
        "
        w: can_do f
        c: submit_bg f a                    store< Keep 1 f a
        store: keeps 1                      c< JobCreated H:1
        w: grab                             w< JobAssign H:1 f a
        w: reset
    ",
    );
}

#[test]
fn an_epoch_job_is_stored_with_its_time() {
    check(
        "
        wall: 1000
        w: can_do f
        c: submit_epoch f x 1010            store< Keep 1 f x at 1010
        time: 20000
        store: keeps 1                      c< JobCreated H:1
        w: grab                             w< JobAssign H:1 f x
    ",
    );
}

#[test]
fn an_epoch_job_that_is_stored_in_time_is_scheduled() {
    check(
        "
        wall: 1000
        w: can_do f
        w: sleep
        c: submit_epoch f x 1010            store< Keep 1 f x at 1010
        store: keeps 1                      c< JobCreated H:1
        c: submit_epoch f y 1000            store< Keep 2 f y at 1000
        store: keeps 2                      c< JobCreated H:2
                                            w< Noop
        w: grab                             w< JobAssign H:2 f y
        w: sleep
        time: 10000                         w< Noop
        w: grab                             w< JobAssign H:1 f x
    ",
    );
}

#[test]
fn an_epoch_job_that_is_due_at_once_keeps_its_place() {
    check(
        "
        wall: 1000
        w: can_do f
        c: submit_epoch f x 1000            store< Keep 1 f x at 1000
        d: submit_bg f y                    store< Keep 2 f y
        store: keeps 2                      d< JobCreated H:2
        store: keeps 1                      c< JobCreated H:1
        w: grab                             w< JobAssign H:1 f x
    ",
    );
}

#[test]
fn an_answer_that_nobody_waits_for_changes_nothing() {
    check(
        "
        c: submit_bg f x                    store< Keep 1 f x
        store: keeps 7
        store: keeps 1                      c< JobCreated H:1
        store: fails 1
        store: keeps 1
        c$ show jobs                        c> H:1 0 0 1
                                            c> .
    ",
    );
}
