//! How fast: criterion benches of codec, engine, store door and socket; `gearman-bench` for servers side by side;
//! `gearman-costs` for what does not depend on the machine.
//!
//! `cargo bench --package gearman-benches` runs them all. What they share is here: the packets of the usual job,
//! and a peer that speaks over a blocking socket.

mod peer;
mod stage;

pub use peer::{Peer, listen};
pub use stage::{CLIENT, Stage, WORKER};

use bytes::Bytes;
use gearman_protocol::{
    Assignment, Decoder, FunctionName, Grab, Handle, Limits, Mode, Outward, Priority, Reducer, Report,
    Request, Response, Submit, Unique,
};

/// A workload of the usual size, in bytes.
pub const WORKLOAD: usize = 100;

/// The function that is used everywhere.
///
/// # Panics
/// Never: it is a name.
#[must_use]
pub fn function() -> FunctionName {
    FunctionName::new("reverse").expect("a name")
}

/// A submit without a unique.
#[must_use]
pub fn submit(mode: Mode, workload: usize) -> Request {
    submit_as(Unique::default(), mode, workload)
}

/// A background submit with the unique that is this number, in sixteen bytes; as a server gets it, in one packet.
///
/// # Panics
/// Never: it is a unique.
#[must_use]
pub fn submit_unique(number: u64, workload: usize) -> Request {
    let unique = Unique::new(format!("{number:016x}")).expect("sixteen digits");
    let bytes = encoded(&[submit_as(unique, Mode::Background, workload)]);
    let frame = Decoder::new(Limits::default()).decode(&mut &bytes[..]);
    let frame = frame.expect("good bytes").expect("a whole packet");
    Request::parse(frame).expect("a request")
}

fn submit_as(unique: Unique, mode: Mode, workload: usize) -> Request {
    Request::Submit(Submit {
        function: function(),
        unique,
        priority: Priority::Normal,
        mode,
        reducer: None,
        workload: vec![b'w'; workload].into(),
    })
}

/// The result of a job.
#[must_use]
pub fn complete(handle: Handle, result: usize) -> Request {
    Request::Work { handle, report: Report::Complete(vec![b'r'; result].into()) }
}

/// A job for a worker.
#[must_use]
pub fn assignment(workload: usize) -> Response {
    Response::JobAssign(Assignment {
        handle: Handle::new("H:localhost:1"),
        function: function(),
        unique: Unique::default(),
        reducer: Reducer::default(),
        workload: vec![b'w'; workload].into(),
        form: Grab::Uniq,
    })
}

/// The bytes of these requests, one after the other.
#[must_use]
pub fn encoded(requests: &[Request]) -> Bytes {
    let mut out = Outward::new();
    requests.iter().for_each(|request| request.encode(&mut out));
    out.to_vec().into()
}
