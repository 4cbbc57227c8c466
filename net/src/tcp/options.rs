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
