//! What came of the changes that were tried.

use std::fs;
use std::io::ErrorKind;
use std::path::Path;

/// Changes, as cargo-mutants names them, by what came of them.
#[derive(Debug, Default, PartialEq, Eq)]
pub(super) struct Tried {
    /// Those that made a test fail.
    pub(super) caught: Vec<String>,
    /// Those with which the tests did not end.
    pub(super) hung: Vec<String>,
    /// Those that nobody saw. What does not compile is not counted.
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
            caught: lines("caught.txt")?,
            hung: lines("timeout.txt")?,
            survivors: lines("missed.txt")?,
        })
    }

    /// Forgets all but those of these names.
    pub(super) fn retain(&mut self, names: &[&str]) {
        for list in [&mut self.caught, &mut self.hung, &mut self.survivors] {
            list.retain(|name| names.contains(&name.as_str()));
        }
    }

    /// Adds what came of others.
    pub(super) fn extend(&mut self, others: Self) {
        self.caught.extend(others.caught);
        self.hung.extend(others.hung);
        self.survivors.extend(others.survivors);
    }

    /// This, after a second run with those that the first did not see.
    ///
    /// The second may have tried others as well. Of those that were left each must have been tried again.
    pub(super) fn then(mut self, second: &Self) -> Result<Self, String> {
        for survivor in std::mem::take(&mut self.survivors) {
            let came_to = |names: &[String]| names.contains(&survivor);
            if came_to(&second.caught) {
                self.caught.push(survivor);
            } else if came_to(&second.hung) {
                self.hung.push(survivor);
            } else if came_to(&second.survivors) {
                self.survivors.push(survivor);
            } else {
                return Err(format!("quick tests did not see {survivor}, and it was not tried again"));
            }
        }
        Ok(self)
    }

    /// How many compile.
    pub(super) fn viable(&self) -> usize {
        self.seen() + self.survivors.len()
    }

    /// How many somebody saw. A test that does not end is seen by whoever waits for it.
    pub(super) fn seen(&self) -> usize {
        self.caught.len() + self.hung.len()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_second_run_decides_about_what_the_first_has_not_seen() {
        let names = |names: &[&str]| names.iter().map(|&name| name.to_owned()).collect::<Vec<_>>();
        let tried = |caught: &[&str], hung: &[&str], survivors: &[&str]| Tried {
            caught: names(caught),
            hung: names(hung),
            survivors: names(survivors),
        };
        let first = || tried(&["x", "y"], &["h"], &["a", "b", "c"]);
        let both = first().then(&tried(&["c", "of another kind"], &["a"], &["b", "x"])).unwrap();
        assert_eq!(both, tried(&["x", "y", "c"], &["h", "a"], &["b"]));
        assert_eq!((both.viable(), both.seen()), (6, 5));
        assert!(first().then(&tried(&["a", "b"], &[], &[])).is_err(), "c is lost");
    }
}
