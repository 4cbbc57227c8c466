//! Packet transcripts replayed against any Gearman job server.

pub mod language;
pub mod launch;
pub mod play;
pub mod profile;
pub mod suite;
pub mod vocabulary;
