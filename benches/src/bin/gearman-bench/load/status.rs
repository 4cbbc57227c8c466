//! Long tables while others are served.

use super::peers::began;
use super::{Functions, Load, PATIENCE, Run};
use crate::failure::{Failure, Result};
use crate::figure::Figure;
use crate::outs::Outs;
use crate::packet::{Packet, request};
use crate::sample::{Meter, Sample, Target};
use crate::stopwatch::{Nanos, SECOND};
use gearman_protocol::PacketType;
use std::io::{Read, Write};
use std::net::{SocketAddr, TcpStream};
use std::sync::mpsc::{self, Receiver, RecvTimeoutError};
use std::thread;
use std::time::Duration;

/// One peer asks for echoes at a fixed rate while another asks for `status` of very many functions, or, if the server
/// serves metrics, scrapes them.
#[derive(Debug)]
pub(crate) struct Status {
    /// The connection that echoes; the one after all others.
    echoer: usize,
    echoed: u64,
    workers: Functions,
}

impl Status {
    /// How many echoes a second.
    const RATE: u64 = 1000;

    /// The latency is the echo's.
    pub(crate) fn run(mut run: Run, functions: usize, workers: usize, long: Nanos) -> Result<Sample> {
        let workers = Functions::connect(&mut run, functions, workers)?;
        let echoer = run.links();
        run.connect(1)?;
        let mut load = Self { echoer, echoed: 0, workers };
        let mut reader = Reader::connect(&run.target)?;
        let (stop, stopped) = mpsc::channel();
        // Whoever reads megabytes cannot see when an echo has come.
        thread::scope(|scope| {
            let reading = scope.spawn(move || {
                // Of two cores the server has one: whoever reads must not keep who echoes from the other. On Linux this
                // is of the thread alone, and nobody is refused it.
                let _ = rustix::process::nice(19);
                reader.read_until(&stopped)
            });
            let echoes = load.echo(&mut run, long);
            drop(stop);
            reading.join().map_err(|_| Failure::says("the reader of tables panicked"))??;
            echoes
        })
    }

    fn echo(&mut self, run: &mut Run, long: Nanos) -> Result<Sample> {
        run.meter.restart()?;
        let start = run.meter.now();
        let echoes = long / (SECOND / Self::RATE);
        for number in 0..echoes {
            let due = start + number * (SECOND / Self::RATE);
            run.until_due(self, due)?;
            request(run.wire.outs().of(self.echoer), PacketType::EchoReq, &[&due.to_be_bytes()]);
        }
        run.until(self, |load, _| load.echoed == echoes)?;
        let sample = run.meter.sample()?;
        let longest = sample.latency_at(1.0);
        Ok(sample.with(Figure::Longest, Some(longest)))
    }
}

impl Load for Status {
    fn packet(&mut self, link: usize, packet: Packet<'_>, outs: &mut Outs, meter: &mut Meter) -> Result<()> {
        if link == self.echoer {
            meter.done(began(packet.body)?);
            self.echoed += 1;
            return Ok(());
        }
        self.workers.packet(link, packet, outs, meter)
    }
}

/// Who asks for long tables, and reads them on a thread of its own.
enum Reader {
    /// Of `status`, on one connection.
    Status(TcpStream),
    /// Of metrics, on a new connection each time.
    Metrics(SocketAddr),
}

impl Reader {
    /// How long it takes from one answer to the next question.
    const REST: Duration = Duration::from_millis(100);

    fn connect(target: &Target) -> Result<Self> {
        match target.metrics {
            Some(address) => Ok(Self::Metrics(address)),
            None => Ok(Self::Status(connect(target.address(0))?)),
        }
    }

    /// Reads one table after the other.
    fn read_until(&mut self, stopped: &Receiver<()>) -> Result<()> {
        let mut memory = vec![0; 256 << 10];
        loop {
            self.read_one(&mut memory)?;
            match stopped.recv_timeout(Self::REST) {
                Err(RecvTimeoutError::Timeout) => {}
                Ok(()) | Err(RecvTimeoutError::Disconnected) => return Ok(()),
            }
        }
    }

    fn read_one(&mut self, memory: &mut [u8]) -> Result<()> {
        match self {
            Self::Status(stream) => {
                write(stream, b"status\n")?;
                // No name and no number in the table has a dot, and its last line is one.
                while !read(stream, memory)?.contains(&b'.') {}
            }
            Self::Metrics(address) => {
                let mut stream = connect(*address)?;
                write(&mut stream, b"GET /metrics HTTP/1.1\r\nHost: bench\r\nConnection: close\r\n\r\n")?;
                let begins = read(&mut stream, memory)?.starts_with(b"HTTP/1.1 200 ");
                if !begins {
                    return Err(Failure::says("the metrics page is not given"));
                }
                while stream.read(memory).map_err(Failure::at("read metrics"))? > 0 {}
            }
        }
        Ok(())
    }
}

fn connect(address: SocketAddr) -> Result<TcpStream> {
    let stream = TcpStream::connect(address).map_err(Failure::at(format!("connect to {address}")))?;
    let patience = Duration::from_nanos(PATIENCE);
    stream.set_read_timeout(Some(patience)).map_err(Failure::at("a new connection"))?;
    Ok(stream)
}

fn write(stream: &mut TcpStream, question: &[u8]) -> Result<()> {
    stream.write_all(question).map_err(Failure::at("ask for a table"))
}

/// Some bytes of a table; there must be more.
fn read<'a>(stream: &mut TcpStream, memory: &'a mut [u8]) -> Result<&'a [u8]> {
    match stream.read(memory).map_err(Failure::at("read a table"))? {
        0 => Err(Failure::says("the server ended within a table")),
        some => Ok(&memory[..some]),
    }
}
