//! See `gearman_fuzz::text_line`.
#![no_main]

libfuzzer_sys::fuzz_target!(|bytes: &[u8]| gearman_fuzz::text_line(bytes));
