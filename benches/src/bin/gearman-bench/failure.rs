//! Why a measurement ended without a figure.

use std::io;

/// Why a measurement ended without a figure.
#[derive(Debug, thiserror::Error)]
pub(crate) enum Failure {
    #[error("{what}: {source}")]
    Io { what: String, source: io::Error },
    #[error("{0}")]
    Says(String),
    /// The end of whoever has heard enough.
    #[error("nobody reads what is printed")]
    Unheard,
}

pub(crate) type Result<T> = std::result::Result<T, Failure>;

impl Failure {
    /// For `map_err`: what was being done when the operating system said no.
    pub(crate) fn at<E: Into<io::Error>>(what: impl Into<String>) -> impl FnOnce(E) -> Self {
        let what = what.into();
        move |source| Self::Io { what, source: source.into() }
    }

    pub(crate) fn says(text: impl Into<String>) -> Self {
        Self::Says(text.into())
    }
}
