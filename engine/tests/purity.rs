//! The engine can do no I/O, read no clock and draw no chance, because it knows nobody who can.

/// Everything the engine may stand on: the protocol, bytes, a keyed hash and derived error texts.
const ALLOWED: [&str; 4] = ["bytes", "gearman-protocol", "siphasher", "thiserror"];

#[test]
fn the_engine_depends_on_nothing_async_no_clock_and_no_chance() {
    let manifest = include_str!("../Cargo.toml");
    let section = manifest.split("[dependencies]").nth(1).expect("the manifest lists dependencies");
    let section = section.split("\n[").next().unwrap_or(section);
    let entries = section.lines().filter(|line| line.starts_with(|first: char| first.is_alphabetic()));
    let names: Vec<&str> = entries.filter_map(|line| line.split(['.', ' ', '=']).next()).collect();
    assert_eq!(names, ALLOWED);
}

#[test]
fn the_engine_names_no_clock_no_thread_and_no_input_or_output() {
    let forbidden = [
        "Instant",
        "SystemTime",
        "std::thread",
        "std::net",
        "std::fs",
        "std::io",
        "std::env",
        "RandomState",
        "HashMap",
        "HashSet",
        "async ",
    ];
    for (file, text) in sources() {
        for (number, line) in text.lines().enumerate() {
            let code = line.split("//").next().unwrap_or(line);
            let found = forbidden.iter().find(|name| code.contains(**name));
            assert_eq!(found, None, "{file}:{}: {line}", number + 1);
        }
    }
}

/// Every file of the engine and its text.
fn sources() -> Vec<(String, String)> {
    let mut folders = vec![std::path::Path::new(env!("CARGO_MANIFEST_DIR")).join("src")];
    let mut sources = Vec::new();
    while let Some(folder) = folders.pop() {
        for entry in std::fs::read_dir(&folder).expect("the sources are there") {
            let path = entry.expect("the sources are there").path();
            if path.is_dir() {
                folders.push(path);
            } else {
                let text = std::fs::read_to_string(&path).expect("sources are text");
                sources.push((path.display().to_string(), text));
            }
        }
    }
    assert!(sources.len() > 20, "only {} sources were found", sources.len());
    sources
}
