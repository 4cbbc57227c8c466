//! The outward buffer against the naive one: a list of bytes.

use bytes::{Buf, Bytes};
use gearman_protocol::{
    AdminReply, FunctionStatus, Handle, JobListing, Outward, PriorityStatus, Response, WorkerListing,
};
use proptest::collection::vec;
use proptest::prelude::*;
use std::io::IoSlice;

#[derive(Clone, Debug)]
enum Step {
    Slice(Vec<u8>),
    Shared(Vec<u8>),
    /// A table with so many rows of some kind; from about three thousand on it is written by parts.
    Table(Kind, u16),
    Append(Vec<Self>),
    Advance(prop::sample::Index),
}

#[derive(Clone, Copy, Debug)]
enum Kind {
    Status,
    PriorityStatus,
    Workers,
    Jobs,
    UniqueJobs,
}

/// A table whose numbers have one digit to twenty.
fn table(kind: Kind, rows: u16) -> Response {
    let number = |row: u16| u64::from(row).pow(u32::from(row) % 5) * u64::from(row % 7);
    let name = |row: u16| format!("name {}", number(row)).into();
    let rows = 0..rows;
    Response::Admin(match kind {
        Kind::Status => AdminReply::Status(
            rows.map(|row| FunctionStatus {
                function: name(row),
                total: number(row),
                running: number(row / 2),
                workers: u64::MAX >> (row % 64),
            })
            .collect(),
        ),
        Kind::PriorityStatus => AdminReply::PriorityStatus(
            rows.map(|row| PriorityStatus {
                function: name(row),
                high: number(row),
                normal: 0,
                low: 10_u64.pow(u32::from(row) % 20),
                workers: u64::MAX >> (row % 64),
            })
            .collect(),
        ),
        Kind::Workers => AdminReply::Workers(
            rows.map(|row| WorkerListing {
                connection: number(row),
                address: "::1".to_owned(),
                id: name(row),
                functions: (0..row % 4).map(name).collect(),
            })
            .collect(),
        ),
        Kind::Jobs => AdminReply::Jobs(
            rows.map(|row| JobListing {
                handle: Handle::new(name(row)),
                retries: number(row),
                persisted: row % 2 == 0,
            })
            .collect(),
        ),
        Kind::UniqueJobs => AdminReply::UniqueJobs(rows.map(name).collect()),
    })
}

fn kind() -> impl Strategy<Value = Kind> {
    prop::sample::select(vec![
        Kind::Status,
        Kind::PriorityStatus,
        Kind::Workers,
        Kind::Jobs,
        Kind::UniqueJobs,
    ])
}

fn bytes() -> impl Strategy<Value = Vec<u8>> {
    prop_oneof![3 => vec(any::<u8>(), 0..50), 1 => vec(any::<u8>(), 16_380..16_390)]
}

fn step() -> impl Strategy<Value = Step> {
    let leaf = prop_oneof![
        bytes().prop_map(Step::Slice),
        bytes().prop_map(Step::Shared),
        any::<prop::sample::Index>().prop_map(Step::Advance),
        (kind(), prop_oneof![0..5_u16, 3_000..8_000_u16]).prop_map(|(kind, rows)| Step::Table(kind, rows)),
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
        Step::Table(kind, rows) => {
            let mut whole = Outward::new();
            table(*kind, *rows).encode(&mut whole);
            naive.extend(whole.to_vec());
            table(*kind, *rows).encode_by_parts(out);
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

fn has_table(step: &Step) -> bool {
    match step {
        Step::Table(..) => true,
        Step::Append(steps) => steps.iter().any(has_table),
        Step::Slice(_) | Step::Shared(_) | Step::Advance(_) => false,
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
            let vectored = vectored(&out);
            // What is not bytes yet is not there to be written, and neither is what follows it.
            prop_assert!(vectored == naive || steps.iter().any(has_table) && naive.starts_with(&vectored));
        }
    }
}
