//! `mutate`.

use std::net::{SocketAddr, ToSocketAddrs as _};

use clap::Args;

use super::playing::ServerArguments;
use super::{Refusal, play::in_place, signals};
use crate::language::Transcript;
use crate::launch::Launch;
use crate::mutate::{Held, Insanity, Target, is_fit, variant};
use crate::profile::Profile;
use crate::report::Exit;
use crate::suite::{IdPattern, SANITY, Selection, Suite};

/// Let a server suffer malformed variants of transcripts, and see that it stays sane.
///
/// Each variant is a transcript with something wrong in it: a header field, a packet that is cut off, a message twice or in
/// another's place, an argument too few, bytes in between.
/// After each the target must be alive, and serve a fresh connection: echo, and a job from client to worker and back; where
/// its process is known, its descriptors must come back, and its memory is told.
/// Seed and number name a variant: the same ones give the same bytes.
#[derive(Debug, Args)]
#[command(after_help = "\
Examples:
  gearman-conformance mutate --peer gearwright --seed 1 --count 500       variants of the whole suite
  gearman-conformance mutate submit my.gtx --launch 'my-gearmand -p {port}' --count 1000
  gearman-conformance mutate echo/every-byte --seed 1 --first 17 --count 1 --print    what variant 17 is

Exit 4 says that a variant broke the target; --write FILE writes it down, and nothing else does.
What stops a server that others use belongs into a private message to its maintainers first: see docs/disclosure.md.
A server on another machine is refused without --not-loopback.")]
pub(super) struct MutateArguments {
    /// Cases to change: ids, chapters, globs, or `.gtx` files [default: the whole suite].
    #[arg(value_name = "GLOB|FILE")]
    globs: Vec<String>,
    #[command(flatten)]
    server: ServerArguments,
    /// The process of that server, whose memory and descriptors are then watched.
    #[arg(long, value_name = "PID", requires = "target")]
    pid: Option<u32>,
    /// Which variants.
    #[arg(long, value_name = "S", default_value_t = 1)]
    seed: u64,
    /// The number of the first.
    #[arg(long, value_name = "N", default_value_t = 0)]
    first: u64,
    /// How many.
    #[arg(long, value_name = "N", default_value_t = 100)]
    count: u64,
    /// Print the variants instead of playing them.
    #[arg(long)]
    print: bool,
    /// Write the variant that broke the target to this file.
    #[arg(long, value_name = "FILE")]
    write: Option<String>,
    /// The target may be on another machine: it is yours to break.
    #[arg(long)]
    not_loopback: bool,
}

/// The case that tells whether a server echoes.
const ECHO: &str = "echo/every-byte";

/// After how many variants the descriptors are looked at.
const BETWEEN_LOOKS: u64 = 50;

/// Makes variants and lets the target suffer them.
pub(super) fn run(arguments: &MutateArguments) -> Result<Exit, Refusal> {
    let suite = Suite::embedded().map_err(Refusal::usage)?;
    let sources = sources(arguments, &suite)?;
    if arguments.print {
        return print(arguments, &sources);
    }
    let profile = Profile::load(arguments.server.profile_name()).map_err(Refusal::usage)?;
    let sanity =
        suite.case(SANITY).ok_or_else(|| Refusal::usage(format!("the suite has no case {SANITY}")))?;
    let echo = suite.case(ECHO).filter(|_| profile.features.contains("ECHO_REQ"));
    signals::until_told(async {
        let mut target = target(arguments, &profile, sanity).await?;
        target.echo = echo;
        target.examine().await.map_err(|insanity| Refusal {
            exit: Exit::NoTarget,
            message: format!("before the first variant: {insanity}"),
        })?;
        mutate(arguments, &sources, &mut target).await
    })
}

/// The transcripts named, or every case of the suite that leaves the server alone.
fn sources(arguments: &MutateArguments, suite: &Suite) -> Result<Vec<Transcript>, Refusal> {
    let mut sources = Vec::new();
    let mut globs = Vec::new();
    for text in &arguments.globs {
        if text.ends_with(".gtx") {
            sources.push(super::play::transcript(text)?);
        } else {
            globs.push(IdPattern::parse(text).map_err(Refusal::usage)?);
        }
    }
    if !globs.is_empty() || sources.is_empty() {
        let selection = Selection { only: globs, ..Selection::default() };
        sources.extend(suite.select(&selection).map_err(Refusal::usage)?.into_iter().cloned());
    }
    sources.retain(is_fit);
    if sources.is_empty() {
        return Err(Refusal::usage(
            "none of these transcripts can be varied: each sends nothing, controls its server, or includes a file",
        ));
    }
    Ok(sources)
}

/// The source of a variant: they take turns.
fn source(sources: &[Transcript], number: u64) -> &Transcript {
    let count = u64::try_from(sources.len()).unwrap_or(1);
    &sources[usize::try_from(number % count).unwrap_or(0)]
}

fn print(arguments: &MutateArguments, sources: &[Transcript]) -> Result<Exit, Refusal> {
    for number in arguments.first..arguments.first + arguments.count {
        match variant(source(sources, number), arguments.seed, number) {
            Some((text, _)) => anstream::print!("{text}"),
            None => return Err(Refusal::usage(format!("variant {number} cannot be made"))),
        }
    }
    Ok(Exit::Met)
}

async fn target<'t>(
    arguments: &MutateArguments,
    profile: &'t Profile,
    sanity: &'t Transcript,
) -> Result<Target<'t>, Refusal> {
    if let Some(address) = &arguments.server.target {
        let harmless =
            || address.to_socket_addrs().map(|mut list| list.all(|one: SocketAddr| one.ip().is_loopback()));
        let is_loopback =
            harmless().map_err(|error| Refusal::usage(format!("--target {address}: {error}")))?;
        if !is_loopback && !arguments.not_loopback {
            return Err(Refusal::usage(format!(
                "{address} is not on this machine: variants may stop a server that others use; give --not-loopback if it is yours to break"
            )));
        }
        return Ok(Target {
            address: address.clone(),
            profile,
            server: None,
            process: arguments.pid,
            echo: None,
            sanity,
        });
    }
    let command = arguments.server.launch.as_ref().or(profile.launch.as_ref()).ok_or_else(|| {
        Refusal::usage("name a server: --target HOST:PORT, --launch 'COMMAND {port}' or --peer NAME")
    })?;
    let launch = Launch::new(in_place(command)).map_err(Refusal::usage)?;
    let server = launch.start(profile, &std::collections::BTreeMap::new()).await;
    let server = server.map_err(|error| Refusal { exit: Exit::NoTarget, message: error.to_string() })?;
    Ok(Target {
        address: server.address(),
        profile,
        process: server.process(),
        echo: None,
        server: Some(server),
        sanity,
    })
}

async fn mutate(
    arguments: &MutateArguments,
    sources: &[Transcript],
    target: &mut Target<'_>,
) -> Result<Exit, Refusal> {
    let before = target.held();
    let last = arguments.first + arguments.count;
    let mut played = 0_u64;
    for number in arguments.first..last {
        let Some((text, transcript)) = variant(source(sources, number), arguments.seed, number) else {
            continue;
        };
        played += 1;
        target.suffer(&transcript).await;
        let mut found = target.examine().await.err();
        if let (None, Some(before)) = (&found, before)
            && (played.is_multiple_of(BETWEEN_LOOKS) || number + 1 == last)
        {
            found = target.settle(before).await.err();
        }
        if let Some(insanity) = found {
            return broken(arguments, number, &text, &transcript, &insanity);
        }
    }
    anstream::println!("{}", summary(arguments, sources.len(), played, before, target.held()));
    if played == 0 { Err(Refusal::usage("no variant could be made")) } else { Ok(Exit::Met) }
}

fn summary(
    arguments: &MutateArguments,
    sources: usize,
    played: u64,
    before: Option<Held>,
    after: Option<Held>,
) -> String {
    let held = match before.zip(after) {
        Some((before, after)) => format!(
            "; memory {} KiB before and {} KiB after, descriptors {} and {}",
            before.memory / 1024,
            after.memory / 1024,
            before.descriptors,
            after.descriptors
        ),
        None => String::new(),
    };
    format!(
        "{played} variants of {sources} transcripts, seed {}, from {}: sane after each{held}",
        arguments.seed, arguments.first
    )
}

/// Tells which variant it was. Its bytes are written only where they were asked for: they may stop servers in use.
fn broken(
    arguments: &MutateArguments,
    number: u64,
    text: &str,
    transcript: &Transcript,
    insanity: &Insanity,
) -> Result<Exit, Refusal> {
    let id = &transcript.header.id;
    anstream::println!("variant {number} of seed {}, of {id}: {insanity}", arguments.seed);
    match &arguments.write {
        Some(path) => {
            std::fs::write(path, text).map_err(|error| Refusal::usage(format!("{path}: {error}")))?;
            anstream::println!("written to {path}: tell the maintainers before you tell others");
        }
        None => {
            anstream::println!("--write FILE writes it down; tell the maintainers before you tell others")
        }
    }
    Ok(Exit::Broken)
}
