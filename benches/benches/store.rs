//! The store door: a background job that is acknowledged only when a store has kept it.

use criterion::{Criterion, Throughput, criterion_group, criterion_main};
use gearman_benches::{Stage, WORKLOAD, submit};
use gearman_protocol::Mode;

fn store(criterion: &mut Criterion) {
    let mut group = criterion.benchmark_group("store");
    group.throughput(Throughput::ElementsAndBytes { elements: 1, bytes: WORKLOAD as u64 });
    let request = submit(Mode::Background, WORKLOAD);
    for (name, batch) in [("kept at once", 1), ("kept a hundred at a time", 100)] {
        group.bench_function(name, |bench| {
            let mut stage = Stage::with_store();
            let mut turns = 0_usize;
            bench.iter(|| {
                turns += 1;
                stage.submit_unkept(&request);
                if turns.is_multiple_of(batch) {
                    (0..stage.keep_all()).for_each(|_| stage.finish_one());
                }
            });
        });
    }
    group.finish();
}

criterion_group!(benches, store);
criterion_main!(benches);
