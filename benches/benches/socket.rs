//! Round trips through the real server over loopback TCP, one at a time: this is latency, not capacity.

use bytes::Bytes;
use criterion::{Criterion, Throughput, criterion_group, criterion_main};
use gearman_benches::{Peer, WORKLOAD, complete, function, listen, submit};
use gearman_protocol::{Grab, Mode, Report, Request, Response};

const MEBIBYTE: usize = 1 << 20;

fn echo(peer: &mut Peer, request: &Request) {
    peer.ask(request);
    let Response::Echo { .. } = peer.hear() else { panic!("no echo") };
}

/// A foreground job from submit to result, the worker asleep before.
fn job(client: &mut Peer, worker: &mut Peer, request: &Request) {
    worker.ask(&Request::PreSleep);
    client.ask(request);
    let Response::JobCreated { .. } = client.hear() else { panic!("no job was created") };
    let Response::Noop = worker.hear() else { panic!("no wake-up") };
    worker.ask(&Request::Grab(Grab::Uniq));
    let Response::JobAssign(assignment) = worker.hear() else { panic!("no job") };
    worker.ask(&complete(assignment.handle, WORKLOAD));
    let Response::Work { report: Report::Complete(_), .. } = client.hear() else { panic!("no result") };
}

fn socket(criterion: &mut Criterion) {
    let address = listen();
    let (mut client, mut worker) = (Peer::connect(&address), Peer::connect(&address));
    worker.ask(&Request::CanDo { function: function(), timeout: None });
    let mut group = criterion.benchmark_group("socket");

    for (name, length) in [("echo", WORKLOAD), ("echo 1 MiB", MEBIBYTE)] {
        let request = Request::Echo { data: Bytes::from(vec![b'e'; length]) };
        group.throughput(Throughput::ElementsAndBytes { elements: 1, bytes: 2 * length as u64 });
        group.bench_function(name, |bench| bench.iter(|| echo(&mut client, &request)));
    }

    let request = submit(Mode::Foreground, WORKLOAD);
    group.throughput(Throughput::ElementsAndBytes { elements: 1, bytes: 2 * WORKLOAD as u64 });
    group.bench_function("foreground job", |bench| bench.iter(|| job(&mut client, &mut worker, &request)));
    group.finish();
}

criterion_group!(benches, socket);
criterion_main!(benches);
