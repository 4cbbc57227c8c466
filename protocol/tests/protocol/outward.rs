//! The outward buffer against the naive one: a list of bytes.

use bytes::{Buf, Bytes};
use gearman_protocol::Outward;
use proptest::collection::vec;
use proptest::prelude::*;
use std::io::IoSlice;

#[derive(Clone, Debug)]
enum Step {
    Slice(Vec<u8>),
    Shared(Vec<u8>),
    Append(Vec<Self>),
    Advance(prop::sample::Index),
}

fn bytes() -> impl Strategy<Value = Vec<u8>> {
    prop_oneof![3 => vec(any::<u8>(), 0..50), 1 => vec(any::<u8>(), 16_380..16_390)]
}

fn step() -> impl Strategy<Value = Step> {
    let leaf = prop_oneof![
        bytes().prop_map(Step::Slice),
        bytes().prop_map(Step::Shared),
        any::<prop::sample::Index>().prop_map(Step::Advance),
    ];
    leaf.prop_recursive(2, 12, 4, |inner| vec(inner, 0..4).prop_map(Step::Append))
}

fn apply(step: &Step, out: &mut Outward, naive: &mut Vec<u8>) {
    match step {
        Step::Slice(bytes) => {
            out.put_slice(bytes);
            naive.extend(bytes);
        }
        Step::Shared(bytes) => {
            out.put_bytes(&Bytes::copy_from_slice(bytes));
            naive.extend(bytes);
        }
        Step::Append(steps) => {
            let (mut other, mut naive_other) = (Outward::new(), Vec::new());
            steps.iter().for_each(|step| apply(step, &mut other, &mut naive_other));
            out.append(&mut other);
            assert!(other.is_empty() && other.to_vec().is_empty());
            naive.extend(naive_other);
        }
        Step::Advance(count) => {
            let count = count.index(naive.len() + 1);
            out.advance(count);
            naive.drain(..count);
        }
    }
}

/// What a vectored write would take.
fn vectored(out: &Outward) -> Vec<u8> {
    let mut slices = [IoSlice::new(&[]); 64];
    let filled = out.chunks_vectored(&mut slices);
    assert!(slices[..filled].iter().all(|slice| !slice.is_empty()));
    slices[..filled].iter().flat_map(|slice| slice.to_vec()).collect()
}

proptest! {
    #[test]
    fn holds_the_same_bytes_as_a_list(steps in vec(step(), 0..20)) {
        let (mut out, mut naive) = (Outward::new(), Vec::new());
        for step in &steps {
            apply(step, &mut out, &mut naive);
            prop_assert_eq!(out.len(), naive.len());
            prop_assert_eq!(out.remaining(), naive.len());
            prop_assert_eq!(out.is_empty(), naive.is_empty());
            prop_assert_eq!(out.chunk().is_empty(), naive.is_empty());
            prop_assert!(naive.starts_with(out.chunk()));
            prop_assert_eq!(&out.to_vec(), &naive);
            prop_assert!(vectored(&out) == naive);
        }
    }
}
