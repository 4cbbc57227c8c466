//! Collects the transcripts into two tables, of cases for servers and of cases for clients, so that the binary carries
//! them all.

use std::fmt::Write as _;
use std::path::{Path, PathBuf};

fn main() -> Result<(), Box<dyn std::error::Error>> {
    let root = PathBuf::from(std::env::var("CARGO_MANIFEST_DIR")?);
    table(&root.join("transcripts"), "embedded.rs")?;
    table(&root.join("clients"), "clients.rs")
}

/// Writes a table of every transcript in a folder, with its path there and its text.
fn table(folder: &Path, file: &str) -> Result<(), Box<dyn std::error::Error>> {
    println!("cargo::rerun-if-changed={}", folder.display());
    let mut files = Vec::new();
    collect(folder, &mut files)?;
    files.sort();
    let mut table = String::from("&[\n");
    for path in files {
        let name = path.strip_prefix(folder)?.display().to_string();
        writeln!(table, "({name:?}, include_str!({:?})),", path.display().to_string())?;
    }
    table.push_str("]\n");
    std::fs::write(PathBuf::from(std::env::var("OUT_DIR")?).join(file), table)?;
    Ok(())
}

fn collect(folder: &Path, files: &mut Vec<PathBuf>) -> std::io::Result<()> {
    for entry in std::fs::read_dir(folder)? {
        let path = entry?.path();
        if path.is_dir() {
            collect(&path, files)?;
        } else if path.extension().is_some_and(|extension| extension == "gtx") {
            files.push(path);
        }
    }
    Ok(())
}
