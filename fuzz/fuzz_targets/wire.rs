//! See `gearman_fuzz::wire`.
#![no_main]

libfuzzer_sys::fuzz_target!(|bytes: &[u8]| gearman_fuzz::wire(bytes));
