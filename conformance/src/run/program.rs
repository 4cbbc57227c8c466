//! One playing of a case in which a client or a worker is under test.

use super::{Plan, Round};
use crate::language::{Transcript, Variant};
use crate::play::{FailureKind, Program, Stage, play as play_once};
use crate::verdict::{Verdict, judge};

/// Plays a case once; the program has the transcript to itself, so nothing need be looked after behind it.
pub(super) async fn play(case: &Transcript, variant: Variant, program: &Program, plan: &Plan) -> Round {
    let stage = Stage {
        address: String::new(),
        world: None,
        profile: &plan.profile,
        variant,
        time_scale: plan.time_scale,
        server: None,
        program: Some(program),
    };
    let played = play_once(case, stage).await;
    let (mut verdict, mut why) = judge(&played, &case.header.id, &plan.profile);
    let is_mute = played.failure.as_ref().is_some_and(|failure| failure.kind == FailureKind::Mute);
    if let Some(crashed) = &played.crashed {
        verdict = Verdict::Crash;
        why = Some(crashed.clone());
    } else if is_mute && verdict == Verdict::Fail {
        verdict = Verdict::Hang;
        why = why.or_else(|| Some("the program lives, and what it is waited for never comes".to_owned()));
    }
    let log = if verdict.is_met() { Vec::new() } else { played.log.clone() };
    Round { verdict, why, played: Some(played), log }
}
