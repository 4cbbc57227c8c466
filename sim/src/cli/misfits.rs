//! What was typed and cannot go together with where seeds are to be run.

use super::Choice;
use crate::naive::Server;
use crate::stage::loopback;
use crate::trial::Stage;

impl Choice {
    /// Whether it can be run, twice if that is asked for.
    ///
    /// # Errors
    /// One line that says what does not fit, why, and what to do.
    pub(super) fn fits(&self, twice: bool) -> Result<(), String> {
        let refuse = |what: &str| Err(what.to_owned());
        if self.stage != Stage::Loopback {
            return match self.gearmand {
                Some(_) => refuse(
                    "--gearmand is for --stage loopback; the other stages have an engine in this process",
                ),
                None => Ok(()),
            };
        }
        if twice {
            return refuse(
                "--check: on the loopback stage the machine has a say in what happens, so a plan does not do the same \
                 twice; take turmoil or bare",
            );
        }
        if self.sabotage.is_some() || self.plant.is_some() || self.server != Server::Engine {
            return refuse(
                "--stage loopback judges the program as it is: --sabotage and --server go with turmoil or bare",
            );
        }
        if let Some((class, reason)) = self
            .faults
            .iter()
            .flat_map(|mix| mix.classes())
            .find_map(|one| Some((one, loopback::reason_against(one)?)))
        {
            return Err(format!(
                "--faults {class}: the loopback stage cannot make it: {reason}; leave it out"
            ));
        }
        self.conditions().program().map(drop)
    }
}
