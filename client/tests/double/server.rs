//! A server of which every word is said by the test.

use bytes::Bytes;
use gearman_client::Client;
use gearman_net::{Listener, Memory, MemoryDoor, MemoryStream, Network};
use gearman_protocol::{Decoder, Handle, Limits, Outward, Report, Request, Response};
use std::collections::VecDeque;
use std::time::Duration;
use tokio::io::{AsyncReadExt, AsyncWriteExt};

/// Where every test listens.
pub(crate) const HERE: &str = "here";

/// Waits for what must come. Time passes only when nothing else can happen, so a day is over at once.
pub(crate) async fn soon<T>(what: impl Future<Output = T>) -> T {
    tokio::time::timeout(Duration::from_secs(86_400), what).await.expect("it never comes")
}

/// A place where clients and workers come to.
pub(crate) struct Place {
    pub(crate) network: Memory,
    door: MemoryDoor,
}

impl Place {
    pub(crate) async fn new() -> Self {
        let network = Memory::new();
        let door = network.bind(HERE).await.unwrap();
        Self { network, door }
    }

    /// The server's end of the next connection.
    pub(crate) async fn accept(&mut self) -> Server {
        let (stream, _) = soon(self.door.accept()).await.unwrap();
        Server { stream, decoder: Decoder::new(Limits::default()), arrived: VecDeque::new() }
    }

    /// A client, and the server's end of its connection.
    pub(crate) async fn client(&mut self) -> (Client, Server) {
        let client = Client::connect(&self.network, HERE).await.unwrap();
        (client, self.accept().await)
    }
}

/// The server's end of one connection.
pub(crate) struct Server {
    pub(crate) stream: MemoryStream,
    decoder: Decoder,
    arrived: VecDeque<Request>,
}

impl Server {
    /// The next request, which must come.
    pub(crate) async fn hear(&mut self) -> Request {
        self.hear_or_end().await.expect("the peer left")
    }

    /// The next request; `None` when the peer has left.
    pub(crate) async fn hear_or_end(&mut self) -> Option<Request> {
        while self.arrived.is_empty() {
            if self.read().await == 0 {
                return None;
            }
        }
        self.arrived.pop_front()
    }

    /// All requests that one read gives.
    pub(crate) async fn hear_at_once(&mut self) -> Vec<Request> {
        assert!(self.arrived.is_empty());
        self.read().await;
        self.arrived.drain(..).collect()
    }

    async fn read(&mut self) -> usize {
        let mut buffer = vec![0; 64 * 1024];
        let count = soon(self.stream.read(&mut buffer)).await.unwrap();
        let mut input = &buffer[..count];
        while let Some(frame) = self.decoder.decode(&mut input).unwrap() {
            self.arrived.push_back(Request::parse(frame).unwrap());
        }
        count
    }

    /// Whether the peer says nothing more for as long as it takes to do everything that can be done.
    pub(crate) async fn hears_nothing(&mut self) -> bool {
        tokio::time::timeout(Duration::from_secs(1), self.hear_or_end()).await.is_err()
    }

    pub(crate) async fn say(&mut self, responses: &[Response]) {
        let mut out = Outward::new();
        responses.iter().for_each(|response| response.encode(&mut out));
        self.write(&out.to_vec()).await;
    }

    pub(crate) async fn write(&mut self, bytes: &[u8]) {
        soon(self.stream.write_all(bytes)).await.unwrap();
    }
}

pub(crate) fn handle(name: &'static str) -> Handle {
    Handle::new(name)
}

pub(crate) fn created(name: &'static str) -> Response {
    Response::JobCreated { handle: handle(name) }
}

pub(crate) fn work(name: &'static str, report: Report) -> Response {
    Response::Work { handle: handle(name), report }
}

pub(crate) fn complete(name: &'static str, result: impl Into<Bytes>) -> Response {
    work(name, Report::Complete(result.into()))
}

pub(crate) fn error(code: &'static str) -> Response {
    Response::Error { code: code.into(), text: "because".into() }
}

pub(crate) fn echo(data: impl Into<Bytes>) -> Request {
    Request::Echo { data: data.into() }
}

pub(crate) fn echoed(data: impl Into<Bytes>) -> Response {
    Response::Echo { data: data.into() }
}
