//! Whoever sits between the peers and the server and misbehaves.

mod ends;
mod limits;
mod plain;
mod queue;
mod results;
mod stream;
mod workers;

pub(super) use ends::*;
pub(super) use limits::*;
pub(super) use plain::*;
pub(super) use queue::*;
pub(super) use results::*;
pub(super) use stream::*;
pub(super) use workers::*;
