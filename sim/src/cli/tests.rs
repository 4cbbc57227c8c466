//! What can be typed.

use super::*;
use clap::CommandFactory;

#[test]
fn the_definition_of_the_command_line_is_sound() {
    Cli::command().debug_assert();
}

#[test]
fn the_help_says_what_there_is() {
    insta::assert_snapshot!(Cli::command().render_help().to_string());
}

#[test]
fn no_command_means_run() {
    let cli = Cli::try_parse_from(["gearman-sim", "--seeds", "5..7"]).unwrap();
    assert!(cli.command.is_none());
    assert_eq!(cli.run.seeds, "5..7".parse().unwrap());
}

#[test]
fn a_choice_is_typed_again_as_it_was() {
    let cli = Cli::try_parse_from(["gearman-sim", "--faults", "stall-heal,partition"]).unwrap();
    assert_eq!(cli.run.choice.flags(), ["--faults", "stall-heal,partition"]);
    let none = Cli::try_parse_from(["gearman-sim", "--faults", "none"]).unwrap();
    assert_eq!(none.run.choice.flags(), ["--faults", "none"]);
}
