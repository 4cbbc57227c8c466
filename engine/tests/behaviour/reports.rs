//! What workers say about jobs, and who hears it.

use crate::script::check;

#[test]
fn reports_are_passed_on_as_they_were_sent() {
    check(
        r#"
        w: can_do f
        c: submit f x                       c< JobCreated H:1
        w: grab                             w< JobAssign H:1 f x
        w: data H:1 ""                      c< WorkData H:1 ""
        w: data H:1 a\0b                    c< WorkData H:1 a\x00b
        w: warning H:1 hot                  c< WorkWarning H:1 hot
        w: status H:1 0.5 1e3               c< WorkStatus H:1 0.5 1e3
        c: get_status H:1                   c< Status H:1 1 1 0 1
        w: complete H:1 ""                  c< WorkComplete H:1 ""
    "#,
    );
}

#[test]
fn a_status_of_any_length_is_passed_on_and_kept_as_far_as_it_fits() {
    check(
        "
        w: can_do f
        c: submit f x                       c< JobCreated H:1
        w: grab                             w< JobAssign H:1 f x
        w: status H:1 -1 123456789012       c< WorkStatus H:1 -1 123456789012
        c: get_status H:1                   c< Status H:1 1 1 4294967295 4294967295
        w: echo fine                        w< Echo fine
    ",
    );
}

#[test]
fn only_the_worker_that_holds_a_job_may_report_on_it() {
    check(
        "
        w: can_do f
        v: can_do f
        c: submit f x                       c< JobCreated H:1
        w: data H:1 a                       w< Error JOB_NOT_FOUND Job does not exist on server
        w: grab                             w< JobAssign H:1 f x
        v: data H:1 a                       v< Error JOB_NOT_FOUND Job does not exist on server
        v: warning H:1 a                    v< Error JOB_NOT_FOUND Job does not exist on server
        v: status H:1 1 2                   v< Error JOB_NOT_FOUND Job given in work result not found
        v: complete H:1 a                   v< Error JOB_NOT_FOUND Job given in work result not found
        v: fail H:1                         v< Error JOB_NOT_FOUND Job given in work result not found
        v: exception H:1 a                  v< Error JOB_NOT_FOUND An exception was received for a job that does not exist
        c: complete H:1 a                   c< Error JOB_NOT_FOUND Job given in work result not found
        c: get_status H:1                   c< Status H:1 1 1 0 0
        w: complete H:1 a                   c< WorkComplete H:1 a
        w: complete H:1 a                   w< Error JOB_NOT_FOUND Job given in work result not found
    ",
    );
}

#[test]
fn a_handle_that_was_never_given_out_names_no_job() {
    check(
        "
        w: can_do f
        c: submit f x                       c< JobCreated H:1
        w: grab                             w< JobAssign H:1 f x
        w: fail H:01                        w< Error JOB_NOT_FOUND Job given in work result not found
        w: fail H:2                         w< Error JOB_NOT_FOUND Job given in work result not found
        w: fail X:1                         w< Error JOB_NOT_FOUND Job given in work result not found
        w: fail H:1                         c< WorkFail H:1
    ",
    );
}

#[test]
fn a_fail_with_a_handle_longer_than_any_is_refused_as_gearmand_does() {
    let handle = "h".repeat(63);
    check(&format!(
        "
        w: fail {handle}                    w< Error JOB_NOT_FOUND Job given in work result not found
        w: fail {handle}h                   w< Error ARGUMENT_TOO_LARGE Error occurred due to GEARMAND_JOB_HANDLE_SIZE being too small from snprintf
    "
    ));
}

#[test]
fn a_late_result_of_a_former_owner_is_refused_and_changes_nothing() {
    check(
        "
        w: can_do f 1000
        v: can_do f
        c: submit f x                       c< JobCreated H:1
        w: grab                             w< JobAssign H:1 f x
        time: 1000
        v: grab                             v< JobAssign H:1 f x
        w: data H:1 late                    w< Error JOB_NOT_FOUND Job does not exist on server
        w: complete H:1 late                w< Error JOB_NOT_FOUND Job given in work result not found
        v: complete H:1 good                c< WorkComplete H:1 good
    ",
    );
}

#[test]
fn a_worker_that_was_late_may_get_the_job_again_and_end_it() {
    check(
        "
        w: can_do f 1000
        c: submit f x                       c< JobCreated H:1
        w: grab                             w< JobAssign H:1 f x
        time: 1000
        w: complete H:1 late                w< Error JOB_NOT_FOUND Job given in work result not found
        w: grab                             w< JobAssign H:1 f x
        w: complete H:1 good                c< WorkComplete H:1 good
    ",
    );
}

#[test]
fn an_exception_ends_the_job_and_only_who_asked_hears_why() {
    check(
        "
        w: can_do f
        c: option exceptions                c< Option exceptions
        c: submit f x unique=u              c< JobCreated H:1
        d: submit f x unique=u              d< JobCreated H:1
        w: grab                             w< JobAssign H:1 f x
        w: exception H:1 boom               c< WorkException H:1 boom
                                            d< WorkFail H:1
        c: get_status H:1                   c< Status H:1 0 0 0 0
        w: data H:1 more                    w< Error JOB_NOT_FOUND Job does not exist on server
    ",
    );
}

#[test]
fn a_fail_or_complete_right_after_an_exception_is_swallowed_once() {
    check(
        "
        w: can_do f
        c: submit f x                       c< JobCreated H:1
        c: submit f y                       c< JobCreated H:2
        w: grab                             w< JobAssign H:1 f x
        w: grab                             w< JobAssign H:2 f y
        w: exception H:1 boom               c< WorkFail H:1
        w: exception H:2 bang               c< WorkFail H:2
        w: fail H:1
        w: complete H:2 done
        w: fail H:1                         w< Error JOB_NOT_FOUND Job given in work result not found
        w: complete H:2 done                w< Error JOB_NOT_FOUND Job given in work result not found
    ",
    );
}

#[test]
fn after_an_exception_only_the_next_packet_for_the_job_is_swallowed() {
    check(
        "
        w: can_do f
        v: can_do f
        c: submit f x                       c< JobCreated H:1
        w: grab                             w< JobAssign H:1 f x
        w: exception H:1 boom               c< WorkFail H:1
        v: fail H:1                         v< Error JOB_NOT_FOUND Job given in work result not found
        w: data H:1 more                    w< Error JOB_NOT_FOUND Job does not exist on server
        w: fail H:1                         w< Error JOB_NOT_FOUND Job given in work result not found
    ",
    );
}

#[test]
fn after_an_exception_an_exception_is_not_swallowed() {
    check(
        "
        w: can_do f
        c: submit f x                       c< JobCreated H:1
        w: grab                             w< JobAssign H:1 f x
        w: exception H:1 boom               c< WorkFail H:1
        w: exception H:1 boom               w< Error JOB_NOT_FOUND An exception was received for a job that does not exist
        w: fail H:1                         w< Error JOB_NOT_FOUND Job given in work result not found
    ",
    );
}

#[test]
fn what_a_worker_may_still_end_is_forgotten_after_64_more_exceptions() {
    let mut script = String::from("w: can_do f\n");
    for job in 1..=65 {
        script += &format!("c: submit f x                       c< JobCreated H:{job}\n");
        script += &format!("w: grab                             w< JobAssign H:{job} f x\n");
        script += &format!("w: exception H:{job} boom             c< WorkFail H:{job}\n");
    }
    script += "w: fail H:2\n";
    script +=
        "w: fail H:1                         w< Error JOB_NOT_FOUND Job given in work result not found\n";
    check(&script);
}

#[test]
fn the_server_option_gives_exceptions_to_everybody() {
    let config = gearman_engine::Config { exceptions: true, ..crate::script::config() };
    crate::script::check_with(
        &config,
        "
        w: can_do f
        c: submit f x                       c< JobCreated H:1
        w: grab                             w< JobAssign H:1 f x
        w: exception H:1 boom               c< WorkException H:1 boom
    ",
    );
}
