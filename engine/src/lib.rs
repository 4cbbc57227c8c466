//! What a Gearman job server does, as a pure state machine.
