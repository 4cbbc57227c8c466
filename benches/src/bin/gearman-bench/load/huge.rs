//! One job whose workload is as large as the protocol allows.

use super::peers::{FUNCTION, introduce, surprise};
use crate::failure::{Failure, Result};
use crate::figure::Figure;
use crate::packet::Packet;
use crate::sample::{Meter, Sample, Target};
use crate::stopwatch::Stopwatch;
use gearman_protocol::{HEADER_LENGTH, Magic, Outward, PacketType};
use std::io::{Read, Write};
use std::net::TcpStream;

/// How much is written and read at once, in bytes.
const PIECE: usize = 1 << 20;
/// After how many bytes the workload repeats itself.
const PERIOD: u8 = 251;
/// What else is in the packets that carry the workload: the function, a handle, and NULs.
const ROOM: u32 = 128;

/// One job as large as the protocol allows, through blocking sockets.
#[derive(Debug)]
pub(crate) struct Huge;

impl Huge {
    /// The largest workload whose assignment too is a packet, in bytes.
    pub(crate) const LARGEST: u32 = u32::MAX - ROOM;

    /// A workload of so many bytes goes to a worker, and a small result comes back.
    pub(crate) fn run(target: &Target, watch: Stopwatch, size: u32) -> Result<Sample> {
        let connect = || TcpStream::connect(target.address(0)).map_err(Failure::at("connect"));
        let (mut client, mut worker) = (connect()?, connect()?);
        let mut meter = Meter::new(target, watch)?;
        let before = meter.resident()?;
        let began = meter.now();
        submit(&mut client, size).map_err(Failure::at("write the workload"))?;
        expect(&mut client, PacketType::JobCreated)?;
        let mut out = Outward::new();
        introduce(&[FUNCTION], &mut out);
        worker.write_all(&out.to_vec()).map_err(Failure::at("write"))?;
        let handle = assigned(&mut worker, size)?;
        let mut out = Outward::new();
        let arguments: [&[u8]; 2] = [&handle, b"done"];
        out.put_packet(Magic::Request, PacketType::WorkComplete.number(), &arguments, None);
        worker.write_all(&out.to_vec()).map_err(Failure::at("write"))?;
        expect(&mut client, PacketType::WorkComplete)?;
        meter.done(began);
        let sample = meter.sample()?;
        let copies = meter.peak()?.zip(before).map(|(peak, before)| (peak - before) as f64 / f64::from(size));
        let speed = f64::from(size) / 1e6 / sample.seconds;
        Ok(sample.with(Figure::Megabytes, Some(speed)).with(Figure::Copies, copies))
    }
}

fn submit(client: &mut TcpStream, size: u32) -> std::io::Result<()> {
    let mut body = FUNCTION.to_vec();
    body.extend(b"\0huge\0");
    let length = size + u32::try_from(body.len()).expect("two names");
    client.write_all(&Magic::Request.bytes())?;
    client.write_all(&PacketType::SubmitJob.number().to_be_bytes())?;
    client.write_all(&length.to_be_bytes())?;
    client.write_all(&body)?;
    let pattern = pattern();
    for part in parts(size, &pattern) {
        client.write_all(part)?;
    }
    Ok(())
}

/// What the workload is cut from: bytes whose period is no power of two, so that what was shifted shows.
fn pattern() -> Vec<u8> {
    (0..PERIOD).cycle().take(PIECE + usize::from(PERIOD)).collect()
}

/// The workload in pieces: each byte is its place in the workload, modulo the period.
fn parts(size: u32, pattern: &[u8]) -> impl Iterator<Item = &[u8]> {
    (0..size as usize).step_by(PIECE).map(move |at| {
        let begin = at % usize::from(PERIOD);
        &pattern[begin..begin + PIECE.min(size as usize - at)]
    })
}

/// Reads the assignment; gives the handle.
fn assigned(worker: &mut TcpStream, size: u32) -> Result<Vec<u8>> {
    let header = header(worker)?;
    let length = u32::from_be_bytes(*header.last_chunk().expect("a header"));
    if header[..8] != [&b"\0RES"[..], &PacketType::JobAssign.number().to_be_bytes()].concat() || length < size
    {
        return Err(Failure::says(format!("no assignment of {size} bytes: {}", header.escape_ascii())));
    }
    let mut names = vec![0; (length - size) as usize];
    worker.read_exact(&mut names).map_err(Failure::at("read the names"))?;
    let (mut piece, pattern) = (vec![0; PIECE], pattern());
    for part in parts(size, &pattern) {
        let arrived = &mut piece[..part.len()];
        worker.read_exact(arrived).map_err(Failure::at("read the workload"))?;
        if arrived != part {
            return Err(Failure::says("the workload did not arrive as it was sent".to_owned()));
        }
    }
    let end = names.iter().position(|&byte| byte == 0).unwrap_or(names.len());
    names.truncate(end);
    Ok(names)
}

fn header(stream: &mut TcpStream) -> Result<[u8; HEADER_LENGTH]> {
    let mut header = [0; HEADER_LENGTH];
    stream.read_exact(&mut header).map_err(Failure::at("read an answer"))?;
    Ok(header)
}

/// Reads a small packet of this type.
fn expect(stream: &mut TcpStream, kind: PacketType) -> Result<()> {
    let mut bytes = header(stream)?.to_vec();
    let length = u32::from_be_bytes(*bytes.last_chunk().expect("a header"));
    bytes.resize(HEADER_LENGTH + length as usize, 0);
    stream.read_exact(&mut bytes[HEADER_LENGTH..]).map_err(Failure::at("read an answer"))?;
    match Packet::cut(&mut &bytes[..])? {
        Some(packet) if packet.kind == kind => Ok(()),
        Some(packet) => Err(surprise("a client", packet)),
        None => Err(Failure::says("no packet")),
    }
}
