//! Bytes to requests, and responses to bytes.

use bytes::Buf;
use criterion::{Criterion, Throughput, criterion_group, criterion_main};
use gearman_benches::{WORKLOAD, assignment, encoded, submit};
use gearman_protocol::{Decoder, Limits, Mode, Outward, Request, Response};
use std::hint::black_box;

/// How much a server reads at once, in bytes.
const READ: usize = 64 << 10;
const MEBIBYTE: usize = 1 << 20;
const PACKETS: usize = 1000;

fn throughput(packets: usize, bytes: usize) -> Throughput {
    Throughput::ElementsAndBytes { elements: packets as u64, bytes: bytes as u64 }
}

/// Decodes and parses a stream that arrives in reads of the usual size; gives the number of requests.
fn decode(stream: &[u8]) -> usize {
    let (mut decoder, mut requests) = (Decoder::new(Limits::default()), 0);
    for mut read in stream.chunks(READ) {
        while let Some(frame) = decoder.decode(&mut read).expect("good bytes") {
            black_box(Request::parse(frame).expect("a request"));
            requests += 1;
        }
    }
    requests
}

/// Encodes a response so many times into one buffer, and takes it out as a socket would.
fn encode(response: &Response, times: usize) -> usize {
    let mut out = Outward::new();
    (0..times).for_each(|_| response.encode(&mut out));
    let length = out.len();
    while out.has_remaining() {
        let chunk = black_box(out.chunk()).len();
        out.advance(chunk);
    }
    length
}

fn codec(criterion: &mut Criterion) {
    let mut group = criterion.benchmark_group("codec");

    let small = encoded(&vec![submit(Mode::Background, WORKLOAD); PACKETS]);
    group.throughput(throughput(PACKETS, small.len()));
    group.bench_function("decode small", |bench| bench.iter(|| assert_eq!(decode(&small), PACKETS)));

    let large = encoded(&[submit(Mode::Background, MEBIBYTE)]);
    group.throughput(throughput(1, large.len()));
    group.bench_function("decode 1 MiB in 64 KiB reads", |bench| {
        bench.iter(|| assert_eq!(decode(&large), 1));
    });

    let small = assignment(WORKLOAD);
    group.throughput(throughput(PACKETS, encode(&small, PACKETS)));
    group.bench_function("encode small", |bench| bench.iter(|| encode(&small, PACKETS)));

    let large = assignment(MEBIBYTE);
    group.throughput(throughput(1, encode(&large, 1)));
    group.bench_function("encode 1 MiB", |bench| bench.iter(|| encode(&large, 1)));
    group.finish();
}

criterion_group!(benches, codec);
criterion_main!(benches);
