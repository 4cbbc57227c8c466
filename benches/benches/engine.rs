//! The life of a job in the bare engine: submit, grab, complete.

use criterion::{Criterion, Throughput, criterion_group, criterion_main};
use gearman_benches::{WORKLOAD, complete, function, submit};
use gearman_engine::{Config, ConnectionId, Doors, Effect, Effects, Engine, Event};
use gearman_protocol::{Grab, Handle, Mode, Request, Response, Time};
use std::hint::black_box;

const CLIENT: ConnectionId = ConnectionId::new(1);
const WORKER: ConnectionId = ConnectionId::new(2);

/// An engine with a client and an able worker.
struct Stage {
    engine: Engine,
    effects: Effects,
}

impl Stage {
    /// With so many jobs waiting.
    fn with_waiting(depth: usize) -> Self {
        let mut stage = Self { engine: Engine::new(Config::default(), 1), effects: Effects::new() };
        for from in [CLIENT, WORKER] {
            stage.tell(Event::Opened { from, peer: "::1".to_owned() });
        }
        stage.ask(WORKER, Request::CanDo { function: function(), timeout: None });
        let request = submit(Mode::Background, WORKLOAD);
        (0..depth).for_each(|_| stage.ask(CLIENT, request.clone()));
        stage
    }

    fn tell(&mut self, event: Event) {
        self.engine.handle(Time::ZERO, event, &mut self.effects);
        self.effects.drain().for_each(|effect| drop(black_box(effect)));
    }

    fn ask(&mut self, from: ConnectionId, request: Request) {
        self.tell(Event::Received { from, request });
    }

    /// The worker asks for a job and gets one.
    fn grab(&mut self) -> Handle {
        let request = Request::Grab(Grab::Uniq);
        self.engine.handle(Time::ZERO, Event::Received { from: WORKER, request }, &mut self.effects);
        let Some(Effect::Send { response: Response::JobAssign(assignment), .. }) =
            self.effects.drain().next()
        else {
            panic!("there was a job")
        };
        assignment.handle
    }

    /// One job comes, and the one that has waited longest is done.
    fn turn(&mut self, request: &Request) {
        self.ask(CLIENT, request.clone());
        let handle = self.grab();
        self.ask(WORKER, complete(handle, WORKLOAD));
    }
}

fn engine(criterion: &mut Criterion) {
    let mut group = criterion.benchmark_group("engine");
    group.throughput(Throughput::ElementsAndBytes { elements: 1, bytes: 2 * WORKLOAD as u64 });
    for (name, mode, depth) in [
        ("foreground job, empty queue", Mode::Foreground, 0),
        ("background job, empty queue", Mode::Background, 0),
        ("background job, 1,000 waiting", Mode::Background, 1_000),
        ("background job, 1,000,000 waiting", Mode::Background, 1_000_000),
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
