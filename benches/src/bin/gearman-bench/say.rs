//! What is printed for whoever reads it.

use crate::failure::{Failure, Result};
use std::fmt::Display;
use std::io::{self, ErrorKind, Write};

/// Prints a text and ends the line.
///
/// # Errors
/// [`Failure::Unheard`] if nobody reads any more, as behind `| head`.
pub(crate) fn say(text: impl Display) -> Result<()> {
    say_to(&mut io::stdout(), text)
}

fn say_to(reader: &mut impl Write, text: impl Display) -> Result<()> {
    writeln!(reader, "{text}").map_err(|error| {
        let is_unheard = error.kind() == ErrorKind::BrokenPipe;
        if is_unheard { Failure::Unheard } else { Failure::at("print")(error) }
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_reader_that_has_left_is_no_failure_of_the_measurement() {
        let (reader, mut writer) = io::pipe().unwrap();
        assert!(say_to(&mut writer, "heard").is_ok());
        drop(reader);
        assert!(matches!(say_to(&mut writer, "unheard"), Err(Failure::Unheard)));
    }
}
