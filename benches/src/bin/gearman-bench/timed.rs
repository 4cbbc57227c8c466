//! Our server with a clock beside its engine: for how long is the lock held that all connections share?

use crate::failure::{Failure, Result};
use crate::stopwatch::{Nanos, Stopwatch};
use gearman_engine::{Config, Doors, Effects, Engine, Event, Figures, FunctionPage};
use gearman_net::{MachineClock, Tcp};
use gearman_protocol::Time;
use std::io::{Read, Write};
use std::net::{SocketAddr, TcpListener, TcpStream};
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::thread;

/// No turn goes on.
const NONE: u64 = u64::MAX;

/// Doors with a clock. A turn of the server hands over events, carries out what the engine wants, and asks for the
/// deadline last, all under the lock: from the first to the last is how long it was held.
struct Timed<D> {
    doors: D,
    watch: Stopwatch,
    /// When the turn began.
    began: AtomicU64,
    held: Arc<AtomicU64>,
}

impl<D: Doors> Doors for Timed<D> {
    fn handle(&mut self, now: Time, event: Event, effects: &mut Effects) {
        if *self.began.get_mut() == NONE {
            *self.began.get_mut() = self.watch.now();
        }
        self.doors.handle(now, event, effects);
    }

    fn deadline(&self) -> Option<Time> {
        let deadline = self.doors.deadline();
        let began = self.began.swap(NONE, Ordering::Relaxed);
        if began != NONE {
            self.held.fetch_add(self.watch.now() - began, Ordering::Relaxed);
        }
        deadline
    }

    fn figures(&self) -> Figures {
        self.doors.figures()
    }

    fn functions(&self, page: usize, most: usize) -> FunctionPage {
        self.doors.functions(page, most)
    }
}

/// Serves until the process ends; who connects to `told_at` is told for how long the engine was held so far.
pub(crate) fn serve(address: SocketAddr, told_at: SocketAddr) -> Result<()> {
    let held = Arc::new(AtomicU64::new(0));
    let teller = TcpListener::bind(told_at).map_err(Failure::at(format!("listen at {told_at}")))?;
    let telling = Arc::clone(&held);
    thread::spawn(move || {
        for mut peer in teller.incoming().flatten() {
            // Who has gone does not want to know.
            let _ = peer.write_all(&telling.load(Ordering::Relaxed).to_be_bytes());
        }
    });
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build();
    runtime.map_err(Failure::at("start"))?.block_on(async {
        let doors = Engine::new(Config::default(), 1);
        let timed = Timed { doors, watch: Stopwatch::new(), began: AtomicU64::new(NONE), held };
        let config = gearman_server::Config::at(address.to_string());
        let server = gearman_server::serve(&Tcp, MachineClock::new(), timed, config);
        server.await.map_err(Failure::at(format!("listen at {address}")))?.finished().await;
        Ok(())
    })
}

/// For how long the engine of the server that tells it here was held so far.
pub(crate) fn held(told_at: SocketAddr) -> Result<Nanos> {
    let mut bytes = [0; size_of::<Nanos>()];
    let heard = TcpStream::connect(told_at).and_then(|mut stream| stream.read_exact(&mut bytes));
    heard.map_err(Failure::at("ask for how long the engine was held"))?;
    Ok(Nanos::from_be_bytes(bytes))
}
