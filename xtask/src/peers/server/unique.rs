//! GET_STATUS_UNIQUE, as the runner asks it: how many watch a job.

use std::io::{self, Write};

use super::{Server, read_until};

const HEADER: usize = 12;

impl Server {
    /// How many watchers the job with this unique has.
    pub(in super::super) fn watchers(&self, unique: &str) -> io::Result<usize> {
        let mut stream = self.connect()?;
        stream.write_all(&request(unique))?;
        let reply = read_until(stream, |reply| length(reply).is_some_and(|length| reply.len() >= length))?;
        watchers(&reply).ok_or_else(|| io::Error::new(io::ErrorKind::InvalidData, "no STATUS_RES_UNIQUE"))
    }
}

/// GET_STATUS_UNIQUE, type 41.
fn request(unique: &str) -> Vec<u8> {
    let length = u32::try_from(unique.len()).expect("a unique has at most 64 bytes");
    let mut packet = b"\0REQ\0\0\0\x29".to_vec();
    packet.extend_from_slice(&length.to_be_bytes());
    packet.extend_from_slice(unique.as_bytes());
    packet
}

/// The length of the packet that begins here, header included, once its header is there.
fn length(packet: &[u8]) -> Option<usize> {
    let size: [u8; 4] = packet.get(8..HEADER)?.try_into().ok()?;
    Some(HEADER + usize::try_from(u32::from_be_bytes(size)).ok()?)
}

/// The last argument of STATUS_RES_UNIQUE, type 42.
fn watchers(packet: &[u8]) -> Option<usize> {
    let body = packet.strip_prefix(b"\0RES\0\0\0\x2a")?;
    std::str::from_utf8(body.rsplit(|byte| *byte == 0).next()?).ok()?.parse().ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_watchers_are_the_last_argument() {
        let reply = b"\0RES\0\0\0\x2a\0\0\0\x0fsame\x001\x000\x000\x000\x00100";
        assert_eq!(watchers(reply), Some(100));
        assert_eq!(watchers(b"\0RES\0\0\0\x13\0\0\0\0"), None);
    }
}
