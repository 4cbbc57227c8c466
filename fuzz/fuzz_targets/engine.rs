//! See `gearman_fuzz::engine`.
#![no_main]

libfuzzer_sys::fuzz_target!(|bytes: &[u8]| gearman_fuzz::engine(bytes));
