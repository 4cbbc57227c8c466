//! Unix-domain sockets: a file that outlives the process which made it unless somebody removes it.

use socket2::{Domain, SockAddr, Socket, Type};
use std::io;
use std::os::unix::fs::{FileTypeExt, MetadataExt};
use std::path::{Path, PathBuf};
use std::task::{Context, Poll, ready};
use tokio::net::{UnixListener, UnixStream};

/// A listening Unix-domain socket. Its file goes with it, unless another process made it.
#[derive(Debug)]
pub(super) struct UnixDoor {
    listener: UnixListener,
    path: PathBuf,
    own: Option<FileId>,
}

/// Which file it is, whatever it is called: device and inode.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
struct FileId(u64, u64);

impl FileId {
    fn of(path: &Path) -> Option<Self> {
        let file = std::fs::symlink_metadata(path).ok()?;
        Some(Self(file.dev(), file.ino()))
    }
}

impl UnixDoor {
    /// Listens at a path, where a socket that nobody listens at any more may lie.
    pub(super) fn bind(path: &str, backlog: u32) -> io::Result<Self> {
        let path = PathBuf::from(path);
        let address = SockAddr::unix(&path)?;
        remove_stale(&path, &address)?;
        let socket = Socket::new(Domain::UNIX, Type::STREAM, None)?;
        socket.set_nonblocking(true)?;
        socket.bind(&address)?;
        let own = FileId::of(&path);
        socket.listen(i32::try_from(backlog).unwrap_or(i32::MAX))?;
        Ok(Self { listener: UnixListener::from_std(socket.into())?, path, own })
    }

    /// Takes over a socket, whose file is left to who made it.
    pub(super) fn inherited(listener: std::os::unix::net::UnixListener) -> io::Result<Self> {
        listener.set_nonblocking(true)?;
        let path = listener.local_addr()?.as_pathname().unwrap_or_else(|| Path::new("")).to_owned();
        Ok(Self { listener: UnixListener::from_std(listener)?, path, own: None })
    }

    pub(super) fn poll_accept(&self, cx: &mut Context<'_>) -> Poll<io::Result<UnixStream>> {
        let (stream, _) = ready!(self.listener.poll_accept(cx))?;
        Poll::Ready(Ok(stream))
    }

    pub(super) fn address(&self) -> String {
        format!("unix:{}", self.path.display())
    }
}

impl Drop for UnixDoor {
    fn drop(&mut self) {
        // Another server may have taken the path over meanwhile; its file is not ours to remove.
        if self.own.is_some() && FileId::of(&self.path) == self.own {
            let _ = std::fs::remove_file(&self.path);
        }
    }
}

/// Removes a socket that a server left behind which did not end in order.
fn remove_stale(path: &Path, address: &SockAddr) -> io::Result<()> {
    let is_socket = std::fs::symlink_metadata(path).is_ok_and(|file| file.file_type().is_socket());
    if !is_socket {
        // If something else lies there, binding will say so.
        return Ok(());
    }
    let probe = Socket::new(Domain::UNIX, Type::STREAM, None)?;
    // A server whose queue is full must not keep us waiting.
    probe.set_nonblocking(true)?;
    match probe.connect(address) {
        Err(error) if error.kind() == io::ErrorKind::ConnectionRefused => std::fs::remove_file(path),
        // Somebody listens there, or may.
        _ => Ok(()),
    }
}

pub(super) async fn connect(path: &str) -> io::Result<UnixStream> {
    let about = |error: io::Error| io::Error::new(error.kind(), format!("unix:{path}: {error}"));
    UnixStream::connect(path).await.map_err(about)
}
