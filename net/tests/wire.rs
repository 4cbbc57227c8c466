//! A wire over the network within the process.
#![cfg(test)]

use bytes::Bytes;
use gearman_net::{Listener, Liveness, Memory, MemoryStream, Network, Stream, TURN, Wire};
use gearman_protocol::{DecodeError, Frame, Limits, Request};
use std::future::poll_fn;
use std::io;
use std::pin::Pin;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::task::{Context, Poll, Wake, Waker};
use tokio::io::{AsyncRead, AsyncReadExt, AsyncWrite, AsyncWriteExt, ReadBuf};

async fn pair() -> (Wire<MemoryStream>, MemoryStream) {
    let network = Memory::new();
    let mut door = network.bind("here").await.unwrap();
    let peer = network.connect("here").await.unwrap();
    let (stream, _) = door.accept().await.unwrap();
    (Wire::new(stream, Limits::default()), peer)
}

/// Everything that one read gives, and how many bytes it was.
async fn read(wire: &mut Wire<MemoryStream>) -> (usize, Vec<Result<Frame, DecodeError>>) {
    let mut frames = Vec::new();
    let count = poll_fn(|cx| wire.poll_read(cx, |frame| frames.push(frame))).await.unwrap();
    (count, frames)
}

fn echo(data: &'static [u8]) -> Request {
    Request::Echo { data: data.into() }
}

#[tokio::test(start_paused = true)]
async fn one_read_gives_every_frame_that_is_whole() {
    let (mut wire, mut peer) = pair().await;
    let mut bytes = gearman_protocol::Outward::new();
    echo(b"a").encode(&mut bytes);
    echo(b"b").encode(&mut bytes);
    bytes.put_slice(b"status\r\nvers");
    peer.write_all(&bytes.to_vec()).await.unwrap();
    let (count, frames) = read(&mut wire).await;
    assert_eq!((count, frames.len()), (2 * 13 + 12, 3));
    assert_eq!(wire.decoder().partial(), Some(4));
    assert_eq!(frames[2], Ok(Frame::Line("status".into())));
    peer.write_all(b"ion\n").await.unwrap();
    assert_eq!(read(&mut wire).await, (4, vec![Ok(Frame::Line("version".into()))]));
    drop(peer);
    assert_eq!(read(&mut wire).await, (0, vec![]));
}

#[tokio::test(start_paused = true)]
async fn nonsense_is_told_once_and_then_nothing_is() {
    let (mut wire, mut peer) = pair().await;
    peer.write_all(b"\0BAD").await.unwrap();
    assert_eq!(read(&mut wire).await, (4, vec![Err(DecodeError::BadMagic(*b"\0BAD"))]));
    peer.write_all(b"status\n").await.unwrap();
    assert_eq!(read(&mut wire).await, (7, vec![]));
}

#[tokio::test(start_paused = true)]
async fn what_waits_is_written_in_order_and_all_of_it() {
    let (mut wire, mut peer) = pair().await;
    let mut expected = Vec::new();
    // Many pieces, more than one vectored write takes, and more bytes than the network holds.
    for number in 0..200_u8 {
        let large = vec![number; 20_000];
        wire.outward().put_slice(&[number]);
        wire.outward().put_bytes(&large.clone().into());
        expected.push(number);
        expected.extend(large);
    }
    let writing = tokio::spawn(async move {
        poll_fn(|cx| wire.poll_flush(cx)).await.unwrap();
        assert!(wire.outward().is_empty());
        poll_fn(|cx| wire.poll_shutdown(cx)).await.unwrap();
    });
    let mut arrived = Vec::new();
    peer.read_to_end(&mut arrived).await.unwrap();
    writing.await.unwrap();
    assert!(arrived == expected);
}

/// A peer that takes and gives as much at once as it is asked for.
#[derive(Debug, Default)]
struct Greedy {
    /// What it has to say.
    words: Vec<u8>,
    said: usize,
}

impl Stream for Greedy {
    fn watch_liveness(&self, _: &Liveness) -> io::Result<()> {
        Ok(())
    }
}

/// How often a task was woken.
#[derive(Default)]
struct Wakes(AtomicUsize);

impl Wake for Wakes {
    fn wake(self: Arc<Self>) {
        self.0.fetch_add(1, Ordering::Relaxed);
    }
}

impl AsyncRead for Greedy {
    fn poll_read(
        mut self: Pin<&mut Self>,
        _: &mut Context<'_>,
        buffer: &mut ReadBuf<'_>,
    ) -> Poll<io::Result<()>> {
        let count = buffer.remaining().min(self.words.len() - self.said);
        if count == 0 {
            return Poll::Pending;
        }
        buffer.put_slice(&self.words[self.said..][..count]);
        self.said += count;
        Poll::Ready(Ok(()))
    }
}

impl AsyncWrite for Greedy {
    fn poll_write(self: Pin<&mut Self>, _: &mut Context<'_>, bytes: &[u8]) -> Poll<io::Result<usize>> {
        Poll::Ready(Ok(bytes.len()))
    }

    fn poll_flush(self: Pin<&mut Self>, _: &mut Context<'_>) -> Poll<io::Result<()>> {
        Poll::Ready(Ok(()))
    }

    fn poll_shutdown(self: Pin<&mut Self>, _: &mut Context<'_>) -> Poll<io::Result<()>> {
        Poll::Ready(Ok(()))
    }
}

#[test]
fn whoever_writes_much_lets_the_others_come_in_between() {
    let mut wire = Wire::new(Greedy::default(), Limits::default());
    (0..10).for_each(|_| wire.outward().put_bytes(&vec![0; 100_000].into()));
    let wakes = Arc::new(Wakes::default());
    let waker = Waker::from(Arc::clone(&wakes));
    let mut cx = Context::from_waker(&waker);
    let mut left = Vec::new();
    while wire.poll_flush(&mut cx).is_pending() {
        left.push(wire.outward().len());
    }
    // The peer would take all of it at once, so each wait is one that the wire has chosen.
    assert!(left.len() >= 2, "{left:?}");
    assert_eq!(wakes.0.load(Ordering::Relaxed), left.len());
    assert!(wire.outward().is_empty());
}

#[test]
fn a_long_message_comes_in_few_reads_and_what_follows_it_comes_too() {
    let data = Bytes::from(vec![b'x'; 4 * TURN]);
    let mut words = gearman_protocol::Outward::new();
    Request::Echo { data: data.clone() }.encode(&mut words);
    echo(b"next").encode(&mut words);
    let greedy = Greedy { words: words.to_vec(), ..Greedy::default() };
    let (mut wire, mut requests) = (Wire::new(greedy, Limits::default()), Vec::new());
    let mut cx = Context::from_waker(Waker::noop());
    let mut reads = Vec::new();
    while requests.len() < 2 {
        let each = |frame: Result<Frame, _>| requests.push(Request::parse(frame.unwrap()).unwrap());
        let Poll::Ready(count) = wire.poll_read(&mut cx, each) else { panic!("it has more to say") };
        reads.push(count.unwrap());
    }
    assert!(requests == [Request::Echo { data }, echo(b"next")]);
    assert!(reads.len() <= 12, "{reads:?}");
    assert!(reads.iter().all(|&count| count <= TURN), "{reads:?}");
}

#[tokio::test(start_paused = true)]
async fn a_peer_that_left_cannot_be_written_to() {
    let (mut wire, peer) = pair().await;
    drop(peer);
    wire.outward().put_slice(b"x");
    let refused = poll_fn(|cx| wire.poll_flush(cx)).await;
    assert_eq!(refused.unwrap_err().kind(), io::ErrorKind::BrokenPipe);
}

#[tokio::test(start_paused = true)]
async fn places_in_memory_are_taken_left_and_taken_again() {
    let network = Memory::new();
    let kind = |outcome: io::Result<_>| outcome.map(|_: MemoryStream| ()).unwrap_err().kind();
    assert_eq!(kind(network.connect("a").await), io::ErrorKind::ConnectionRefused);
    let place = network.bind("a").await.unwrap();
    assert_eq!(network.clone().bind("a").await.unwrap_err().kind(), io::ErrorKind::AddrInUse);
    assert_eq!(place.address().unwrap(), "a");
    drop(place);
    assert_eq!(kind(network.connect("a").await), io::ErrorKind::ConnectionRefused);
    let mut place = network.bind("a").await.unwrap();
    let _peer = network.connect("a").await.unwrap();
    place.accept().await.unwrap();
    // Nobody else is there, and asking does not end.
    let mut asking = std::pin::pin!(place.accept());
    let mut cx = Context::from_waker(Waker::noop());
    assert!(matches!(Future::poll(asking.as_mut(), &mut cx), Poll::Pending));
}
