//! What breaks it: properties that hold for any bytes.
//!
//! Each target is one function here, so that the seeds are also plain tests: `cargo test --lib` in this directory
//! runs them without a nightly toolchain. `cargo +nightly fuzz run TARGET` looks for more.

mod decoder;
mod engine;
mod observer;
#[cfg(test)]
mod seeds;
mod text_line;
mod wire;

// Events out of bytes, as the comparison of engine and model makes them.
#[path = "../../model/tests/against_engine/dice.rs"]
mod dice;
#[path = "../../model/tests/against_engine/requests.rs"]
mod requests;
#[path = "../../model/tests/against_engine/told_apart.rs"]
mod told_apart;
#[path = "../../model/tests/against_engine/world.rs"]
mod world;

pub use decoder::decoder;
pub use engine::engine;
pub use text_line::text_line;
pub use wire::wire;
