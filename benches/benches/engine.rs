//! The life of a job in the bare engine: submit, grab, complete.

use criterion::{BatchSize, Criterion, Throughput, criterion_group, criterion_main};
use gearman_benches::{CLIENT, Stage, WORKLOAD, submit, submit_unique};
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
    // Each with a unique of its own, which is looked up among those of all that wait.
    group.bench_function("background job with a unique, 4,000,000 waiting", |bench| {
        let mut stage = Stage::with_waiting(0);
        let mut number = 0_u64;
        let mut next = || {
            number += 1;
            submit_unique(number, WORKLOAD)
        };
        (0..4_000_000).for_each(|_| stage.ask(CLIENT, next()));
        bench.iter_batched(&mut next, |request| stage.turn(&request), BatchSize::SmallInput);
    });
    group.finish();
}

criterion_group!(benches, engine);
criterion_main!(benches);
