//! Any bytes, in any pieces.

use gearman_protocol::{
    AdminRequest, DecodeError, Decoder, Frame, HEADER_LENGTH, Limits, Outward, Request, Response,
};

/// A stream of bytes decodes the same however it is cut, is held in little memory, and each message in it means
/// the same whatever stands before and after it.
///
/// The last eighth of the input, but at most 8 bytes, says how large the pieces are; the rest is the stream.
pub fn decoder(input: &[u8]) {
    let (stream, sizes) = input.split_at(input.len() - (input.len() / 8).min(8));
    for limits in [Limits::default(), Limits { packet: 40, line: 30 }] {
        let whole = decode(limits, [stream]);
        assert_eq!(decode(limits, pieces(stream, sizes)), whole, "in pieces");
        assert_eq!(decode(limits, stream.chunks(1)), whole, "byte by byte");
        whole.0.into_iter().for_each(check_frame);
    }
}

/// The stream in pieces of these sizes, over and over; 0 is an empty piece.
fn pieces<'a>(mut stream: &'a [u8], sizes: &'a [u8]) -> impl Iterator<Item = &'a [u8]> {
    let sizes = sizes.iter().chain([&1]).cycle();
    sizes.map_while(move |&size| {
        let (piece, rest) = stream.split_at(usize::from(size).min(stream.len()));
        let is_over = stream.is_empty();
        stream = rest;
        (!is_over).then_some(piece)
    })
}

fn decode<'a>(
    limits: Limits,
    pieces: impl IntoIterator<Item = &'a [u8]>,
) -> (Vec<Frame>, Option<DecodeError>) {
    let (mut decoder, mut frames) = (Decoder::new(limits), Vec::new());
    for mut piece in pieces {
        loop {
            match decoder.decode(&mut piece) {
                Ok(Some(frame)) => frames.push(frame),
                Ok(None) => break,
                Err(error) => {
                    assert!(error.is_fatal(), "the decoder goes on after all others");
                    return (frames, Some(error));
                }
            }
        }
        let arrived = decoder.partial().unwrap_or(0);
        assert!(decoder.held() <= Decoder::SMALL.max(4 * arrived), "{} for {arrived}", decoder.held());
    }
    (frames, None)
}

/// What a frame means is said again in bytes that mean the same, and depends on its own bytes alone.
fn check_frame(frame: Frame) {
    if let Ok(request) = Request::parse(frame.clone())
        && is_sayable(&request)
    {
        let again = only_frame(|out| request.encode(out));
        assert_eq!(Request::parse(again), Ok(request));
    }
    if let Ok(response) = Response::parse(frame.clone())
        && !ends_with_cr(&frame)
    {
        let again = only_frame(|out| response.encode(out));
        assert_eq!(Response::parse(again), Ok(response));
    }
    check_arguments(&frame);
}

/// A carriage return that is no part of a line's end becomes one when the line is said with another end.
fn ends_with_cr(frame: &Frame) -> bool {
    matches!(frame, Frame::Line(line) if line.ends_with(b"\r"))
}

/// Of lines that are no command the words are not kept.
fn is_sayable(request: &Request) -> bool {
    !matches!(request, Request::Admin(AdminRequest::Malformed(_)))
}

/// The arguments are parts of the body, in order, with one NUL between each two.
fn check_arguments(frame: &Frame) {
    let Frame::Packet(packet) = frame else { return };
    let Some(packet_type) = packet.packet_type() else { return };
    let count = packet_type.arguments().len();
    let Some(arguments) = gearman_protocol::split_arguments(&packet.body, count) else { return };
    if count > 0 {
        assert_eq!(arguments.join(&0), packet.body);
    }
}

/// The frame that is encoded, which is one and uses all bytes.
pub(crate) fn only_frame(encode: impl FnOnce(&mut Outward)) -> Frame {
    let mut out = Outward::new();
    encode(&mut out);
    let bytes = out.to_vec();
    let (mut decoder, mut input) =
        (Decoder::new(Limits { line: usize::MAX, ..Limits::default() }), &bytes[..]);
    let frame = decoder.decode(&mut input).expect("good bytes").expect("a whole message");
    assert!(input.is_empty() && decoder.partial().is_none(), "{} bytes of {}", input.len(), bytes.len());
    assert!(bytes.len() >= HEADER_LENGTH || matches!(frame, Frame::Line(_)));
    frame
}
