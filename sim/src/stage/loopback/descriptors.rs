//! What a process of this machine has open, as Linux tells it.

use std::fs;
use std::io;
use std::net::SocketAddr;

/// The system's number of the socket at the server's end of a connection, from this machine's table of them.
///
/// Nothing if the server's process has not taken the connection yet, or does not have it any more.
///
/// # Errors
/// The table cannot be read.
pub(super) fn socket_of(server: SocketAddr, peer: SocketAddr) -> io::Result<Option<u64>> {
    let table = fs::read_to_string("/proc/net/tcp").map_err(|error| {
        io::Error::new(error.kind(), format!("/proc/net/tcp: {error}; the loopback stage needs Linux"))
    })?;
    Ok(find(&table, server.port(), peer.port()))
}

/// A line says `sl local remote state queues timer retransmits uid timeout inode ..`; addresses are hexadecimal. A
/// socket that nobody has taken has number 0.
fn find(table: &str, server: u16, peer: u16) -> Option<u64> {
    let port = |address: &str| u16::from_str_radix(address.rsplit(':').next()?, 16).ok();
    let numbers = table.lines().skip(1).filter_map(|line| {
        let mut words = line.split_whitespace().skip(1);
        let (local, remote) = (port(words.next()?)?, port(words.next()?)?);
        (local == server && remote == peer).then(|| words.nth(6)?.parse::<u64>().ok())?
    });
    numbers.filter(|&number| number > 0).last()
}

/// Whether a process has this socket open. One that has ended has nothing.
///
/// # Errors
/// The system does not say.
pub(super) fn has(process: u32, socket: u64) -> io::Result<bool> {
    let directory = format!("/proc/{process}/fd");
    let found = find_link(&directory, &format!("socket:[{socket}]"));
    found.or_else(|error| match error {
        error if is_gone(&error) => Ok(false),
        error => Err(io::Error::new(error.kind(), format!("{directory}: {error}"))),
    })
}

/// Whether one of the links in a directory leads there.
fn find_link(directory: &str, to: &str) -> io::Result<bool> {
    for one in fs::read_dir(directory)? {
        match fs::read_link(one?.path()) {
            Ok(link) if link.as_os_str() == to => return Ok(true),
            Ok(_) => {}
            // It was closed after it was listed.
            Err(error) if is_gone(&error) => {}
            Err(error) => return Err(error),
        }
    }
    Ok(false)
}

/// Whether there is no such file, or the process has ended while its files were read.
fn is_gone(error: &io::Error) -> bool {
    const ESRCH: i32 = 3;
    error.kind() == io::ErrorKind::NotFound || error.raw_os_error() == Some(ESRCH)
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::net::{TcpListener, TcpStream};

    const TABLE: &str = "  sl  local_address rem_address   st tx_queue rx_queue tr tm->when retrnsmt   uid  timeout inode
   0: 0100007F:127A 00000000:0000 0A 00000000:00000000 00:00000000 00000000     0        0 26017 1 0000000000000000 100 0 0 10 0
   1: 0100007F:127A 0100007F:C350 01 00000000:00000000 00:00000000 00000000  1000        0 41234 1 0000000000000000 20 4 30 10 -1
   2: 0100007F:C350 0100007F:127A 01 00000000:00000000 00:00000000 00000000  1000        0 41233 1 0000000000000000 20 4 30 10 -1
   3: 0100007F:127A 0100007F:C351 01 00000000:00000000 00:00000000 00000000     0        0 0 1 0000000000000000 20 4 30 10 -1
";

    #[test]
    fn the_servers_end_of_a_connection_is_found_once_somebody_has_taken_it() {
        assert_eq!(find(TABLE, 4730, 50000), Some(41234));
        assert_eq!(find(TABLE, 50000, 4730), Some(41233));
        assert_eq!(find(TABLE, 4730, 50001), None, "it waits to be taken");
        assert_eq!(find(TABLE, 4730, 50002), None, "there is none");
        assert_eq!(find("", 4730, 50000), None);
    }

    #[test]
    fn this_process_has_what_it_has_open_and_no_more_when_it_is_closed() {
        let door = TcpListener::bind("127.0.0.1:0").unwrap();
        let at = door.local_addr().unwrap();
        let peer = TcpStream::connect(at).unwrap();
        let from = peer.local_addr().unwrap();
        assert_eq!(socket_of(at, from).unwrap(), None, "it waits to be taken");
        let (accepted, _) = door.accept().unwrap();
        let socket = socket_of(at, from).unwrap().unwrap();
        assert!(has(std::process::id(), socket).unwrap());
        drop(accepted);
        assert!(!has(std::process::id(), socket).unwrap());
    }

    #[test]
    fn only_a_process_that_is_not_there_has_nothing_for_certain() {
        assert!(!has(u32::MAX, 1).unwrap(), "there is no such process");
        let not_a_directory = find_link("/proc/self/stat", "socket:[1]").unwrap_err();
        let not_a_link = find_link("/proc/self/net", "socket:[1]").unwrap_err();
        assert!(!is_gone(&not_a_directory) && !is_gone(&not_a_link), "{not_a_directory}, {not_a_link}");
        assert!([2, 3].map(io::Error::from_raw_os_error).iter().all(is_gone));
        // EACCES, EMFILE.
        assert!(![13, 24].map(io::Error::from_raw_os_error).iter().any(is_gone));
    }
}
