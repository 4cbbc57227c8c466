//! `can-fail`.

use std::collections::{BTreeMap, BTreeSet};
use std::fmt::Write as _;
use std::sync::Arc;

use tokio::sync::Semaphore;
use tokio::task::JoinSet;

use super::{CanFailArguments, Refusal, play, signals};
use crate::breakage::{self, Breakage};
use crate::language::{Transcript, Variant};
use crate::launch::Launch;
use crate::profile::Profile;
use crate::report::Exit;
use crate::run::{Plan, Target};
use crate::statements;
use crate::suite::Suite;
use crate::verdict::Verdict;

/// How many breakages are played at a time: almost all of it is waiting for what does not come.
const AT_A_TIME: usize = 8;

/// How many servers each of them has.
const JOBS: usize = 4;

/// How often a breakage is played until all that it breaks has been seen: how the system cuts what is written into
/// reads is chance, and some breakages show in certain cuts only.
const ATTEMPTS: usize = 3;

/// The command that makes the table.
const COMMAND: &str = "cargo conformance can-fail --markdown conformance/can-fail.md";

/// The case that says nothing about a server but that it takes connections: a broken one need not be sane.
const ALIVE: &str = "gtx 1\nid: sanity/alive\ntitle: it takes connections\nspec: connection-any-role\nlevel: info\n---\nopen a\nclose a\n";

/// By breakage, the cases that came out otherwise than through the proxy alone.
type Seen = BTreeMap<&'static str, BTreeMap<String, Verdict>>;

/// Breaks statement by statement, and tells which cases see it.
pub(super) fn can_fail(arguments: &CanFailArguments) -> Result<Exit, Refusal> {
    let suite = Suite::embedded().map_err(Refusal::usage)?;
    let breakages = chosen(&arguments.names)?;
    let peers: Vec<Profile> = arguments
        .peers
        .iter()
        .map(|name| Profile::load(name).map_err(Refusal::usage))
        .collect::<Result<_, _>>()?;
    let field = Arc::new(Field::new(suite, peers)?);
    let table = signals::until_told(table(&field, &breakages))?;
    let all = arguments.names.is_empty();
    let missing = table.report(&breakages, all)?;
    if let Some(file) = &arguments.markdown {
        std::fs::write(file, table.markdown(&breakages)?)
            .map_err(|error| Refusal::usage(format!("{file}: {error}")))?;
    }
    Ok(if missing == 0 { Exit::Met } else { Exit::NotMet })
}

fn chosen(names: &[String]) -> Result<Vec<Breakage>, Refusal> {
    let mut all = breakage::all();
    for name in names {
        if !all.iter().any(|breakage| breakage.name == name) {
            return Err(Refusal::usage(format!("no breakage is called `{name}`")));
        }
    }
    all.retain(|breakage| names.is_empty() || names.iter().any(|name| name == breakage.name));
    Ok(all)
}

/// Where cases are played: each against the first peer that can play it.
struct Field {
    suite: Suite,
    peers: Vec<Profile>,
    /// The peer of each case.
    home: BTreeMap<String, usize>,
}

impl Field {
    fn new(suite: Suite, peers: Vec<Profile>) -> Result<Self, Refusal> {
        let mut field = Self { suite, peers, home: BTreeMap::new() };
        for at in (0..field.peers.len()).rev() {
            let plan = field.plan(at, Vec::new(), Breakage::none())?;
            let here = field.suite.cases().filter(|case| plan.plays(case));
            field.home.extend(here.map(|case| (case.header.id.clone(), at)));
        }
        Ok(field)
    }

    fn plan(&self, peer: usize, cases: Vec<Transcript>, breakage: Breakage) -> Result<Plan, Refusal> {
        let profile = self.peers[peer].clone();
        let command = profile.launch.as_deref().ok_or_else(|| {
            Refusal::usage(format!("the profile {} does not say how its server is launched", profile.name))
        })?;
        let launch = Launch::new(play::in_place(command)).map_err(Refusal::usage)?.broken(breakage);
        Ok(Plan {
            cases,
            sanity: Transcript::parse("alive", ALIVE).map_err(Refusal::usage)?,
            target: Target::Launched(launch),
            fresh: profile.fresh,
            variants: vec![Variant::AsWritten],
            repeat: 1,
            jobs: JOBS,
            time_scale: 1.0,
            allow_destructive: true,
            fail_fast: false,
            profile,
        })
    }

    /// Plays the cases of these ids, and gives their verdicts.
    async fn play(
        &self,
        ids: &BTreeSet<String>,
        breakage: Breakage,
    ) -> Result<BTreeMap<String, Verdict>, Refusal> {
        let mut verdicts = BTreeMap::new();
        for peer in 0..self.peers.len() {
            let is_here = |id: &&String| self.home.get(*id) == Some(&peer);
            let cases: Vec<Transcript> =
                ids.iter().filter(is_here).filter_map(|id| self.suite.case(id)).cloned().collect();
            if cases.is_empty() {
                continue;
            }
            let plan = Arc::new(self.plan(peer, cases, breakage)?);
            let Ok(mut results) = Arc::clone(&plan).start().await else {
                // A server that does not even start fails every case.
                verdicts.extend(plan.cases.iter().map(|case| (case.header.id.clone(), Verdict::Unsound)));
                continue;
            };
            while let Some(result) = results.next().await {
                verdicts.insert(plan.cases[result.case].header.id.clone(), result.verdict);
            }
        }
        Ok(verdicts)
    }

    /// Whether one of these cases cites a statement.
    fn shows(&self, seen: &BTreeMap<String, Verdict>, id: &str) -> bool {
        let mut cases = seen.keys().filter_map(|case| self.suite.case(case));
        cases.any(|case| case.header.spec.iter().any(|cited| cited == id))
    }

    /// The cases that cite a statement that it breaks.
    fn citing(&self, breakage: &Breakage) -> BTreeSet<String> {
        let cites =
            |case: &&Transcript| case.header.spec.iter().any(|id| breakage.breaks.contains(&id.as_str()));
        let cases = self.suite.cases().filter(cites).map(|case| case.header.id.clone());
        cases.filter(|id| self.home.contains_key(id)).collect()
    }
}

/// Plays everything through the proxy alone, then every breakage.
async fn table(field: &Arc<Field>, breakages: &[Breakage]) -> Result<Table, Refusal> {
    let all: BTreeSet<String> = field.home.keys().cloned().collect();
    let sound = Arc::new(field.play(&all, Breakage::none()).await?);
    let limit = Arc::new(Semaphore::new(AT_A_TIME));
    let mut playing = JoinSet::new();
    for breakage in breakages.iter().copied() {
        let (field, sound, limit) = (Arc::clone(field), Arc::clone(&sound), Arc::clone(&limit));
        playing.spawn(async move {
            let _permit = limit.acquire().await;
            let mut seen: BTreeMap<String, Verdict> = BTreeMap::new();
            for _ in 0..ATTEMPTS {
                let verdicts = field.play(&field.citing(&breakage), breakage).await?;
                seen.extend(verdicts.into_iter().filter(|(id, verdict)| sound.get(id) != Some(verdict)));
                if breakage.breaks.iter().all(|id| field.shows(&seen, id)) {
                    break;
                }
            }
            Ok::<_, Refusal>((breakage.name, seen))
        });
    }
    let mut seen: Seen = BTreeMap::new();
    while let Some(played) = playing.join_next().await {
        let (name, cases) = match played {
            Ok(played) => played?,
            Err(error) => return Err(Refusal { exit: Exit::Own, message: error.to_string() }),
        };
        let see = if cases.len() == 1 { "case sees" } else { "cases see" };
        anstream::println!("{:>14} {name}: {} {see} it", "Broken", cases.len());
        seen.insert(name, cases);
    }
    let names = field.peers.iter().map(|peer| peer.name.clone()).collect();
    Ok(Table { field: Arc::clone(field), names, sound: (*sound).clone(), seen })
}

/// Who saw what.
struct Table {
    field: Arc<Field>,
    names: Vec<String>,
    /// Through the proxy alone.
    sound: BTreeMap<String, Verdict>,
    seen: Seen,
}

impl Table {
    /// The breakages of a statement that a case citing it saw, with those cases.
    fn of<'t>(&'t self, id: &str, breakages: &'t [Breakage]) -> Vec<(&'t Breakage, Vec<&'t str>)> {
        let breaks = breakages.iter().filter(|breakage| breakage.breaks.contains(&id));
        let with_cases = breaks.map(|breakage| {
            let cites = |case: &&String| {
                self.field
                    .suite
                    .case(case)
                    .is_some_and(|case| case.header.spec.iter().any(|cited| cited == id))
            };
            let cases = self.seen.get(breakage.name).into_iter().flat_map(BTreeMap::keys);
            (breakage, cases.filter(cites).map(String::as_str).collect::<Vec<_>>())
        });
        with_cases.filter(|(_, cases)| !cases.is_empty()).collect()
    }

    /// Whether the server that a case is played against fails it without being broken.
    fn fails_anyway(&self, id: &str) -> bool {
        self.sound.get(id) == Some(&Verdict::ExpectedFail)
    }

    /// The statements that some case cites and no breakage shows, and the cases that saw none.
    fn gaps(&self, breakages: &[Breakage]) -> Result<(Vec<&'static str>, Vec<&str>), Refusal> {
        let statements = statements::embedded().map_err(Refusal::usage)?;
        let cited: BTreeSet<&str> =
            self.field.suite.cases().flat_map(|case| case.header.spec.iter().map(String::as_str)).collect();
        let unseen = statements.iter().map(|statement| statement.id).filter(|id| {
            let anyway = self.field.suite.cases().any(|case| {
                case.header.spec.iter().any(|cited| cited == id) && self.fails_anyway(&case.header.id)
            });
            cited.contains(id) && self.of(id, breakages).is_empty() && !anyway
        });
        let saw: BTreeSet<&str> =
            self.seen.values().flat_map(|cases| cases.keys().map(String::as_str)).collect();
        let blind = self.field.suite.cases().map(|case| case.header.id.as_str());
        let blind = blind.filter(|id| !saw.contains(id) && !self.fails_anyway(id));
        Ok((unseen.collect(), blind.collect()))
    }

    /// Tells what is missing; returns how much.
    fn report(&self, breakages: &[Breakage], all: bool) -> Result<usize, Refusal> {
        let mut missing = 0;
        let mut tell = |what: &str| {
            missing += 1;
            anstream::println!("{:>14} {what}", "NOT SEEN");
        };
        for (id, verdict) in self.sound.iter().filter(|(_, verdict)| !verdict.is_met()) {
            tell(&format!("{id} is {verdict} through the proxy alone"));
        }
        for breakage in breakages {
            for id in breakage
                .breaks
                .iter()
                .filter(|id| !self.of(id, breakages).iter().any(|(by, _)| by.name == breakage.name))
            {
                tell(&format!("{} breaks {id}, and no case that cites it sees that", breakage.name));
            }
        }
        let (unseen, blind) = self.gaps(breakages)?;
        if all {
            unseen.iter().for_each(|id| tell(&format!("{id}: no breakage of it is seen")));
            blind.iter().for_each(|id| tell(&format!("{id}: the case has never failed")));
        }
        anstream::println!("{}", self.totals(breakages)?);
        Ok(missing)
    }

    fn totals(&self, breakages: &[Breakage]) -> Result<String, Refusal> {
        let (unseen, blind) = self.gaps(breakages)?;
        let cited: BTreeSet<&String> = self.field.suite.cases().flat_map(|case| &case.header.spec).collect();
        let cases = self.field.suite.cases().count();
        Ok(format!(
            "{} breakages; statements whose breaking is seen: {} of the {} that are exercised; cases that have failed: {} of {cases}",
            breakages.len(),
            cited.len() - unseen.len(),
            cited.len(),
            cases - blind.len(),
        ))
    }

    fn markdown(&self, breakages: &[Breakage]) -> Result<String, Refusal> {
        let mut page = format!(
            "# Every case can fail\n\nMade by `{COMMAND}`: do not edit.\n\n\
             A sound server stands behind a proxy that breaks one thing on purpose, and the cases that cite what it breaks are played.\n\
             A row is a statement of [spec.md](spec.md), what the server did to it, and the cases that came out otherwise than through the proxy alone.\n\
             {}.\n\n| statement | broken so | seen by |\n|---|---|---|\n",
            self.totals(breakages)?
        );
        for statement in statements::embedded().map_err(Refusal::usage)? {
            let mut rows = self.of(statement.id, breakages);
            rows.truncate(2);
            for (breakage, cases) in &rows {
                let _ = writeln!(
                    page,
                    "| `{}` | {} (`{}`) | {} |",
                    statement.id,
                    breakage.sentence,
                    breakage.name,
                    some(cases)
                );
            }
            let anyway: Vec<&str> = self
                .field
                .suite
                .cases()
                .filter(|case| case.header.spec.iter().any(|cited| cited == statement.id))
                .map(|case| case.header.id.as_str())
                .filter(|id| rows.is_empty() && self.fails_anyway(id))
                .collect();
            if !anyway.is_empty() {
                let by = self.names.last().map_or("", String::as_str);
                let _ = writeln!(
                    page,
                    "| `{}` | {by} breaks it without our help. | {} |",
                    statement.id,
                    some(&anyway)
                );
            }
        }
        let (unseen, blind) = self.gaps(breakages)?;
        let none = |list: &[&str]| if list.is_empty() { "none".to_owned() } else { list.join(", ") };
        let _ = write!(
            page,
            "\nExercised statements without a row: {}.\nCases that have not failed here: {}.\n",
            none(&unseen),
            none(&blind)
        );
        Ok(page)
    }
}

/// The first few, and how many more there are.
fn some(cases: &[&str]) -> String {
    let shown = cases.iter().take(3).copied().collect::<Vec<_>>().join(", ");
    if cases.len() > 3 { format!("{shown} and {} more", cases.len() - 3) } else { shown }
}
