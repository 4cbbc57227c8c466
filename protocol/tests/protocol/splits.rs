//! However a stream of bytes is cut into reads, it decodes the same, and little is held meanwhile.

use crate::messages::{encoded, request, response};
use bytes::{BufMut, Bytes};
use gearman_protocol::{DecodeError, Decoder, Frame, Limits, Magic, Packet, Request, Response};
use proptest::collection::vec;
use proptest::prelude::*;
use proptest::sample::Index;

/// Whole messages of both directions and text lines, one after the other.
fn legal() -> impl Strategy<Value = Vec<u8>> {
    let message = prop_oneof![
        request().prop_map(|request| encoded(|out| request.encode(out))),
        response().prop_map(|response| encoded(|out| response.encode(out))),
        "[ -~]{0,60}(\n|\r\n|\r\r\n)".prop_map(String::into_bytes),
    ];
    vec(message, 0..8).prop_map(|messages| messages.concat())
}

/// A legal stream with some bytes changed, taken out or put in.
fn mutated() -> impl Strategy<Value = Vec<u8>> {
    let wound = (any::<Index>(), 0..3, any::<u8>());
    (legal(), vec(wound, 1..6)).prop_map(|(mut bytes, wounds)| {
        for (at, kind, byte) in wounds {
            if kind == 0 || bytes.is_empty() {
                bytes.insert(at.index(bytes.len() + 1), byte);
            } else if kind == 1 {
                bytes.remove(at.index(bytes.len()));
            } else {
                let index = at.index(bytes.len());
                bytes[index] = byte;
            }
        }
        bytes
    })
}

/// Bytes that mean nothing, most of them such as headers and lines are made of.
fn random() -> impl Strategy<Value = Vec<u8>> {
    let byte = prop_oneof![4 => prop::sample::select(&b"\0\0\0\0REQS \r\n\x01\x07"[..]), 1 => any::<u8>()];
    vec(byte, 0..400)
}

fn stream() -> impl Strategy<Value = Vec<u8>> {
    prop_oneof![legal(), mutated(), random()]
}

/// The usual limits, and some that are soon reached.
fn limits() -> impl Strategy<Value = Limits> {
    prop_oneof![
        Just(Limits::default()),
        (0_u32..60, 1_usize..60).prop_map(|(packet, line)| Limits { packet, line })
    ]
}

/// Everything that comes of a stream that arrives in these parts.
fn decode<'a>(
    limits: Limits,
    parts: impl IntoIterator<Item = &'a [u8]>,
) -> (Vec<Frame>, Option<DecodeError>) {
    let (mut decoder, mut frames) = (Decoder::new(limits), Vec::new());
    for mut part in parts {
        loop {
            match decoder.decode(&mut part) {
                Ok(Some(frame)) => frames.push(frame),
                Ok(None) => break,
                Err(error) => {
                    assert_eq!(decoder.decode(&mut &b"\0REQ"[..]), Err(error), "an end stays the end");
                    return (frames, Some(error));
                }
            }
            check_room(&decoder);
        }
        assert!(part.is_empty(), "nothing is left when no frame is");
        check_room(&decoder);
    }
    (frames, None)
}

/// A packet with a body of this size, of which no two bytes side by side are alike.
fn echo_request(size: usize) -> Vec<u8> {
    let announced = u32::try_from(size).expect("small").to_be_bytes();
    let body = (0..size).map(|place| (place % 251).to_le_bytes()[0]);
    [&b"\0REQ\0\0\0\x10"[..], &announced].concat().into_iter().chain(body).collect()
}

/// What is held is at most four times what has arrived, or a constant.
fn check_room(decoder: &Decoder) {
    let arrived = decoder.partial().unwrap_or(0);
    assert!(decoder.held() <= Decoder::SMALL.max(4 * arrived), "{} for {arrived}", decoder.held());
}

/// The stream cut at these places, some parts empty.
fn parts<'a>(bytes: &'a [u8], cuts: &[Index]) -> Vec<&'a [u8]> {
    let mut ends: Vec<usize> = cuts.iter().map(|cut| cut.index(bytes.len() + 1)).collect();
    ends.push(bytes.len());
    ends.sort_unstable();
    let starts = std::iter::once(0).chain(ends.clone());
    starts.zip(ends).map(|(start, end)| &bytes[start..end]).collect()
}

proptest! {
    #[test]
    fn any_split_decodes_the_same(bytes in stream(), cuts in vec(any::<Index>(), 0..10), limits in limits()) {
        let whole = decode(limits, [&bytes[..]]);
        prop_assert_eq!(&decode(limits, parts(&bytes, &cuts)), &whole, "cut");
        prop_assert_eq!(&decode(limits, bytes.chunks(1)), &whole, "byte by byte");
    }

    /// A long message may be read into the decoder's own buffer, in any pieces.
    #[test]
    fn what_is_read_into_the_room_of_a_message_is_decoded_the_same(
        sizes in vec(0_usize..400_000, 1..4),
        reads in vec(1_usize..150_000, 1..8),
    ) {
        let bytes: Vec<u8> = sizes.iter().flat_map(|&size| echo_request(size)).collect();
        let (mut decoder, mut input, mut frames) = (Decoder::new(Limits::default()), &bytes[..], Vec::new());
        let mut reads = reads.into_iter().cycle();
        while frames.len() < sizes.len() {
            let read = reads.next().expect("a read follows the last");
            if let Some(mut room) = decoder.room(read) {
                let count = room.remaining_mut();
                prop_assert!((1..=read).contains(&count), "{count} of {read}");
                room.put_slice(&input[..count]);
                input = &input[count..];
            } else {
                let (mut part, rest) = input.split_at(read.min(input.len()));
                input = rest;
                while let Some(frame) = decoder.decode(&mut part).unwrap() {
                    frames.push(frame);
                }
            }
            frames.extend(decoder.take_whole());
            let arrived = decoder.partial().unwrap_or(0);
            let more = if arrived < Decoder::LONG { 0 } else { Decoder::LONG };
            let most = Decoder::SMALL.max(4 * (arrived + more));
            prop_assert!(decoder.held() <= most, "{} for {arrived}", decoder.held());
        }
        prop_assert_eq!((frames, None), decode(Limits::default(), [&bytes[..]]));
    }

    #[test]
    fn no_input_panics(bytes in stream(), limits in limits()) {
        for frame in decode(limits, [&bytes[..]]).0 {
            for error in [Request::parse(frame.clone()).err(), Response::parse(frame).err()].into_iter().flatten() {
                prop_assert!(!error.is_fatal(), "the end of a frame is known: {error}");
            }
        }
    }

    #[test]
    fn an_announced_size_takes_no_memory(announced in 1_u32.., arrived in 0_usize..200_000, read in 1_usize..70_000) {
        let header = [&b"\0REQ\0\0\0\x10"[..], &announced.to_be_bytes()].concat();
        let arrived = arrived.min(announced as usize - 1);
        let body = vec![0; arrived];
        let mut decoder = Decoder::new(Limits::default());
        for mut part in std::iter::once(&header[..]).chain(body.chunks(read)) {
            prop_assert_eq!(decoder.decode(&mut part), Ok(None));
            prop_assert!(decoder.held() <= announced as usize, "never more than the message itself");
            check_room(&decoder);
        }
        prop_assert_eq!(decoder.partial(), Some(header.len() + arrived));
    }
}

/// What the body of a message says is never read as the next message, wherever the stream is cut.
#[test]
fn a_body_that_looks_like_a_packet_is_a_body() {
    let inner = b"\0REQ\0\0\0\x10\0\0\0\x01x";
    let bytes = [&b"\0REQ\0\0\0\x10\0\0\0\x0d"[..], inner, b"version\n"].concat();
    let whole = decode(Limits::default(), [&bytes[..]]);
    assert_eq!(whole.0.len(), 2);
    for at in 0..=bytes.len() {
        let (before, after) = bytes.split_at(at);
        assert_eq!(decode(Limits::default(), [before, after]), whole, "cut at {at}");
    }
}

#[test]
fn text_and_packets_follow_each_other_in_one_write() {
    let bytes = b"status\r\n\0REQ\0\0\0\x04\0\0\0\0version\n\0REQ\0\0\0\x10\0\0\0\x02hi\n";
    let (frames, error) = decode(Limits::default(), [&bytes[..]]);
    let packet = |number, body| {
        Frame::Packet(Packet { magic: Magic::Request, number, body: Bytes::from_static(body) })
    };
    let line = |text: &'static str| Frame::Line(text.into());
    assert_eq!(frames, [line("status"), packet(4, b""), line("version"), packet(16, b"hi"), line("")]);
    assert_eq!(error, None);
}

#[test]
fn four_gigabytes_announced_and_a_few_bytes_sent_take_a_few_bytes() {
    let mut decoder = Decoder::new(Limits::default());
    assert_eq!(decoder.decode(&mut &b"\0REQ\0\0\0\x10\xff\xff\xff\xffwork"[..]), Ok(None));
    assert!(decoder.held() <= Decoder::SMALL, "{}", decoder.held());
}

#[test]
fn a_line_may_be_as_long_as_the_limit_with_its_end() {
    let limits = Limits::default();
    let line = |length: usize| [vec![b'x'; length - 1], vec![b'\n']].concat();
    assert_eq!(decode(limits, [&line(8192)[..]]).0.len(), 1);
    assert_eq!(decode(limits, [&line(8193)[..]]).1, Some(DecodeError::LineTooLong { limit: 8192 }));
    let endless = vec![b'x'; 8193];
    assert_eq!(decode(limits, endless.chunks(1000)).1, Some(DecodeError::LineTooLong { limit: 8192 }));
}

#[test]
fn an_oversized_packet_is_told_at_once_and_skipped() {
    let limits = Limits { packet: 3, line: 8192 };
    let bytes = b"\0REQ\0\0\0\x10\0\0\0\x04workversion\n";
    let (frames, error) = decode(limits, bytes.chunks(5));
    assert_eq!(frames, [Frame::Oversized { number: 16, size: 4 }, Frame::Line("version".into())]);
    assert_eq!(error, None);
}

#[test]
fn a_bad_magic_is_told_with_its_fourth_byte() {
    let mut decoder = Decoder::new(Limits::default());
    assert_eq!(decoder.decode(&mut &b"\0RE"[..]), Ok(None));
    assert_eq!(decoder.decode(&mut &b"X"[..]), Err(DecodeError::BadMagic(*b"\0REX")));
}
