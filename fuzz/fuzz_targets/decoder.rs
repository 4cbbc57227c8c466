//! See `gearman_fuzz::decoder`.
#![no_main]

libfuzzer_sys::fuzz_target!(|bytes: &[u8]| gearman_fuzz::decoder(bytes));
