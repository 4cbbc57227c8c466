//! Changes one at a time, each with a build of its own, by cargo-mutants.

use std::collections::BTreeSet;
use std::fs;
use std::path::Path;
use std::process::Command;

use super::change::Change;
use super::judge::{Package, home};
use super::tried::Tried;

/// The changes that these flags choose, in order.
pub(super) fn list(root: &Path, flags: &[String]) -> Result<Vec<Change>, String> {
    let mut command = cargo_mutants(root);
    let output = command.args(["--list", "--json"]).args(flags).output().map_err(|error| absent(&error))?;
    if !output.status.success() {
        return Err(format!("cargo mutants --list: {}", String::from_utf8_lossy(&output.stderr).trim()));
    }
    listed(&output.stdout).map_err(|error| format!("cargo mutants --list --json: {error}"))
}

/// What cargo-mutants has listed: nothing at all if no line of the diff is the package's.
fn listed(json: &[u8]) -> serde_json::Result<Vec<Change>> {
    if json.trim_ascii().is_empty() { Ok(Vec::new()) } else { serde_json::from_slice(json) }
}

/// cargo-mutants' words for all changes of a package, in order.
pub(super) fn of(package: Package) -> Vec<String> {
    ["--package", package.name(), "--no-shuffle"].map(str::to_owned).into()
}

/// Tries the changes of these names.
pub(super) fn judge(root: &Path, package: Package, names: &[&str]) -> Result<Tried, String> {
    let home = home(root).join(package.name());
    // What an earlier run has seen would be skipped.
    match fs::remove_dir_all(&home) {
        Err(error) if error.kind() != std::io::ErrorKind::NotFound => {
            return Err(format!("{}: {error}", home.display()));
        }
        _ => {}
    }
    if names.is_empty() {
        return Ok(Tried::default());
    }
    let mut quick = pass(root, &home.join("quick"), &called(package, names), package.quick(), "60")?;
    quick.retain(names);
    if quick.survivors.is_empty() {
        return Ok(quick);
    }
    let survivors: Vec<&str> = quick.survivors.iter().map(String::as_str).collect();
    let mut flags = called(package, &survivors);
    let (homes, tests) = package.thorough();
    flags.extend(["--test-package", &homes.join(",")].map(str::to_owned));
    // Before it changes anything, cargo-mutants would try these tests in the package alone.
    flags.extend(["--baseline", "skip"].map(str::to_owned));
    passes(root, homes, tests)?;
    let thorough = pass(root, &home.join("thorough"), &flags, tests, "300")?;
    quick.then(&thorough)
}

/// cargo-mutants' words for the changes of these names, and for a few more: changes of some kinds, patterns do not hold
/// back, but only files.
fn called(package: Package, names: &[&str]) -> Vec<String> {
    let files: BTreeSet<&str> = names.iter().filter_map(|name| name.split(':').next()).collect();
    let files = files.into_iter().flat_map(|file| ["--file".to_owned(), file.to_owned()]);
    let names = names.iter().flat_map(|name| ["--re".to_owned(), format!("^{}$", literally(name))]);
    of(package).into_iter().chain(files).chain(names).collect()
}

/// A regular expression that only this text matches.
fn literally(text: &str) -> String {
    let mut expression = String::new();
    for letter in text.chars() {
        if r"\.+*?()|[]{}^$".contains(letter) {
            expression.push('\\');
        }
        expression.push(letter);
    }
    expression
}

/// Sees that the tests pass with nothing changed: otherwise they would see everything.
fn passes(root: &Path, homes: &[&str], tests: &str) -> Result<(), String> {
    let mut command = Command::new("cargo");
    command.args(["test", "--quiet"]).args(homes.iter().flat_map(|home| ["--package", home]));
    command.args(tests.split(' ')).current_dir(root).env("CARGO_TARGET_DIR", home(root).join("target"));
    as_judged(&mut command);
    let status = command.status().map_err(|error| absent(&error))?;
    if status.success() { Ok(()) } else { Err(format!("with nothing changed, cargo test {tests} fails")) }
}

/// One run of cargo-mutants, in which no tests may take longer than so many seconds.
fn pass(root: &Path, home: &Path, flags: &[String], tests: &str, limit: &str) -> Result<Tried, String> {
    fs::create_dir_all(home).map_err(|error| format!("{}: {error}", home.display()))?;
    let mut command = cargo_mutants(root);
    command
        .args(flags)
        .args(["--no-times", "--timeout", limit, "--build-timeout", "600", "--output"])
        .arg(home);
    command.arg("--").args(tests.split(' '));
    let status = command.status().map_err(|error| absent(&error))?;
    // 2: some were not seen; 3: some did not end.
    match status.code() {
        Some(0 | 2 | 3) => Tried::read(home),
        Some(4) => Err(format!("with nothing changed, cargo test {tests} fails")),
        _ => Err(format!("cargo mutants ended with {status}")),
    }
}

/// What is built is small, is built again and again, and computes little.
fn cargo_mutants(root: &Path) -> Command {
    let mut command = Command::new("cargo");
    command.arg("mutants").current_dir(root).env_remove("CARGO_TARGET_DIR");
    // What Debug prints is for people who look for an error, and through the checks of its tables tests look into the
    // engine: neither is what a server does.
    command.args(["--exclude-re", "impl fmt::Debug", "--exclude", "engine/src/check/**"]);
    command.args(["--exclude", "engine/src/check.rs"]);
    as_judged(&mut command);
    command
}

/// How tests are built and run, with a change and without.
fn as_judged(command: &mut Command) {
    command.env("CARGO_PROFILE_DEV_OPT_LEVEL", "0").env("CARGO_PROFILE_DEV_DEBUG", "none");
    // A change is seen or not: what properties are tried with must not decide it anew each time.
    command.env("CARGO_INCREMENTAL", "1").env("PROPTEST_RNG_SEED", "1");
}

fn absent(error: &std::io::Error) -> String {
    format!("cargo does not start: {error}")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_diff_without_changes_is_no_error_and_half_a_list_is_one() {
        assert!(listed(b"").unwrap().is_empty());
        assert!(listed(b"[]\n").unwrap().is_empty());
        assert!(listed(b"[{").is_err());
    }

    #[test]
    fn an_expression_stands_for_one_name() {
        let name = "engine/src/a.rs:9:9: replace <impl A<T>>::f -> Vec<[u8; 2]> with (*b)?";
        assert_eq!(
            literally(name),
            r"engine/src/a\.rs:9:9: replace <impl A<T>>::f -> Vec<\[u8; 2\]> with \(\*b\)\?",
        );
    }
}
