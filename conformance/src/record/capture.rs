//! Captured traffic (pcap and pcapng) as a transcript.

use std::collections::BTreeMap;
use std::fs::File;
use std::io;
use std::net::IpAddr;

use etherparse::{NetSlice, SlicedPacket, TcpSlice, TransportSlice};
use pcap_parser::traits::PcapNGPacketBlock as _;
use pcap_parser::{Block, Linktype, PcapBlockOwned, PcapError, create_reader};

use super::Recorder;
use crate::play::{Ended, Incoming};

/// How many bytes of the file are looked at together: more than any frame has.
const WINDOW: usize = 1024 * 1024;

/// Writes down what a capture shows of the connections to a port.
///
/// # Errors
///
/// The file is no capture, or the transcript cannot be written.
pub(crate) fn read(file: File, port: u16, recorder: &mut Recorder) -> io::Result<()> {
    let mut reader = create_reader(WINDOW, file).map_err(|error| not_a_capture(&error))?;
    let mut links = Vec::new();
    let mut streams = Streams { port, recorder, connections: BTreeMap::new() };
    loop {
        match reader.next() {
            Ok((length, block)) => {
                match block {
                    PcapBlockOwned::LegacyHeader(header) => links = vec![header.network],
                    PcapBlockOwned::Legacy(block) => streams.frame(links.first(), block.data)?,
                    PcapBlockOwned::NG(Block::SectionHeader(_)) => links.clear(),
                    PcapBlockOwned::NG(Block::InterfaceDescription(interface)) => {
                        links.push(interface.linktype);
                    }
                    PcapBlockOwned::NG(Block::EnhancedPacket(packet)) => {
                        let link = usize::try_from(packet.if_id).ok().and_then(|at| links.get(at));
                        streams.frame(link, packet.packet_data())?;
                    }
                    PcapBlockOwned::NG(_) => {}
                }
                reader.consume(length);
            }
            Err(PcapError::Eof) => return Ok(()),
            Err(PcapError::Incomplete(_)) => {
                reader.refill().map_err(|error| not_a_capture(&error))?;
                if reader.reader_exhausted() && reader.data().is_empty() {
                    return Ok(());
                }
            }
            Err(error) => return Err(not_a_capture(&error)),
        }
    }
}

fn not_a_capture(error: &impl std::fmt::Debug) -> io::Error {
    io::Error::other(format!("this is no pcap or pcapng, or it is cut off: {error:?}"))
}

/// The peer's end of a connection.
type Peer = (IpAddr, u16);

struct Streams<'r> {
    port: u16,
    recorder: &'r mut Recorder,
    connections: BTreeMap<(Peer, IpAddr), Connection>,
}

struct Connection {
    at: usize,
    from_peer: Direction,
    from_server: Direction,
}

impl Streams<'_> {
    fn frame(&mut self, link: Option<&Linktype>, data: &[u8]) -> io::Result<()> {
        let sliced = match link.copied() {
            Some(Linktype::ETHERNET) => SlicedPacket::from_ethernet(data),
            Some(Linktype::RAW | Linktype::IPV4 | Linktype::IPV6) => SlicedPacket::from_ip(data),
            Some(Linktype::NULL) if data.len() > 4 => SlicedPacket::from_ip(&data[4..]),
            Some(Linktype::LINUX_SLL) => SlicedPacket::from_linux_sll(data),
            Some(Linktype(276)) if data.len() > 20 => SlicedPacket::from_ip(&data[20..]),
            _ => {
                return Err(io::Error::other(
                    "frames of this kind of link cannot be read; capture on lo or on an Ethernet device",
                ));
            }
        };
        // What cannot be cut up is no TCP, or was captured in part only.
        let Ok(sliced) = sliced else { return Ok(()) };
        let (source, destination) = match &sliced.net {
            Some(NetSlice::Ipv4(ip)) => {
                (IpAddr::from(ip.header().source_addr()), IpAddr::from(ip.header().destination_addr()))
            }
            Some(NetSlice::Ipv6(ip)) => {
                (IpAddr::from(ip.header().source_addr()), IpAddr::from(ip.header().destination_addr()))
            }
            _ => return Ok(()),
        };
        match &sliced.transport {
            Some(TransportSlice::Tcp(tcp)) if tcp.destination_port() == self.port => {
                self.segment(((source, tcp.source_port()), destination), true, tcp)
            }
            Some(TransportSlice::Tcp(tcp)) if tcp.source_port() == self.port => {
                self.segment(((destination, tcp.destination_port()), source), false, tcp)
            }
            _ => Ok(()),
        }
    }

    fn segment(&mut self, key: (Peer, IpAddr), is_upward: bool, tcp: &TcpSlice<'_>) -> io::Result<()> {
        if is_upward && tcp.syn() {
            // The port of an ended connection may be used again.
            self.connections.remove(&key);
        }
        let recorder = &mut *self.recorder;
        let connection = self.connections.entry(key).or_insert_with(|| Connection {
            at: recorder.opened(),
            from_peer: Direction::new(Incoming::from_client()),
            from_server: Direction::new(Incoming::from_server()),
        });
        let direction = if is_upward { &mut connection.from_peer } else { &mut connection.from_server };
        direction.take(tcp);
        for message in direction.incoming.take_all() {
            if is_upward {
                recorder.peer_says(connection.at, &message)?;
            } else {
                recorder.server_says(connection.at, &message)?;
            }
        }
        Ok(())
    }
}

/// The bytes of one direction, put in order.
struct Direction {
    incoming: Incoming,
    /// The sequence number of the next byte.
    next: Option<u32>,
    /// Segments that came too early, by their distance from `next` when they came.
    early: BTreeMap<u32, Vec<u8>>,
    /// The sequence number behind the last byte.
    end: Option<u32>,
}

impl Direction {
    fn new(incoming: Incoming) -> Self {
        Self { incoming, next: None, early: BTreeMap::new(), end: None }
    }

    fn take(&mut self, tcp: &TcpSlice<'_>) {
        let begins = tcp.sequence_number().wrapping_add(u32::from(tcp.syn()));
        // A capture that began late knows the middle of a connection only.
        self.next.get_or_insert(begins);
        if !tcp.payload().is_empty() {
            self.early.insert(begins, tcp.payload().to_vec());
        }
        if tcp.fin() {
            let length = u32::try_from(tcp.payload().len()).unwrap_or(0);
            self.end = Some(begins.wrapping_add(length));
        }
        while self.advance() {}
        if tcp.rst() {
            self.incoming.end(Ended::Reset);
        } else if self.end.is_some() && self.end == self.next {
            self.incoming.end(Ended::Fin);
        }
    }

    /// Takes a segment in whose turn it is; those that were sent twice are passed over.
    fn advance(&mut self) -> bool {
        let Some(next) = self.next else { return false };
        let begun = |begins: u32| next.wrapping_sub(begins) < u32::MAX / 2;
        let Some(begins) = self.early.keys().copied().find(|&begins| begun(begins)) else { return false };
        let Some(bytes) = self.early.remove(&begins) else { return false };
        let known = usize::try_from(next.wrapping_sub(begins)).unwrap_or(usize::MAX);
        if let Some(fresh) = bytes.get(known..).filter(|fresh| !fresh.is_empty()) {
            let _ = self.incoming.extend(fresh).count();
            self.next = Some(next.wrapping_add(u32::try_from(fresh.len()).unwrap_or(0)));
        }
        true
    }
}
