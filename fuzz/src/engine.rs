//! Any story: the engine against the naive model.

use crate::dice::Dice;
use crate::observer::Observer;
use crate::told_apart::told_apart;
use crate::world::{Short, Step, World, config};
use gearman_engine::{ConnectionId, Doors, Effect, Effects, Engine, Event};
use gearman_model::Model;
use gearman_protocol::{AdminRequest, Request, Time};

/// How many bytes choose a configuration, and how many choose a step.
const CONFIGURATION: usize = 12;
const STEP: usize = 16;
/// A story may be so many steps long.
const STEPS: usize = 100;

/// The engine does what the model does; its tables agree with each other and with what an administrator sees; a sleep
/// begins without touching a job; and what has ended leaves no deadline behind.
pub fn engine(input: &[u8]) {
    let (choices, steps) = input.split_at(CONFIGURATION.min(input.len()));
    let config = config(Dice(choices));
    let mut engine = Engine::new(config.clone(), 0x5eed);
    let (mut model, mut world) = (Model::new(config), World::default());
    for bytes in steps.chunks(STEP).take(STEPS) {
        let step = world.step(Dice(bytes), model.deadline());
        if !world.allows(&step.event) {
            continue;
        }
        let now = world.now + step.after;
        let mut did = both(&mut engine, &mut model, now, &Event::Elapsed);
        let before = sleep_begins(&step).then(|| Observer::new(&mut engine, now)).flatten();
        did.extend(both(&mut engine, &mut model, now, &step.event));
        let unchanged = before.is_none_or(|before| Some(before) == Observer::new(&mut engine, now));
        assert!(unchanged, "a sleep has changed jobs");
        check_deadline(now, &engine, &model);
        world.learn(&step, &did);
    }
    end_all(&mut engine, &world);
}

/// Tells both the same; what the engine did.
fn both(engine: &mut Engine, model: &mut Model, now: Time, event: &Event) -> Vec<Effect> {
    let (did, should) = (act(engine, now, event.clone()), act(model, now, event.clone()));
    let (apart, should) = (told_apart(&did), told_apart(&should));
    assert!(apart == should, "{}\nengine: {}\nmodel:  {}", Short(event), Short(apart), Short(should));
    engine.check().expect("the tables agree");
    did
}

/// When every peer has left, every record is answered for and every job is cancelled, nothing is left to be done.
fn end_all(engine: &mut Engine, world: &World) {
    let now = world.now;
    for &record in &world.storing {
        act(engine, now, Event::Stored { record, outcome: Ok(()) });
    }
    for &(from, _) in &world.peers {
        act(engine, now, Event::Closed { from });
    }
    let left = Observer::new(engine, now).expect("nobody else is there");
    let last = ConnectionId::new(u64::MAX);
    left.check();
    act(engine, now, Event::Opened { from: last, peer: "::1".to_owned() });
    for job in left.jobs() {
        let request = Request::Admin(AdminRequest::CancelJob(job.handle.clone()));
        act(engine, now, Event::Received { from: last, request });
    }
    act(engine, now, Event::Closed { from: last });
    engine.check().expect("the tables agree");
    assert_eq!(engine.deadline(), None, "something is to happen although nothing is left");
}

fn sleep_begins(step: &Step) -> bool {
    matches!(step.event, Event::Received { request: Request::PreSleep, .. })
}

fn act(doors: &mut impl Doors, now: Time, event: Event) -> Vec<Effect> {
    let mut effects = Effects::new();
    doors.handle(now, event, &mut effects);
    effects.drain().collect()
}

fn check_deadline(now: Time, engine: &Engine, model: &Model) {
    let (engine, model) = (engine.deadline(), model.deadline());
    assert!(engine.is_none_or(|engine| engine > now), "called at {now:?}, and again for {engine:?}");
    assert!(
        model.is_none_or(|model| engine.is_some_and(|engine| engine <= model)),
        "{engine:?} and {model:?}"
    );
}
