//! Decoding undoes encoding.

use crate::messages::{encoded, request, response};
use bytes::Bytes;
use gearman_protocol::{Decoder, Frame, Handle, Limits, Magic, Packet, Report, Request, Response};
use proptest::prelude::*;

/// The one frame that these bytes are.
fn frame(bytes: &[u8]) -> Frame {
    let (mut decoder, mut input) = (Decoder::new(Limits::default()), bytes);
    let frame = decoder.decode(&mut input).expect("good bytes").expect("a whole message");
    assert!(input.is_empty() && decoder.partial().is_none(), "one message only");
    frame
}

proptest! {
    #[test]
    fn every_request_is_read_as_it_was_written(request in request()) {
        let bytes = encoded(|out| request.encode(out));
        prop_assert_eq!(Request::parse(frame(&bytes)), Ok(request));
    }

    #[test]
    fn every_response_is_read_as_it_was_written(response in response()) {
        let bytes = encoded(|out| response.encode(out));
        prop_assert_eq!(Response::parse(frame(&bytes)), Ok(response));
    }

    #[test]
    fn what_one_side_says_is_not_heard_as_the_other(request in request(), response in response()) {
        let asked = frame(&encoded(|out| request.encode(out)));
        let said = frame(&encoded(|out| response.encode(out)));
        // The two directions share nothing but text lines.
        prop_assert!(matches!(asked, Frame::Line(_)) || Response::parse(asked).is_err());
        prop_assert!(matches!(said, Frame::Line(_)) || Request::parse(said).is_err());
    }
}

#[test]
fn the_data_of_a_report_may_lack_its_nul_and_then_has_no_bytes() {
    let makes = [
        (28, Report::Data as fn(Bytes) -> Report),
        (29, Report::Warning),
        (13, Report::Complete),
        (25, Report::Exception),
    ];
    for (number, make) in makes {
        let parse = |body: &'static [u8]| {
            Request::parse(Frame::Packet(Packet { magic: Magic::Request, number, body: body.into() }))
        };
        let found = |handle: &str, data: &'static [u8]| {
            Ok(Request::Work { handle: Handle::new(handle.to_owned()), report: make(data.into()) })
        };
        assert_eq!(parse(b"H:1"), found("H:1", b""));
        assert_eq!(parse(b"H:1\0"), found("H:1", b""));
        assert_eq!(parse(b"H:1\0\0"), found("H:1", b"\0"));
        assert_eq!(parse(b""), found("", b""));
    }
}

#[test]
fn a_name_that_is_all_of_a_packet_ends_at_its_first_nul() {
    let parse = |bytes: &'static [u8]| Request::parse(frame(bytes));
    let handle = Handle::new("H:1");
    assert_eq!(parse(b"\0REQ\0\0\0\x0f\0\0\0\x05H:1\0x"), Ok(Request::GetStatus { handle: handle.clone() }));
    assert_eq!(parse(b"\0REQ\0\0\0\x0e\0\0\0\x04H:1\0"), Ok(Request::Work { handle, report: Report::Fail }));
    assert_eq!(
        parse(b"\0REQ\0\0\0\x29\0\0\0\x04one\0"),
        Ok(Request::GetStatusUnique { unique: "one".into() })
    );
}
