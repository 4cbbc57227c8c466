//! `run`.

use std::io::Write as _;
use std::path::PathBuf;
use std::sync::Arc;

use tokio::signal::unix::{SignalKind, signal};
use tokio::time::Instant;

use super::{Refusal, RunArguments, signals};
use crate::language::{Level, Transcript, Variant};
use crate::launch::Launch;
use crate::profile::Profile;
use crate::report::terminal::{Terminal, Verbosity, summary};
use crate::report::{Exit, json, junit};
use crate::run::{CaseResult, Insane, Plan, Target};
use crate::suite::{IdPattern, SANITY, Selection, Suite};
use crate::verdict::Verdict;

/// How many launched servers are played against at a time: cases wait more than they compute, so this does not depend
/// on the number of processors.
const LAUNCHED_JOBS: u16 = 8;

/// Plays cases and tells about them.
pub(super) fn run(arguments: &RunArguments) -> Result<Exit, Refusal> {
    played(arguments).map(|(exit, _)| exit)
}

/// Plays cases, tells about them, and gives the results as JSON.
pub(super) fn results(arguments: &RunArguments) -> Result<String, Refusal> {
    match played(arguments)? {
        (Exit::Interrupted, _) => Err(Refusal { exit: Exit::Interrupted, message: "interrupted".to_owned() }),
        (_, json) => Ok(json),
    }
}

fn played(arguments: &RunArguments) -> Result<(Exit, String), Refusal> {
    let mut suite = Suite::embedded().map_err(Refusal::usage)?;
    let only = named(&arguments.playing.globs, &mut suite)?;
    let plan = plan(arguments, only, &suite)?;
    carry_out(plan, arguments)
}

/// Plays what is planned and tells about it.
pub(super) fn carry_out(plan: Plan, arguments: &RunArguments) -> Result<(Exit, String), Refusal> {
    let reports = Reports::open(arguments)?;
    signals::past_interrupts(1, play(Arc::new(plan), arguments, reports))
}

/// What the arguments ask for.
pub(super) fn planned(arguments: &RunArguments) -> Result<Plan, Refusal> {
    let mut suite = Suite::embedded().map_err(Refusal::usage)?;
    let only = named(&arguments.playing.globs, &mut suite)?;
    plan(arguments, only, &suite)
}

/// Plays a plan and tells nobody.
pub(super) fn silently(plan: Plan) -> Result<(Arc<Plan>, Vec<CaseResult>), Refusal> {
    let plan = Arc::new(plan);
    let mut results = signals::until_told(async {
        let mut coming = Arc::clone(&plan).start().await.map_err(no_target)?;
        let mut results = Vec::new();
        while let Some(result) = coming.next().await {
            results.push(result);
        }
        Ok(results)
    })?;
    results.sort_by_key(|result: &CaseResult| (result.case, result.variant));
    Ok((plan, results))
}

fn no_target(insane: Insane) -> Refusal {
    Refusal { exit: Exit::NoTarget, message: insane.to_string() }
}

/// What the arguments choose by id; files among them join the suite.
pub(super) fn named(globs: &[String], suite: &mut Suite) -> Result<Vec<IdPattern>, Refusal> {
    let mut ids = Vec::new();
    for text in globs {
        if text.ends_with(".gtx") {
            let case = transcript(text)?;
            ids.push(IdPattern::parse(&case.header.id).map_err(Refusal::usage)?);
            suite.insert(case);
        } else {
            ids.push(IdPattern::parse(text).map_err(Refusal::usage)?);
        }
    }
    Ok(ids)
}

/// The transcript in a file, with the files that it includes.
pub(super) fn transcript(path: &str) -> Result<Transcript, Refusal> {
    let text = std::fs::read_to_string(path).map_err(|error| Refusal::usage(format!("{path}: {error}")))?;
    Transcript::parse_with(path, &text, &on_disk).map_err(Refusal::usage)
}

/// The text of a file that a transcript includes.
pub(super) fn on_disk(path: &str) -> Result<String, String> {
    std::fs::read_to_string(path).map_err(|error| format!("{path}: {error}"))
}

fn plan(arguments: &RunArguments, only: Vec<IdPattern>, suite: &Suite) -> Result<Plan, Refusal> {
    let profile_name = arguments.server.profile_name();
    let profile = Profile::load(profile_name).map_err(Refusal::usage)?;
    profile
        .check_against(suite)
        .map_err(|message| Refusal::usage(format!("profile {profile_name}: {message}")))?;
    let cases: Vec<Transcript> =
        suite.select(&selection(arguments, only)?).map_err(Refusal::usage)?.into_iter().cloned().collect();
    cases.iter().try_for_each(refuse_clients_case)?;
    let sanity =
        suite.case(SANITY).ok_or_else(|| Refusal::usage(format!("the suite has no case {SANITY}")))?;
    let usual_jobs = if arguments.server.target.is_some() { 1 } else { LAUNCHED_JOBS };
    Ok(Plan {
        target: target(arguments, &profile)?,
        fresh: arguments.fresh || profile.fresh,
        variants: variants(&arguments.playing.variants)?,
        sanity: sanity.clone(),
        cases,
        profile,
        repeat: arguments.playing.repeat,
        jobs: arguments.playing.jobs.unwrap_or(usual_jobs).into(),
        time_scale: arguments.playing.time_scale,
        allow_destructive: arguments.allow_destructive,
        fail_fast: arguments.playing.fail_fast,
    })
}

fn refuse_clients_case(case: &Transcript) -> Result<(), Refusal> {
    if case.plays_server() {
        return Err(Refusal::usage(format!(
            "{} plays the server: play it with `gearman-conformance clients`",
            case.path
        )));
    }
    Ok(())
}

fn target(arguments: &RunArguments, profile: &Profile) -> Result<Target, Refusal> {
    let launched =
        |command: &str| Launch::new(in_place(command)).map(Target::Launched).map_err(Refusal::usage);
    match (&arguments.server.target, &arguments.server.launch, &arguments.server.peer) {
        (Some(address), ..) => match address.rsplit_once(':').map(|(_, port)| port.parse::<u16>()) {
            Some(Ok(_)) => Ok(Target::Attached(address.clone())),
            _ => Err(Refusal::usage(format!("--target `{address}` is not HOST:PORT"))),
        },
        (None, Some(command), _) => launched(command),
        (None, None, Some(name)) => match &profile.launch {
            Some(command) => launched(command),
            None => {
                Err(Refusal::usage(format!("the profile {name} does not say how its server is launched")))
            }
        },
        (None, None, None) => {
            Err(Refusal::usage("name a server: --target HOST:PORT, --launch 'COMMAND {port}' or --peer NAME"))
        }
    }
}

/// `{here}` in a launch command is the folder of this program, where cargo puts the server beside it.
pub(super) fn in_place(command: &str) -> String {
    let here =
        std::env::current_exe().ok().and_then(|path| path.parent().map(PathBuf::from)).unwrap_or_default();
    command.replace("{here}", &here.display().to_string())
}

pub(super) fn variants(text: &str) -> Result<Vec<Variant>, Refusal> {
    match text {
        "none" => Ok(vec![Variant::AsWritten]),
        "split" => Ok(vec![Variant::AsWritten, Variant::Split]),
        "all" => Ok(Variant::ALL.to_vec()),
        list => list.split(',').map(Variant::from_word).collect::<Option<_>>().ok_or_else(|| {
            Refusal::usage(format!(
                "--variants `{list}`: give none, split, all, or a list of as-written,bytes,split,merged"
            ))
        }),
    }
}

pub(super) fn selection(arguments: &RunArguments, only: Vec<IdPattern>) -> Result<Selection, Refusal> {
    let patterns = |texts: &[String]| -> Result<Vec<IdPattern>, Refusal> {
        texts.iter().map(|text| IdPattern::parse(text).map_err(Refusal::usage)).collect()
    };
    let mut skip = Vec::new();
    for text in &arguments.playing.skip {
        match text.strip_prefix('@') {
            None => skip.push(text.clone()),
            Some(file) => {
                let lines = std::fs::read_to_string(file)
                    .map_err(|error| Refusal::usage(format!("--skip @{file}: {error}")))?;
                let lines =
                    lines.lines().map(str::trim).filter(|line| !line.is_empty() && !line.starts_with('#'));
                skip.extend(lines.map(str::to_owned));
            }
        }
    }
    let level = match arguments.level.as_str() {
        "must" => Some(Level::Must),
        "should" => Some(Level::Should),
        _ => None,
    };
    Ok(Selection { only, skip: patterns(&skip)?, level })
}

async fn play(
    plan: Arc<Plan>,
    arguments: &RunArguments,
    reports: Reports,
) -> Result<(Exit, String), Refusal> {
    let began = Instant::now();
    let verbosity = match arguments.playing.verbose {
        0 => Verbosity::Usual,
        1 => Verbosity::More,
        _ => Verbosity::Everything,
    };
    let own = |error: &dyn std::fmt::Display| Refusal { exit: Exit::Own, message: error.to_string() };
    let mut interrupt = signal(SignalKind::interrupt()).map_err(|error| own(&error))?;
    let mut coming = tokio::select! {
        started = Arc::clone(&plan).start() => started.map_err(no_target)?,
        _ = interrupt.recv() => {
            return Err(Refusal { exit: Exit::Interrupted, message: "interrupted before the first case".to_owned() });
        }
    };
    let terminal = Terminal::new(plan.count(), verbosity);
    let mut results: Vec<CaseResult> = Vec::new();
    let mut interrupted = false;
    loop {
        tokio::select! {
            result = coming.next() => match result {
                Some(result) => {
                    terminal.result(&plan.cases[result.case], &result, &again(arguments, &plan, &result));
                    results.push(result);
                }
                None => break,
            },
            _ = interrupt.recv(), if !interrupted => {
                interrupted = true;
                coming.stop();
                terminal.line("interrupted: waiting for the cases that have begun; once more ends them too");
            }
        }
    }
    terminal.finish();
    results.sort_by_key(|result| (result.case, result.variant));
    anstream::println!("{}", summary(&plan.cases, &results, &plan.profile, began.elapsed()));
    if let Some(lost) = results.iter().find(|result| plan.is_lost_with(result)) {
        anstream::println!("{}", gone(&plan, lost, results.len()));
    }
    let exit = if interrupted { Exit::Interrupted } else { Exit::of(&results) };
    let took_ms = began.elapsed().as_millis();
    let rerun = |result: &CaseResult| again(arguments, &plan, result);
    let json = json::render(&plan.cases, &results, &plan.profile, exit.code(), took_ms, rerun)
        .map_err(|error| own(&error))?;
    if let Some(file) = reports.json {
        file.write(&json)?;
    }
    if let Some(file) = reports.junit {
        let text = junit::render(&plan.cases, &results, rerun);
        file.write(&text.map_err(|error| own(&error))?)?;
    }
    if let Some(html) = &arguments.html {
        let servers = crate::report::matrix::parse(&json).map_err(|error| own(&error))?;
        super::matrix::folder(html, &servers, None)?;
    }
    Ok((exit, json))
}

/// What to do when the server that the tool did not start is gone.
fn gone(plan: &Plan, lost: &CaseResult, played: usize) -> String {
    let id = &plan.cases[lost.case].header.id;
    format!(
        "{:>14} it {} in {id}, so {} of {} were not played: start it again and leave that one out with `--skip {id}`, or let the tool start it with --launch",
        "SERVER GONE",
        if lost.verdict == Verdict::Crash { "ended" } else { "hung" },
        plan.count() - played,
        plan.count()
    )
}

/// The files that were asked for. They are there before the first case is played: afterwards it is too late to say
/// that a folder does not exist.
struct Reports {
    json: Option<ReportFile>,
    junit: Option<ReportFile>,
}

impl Reports {
    fn open(arguments: &RunArguments) -> Result<Self, Refusal> {
        let open = |path: &Option<String>| path.as_deref().map(ReportFile::create).transpose();
        Ok(Self { json: open(&arguments.playing.json)?, junit: open(&arguments.playing.junit)? })
    }
}

struct ReportFile {
    path: String,
    file: std::fs::File,
}

impl ReportFile {
    fn create(path: &str) -> Result<Self, Refusal> {
        let file = std::fs::File::create(path).map_err(|error| Refusal::usage(format!("{path}: {error}")))?;
        Ok(Self { path: path.to_owned(), file })
    }

    fn write(mut self, text: &str) -> Result<(), Refusal> {
        self.file
            .write_all(text.as_bytes())
            .map_err(|error| Refusal::usage(format!("{}: {error}", self.path)))
    }
}

/// The command that plays one case again.
fn again(arguments: &RunArguments, plan: &Plan, result: &CaseResult) -> String {
    let case = &plan.cases[result.case];
    let name = if arguments.playing.globs.contains(&case.path) { &case.path } else { &case.header.id };
    if matches!(plan.target, Target::Program(_)) {
        return again_with_client(arguments, result, name);
    }
    let mut command = format!("gearman-conformance run {name}");
    match (&arguments.server.target, &arguments.server.launch, &arguments.server.peer) {
        (Some(address), ..) => command += &format!(" --target {address}"),
        (None, Some(launch), _) => command += &format!(" --launch '{launch}'"),
        (None, None, peer) => command += &format!(" --peer {}", peer.as_deref().unwrap_or_default()),
    }
    if arguments.server.peer.is_none() {
        command += &format!(" --profile {}", arguments.server.profile);
    }
    if arguments.fresh {
        command += " --fresh";
    }
    if result.variant != Variant::AsWritten {
        command += &format!(" --variants {}", result.variant);
    }
    command + " -vv"
}

/// The command that plays one case for a client again.
fn again_with_client(arguments: &RunArguments, result: &CaseResult, name: &str) -> String {
    let mut command = format!("gearman-conformance clients {name}");
    match (&arguments.server.launch, &arguments.server.peer) {
        (None, Some(client)) => command += &format!(" --client {client}"),
        (launch, _) => {
            let launch = launch.as_deref().unwrap_or_default();
            command += &format!(" --launch-client '{launch}' --profile {}", arguments.server.profile);
        }
    }
    if result.variant != Variant::AsWritten {
        command += &format!(" --variants {}", result.variant);
    }
    command + " -vv"
}
