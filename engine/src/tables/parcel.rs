//! A job's unique, reducer and workload in one piece of memory.
//!
//! In a submit they follow one another. Each would be a view of the packet of 32 bytes; one view and a few offsets are
//! a quarter of that, and there are millions of jobs.

use bytes::Bytes;
use gearman_protocol::{Reducer, Unique};

/// Where in its piece of memory each part lies. It stands beside the piece and not around it, because together they
/// would be filled up to 40 bytes.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Cuts {
    /// The length of the unique, with which the piece begins.
    unique: u8,
    /// The length of the reducer, which follows after one byte.
    reducer: u8,
    /// Where the workload begins, which goes on to the end.
    workload: u8,
}

impl Cuts {
    /// Puts the three into one piece. What came in one packet stays where it is; only what did not is copied.
    pub(crate) fn join(unique: &Unique, reducer: &Reducer, workload: Bytes) -> (Bytes, Self) {
        if unique.is_empty() && reducer.is_empty() {
            return (workload, Self { unique: 0, reducer: 0, workload: 0 });
        }
        Self::found(unique, reducer, &workload).unwrap_or_else(|| Self::copied(unique, reducer, &workload))
    }

    /// Finds reducer and workload in the memory that the unique has hold of.
    fn found(unique: &Unique, reducer: &Reducer, workload: &[u8]) -> Option<(Bytes, Self)> {
        let piece = unique.with_rest();
        let mut names = unique.as_bytes().len();
        if !reducer.is_empty() {
            offset(piece, reducer.as_bytes()).filter(|&start| start == names + 1)?;
            names += 1 + reducer.as_bytes().len();
        }
        let start = if workload.is_empty() { names } else { offset(piece, workload)? };
        if start < names {
            return None;
        }
        let cuts = Self { workload: u8::try_from(start).ok()?, ..Self::of(unique, reducer) };
        Some((piece.slice(..start + workload.len()), cuts))
    }

    fn copied(unique: &Unique, reducer: &Reducer, workload: &[u8]) -> (Bytes, Self) {
        let cuts = Self::of(unique, reducer);
        let mut piece = Vec::with_capacity(usize::from(cuts.workload) + workload.len());
        for name in [unique.as_bytes(), reducer.as_bytes()] {
            piece.extend_from_slice(name);
            piece.push(0);
        }
        piece.extend_from_slice(workload);
        (piece.into(), cuts)
    }

    /// With the workload behind both, and a byte behind each.
    fn of(unique: &Unique, reducer: &Reducer) -> Self {
        let [unique, reducer] = [unique.as_bytes(), reducer.as_bytes()]
            .map(|name| u8::try_from(name.len()).expect("a name of 64 bytes at most"));
        Self { unique, reducer, workload: unique + reducer + 2 }
    }

    pub(crate) fn unique(self, piece: &[u8]) -> &[u8] {
        &piece[..usize::from(self.unique)]
    }

    pub(crate) const fn has_reducer(self) -> bool {
        self.reducer > 0
    }

    pub(crate) fn workload(self, piece: &[u8]) -> &[u8] {
        &piece[usize::from(self.workload)..]
    }

    /// The three as they were, sharing the piece.
    pub(crate) fn parts(self, piece: &Bytes) -> (Unique, Reducer, Bytes) {
        let [unique, reducer, start] = [self.unique, self.reducer, self.workload].map(usize::from);
        let reducer = if reducer == 0 { Bytes::new() } else { piece.slice(unique + 1..unique + 1 + reducer) };
        (
            Unique::new(piece.slice(..unique)).expect("it was a unique"),
            Reducer::new(reducer).expect("it was a reducer"),
            piece.slice(start..),
        )
    }
}

/// Where a part begins in a piece of memory, if it lies in it.
fn offset(piece: &[u8], part: &[u8]) -> Option<usize> {
    let at = part.as_ptr().addr().checked_sub(piece.as_ptr().addr())?;
    (at + part.len() <= piece.len()).then_some(at)
}

#[cfg(test)]
mod tests {
    use super::*;
    use gearman_protocol::{Decoder, Limits, Mode, Outward, Priority, Request, Submit};

    fn unique(unique: &'static [u8]) -> Unique {
        Unique::new(unique).unwrap()
    }

    fn reducer(reducer: &'static [u8]) -> Reducer {
        Reducer::new(reducer).unwrap()
    }

    /// The submit as it comes in: its parts are views of one packet.
    fn received(bytes: &[u8]) -> Submit {
        let frame = Decoder::new(Limits::default()).decode(&mut &bytes[..]).unwrap().unwrap();
        let Request::Submit(submit) = Request::parse(frame).unwrap() else { panic!("no submit") };
        submit
    }

    fn packet(number: u8, body: &[u8]) -> Vec<u8> {
        let size = u32::try_from(body.len()).unwrap().to_be_bytes();
        [&b"\0REQ\0\0\0"[..], &[number], &size, body].concat()
    }

    /// Joins the parts, sees that they are still the same, and says whether the workload is where it was.
    fn is_shared(submit: &Submit) -> bool {
        let reducer = submit.reducer.clone().unwrap_or_default();
        let (piece, cuts) = Cuts::join(&submit.unique, &reducer, submit.workload.clone());
        let parts = (submit.unique.clone(), reducer.clone(), submit.workload.clone());
        assert_eq!(cuts.parts(&piece), parts);
        assert_eq!(cuts.unique(&piece), submit.unique.as_bytes());
        assert_eq!(cuts.workload(&piece), &submit.workload);
        assert_eq!(cuts.has_reducer(), !reducer.is_empty());
        cuts.workload(&piece).as_ptr() == submit.workload.as_ptr()
    }

    #[test]
    fn what_came_in_one_packet_is_not_copied() {
        let uniques: [&[u8]; 4] = [b"", b"-", b"0123456789abcdef", &[b'u'; 64]];
        let workloads: [&[u8]; 3] = [b"w", b"0\0a\0", &[b'w'; 70_000]];
        for (unique, workload) in
            uniques.iter().flat_map(|unique| workloads.map(|workload| (unique, workload)))
        {
            let forms: [(u8, &[u8]); 5] =
                [(7, b""), (18, b""), (36, b"1700000000\0"), (37, b"sum\0\0"), (38, b"\0aggregator\0")];
            for (number, between) in forms {
                let body = [b"f\0", *unique, b"\0", between, workload].concat();
                assert!(is_shared(&received(&packet(number, &body))), "{number} {unique:?}");
            }
        }
    }

    #[test]
    fn what_did_not_or_is_too_far_off_is_copied() {
        let far = [&b"f\0key\0"[..], &[b'1'; 300], b"\0workload"].concat();
        assert!(!is_shared(&received(&packet(36, &far))));
        for (unique, reducer) in [(unique(b"key"), None), (unique(b"key"), Some(reducer(b"sum")))] {
            let workload = Bytes::from_static(b"workload");
            let (function, priority) = (received(&packet(7, b"f\0\0")).function, Priority::Normal);
            assert!(!is_shared(&Submit {
                function,
                unique,
                priority,
                mode: Mode::Foreground,
                reducer,
                workload
            }));
        }
        let mixed = Submit { unique: unique(b"other"), ..received(&packet(7, b"f\0key\0workload")) };
        assert!(!is_shared(&mixed));
        let of_the_unique = mixed.unique.with_rest().slice(1..3);
        assert!(!is_shared(&Submit { workload: of_the_unique, ..mixed }));
    }

    #[test]
    fn a_workload_of_no_bytes_lies_nowhere() {
        let submit = received(&packet(7, b"f\0key\0"));
        is_shared(&submit);
        let (piece, _) = Cuts::join(&submit.unique, &Reducer::default(), Bytes::new());
        assert_eq!(piece.as_ptr(), submit.unique.as_bytes().as_ptr(), "nothing is copied");
        is_shared(&Submit { workload: Bytes::new(), ..received(&packet(7, b"f\0key\0workload")) });
        is_shared(&received(&packet(37, b"f\0key\0sum\0\0")));
        let mut out = Outward::new();
        Request::Submit(received(&packet(38, b"f\0\0sum\0\0"))).encode(&mut out);
        is_shared(&received(&out.to_vec()));
    }
}
