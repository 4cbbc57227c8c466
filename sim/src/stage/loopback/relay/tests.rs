//! A server of our own hand behind a relay, and a peer with two connections.

use super::*;
use crate::network::SERVER_ADDRESS;
use crate::network::rehearsal::{FIRST, ONLY, Rehearsal, TICK};
use std::net::TcpListener;
use std::sync::{Arc, Mutex};
use tokio::io::AsyncReadExt;

/// So many steps are enough for everything that this machine does by itself.
const MANY: usize = 5000;

struct Scene {
    rehearsal: Rehearsal,
    /// The server's ends of the two connections.
    ends: [Option<TcpStream>; 2],
    history: Arc<Mutex<Vec<String>>>,
}

impl Scene {
    fn new() -> Self {
        let door = TcpListener::bind("127.0.0.1:0").unwrap();
        door.set_nonblocking(true).unwrap();
        let backend = Backend {
            at: door.local_addr().unwrap(),
            is_leaving: Rc::new(Cell::new(false)),
            process: Rc::new(Cell::new(std::process::id())),
            turn: Duration::from_millis(TICK),
            refusal: Refusal::default(),
        };
        let history = Arc::new(Mutex::new(Vec::new()));
        let into = Arc::clone(&history);
        let watcher = Box::new(move |entry: &crate::history::Entry| {
            into.lock().unwrap().push(entry.what.to_string());
        });
        let serve = move |network| {
            let backend = backend.clone();
            async move {
                serve(network, FIRST, backend).await.map_err(|error| io::Error::other(error.to_string()))
            }
        };
        let mut rehearsal = Rehearsal::new((&[], 1 << 16), watcher, serve, play);
        rehearsal.state().relay();
        let mut accept = || {
            for _ in 0..MANY {
                if let Ok((end, _)) = door.accept() {
                    end.set_nonblocking(true).unwrap();
                    return Some(end);
                }
                rehearsal.step(1);
            }
            panic!("no connection came");
        };
        let ends = [accept(), accept()];
        Self { rehearsal, ends, history }
    }

    /// Steps until the server hears this on the first connection.
    fn server_hears(&mut self, wanted: impl Fn(&io::Result<usize>) -> bool) {
        for _ in 0..MANY {
            self.rehearsal.step(1);
            let heard = self.ends[0].as_mut().unwrap().read(&mut [0; 64]);
            if wanted(&heard) {
                return;
            }
        }
        panic!("the server does not hear of it");
    }

    /// The server says something on the second connection, and everybody has time to hear it.
    fn server_speaks(&mut self) {
        self.ends[1].as_mut().unwrap().write_all(b"OK\n").unwrap();
        self.rehearsal.step(100);
    }

    /// The server lets go of the first connection, and everybody has time to notice.
    fn server_lets_go(&mut self) {
        self.ends[0] = None;
        for _ in 0..MANY {
            self.rehearsal.step(1);
            if self.place("c0 has ended at the server").is_some() && self.place("c1 < ").is_some() {
                return;
            }
        }
    }

    /// Where the first entry that begins so stands.
    fn place(&self, begin: &str) -> Option<usize> {
        self.history.lock().unwrap().iter().position(|entry| entry.starts_with(begin))
    }
}

/// Dials twice and reads for ever.
async fn play(network: SimNetwork) -> io::Result<()> {
    let first = network.connect(SERVER_ADDRESS).await?;
    let second = network.connect(SERVER_ADDRESS).await?;
    tokio::task::spawn_local(read(first));
    read(second).await;
    Ok(())
}

async fn read(mut stream: SimStream) {
    while let Ok(1..) = stream.read(&mut [0; 64]).await {}
}

/// What the server says while it may or may not have noticed an end is heard after the end.
fn comes_after_the_end(mut scene: Scene) {
    scene.server_speaks();
    assert_eq!((scene.place("c0 has ended at the server"), scene.place("c1 < ")), (None, None));
    scene.server_lets_go();
    let (ended, heard) = (scene.place("c0 has ended at the server"), scene.place("c1 < "));
    assert!(ended.is_some() && ended < heard, "{:?}", scene.history.lock().unwrap());
}

#[test]
fn nothing_is_heard_between_a_reset_and_the_servers_letting_go() {
    let mut scene = Scene::new();
    scene.rehearsal.state().sever(ONLY, Fate::Broken);
    scene.server_hears(|heard| heard.as_ref().is_err_and(|error| error.kind() == ErrorKind::ConnectionReset));
    comes_after_the_end(scene);
}

#[test]
fn nothing_is_heard_between_the_end_of_a_stream_and_the_servers_closing() {
    let mut scene = Scene::new();
    scene.rehearsal.state().sever(ONLY, Fate::Left);
    scene.server_hears(|heard| matches!(heard, Ok(0)));
    comes_after_the_end(scene);
}

#[test]
fn a_server_that_closes_by_itself_is_heard_at_once() {
    let mut scene = Scene::new();
    scene.ends[0] = None;
    scene.server_speaks();
    let ended = scene.place("c0 has ended at the server");
    assert!(ended.is_some() && ended < scene.place("c0 closed by the server"));
    assert!(scene.place("c1 < ").is_some());
}

fn decoder() -> Decoder {
    Decoder::new(Limits::default())
}

#[test]
fn nonsense_is_what_makes_a_server_hang_up_in_however_many_pieces_it_comes() {
    let mut pieces = decoder();
    assert!(!is_nonsense(&mut pieces, b"\0REQ\0\0"));
    assert!(!is_nonsense(&mut pieces, b"\0\x09\0\0\0\0version\n"));
    assert!(!is_nonsense(&mut pieces, b"\0BA"));
    assert!(is_nonsense(&mut pieces, b"D\0\0\0\x09"));
}

#[test]
fn a_packet_that_is_refused_alone_is_no_nonsense() {
    // A request of a type that there is not, and a line of the text protocol that nobody knows.
    assert!(!is_nonsense(&mut decoder(), b"\0REQ\0\0\0\xff\0\0\0\0what is this\nversion\n"));
    assert!(is_nonsense(&mut decoder(), &[b'x'; 10_000]));
}

#[test]
fn the_hush_lasts_until_all_ends_are_certain() {
    let hush = Hush::default();
    let other = hush.clone();
    hush.begin();
    other.begin();
    hush.end();
    assert!(hush.is_on());
    other.end();
    assert!(!hush.is_on() && !other.is_on());
}
