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
        c$ status                           c> reverse 1 1 1
                                            c> .
        w: status H:1 1 2                   c< WorkStatus H:1 1 2
        c: get_status H:1                   c< Status H:1 1 1 1 2
        w: data H:1 ts                      c< WorkData H:1 ts
        w: complete H:1 et                  c< WorkComplete H:1 et
        w: grab                             w< NoJob
        c$ status                           c> reverse 0 0 1
                                            c> .
    ",
    );
}
