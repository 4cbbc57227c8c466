//! The life of a job in the bare engine: submit, grab, complete.

use criterion::{Criterion, Throughput, criterion_group, criterion_main};
use gearman_benches::{Stage, WORKLOAD, submit};
use gearman_protocol::Mode;

fn engine(criterion: &mut Criterion) {
    let mut group = criterion.benchmark_group("engine");
    group.throughput(Throughput::ElementsAndBytes { elements: 1, bytes: 2 * WORKLOAD as u64 });
    for (name, mode, depth) in [
        ("foreground job, empty queue", Mode::Foreground, 0),
        ("background job, empty queue", Mode::Background, 0),
        ("background job, 1,000 waiting", Mode::Background, 1_000),
        ("background job, 4,000,000 waiting", Mode::Background, 4_000_000),
    ] {
        let request = submit(mode, WORKLOAD);
        group.bench_function(name, |bench| {
            let mut stage = Stage::with_waiting(depth);
            bench.iter(|| stage.turn(&request));
        });
    }
    group.finish();
}

criterion_group!(benches, engine);
criterion_main!(benches);
