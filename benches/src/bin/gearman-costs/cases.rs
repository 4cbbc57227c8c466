//! What is counted.

use bytes::{Buf, Bytes};
use gearman_benches::{CLIENT, Stage, WORKER, WORKLOAD, assignment, encoded, submit};
use gearman_protocol::{Decoder, Grab, Limits, Mode, Outward, Report, Request, Response};
use std::hint::black_box;

/// How much a server reads at once, in bytes.
const READ: usize = 64 << 10;
const MEBIBYTE: usize = 1 << 20;
/// A queue that is deep, and that fills in seconds under valgrind.
const DEEP: usize = 100_000;

/// Something that is done many times.
pub(crate) struct Case {
    pub(crate) name: &'static str,
    /// Does it so many times.
    pub(crate) run: fn(usize),
    /// How many times, to be counted; twice as many are run as well, and the difference is the cost.
    pub(crate) times: usize,
}

/// All cases.
pub(crate) const CASES: &[Case] = &[
    Case { name: "decode-small", run: |times| decode(WORKLOAD, times), times: 10_000 },
    Case { name: "decode-1mib", run: |times| decode(MEBIBYTE, times), times: 10 },
    Case { name: "encode-small", run: |times| encode(WORKLOAD, times), times: 10_000 },
    Case { name: "encode-1mib", run: |times| encode(MEBIBYTE, times), times: 100 },
    Case { name: "engine-foreground", run: |times| engine(Mode::Foreground, 0, times), times: 10_000 },
    Case { name: "engine-background", run: |times| engine(Mode::Background, 0, times), times: 10_000 },
    Case {
        name: "engine-background-deep",
        run: |times| engine(Mode::Background, DEEP, times),
        times: 10_000,
    },
    Case { name: "foreground-job", run: foreground_job, times: 10_000 },
];

/// A submit's bytes become a request, in reads of the usual size.
fn decode(workload: usize, times: usize) {
    let bytes = encoded(&[submit(Mode::Background, workload)]);
    let mut decoder = Decoder::new(Limits::default());
    for _ in 0..times {
        for mut read in bytes.chunks(READ) {
            while let Some(frame) = decoder.decode(&mut read).expect("good bytes") {
                black_box(Request::parse(frame).expect("a request"));
            }
        }
    }
}

/// An assignment becomes bytes, a hundred in one buffer, which is taken out as a socket would.
fn encode(workload: usize, times: usize) {
    let response = assignment(workload);
    let mut out = Outward::new();
    for time in 1..=times {
        response.encode(&mut out);
        if time % 100 == 0 {
            empty(&mut out);
        }
    }
}

fn empty(out: &mut Outward) {
    while out.has_remaining() {
        let chunk = black_box(out.chunk()).len();
        out.advance(chunk);
    }
}

/// Submit, grab and complete in the bare engine.
fn engine(mode: Mode, waiting: usize, times: usize) {
    let mut stage = Stage::with_waiting(waiting);
    let request = submit(mode, WORKLOAD);
    (0..times).for_each(|_| stage.turn(&request));
}

/// A foreground job from bytes to bytes: submit, grab and complete are decoded, decided and answered.
fn foreground_job(times: usize) {
    let mut stage = Stage::with_waiting(0);
    let [submit, grab] =
        [submit(Mode::Foreground, WORKLOAD), Request::Grab(Grab::Uniq)].map(|request| encoded(&[request]));
    let result = Bytes::from(vec![b'r'; WORKLOAD]);
    let [mut client, mut worker] = [(); 2].map(|()| Decoder::new(Limits::default()));
    let (mut out, mut report) = (Outward::new(), Outward::new());
    for _ in 0..times {
        stage.ask_and_hear(CLIENT, request(&mut client, &submit), |response| response.encode(&mut out));
        empty(&mut out);
        let mut handle = None;
        stage.ask_and_hear(WORKER, request(&mut worker, &grab), |response| {
            response.encode(&mut out);
            if let Response::JobAssign(assignment) = response {
                handle = Some(assignment.handle);
            }
        });
        empty(&mut out);
        // The worker's own part: it is the same for every server, and small beside the rest.
        let handle = handle.expect("there was a job");
        Request::Work { handle, report: Report::Complete(result.clone()) }.encode(&mut report);
        let bytes = report.chunk().to_vec();
        report.advance(bytes.len());
        stage.ask_and_hear(WORKER, request(&mut worker, &bytes), |response| response.encode(&mut out));
        empty(&mut out);
    }
}

fn request(decoder: &mut Decoder, mut bytes: &[u8]) -> Request {
    let frame = decoder.decode(&mut bytes).expect("good bytes").expect("a whole packet");
    Request::parse(frame).expect("a request")
}
