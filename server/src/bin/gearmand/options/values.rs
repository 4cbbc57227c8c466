//! What a flag's value may be.

use gearman_engine::MAX_HANDLE_PREFIX;
use std::fmt;
use std::net::{Ipv6Addr, SocketAddr};

/// At which loss of its worker a job is dropped; `None` is never.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Retries(pub(crate) Option<u8>);

pub(super) fn retries(typed: &str) -> Result<Retries, &'static str> {
    let count: i16 = typed.parse().map_err(|_| NO_RETRIES)?;
    if count == -1 {
        return Ok(Retries(None));
    }
    u8::try_from(count).map(|count| Retries(Some(count))).map_err(|_| NO_RETRIES)
}

const NO_RETRIES: &str = "it is a number from 1 to 255, or -1 for never";

/// A number that the system takes for keepalive; `None` is as if nothing was typed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct AtLeastOne(pub(super) Option<u16>);

pub(super) fn at_least_one(typed: &str) -> Result<AtLeastOne, &'static str> {
    let refusal = "it is a number from 1 to 32767, or -1 for the default";
    match typed.parse::<i32>().map_err(|_| refusal)? {
        -1 => Ok(AtLeastOne(None)),
        number @ 1..=32_767 => {
            u16::try_from(number).map(|number| AtLeastOne(Some(number))).map_err(|_| refusal)
        }
        _ => Err(refusal),
    }
}

pub(super) fn handle_prefix(typed: &str) -> Result<String, String> {
    let is_plain = |byte: u8| byte.is_ascii_graphic();
    if typed.is_empty() || typed.len() > MAX_HANDLE_PREFIX {
        Err(format!("it must have 1 to {MAX_HANDLE_PREFIX} bytes, so that a number still fits behind it"))
    } else if !typed.bytes().all(is_plain) {
        Err("it must be of printable ASCII characters without spaces".to_owned())
    } else {
        Ok(typed.to_owned())
    }
}

/// `H:` and the name of this machine, as much of it as fits.
pub(super) fn default_handle_prefix() -> String {
    let name = rustix::system::uname();
    let printable = name.nodename().to_bytes().iter().copied().filter(u8::is_ascii_graphic);
    b"H:".iter().copied().chain(printable).take(MAX_HANDLE_PREFIX).map(char::from).collect()
}

/// gearmand's own port, and ours.
const PORT: u16 = 4730;

/// A variable of the environment that is set to nothing is as if it was not set, as in gearmand.
pub(super) fn port(typed: &str) -> Result<u16, &'static str> {
    let refusal = "it is a number from 0 to 65535, also where /etc/services has a name for it";
    if typed.is_empty() { Ok(PORT) } else { typed.parse().map_err(|_| refusal) }
}

/// An address with a port, given one that may lack it.
pub(super) fn listening(typed: &str, port: u16) -> String {
    let has_port = typed.rsplit_once(':').is_some_and(|(host, port)| !host.contains(':') && is_port(port));
    if typed.starts_with("unix:") || typed.parse::<SocketAddr>().is_ok() || has_port {
        typed.to_owned()
    } else if typed.parse::<Ipv6Addr>().is_ok() {
        format!("[{typed}]:{port}")
    } else {
        format!("{typed}:{port}")
    }
}

fn is_port(text: &str) -> bool {
    text.parse::<u16>().is_ok()
}

/// `builtin`, in any case.
pub(super) fn queue_type(typed: &str) -> Result<String, &'static str> {
    let plugins =
        ["libsqlite3", "libmemcached", "postgres", "redis", "mysql", "libdrizzle", "libtokyocabinet"];
    let typed = typed.to_lowercase();
    if typed == "builtin" {
        Ok(typed)
    } else if plugins.contains(&typed.as_str()) {
        Err("it cannot be honoured yet: jobs are kept in memory only, which is `builtin`")
    } else {
        Err("there is no such queue: use `builtin`")
    }
}

/// gearmand's names of log levels, from the quietest to the loudest.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, clap::ValueEnum)]
#[value(rename_all = "UPPER")]
pub(crate) enum Verbosity {
    Fatal,
    Alert,
    Critical,
    Error,
    Warning,
    Notice,
    Info,
    Debug,
}

impl fmt::Display for Verbosity {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&format!("{self:?}").to_uppercase())
    }
}

/// A number of bytes: digits, and K, M or G for 1024 and its powers.
pub(super) fn size(typed: &str) -> Result<usize, &'static str> {
    let (digits, shift) = match typed.as_bytes().last() {
        Some(b'K' | b'k') => (&typed[..typed.len() - 1], 10),
        Some(b'M' | b'm') => (&typed[..typed.len() - 1], 20),
        Some(b'G' | b'g') => (&typed[..typed.len() - 1], 30),
        _ => (typed, 0),
    };
    let number = digits.parse::<usize>().ok().filter(|&number| number > 0);
    number.and_then(|number| number.checked_mul(1 << shift)).ok_or(NO_SIZE)
}

const NO_SIZE: &str = "it is a number of bytes above 0, which may end in K, M or G";

/// How much memory may be used.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Memory {
    /// So many bytes.
    Bytes(usize),
    /// So many hundredths of what there is.
    Percent(u8),
}

pub(super) fn memory(typed: &str) -> Result<Memory, &'static str> {
    let Some(percent) = typed.strip_suffix('%') else { return size(typed).map(Memory::Bytes) };
    let percent = percent.parse().ok().filter(|percent| (1..=100).contains(percent));
    percent.map(Memory::Percent).ok_or("a part of the memory is 1% to 100%")
}

impl Memory {
    /// The bytes, given how many there are.
    pub(super) fn of(self, there_are: impl FnOnce() -> u64) -> usize {
        match self {
            Self::Bytes(bytes) => bytes,
            Self::Percent(percent) => {
                let part = there_are() / 100 * u64::from(percent);
                usize::try_from(part).unwrap_or(usize::MAX)
            }
        }
    }
}
