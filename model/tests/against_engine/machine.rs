//! The state machine: a model is the reference, two engines of different hash seeds are under test.

use crate::dice::Dice;
use crate::told_apart::told_apart;
use crate::world::{Short, Step, World, config};
use gearman_engine::{Config, Doors, Effect, Effects, Engine};
use gearman_model::Model;
use gearman_protocol::Time;
use proptest::prelude::*;
use proptest_state_machine::{ReferenceStateMachine, StateMachineTest, prop_state_machine};
use std::fmt;

/// Failures are made smaller by leaving steps out, and in no other way: proptest-state-machine 0.9 may show a
/// step that it made smaller and that no longer fails.
#[derive(Clone)]
struct Reference {
    config: Config,
    model: Model,
    world: World,
    /// What the model did about the last step.
    did: Vec<Effect>,
}

impl fmt::Debug for Reference {
    /// A failure begins with the configuration; the rest follows from the steps.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.config.fmt(f)
    }
}

impl ReferenceStateMachine for Reference {
    type State = Self;
    type Transition = Step;

    fn init_state() -> BoxedStrategy<Self> {
        let start = |bytes: [u8; 12]| {
            let config = config(Dice(&bytes));
            let model = Model::new(config.clone());
            Self { config, model, world: World::default(), did: Vec::new() }
        };
        any::<[u8; 12]>().prop_map(start).no_shrink().boxed()
    }

    fn transitions(state: &Self) -> BoxedStrategy<Step> {
        let (world, deadline) = (state.world.clone(), state.model.deadline());
        let step = move |bytes: [u8; 16]| world.step(Dice(&bytes), deadline);
        any::<[u8; 16]>().prop_map(step).no_shrink().boxed()
    }

    fn preconditions(state: &Self, step: &Step) -> bool {
        state.world.allows(&step.event)
    }

    fn apply(mut state: Self, step: &Step) -> Self {
        let mut effects = Effects::new();
        state.model.handle(state.world.now + step.after, step.event.clone(), &mut effects);
        state.did = effects.drain().collect();
        state.world.learn(step, &state.did);
        state
    }
}

/// The engine twice: what it does must not depend on the seed of its hash tables.
struct Engines(Engine, Engine);

impl StateMachineTest for Engines {
    type SystemUnderTest = Self;
    type Reference = Reference;

    fn init_test(reference: &Reference) -> Self {
        let engine = |seed| Engine::new(reference.config.clone(), seed);
        Self(engine(1), engine(0xfeed_beef))
    }

    fn apply(mut engines: Self, reference: &Reference, step: Step) -> Self {
        let now = reference.world.now;
        let did = act(&mut engines.0, now, &step);
        let again = act(&mut engines.1, now, &step);
        assert!(did == again, "with another hash seed:\n{}\n{}", Short(did), Short(again));
        let (engine, model) = (told_apart(&did), told_apart(&reference.did));
        assert!(engine == model, "engine: {}\nmodel:  {}", Short(engine), Short(model));
        check_deadline(now, engines.0.deadline(), reference.model.deadline());
        engines
    }
}

fn act(engine: &mut Engine, now: Time, step: &Step) -> Vec<Effect> {
    let mut effects = Effects::new();
    engine.handle(now, step.event.clone(), &mut effects);
    engine.check().expect("the engine's tables agree");
    effects.drain().collect()
}

/// The engine may want to be called earlier than the model needs, but later never, and not at once again.
fn check_deadline(now: Time, engine: Option<Time>, model: Option<Time>) {
    assert!(engine.is_none_or(|engine| engine > now), "called at {now:?}, and again for {engine:?}");
    if let Some(model) = model {
        assert!(engine.is_some_and(|engine| engine <= model), "{engine:?} is too late for {model:?}");
    }
}

prop_state_machine! {
    // Four times what proptest does by itself, so that PROPTEST_CASES still counts.
    #![proptest_config(ProptestConfig {
        cases: 4 * ProptestConfig::default().cases,
        max_shrink_iters: 20_000,
        ..ProptestConfig::default()
    })]

    #[test]
    fn the_engine_does_what_the_model_does(sequential 1..120 => Engines);
}
