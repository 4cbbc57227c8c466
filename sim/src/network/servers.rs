//! The servers that can be dialled, and in which order each actor tries them.

use crate::history::{Actor, ServerId};
use std::collections::BTreeMap;

#[derive(Debug)]
pub(crate) struct Servers {
    /// The host of each.
    hosts: Vec<usize>,
    /// Whom each actor knows, the first first, and whether it roams.
    lists: Vec<(Vec<ServerId>, bool)>,
    /// How far each actor is in its list.
    places: BTreeMap<Actor, usize>,
}

impl Servers {
    pub(crate) const fn new(hosts: Vec<usize>, lists: Vec<(Vec<ServerId>, bool)>) -> Self {
        Self { hosts, lists, places: BTreeMap::new() }
    }

    /// Which server lives on this host, if one does.
    pub(super) fn at(&self, host: usize) -> Option<ServerId> {
        self.all().find(|&server| self.host(server) == host)
    }

    pub(crate) fn host(&self, server: ServerId) -> usize {
        self.hosts[server.index()]
    }

    pub(crate) fn all(&self) -> impl Iterator<Item = ServerId> + use<> {
        (0..u8::try_from(self.hosts.len()).unwrap_or(u8::MAX)).map(ServerId::new)
    }

    /// Whom the actor dials next, and whether it knows others: it tries its list in order, and unless it roams from
    /// the beginning after each time that it was connected.
    pub(super) fn next(&self, actor: Actor) -> (ServerId, bool) {
        match self.lists.get(actor.index()).map(|(list, _)| &list[..]) {
            None | Some([]) => (ServerId::default(), false),
            Some(list) => {
                let place = self.places.get(&actor).copied().unwrap_or_default();
                (list[place % list.len()], list.len() > 1)
            }
        }
    }

    /// The actor is connected.
    pub(super) fn reached(&mut self, actor: Actor) {
        if self.lists.get(actor.index()).is_some_and(|(_, roams)| *roams) {
            *self.places.entry(actor).or_default() += 1;
        } else {
            self.places.remove(&actor);
        }
    }

    /// It has dialled in vain.
    pub(super) fn missed(&mut self, actor: Actor) {
        *self.places.entry(actor).or_default() += 1;
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_list_is_tried_in_order_and_from_the_beginning_after_a_connection() {
        let [first, second] = [0, 1].map(ServerId::new);
        let lists = vec![(vec![second, first], false), (vec![first], false)];
        let mut servers = Servers::new(vec![0, 9], lists);
        let (both, one) = (Actor::new(0), Actor::new(1));
        assert_eq!((servers.next(both), servers.next(one)), ((second, true), (first, false)));
        servers.missed(both);
        assert_eq!(servers.next(both), (first, true));
        servers.missed(both);
        assert_eq!(servers.next(both), (second, true));
        servers.missed(both);
        servers.reached(both);
        assert_eq!(servers.next(both), (second, true));
        assert_eq!((servers.at(9), servers.at(1)), (Some(second), None));
    }

    #[test]
    fn who_roams_goes_on_after_a_connection() {
        let [first, second] = [0, 1].map(ServerId::new);
        let mut servers = Servers::new(vec![0, 9], vec![(vec![first, second], true)]);
        servers.reached(Actor::new(0));
        assert_eq!(servers.next(Actor::new(0)), (second, true));
    }
}
