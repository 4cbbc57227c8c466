//! The tables that the verbs work on.
//!
//! Records hold the keys of other tables' records, but no table calls another: what a request changes in
//! several of them is the business of the verbs, and what must agree between them is stated in one place,
//! [`Engine::check`](crate::Engine::check).

pub(crate) mod abilities;
pub(crate) mod connections;
pub(crate) mod deadlines;
pub(crate) mod functions;
pub(crate) mod index;
pub(crate) mod jobs;
pub(crate) mod list;
pub(crate) mod long_tables;
pub(crate) mod numbers;
pub(crate) mod outbox;
pub(crate) mod parcel;
pub(crate) mod slab;
pub(crate) mod stores;
