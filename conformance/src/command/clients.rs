//! `clients`.

use super::playing::{Playing, STRICT, ServerArguments};
use super::{Refusal, RunArguments, list, play};
use crate::play::Program;
use crate::profile::Profile;
use crate::report::Exit;
use crate::run::{Plan, Target};
use crate::suite::Suite;
use clap::Args;

/// Play the server for a client or a worker that is under test.
///
/// The tool listens, starts a program at its address, and plays a server that is late, cuts its packets in two, says
/// ERROR, or goes away in the middle of a job.
/// The program is told what to do in lines of words, and says in lines of words what became of it; a driver of some
/// forty lines makes one of any Gearman library, and `peers/README.md` has the words.
/// A program that says nothing is given up after a time: HANG.
#[derive(Debug, Args)]
#[command(after_help = "\
Examples:
  gearman-conformance clients --client php                     what is known about PHP's extension still holds
  gearman-conformance clients 'client/*' --client tools -v     one role, with the reasons of what is expected
  gearman-conformance clients --launch-client 'my-driver {host} {port}' --variants all

Each --client has a profile: what its library can do, and how it is known to differ, with the reason.
Exit codes are those of `run`: 0 all met, 1 something is not, 4 a program crashed or hung.")]
pub(super) struct ClientsArguments {
    #[command(flatten)]
    playing: Playing,
    /// A shell command that starts a driver, with {host} and {port} where the server's address belongs.
    #[arg(long, value_name = "COMMAND", conflicts_with = "client")]
    launch_client: Option<String>,
    /// A profile that says itself how its driver is started.
    #[arg(long, value_name = "NAME", conflicts_with = "profile")]
    client: Option<String>,
    /// What is known about the library: a file, or the name of an embedded profile.
    #[arg(long, value_name = "FILE|NAME", default_value = STRICT)]
    profile: String,
    /// List the cases instead of playing them.
    #[arg(long)]
    list: bool,
}

/// How many programs are under test at a time: they compute more than servers do before they say anything.
const USUAL_JOBS: u16 = 4;

/// Plays cases for clients and workers and tells about them.
pub(super) fn run(arguments: ClientsArguments) -> Result<Exit, Refusal> {
    let mut suite = Suite::clients().map_err(Refusal::usage)?;
    if arguments.list {
        return Ok(list::print(&suite));
    }
    let profile_name = arguments.client.as_ref().unwrap_or(&arguments.profile);
    let profile = Profile::load_client(profile_name).map_err(Refusal::usage)?;
    profile
        .check_against(&suite)
        .map_err(|message| Refusal::usage(format!("profile {profile_name}: {message}")))?;
    let target = Target::Program(program(&arguments, &profile)?);
    let jobs = arguments.playing.jobs.unwrap_or(USUAL_JOBS).into();
    let arguments = as_run(arguments);
    let only = play::named(&arguments.playing.globs, &mut suite)?;
    let cases = suite.select(&play::selection(&arguments, only)?).map_err(Refusal::usage)?;
    let cases: Vec<_> = cases.into_iter().cloned().collect();
    if let Some(case) = cases.iter().find(|case| !case.plays_server()) {
        return Err(Refusal::usage(format!(
            "{} is a case for servers: play it with `gearman-conformance run`",
            case.path
        )));
    }
    let plan = Plan {
        target,
        variants: play::variants(&arguments.playing.variants)?,
        // Nobody asks for the sanity of what is not a server.
        sanity: cases[0].clone(),
        cases,
        profile,
        repeat: arguments.playing.repeat,
        jobs,
        time_scale: arguments.playing.time_scale,
        fresh: false,
        allow_destructive: false,
        fail_fast: arguments.playing.fail_fast,
    };
    play::carry_out(plan, &arguments).map(|(exit, _)| exit)
}

fn program(arguments: &ClientsArguments, profile: &Profile) -> Result<Program, Refusal> {
    let command = match (&arguments.launch_client, &arguments.client, &profile.launch) {
        (Some(command), ..) | (None, Some(_), Some(command)) => command,
        (None, Some(name), None) => {
            return Err(Refusal::usage(format!("the profile {name} does not say how its driver is started")));
        }
        (None, None, _) => {
            return Err(Refusal::usage(
                "name a client: --launch-client 'COMMAND {host} {port}' or --client NAME",
            ));
        }
    };
    Program::new(play::in_place(command)).map_err(Refusal::usage)
}

/// What the playing, its reports and its rerun commands need of the arguments.
fn as_run(arguments: ClientsArguments) -> RunArguments {
    let server = ServerArguments {
        target: None,
        launch: arguments.launch_client,
        peer: arguments.client,
        profile: arguments.profile,
    };
    RunArguments { playing: arguments.playing, ..RunArguments::of(server, &[]) }
}
