//! Bad days for a Gearman job server, each from one number.

pub mod chance;
pub mod history;
pub mod workload;
