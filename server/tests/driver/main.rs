//! What the driver does for an engine, seen from the engine's side: a double at the doors writes down every
//! event and answers as a test says, over a network within the process and in time that does not pass by itself.

#[cfg(test)]
mod booth;
mod carrying;
mod endings;
#[cfg(test)]
mod outside;
#[cfg(test)]
mod prepared;
