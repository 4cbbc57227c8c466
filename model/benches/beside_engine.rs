//! How many events a second the engine and the model take side by side, when the engine's tables are checked after each
//! and what both did is compared.

#[path = "../tests/against_engine/dice.rs"]
mod dice;
#[path = "../tests/against_engine/requests.rs"]
mod requests;
#[path = "../tests/against_engine/told_apart.rs"]
mod told_apart;
#[path = "../tests/against_engine/world.rs"]
mod world;

use criterion::{BatchSize, Criterion, Throughput, criterion_group, criterion_main};
use dice::Dice;
use gearman_engine::{Config, Doors, Effect, Effects, Engine, Event};
use gearman_model::Model;
use gearman_protocol::{Request, Time};
use proptest::prelude::Rng;
use proptest::test_runner::{RngAlgorithm, TestRng};
use told_apart::told_apart;
use world::{Short, World, config};

/// As many stories, and of as many steps at most, as the test of the engine against the model has.
const STORIES: usize = 1024;
const STEPS: usize = 120;

/// A configuration, and what happens to a server that has it.
type Story = (Config, Vec<(Time, Event)>);

fn story(chance: &mut TestRng) -> Story {
    let mut bytes = [0; 16];
    chance.fill_bytes(&mut bytes);
    let config = config(Dice(&bytes));
    let (mut model, mut world) = (Model::new(config.clone()), World::default());
    let steps = (0..STEPS).map(|_| {
        chance.fill_bytes(&mut bytes);
        let mut step = world.step(Dice(&bytes), model.deadline());
        shorten(&mut step.event);
        let did = act(&mut model, world.now + step.after, step.event.clone());
        world.learn(&step, &did);
        (world.now, step.event)
    });
    let steps = steps.collect();
    (config, steps)
}

/// Large workloads are there for the limit of memory, and hashing them, where they are their own unique, would take more
/// than half of the time.
fn shorten(event: &mut Event) {
    if let Event::Received { request: Request::Submit(submit), .. } = event {
        submit.workload.truncate(1024);
    }
}

fn act(server: &mut impl Doors, now: Time, event: Event) -> Vec<Effect> {
    let mut effects = Effects::new();
    server.handle(now, event, &mut effects);
    effects.drain().collect()
}

fn tell((config, steps): Story) {
    let (mut engine, mut model) = (Engine::new(config.clone(), 1), Model::new(config));
    for (now, event) in steps {
        let (did, right) = (act(&mut engine, now, event.clone()), act(&mut model, now, event));
        engine.check().expect("the engine's tables agree");
        let (did, right) = (told_apart(&did), told_apart(&right));
        assert!(did == right, "engine: {}\nmodel:  {}", Short(did), Short(right));
    }
}

fn beside(criterion: &mut Criterion) {
    let mut chance = TestRng::deterministic_rng(RngAlgorithm::ChaCha);
    let stories: Vec<Story> = (0..STORIES).map(|_| story(&mut chance)).collect();
    let mut group = criterion.benchmark_group("engine beside model");
    group.throughput(Throughput::Elements((STORIES * STEPS) as u64)).sample_size(10);
    let told = |stories: Vec<Story>| stories.into_iter().for_each(tell);
    group.bench_function("checked after each event", |bench| {
        bench.iter_batched(|| stories.clone(), told, BatchSize::LargeInput);
    });
    group.finish();
}

criterion_group!(benches, beside);
criterion_main!(benches);
