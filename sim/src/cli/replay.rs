//! One seed or one plan again.

use super::{Choice, Exit, ReplayArgs, complain, interrupt, run};
use crate::plan::{Plan, PlanError, Sketch};
use crate::screen::Screen;
use crate::stage::Watcher;
use crate::trial::hold;
use std::fs;
use std::path::Path;

pub(super) fn replay(args: &ReplayArgs) -> Exit {
    if let Err(misfit) = args.choice.fits(false) {
        complain(&misfit);
        return Exit::Usage;
    }
    let stage = args.choice.stage;
    if !stage.is_deterministic() {
        // Processes do not end by themselves when this one does.
        interrupt::at_once();
    }
    let plan = match plan(&args.what, &args.choice) {
        Ok(plan) => plan,
        Err(error) => {
            complain(&error.to_string());
            return Exit::Usage;
        }
    };
    if let Some(directory) = &args.out {
        match save(&plan, directory) {
            Ok(file) => say!("the plan is in {file}"),
            Err(error) => {
                complain(&error);
                return Exit::Usage;
            }
        }
    }
    say!("{}", Sketch(&plan));
    // Printed as it happens, so that a panic leaves what led to it.
    let watcher: Watcher = if args.trace { Box::new(|entry| say!("{entry}")) } else { Box::new(|_| {}) };
    let outcome = hold(&plan, &args.choice.conditions(), watcher);
    if let Some(run) = &outcome.run {
        if args.trace {
            say!("\nfaults");
            run.faults.iter().for_each(|one| say!("{one}"));
        }
        let (entries, lasted, digest) = (run.history.len(), run.lasted.as_millis(), run.history.digest());
        if stage.is_deterministic() {
            say!("\n{entries} entries in {lasted} ms of simulated time, digest {digest:016x}\n");
        } else {
            say!("\n{entries} entries in {lasted} ms\n");
        }
    }
    say!("{}", Screen { plan: &plan, outcome: &outcome, next: &next(args) });
    run::exit(&outcome)
}

/// A number is a seed; everything else is a file.
fn plan(what: &str, choice: &Choice) -> Result<Plan, PlanError> {
    match what.parse::<u64>() {
        Ok(seed) => Ok(Plan::draw(seed, &choice.mix())),
        Err(_) if choice.faults.is_some() => {
            Err(PlanError::new("--faults goes with a seed; a saved plan has its faults in it: edit it"))
        }
        Err(_) => Plan::load(Path::new(what)),
    }
}

fn save(plan: &Plan, directory: &Path) -> Result<String, String> {
    let file = directory.join(format!("seed-{}.json", plan.seed));
    let written = fs::create_dir_all(directory).and_then(|()| fs::write(&file, plan.to_json()));
    written.map(|()| file.display().to_string()).map_err(|error| format!("{}: {error}", file.display()))
}

fn next(args: &ReplayArgs) -> Vec<String> {
    if args.trace {
        return Vec::new();
    }
    let mut command = vec!["cargo sim replay".to_owned(), args.what.clone()];
    command.extend(args.choice.flags());
    command.push("--trace".to_owned());
    vec![command.join(" ")]
}
