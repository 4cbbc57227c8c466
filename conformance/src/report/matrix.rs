//! One page that shows several servers side by side, made from the results of their runs.
//!
//! The page is one file without scripts and without requests to anywhere, so that it can be committed, attached and
//! read on a phone. A cell names the outcome and leads to its case, where the command stands that plays it again.

mod page;
mod reading;

pub use page::render;
pub use reading::{Results, Unreadable};

/// What a cell says about a server, best first.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
enum Tone {
    /// As it should be.
    Good,
    /// Recorded for its own sake.
    Neutral,
    /// Against the letter, harmless in practice.
    Odd,
    /// Not as it should be, known or not.
    Bad,
    /// Not played.
    None,
}

impl Tone {
    /// The class in the page's style sheet.
    fn class(self) -> &'static str {
        match self {
            Self::Good => "good",
            Self::Neutral => "neutral",
            Self::Odd => "odd",
            Self::Bad => "bad",
            Self::None => "none",
        }
    }

    /// A verdict as the results spell it.
    fn of(verdict: &str) -> Self {
        match verdict {
            "PASS" | "XPASS" => Self::Good,
            "INFO" => Self::Neutral,
            "NON-STRICT" => Self::Odd,
            skip if skip.starts_with("SKIP") => Self::None,
            _ => Self::Bad,
        }
    }
}
