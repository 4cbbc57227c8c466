//! The tests of what threads hand to each other, built so that a scheduler decides after each step who goes on.

use std::path::Path;
use std::process::{Command, ExitCode};

/// The program of the tests, in the server's package.
pub(crate) const PROGRAM: &str = "threads";

/// What the compiler is told: `--cfg shuttle`, and what `.cargo/config.toml` says, which these flags replace.
pub(crate) const FLAGS: &str = "--cfg tokio_unstable --cfg shuttle";

/// How many schedules, and which.
#[derive(clap::Args)]
pub(crate) struct Options {
    /// How many schedules each test gets: one half by chance alone, the other by ranks that change twice.
    #[arg(long, value_name = "N", default_value_t = 4000)]
    schedules: u32,
    /// Which ones: the same number brings the same.
    #[arg(long, value_name = "N", default_value_t = 0)]
    seed: u64,
    /// Only tests whose names hold this.
    #[arg(value_name = "NAME")]
    name: Option<String>,
}

/// Builds the tests in a directory of their own, and runs them.
pub(crate) fn run(root: &Path, options: &Options) -> ExitCode {
    let mut command = Command::new("cargo");
    command.args(["test", "--package", "gearman-server", "--test", PROGRAM]).args(&options.name);
    command.current_dir(root).env("CARGO_TARGET_DIR", root.join("target").join("threads"));
    command.env("RUSTFLAGS", format!("{FLAGS} -D warnings"));
    command.env("SCHEDULES", options.schedules.to_string()).env("SCHEDULE_SEED", options.seed.to_string());
    match command.status() {
        Ok(status) if status.success() => ExitCode::SUCCESS,
        Ok(_) => ExitCode::FAILURE,
        Err(error) => {
            eprintln!("threads: cargo does not start: {error}");
            ExitCode::FAILURE
        }
    }
}
