//! What the server does, as scripts that can be read aloud: each sentence of the rules is the name of a test.

mod script;

mod abilities;
mod admin;
mod coalescing;
mod epochs;
mod framing;
mod grabbing;
mod jobs;
mod leaving;
mod reports;
mod retries;
mod statuses;
mod timeouts;
mod wakeups;
