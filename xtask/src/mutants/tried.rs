//! What came of the changes that were tried.

use std::fs;
use std::io::ErrorKind;
use std::path::Path;

/// Changes, as cargo-mutants names them, by what came of them.
#[derive(Debug, Default, PartialEq, Eq)]
pub(super) struct Tried {
    /// How many made a test fail.
    pub(super) caught: usize,
    /// Those with which the tests did not end.
    pub(super) hung: Vec<String>,
    /// How many do not compile.
    pub(super) unviable: usize,
    /// Those that nobody saw.
    pub(super) survivors: Vec<String>,
}

impl Tried {
    /// As one run of cargo-mutants has left it.
    pub(super) fn read(home: &Path) -> Result<Self, String> {
        let lines = |name: &str| {
            let file = home.join("mutants.out").join(name);
            match fs::read_to_string(&file) {
                Ok(text) => Ok(text.lines().map(str::to_owned).collect::<Vec<_>>()),
                Err(error) if error.kind() == ErrorKind::NotFound => Ok(Vec::new()),
                Err(error) => Err(format!("{}: {error}", file.display())),
            }
        };
        Ok(Self {
            caught: lines("caught.txt")?.len(),
            hung: lines("timeout.txt")?,
            unviable: lines("unviable.txt")?.len(),
            survivors: lines("missed.txt")?,
        })
    }

    /// This, after a second run with those that the first did not see. Nothing may get lost between the two.
    pub(super) fn then(self, second: Self) -> Result<Self, String> {
        if second.unviable > 0 || second.viable() != self.survivors.len() {
            let (left, tried) = (self.survivors.len(), second.viable());
            return Err(format!("of {left} changes that quick tests did not see {tried} were tried again"));
        }
        Ok(Self {
            caught: self.caught + second.caught,
            hung: self.hung.into_iter().chain(second.hung).collect(),
            unviable: self.unviable,
            survivors: second.survivors,
        })
    }

    /// How many compile.
    pub(super) fn viable(&self) -> usize {
        self.seen() + self.survivors.len()
    }

    /// How many somebody saw. A test that does not end is seen by whoever waits for it.
    pub(super) fn seen(&self) -> usize {
        self.caught + self.hung.len()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_second_run_decides_about_what_the_first_has_not_seen() {
        let names = |names: &[&str]| names.iter().map(|&name| name.to_owned()).collect::<Vec<_>>();
        let first =
            || Tried { caught: 80, hung: names(&["h"]), unviable: 4, survivors: names(&["a", "b", "c"]) };
        let second = Tried { caught: 1, hung: names(&["a"]), unviable: 0, survivors: names(&["b"]) };
        let both = first().then(second).unwrap();
        assert_eq!(
            both,
            Tried { caught: 81, hung: names(&["h", "a"]), unviable: 4, survivors: names(&["b"]) }
        );
        assert_eq!((both.viable(), both.seen()), (84, 83));
        assert!(first().then(Tried { caught: 2, ..Tried::default() }).is_err(), "one is lost");
        assert!(first().then(Tried { caught: 2, unviable: 1, ..Tried::default() }).is_err());
    }
}
