//! What is shipped beside the program, and the Debian package of it all.

use std::ffi::OsStr;
use std::fs;
use std::path::Path;
use std::process::{Command, ExitCode, Output, Stdio};

/// What the program makes of its own flags, and the file that packages install.
const MANUAL: [(&str, &str); 4] =
    [("man", "gearmand.8"), ("bash", "gearmand.bash"), ("zsh", "_gearmand"), ("fish", "gearmand.fish")];

/// Writes the manual page and the completions below `root`.
pub(crate) fn manual(root: &Path) -> ExitCode {
    report(write_manual(root).map(|()| "manual: target/manual".to_owned()))
}

/// Makes the Debian package below `root`.
pub(crate) fn debian(root: &Path) -> ExitCode {
    let package = || {
        write_manual(root)?;
        // The program is built already, with the manual.
        let flags = ["deb", "--package", "gearman-server", "--profile", "dist", "--no-build", "--no-strip"];
        let made = run(root, flags)
            .map_err(|error| format!("{error}\nit needs cargo-deb: cargo install cargo-deb --locked"))?;
        Ok(format!("package: {}", String::from_utf8_lossy(&made.stdout).trim()))
    };
    report(package())
}

fn report(outcome: Result<String, String>) -> ExitCode {
    match outcome {
        Ok(line) => {
            println!("{line}");
            ExitCode::SUCCESS
        }
        Err(line) => {
            eprintln!("{line}");
            ExitCode::FAILURE
        }
    }
}

fn write_manual(root: &Path) -> Result<(), String> {
    let directory = root.join("target/manual");
    fs::create_dir_all(&directory).map_err(|error| format!("{}: {error}", directory.display()))?;
    for (kind, file) in MANUAL {
        let program =
            ["run", "--profile", "dist", "--quiet", "--package", "gearman-server", "--bin", "gearmand", "--"];
        let made = run(root, program.into_iter().chain(["--generate", kind]))?;
        let path = directory.join(file);
        fs::write(&path, made.stdout).map_err(|error| format!("{}: {error}", path.display()))?;
    }
    Ok(())
}

/// Runs cargo; what it and the program say on stderr goes where ours goes.
fn run(root: &Path, arguments: impl IntoIterator<Item: AsRef<OsStr>>) -> Result<Output, String> {
    let mut cargo = Command::new("cargo");
    cargo.current_dir(root).args(arguments).stdin(Stdio::null()).stderr(Stdio::inherit());
    let output = cargo.output().map_err(|error| format!("cargo: {error}"))?;
    if output.status.success() { Ok(output) } else { Err(format!("{cargo:?}: {}", output.status)) }
}
