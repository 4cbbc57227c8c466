//! Gearman clients and workers, generic over the network.
