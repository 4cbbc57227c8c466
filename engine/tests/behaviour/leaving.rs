//! Clients leave, whole or by half.

use crate::script::check;

#[test]
fn a_waiting_foreground_job_goes_with_its_last_watcher() {
    check(
        "
        w: can_do f
        c: submit f x unique=u              c< JobCreated H:1
        d: submit f x unique=u              d< JobCreated H:1
        c: closes
        w$ show jobs                        w> H:1 0 0 0
                                            w> .
        d: closes
        w$ show jobs                        w> .
        w$ status                           w> f 0 0 1
                                            w> .
        w$ show unique jobs                 w> .
        w: grab                             w< NoJob
        w: sleep
    ",
    );
}

#[test]
fn a_connection_that_watches_twice_leaves_twice() {
    check(
        "
        w: can_do f
        c: submit f x unique=u              c< JobCreated H:1
        c: submit f x unique=u              c< JobCreated H:1
        c: closes
        w: grab                             w< NoJob
    ",
    );
}

#[test]
fn a_job_without_watchers_makes_room_in_its_queue() {
    check(
        "
        c$ maxqueue f 1                     c> OK
        d: submit f x                       d< JobCreated H:1
        d: closes
        c: submit f x                       c< JobCreated H:2
    ",
    );
}

#[test]
fn other_jobs_are_not_touched_when_one_is_abandoned() {
    check(
        "
        w: can_do f
        w: can_do g
        c: submit_low f x                   c< JobCreated H:1
        d: submit_bg g y                    d< JobCreated H:2
        e: submit_high_bg g z               e< JobCreated H:3
        c: closes
        w: sleep                            w< Noop
        w: grab                             w< JobAssign H:3 g z
        w: grab                             w< JobAssign H:2 g y
        w: grab                             w< NoJob
    ",
    );
}

#[test]
fn a_running_job_runs_on_without_watchers() {
    check(
        "
        w: can_do f
        c: submit f x                       c< JobCreated H:1
        w: grab                             w< JobAssign H:1 f x
        c: closes
        w$ status                           w> f 1 1 1
                                            w> .
        w: data H:1 part
        w: complete H:1 done
        w$ status                           w> f 0 0 1
                                            w> .
    ",
    );
}

#[test]
fn a_running_job_without_watchers_accepts_new_ones() {
    check(
        "
        w: can_do f
        c: submit f x unique=u              c< JobCreated H:1
        w: grab                             w< JobAssign H:1 f x
        c: closes
        d: submit f x unique=u              d< JobCreated H:1
        w: complete H:1 done                d< WorkComplete H:1 done
    ",
    );
}

#[test]
fn a_running_job_without_watchers_ends_when_its_worker_is_lost() {
    check(
        "
        v: can_do f
        v: sleep
        w: can_do f
        c: submit f x unique=u              c< JobCreated H:1
                                            v< Noop
        w: grab                             w< JobAssign H:1 f x
        c: closes
        w: closes
        v$ status                           v> f 0 0 1
                                            v> .
        v: grab                             v< NoJob
    ",
    );
}

#[test]
fn a_silent_worker_keeps_its_job() {
    check(
        "
        v: can_do f
        w: can_do f
        c: submit f x                       c< JobCreated H:1
        w: grab                             w< JobAssign H:1 f x
        v: sleep
        time: 999999999
        v: grab                             v< NoJob
        w: complete H:1 y                   c< WorkComplete H:1 y
    ",
    );
}

#[test]
fn a_peer_that_half_closes_gets_its_replies_and_is_closed() {
    check(
        "
        c$ version                          c> OK 0.1.0
        c: half-closes                      c< Close
        c: closes
    ",
    );
}

#[test]
fn a_peer_that_half_closes_has_left() {
    check(
        "
        w: can_do f
        c: submit f x                       c< JobCreated H:1
        c: submit f y                       c< JobCreated H:2
        d: submit_bg f z                    d< JobCreated H:3
        w: grab                             w< JobAssign H:1 f x
        c: half-closes                      c< Close
        w: complete H:1 done
        w: grab                             w< JobAssign H:3 f z
        w: half-closes                      w< Close
        v: can_do f
        v: grab                             v< JobAssign H:3 f z
        v$ status                           v> f 1 1 1
                                            v> .
        v$ workers                          v> 3 127.0.0.1 - :
                                            v> 4 127.0.0.1 - : f
                                            v> .
    ",
    );
}

#[test]
fn a_half_closed_peer_hears_nothing_more_and_asks_nothing_more() {
    check(
        "
        w: can_do f
        c: submit f x unique=u              c< JobCreated H:1
        d: submit f x unique=u              d< JobCreated H:1
        c: half-closes                      c< Close
        c: echo late
        c: half-closes
        w: grab                             w< JobAssign H:1 f x
        w: complete H:1 y                   d< WorkComplete H:1 y
    ",
    );
}

#[test]
fn a_peer_that_does_not_take_its_last_replies_is_cut_off() {
    check(
        "
        c: echo long                        c< Echo long
        c: half-closes                      c< Close
        time: 59999
        time: 1                             c< CloseNow
        c: closes
        time: 60000
    ",
    );
}

#[test]
fn a_peer_that_takes_its_last_replies_slowly_is_waited_for() {
    check(
        "
        c: buffers out=300000
        c: half-closes                      c< Close
        time: 50000
        c: buffers out=200000
        time: 50000
        c: buffers out=200000
        time: 9999
        time: 1                             c< CloseNow
    ",
    );
}
