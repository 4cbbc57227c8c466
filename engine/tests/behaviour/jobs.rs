//! The walk of one job.

use crate::script::check;

#[test]
fn a_foreground_job_goes_to_a_worker_and_back() {
    check(
        "
        w: can_do reverse
        w: sleep
        c: submit reverse test              c< JobCreated H:1
                                            w< Noop
        w: grab                             w< JobAssign H:1 reverse test
        w: complete H:1 tset                c< WorkComplete H:1 tset
        w: grab                             w< NoJob
    ",
    );
}

#[test]
fn a_background_job_is_done_and_nobody_hears_of_it() {
    check(
        "
        w: can_do reverse
        w: sleep
        c: submit_bg reverse test           c< JobCreated H:1
                                            w< Noop
        w: grab                             w< JobAssign H:1 reverse test
        w: data H:1 ts
        w: status H:1 1 2
        w: complete H:1 tset
        c: get_status H:1                   c< Status H:1 0 0 0 0
    ",
    );
}

#[test]
fn handles_count_from_one_and_only_new_jobs_count() {
    check(
        "
        c: submit f x unique=a              c< JobCreated H:1
        c: submit f x unique=a              c< JobCreated H:1
        c$ maxqueue full 1                  c> OK
        c: submit full x                    c< JobCreated H:2
        c: submit full x                    c< Error QUEUE_ERROR Job queue is full
        c: submit f x                       c< JobCreated H:3
    ",
    );
}

#[test]
fn a_worker_holds_several_jobs_and_ends_them_in_any_order() {
    check(
        "
        w: can_do f
        c: submit f one                     c< JobCreated H:1
        c: submit f two                     c< JobCreated H:2
        w: grab                             w< JobAssign H:1 f one
        w: grab                             w< JobAssign H:2 f two
        w: complete H:2 b                   c< WorkComplete H:2 b
        w: complete H:1 a                   c< WorkComplete H:1 a
    ",
    );
}

#[test]
fn a_peer_is_client_worker_and_administrator_at_once() {
    check(
        "
        p: can_do f
        p: submit f x                       p< JobCreated H:1
        p$ status                           p> f 1 0 1
                                            p> .
        p: grab                             p< JobAssign H:1 f x
        p: complete H:1 y                   p< WorkComplete H:1 y
    ",
    );
}

#[test]
fn each_grab_tells_as_much_as_it_asks_for() {
    check(
        "
        w: can_do f
        c: submit_bg f x unique=u reducer=r
                                            c< JobCreated H:1
        c: submit_bg f y unique=v reducer=r
                                            c< JobCreated H:2
        c: submit_bg f z unique=w reducer=r
                                            c< JobCreated H:3
        w: grab                             w< JobAssign H:1 f x
        w: grab_uniq                        w< JobAssignUniq H:2 f v y
        w: grab_all                         w< JobAssignAll H:3 f w r z
    ",
    );
}

#[test]
fn grab_all_of_a_job_without_reducer_is_answered_as_grab_uniq() {
    check(
        "
        w: can_do f
        c: submit_bg f x unique=u           c< JobCreated H:1
        c: submit_bg f y unique=v reducer=  c< JobCreated H:2
        w: grab_all                         w< JobAssignUniq H:1 f u x
        w: grab_all                         w< JobAssignUniq H:2 f v y
    ",
    );
}

#[test]
fn a_foreground_job_may_have_a_reducer() {
    check(
        "
        w: can_do f
        c: submit f x unique=u reducer=sum  c< JobCreated H:1
        w: grab_all                         w< JobAssignAll H:1 f u sum x
        w: complete H:1 y                   c< WorkComplete H:1 y
    ",
    );
}

#[test]
fn a_unique_of_64_bytes_is_compared_and_handed_out_whole() {
    let unique = "u".repeat(63);
    check(&format!(
        "
        w: can_do f
        c: submit_bg f x unique={unique}1         c< JobCreated H:1
        c: submit_bg f x unique={unique}2         c< JobCreated H:2
        c: submit_bg f x unique={unique}1         c< JobCreated H:1
        w: grab_uniq                              w< JobAssignUniq H:1 f {unique}1 x
    "
    ));
}

#[test]
fn a_reducer_and_a_unique_of_64_bytes_are_handed_out_whole() {
    let (unique, reducer) = ("u".repeat(64), "r".repeat(64));
    check(&format!(
        "
        w: can_do f
        c: submit_bg f x unique={unique} reducer={reducer}
                                                  c< JobCreated H:1
        w: grab_all                               w< JobAssignAll H:1 f {unique} {reducer} x
    "
    ));
}

#[test]
fn a_long_function_name_disconnects_nobody() {
    let function = "f".repeat(512);
    check(&format!(
        "
        w: can_do {function}
        c: submit_bg {function} x                 c< JobCreated H:1
        w: grab                                   w< JobAssign H:1 {function} x
    "
    ));
}
