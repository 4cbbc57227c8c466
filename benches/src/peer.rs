//! A peer that waits for each answer, over a blocking socket.

use gearman_engine::Engine;
use gearman_net::{MachineClock, Tcp};
use gearman_protocol::{Decoder, Limits, Outward, Request, Response};
use std::io::{Read, Write};
use std::net::TcpStream;
use std::sync::mpsc;
use std::thread;

/// Starts a server in a thread of its own, and tells where it listens. It ends with the process.
///
/// # Panics
/// If the machine gives no port of its own.
#[must_use]
pub fn listen() -> String {
    let (tell, told) = mpsc::channel();
    thread::spawn(move || {
        let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().expect("a runtime");
        runtime.block_on(async move {
            let engine = Engine::new(gearman_engine::Config::default(), 1);
            let config = gearman_server::Config::at("127.0.0.1:0");
            let server = gearman_server::serve(&Tcp, MachineClock::new(), engine, config).await;
            let server = server.expect("a port of this machine");
            tell.send(server.addresses()[0].clone()).expect("the bench waits for it");
            server.finished().await
        })
    });
    told.recv().expect("the server has started")
}

/// One connection to a server.
#[derive(Debug)]
pub struct Peer {
    socket: TcpStream,
    decoder: Decoder,
    read: Vec<u8>,
    /// Which part of what was read is not used yet.
    unused: std::ops::Range<usize>,
}

impl Peer {
    /// Connects to the server at an address.
    ///
    /// # Panics
    /// If there is none.
    #[must_use]
    pub fn connect(address: &str) -> Self {
        let socket = TcpStream::connect(address).expect("a server that listens");
        socket.set_nodelay(true).expect("a TCP socket");
        Self { socket, decoder: Decoder::new(Limits::default()), read: vec![0; 64 << 10], unused: 0..0 }
    }

    /// Sends a request.
    ///
    /// # Panics
    /// If the server has closed the connection.
    pub fn ask(&mut self, request: &Request) {
        let mut out = Outward::new();
        request.encode(&mut out);
        self.socket.write_all(&out.to_vec()).expect("the server listens");
    }

    /// Waits for the next response.
    ///
    /// # Panics
    /// If the server has closed the connection, or what it says is no response.
    pub fn hear(&mut self) -> Response {
        loop {
            let mut input = &self.read[self.unused.clone()];
            let frame = self.decoder.decode(&mut input).expect("good bytes");
            self.unused.start = self.unused.end - input.len();
            if let Some(frame) = frame {
                return Response::parse(frame).expect("a response");
            }
            let count = self.socket.read(&mut self.read).expect("the server speaks");
            assert!(count > 0, "the server has closed the connection");
            self.unused = 0..count;
        }
    }
}
