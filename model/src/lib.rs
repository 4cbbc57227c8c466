//! A naive Gearman job server, the second opinion the engine is held against.
