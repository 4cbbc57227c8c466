//! What this machine gives to those who run processes and sockets of it: ports, and signals.

use socket2::{Domain, Socket, Type};
use std::io;
use std::net::{Ipv4Addr, SocketAddr, TcpListener};
use std::process::{Command, Stdio};

/// A port that nobody else gets, and at which one can listen again and again, while the socket is there.
pub(crate) fn reserve() -> io::Result<(Socket, SocketAddr)> {
    let socket = bind(SocketAddr::from((Ipv4Addr::LOCALHOST, 0)))?;
    let address = socket.local_addr()?.as_socket().ok_or(io::ErrorKind::AddrNotAvailable)?;
    Ok((socket, address))
}

fn bind(address: SocketAddr) -> io::Result<Socket> {
    let socket = Socket::new(Domain::IPV4, Type::STREAM, None)?;
    socket.set_reuse_address(true)?;
    socket.bind(&address.into())?;
    Ok(socket)
}

/// Listens there; so many may wait.
pub(crate) fn listen(address: SocketAddr, backlog: i32) -> io::Result<TcpListener> {
    let socket = bind(address)?;
    socket.listen(backlog)?;
    socket.set_nonblocking(true)?;
    Ok(socket.into())
}

/// Sends a signal to a process: `-STOP`, `-CONT` or `-KILL`.
///
/// # Errors
/// There is no kill(1), or it may not.
pub(crate) fn signal(process: u32, signal: &str) -> io::Result<()> {
    let process = process.to_string();
    let sent = Command::new("kill").args([signal, &process]).stderr(Stdio::null()).status()?;
    if sent.success() { Ok(()) } else { Err(io::Error::other(format!("kill {signal} {process}: {sent}"))) }
}
