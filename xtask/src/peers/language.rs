//! The languages that take part, and what their libraries cannot do.

use std::collections::BTreeMap;
use std::fs;
use std::path::Path;
use std::process::Command;

use serde::Deserialize;

use super::Failure;

const FILE: &str = "peers/languages.toml";

/// A client library and a worker library of one language, driven by one program.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Language {
    pub(super) name: String,
    driver: Vec<String>,
    ready: Vec<String>,
    needs: String,
    /// `ROLE VERB`: why the library cannot.
    #[serde(default)]
    pub(super) lacks: BTreeMap<String, String>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct File {
    language: Vec<Language>,
}

/// Reads the languages and puts the paths of this machine into their commands.
pub(super) fn read(root: &Path) -> Result<Vec<Language>, Failure> {
    let text = fs::read_to_string(root.join(FILE))
        .map_err(|error| Failure::io("xtask", &format!("read {FILE}"), &error))?;
    let file: File = toml::from_str(&text).map_err(|error| Failure::new(FILE, error.to_string()))?;
    let installed = root.join("target/peers").display().to_string();
    let root = root.display().to_string();
    let place = |word: &mut String| *word = word.replace("ROOT", &root).replace("INSTALLED", &installed);
    let mut languages = file.language;
    for language in &mut languages {
        language.driver.iter_mut().chain(&mut language.ready).for_each(place);
    }
    Ok(languages)
}

impl Language {
    /// Fails if what the driver needs is not installed.
    pub(super) fn probe(&self) -> Result<(), Failure> {
        let remedy =
            format!("it needs {}: run .ci/install-peers, which installs what is missing", self.needs);
        let (program, arguments) =
            self.ready.split_first().ok_or_else(|| Failure::new(FILE, "`ready` is empty"))?;
        let output = Command::new(program).args(arguments).output().map_err(|error| {
            Failure::new(self.name.as_str(), format!("cannot run {program}: {error}; {remedy}"))
        })?;
        if output.status.success() {
            return Ok(());
        }
        let said = String::from_utf8_lossy(&output.stderr);
        let said = said.lines().next().unwrap_or("it says nothing");
        Err(Failure::new(self.name.as_str(), format!("is not ready: {said}; {remedy}")))
    }

    /// The command that starts the driver for a server.
    pub(super) fn driver(&self, host: &str, port: u16) -> Vec<String> {
        self.driver.iter().map(|word| place(word, host, port)).collect()
    }
}

/// Puts the server's address into a word of a command.
pub(super) fn place(word: &str, host: &str, port: u16) -> String {
    match word {
        "HOST" => host.to_owned(),
        "PORT" => port.to_string(),
        _ => word.to_owned(),
    }
}
