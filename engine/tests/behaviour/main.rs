//! What the server does, as scripts that can be read aloud: each sentence of the rules is the name of a test.

mod script;

mod abilities;
mod admin;
mod coalescing;
mod deadlines;
mod draining;
mod epochs;
mod figures;
mod framing;
mod grabbing;
mod jobs;
mod leaving;
mod limits;
mod long_tables;
mod replaying;
mod reports;
mod retries;
mod statuses;
mod storing;
mod timeouts;
mod very_many;
mod wakeups;
