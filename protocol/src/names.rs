//! Names that travel in packets, each its own type so that one cannot be passed for another.

use crate::error::DecodeError;
use bytes::Bytes;
use std::fmt;
use std::hash::{Hash, Hasher};

/// The longest function name, in bytes; the C library refuses longer ones as well.
pub const MAX_FUNCTION_NAME: usize = 512;
/// The longest unique and the longest reducer, in bytes.
pub const MAX_UNIQUE: usize = 64;
/// The longest handle a server gives out, in bytes.
pub const MAX_HANDLE: usize = 63;

macro_rules! name_type {
    ($(#[$doc:meta])* $name:ident) => {
        $(#[$doc])*
        #[derive(Clone, Default, PartialEq, Eq, PartialOrd, Ord, Hash)]
        pub struct $name(Bytes);

        impl $name {
            /// Its bytes.
            #[must_use]
            pub fn as_bytes(&self) -> &[u8] {
                &self.0
            }

            /// Its bytes, shared and not copied.
            #[must_use]
            pub fn to_bytes(&self) -> Bytes {
                self.0.clone()
            }

            /// A copy with bytes of its own, which does not keep the packet alive that it came in.
            #[must_use]
            pub fn detached(&self) -> Self {
                Self(Bytes::copy_from_slice(&self.0))
            }

            /// Whether it has no bytes at all.
            #[must_use]
            pub fn is_empty(&self) -> bool {
                self.0.is_empty()
            }
        }

        shown!($name);
    };
}

macro_rules! shown {
    ($name:ident) => {
        impl fmt::Debug for $name {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                write!(f, "\"{}\"", self.as_bytes().escape_ascii())
            }
        }

        impl fmt::Display for $name {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                write!(f, "{}", self.as_bytes().escape_ascii())
            }
        }
    };
}

name_type! {
    /// What a worker can do and a job wants done: 1 to [`MAX_FUNCTION_NAME`] bytes without control characters.
    FunctionName
}
name_type! {
    /// The name of the reducer of a job: 0 to [`MAX_UNIQUE`] bytes. Empty means that there is none.
    Reducer
}
name_type! {
    /// The server's name for a job. What a server gives out has 1 to [`MAX_HANDLE`] bytes; what a peer asks
    /// about may be anything.
    Handle
}

impl FunctionName {
    /// Takes the name if it is one.
    ///
    /// # Errors
    /// [`DecodeError::FunctionName`] if it is empty, too long, or has a control character (a byte below 32, or
    /// 127), which would break the tables of the text protocol.
    pub fn new(bytes: impl Into<Bytes>) -> Result<Self, DecodeError> {
        let bytes = bytes.into();
        let fits = (1..=MAX_FUNCTION_NAME).contains(&bytes.len());
        if fits && !bytes.iter().any(u8::is_ascii_control) {
            Ok(Self(bytes))
        } else {
            Err(DecodeError::FunctionName)
        }
    }
}

/// The client's own key for a job: 0 to [`MAX_UNIQUE`] bytes. Empty means that there is none.
///
/// In a submit the workload follows it, and a server keeps both for as long as the job waits. So that one view of
/// the packet is enough for both, a unique has hold of what follows it as well ([`Unique::with_rest`]); what two
/// uniques are compared by are the bytes of the key alone.
#[derive(Clone, Default)]
pub struct Unique {
    /// The key and what follows it.
    bytes: Bytes,
    length: u8,
}

impl Unique {
    /// Takes the unique if it is not too long.
    ///
    /// # Errors
    /// [`DecodeError::UniqueTooLarge`] over [`MAX_UNIQUE`] bytes.
    pub fn new(bytes: impl Into<Bytes>) -> Result<Self, DecodeError> {
        let bytes = bytes.into();
        let length = bytes.len();
        Self::at_front(bytes, length)
    }

    /// Takes the first `length` bytes as the unique, and holds what follows them as well.
    ///
    /// # Errors
    /// [`DecodeError::UniqueTooLarge`] over [`MAX_UNIQUE`] bytes.
    ///
    /// # Panics
    /// If there are not so many bytes.
    pub fn at_front(bytes: impl Into<Bytes>, length: usize) -> Result<Self, DecodeError> {
        let bytes = bytes.into();
        assert!(length <= bytes.len(), "a unique of {length} bytes in {}", bytes.len());
        let short = u8::try_from(length).ok().filter(|_| length <= MAX_UNIQUE);
        short.map(|length| Self { bytes, length }).ok_or(DecodeError::UniqueTooLarge)
    }

    /// Its bytes.
    #[must_use]
    pub fn as_bytes(&self) -> &[u8] {
        &self.bytes[..self.len()]
    }

    /// Its bytes, shared and not copied.
    #[must_use]
    pub fn to_bytes(&self) -> Bytes {
        self.bytes.slice(..self.len())
    }

    /// Its bytes and, of those that follow it in memory, what it has hold of.
    #[must_use]
    pub const fn with_rest(&self) -> &Bytes {
        &self.bytes
    }

    /// Whether it has no bytes at all.
    #[must_use]
    pub const fn is_empty(&self) -> bool {
        self.length == 0
    }

    const fn len(&self) -> usize {
        self.length as usize
    }
}

shown!(Unique);

impl PartialEq for Unique {
    fn eq(&self, other: &Self) -> bool {
        self.as_bytes() == other.as_bytes()
    }
}

impl Eq for Unique {}

impl Hash for Unique {
    fn hash<H: Hasher>(&self, state: &mut H) {
        self.as_bytes().hash(state);
    }
}

impl Reducer {
    /// Takes the reducer's name if it is not too long.
    ///
    /// # Errors
    /// [`DecodeError::UniqueTooLarge`] over [`MAX_UNIQUE`] bytes: the code is shared with uniques.
    pub fn new(bytes: impl Into<Bytes>) -> Result<Self, DecodeError> {
        let bytes = bytes.into();
        if bytes.len() <= MAX_UNIQUE { Ok(Self(bytes)) } else { Err(DecodeError::UniqueTooLarge) }
    }
}

impl Handle {
    /// Takes any bytes: whether they name a job is the server's to say.
    pub fn new(bytes: impl Into<Bytes>) -> Self {
        Self(bytes.into())
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::hash::DefaultHasher;

    #[test]
    fn what_follows_a_unique_is_no_part_of_it() {
        let hash = |unique: &Unique| {
            let mut hasher = DefaultHasher::new();
            unique.hash(&mut hasher);
            hasher.finish()
        };
        let unique = |bytes: &'static str| Unique::at_front(bytes, 3).unwrap();
        let (alone, followed, other) =
            (unique("key"), unique("key and workload"), unique("yek and workload"));
        assert_eq!((&alone, hash(&alone)), (&followed, hash(&followed)));
        assert_ne!(other, followed);
        assert_ne!(hash(&other), hash(&followed));
    }
}
