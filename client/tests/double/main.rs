//! Clients and workers against a server that is written out word for word, over a network within the process
//! and in time that does not pass by itself: what other servers do in the field, and what ours must never see.

#[cfg(test)]
mod calls;
#[cfg(test)]
mod jobs;
#[cfg(test)]
mod largest;
#[cfg(test)]
mod server;
