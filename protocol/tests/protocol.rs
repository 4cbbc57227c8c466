//! What holds for every message, and the layouts that peers rely on.

#[path = "protocol/admin_replies.rs"]
mod admin_replies;
#[path = "protocol/admin_requests.rs"]
mod admin_requests;
#[path = "protocol/copies.rs"]
mod copies;
#[path = "protocol/dictionary.rs"]
mod dictionary;
#[path = "protocol/largest.rs"]
mod largest;
#[path = "protocol/lengths.rs"]
mod lengths;
#[path = "protocol/messages.rs"]
mod messages;
#[path = "protocol/outward.rs"]
mod outward;
#[path = "protocol/round_trip.rs"]
mod round_trip;
#[path = "protocol/splits.rs"]
mod splits;
#[path = "protocol/tables.rs"]
mod tables;
