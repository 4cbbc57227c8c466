//! `include`: statements of another file.

use super::Place;
use super::player::{Player, Step};
use crate::language::{Included, Statement};

impl Player<'_> {
    /// Plays the statements of a file.
    ///
    /// Reports mark lines of the transcript, so whatever happens in the file happens at the line that includes it.
    pub(super) async fn include(&mut self, included: &Included, statement: &Statement) -> Step {
        let taken = self.outcomes.len();
        let step = self.block(&included.body).await;
        self.outcomes[taken..].iter_mut().for_each(|outcome| outcome.line = statement.line);
        step.map_err(|mut failure| {
            let (line, span) = (failure.line, failure.span.clone());
            let place = || Place { path: included.path.clone(), text: included.text.clone(), line, span };
            // A file that is included by another one knows the place better.
            failure.included = failure.included.take().or_else(|| Some(place()));
            failure.line = statement.line;
            failure.span = statement.span.clone();
            failure
        })
    }
}
