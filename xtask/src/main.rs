//! Steps of this project that need other programs.

fn main() {}
