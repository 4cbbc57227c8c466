//! The engine against the naive model: the same events, the same effects.

#[path = "against_engine/dice.rs"]
mod dice;
#[path = "against_engine/machine.rs"]
mod machine;
#[path = "against_engine/requests.rs"]
mod requests;
#[path = "against_engine/stories.rs"]
mod stories;
#[path = "against_engine/told_apart.rs"]
mod told_apart;
#[path = "against_engine/world.rs"]
mod world;
