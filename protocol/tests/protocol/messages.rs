//! Any request and any response that the wire can say.

use bytes::Bytes;
use gearman_protocol::{
    AdminError, AdminReply, AdminRequest, Assignment, FunctionName, Grab, Handle, JobStatus, JobTimeout,
    Mode, Outward, Priority, QueueLimits, Reducer, Report, Request, Response, Submit, Unique, UniqueStatus,
};
use proptest::collection::vec;
use proptest::option;
use proptest::prelude::*;
use proptest::sample::select;
use proptest::strategy::Union;

/// A last argument: any bytes, now and then more than are copied, and now and then such as a message is made of.
fn data() -> impl Strategy<Value = Bytes> {
    let bytes = prop_oneof![
        8 => vec(any::<u8>(), 0..40),
        1 => vec(any::<u8>(), 16_000..17_000),
        2 => packets(),
        1 => "(status|version)\r?\n".prop_map(String::into_bytes),
    ];
    bytes.prop_map(Bytes::from)
}

/// What looks like one packet or two, whole or cut off, in either direction.
fn packets() -> impl Strategy<Value = Vec<u8>> {
    let packet = (select(vec![*b"\0REQ", *b"\0RES"]), 0_u32..45, vec(any::<u8>(), 0..9));
    let packet = packet.prop_map(|(magic, number, body)| {
        let size = u32::try_from(body.len()).expect("short");
        [&magic[..], &number.to_be_bytes(), &size.to_be_bytes(), &body].concat()
    });
    (vec(packet, 1..3), 0_usize..4).prop_map(|(packets, missing)| {
        let mut bytes = packets.concat();
        bytes.truncate(bytes.len() - missing);
        bytes
    })
}

/// An argument before the last: any bytes but NUL.
fn argument(longest: usize) -> impl Strategy<Value = Bytes> {
    vec(1_u8.., 0..=longest).prop_map(Bytes::from)
}

/// A word of the text protocol.
fn word() -> impl Strategy<Value = Bytes> {
    "[!-~]{1,20}".prop_map(Bytes::from)
}

fn function() -> impl Strategy<Value = FunctionName> {
    let bytes = vec(prop_oneof![b' '..=126_u8, 128_u8..], 1..=512);
    bytes.prop_map(|bytes| FunctionName::new(bytes).expect("a name"))
}

fn unique() -> impl Strategy<Value = Unique> {
    argument(64).prop_map(|bytes| Unique::new(bytes).expect("short"))
}

fn reducer() -> impl Strategy<Value = Reducer> {
    argument(64).prop_map(|bytes| Reducer::new(bytes).expect("short"))
}

fn handle() -> impl Strategy<Value = Handle> {
    argument(70).prop_map(Handle::new)
}

fn grab() -> impl Strategy<Value = Grab> {
    select(&[Grab::Plain, Grab::Uniq, Grab::All][..])
}

fn report() -> impl Strategy<Value = Report> {
    prop_oneof![
        data().prop_map(Report::Data),
        data().prop_map(Report::Warning),
        (argument(12), data()).prop_map(|(numerator, denominator)| Report::Status { numerator, denominator }),
        data().prop_map(Report::Complete),
        Just(Report::Fail),
        data().prop_map(Report::Exception),
    ]
}

/// The nine forms of a submit: an epoch and a reducer go with normal priority only.
fn submit() -> impl Strategy<Value = Submit> {
    let plain = (select(&Priority::ALL[..]), select(vec![Mode::Foreground, Mode::Background]));
    let reducing = (reducer(), select(vec![Mode::Foreground, Mode::Background]));
    let form = prop_oneof![
        plain.prop_map(|(priority, mode)| (priority, mode, None)),
        argument(20).prop_map(|seconds| (Priority::Normal, Mode::Epoch(seconds), None)),
        reducing.prop_map(|(reducer, mode)| (Priority::Normal, mode, Some(reducer))),
    ];
    (function(), unique(), form, data()).prop_map(
        |(function, unique, (priority, mode, reducer), workload)| Submit {
            function,
            unique,
            priority,
            mode,
            reducer,
            workload,
        },
    )
}

fn queue_limits() -> impl Strategy<Value = QueueLimits> {
    let limit = || option::of(1_u32..);
    (limit(), limit(), limit()).prop_map(|(high, normal, low)| QueueLimits { high, normal, low })
}

/// Every command; of the lines that are none those that begin with an unknown word.
fn admin_request() -> impl Strategy<Value = AdminRequest> {
    prop_oneof![
        select(vec![
            AdminRequest::Status,
            AdminRequest::PriorityStatus,
            AdminRequest::Workers,
            AdminRequest::ShowJobs,
            AdminRequest::ShowUniqueJobs,
            AdminRequest::Version,
            AdminRequest::GetPid,
            AdminRequest::Verbose,
            AdminRequest::Shutdown { graceful: false },
            AdminRequest::Shutdown { graceful: true },
        ]),
        word().prop_map(|word| AdminRequest::CancelJob(Handle::new(word))),
        word().prop_map(AdminRequest::CreateFunction),
        word().prop_map(AdminRequest::DropFunction),
        (word(), queue_limits()).prop_map(|(function, limits)| AdminRequest::MaxQueue { function, limits }),
        "[a-b]{1,20}".prop_map(|word| AdminRequest::Malformed(AdminError::UnknownCommand(word.into()))),
    ]
}

pub(crate) fn request() -> impl Strategy<Value = Request> {
    let can_do = (function(), option::of(data().prop_map(JobTimeout)));
    let bodiless = vec![Request::ResetAbilities, Request::PreSleep, Request::AllYours].into_iter().map(Just);
    prop_oneof![
        Union::new(bodiless),
        can_do.prop_map(|(function, timeout)| Request::CanDo { function, timeout }),
        function().prop_map(|function| Request::CantDo { function }),
        submit().prop_map(Request::Submit),
        grab().prop_map(Request::Grab),
        (handle(), report()).prop_map(|(handle, report)| Request::Work { handle, report }),
        handle().prop_map(|handle| Request::GetStatus { handle }),
        argument(64).prop_map(|unique| Request::GetStatusUnique { unique }),
        data().prop_map(|data| Request::Echo { data }),
        data().prop_map(|name| Request::Option { name }),
        data().prop_map(|id| Request::SetClientId { id }),
        admin_request().prop_map(Request::Admin),
    ]
}

fn assignment() -> impl Strategy<Value = Assignment> {
    let names = (handle(), function(), unique(), reducer());
    (names, data(), grab()).prop_map(|((handle, function, unique, reducer), workload, form)| Assignment {
        handle,
        function,
        unique: if form == Grab::Plain { Unique::default() } else { unique },
        reducer: if form == Grab::All { reducer } else { Reducer::default() },
        workload,
        form,
    })
}

fn job_status() -> impl Strategy<Value = JobStatus> {
    (handle(), any::<(bool, bool, u32, u32)>()).prop_map(
        |(handle, (known, running, numerator, denominator))| JobStatus {
            handle,
            known,
            running,
            numerator,
            denominator,
        },
    )
}

fn unique_status() -> impl Strategy<Value = UniqueStatus> {
    (argument(70), any::<(bool, bool, u32, u32, u32)>()).prop_map(
        |(unique, (known, running, numerator, denominator, watchers))| UniqueStatus {
            unique,
            known,
            running,
            numerator,
            denominator,
            watchers,
        },
    )
}

/// Every response; of the text protocol one line, because a line does not say what was asked.
pub(crate) fn response() -> impl Strategy<Value = Response> {
    prop_oneof![
        data().prop_map(|bytes| Response::JobCreated { handle: Handle::new(bytes) }),
        select(vec![Response::Noop, Response::NoJob]),
        assignment().prop_map(Response::JobAssign),
        (handle(), report()).prop_map(|(handle, report)| Response::Work { handle, report }),
        job_status().prop_map(Response::Status),
        unique_status().prop_map(Response::StatusUnique),
        data().prop_map(|data| Response::Echo { data }),
        data().prop_map(|name| Response::Option { name }),
        (argument(40), data()).prop_map(|(code, text)| Response::Error { code, text }),
        "[!-~][ -~\t]{0,99}".prop_map(|line| Response::Admin(AdminReply::Line(line.into()))),
    ]
}

/// What `encode` appends to an empty buffer.
pub(crate) fn encoded(encode: impl FnOnce(&mut Outward)) -> Vec<u8> {
    let mut out = Outward::new();
    encode(&mut out);
    out.to_vec()
}
