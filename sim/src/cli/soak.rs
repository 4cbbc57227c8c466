//! Long times on one engine.

use super::run::bar;
use super::{Exit, SoakArgs, SoakCommand, interrupt};
use crate::soak::{Wrong, day, load};
use gearman_net::{Clock, MachineClock};
use gearman_protocol::Time;
use std::sync::atomic::Ordering;
use std::time::Duration;

pub(super) fn soak(args: &SoakArgs) -> Exit {
    let interrupted = interrupt::flag();
    let clock = MachineClock::new();
    let outcome = match args.command {
        SoakCommand::Load { workers, job_ms, rate, minutes } => {
            let job = Duration::from_millis(job_ms.into());
            let load = load::Load { workers, job, rate: rate.into(), lasts: of_minutes(minutes) };
            load::run(&load, &interrupted).map(|done| say_load(&done))
        }
        SoakCommand::Day { first_seed, minutes } => {
            let bar = bar(minutes.into(), "minutes");
            let progress = |at: Time| bar.set_position(at.as_millis() / 60_000);
            let outcome = day::run(first_seed, of_minutes(minutes), &interrupted, progress);
            bar.finish_and_clear();
            outcome.map(|done| say_day(&done))
        }
    };
    say!("in {:.1} s of real time", (clock.now() - Time::ZERO).as_secs_f64());
    match outcome {
        Err(Wrong { at, what }) => {
            say!("wrong after {}: {what}", hours(at));
            Exit::Wrong
        }
        Ok(()) if interrupted.load(Ordering::Relaxed) => interrupt::exit(),
        Ok(()) => Exit::Clean,
    }
}

fn say_load(done: &load::Done) {
    say!(
        "{} jobs, all done after {} of simulated time; {} events",
        done.jobs,
        hours(done.lasted),
        done.events
    );
    say!("at most {} jobs at a time, and {:.1} s for a client", done.most_jobs, done.longest.as_secs_f64());
    say!("held at the start and at the end: {:?}", done.vitals);
}

fn say_day(done: &day::Done) {
    say!("{} shifts in {} of simulated time; {} events", done.shifts, hours(done.lasted), done.events);
    say!(
        "{} jobs, {} ended before their peers left; {} decisions of rules",
        done.jobs,
        done.ended,
        done.armed
    );
    say!("nothing held at the start, nothing at the end");
}

fn of_minutes(minutes: u32) -> Duration {
    Duration::from_secs(u64::from(minutes) * 60)
}

fn hours(at: Time) -> String {
    let seconds = at.as_millis() / 1000;
    format!("{} h {} min {} s", seconds / 3600, seconds / 60 % 60, seconds % 60)
}
