//! Socket options that tokio does not offer.

use crate::Liveness;
use socket2::{Domain, SockRef, Socket, TcpKeepalive, Type};
use std::io;
use std::net::SocketAddr;
use tokio::net::{TcpListener, TcpStream};

/// Which peers a listening socket takes.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(super) enum Family {
    /// Those of its address's own family.
    Own,
    /// IPv4 peers as well, at an IPv6 address.
    Both,
}

/// Listens at an address.
pub(super) fn listen(address: SocketAddr, backlog: u32, family: Family) -> io::Result<TcpListener> {
    let socket = Socket::new(Domain::for_address(address), Type::STREAM, None)?;
    // A server that restarts gets its port back while old connections still linger in the system.
    socket.set_reuse_address(true)?;
    if address.is_ipv6() {
        socket.set_only_v6(family == Family::Own)?;
    }
    socket.set_nonblocking(true)?;
    socket.bind(&address.into())?;
    socket.listen(i32::try_from(backlog).unwrap_or(i32::MAX))?;
    TcpListener::from_std(socket.into())
}

/// Makes the system ask a silent peer whether it lives, and give up on bytes that it never confirms after the
/// same time: questions are only asked while nothing is under way.
pub(super) fn watch(stream: &TcpStream, liveness: &Liveness) -> io::Result<()> {
    let Liveness { idle, interval, count } = *liveness;
    let socket = SockRef::from(stream);
    let keepalive = TcpKeepalive::new().with_time(idle).with_interval(interval).with_retries(count);
    socket.set_tcp_keepalive(&keepalive)?;
    socket.set_tcp_user_timeout(Some(idle + interval * count))
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::time::Duration;

    #[tokio::test]
    async fn a_silent_peer_is_asked_and_given_up_as_told() {
        let listener = listen(([127, 0, 0, 1], 0).into(), 8, Family::Own).unwrap();
        let stream = TcpStream::connect(listener.local_addr().unwrap()).await.unwrap();
        let seconds = Duration::from_secs;
        watch(&stream, &Liveness { idle: seconds(41), interval: seconds(7), count: 5 }).unwrap();
        let socket = SockRef::from(&stream);
        assert!(socket.keepalive().unwrap());
        assert_eq!(socket.tcp_keepalive_time().unwrap(), seconds(41));
        assert_eq!(socket.tcp_keepalive_interval().unwrap(), seconds(7));
        assert_eq!(socket.tcp_keepalive_retries().unwrap(), 5);
        assert_eq!(socket.tcp_user_timeout().unwrap(), Some(seconds(41 + 5 * 7)));
    }

    #[tokio::test]
    async fn a_port_is_free_again_at_once() {
        let listener = listen(([127, 0, 0, 1], 0).into(), 8, Family::Own).unwrap();
        let address = listener.local_addr().unwrap();
        let peer = TcpStream::connect(address).await.unwrap();
        let (accepted, _) = listener.accept().await.unwrap();
        // Who closes first keeps the pair of addresses for a minute.
        drop((accepted, listener));
        listen(address, 8, Family::Own).unwrap();
        drop(peer);
    }
}
