//! The Gearman wire protocol: packets, text commands, decoding and encoding.
