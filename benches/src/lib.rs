//! How fast: criterion benches of codec, engine and socket.
