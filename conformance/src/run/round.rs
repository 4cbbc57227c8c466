//! One playing of one case, with a look at the server's health behind it.

use super::pool::{Insane, Lent, Pool};
use super::{Target, program};
use crate::language::{Grade, Transcript, Variant};
use crate::launch::Server;
use crate::play::{FailureKind, Played, Stage, play as play_once};
use crate::verdict::{Verdict, judge};

/// One playing and what it means.
#[derive(Debug)]
pub struct Round {
    /// How it came out.
    pub verdict: Verdict,
    /// Why, where that is not plain.
    pub why: Option<String>,
    /// What it showed; `None` if there was no server to play against.
    pub played: Option<Played>,
    /// The last lines that a launched server wrote, if it ended or answers no more.
    pub log: Vec<String>,
}

/// Plays a case once on a server of its settings.
pub(super) async fn play(case: &Transcript, variant: Variant, pool: &Pool) -> Round {
    if let Target::Program(program) = &pool.plan.target {
        return program::play(case, variant, program, &pool.plan).await;
    }
    let mut lent = match pool.acquire(&case.header.settings).await {
        Ok(lent) => lent,
        Err(insane) => return without_server(&insane),
    };
    let stage = Stage {
        address: lent.address.clone(),
        world: None,
        profile: &pool.plan.profile,
        variant,
        time_scale: pool.plan.time_scale,
        server: lent.server.as_mut(),
        program: None,
    };
    let played = play_once(case, stage).await;
    let (verdict, why) = judge(&played, &case.header.id, &pool.plan.profile);
    let mut round = Round { verdict, why, played: None, log: Vec::new() };
    if let Some((verdict, why)) = ill(&played, &mut lent, pool).await {
        round.verdict = verdict;
        round.why = Some(why);
        round.log = lent.server.as_ref().map(Server::log).unwrap_or_default();
    } else {
        pool.release(lent, Some(case.header.id.clone()));
    }
    round.played = Some(played);
    round
}

fn without_server(insane: &Insane) -> Round {
    let verdict = match insane {
        Insane::Unreachable { .. } => Verdict::Crash,
        Insane::Silent { .. } => Verdict::Hang,
        Insane::Launch(_) | Insane::Wrong { .. } => Verdict::Unsound,
    };
    Round { verdict, why: Some(insane.to_string()), played: None, log: Vec::new() }
}

/// What the case has done to the server, if it is not well any more.
async fn ill(played: &Played, lent: &mut Lent, pool: &Pool) -> Option<(Verdict, String)> {
    // A case that ends or stops the server on purpose gets a server of its own, which is not used again.
    if lent.server.as_ref().is_some_and(Server::is_touched) {
        return None;
    }
    if let Some(why) = ended(played, lent) {
        return Some((Verdict::Crash, why));
    }
    let wrong = played.outcomes.iter().any(|outcome| outcome.grade == Grade::Wrong);
    // A process that ends closes its connections first, so a close that the transcript asked for may be its end.
    if played.failure.is_none() && !wrong && !played.closed_by_server {
        return None;
    }
    let mut insane = pool.sanity(&lent.address).await.err()?;
    match &mut lent.server {
        Some(server) => server.wait_for_end().await,
        // Nobody can wait for the end of what the tool did not start: one that is ending resets what it has not taken yet,
        // and refuses what comes later.
        None if matches!(insane, Insane::Wrong { .. }) => {
            insane = pool.sanity(&lent.address).await.err().unwrap_or(insane);
        }
        None => {}
    }
    if let Some(why) = ended(played, lent) {
        return Some((Verdict::Crash, why));
    }
    let verdict = match insane {
        Insane::Silent { .. } => Verdict::Hang,
        // A launched server that lives and refuses connections hangs; an attached one is gone.
        Insane::Unreachable { .. } if lent.server.is_some() => Verdict::Hang,
        Insane::Unreachable { .. } => Verdict::Crash,
        Insane::Wrong { .. } | Insane::Launch(_) => Verdict::Unsound,
    };
    Some((verdict, insane.to_string()))
}

/// How the server ended, if it did.
fn ended(played: &Played, lent: &mut Lent) -> Option<String> {
    let status = lent.server.as_mut().and_then(Server::ended)?;
    let before = played.failure.as_ref().is_some_and(|failure| failure.kind == FailureKind::Unreachable);
    let suspect = lent.last_case.as_ref().filter(|_| before);
    Some(match suspect {
        Some(case) => format!("the server ended: {status}; it may have been {case}, which it played before"),
        None => format!("the server ended: {status}"),
    })
}
