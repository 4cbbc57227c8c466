//! The text protocol.

use crate::script::{check, check_with, config};
use gearman_engine::Config;

#[test]
fn status_lists_functions_in_order_of_creation_with_live_jobs_only() {
    check(
        "
        w: can_do zebra
        w: can_do ant
        v: can_do ant
        c: submit ant x                     c< JobCreated H:1
        c: submit ant y                     c< JobCreated H:2
        c: submit bee z                     c< JobCreated H:3
        w: grab                             w< JobAssign H:1 ant x
        c$ status                           c> zebra 0 0 1
                                            c> ant 2 1 2
                                            c> bee 1 0 0
                                            c> .
        c: closes
        v$ STATUS                           v> zebra 0 0 1
                                            v> ant 1 1 2
                                            v> bee 0 0 0
                                            v> .
    ",
    );
}

#[test]
fn prioritystatus_counts_jobs_that_no_worker_holds() {
    check(
        "
        w: can_do f
        c: submit_high_bg f a               c< JobCreated H:1
        c: submit_high_bg f b               c< JobCreated H:2
        c: submit_bg f c                    c< JobCreated H:3
        c: submit_low_bg f d                c< JobCreated H:4
        w: grab                             w< JobAssign H:1 f a
        c$ prioritystatus                   c> f 1 1 1 1
                                            c> .
    ",
    );
}

#[test]
fn workers_lists_every_connection_with_its_abilities_newest_first() {
    check(
        "
        w: can_do a
        w: can_do b
        w: id fred
        c$ workers                          c> 1 127.0.0.1 fred : b a
                                            c> 2 127.0.0.1 - :
                                            c> .
        c: submit_bg b x                    c< JobCreated H:1
        w: grab                             w< JobAssign H:1 b x
        c$ workers                          c> 1 127.0.0.1 fred : b a
                                            c> 2 127.0.0.1 - :
                                            c> .
        w: closes
        c$ workers                          c> 2 127.0.0.1 - :
                                            c> .
    ",
    );
}

#[test]
fn show_jobs_lists_in_order_of_creation() {
    check(
        "
        w: can_do f
        c: submit_low f a unique=x          c< JobCreated H:1
        c: submit_high_bg f b               c< JobCreated H:2
        c: submit f c unique=-              c< JobCreated H:3
        w: grab                             w< JobAssign H:2 f b
        w: closes
        c$ show jobs                        c> H:1 0 0 0
                                            c> H:2 1 0 1
                                            c> H:3 0 0 0
                                            c> .
        c$ show unique jobs                 c> x
                                            c>
                                            c> -
                                            c> .
    ",
    );
}

#[test]
fn show_with_other_words_is_refused() {
    check(
        "
        c$ show                             c> ERR UNKNOWN_COMMAND Unknown+server+commandshow
        c$ show me                          c> ERR UNKNOWN_SHOW_ARGUMENTS
        c$ show unique                      c> ERR UNKNOWN_SHOW_ARGUMENTS
    ",
    );
}

#[test]
fn text_that_strangers_chose_does_not_break_a_table() {
    check(
        r"
        c: id evil\n.\n
        c: submit_bg f x unique=one\n.      c< JobCreated H:1
        c$ workers                          c> 1 127.0.0.1 evil?.? :
                                            c> .
        c$ show unique jobs                 c> one?.
                                            c> .
    ",
    );
}

#[test]
fn cancel_fails_a_waiting_job_for_each_watcher_and_it_is_gone() {
    check(
        "
        w: can_do f
        c: submit f x unique=u              c< JobCreated H:1
        d: submit f x unique=u              d< JobCreated H:1
        a$ cancel job H:1                   c< WorkFail H:1
                                            d< WorkFail H:1
                                            a> OK
        a$ show jobs                        a> .
        a$ status                           a> f 0 0 1
                                            a> .
        w: grab                             w< NoJob
        a$ cancel job H:1                   a> ERR UNKNOWN_JOB
    ",
    );
}

#[test]
fn cancel_of_a_running_job_fails_it_once_and_the_result_is_refused() {
    check(
        "
        w: can_do f 1000
        c: submit f x                       c< JobCreated H:1
        w: grab                             w< JobAssign H:1 f x
        a$ cancel job H:1                   c< WorkFail H:1
                                            a> OK
        w: complete H:1 late                w< Error JOB_NOT_FOUND Job given in work result not found
        time: 2000
        w: grab                             w< NoJob
    ",
    );
}

#[test]
fn cancel_with_other_words_is_refused() {
    check(
        "
        c$ cancel                           c> ERR UNKNOWN_COMMAND Unknown+server+commandcancel
        c$ cancel job                       c> ERR UNKNOWN_COMMAND Unknown+server+commandcancel
        c$ cancel my job                    c> ERR UNKNOWN_ERROR
        c$ cancel job nothing               c> ERR UNKNOWN_JOB
    ",
    );
}

#[test]
fn create_function_is_idempotent_and_takes_the_whole_name() {
    check(
        "
        c$ create function f                c> OK
        c$ create function foo              c> OK
        c$ create function foo              c> OK
        c$ status                           c> f 0 0 0
                                            c> foo 0 0 0
                                            c> .
        c$ create foo                       c> ERR INVALID_ARGUMENTS An+incomplete+set+of+arguments+was+sent+to+this+command+create
    ",
    );
}

#[test]
fn names_that_would_break_the_tables_are_no_functions() {
    check(
        "
        c$ create function a\tb             c> ERR INVALID_FUNCTION_NAME Function+name+must+be+1+to+512+bytes+without+control+characters
        c$ maxqueue a\tb 5                  c> ERR INVALID_FUNCTION_NAME Function+name+must+be+1+to+512+bytes+without+control+characters
        c$ status                           c> .
    ",
    );
}

#[test]
fn drop_function_refuses_while_workers_or_jobs_remain() {
    check(
        "
        w: can_do f
        c$ drop function f                  c> ERR there are still connected workers or executing clients
        c: submit_bg f x                    c< JobCreated H:1
        w: cant_do f
        c$ drop function f                  c> ERR there are still connected workers or executing clients
        c$ cancel job H:1                   c> OK
        c$ drop function F                  c> ERR function not found
        c$ drop function f                  c> OK
        c$ drop function f                  c> ERR function not found
        c$ status                           c> .
        c$ drop f                           c> ERR INVALID_ARGUMENTS An+incomplete+set+of+arguments+was+sent+to+this+command+drop
    ",
    );
}

#[test]
fn drop_function_takes_the_queue_limit_with_it() {
    check(
        "
        c$ maxqueue f 1                     c> OK
        c$ drop function f                  c> OK
        c: submit_bg f x                    c< JobCreated H:1
        c: submit_bg f x                    c< JobCreated H:2
    ",
    );
}

#[test]
fn maxqueue_may_come_before_the_function() {
    check(
        "
        c$ maxqueue f 2                     c> OK
        c$ maxqueue F 1                     c> OK
        c: submit_bg f x                    c< JobCreated H:1
        c: submit f x                       c< JobCreated H:2
        c: submit_high f x                  c< Error QUEUE_ERROR Job queue is full
        c: submit_bg g x                    c< JobCreated H:3
    ",
    );
}

#[test]
fn maxqueue_counts_running_jobs_and_all_priorities_against_the_limit_of_the_new_one() {
    check(
        "
        w: can_do f
        c$ maxqueue f 3 2 1                 c> OK
        c: submit_low_bg f x                c< JobCreated H:1
        w: grab                             w< JobAssign H:1 f x
        c: submit_low_bg f x                c< Error QUEUE_ERROR Job queue is full
        c: submit_bg f x                    c< JobCreated H:2
        c: submit_bg f x                    c< Error QUEUE_ERROR Job queue is full
        c: submit_high_bg f x               c< JobCreated H:3
        c: submit_high_bg f x               c< Error QUEUE_ERROR Job queue is full
        w: complete H:1 y
        c: submit_high_bg f x               c< JobCreated H:4
    ",
    );
}

#[test]
fn maxqueue_without_a_number_or_with_zero_is_no_limit() {
    for number in ["", " 0", " -1", " many"] {
        check(&format!(
            "
            c$ maxqueue f 1                     c> OK
            c$ maxqueue f{number}               c> OK
            c: submit_bg f x                    c< JobCreated H:1
            c: submit_bg f x                    c< JobCreated H:2
        "
        ));
    }
}

#[test]
fn version_getpid_and_verbose_tell_what_they_were_told() {
    let config = Config { version: "1.2.3".into(), pid: 4711, verbose: "INFO".into(), ..config() };
    check_with(
        &config,
        "
        c$ version                          c> OK 1.2.3
        c$ getpid                           c> OK 4711
        c$ verbose                          c> OK INFO
        server: logs DEBUG
        c$ verbose                          c> OK DEBUG
    ",
    );
}

#[test]
fn shutdown_is_unknown_unless_it_is_allowed() {
    check(
        "
        c$ shutdown                         c> ERR UNKNOWN_COMMAND Unknown+server+commandshutdown
        c$ shutdown graceful                c> ERR UNKNOWN_COMMAND Unknown+server+commandshutdown
        c$ gibberish                        c> ERR UNKNOWN_COMMAND Unknown+server+commandgibberish
    ",
    );
}

#[test]
fn shutdown_ends_the_server_if_it_is_allowed() {
    let config = Config { allow_shutdown: true, ..config() };
    check_with(
        &config,
        "
        d: submit_bg f x                    d< JobCreated H:1
        c$ shutdown                         c> OK
                                            server< Exit Finished
    ",
    );
}

#[test]
fn shutdown_graceful_drains_if_it_is_allowed() {
    let config = Config { allow_shutdown: true, ..config() };
    check_with(
        &config,
        "
        w: can_do f
        c: submit f x                       c< JobCreated H:1
        w: grab                             w< JobAssign H:1 f x
        c$ shutdown graceful                c> OK
                                            server< StopAccepting
        c: submit f x                       c< Error SHUTDOWN_GRACEFUL Server is shutting down
        w: complete H:1 y                   c< WorkComplete H:1 y
                                            server< Exit Finished
    ",
    );
}
