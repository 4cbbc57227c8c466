//! What the server does, as scripts that can be read aloud: each sentence of the rules is the name of a test.

mod script;

mod smoke;
