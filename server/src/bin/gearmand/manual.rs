//! The manual page and the completions of shells, made from the flags themselves.

use clap::Command;
use clap_complete::Shell;
use std::io;

/// What can be made.
#[derive(Clone, Copy, Debug, clap::ValueEnum)]
pub(crate) enum Kind {
    Man,
    Bash,
    Zsh,
    Fish,
}

/// The text, for a package to install.
///
/// # Errors
/// If the memory for it cannot be written to.
pub(crate) fn generate(kind: Kind, mut command: Command) -> io::Result<Vec<u8>> {
    let mut text = Vec::new();
    let shell = match kind {
        Kind::Man => {
            clap_mangen::Man::new(command).section("8").render(&mut text)?;
            return Ok(text);
        }
        Kind::Bash => Shell::Bash,
        Kind::Zsh => Shell::Zsh,
        Kind::Fish => Shell::Fish,
    };
    clap_complete::generate(shell, &mut command, "gearmand", &mut text);
    Ok(text)
}
