//! Peers that have said everything before anybody listens, so that reading never has to wait for them.

use gearman_net::{Listener, Liveness, Network, Stream};
use std::collections::VecDeque;
use std::io;
use std::pin::Pin;
use std::sync::{Arc, Mutex};
use std::task::{Context, Poll};
use tokio::io::{AsyncRead, AsyncWrite, ReadBuf};

/// A network with as many peers as there are texts.
#[derive(Clone)]
pub(crate) struct Prepared {
    peers: Arc<Mutex<VecDeque<Monologue>>>,
    /// What was asked for each peer that came.
    pub(crate) watched: Watched,
    /// What each write said, whoever it was to.
    pub(crate) written: Written,
}

type Written = Arc<Mutex<Vec<Vec<u8>>>>;
type Watched = Arc<Mutex<Vec<Liveness>>>;

/// A peer that says one text, and then nothing more; it takes whatever is said to it.
pub(crate) struct Monologue(VecDeque<u8>, Watched, Written);

impl Prepared {
    pub(crate) fn new(texts: impl IntoIterator<Item = Vec<u8>>) -> Self {
        let (watched, written) = (Watched::default(), Written::default());
        let monologue = |text: Vec<u8>| Monologue(text.into(), Arc::clone(&watched), Arc::clone(&written));
        let peers = texts.into_iter().map(monologue).collect();
        Self { peers: Arc::new(Mutex::new(peers)), watched, written }
    }
}

impl Network for Prepared {
    type Stream = Monologue;
    type Listener = Self;

    async fn bind(&self, _address: &str) -> io::Result<Self> {
        Ok(self.clone())
    }

    async fn connect(&self, address: &str) -> io::Result<Monologue> {
        Err(io::Error::new(io::ErrorKind::ConnectionRefused, address))
    }
}

impl Listener for Prepared {
    type Stream = Monologue;

    async fn accept(&mut self) -> io::Result<(Monologue, String)> {
        let peer = self.peers.lock().expect("no panic").pop_front();
        match peer {
            Some(peer) => Ok((peer, "prepared".to_owned())),
            None => std::future::pending().await,
        }
    }

    fn address(&self) -> io::Result<String> {
        Ok("prepared".to_owned())
    }
}

impl Stream for Monologue {
    fn watch_liveness(&self, liveness: &Liveness) -> io::Result<()> {
        self.1.lock().expect("no panic").push(*liveness);
        Ok(())
    }
}

impl AsyncRead for Monologue {
    fn poll_read(
        mut self: Pin<&mut Self>,
        _cx: &mut Context<'_>,
        buffer: &mut ReadBuf<'_>,
    ) -> Poll<io::Result<()>> {
        if self.0.is_empty() {
            return Poll::Pending;
        }
        let count = buffer.remaining().min(self.0.len());
        let part: Vec<u8> = self.0.drain(..count).collect();
        buffer.put_slice(&part);
        Poll::Ready(Ok(()))
    }
}

impl AsyncWrite for Monologue {
    fn poll_write(self: Pin<&mut Self>, _cx: &mut Context<'_>, bytes: &[u8]) -> Poll<io::Result<usize>> {
        self.2.lock().expect("no panic").push(bytes.to_vec());
        Poll::Ready(Ok(bytes.len()))
    }

    fn poll_flush(self: Pin<&mut Self>, _cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        Poll::Ready(Ok(()))
    }

    fn poll_shutdown(self: Pin<&mut Self>, _cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        Poll::Ready(Ok(()))
    }
}
