//! What the store kept comes back after a restart.

use crate::script::{check_with, config};
use crate::storing::check;
use gearman_engine::Config;

#[test]
fn what_was_stored_in_an_earlier_life_is_replayed_in_order_under_new_handles() {
    check(
        "
        wall: 1000
        store: replays 41 f one unique=u
        store: replays 42 f two
        store: replays 43 f late not-before=1010
        w: can_do f
        w$ show jobs                        w> H:1 0 0 1
                                            w> H:2 0 0 1
                                            w> H:3 0 0 1
                                            w> .
        w: grab                             w< JobAssign H:1 f one
        w: grab                             w< JobAssign H:2 f two
        w: grab                             w< NoJob
        w: complete H:1 done                store< Forget 41
        w: sleep
        time: 10000                         w< Noop
        c: submit_bg f new                  store< Keep 44 f new
    ",
    );
}

#[test]
fn a_submit_joins_a_replayed_job() {
    check(
        "
        store: replays 41 f one unique=u
        c: submit f one unique=u            c< JobCreated H:1
        c: submit_bg f one unique=u         c< JobCreated H:1
    ",
    );
}

#[test]
fn of_two_records_with_the_same_key_the_later_one_is_the_job() {
    check(
        "
        store: replays 41 f old unique=u
        store: replays 42 f new unique=u    store< Forget 41
        store: replays 40 f older unique=u  store< Forget 40
        store: replays 43 f free
        store: replays 44 f free
        w: can_do f
        w: grab                             w< JobAssign H:2 f new
        w: grab                             w< JobAssign H:3 f free
        w: grab                             w< JobAssign H:4 f free
        w: grab                             w< NoJob
    ",
    );
}

#[test]
fn a_record_has_all_that_a_job_is_and_brings_it_back() {
    check(
        "
        store: replays 41 f one unique=u reducer=sum
        store: replays 42 f two priority=High
        w: can_do f
        w: grab                             w< JobAssign H:2 f two
        w: grab_all                         w< JobAssignAll H:1 f u sum one
    ",
    );
    let config = Config { store: true, ..config() };
    check_with(
        &config,
        "
        c: submit_low_bg f x unique=u reducer=sum
                                            store< Keep 1 f x unique=u reducer=sum priority=Low
    ",
    );
}
