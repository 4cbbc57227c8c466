//! What becomes of connections when a host dies, a server ends or its host goes dark.

use super::{Cable, CableId, Closing, Fate, Last, NetworkState, ServerId, TcpStream, Time, Toward};

impl NetworkState {
    /// The programs of a host are about to be killed.
    ///
    /// In which order a runtime drops its tasks depends on numbers that tokio counts per process, so what they
    /// leave must not: sockets are buried as they are, and [`NetworkState::died`] tells the peers in our order.
    pub(crate) fn dies(&mut self, at: Time, host: usize) {
        self.dying = true;
        self.pauses.forget(host);
        if let Some(server) = self.servers.at(host)
            && self.paths.down.insert(server)
        {
            self.journal.server_down(at, server);
        }
        for dialled in self.cables.iter().filter_map(|cable| cable.dialled) {
            if dialled.home.host == host {
                self.journal.closed(at, dialled.connection, Closing::ByPeer);
            }
        }
    }

    /// A server ends, as it was told to: from now on nobody is answered.
    pub(crate) fn leaves(&mut self, at: Time, server: ServerId) {
        if self.paths.down.insert(server) {
            self.journal.server_ends(at, server);
            self.journal.server_down(at, server);
        }
    }

    /// A server's host has lost its power: what is under way to its peers never arrives, and nobody tells them.
    pub(crate) fn went_dark(&mut self, server: ServerId) {
        self.paths.darken(server);
        let is_lit = |cable: &&mut Cable| cable.server == server && cable.fate == Fate::Open && !cable.ended;
        for cable in self.cables.iter_mut().filter(is_lit) {
            cable.to_peer.stalls += 1;
            cable.is_dark = true;
        }
    }

    /// The host has power again: whoever still thinks that it is connected is told that it is not.
    pub(crate) fn has_power(&mut self, server: ServerId) {
        self.paths.lighten(server);
        for cable in self.cables.iter_mut().filter(|cable| cable.is_dark && cable.server == server) {
            cable.is_dark = false;
            if cable.fate == Fate::Open {
                cable.fate = Fate::Broken;
            }
            cable.wake();
        }
    }

    /// The programs of a host were killed: whoever they spoke with reads what is under way, and then the end, or gets
    /// a reset if it had written what they have not read (RFC 9293, 3.6.1).
    pub(crate) fn died(&mut self, host: usize) {
        self.dying = false;
        let server = self.servers.at(host);
        for cable in &mut self.cables {
            let theirs = match cable.dialled {
                _ if server == Some(cable.server) => Some(Toward::Peer),
                Some(dialled) if dialled.home.host == host => Some(Toward::Server),
                Some(_) | None => None,
            };
            if let Some(toward) = theirs {
                let is_read = cable.lane(toward.opposite()).in_flight == 0;
                cable.lane(toward).last.get_or_insert(if is_read { Last::Fin } else { Last::Reset });
                cable.ended |= server.is_some();
                cable.is_posthumous |= server.is_some() && cable.dialled.is_none();
                cable.closed |= server.is_none();
                cable.wake();
            }
        }
    }

    /// Takes a socket whose program is being killed, and forgets the bytes that waited in it; gives any other back.
    pub(in crate::network) fn bury(
        &mut self,
        socket: TcpStream,
        id: CableId,
        toward: Toward,
        held: usize,
    ) -> Option<TcpStream> {
        if !self.dying {
            return Some(socket);
        }
        self.lane(id, toward).in_flight -= held;
        self.buried.push(socket);
        None
    }

    /// What comes behind all that is under way in this direction, once it has arrived, if its writer is dead or
    /// cut off.
    pub(in crate::network) fn last(&mut self, id: CableId, toward: Toward, arrived: usize) -> Option<Last> {
        let lane = self.lane(id, toward);
        lane.last.filter(|_| lane.in_flight == arrived)
    }

    /// Closes a socket in which bytes are left unread: its other end gets a reset behind what is under way.
    pub(in crate::network) fn close_unread(&mut self, socket: TcpStream, id: CableId, toward: Toward) {
        self.keep(socket);
        let cable = &mut self.cables[id.0];
        cable.lane(toward).last.get_or_insert(Last::Reset);
        cable.wake();
    }

    /// Keeps a socket whose end is cut off, so that its other end is told nothing by it.
    pub(in crate::network) fn keep(&mut self, socket: TcpStream) {
        self.buried.push(socket);
    }
}
