//! A Gearman engine on a network.
