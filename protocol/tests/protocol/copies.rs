//! How often bytes are copied on their way through.

use bytes::{Buf, BufMut, Bytes};
use gearman_protocol::{AdminReply, Decoder, Frame, Limits, Outward, Report, Request, Response};
use proptest::prelude::*;
use std::io::IoSlice;
use std::ops::Range;

fn place(bytes: &[u8]) -> Range<*const u8> {
    bytes.as_ptr_range()
}

fn packet(number: u8, body: &[u8]) -> Vec<u8> {
    let size = u32::try_from(body.len()).expect("small").to_be_bytes();
    [&b"\0REQ\0\0\0"[..], &[number], &size, body].concat()
}

#[test]
fn a_large_workload_is_encoded_without_being_copied() {
    let workload = Bytes::from(vec![b'x'; 16 * 1024]);
    let mut out = Outward::new();
    Request::Echo { data: Bytes::from_static(b"small") }.encode(&mut out);
    let report = Report::Complete(workload.clone());
    Response::Work { handle: gearman_protocol::Handle::new("H:lap:1"), report }.encode(&mut out);
    // The small packet and the large one's header are one piece; the workload is the next, where it was.
    out.advance(12 + 5 + 12 + 8);
    assert_eq!(place(out.chunk()), place(&workload));
}

#[test]
fn a_workload_below_16_kib_is_gathered_with_what_is_before_it() {
    let (almost, large) = (Bytes::from(vec![b'x'; 16_383]), Bytes::from(vec![b'x'; 16_384]));
    for (workload, pieces) in [(almost, vec![12 + 16_383]), (large, vec![12, 16_384])] {
        let mut out = Outward::new();
        Request::Echo { data: workload }.encode(&mut out);
        assert_eq!(pieces_of(&out), pieces);
    }
}

/// What waits for a slow reader moves with what comes later only until it is this much.
#[test]
fn a_piece_of_64_kib_is_finished() {
    let mut out = Outward::new();
    out.put_slice(&[b'x'; 65_535]);
    out.put_slice(b"x");
    assert_eq!(pieces_of(&out), [65_536]);
    out.put_slice(b"x");
    assert_eq!(pieces_of(&out), [65_536, 1]);
}

fn pieces_of(out: &Outward) -> Vec<usize> {
    let mut slices = [IoSlice::new(&[]); 8];
    let filled = out.chunks_vectored(&mut slices);
    slices[..filled].iter().map(|slice| slice.len()).collect()
}

/// A shorter rest is worth no read of its own.
#[test]
fn the_last_16_kib_of_a_message_are_read_to_where_the_message_lies() {
    let (mut decoder, bytes) = (Decoder::new(Limits::default()), packet(16, &[b'x'; 32_768]));
    let (mut first, mut next) = (&bytes[..12 + 16_384], &b"x"[..]);
    assert_eq!(decoder.decode(&mut first), Ok(None));
    assert_eq!(decoder.room(usize::MAX).map(|room| room.remaining_mut()), Some(16_384));
    assert_eq!(decoder.decode(&mut next), Ok(None));
    assert!(decoder.room(usize::MAX).is_none());
}

/// Memory for a quarter of the message is there when a sixteenth has arrived, and for all of it when a quarter has.
#[test]
fn a_message_is_read_into_the_memory_that_is_there_or_into_more_when_little_is_left() {
    let (mut decoder, bytes) = (Decoder::new(Limits::default()), packet(16, &[b'x'; 200_000]));
    let room = |decoder: &mut Decoder| decoder.room(usize::MAX).map(|room| room.remaining_mut());
    let (mut first, mut next) = (&bytes[..12 + 16_384], &bytes[12 + 16_384..12 + 40_000]);
    assert_eq!(decoder.decode(&mut first), Ok(None));
    assert_eq!((room(&mut decoder), decoder.held()), (Some(50_000 - 16_384), 50_000));
    assert_eq!(decoder.decode(&mut next), Ok(None));
    assert_eq!((room(&mut decoder), decoder.held()), (Some(200_000 - 40_000), 200_000));
}

fn table(rows: usize) -> Response {
    Response::Admin(AdminReply::UniqueJobs(vec![Bytes::from_static(b"fifteen letters"); rows]))
}

#[test]
fn a_short_table_is_gathered_and_a_long_one_becomes_bytes_64_kib_at_a_time() {
    let (mut short, mut long) = (Outward::new(), Outward::new());
    for (out, rows) in [(&mut short, 100), (&mut long, 5_000)] {
        out.put_slice(b"first");
        table(rows).encode_by_parts(out);
    }
    assert_eq!(pieces_of(&short), [5 + 100 * 16 + 2]);
    assert_eq!(pieces_of(&long), [5]);
    long.advance(5);
    assert_eq!(pieces_of(&long), [4_096 * 16]);
    long.advance(4_096 * 16);
    assert_eq!(pieces_of(&long), [904 * 16 + 2]);
}

#[test]
fn parsing_copies_nothing() {
    let body = [&b"lap\0key\0"[..], &[b'x'; 100][..]].concat();
    let (mut decoder, bytes) = (Decoder::new(Limits::default()), packet(7, &body));
    let frame = decoder.decode(&mut &bytes[..]).unwrap().unwrap();
    let Frame::Packet(packet) = &frame else { panic!("{frame:?} is no packet") };
    let kept = place(&packet.body);
    let Ok(Request::Submit(submit)) = Request::parse(frame) else { panic!("no submit") };
    for part in [submit.function.as_bytes(), submit.unique.as_bytes(), &submit.workload] {
        let part = place(part);
        assert!(kept.start <= part.start && part.end <= kept.end, "shared with the packet's body");
    }
}

proptest! {
    /// One copy takes a byte from the input; the gathering buffer's moves add a third of one on average.
    #[test]
    fn gathering_copies_a_byte_seldom_twice(size in 1_usize..600_000, read in 1_usize..70_000) {
        let bytes = packet(16, &vec![b'x'; size]);
        let (mut decoder, mut room, mut moved) = (Decoder::new(Limits::default()), 0, 0);
        for mut part in bytes.chunks(read) {
            let gathered = decoder.partial().unwrap_or(0).saturating_sub(12);
            let is_whole = decoder.decode(&mut part).unwrap().is_some();
            // A whole message has left with the room it needed.
            let needed = if is_whole { size } else { decoder.held() };
            if needed > room {
                moved += gathered;
                room = needed;
            }
        }
        prop_assert_eq!(room, size, "the last room is exactly the message's");
        prop_assert!(moved <= size / 3 + 64, "{moved} bytes moved of {size}");
    }
}
