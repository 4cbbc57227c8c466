//! One page that shows several servers side by side, made from the results of their runs.
//!
//! The page is one file without scripts and without requests to anywhere, so that it can be committed, attached and
//! read on a phone. A cell names the outcome and leads to its case, where the command stands that plays it again.

mod article;
mod badge;
mod changes;
mod page;
mod reading;
mod table;

pub use badge::badge;
pub use changes::{Change, changes};
pub use page::render;
pub use reading::{Results, Unreadable, parse, together};

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

    /// Whether there is nothing more to tell than the tone itself.
    fn is_plain(self) -> bool {
        matches!(self, Self::Good | Self::None)
    }
}

/// Text with nothing in it that means something to a browser.
fn escaped(text: &str) -> String {
    text.replace('&', "&amp;").replace('<', "&lt;").replace('>', "&gt;").replace('"', "&quot;")
}

/// A case's id as the name of its place on the page: a `/` would be legal, and hard to type into an address.
fn anchor(id: &str) -> String {
    id.replace('/', "--")
}
