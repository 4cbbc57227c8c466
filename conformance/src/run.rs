//! Many cases against one implementation, with workers of its own servers.

mod pool;
mod program;
mod round;

use std::collections::VecDeque;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use tokio::sync::mpsc::{UnboundedReceiver, UnboundedSender, unbounded_channel};
use tokio::task::JoinSet;

pub use pool::Insane;
use pool::Pool;
pub use round::Round;

use crate::language::{Transcript, Variant};
use crate::launch::Launch;
use crate::play::Program;
use crate::profile::Profile;
use crate::verdict::{Skip, Verdict, together};

/// Where the server is.
#[derive(Debug, Clone)]
pub enum Target {
    /// It runs already, at `HOST:PORT`, and is shared with others.
    Attached(String),
    /// The tool starts one for each worker.
    Launched(Launch),
    /// There is none: the transcripts play the server for this program.
    Program(Program),
}

/// What to play, against what, and how.
#[derive(Debug, Clone)]
pub struct Plan {
    /// The cases.
    pub cases: Vec<Transcript>,
    /// The case that tells whether a server is sane.
    pub sanity: Transcript,
    /// What is known about the server.
    pub profile: Profile,
    /// Where it is.
    pub target: Target,
    /// The ways of writing to play each case in.
    pub variants: Vec<Variant>,
    /// How often to play each case.
    pub repeat: u32,
    /// How many cases to play at a time.
    pub jobs: usize,
    /// By how much to stretch every wait.
    pub time_scale: f64,
    /// Whether each playing gets a server of its own, if the tool starts them.
    pub fresh: bool,
    /// Whether destructive cases may be played against a server that the tool did not start.
    pub allow_destructive: bool,
    /// Whether to stop after the first case that is not met.
    pub fail_fast: bool,
}

/// One case in one variant, played as often as asked.
#[derive(Debug)]
pub struct CaseResult {
    /// Its place in the plan's cases.
    pub case: usize,
    /// How messages were cut into writes.
    pub variant: Variant,
    /// How it came out.
    pub verdict: Verdict,
    /// Why, where that is not plain.
    pub why: Option<String>,
    /// Every round.
    pub rounds: Vec<Round>,
    /// How long all rounds took.
    pub took: Duration,
}

impl CaseResult {
    /// The round that shows best why the verdict is what it is: the first that is not met, or the first.
    #[must_use]
    pub fn telling_round(&self) -> Option<&Round> {
        self.rounds.iter().find(|round| !round.verdict.is_met()).or_else(|| self.rounds.first())
    }
}

impl Plan {
    /// The cases and variants that will be played or skipped.
    #[must_use]
    pub fn count(&self) -> usize {
        self.units().len()
    }

    /// Starts playing; results come in the order in which they are ready, and the last ends the channel.
    ///
    /// # Errors
    ///
    /// The target cannot be reached or is not sane.
    pub async fn start(self: Arc<Self>) -> Result<Results, Insane> {
        let pool = Arc::new(Pool::new(Arc::clone(&self)));
        if !matches!(self.target, Target::Program(_)) {
            // A target that is not sane from the beginning is not worth a run.
            let server = pool.acquire(&std::collections::BTreeMap::new()).await?;
            pool.release(server, None);
        }
        let (sender, receiver) = unbounded_channel();
        let units = self.units();
        let stopped = Arc::new(AtomicBool::new(false));
        let is_alone = |unit: &Unit| match self.target {
            // On a server of its own, every case is alone.
            Target::Launched(_) | Target::Program(_) => false,
            Target::Attached(_) => self.cases[unit.case].header.exclusive,
        };
        let (alone, shared): (VecDeque<Unit>, VecDeque<Unit>) = units.into_iter().partition(is_alone);
        let work = Work { plan: self, pool, sender, stopped: Arc::clone(&stopped) };
        tokio::spawn(async move {
            work.play_all(shared, work.plan.jobs).await;
            work.play_all(alone, 1).await;
        });
        Ok(Results { receiver, stopped })
    }

    /// Long cases first, so that none of them is the last to end.
    fn units(&self) -> Vec<Unit> {
        let mut units: Vec<Unit> = (0..self.cases.len())
            .flat_map(|case| {
                self.variants_of(&self.cases[case]).into_iter().map(move |variant| Unit { case, variant })
            })
            .collect();
        units.sort_by_key(|unit| !is_timed(&self.cases[unit.case]));
        units
    }

    /// The variants that a case is played in: those asked for and allowed, the timed ones as written only.
    fn variants_of(&self, case: &Transcript) -> Vec<Variant> {
        let allowed = |variant: &Variant| {
            let asked = case.header.variants.as_ref().is_none_or(|list| list.contains(variant));
            asked && (*variant == Variant::AsWritten || !is_timed(case))
        };
        let variants: Vec<Variant> = self.variants.iter().copied().filter(allowed).collect();
        if variants.is_empty() { vec![Variant::AsWritten] } else { variants }
    }

    /// Whether a case is played at all.
    #[must_use]
    pub fn plays(&self, case: &Transcript) -> bool {
        self.skipped(case).is_none()
    }

    /// Whether no further case is begun after this result.
    fn ends_with(&self, result: &CaseResult) -> bool {
        (self.fail_fast && !result.verdict.is_met()) || self.is_lost_with(result)
    }

    /// Whether the server is gone with this result: nobody starts it again, and the other cases would fail for nothing.
    #[must_use]
    pub fn is_lost_with(&self, result: &CaseResult) -> bool {
        matches!(self.target, Target::Attached(_)) && matches!(result.verdict, Verdict::Crash | Verdict::Hang)
    }

    /// Why a case is not played, if it is not.
    fn skipped(&self, case: &Transcript) -> Option<(Skip, String)> {
        let header = &case.header;
        if let Some(reason) = self.profile.excluded.get(&header.id) {
            return Some((Skip::Excluded, reason.to_string()));
        }
        let attached = matches!(self.target, Target::Attached(_));
        if attached && header.needs.iter().any(|need| need == "control") {
            return Some((Skip::Control, "the tool must have launched the server".to_owned()));
        }
        if attached && !header.settings.is_empty() {
            return Some((Skip::Control, "the server must be launched with other settings".to_owned()));
        }
        if attached && header.destructive && !self.allow_destructive {
            return Some((Skip::Excluded, "destructive: give --allow-destructive".to_owned()));
        }
        let has = |need: &&String| *need == "control" || self.profile.features.contains(*need);
        if let Some(missing) = header.needs.iter().find(|need| !has(need)) {
            return Some((Skip::Feature, format!("the profile does not list `{missing}`")));
        }
        if !Launch::can_set(&self.profile, &header.settings) {
            let names: Vec<&str> = header.settings.keys().map(String::as_str).collect();
            return Some((
                Skip::Feature,
                format!("the profile does not say how to set {}", names.join(", ")),
            ));
        }
        None
    }
}

fn is_timed(case: &Transcript) -> bool {
    case.header.tags.iter().any(|tag| tag == "time")
}

/// The results of a run as they come.
#[derive(Debug)]
pub struct Results {
    receiver: UnboundedReceiver<CaseResult>,
    stopped: Arc<AtomicBool>,
}

impl Results {
    /// The next result; `None` when all are there.
    pub async fn next(&mut self) -> Option<CaseResult> {
        self.receiver.recv().await
    }

    /// Begins no further case.
    pub fn stop(&self) {
        self.stopped.store(true, Ordering::Relaxed);
    }
}

#[derive(Debug, Clone, Copy)]
struct Unit {
    case: usize,
    variant: Variant,
}

/// What the workers share.
#[derive(Clone)]
struct Work {
    plan: Arc<Plan>,
    pool: Arc<Pool>,
    sender: UnboundedSender<CaseResult>,
    stopped: Arc<AtomicBool>,
}

impl Work {
    async fn play_all(&self, units: VecDeque<Unit>, jobs: usize) {
        let queue = Arc::new(Mutex::new(units));
        let mut workers = JoinSet::new();
        for _ in 0..jobs.max(1) {
            let (work, queue) = (self.clone(), Arc::clone(&queue));
            workers.spawn(async move {
                while let Some(unit) = work.next(&queue) {
                    let result = work.play(unit).await;
                    if work.plan.ends_with(&result) {
                        work.stopped.store(true, Ordering::Relaxed);
                    }
                    // Nobody listens any more only when the run is being given up.
                    let _ = work.sender.send(result);
                }
            });
        }
        while let Some(ended) = workers.join_next().await {
            if let Err(error) = ended
                && let Ok(panic) = error.try_into_panic()
            {
                std::panic::resume_unwind(panic);
            }
        }
    }

    fn next(&self, queue: &Mutex<VecDeque<Unit>>) -> Option<Unit> {
        if self.stopped.load(Ordering::Relaxed) {
            return None;
        }
        queue.lock().unwrap_or_else(PoisonError::into_inner).pop_front()
    }

    async fn play(&self, unit: Unit) -> CaseResult {
        let case = &self.plan.cases[unit.case];
        let mut result = CaseResult {
            case: unit.case,
            variant: unit.variant,
            verdict: Verdict::Pass,
            why: None,
            rounds: Vec::new(),
            took: Duration::ZERO,
        };
        if let Some((skip, why)) = self.plan.skipped(case) {
            return CaseResult { verdict: Verdict::Skip(skip), why: Some(why), ..result };
        }
        for _ in 0..self.plan.repeat.saturating_mul(case.header.runs) {
            let round = round::play(case, unit.variant, &self.pool).await;
            let fatal = matches!(round.verdict, Verdict::Crash | Verdict::Hang | Verdict::Unsound);
            result.took += round.played.as_ref().map_or(Duration::ZERO, |played| played.took);
            result.rounds.push(round);
            if fatal || self.stopped.load(Ordering::Relaxed) {
                break;
            }
        }
        let verdicts: Vec<Verdict> = result.rounds.iter().map(|round| round.verdict).collect();
        result.verdict = together(&verdicts, self.plan.profile.flaky.contains_key(&case.header.id));
        result.why = result.telling_round().and_then(|round| round.why.clone());
        result
    }
}
