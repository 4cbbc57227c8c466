//! What kinds of trouble a seed has at all, before single classes of faults are drawn.
//!
//! What a store does wrong shows only when its server dies, and what a server does wrong when it starts again shows
//! only if there is a store; drawn one by one, such faults seldom meet.
//! And all that the network does hides the rest.

use super::NOBODY;
use crate::chance::rng;
use crate::faults::FaultClass;
use crate::plan::Mix;

/// The kinds of trouble of a seed.
pub(super) struct Weather {
    /// Whether the network fails.
    network_fails: bool,
    /// Whether servers die or are told to end.
    servers_end: bool,
    /// Whether servers have a store.
    pub(super) store: bool,
}

impl Weather {
    /// Servers have a store in two seeds of three, with a choice and without.
    pub(super) fn draw(seed: u64, mix: &Mix) -> Self {
        let drawn = |what, (of, all)| rng(seed, NOBODY, what, 0).odds(of, all);
        let servers_end = mix.grants(drawn("weather.ends", (3, 5)));
        let store = match (mix.is_uniform(), servers_end) {
            (true, _) => (2, 3),
            (false, true) => (8, 9),
            (false, false) => (1, 3),
        };
        Self {
            network_fails: mix.grants(drawn("weather.network", (2, 3))),
            servers_end,
            store: drawn("weather.store", store),
        }
    }

    /// Whether a class can happen.
    pub(super) const fn has(&self, class: FaultClass) -> bool {
        (self.network_fails || class.needs_no_network())
            && (self.servers_end || !class.ends_a_server())
            && (self.store || !class.is_of_a_store())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn weathers(mix: &Mix) -> impl Iterator<Item = Weather> {
        (0..900).map(|seed| Weather::draw(seed, mix))
    }

    #[test]
    fn servers_have_a_store_as_often_with_a_choice_as_without() {
        for mix in [Mix::everything(), Mix::uniform()] {
            let stores = weathers(&mix).filter(|weather| weather.store).count();
            assert!((560..=640).contains(&stores), "{stores} of 900");
        }
    }

    #[test]
    fn a_server_that_ends_has_a_store_more_often_than_one_that_does_not() {
        let (ending, lasting): (Vec<Weather>, Vec<Weather>) =
            weathers(&Mix::everything()).partition(|weather| weather.servers_end);
        let stores = |of: &[Weather]| of.iter().filter(|weather| weather.store).count() * 100 / of.len();
        assert!(stores(&ending) >= 2 * stores(&lasting), "{} and {}", stores(&ending), stores(&lasting));
    }

    #[test]
    fn without_a_choice_every_class_can_happen_but_those_of_a_store_that_is_not_there() {
        for weather in weathers(&Mix::uniform()) {
            let cannot = FaultClass::ALL.iter().filter(|&&class| !weather.has(class));
            assert_eq!(cannot.filter(|class| !class.is_of_a_store()).count(), 0);
            assert_eq!(weather.has(FaultClass::StoreTorn), weather.store);
        }
    }
}
