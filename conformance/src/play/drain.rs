//! What a transcript leaves in the queues is taken out again, so that a live server is as it was.

use std::collections::BTreeSet;
use std::time::Duration;

use bytes::{BufMut as _, Bytes, BytesMut};
use gearman_protocol::{HEADER_LENGTH, Magic, PacketType};
use tokio::time::Instant;

use super::Stage;
use super::connection::Connection;
use super::incoming::Message;
use super::timeline::Timeline;

/// How long draining may take; what is left then stays.
const PATIENCE: Duration = Duration::from_secs(2);

/// The longest function name to ask for, in bytes: some servers take more than they should, and a name that does not
/// fit their buffers would end this connection.
const LONGEST_NAME: usize = 4096;

/// The answers that bring a job.
const ASSIGNS: [PacketType; 3] = [PacketType::JobAssign, PacketType::JobAssignUniq, PacketType::JobAssignAll];

/// Takes every job of these functions and fails it; returns how many there were.
///
/// A server that is gone or does not answer is not this function's concern: the sanity case tells.
pub(super) async fn drain(stage: &Stage<'_>, functions: &BTreeSet<Vec<u8>>) -> usize {
    let functions = || functions.iter().filter(|name| (1..=LONGEST_NAME).contains(&name.len()));
    if functions().next().is_none() {
        return 0;
    }
    let deadline = Instant::now() + stage.stretch(PATIENCE);
    let opened = Connection::open(stage, "drain", Timeline::new(), deadline).await;
    let Ok(mut connection) = opened else { return 0 };
    let abilities: Vec<Bytes> = functions().map(|function| packet(PacketType::CanDo, function)).collect();
    connection.send(&[abilities.concat().into()], Duration::ZERO, deadline).await;
    let mut count = 0;
    while let Some(handle) = grab(&mut connection, stage.profile.grab, deadline).await {
        count += 1;
        connection.send(&[packet(PacketType::WorkFail, &handle)], Duration::ZERO, deadline).await;
    }
    connection.finish(deadline).await;
    count
}

/// The handle of the next job; `None` when there is none.
async fn grab(connection: &mut Connection, verb: PacketType, deadline: Instant) -> Option<Vec<u8>> {
    connection.send(&[packet(verb, b"")], Duration::ZERO, deadline).await;
    loop {
        let message = connection.head(deadline).await?;
        connection.incoming.take();
        let Message::Packet(packet) = message else { return None };
        let packet_type = packet.packet_type()?;
        if ASSIGNS.contains(&packet_type) {
            return packet.body.split(|&byte| byte == 0).next().map(<[u8]>::to_vec);
        }
        // A refusal of what this connection sent before is no answer to the grab, and neither is a wake-up.
        if !matches!(packet_type, PacketType::Noop | PacketType::Error) {
            return None;
        }
    }
}

fn packet(packet_type: PacketType, body: &[u8]) -> Bytes {
    let mut wire = BytesMut::with_capacity(HEADER_LENGTH + body.len());
    wire.put_slice(&Magic::Request.bytes());
    wire.put_u32(packet_type.number());
    // Function names and handles are what this tool sent or received in one packet, so their length fits.
    wire.put_u32(u32::try_from(body.len()).unwrap_or(u32::MAX));
    wire.put_slice(body);
    wire.freeze()
}
