//! A proxy that writes down what it carries.

use std::io;
use std::sync::{Arc, Mutex, PoisonError};

use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::tcp::{OwnedReadHalf, OwnedWriteHalf};
use tokio::net::{TcpListener, TcpStream};
use tokio::task::JoinSet;

use super::Recorder;
use crate::play::{Ended, Incoming};

/// How many bytes of a message that never ends are kept to make sense of; what comes after is carried all the same.
const LONGEST_MESSAGE: usize = 256 * 1024 * 1024;

/// Carries connections and writes down what they say, until `connections` of them have come and gone, or for ever.
///
/// # Errors
///
/// The transcript cannot be written. A server that cannot be reached, and peers that go, end their connection only.
pub(crate) async fn carry(
    listener: TcpListener,
    upstream: String,
    recorder: Arc<Mutex<Recorder>>,
    connections: Option<usize>,
) -> io::Result<()> {
    let mut carried = JoinSet::new();
    let mut left = connections;
    loop {
        tokio::select! {
            accepted = listener.accept(), if left != Some(0) => {
                let (peer, _) = accepted?;
                left = left.map(|count| count - 1);
                carried.spawn(connection(peer, upstream.clone(), Arc::clone(&recorder)));
            }
            Some(ended) = carried.join_next() => ended.map_err(io::Error::other)??,
            else => return Ok(()),
        }
    }
}

async fn connection(peer: TcpStream, upstream: String, recorder: Arc<Mutex<Recorder>>) -> io::Result<()> {
    // A peer whose server cannot be reached sees its connection close, as it would without the proxy.
    let Ok(server) = TcpStream::connect(&upstream).await else { return Ok(()) };
    let _ = (peer.set_nodelay(true), server.set_nodelay(true));
    let at = lock(&recorder).opened();
    let ((from_peer, to_peer), (from_server, to_server)) = (peer.into_split(), server.into_split());
    let upward = Way { from: from_peer, to: to_server, at, is_upward: true, recorder: Arc::clone(&recorder) };
    let downward = Way { from: from_server, to: to_peer, at, is_upward: false, recorder };
    let (up, down) = tokio::join!(upward.carry(), downward.carry());
    up.and(down)
}

fn lock(recorder: &Mutex<Recorder>) -> std::sync::MutexGuard<'_, Recorder> {
    recorder.lock().unwrap_or_else(PoisonError::into_inner)
}

/// One direction of a connection.
struct Way {
    from: OwnedReadHalf,
    to: OwnedWriteHalf,
    at: usize,
    /// Towards the server.
    is_upward: bool,
    recorder: Arc<Mutex<Recorder>>,
}

impl Way {
    /// Carries until this side ends. What is understood is written down before it is handed on, so that no answer can
    /// stand above its question.
    async fn carry(mut self) -> io::Result<()> {
        let mut incoming = if self.is_upward { Incoming::from_client() } else { Incoming::from_server() };
        let mut buffer = vec![0; 64 * 1024];
        loop {
            let read = self.from.read(&mut buffer).await;
            match read {
                Ok(count) if count > 0 => {
                    if incoming.unfinished() < LONGEST_MESSAGE {
                        let _ = incoming.extend(&buffer[..count]).count();
                    }
                }
                Ok(_) => incoming.end(Ended::Fin),
                Err(_) => incoming.end(Ended::Reset),
            }
            self.write_down(&mut incoming)?;
            match read {
                Ok(count) if count > 0 => {
                    if self.to.write_all(&buffer[..count]).await.is_err() {
                        // The other side has gone, which its own direction notices.
                        return Ok(());
                    }
                }
                _ => {
                    let _ = self.to.shutdown().await;
                    return Ok(());
                }
            }
        }
    }

    fn write_down(&self, incoming: &mut Incoming) -> io::Result<()> {
        let mut recorder = lock(&self.recorder);
        for message in incoming.take_all() {
            if self.is_upward {
                recorder.peer_says(self.at, &message)?;
            } else {
                recorder.server_says(self.at, &message)?;
            }
        }
        Ok(())
    }
}
