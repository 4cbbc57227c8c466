//! Every seed runs through its target, without a fuzzer.

use std::fs;
use std::path::Path;

fn run(target: &str, check: fn(&[u8])) {
    let seeds = Path::new(env!("CARGO_MANIFEST_DIR")).join("seeds").join(target);
    let seeds: Vec<_> = fs::read_dir(&seeds).expect("the seeds are there").collect();
    assert!(!seeds.is_empty(), "no seed for {target}");
    for seed in seeds {
        let path = seed.expect("a file").path();
        println!("{}", path.display());
        check(&fs::read(&path).expect("a readable file"));
    }
}

#[test]
fn decoder() {
    run("decoder", crate::decoder);
}

#[test]
fn text_line() {
    run("text_line", crate::text_line);
}

#[test]
fn engine() {
    run("engine", crate::engine);
}

#[test]
fn wire() {
    run("wire", crate::wire);
}
