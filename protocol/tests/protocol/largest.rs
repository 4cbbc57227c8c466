//! What is too large to be passed on or answered is refused at the edge.
//!
//! The buffers are as large as the address space says and as small as the pages that are touched: their zeros
//! are never read.

use bytes::{Bytes, BytesMut};
use gearman_protocol::{Assignment, Handle, JobStatus, MAX_HANDLE, Reducer};
use gearman_protocol::{DecodeError, Frame, Grab, Magic, Outward, Packet, PacketType, Request, Response};

const LARGEST: usize = u32::MAX as usize;

/// A request of this type whose body has this size and begins with these bytes.
fn parse(packet_type: PacketType, start: &[u8], size: usize) -> Result<Request, DecodeError> {
    let mut body = BytesMut::zeroed(size);
    body[..start.len()].copy_from_slice(start);
    let packet = Packet { magic: Magic::Request, number: packet_type.number(), body: body.freeze() };
    Request::parse(Frame::Packet(packet))
}

#[test]
fn the_largest_submit_that_is_taken_can_be_assigned() {
    // The body holds "f", "u" and two NULs; JOB_ASSIGN_ALL has the handle, the empty reducer and two NULs more.
    let largest = LARGEST - MAX_HANDLE - 2;
    let Ok(Request::Submit(submit)) = parse(PacketType::SubmitJob, b"f\0u\0", largest) else {
        panic!("not taken")
    };
    let mut out = Outward::new();
    let (handle, reducer) = (Handle::new(vec![b'H'; MAX_HANDLE]), Reducer::default());
    let (function, unique, workload) = (submit.function, submit.unique, submit.workload);
    Response::JobAssign(Assignment { handle, function, unique, reducer, workload, form: Grab::All })
        .encode(&mut out);
    assert_eq!(out.len(), 12 + LARGEST);
    // No `assert_eq!`: it would print four gigabytes.
    let refused = parse(PacketType::SubmitJob, b"f\0u\0", largest + 1).is_err_and(
        |error| matches!(error, DecodeError::PacketTooLarge { size } if size as usize == largest + 1),
    );
    assert!(refused);
}

#[test]
fn a_reducer_is_assigned_with_the_job_and_its_name_counts() {
    // With an empty aggregator the body has as many NULs as JOB_ASSIGN_ALL, which has the handle as well.
    let (start, largest) = (b"f\0u\0reduce\0\0", LARGEST - MAX_HANDLE);
    assert!(parse(PacketType::SubmitReduceJob, start, largest).is_ok());
    let refused = parse(PacketType::SubmitReduceJob, start, largest + 1);
    assert!(matches!(refused, Err(DecodeError::PacketTooLarge { .. })));
}

#[test]
fn the_largest_handle_that_may_be_asked_about_can_be_repeated() {
    // How much longer the answer is than the handle does not depend on the handle, so a short one tells it.
    let mut out = Outward::new();
    let (handle, numerator, denominator) = (Handle::new("H"), u32::MAX, u32::MAX);
    Response::Status(JobStatus { handle, known: true, running: true, numerator, denominator })
        .encode(&mut out);
    let largest = LARGEST - (out.len() - 12 - 1);
    assert!(parse(PacketType::GetStatus, b"", largest).is_ok());
    let refused = parse(PacketType::GetStatus, b"", largest + 1);
    assert!(matches!(refused, Err(DecodeError::PacketTooLarge { .. })));
}

#[test]
fn four_gigabytes_less_one_travel() {
    let data = Bytes::from(vec![0; LARGEST]);
    let mut out = Outward::new();
    Response::Echo { data }.encode(&mut out);
    assert_eq!(out.len(), 12 + LARGEST);
}
