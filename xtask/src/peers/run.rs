//! Scenarios run one after another for a language, each on a stage of its own.

use std::collections::BTreeSet;
use std::fmt;

use super::cast::{Cast, casts};
use super::language::Language;
use super::report::{Entry, Outcome};
use super::script::{Action, FILE, Kind, Scenario, Step};
use super::server::Server;
use super::stage::Stage;

/// How many actors a group has where one of them is killed, again and again: what that one leaves behind does not
/// depend on how many others there are, and a hundred interpreters take seconds to start.
const LARGEST_GROUP: usize = 10;

/// What stands before the name of a scenario in which actors are killed.
pub(super) const KILL: &str = "kill: ";

/// Runs all that is asked of one language against one server.
pub(super) struct Run<'a> {
    pub(super) language: &'a Language,
    pub(super) languages: &'a [Language],
    pub(super) server: Server,
    /// Which server it is, if what that does of its own is known.
    known_as: Option<&'a str>,
    /// How many stages there have been, so that each has functions of its own.
    stages: usize,
}

/// What went wrong in a scenario, and in which step.
struct Wrong<'a> {
    cast: Cast<'a>,
    scenario: &'a Scenario,
    step: Option<&'a Step>,
    what: String,
}

impl fmt::Display for Wrong<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}: {} ({})", self.cast.language.name, self.scenario.name, self.cast)?;
        match self.step {
            Some(step) => write!(f, ", {FILE}:{}: `{}`: {}", step.line, step.text, self.what)?,
            None => write!(f, ": {}", self.what)?,
        }
        write!(f, "\n    it should show that {}", self.scenario.promise)
    }
}

impl<'a> Run<'a> {
    pub(super) fn new(
        language: &'a Language,
        languages: &'a [Language],
        server: Server,
        known_as: Option<&'a str>,
    ) -> Self {
        Self { language, languages, server, known_as, stages: 0 }
    }

    /// Plays a scenario with every cast that it asks for.
    pub(super) fn scenario(&mut self, scenario: &'a Scenario) -> Entry {
        let outcome = self.applicable(scenario).map_or_else(Outcome::NotApplicable, |casts| {
            let sides = casts.first().map(Cast::sides);
            match casts.iter().try_for_each(|cast| self.play(*cast, scenario)) {
                Ok(()) => Outcome::Passed { sides, runs: casts.len() },
                Err(wrong) => Outcome::Failed(wrong.to_string()),
            }
        });
        Entry { language: self.language.name.clone(), scenario: scenario.name.clone(), outcome }
    }

    /// Kills each actor of a scenario before each of its steps, and looks whether the counts come back to zero.
    pub(super) fn sweep(&mut self, scenario: &'a Scenario) -> Entry {
        let outcome = self
            .applicable(scenario)
            .map_or_else(Outcome::NotApplicable, |casts| self.kills(&casts, scenario));
        let name = format!("{KILL}{}", scenario.name);
        Entry { language: self.language.name.clone(), scenario: name, outcome }
    }

    fn kills(&mut self, casts: &[Cast<'a>], scenario: &'a Scenario) -> Outcome {
        let Some(cast) = casts.first() else { return Outcome::NotApplicable("nobody plays".to_owned()) };
        let mut runs = 0;
        for after in 1..=scenario.steps.len() {
            for victim in alive(&scenario.steps[..after]) {
                runs += 1;
                if let Err(wrong) = self.kill(*cast, scenario, after, &victim) {
                    return Outcome::Failed(wrong.to_string());
                }
            }
        }
        Outcome::Passed { sides: Some(cast.sides()), runs }
    }

    fn kill(
        &mut self,
        cast: Cast<'a>,
        scenario: &'a Scenario,
        after: usize,
        victim: &str,
    ) -> Result<(), Wrong<'a>> {
        let steps = &scenario.steps[..after];
        let mut stage = self.stage(cast, LARGEST_GROUP);
        perform(&mut stage, cast, scenario, steps)?;
        stage.survive(victim, scenario).map_err(|what| Wrong {
            cast,
            scenario,
            step: steps.last(),
            what: format!("{victim} was killed after this step: {what}"),
        })
    }

    fn play(&mut self, cast: Cast<'a>, scenario: &'a Scenario) -> Result<(), Wrong<'a>> {
        let mut stage = self.stage(cast, usize::MAX);
        perform(&mut stage, cast, scenario, &scenario.steps)?;
        stage.leave(scenario).map_err(|what| Wrong { cast, scenario, step: None, what })
    }

    fn stage(&mut self, cast: Cast<'a>, largest_group: usize) -> Stage<'_> {
        self.stages += 1;
        let prefix = format!("peers-{}-{}-{}-", std::process::id(), self.language.name, self.stages);
        Stage::new(cast, &mut self.server, prefix, largest_group)
    }

    fn applicable(&self, scenario: &Scenario) -> Result<Vec<Cast<'a>>, String> {
        let restarts = scenario.steps.iter().any(|step| matches!(step.action, Action::Restart));
        if restarts && !self.server.is_ours() {
            return Err("the server is not ours to restart".to_owned());
        }
        if let Some(why) = self.known_as.and_then(|name| scenario.differs.get(name)) {
            return Err(why.clone());
        }
        casts(scenario, self.language, self.languages)
    }
}

fn perform<'a>(
    stage: &mut Stage<'_>,
    cast: Cast<'a>,
    scenario: &'a Scenario,
    steps: &'a [Step],
) -> Result<(), Wrong<'a>> {
    steps.iter().try_for_each(|step| {
        stage.perform(step).map_err(|what| Wrong { cast, scenario, step: Some(step), what })
    })
}

/// Who is alive after these steps; of those that were started together, the first.
fn alive(steps: &[Step]) -> BTreeSet<String> {
    let mut alive = BTreeSet::new();
    for step in steps {
        if let Action::Start { name, count, kind, .. } = &step.action
            && *kind != Kind::Tool
        {
            alive.insert(count.map_or_else(|| name.clone(), |_| format!("{name}1")));
        } else if let Action::Kill { who } = &step.action {
            alive.remove(who);
        }
    }
    alive
}
