//! What bytes that are no request lead to, and the small requests.

use crate::script::check;

#[test]
fn bad_content_gets_an_error_and_the_connection_is_kept() {
    let refusals = [
        ("response-magic", "INVALID_MAGIC Request magic expected"),
        ("unknown-type", "INVALID_COMMAND Command not expected"),
        ("missing-nul", "INVALID_PACKET Packet has too few arguments"),
        (
            "bad-function",
            "INVALID_FUNCTION_NAME Function name must be 1 to 512 bytes without control characters",
        ),
        ("long-unique", "ARGUMENT_TOO_LARGE Unique value too large"),
        ("long-packet", "ARGUMENT_TOO_LARGE Packet exceeds the limit"),
    ];
    for (nonsense, refusal) in refusals {
        check(&format!(
            "
            w: can_do f
            c: submit f x                       c< JobCreated H:1
            c: sends-nonsense {nonsense}        c< Error {refusal}
            c: echo still                       c< Echo still
            w: grab                             w< JobAssign H:1 f x
            w: complete H:1 here                c< WorkComplete H:1 here
        "
        ));
    }
}

#[test]
fn an_unknown_boundary_gets_an_error_and_the_connection_is_closed() {
    let refusals = [
        ("bad-magic", "INVALID_MAGIC Request magic expected"),
        ("long-line", "ARGUMENT_TOO_LARGE Text line exceeds the limit"),
    ];
    for (nonsense, refusal) in refusals {
        check(&format!(
            "
            w: can_do f
            d: submit_bg f x                    d< JobCreated H:1
            c: submit f x                       c< JobCreated H:2
            c: sends-nonsense {nonsense}        c< Error {refusal}
                                                c< Close
            c: echo late
            c: sends-nonsense {nonsense}
            w: grab                             w< JobAssign H:1 f x
            w: grab                             w< NoJob
            c: closes
        "
        ));
    }
}

#[test]
fn nonsense_of_a_worker_requeues_its_jobs() {
    check(
        "
        w: can_do f
        c: submit f x                       c< JobCreated H:1
        w: grab                             w< JobAssign H:1 f x
        w: sends-nonsense bad-magic         w< Error INVALID_MAGIC Request magic expected
                                            w< Close
        v: can_do f
        v: grab                             v< JobAssign H:1 f x
    ",
    );
}

#[test]
fn echo_sends_back_what_it_got() {
    check(
        r#"
        c: echo hello                       c< Echo hello
        c: echo ""                          c< Echo ""
        c: echo a\0b                        c< Echo a\x00b
    "#,
    );
}

#[test]
fn options_are_known_by_name_in_any_case_and_repeated_as_sent() {
    let long = "o".repeat(64);
    check(&format!(
        r#"
        c: option Exceptions                c< Option Exceptions
        c: option exceptions\0              c< Option exceptions\x00
        c: option other                     c< Error UNKNOWN_OPTION Server does not recognize given option
        c: option ""                        c< Error UNKNOWN_OPTION Server does not recognize given option
        c: option {long}                    c< Error UNKNOWN_OPTION Server does not recognize given option
    "#
    ));
}

#[test]
fn all_yours_is_accepted_silently() {
    check(
        "
        w: all_yours
        w: echo fine                        w< Echo fine
    ",
    );
}

#[test]
fn the_client_id_is_shown_and_cut_at_127_bytes() {
    let long = "i".repeat(128);
    let kept = "i".repeat(127);
    check(&format!(
        r#"
        c$ workers                          c> 1 127.0.0.1 - :
                                            c> .
        c: id fred
        c$ workers                          c> 1 127.0.0.1 fred :
                                            c> .
        c: id {long}
        c$ workers                          c> 1 127.0.0.1 {kept} :
                                            c> .
        c: id ""
        c$ workers                          c> 1 127.0.0.1 - :
                                            c> .
    "#
    ));
}

#[test]
fn events_of_connections_that_are_gone_change_nothing() {
    check(
        "
        c: submit f x                       c< JobCreated H:1
        c: closes
        c: closes
        c: half-closes
        c: sends-nonsense bad-magic
        c: buffers in=100000 out=99999999999
        c: submit f x
        d$ status                           d> f 0 0 0
                                            d> .
    ",
    );
}
