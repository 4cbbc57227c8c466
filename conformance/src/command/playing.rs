//! The arguments that several subcommands have in common.

use clap::Args;

/// The profile that holds a server or a client to everything.
pub(super) const STRICT: &str = "strict";

/// How to play cases, whatever they are played against.
#[derive(Debug, Args)]
pub(super) struct Playing {
    /// Cases to play: ids, chapters, globs in which `*` stands for any characters, or `.gtx` files.
    #[arg(value_name = "GLOB|FILE")]
    pub(super) globs: Vec<String>,
    /// Cases not to play, by glob or by a file of globs.
    #[arg(long, value_name = "GLOB|@FILE")]
    pub(super) skip: Vec<String>,
    /// How to cut what is sent into writes: none (as written), split, all, or a list of
    /// as-written,bytes,split,merged.
    #[arg(long, value_name = "none|split|all", default_value = "none")]
    pub(super) variants: String,
    /// How often to play each case; verdicts that differ are FLAKY.
    #[arg(long, value_name = "N", default_value_t = 1, value_parser = clap::value_parser!(u32).range(1..=1_000_000))]
    pub(super) repeat: u32,
    /// How many cases to play at a time [default: 8, each with a server of its own; 1 with --target; 4 programs under
    /// test].
    #[arg(short, long, value_name = "N", value_parser = clap::value_parser!(u16).range(1..=256))]
    pub(super) jobs: Option<u16>,
    /// Stretch every wait by this factor.
    #[arg(long, value_name = "X", default_value_t = 1.0, value_parser = factor)]
    pub(super) time_scale: f64,
    /// Begin no further case after the first that is not met.
    #[arg(long)]
    pub(super) fail_fast: bool,
    /// Write the results as JSON.
    #[arg(long, value_name = "FILE")]
    pub(super) json: Option<String>,
    /// Write the results as JUnit XML.
    #[arg(long, value_name = "FILE")]
    pub(super) junit: Option<String>,
    /// Tell more: skipped cases, reasons and endings; twice, every message.
    #[arg(short, action = clap::ArgAction::Count)]
    pub(super) verbose: u8,
}

impl Default for Playing {
    /// Every case once, as it is written.
    fn default() -> Self {
        Self {
            globs: Vec::new(),
            skip: Vec::new(),
            variants: "none".to_owned(),
            repeat: 1,
            jobs: None,
            time_scale: 1.0,
            fail_fast: false,
            json: None,
            junit: None,
            verbose: 0,
        }
    }
}

/// Which server, and what is known about it.
#[derive(Debug, Args)]
pub(super) struct ServerArguments {
    /// A server that runs already and may be shared with others.
    #[arg(long, value_name = "HOST:PORT", conflicts_with_all = ["launch", "peer"])]
    pub(super) target: Option<String>,
    /// A shell command that starts a server in the foreground, with {port} where the port belongs.
    #[arg(long, value_name = "COMMAND", conflicts_with = "peer")]
    pub(super) launch: Option<String>,
    /// A profile that says itself how its server is launched.
    #[arg(long, value_name = "FILE|NAME", conflicts_with = "profile")]
    pub(super) peer: Option<String>,
    /// What is known about the server: a file, or the name of an embedded profile.
    #[arg(long, value_name = "FILE|NAME", default_value = STRICT)]
    pub(super) profile: String,
}

impl ServerArguments {
    /// The server that a profile starts.
    pub(super) fn of_peer(name: &str) -> Self {
        Self { target: None, launch: None, peer: Some(name.to_owned()), profile: name.to_owned() }
    }

    /// A server that runs, or that a command starts, or else one that the profile starts.
    pub(super) fn of(target: Option<&String>, launch: Option<&String>, profile: &str) -> Self {
        let (target, launch) = (target.cloned(), launch.cloned());
        match (&target, &launch) {
            (None, None) => Self::of_peer(profile),
            _ => Self { target, launch, peer: None, profile: profile.to_owned() },
        }
    }

    /// The profile that is asked for.
    pub(super) fn profile_name(&self) -> &str {
        self.peer.as_ref().unwrap_or(&self.profile)
    }
}

fn factor(text: &str) -> Result<f64, String> {
    let factor: f64 = text.parse().map_err(|_| "not a number".to_owned())?;
    if factor > 0.0 && factor <= 1000.0 {
        Ok(factor)
    } else {
        Err("must be above 0 and at most 1000".to_owned())
    }
}
