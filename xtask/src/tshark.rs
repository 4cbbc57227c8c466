//! The recorder's reading of a capture beside that of Wireshark, which knows the protocol independently of us.

use std::collections::{BTreeMap, BTreeSet};
use std::path::{Path, PathBuf};
use std::process::{Command, ExitCode};

/// Which capture to read.
#[derive(clap::Args)]
pub(crate) struct Options {
    /// A pcap or pcapng file; without one, the capture of five libraries that the tests have.
    file: Option<PathBuf>,
    /// The server's port in it.
    #[arg(long, default_value_t = 14741)]
    port: u16,
}

/// How many packets there are of each kind: `REQ` or `RES`, and the number of the type.
type Counts = BTreeMap<(String, u32), u64>;

pub(crate) fn run(root: &Path, options: &Options) -> ExitCode {
    match compare(root, options) {
        Ok(()) => ExitCode::SUCCESS,
        Err(what) => {
            eprintln!("tshark: {what}");
            ExitCode::FAILURE
        }
    }
}

fn compare(root: &Path, options: &Options) -> Result<(), String> {
    let usual = root.join("conformance/tests/captures/libraries.pcap");
    let file = options.file.as_deref().unwrap_or(&usual);
    let theirs = counts_of_tshark(file, options.port)?;
    let ours = counts_of_recorder(root, file, options.port)?;
    let kinds: BTreeSet<_> = theirs.keys().chain(ours.keys()).collect();
    let mut differ = 0;
    for kind in &kinds {
        let count = |counts: &Counts| counts.get(*kind).copied().unwrap_or(0);
        if count(&ours) != count(&theirs) {
            differ += 1;
            let (magic, number) = kind;
            println!("{magic} {number}: {} by the recorder, {} by tshark", count(&ours), count(&theirs));
        }
    }
    let total: u64 = ours.values().sum();
    if total == 0 {
        return Err(format!("there is no packet to or from port {} in {}", options.port, file.display()));
    }
    if differ > 0 {
        return Err(format!("{differ} of {} kinds of packets are counted otherwise", kinds.len()));
    }
    println!("tshark: {total} packets of {} kinds, counted alike by the recorder and by tshark", kinds.len());
    Ok(())
}

fn counts_of_tshark(file: &Path, port: u16) -> Result<Counts, String> {
    let mut command = Command::new("tshark");
    command.arg("-r").arg(file).args(["-d", &format!("tcp.port=={port},gearman"), "-Y", "gearman"]);
    command.args(["-T", "fields", "-e", "gearman.magic_code", "-e", "gearman.pkt_type"]);
    let output = command
        .output()
        .map_err(|error| format!("it is needed and not there ({error}): apt-get install tshark"))?;
    if !output.status.success() {
        return Err(String::from_utf8_lossy(&output.stderr).trim().to_owned());
    }
    let mut counts = Counts::new();
    for line in String::from_utf8_lossy(&output.stdout).lines() {
        // A frame may hold several packets; a line of text has neither magic nor type.
        let (magics, types) = line.split_once('\t').unwrap_or((line, ""));
        for (magic, number) in magics.split(',').zip(types.split(',')) {
            if let Ok(number) = number.parse() {
                *counts.entry((magic.to_owned(), number)).or_default() += 1;
            }
        }
    }
    Ok(counts)
}

fn counts_of_recorder(root: &Path, file: &Path, port: u16) -> Result<Counts, String> {
    let file = std::path::absolute(file).map_err(|error| error.to_string())?;
    let out = root.join("target/tshark.gtx");
    let mut command = Command::new(env!("CARGO"));
    command.args([
        "run",
        "--quiet",
        "--release",
        "--package",
        "gearman-conformance",
        "--",
        "record",
        "--pcap",
    ]);
    command.arg(file).args(["--port", &port.to_string(), "--force", "--out"]).arg(out);
    let output = command.current_dir(root).output().map_err(|error| error.to_string())?;
    if !output.status.success() {
        return Err(String::from_utf8_lossy(&output.stderr).trim().to_owned());
    }
    let text = String::from_utf8_lossy(&output.stdout);
    let counted = text.lines().filter_map(|line| {
        let mut words = line.split(' ');
        let magic = words.next().filter(|magic| ["REQ", "RES"].contains(magic))?;
        Some(((magic.to_owned(), words.next()?.parse().ok()?), words.next()?.parse().ok()?))
    });
    Ok(counted.collect())
}
