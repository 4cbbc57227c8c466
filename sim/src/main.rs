//! The command line of the simulator; what it does is the library's.

use gearman_sim::cli::{self, Exit};

fn main() -> Exit {
    cli::main()
}
