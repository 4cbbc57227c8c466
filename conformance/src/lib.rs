//! Packet transcripts replayed against any Gearman job server.
//!
//! A *case* is a transcript: what clients and workers send, and what the server must send back.
//! [`language`] reads transcripts, [`play`] plays one of them once, [`run`] plays many against one implementation,
//! [`verdict`] says what came of it with what the implementation's [`profile`] knows, and [`report`] tells people and
//! machines.
//! Every case is carried by the binary ([`suite`]).
//!
//! What is absent here: no case is skipped without a word, nothing is inferred about a server that its profile does not
//! say, and no expectation rests on time where the order of answers can prove it.

pub mod breakage;
pub mod command;
pub mod language;
pub mod launch;
mod mutate;
pub mod play;
pub mod profile;
mod record;
pub mod report;
pub mod run;
pub mod statements;
pub mod suite;
pub mod verdict;
pub mod vocabulary;
