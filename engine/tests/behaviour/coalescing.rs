//! Submits of the same function and unique are one job.

use crate::script::check;

#[test]
fn watchers_of_one_job_all_hear_everything() {
    check(
        "
        w: can_do f
        c: submit f x unique=u              c< JobCreated H:1
        d: submit f y unique=u              d< JobCreated H:1
        w: grab_uniq                        w< JobAssignUniq H:1 f u x
        e: submit_high f z unique=u         e< JobCreated H:1
        w: data H:1 part                    c< WorkData H:1 part
                                            d< WorkData H:1 part
                                            e< WorkData H:1 part
        w: complete H:1 done                c< WorkComplete H:1 done
                                            d< WorkComplete H:1 done
                                            e< WorkComplete H:1 done
        w: grab                             w< NoJob
    ",
    );
}

#[test]
fn a_connection_that_submits_twice_hears_everything_twice() {
    check(
        "
        w: can_do f
        c: submit f x unique=u              c< JobCreated H:1
        c: submit f x unique=u              c< JobCreated H:1
        c: get_status_unique u              c< StatusUnique u 1 0 0 0 2
        w: grab                             w< JobAssign H:1 f x
        w: data H:1 part                    c< WorkData H:1 part
                                            c< WorkData H:1 part
        w: complete H:1 done                c< WorkComplete H:1 done
                                            c< WorkComplete H:1 done
    ",
    );
}

#[test]
fn a_job_that_has_ended_is_not_joined() {
    check(
        "
        w: can_do f
        c: submit f x unique=u              c< JobCreated H:1
        w: grab                             w< JobAssign H:1 f x
        w: complete H:1 done                c< WorkComplete H:1 done
        c: submit f x unique=u              c< JobCreated H:2
    ",
    );
}

#[test]
fn another_function_or_another_case_is_another_job() {
    check(
        "
        w: can_do F
        w: can_do g
        c: submit f x unique=u              c< JobCreated H:1
        c: submit g x unique=u              c< JobCreated H:2
        c: submit f x unique=U              c< JobCreated H:3
        c: submit F x unique=u              c< JobCreated H:4
    ",
    );
}

#[test]
fn an_empty_unique_never_joins() {
    check(
        "
        c: submit f x                       c< JobCreated H:1
        c: submit f x                       c< JobCreated H:2
    ",
    );
}

#[test]
fn a_dash_joins_by_workload() {
    check(
        "
        c: submit f same unique=-           c< JobCreated H:1
        c: submit f same unique=-           c< JobCreated H:1
        c: submit f other unique=-          c< JobCreated H:2
        c: submit g same unique=-           c< JobCreated H:3
        c: get_status_unique -              c< StatusUnique - 0 0 0 0 0
        c: get_status_unique same           c< StatusUnique same 0 0 0 0 0
    ",
    );
}

#[test]
fn a_dash_without_workload_never_joins() {
    check(
        "
        c: submit f unique=-                c< JobCreated H:1
        c: submit f unique=-                c< JobCreated H:2
    ",
    );
}

#[test]
fn a_submit_that_joins_changes_neither_priority_nor_workload() {
    check(
        "
        w: can_do f
        c: submit_low_bg f old unique=u     c< JobCreated H:1
        c: submit_bg f middle               c< JobCreated H:2
        c: submit_high_bg f new unique=u    c< JobCreated H:1
        w: grab                             w< JobAssign H:2 f middle
        w: grab                             w< JobAssign H:1 f old
    ",
    );
}

#[test]
fn a_submit_that_joins_does_not_ask_for_room() {
    check(
        "
        c$ maxqueue f 1                     c> OK
        c: submit f x unique=u              c< JobCreated H:1
        d: submit f x unique=u              d< JobCreated H:1
        d: submit f x                       d< Error QUEUE_ERROR Job queue is full
    ",
    );
}

#[test]
fn a_background_submit_turns_a_foreground_job_into_a_background_job() {
    check(
        "
        w: can_do f
        c: submit f x unique=u              c< JobCreated H:1
        d: submit_bg f x unique=u           d< JobCreated H:1
        c$ show jobs                        c> H:1 0 0 1
                                            c> .
        c: closes
        w: grab                             w< JobAssign H:1 f x
    ",
    );
}

#[test]
fn a_foreground_client_that_leaves_a_background_job_changes_nothing() {
    check(
        "
        w: can_do f
        d: submit_bg f x unique=u           d< JobCreated H:1
        c: submit f x unique=u              c< JobCreated H:1
        c: closes
        d: closes
        w: grab                             w< JobAssign H:1 f x
        w: closes
        v: can_do f
        v: grab                             v< JobAssign H:1 f x
    ",
    );
}

#[test]
fn a_foreground_client_that_joins_a_background_job_hears_of_it() {
    check(
        "
        w: can_do f
        d: submit_bg f x unique=u           d< JobCreated H:1
        w: grab                             w< JobAssign H:1 f x
        w: data H:1 early
        c: submit f x unique=u              c< JobCreated H:1
        w: data H:1 part                    c< WorkData H:1 part
        w: complete H:1 done                c< WorkComplete H:1 done
    ",
    );
}

#[test]
fn a_submit_after_the_last_watcher_left_is_a_new_job_that_runs() {
    check(
        "
        w: can_do f
        c: submit f x unique=u              c< JobCreated H:1
        c: closes
        d: submit f x unique=u              d< JobCreated H:2
        w: grab                             w< JobAssign H:2 f x
        w: complete H:2 y                   d< WorkComplete H:2 y
    ",
    );
}

#[test]
fn a_submit_after_a_cancel_is_a_new_job_that_runs() {
    check(
        "
        w: can_do f
        c: submit_bg f x unique=u           c< JobCreated H:1
        c$ cancel job H:1                   c> OK
        c: submit_bg f x unique=u           c< JobCreated H:2
        w: grab                             w< JobAssign H:2 f x
    ",
    );
}

#[test]
fn the_same_workload_is_not_joined_under_another_unique() {
    check(
        "
        c: submit f same unique=-           c< JobCreated H:1
        c: submit f x unique=same           c< JobCreated H:2
    ",
    );
}
