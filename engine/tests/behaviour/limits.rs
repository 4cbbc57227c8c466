//! Memory, slow readers, and messages that take too long.

use crate::script::{check, check_with, config};
use gearman_engine::{
    ABILITY_OVERHEAD, CONNECTION_OVERHEAD, Config, FUNCTION_OVERHEAD, JOB_OVERHEAD, WATCHER_OVERHEAD,
};

const KB: usize = 1024;

/// What a peer of a script takes, besides its buffers.
const PEER: usize = CONNECTION_OVERHEAD + "127.0.0.1".len();

/// What a function with a name of one letter takes.
const FUNCTION: usize = FUNCTION_OVERHEAD + 1;

#[test]
fn a_message_begun_and_not_finished_closes_the_connection_after_a_minute() {
    check(
        "
        time: 5000
        w: can_do f
        c: submit f x                       c< JobCreated H:1
        w: grab                             w< JobAssign H:1 f x
        w: buffers in=12 since=5000
        time: 59999
        time: 1                             w< Error TIMEOUT Packet was not finished in time
                                            w< Close
        c: get_status H:1                   c< Status H:1 1 0 0 0
        w: closes
    ",
    );
}

#[test]
fn a_message_that_is_finished_in_time_closes_nothing() {
    check(
        "
        c: buffers in=12 since=0
        time: 59999
        c: buffers
        time: 60000
        c: buffers in=12 since=119999
        time: 59998
        c: echo fine                        c< Echo fine
    ",
    );
}

#[test]
fn the_next_message_has_its_own_time() {
    check(
        "
        c: buffers in=12 since=0
        time: 30000
        c: buffers in=50000 since=30000
        time: 59999
        time: 1                             c< Error TIMEOUT Packet was not finished in time
                                            c< Close
    ",
    );
}

#[test]
fn a_long_message_may_take_a_second_more_for_each_64_kilobytes_that_have_arrived() {
    check(
        "
        c: buffers in=60000 since=0
        time: 59000
        c: buffers in=196608 since=0
        time: 3999
        time: 1                             c< Error TIMEOUT Packet was not finished in time
                                            c< Close
    ",
    );
}

#[test]
fn a_slow_reader_is_closed_when_too_much_waits_for_it() {
    let config = Config { output_limit: 1000, ..config() };
    check_with(
        &config,
        "
        w: can_do f
        c: submit f x                       c< JobCreated H:1
        w: grab                             w< JobAssign H:1 f x
        w: buffers out=1000
        w: buffers out=1001                 w< CloseNow
        c: get_status H:1                   c< Status H:1 1 0 0 0
    ",
    );
}

#[test]
fn a_packet_longer_than_the_limit_is_still_sent() {
    let config = Config { output_limit: 1000, ..config() };
    let long = "x".repeat(100_000);
    check_with(
        &config,
        &format!(
            "
        c: echo {long}                      c< Echo {long}
        c: buffers out=100012
        c: echo small                       c< Echo small
        c: buffers out=65536
        c: buffers out=101000
        c: buffers out=101001               c< CloseNow
    "
        ),
    );
}

#[test]
fn a_long_packet_that_was_taken_makes_no_room_for_others() {
    let config = Config { output_limit: 1000, ..config() };
    let long = "x".repeat(100_000);
    check_with(
        &config,
        &format!(
            "
        c: echo {long}                      c< Echo {long}
        c: buffers out=100012
        c: buffers
        c: buffers out=1001                 c< CloseNow
    "
        ),
    );
}

#[test]
fn replies_that_wait_for_the_store_count_as_output() {
    let config = Config { output_limit: 1000, store: true, ..config() };
    let long = "x".repeat(500);
    check_with(
        &config,
        &format!(
            "
        c: submit_bg f x                    store< Keep 1 f x
        c: echo {long}
        c: echo {long}                      c< CloseNow
        store: keeps 1
        d$ status                           d> f 1 0 0
                                            d> .
    "
        ),
    );
}

#[test]
fn a_submit_over_the_memory_limit_is_refused_and_changes_nothing() {
    let tables = 2 * PEER + FUNCTION + ABILITY_OVERHEAD;
    let config = Config { memory_limit: tables + 2 * (JOB_OVERHEAD + WATCHER_OVERHEAD) + 20, ..config() };
    check_with(
        &config,
        "
        w: can_do f
        c: submit f 12345678901             c< JobCreated H:1
        c: submit f 1234567890              c< Error QUEUE_ERROR Memory limit reached
        c: submit g 1                       c< Error QUEUE_ERROR Memory limit reached
        c: submit f 123456789               c< JobCreated H:2
        c$ status                           c> f 2 0 1
                                            c> .
        w: grab                             w< JobAssign H:1 f 12345678901
        w: complete H:1 y                   c< WorkComplete H:1 y
        c: submit f 12345678901             c< JobCreated H:3
    ",
    );
}

#[test]
fn a_submit_that_joins_needs_memory_for_its_watcher_only() {
    let job = FUNCTION + JOB_OVERHEAD + 10;
    let config = Config { memory_limit: PEER + job + 2 * WATCHER_OVERHEAD, ..config() };
    check_with(
        &config,
        "
        c: submit f 1234567890 unique=u     c< JobCreated H:1
        c: submit f 1234567890 unique=u     c< JobCreated H:1
        c: submit f 1234567890 unique=u     c< Error QUEUE_ERROR Memory limit reached
        c: submit_bg f 1234567890 unique=u  c< JobCreated H:1
        c: submit_bg f 1234567890           c< Error QUEUE_ERROR Memory limit reached
        c: get_status_unique u              c< StatusUnique u 1 0 0 0 2
    ",
    );
}

#[test]
fn functions_and_abilities_count_against_the_memory_limit() {
    let config = Config { memory_limit: 2 * PEER + 2 * FUNCTION + ABILITY_OVERHEAD, ..config() };
    check_with(
        &config,
        "
        w: can_do f
        c$ create function g                c> OK
        c$ create function h                c> ERR QUEUE_ERROR Memory+limit+reached
        c$ maxqueue h 5                     c> ERR QUEUE_ERROR Memory+limit+reached
        c$ create function g                c> OK
        w: can_do g                         w< Error QUEUE_ERROR Memory limit reached
        w: can_do f 5000
        c$ status                           c> f 0 0 1
                                            c> g 0 0 0
                                            c> .
        c$ drop function g                  c> OK
        c$ create function h                c> OK
        w: cant_do f
        w: can_do h
        c$ status                           c> f 0 0 0
                                            c> h 0 0 1
                                            c> .
        refused:                            refused> memory-limit 3
    ",
    );
}

#[test]
fn buffers_count_against_the_memory_limit() {
    let tables = 3 * PEER + FUNCTION + WATCHER_OVERHEAD;
    let config = Config { memory_limit: tables + 100 * KB, ..config() };
    check_with(
        &config,
        "
        d: buffers out=70000
        e: buffers in=30000 since=0
        c: submit f 1234567890              c< JobCreated H:1
        e: buffers in=33000 since=0
        c: submit f 1234567890              c< Error QUEUE_ERROR Memory limit reached
        d: closes
        c: submit f 1234567890              c< JobCreated H:2
    ",
    );
}

#[test]
fn the_parts_of_a_submit_are_not_counted_twice() {
    let config = Config { memory_limit: PEER + FUNCTION + WATCHER_OVERHEAD + 1000, ..config() };
    let workload = "x".repeat(600);
    check_with(
        &config,
        &format!(
            "
        c: buffers in=500 since=0
        c: submit f {workload}              c< JobCreated H:1
    "
        ),
    );
}

#[test]
fn when_memory_is_short_all_large_messages_but_one_are_paused() {
    let config = Config { memory_limit: 200 * KB, ..config() };
    check_with(
        &config,
        "
        a: buffers in=70000 since=0
        b: buffers in=70000 since=0
        c: buffers in=60000 since=0
        b: buffers in=140000 since=0
        a: buffers in=140000 since=0        a< PauseReading
        c: buffers in=65536 since=0         c< PauseReading
        d: buffers in=10 since=0
        c: buffers in=65537 since=0
        b: buffers                          a< ResumeReading
        b: closes
        a: buffers                          c< ResumeReading
    ",
    );
}

#[test]
fn paused_messages_go_on_when_there_is_memory() {
    let config = Config { memory_limit: 200 * KB, ..config() };
    check_with(
        &config,
        "
        a: buffers in=100000 since=0
        b: buffers in=110000 since=0
        c: buffers in=100000 since=0        c< PauseReading
        d: buffers in=90000 since=0         d< PauseReading
        e: buffers in=90000 since=0         e< PauseReading
        b: closes                           c< ResumeReading
        c: buffers in=130000 since=0
        a: closes
        c: closes                           d< ResumeReading
                                            e< ResumeReading
    ",
    );
}

#[test]
fn memory_is_short_when_more_than_all_of_it_is_taken() {
    let config = Config { memory_limit: 2 * PEER + 140_000, ..config() };
    check_with(
        &config,
        "
        a: buffers in=70000 since=0
        b: buffers in=70000 since=0
        a: buffers in=70000 since=0
        a: buffers in=70001 since=0
        b: buffers in=70000 since=0         b< PauseReading
    ",
    );
}

#[test]
fn a_paused_message_does_not_stop_its_clock() {
    let config = Config { memory_limit: 200 * KB, ..config() };
    check_with(
        &config,
        "
        b: buffers in=150000 since=0
        c: buffers in=100000 since=0
        b: buffers in=160000 since=0        b< PauseReading
        time: 61000                         c< Error TIMEOUT Packet was not finished in time
                                            c< Close
                                            b< ResumeReading
        time: 1000                          b< Error TIMEOUT Packet was not finished in time
                                            b< Close
    ",
    );
}

#[test]
fn a_connection_too_many_is_told_so_and_closed() {
    let config = Config { max_connections: 2, ..config() };
    check_with(
        &config,
        "
        a: echo 1                           a< Echo 1
        b: echo 2                           b< Echo 2
        c: echo 3                           c< Error TOO_MANY_CONNECTIONS Too many connections
                                            c< Close
        a: closes
        d: echo 4                           d< Error TOO_MANY_CONNECTIONS Too many connections
                                            d< Close
        c: closes
        d: closes
        e: echo 5                           e< Echo 5
        refused:                            refused> max-connections 2
    ",
    );
}

#[test]
fn an_address_has_no_more_connections_than_it_may() {
    let config = Config { connections_per_address: Some(1), ..config() };
    check_with(
        &config,
        "
        a@10.0.0.1: echo 1                  a@10.0.0.1< Echo 1
        b@10.0.0.1: echo 2                  b@10.0.0.1< Error TOO_MANY_CONNECTIONS Too many connections from this address
                                            b@10.0.0.1< Close
        c@10.0.0.2: echo 3                  c@10.0.0.2< Echo 3
        a@10.0.0.1: closes
        b@10.0.0.1: closes
        d@10.0.0.1: echo 4                  d@10.0.0.1< Echo 4
        refused:                            refused> connections-per-address 1
    ",
    );
}

#[test]
fn whoever_is_sent_away_at_the_door_is_not_listed_and_heard_no_more() {
    let config = Config { max_connections: 1, ..config() };
    check_with(
        &config,
        "
        a: submit f x                       a< JobCreated H:1
        w: can_do f                         w< Error TOO_MANY_CONNECTIONS Too many connections
                                            w< Close
        w: grab
        w: buffers in=10 since=0
        a$ workers                          a> 1 127.0.0.1 - :
                                            a> .
        time: 60000                         w< CloseNow
        w: closes
    ",
    );
}

#[test]
fn each_refusal_is_counted_by_its_reason() {
    let config = Config { memory_limit: 8 * KB, output_limit: 1000, functions_per_connection: 1, ..config() };
    let large = "x".repeat(8 * KB);
    check_with(
        &config,
        &format!(
            "
        c$ maxqueue f 1                     c> OK
        c: submit f x                       c< JobCreated H:1
        c: submit f x                       c< Error QUEUE_ERROR Job queue is full
        c: submit g x                       c< JobCreated H:2
        c: submit g {large}                 c< Error QUEUE_ERROR Memory limit reached
        w: can_do f
        w: can_do g                         w< Error ARGUMENT_TOO_LARGE Too many functions on this connection
        w: complete H:1 x                   w< Error JOB_NOT_FOUND Job given in work result not found
        w: option verbose                   w< Error UNKNOWN_OPTION Server does not recognize given option
        w: buffers in=12 since=0
        time: 60000                         w< Error TIMEOUT Packet was not finished in time
                                            w< Close
        v: buffers out=1001                 v< CloseNow
        server: drain                       server< StopAccepting
        c: submit f x                       c< Error SHUTDOWN_GRACEFUL Server is shutting down
        refused:                            refused> maxqueue 1
                                            refused> memory-limit 1
                                            refused> packet-timeout 1
                                            refused> output-limit 1
                                            refused> functions-per-connection 1
                                            refused> draining 1
                                            refused> job-not-found 1
                                            refused> malformed 1
    "
        ),
    );
}
