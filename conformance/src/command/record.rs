//! `record`.

use std::fs::{File, OpenOptions};
use std::path::Path;
use std::sync::{Arc, Mutex, PoisonError};

use clap::Args;
use tokio::net::TcpListener;
use tokio::signal::unix::{SignalKind, signal};

use super::Refusal;
use crate::record::{Recorder, capture, proxy};
use crate::report::Exit;

/// Write a transcript of what passes by, or of what was captured.
///
/// A proxy that decodes what it carries and writes it down as a legal transcript, line by line: point clients and workers
/// at --listen, and let them meet at the server behind --upstream.
/// Connections are named by their first verb (c submits, w works, a speaks text), handles become variables, functions
/// carry ${ns}, and long workloads are made by rule.
/// Whoever crashes, what was written until then is a transcript.
#[derive(Debug, Args)]
#[command(after_help = "\
Examples:
  gearman-conformance record --listen 127.0.0.1:4731 --upstream 127.0.0.1:4730 --out seen.gtx
  gearman-conformance run seen.gtx --target 127.0.0.1:4730      what was recorded, played again
  tcpdump -i lo -w seen.pcap port 4730                          or capture first, and record from the capture:
  gearman-conformance record --pcap seen.pcap --port 4730 --out seen.gtx

Record, trim, say why the case exists, and commit; `fmt` and `lint` know the rest.
At the end the packets are counted, a line for each type: way (REQ to the server, RES from it), number, count, name.")]
pub(super) struct RecordArguments {
    /// Where clients and workers connect; port 0 takes a free one and tells it.
    #[arg(long, value_name = "HOST:PORT", requires = "upstream", conflicts_with = "pcap")]
    listen: Option<String>,
    /// The server that they are to meet.
    #[arg(long, value_name = "HOST:PORT", requires = "listen")]
    upstream: Option<String>,
    /// A capture to read instead, pcap or pcapng.
    #[arg(long, value_name = "FILE")]
    pcap: Option<String>,
    /// The server's port in the capture.
    #[arg(long, value_name = "PORT", default_value_t = 4730)]
    port: u16,
    /// The transcript to write.
    #[arg(short, long, value_name = "FILE")]
    out: String,
    /// Write over a file that is there.
    #[arg(long)]
    force: bool,
    /// End when so many connections have come and gone [default: when it is told to].
    #[arg(long, value_name = "N")]
    connections: Option<usize>,
}

/// Writes a transcript of what passes by, or of what was captured.
pub(super) fn run(arguments: &RecordArguments) -> Result<Exit, Refusal> {
    let usage = |error: &dyn std::fmt::Display| Refusal::usage(format!("{}: {error}", arguments.out));
    // What was recorded before is not thrown away by a typing error.
    let mut options = OpenOptions::new();
    options.write(true).create(true).truncate(arguments.force).create_new(!arguments.force);
    let out = options.open(&arguments.out).map_err(|error| {
        if error.kind() == std::io::ErrorKind::AlreadyExists {
            usage(&"is there already; give another name, or --force")
        } else {
            usage(&error)
        }
    })?;
    let mut recorder = Recorder::new(out, id(&arguments.out)).map_err(|error| usage(&error))?;
    if let Some(path) = &arguments.pcap {
        let file = File::open(path).map_err(|error| Refusal::usage(format!("{path}: {error}")))?;
        capture::read(file, arguments.port, &mut recorder)
            .map_err(|error| Refusal::usage(format!("{path}: {error}")))?;
        return finish(&mut recorder, arguments);
    }
    let (Some(listen), Some(upstream)) = (&arguments.listen, &arguments.upstream) else {
        return Err(Refusal::usage("give --listen HOST:PORT and --upstream HOST:PORT, or --pcap FILE"));
    };
    let runtime = tokio::runtime::Builder::new_current_thread()
        .enable_all()
        .build()
        .map_err(|error| Refusal { exit: Exit::Own, message: error.to_string() })?;
    let recorder = Arc::new(Mutex::new(recorder));
    runtime.block_on(carry(listen, upstream, &recorder, arguments))?;
    finish(&mut recorder.lock().unwrap_or_else(PoisonError::into_inner), arguments)
}

async fn carry(
    listen: &str,
    upstream: &str,
    recorder: &Arc<Mutex<Recorder>>,
    arguments: &RecordArguments,
) -> Result<(), Refusal> {
    let own = |error: std::io::Error| Refusal { exit: Exit::Own, message: error.to_string() };
    let listener = TcpListener::bind(listen)
        .await
        .map_err(|error| Refusal::usage(format!("--listen {listen}: {error}")))?;
    let address = listener.local_addr().map_err(own)?;
    anstream::println!("recording at {address} what goes to {upstream}; Ctrl-C ends it");
    let mut terminate = signal(SignalKind::terminate()).map_err(own)?;
    let carried = proxy::carry(listener, upstream.to_owned(), Arc::clone(recorder), arguments.connections);
    tokio::select! {
        carried = carried => carried.map_err(|error| Refusal { exit: Exit::Own, message: format!("{}: {error}", arguments.out) }),
        _ = tokio::signal::ctrl_c() => Ok(()),
        _ = terminate.recv() => Ok(()),
    }
}

fn finish(recorder: &mut Recorder, arguments: &RecordArguments) -> Result<Exit, Refusal> {
    recorder.finish().map_err(|error| Refusal { exit: Exit::Own, message: error.to_string() })?;
    for line in recorder.counts() {
        anstream::println!("{line}");
    }
    anstream::println!("written to {}", arguments.out);
    Ok(Exit::Met)
}

/// An id that says where the file is: the last folder and the name.
fn id(out: &str) -> String {
    let word = |text: Option<&std::ffi::OsStr>| {
        let text = text.map(|text| text.to_string_lossy().to_lowercase()).unwrap_or_default();
        let kept: String =
            text.chars().map(|c| if c.is_ascii_alphanumeric() || c == '-' { c } else { '-' }).collect();
        if kept.starts_with(|c: char| c.is_ascii_alphabetic()) { kept } else { format!("recorded{kept}") }
    };
    let path = Path::new(out);
    let chapter = path.parent().and_then(Path::file_name);
    let chapter = if chapter.is_some() { word(chapter) } else { "recordings".to_owned() };
    format!("{chapter}/{}", word(path.file_stem()))
}
