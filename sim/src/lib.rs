//! Bad days for a Gearman job server, each from one number.

#[cfg(not(tokio_unstable))]
compile_error!(
    "gearman-sim needs --cfg tokio_unstable: without it a panic in a spawned task is swallowed and the order of \
     select! cannot be seeded. RUSTFLAGS in your environment replaces .cargo/config.toml; append --cfg tokio_unstable"
);

mod actors;
mod ambient;
pub mod campaign;
pub mod census;
pub mod chance;
pub mod cli;
mod compare;
pub mod faults;
pub mod history;
pub mod isolated;
mod journal;
pub mod judge;
pub mod lives;
mod machine;
pub mod naive;
mod network;
pub mod plan;
pub mod plant;
pub mod saboteur;
mod screen;
pub mod soak;
pub mod stage;
mod store;
#[cfg(test)]
mod transcripts;
pub mod trial;
pub mod workload;
