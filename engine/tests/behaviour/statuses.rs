//! GET_STATUS and GET_STATUS_UNIQUE.

use crate::script::check;

#[test]
fn the_status_of_a_job_follows_it() {
    check(
        "
        w: can_do f
        c: submit f x                       c< JobCreated H:1
        c: get_status H:1                   c< Status H:1 1 0 0 0
        w: grab                             w< JobAssign H:1 f x
        c: get_status H:1                   c< Status H:1 1 1 0 0
        w: status H:1 3 4                   c< WorkStatus H:1 3 4
        d: get_status H:1                   d< Status H:1 1 1 3 4
        w: status H:1 2 5                   c< WorkStatus H:1 2 5
        d: get_status H:1                   d< Status H:1 1 1 2 5
        w: complete H:1 y                   c< WorkComplete H:1 y
        c: get_status H:1                   c< Status H:1 0 0 0 0
    ",
    );
}

#[test]
fn a_handle_of_any_length_gets_an_answer() {
    let long = "h".repeat(100);
    check(&format!(
        r#"
        c: get_status nothing               c< Status nothing 0 0 0 0
        c: get_status ""                    c< Status  0 0 0 0
        c: get_status {long}                c< Status {long} 0 0 0 0
        c: echo fine                        c< Echo fine
    "#
    ));
}

#[test]
fn the_status_by_unique_counts_watchers() {
    check(
        "
        w: can_do f
        c: submit_bg f x unique=u           c< JobCreated H:1
        c: get_status_unique u              c< StatusUnique u 1 0 0 0 0
        d: submit f x unique=u              d< JobCreated H:1
        d: submit f x unique=u              d< JobCreated H:1
        w: grab                             w< JobAssign H:1 f x
        w: status H:1 3 4                   d< WorkStatus H:1 3 4
                                            d< WorkStatus H:1 3 4
        c: get_status_unique u              c< StatusUnique u 1 1 3 4 2
        d: closes
        c: get_status_unique u              c< StatusUnique u 1 1 3 4 0
        w: complete H:1 y
        c: get_status_unique u              c< StatusUnique u 0 0 0 0 0
    ",
    );
}

#[test]
fn a_unique_is_looked_for_in_all_functions_and_the_newest_job_answers() {
    check(
        "
        w: can_do g
        c: submit_bg g x unique=u           c< JobCreated H:1
        w: grab                             w< JobAssign H:1 g x
        c: get_status_unique u              c< StatusUnique u 1 1 0 0 0
        c: submit_bg f x unique=u           c< JobCreated H:2
        c: get_status_unique u              c< StatusUnique u 1 0 0 0 0
    ",
    );
}

#[test]
fn an_empty_or_too_long_unique_is_not_found() {
    let long = "u".repeat(65);
    check(&format!(
        r#"
        c: submit_bg f x                    c< JobCreated H:1
        c: get_status_unique ""             c< StatusUnique "" 0 0 0 0 0
        c: get_status_unique {long}         c< StatusUnique {long} 0 0 0 0 0
    "#
    ));
}

#[test]
fn a_dash_is_the_unique_of_no_job() {
    check(
        "
        c: submit_bg f x unique=-           c< JobCreated H:1
        c: get_status_unique -              c< StatusUnique - 0 0 0 0 0
        c: get_status_unique x              c< StatusUnique x 0 0 0 0 0
    ",
    );
}
