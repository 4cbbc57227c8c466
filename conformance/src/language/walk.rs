//! Every statement of a transcript, wherever it stands.

use std::collections::BTreeSet;

use super::transcript::{Action, Statement, Transcript};

impl Statement {
    /// The statements inside this one, with those of every alternative and branch, and of a file it includes.
    #[must_use]
    pub fn inner(&self) -> Vec<&Self> {
        match &self.action {
            Action::Batch { sends: body, .. }
            | Action::Unordered(body)
            | Action::Until { body, .. }
            | Action::Repeat { body, .. }
            | Action::Finally(body) => body.iter().collect(),
            Action::Include(included) => included.body.iter().collect(),
            Action::Either(alternatives) => {
                alternatives.iter().flat_map(|alternative| &alternative.body).collect()
            }
            Action::When { then, otherwise, .. } => then.iter().chain(otherwise).collect(),
            Action::Open(_)
            | Action::Close(_)
            | Action::Shutdown(_)
            | Action::Reset(_)
            | Action::Send(_)
            | Action::Receive(_)
            | Action::Lines { .. }
            | Action::Rest { .. }
            | Action::Fence { .. }
            | Action::Quiet { .. }
            | Action::Sleep(_)
            | Action::Server(_)
            | Action::Listen(_)
            | Action::Accept(_)
            | Action::Start(_) => Vec::new(),
        }
    }

    /// Calls `visit` for this statement and for every one inside it.
    pub fn walk<'s>(&'s self, visit: &mut impl FnMut(&'s Self)) {
        visit(self);
        self.inner().into_iter().for_each(|inner| inner.walk(visit));
    }
}

impl Transcript {
    /// Whether it plays the server, for a client or a worker that is under test.
    #[must_use]
    pub fn plays_server(&self) -> bool {
        let mut plays = false;
        self.walk(|statement| {
            plays |= matches!(statement.action, Action::Listen(_) | Action::Accept(_) | Action::Start(_));
        });
        plays
    }

    /// The features that `when` asks for: with another profile it goes another way.
    #[must_use]
    pub fn asked_features(&self) -> BTreeSet<&str> {
        let mut features = BTreeSet::new();
        self.walk(|statement| {
            if let Action::When { feature, .. } = &statement.action {
                features.insert(feature.as_str());
            }
        });
        features
    }

    /// Calls `visit` for every statement, in the order of the text.
    pub fn walk<'s>(&'s self, mut visit: impl FnMut(&'s Statement)) {
        self.body.iter().for_each(|statement| statement.walk(&mut visit));
    }
}
