//! How a body is cut into arguments.

use bytes::{Buf, Bytes};

/// Cuts a body at its first `count - 1` NUL bytes; the last argument runs to the end and may hold NULs.
///
/// `None` if a NUL is missing. With `count` zero the body is ignored: packets without arguments may carry
/// one, and every server tolerates it.
#[must_use]
pub fn split_arguments(body: &Bytes, count: usize) -> Option<Vec<Bytes>> {
    let mut cutter = Cutter::new(body.clone());
    let mut arguments = Vec::with_capacity(count);
    for _ in 1..count {
        arguments.push(cutter.next()?);
    }
    if count > 0 {
        arguments.push(cutter.rest());
    }
    Some(arguments)
}

/// Takes a body apart from the front, without looking beyond it.
pub(crate) struct Cutter(Bytes);

impl Cutter {
    pub(crate) fn new(body: Bytes) -> Self {
        Self(body)
    }

    /// The bytes up to the next NUL, which is dropped; `None` if there is none.
    pub(crate) fn next(&mut self) -> Option<Bytes> {
        let end = self.0.iter().position(|&byte| byte == 0)?;
        let argument = self.0.split_to(end);
        self.0.advance(1);
        Some(argument)
    }

    /// Everything up to the end, and how much of it is before the next NUL, behind which it goes on; `None` if there
    /// is none.
    pub(crate) fn with_rest(&mut self) -> Option<(Bytes, usize)> {
        let end = self.0.iter().position(|&byte| byte == 0)?;
        let all = self.0.clone();
        self.0.advance(end + 1);
        Some((all, end))
    }

    /// Everything that is left.
    pub(crate) fn rest(self) -> Bytes {
        self.0
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_last_argument_runs_to_the_end() {
        let cut = |count| split_arguments(&Bytes::from_static(b"a\0b\0c"), count);
        assert_eq!(cut(0), Some(vec![]));
        assert_eq!(cut(1), Some(vec!["a\0b\0c".into()]));
        assert_eq!(cut(2), Some(vec!["a".into(), "b\0c".into()]));
        assert_eq!(cut(3), Some(vec!["a".into(), "b".into(), "c".into()]));
        assert_eq!(cut(4), None);
    }
}
