//! Packet transcripts replayed against any Gearman job server.
