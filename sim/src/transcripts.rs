//! Every conformance transcript under turmoil: in calm weather, and while the network cuts, joins and delays.
//!
//! The player is the one of `cargo conformance`, and so are the profile and the verdict; only the network and the
//! clocks are simulated.
//! Each playing has a server, and a simulation, of its own.

use crate::faults::FaultClass;
use crate::isolated;
use crate::network::rehearsal::Rehearsal;
use crate::network::{Carried, Pace, SERVER_ADDRESS, SimNetwork, now};
use gearman_conformance::language::{Transcript, Variant};
use gearman_conformance::launch::Launch;
use gearman_conformance::play::{Carrier, Dialling, Played, Stage, World, play};
use gearman_conformance::profile::Profile;
use gearman_conformance::run::{Plan, Target};
use gearman_conformance::suite::{SANITY, Suite};
use gearman_conformance::verdict::judge;
use gearman_engine::{Config, Engine};
use gearman_net::{Clock, Network};
use gearman_protocol::{Time, UnixMillis};
use std::collections::{BTreeMap, BTreeSet};
use std::fmt;
use std::io;
use std::sync::{Arc, Mutex};
use std::thread;

/// What the wall clock says in the beginning, in milliseconds: 2030-01-01.
const EPOCH: i64 = 1_893_456_000_000;
/// After how many steps a playing has come to nothing: three hours and more.
const STEPS: usize = 1_200_000;
/// Cases that play at a time.
const THREADS: usize = 2;

/// How the network behaves.
#[derive(Clone, Copy, Debug)]
struct Weather {
    /// So many of a thousand reads and writes are hit.
    rates: &'static [(FaultClass, u32)],
    pace: Option<Pace>,
    /// By how much the transcript's waits are stretched.
    time_scale: f64,
    /// The cases that cannot be met in it, each with the reason.
    unmet: &'static [(&'static str, &'static str)],
}

const CALM: Weather = Weather { rates: &[], pace: None, time_scale: 1.0, unmet: &[] };

const PIECES: Weather = Weather {
    rates: &[
        (FaultClass::ShortRead, 300),
        (FaultClass::SplitWrite, 300),
        (FaultClass::MergeWrite, 300),
        (FaultClass::Delay, 300),
    ],
    pace: None,
    time_scale: 1.0,
    unmet: &[("echo/large", "its five megabytes take longer than its three seconds")],
};

const DRIBBLE: Weather = Weather {
    rates: &[],
    pace: Some(Pace { bytes: 100, every: 1, window: usize::MAX, left: 0, wait: 1 }),
    time_scale: 4.0,
    unmet: &[
        ("echo/large", A_MEGABYTE),
        ("results/large", A_MEGABYTE),
        ("submit/large-workload", A_MEGABYTE),
        ("timeouts/not-before-a-second", "it is about a second, and its waits are stretched"),
    ],
};

const A_MEGABYTE: &str = "ten kilobytes a second bring no megabyte before somebody gives up";

/// The clocks of both ends.
#[derive(Clone, Copy)]
struct Clocks;

impl Clock for Clocks {
    fn now(&self) -> Time {
        now()
    }

    fn wall(&self) -> UnixMillis {
        UnixMillis::new(EPOCH.saturating_add_unsigned(now().as_millis()))
    }
}

/// The simulated network, to which a transcript connects.
struct Simulated {
    network: SimNetwork,
    pace: Option<Pace>,
}

impl fmt::Debug for Simulated {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Simulated")
    }
}

impl World for Simulated {
    fn dial(&self) -> Dialling<'_> {
        Box::pin(async {
            let stream = self.network.connect(SERVER_ADDRESS).await?;
            Ok(Box::new(Carried::new(stream, self.pace)) as Box<dyn Carrier>)
        })
    }

    fn wall(&self) -> UnixMillis {
        Clocks.wall()
    }
}

/// The cases that our profile plays, and what it knows.
fn plan() -> Plan {
    let suite = Suite::embedded().unwrap();
    Plan {
        cases: suite.cases().cloned().collect(),
        sanity: suite.case(SANITY).unwrap().clone(),
        profile: Profile::load("gearwright").unwrap(),
        target: Target::Launched(Launch::new("{port}".to_owned()).unwrap()),
        variants: Vec::new(),
        repeat: 1,
        jobs: 1,
        time_scale: 1.0,
        fresh: true,
        allow_destructive: true,
        fail_fast: false,
    }
}

/// The engine that `gearmand` would make of a case's settings, by the flags that the profile has for them.
fn engine(settings: &BTreeMap<String, String>) -> Config {
    let mut config = Config { handle_prefix: "H:sim".to_owned(), pid: 1, ..Config::default() };
    for (name, value) in settings {
        match name.as_str() {
            "exceptions" => config.exceptions = true,
            "handle-prefix" => config.handle_prefix.clone_from(value),
            "retries" => config.job_retries = Some(value.parse().unwrap()),
            "wakeup" => config.worker_wakeup = Some(value.parse().unwrap()),
            other => panic!("a case sets {other:?}, which is to be set here too"),
        }
    }
    config
}

/// A server that never ends.
async fn serve(network: SimNetwork, config: Config) -> io::Result<()> {
    let place = gearman_server::Config::at("0.0.0.0:4730");
    let server = gearman_server::serve(&network, Clocks, Engine::new(config, 7), place).await?;
    server.finished().await;
    std::future::pending().await
}

/// One case, played to its end.
fn played(case: &Arc<Transcript>, profile: &Arc<Profile>, weather: Weather) -> Result<Played, String> {
    let result = Arc::new(Mutex::new(None));
    let config = engine(&case.header.settings);
    let (case, profile, into) = (Arc::clone(case), Arc::clone(profile), Arc::clone(&result));
    let mut rehearsal = Rehearsal::new(
        (weather.rates, 1 << 16),
        Box::new(|_| {}),
        move |network| serve(network, config.clone()),
        move |network| {
            let (case, profile, into) = (Arc::clone(&case), Arc::clone(&profile), Arc::clone(&into));
            async move {
                let world = Simulated { network, pace: weather.pace };
                let stage = Stage {
                    address: SERVER_ADDRESS.to_owned(),
                    world: Some(&world),
                    profile: &profile,
                    variant: Variant::AsWritten,
                    time_scale: weather.time_scale,
                    server: None,
                    program: None,
                };
                let played = play(&case, stage).await;
                *into.lock().unwrap() = Some(played);
                Ok(())
            }
        },
    );
    for _ in 0..STEPS {
        if let Some(played) = result.lock().unwrap().take() {
            return Ok(played);
        }
        rehearsal.step(1);
    }
    Err("it does not come to its end".to_owned())
}

/// What is wrong with a case in this weather, if anything is.
fn wrong(case: &Arc<Transcript>, profile: &Arc<Profile>, weather: Weather) -> Option<String> {
    let result = isolated::run(7, || played(case, profile, weather)).result;
    let played = match result {
        Ok(Ok(played)) => played,
        Ok(Err(stuck)) => return Some(stuck),
        Err(panic) => return Some(format!("a panic: {}", panic.message)),
    };
    let (verdict, _) = judge(&played, &case.header.id, profile);
    let failed = || {
        let outcomes: Vec<&str> = played.outcomes.iter().map(|outcome| outcome.name.as_str()).collect();
        let failure = played.failure.as_ref();
        let told = failure.map(|failure| {
            format!("line {}, {}: {} {:?}", failure.line, failure.statement, failure.summary, failure.rows)
        });
        format!("{verdict} {outcomes:?} {}", told.unwrap_or_default())
    };
    (!verdict.is_met()).then(failed)
}

/// How many cases cannot be played here, whatever the weather.
const LEFT_OUT: usize = 11;

/// Why a case cannot be played here, if it cannot.
fn elsewhere(case: &Transcript, weather: Weather) -> Option<&'static str> {
    if case.header.needs.iter().any(|need| need == "control") {
        return Some("it stops, kills or starts the server's process, or is about how that ends");
    }
    let is_endless = weather.pace.is_some() && case.header.id == "hostile/slow-reader";
    is_endless.then_some("at ten kilobytes a second it takes hours until the server holds too much")
}

/// Plays all cases; those that are not met must be the ones that cannot be.
fn play_all(weather: Weather) {
    let plan = plan();
    let profile = Arc::new(plan.profile.clone());
    let cases = plan.cases.iter().filter(|case| plan.plays(case) && elsewhere(case, weather).is_none());
    let cases: Vec<Arc<Transcript>> = cases.cloned().map(Arc::new).collect();
    let left_out = plan.cases.iter().filter(|case| plan.plays(case)).count() - cases.len();
    assert_eq!(left_out, LEFT_OUT + usize::from(weather.pace.is_some()), "of {} cases", cases.len());
    let failed: Mutex<BTreeMap<String, String>> = Mutex::default();
    thread::scope(|scope| {
        for part in 0..THREADS {
            let (cases, profile, failed) = (&cases, &profile, &failed);
            scope.spawn(move || {
                for case in cases.iter().skip(part).step_by(THREADS) {
                    if let Some(why) = wrong(case, profile, weather) {
                        failed.lock().unwrap().insert(case.header.id.clone(), why);
                    }
                }
            });
        }
    });
    let failed = failed.into_inner().unwrap();
    let ids: BTreeSet<&str> = failed.keys().map(String::as_str).collect();
    let known: BTreeSet<&str> = weather.unmet.iter().map(|(id, _)| *id).collect();
    assert!(
        ids == known,
        "of {} cases these are not met:\n{failed:#?}\nand these cannot be:\n{:#?}",
        cases.len(),
        weather.unmet
    );
}

#[test]
fn transcripts_are_met_under_turmoil() {
    play_all(CALM);
}

#[test]
fn transcripts_are_met_when_bytes_are_cut_joined_and_late() {
    play_all(PIECES);
}

#[test]
fn transcripts_are_met_when_bytes_dribble() {
    play_all(DRIBBLE);
}
