//! What every test starts from: a server, clients and workers, and a peer that writes what it likes.

use bytes::Bytes;
use gearman_client::{Client, Failure, Job, Stop, Worker};
use gearman_engine::{Config, Engine};
use gearman_net::{MachineClock, Network, Tcp, TcpConnection};
use gearman_protocol::{
    AdminReply, Assignment, Decoder, FunctionName, Grab, Handle, Limits, Mode, Outward, Priority, Report,
    Request, Response, Submit, Unique,
};
use gearman_server::{Control, serve};
use std::collections::VecDeque;
use std::future::Future;
use std::time::Duration;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::task::JoinHandle;

/// Only something that hangs takes so long.
const HANG: Duration = Duration::from_secs(60);

/// Waits for what must come.
pub(crate) async fn soon<T>(what: impl Future<Output = T>) -> T {
    tokio::time::timeout(HANG, what).await.expect("it hangs")
}

/// A server at a port of its own.
pub(crate) struct Stage {
    pub(crate) control: Control,
    pub(crate) address: String,
}

impl Stage {
    pub(crate) async fn new() -> Self {
        Self::with(Config::default()).await
    }

    pub(crate) async fn with(config: Config) -> Self {
        Self::at("127.0.0.1:0", config).await
    }

    pub(crate) async fn at(address: &str, config: Config) -> Self {
        let engine = Engine::new(config, 1);
        let config = gearman_server::Config::at(address);
        let control = serve(&Tcp, MachineClock::new(), engine, config).await.unwrap();
        let address = control.addresses()[0].clone();
        Self { control, address }
    }

    pub(crate) async fn client(&self) -> Client {
        soon(Client::connect(&Tcp, &self.address)).await.unwrap()
    }

    pub(crate) async fn peer(&self) -> Peer {
        Peer {
            stream: soon(Tcp.connect(&self.address)).await.unwrap(),
            decoder: Decoder::new(Limits::default()),
            arrived: VecDeque::new(),
        }
    }

    /// A worker that does one function until it is stopped.
    pub(crate) fn worker<F, R>(&self, function: &'static str, handler: F) -> (Stop, JoinHandle<()>)
    where
        F: Fn(Job) -> R + Send + Sync + 'static,
        R: Future<Output = Result<Bytes, Failure>> + Send + 'static,
    {
        let mut worker = Worker::new(Tcp, self.address.clone());
        worker.register(function, handler).unwrap();
        let stop = worker.stopper();
        (stop, tokio::spawn(async move { worker.run().await }))
    }

    /// Waits until `status` says so of a function: how many jobs, how many of them running, how many workers.
    pub(crate) async fn settled(&self, function: &str, [jobs, running, workers]: [u64; 3]) {
        let line = format!("{function}\t{jobs}\t{running}\t{workers}");
        let mut peer = self.peer().await;
        soon(async {
            while !peer.table("status").await.contains(&line) {
                tokio::task::yield_now().await;
            }
        })
        .await;
    }

    /// Waits until nobody is connected but who asks.
    pub(crate) async fn deserted(&self) {
        let mut peer = self.peer().await;
        soon(async {
            while peer.table("workers").await.len() > 1 {
                tokio::task::yield_now().await;
            }
        })
        .await;
    }
}

/// A peer that writes bytes and reads responses.
pub(crate) struct Peer {
    stream: TcpConnection,
    decoder: Decoder,
    arrived: VecDeque<Response>,
}

impl Peer {
    pub(crate) async fn write(&mut self, bytes: &[u8]) {
        soon(self.stream.write_all(bytes)).await.unwrap();
    }

    pub(crate) async fn send(&mut self, requests: &[Request]) {
        self.write(&encoded(requests)).await;
    }

    pub(crate) async fn half_close(&mut self) {
        soon(self.stream.shutdown()).await.unwrap();
    }

    /// The next response, which must come.
    pub(crate) async fn next(&mut self) -> Response {
        self.next_or_end().await.expect("the server closed the connection")
    }

    /// The next response; `None` when the server has closed the connection.
    pub(crate) async fn next_or_end(&mut self) -> Option<Response> {
        let mut buffer = vec![0; 64 * 1024];
        while self.arrived.is_empty() {
            let count = soon(self.stream.read(&mut buffer)).await.expect("it was closed in peace");
            let mut input = &buffer[..count];
            if count == 0 {
                return None;
            }
            while let Some(frame) = self.decoder.decode(&mut input).unwrap() {
                self.arrived.push_back(Response::parse(frame).unwrap());
            }
        }
        self.arrived.pop_front()
    }

    /// The next line of text, which must come.
    pub(crate) async fn line(&mut self) -> String {
        let response = self.next().await;
        let Response::Admin(AdminReply::Line(line)) = response else { panic!("no line but {response:?}") };
        String::from_utf8(line.to_vec()).unwrap()
    }

    /// The lines that a command of the text protocol is answered with, up to the dot.
    pub(crate) async fn table(&mut self, command: &str) -> Vec<String> {
        self.write(format!("{command}\n").as_bytes()).await;
        let mut lines = Vec::new();
        loop {
            match self.line().await.as_str() {
                "." => return lines,
                line => lines.push(line.to_owned()),
            }
        }
    }

    /// Takes a job, which must be there.
    pub(crate) async fn grab(&mut self, function: &str) -> Assignment {
        self.send(&[can_do(function), Request::Grab(Grab::Plain)]).await;
        let response = self.next().await;
        let Response::JobAssign(assignment) = response else { panic!("no job but {response:?}") };
        assignment
    }

    /// Submits a job, which must be taken.
    pub(crate) async fn submit(&mut self, mode: Mode, function: &str, workload: &'static str) -> Handle {
        self.send(&[submit(mode, function, workload)]).await;
        let response = self.next().await;
        let Response::JobCreated { handle } = response else { panic!("not taken: {response:?}") };
        handle
    }
}

pub(crate) fn encoded(requests: &[Request]) -> Vec<u8> {
    let mut out = Outward::new();
    requests.iter().for_each(|request| request.encode(&mut out));
    out.to_vec()
}

pub(crate) fn can_do(function: &str) -> Request {
    Request::CanDo { function: name(function), timeout: None }
}

pub(crate) fn submit(mode: Mode, function: &str, workload: impl Into<Bytes>) -> Request {
    Request::Submit(Submit {
        function: name(function),
        unique: Unique::default(),
        priority: Priority::Normal,
        mode,
        reducer: None,
        workload: workload.into(),
    })
}

pub(crate) fn complete(handle: &Handle, result: impl Into<Bytes>) -> Request {
    Request::Work { handle: handle.clone(), report: Report::Complete(result.into()) }
}

pub(crate) fn completed(handle: &Handle, result: impl Into<Bytes>) -> Response {
    Response::Work { handle: handle.clone(), report: Report::Complete(result.into()) }
}

fn name(function: &str) -> FunctionName {
    FunctionName::new(Bytes::copy_from_slice(function.as_bytes())).unwrap()
}

/// What a worker does in most tests.
pub(crate) async fn reverse(job: Job) -> Result<Bytes, Failure> {
    Ok(job.workload().iter().rev().copied().collect())
}

/// Bytes of every value, with no period that a buffer could have.
pub(crate) fn noise(length: usize) -> Bytes {
    let mut state = 0x2545_f491_4f6c_dd1d_u64;
    let mut next = || {
        state ^= state << 13;
        state ^= state >> 7;
        state ^= state << 17;
        state.to_le_bytes()[0]
    };
    (0..length).map(|_| next()).collect()
}
