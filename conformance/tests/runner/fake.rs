//! A server that does what transcripts tell it to, so that every check can be seen to fail.
//!
//! It is honest about the little that the sanity case asks. Beyond that, the body of an ECHO_REQ is an order:
//! `say BYTES` writes bytes as they are, `fin` and `reset` end the connection, `nothing` stays silent, `later BYTES`
//! writes after 50 ms, `turn` answers `yes` and `no` in turns, `mute` silences the whole server, `lie` makes it lose
//! its mind, `exit` ends its process, and anything else is echoed.

use std::collections::{BTreeMap, BTreeSet, VecDeque};
use std::net::Ipv4Addr;
use std::sync::atomic::{AtomicBool, AtomicU32, Ordering};
use std::sync::{Arc, Mutex};
use std::time::Duration;

use gearman_protocol::{Decoder, Frame, Limits};
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::mpsc::{UnboundedSender, unbounded_channel};

/// A waiting job: handle, unique, workload.
type Job = [Vec<u8>; 3];

/// What all connections share.
#[derive(Default)]
struct Shared {
    mute: AtomicBool,
    lie: AtomicBool,
    turns: AtomicU32,
    handles: AtomicU32,
    /// Waiting jobs by their function.
    queues: Mutex<BTreeMap<Vec<u8>, VecDeque<Job>>>,
    /// Who waits for the result of a job, by its handle.
    clients: Mutex<BTreeMap<Vec<u8>, UnboundedSender<Vec<u8>>>>,
    /// What a text command does instead of being answered.
    on_text: &'static str,
}

/// Serves on a thread of its own until the process ends; returns the address.
pub(crate) fn serve() -> String {
    let (sender, receiver) = std::sync::mpsc::channel();
    std::thread::spawn(move || {
        runtime().block_on(async move {
            let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).await.unwrap();
            sender.send(listener.local_addr().unwrap().to_string()).unwrap();
            accept(listener, "").await;
        });
    });
    receiver.recv().unwrap()
}

/// Serves on this thread, for ever; `on_text` is an order that text commands give.
pub(crate) fn serve_here(port: u16, on_text: &'static str) {
    runtime().block_on(async move {
        accept(TcpListener::bind((Ipv4Addr::LOCALHOST, port)).await.unwrap(), on_text).await;
    });
}

fn runtime() -> tokio::runtime::Runtime {
    tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap()
}

async fn accept(listener: TcpListener, on_text: &'static str) {
    let shared = Arc::new(Shared { on_text, lie: AtomicBool::new(on_text == "insane"), ..Shared::default() });
    loop {
        let (stream, _) = listener.accept().await.unwrap();
        let shared = Arc::clone(&shared);
        tokio::spawn(async move { connection(stream, shared).await });
    }
}

async fn connection(mut stream: TcpStream, shared: Arc<Shared>) {
    stream.set_nodelay(true).unwrap();
    let mut decoder = Decoder::new(Limits::default());
    let mut abilities = BTreeSet::new();
    let mut buffer = [0; 65536];
    let (client, mut results) = unbounded_channel::<Vec<u8>>();
    loop {
        let read = tokio::select! {
            read = stream.read(&mut buffer) => read,
            Some(result) = results.recv() => {
                stream.write_all(&result).await.unwrap();
                continue;
            }
        };
        let count = match read {
            Ok(count) if count > 0 => count,
            _ => return,
        };
        let mut input = &buffer[..count];
        while let Ok(Some(frame)) = decoder.decode(&mut input) {
            let goes_on = obey(&frame, &mut stream, &mut abilities, &client, &shared).await;
            if !goes_on {
                return;
            }
        }
    }
}

/// Answers one request; false ends the connection.
async fn obey(
    frame: &Frame,
    stream: &mut TcpStream,
    abilities: &mut BTreeSet<Vec<u8>>,
    client: &UnboundedSender<Vec<u8>>,
    shared: &Shared,
) -> bool {
    if shared.mute.load(Ordering::Relaxed) {
        return true;
    }
    let packet = match frame {
        Frame::Packet(packet) => packet,
        Frame::Line(line) if shared.on_text.is_empty() => {
            stream.write_all(&[line, &b"\n"[..]].concat()).await.unwrap();
            return true;
        }
        Frame::Line(_) => return order(shared.on_text.as_bytes(), stream, shared).await,
        Frame::Oversized { .. } => return true,
    };
    let arguments: Vec<Vec<u8>> = packet.body.splitn(3, |&byte| byte == 0).map(<[u8]>::to_vec).collect();
    let reply = match packet.packet_type().unwrap().name() {
        "ECHO_REQ" => return order(&packet.body, stream, shared).await,
        "GET_STATUS" if shared.lie.load(Ordering::Relaxed) => {
            response(20, &[&packet.body, b"1", b"1", b"0", b"0"])
        }
        "GET_STATUS" => response(20, &[&packet.body, b"0", b"0", b"0", b"0"]),
        "CAN_DO" => {
            abilities.insert(packet.body.to_vec());
            Vec::new()
        }
        name @ ("SUBMIT_JOB" | "SUBMIT_JOB_BG") => {
            let handle = format!("H:fake:{}", shared.handles.fetch_add(1, Ordering::Relaxed)).into_bytes();
            if name == "SUBMIT_JOB" {
                shared.clients.lock().unwrap().insert(handle.clone(), client.clone());
            }
            let job = [handle.clone(), arguments[1].clone(), arguments[2].clone()];
            shared.queues.lock().unwrap().entry(arguments[0].clone()).or_default().push_back(job);
            response(8, &[&handle])
        }
        "GRAB_JOB_UNIQ" => {
            let mut queues = shared.queues.lock().unwrap();
            let found = abilities.iter().find_map(|name| Some((name, queues.get_mut(name)?.pop_front()?)));
            match found {
                Some((name, [handle, unique, workload])) => {
                    response(31, &[&handle, name, &unique, &workload])
                }
                None => response(10, &[]),
            }
        }
        "WORK_COMPLETE" => {
            if let Some(client) = shared.clients.lock().unwrap().remove(&arguments[0]) {
                let _ = client.send(response(13, &[&arguments[0], &arguments[1]]));
            }
            Vec::new()
        }
        _ => Vec::new(),
    };
    stream.write_all(&reply).await.unwrap();
    true
}

async fn order(body: &[u8], stream: &mut TcpStream, shared: &Shared) -> bool {
    let (word, rest) = body.split_at(body.iter().position(|&byte| byte == b' ').unwrap_or(body.len()));
    let rest = rest.strip_prefix(b" ").unwrap_or(rest);
    let reply = match word {
        b"say" => rest.to_vec(),
        b"later" => {
            tokio::time::sleep(Duration::from_millis(50)).await;
            rest.to_vec()
        }
        b"nothing" => Vec::new(),
        b"fin" => return false,
        b"reset" => {
            stream.set_zero_linger().unwrap();
            return false;
        }
        b"turn" => {
            let turn = shared.turns.fetch_add(1, Ordering::Relaxed);
            response(17, &[if turn.is_multiple_of(2) { &b"yes"[..] } else { b"no" }])
        }
        b"mute" => {
            shared.mute.store(true, Ordering::Relaxed);
            Vec::new()
        }
        b"lie" => {
            shared.lie.store(true, Ordering::Relaxed);
            Vec::new()
        }
        b"exit" => {
            eprintln!("told to exit");
            std::process::exit(9);
        }
        _ => response(17, &[body]),
    };
    stream.write_all(&reply).await.unwrap();
    true
}

/// A packet from the server.
pub(crate) fn response(number: u32, arguments: &[&[u8]]) -> Vec<u8> {
    let body = arguments.join(&0);
    let length = u32::try_from(body.len()).unwrap();
    [b"\0RES", &number.to_be_bytes()[..], &length.to_be_bytes(), &body].concat()
}
