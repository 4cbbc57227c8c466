//! What faults do to connections and paths.

use super::{Actor, Cable, CableId, Fate, Last, NetworkState, Pace, Reception, ServerId, Time, Toward};

impl NetworkState {
    /// Makes one direction of a connection stand still until as many [`NetworkState::release`].
    pub(crate) fn stall(&mut self, id: CableId, toward: Toward) {
        self.lane(id, toward).stalls += 1;
    }

    pub(crate) fn release(&mut self, id: CableId, toward: Toward) {
        let lane = self.lane(id, toward);
        lane.stalls -= 1;
        lane.wake();
    }

    /// Gives both ends an error.
    pub(crate) fn sever(&mut self, id: CableId, fate: Fate) {
        let cable = &mut self.cables[id.0];
        let may_change = match cable.fate {
            Fate::Open => true,
            Fate::CutOff(_) => fate == Fate::Broken,
            Fate::Broken | Fate::Left => false,
        };
        if may_change {
            cable.fate = fate;
            cable.wake();
        }
    }

    /// The server listens no more, and has not let this one in: a system resets it (Linux, `inet_csk_listen_stop`).
    pub(in crate::network) fn turn_away(&mut self, id: CableId) {
        if !self.dying {
            self.sever(id, Fate::Broken);
        }
    }

    /// Gives an error to the end that writes in this direction, and to the other one, after what is under way, what
    /// `last` says.
    pub(in crate::network) fn cut_off(&mut self, id: CableId, toward: Toward, last: Last) {
        let cable = &mut self.cables[id.0];
        if cable.fate == Fate::Open {
            cable.fate = Fate::CutOff(toward);
            cable.lane(toward).last.get_or_insert(last);
            cable.wake();
        }
    }

    /// Gives an error to the peer's end, and nothing to the server's, to whom nothing more comes until the
    /// connection is severed.
    pub(crate) fn forsake(&mut self, id: CableId) {
        let cable = &mut self.cables[id.0];
        if cable.fate == Fate::Open {
            cable.fate = Fate::CutOff(Toward::Server);
            cable.to_server.stalls += 1;
            cable.wake();
        }
    }

    /// Cuts the writer of this direction off in its next message.
    pub(crate) fn cut_next(&mut self, id: CableId, toward: Toward, last: Last) {
        self.lane(id, toward).cut.get_or_insert(last);
    }

    /// How the writer of this direction is to be cut off, if it is.
    pub(in crate::network) fn cut(&mut self, id: CableId, toward: Toward) -> Option<Last> {
        let is_over = self.journal.is_storm_over();
        self.lane(id, toward).cut.filter(|_| !is_over)
    }

    /// Makes one direction of a connection slow, in place of any slowness that it had.
    pub(crate) fn slow_down(&mut self, id: CableId, toward: Toward, pace: Pace) {
        self.lane(id, toward).pace = Some(pace);
        self.slow.push((id, toward));
    }

    /// It moves as ever.
    pub(crate) fn speed_up(&mut self, id: CableId, toward: Toward) {
        let lane = self.lane(id, toward);
        lane.pace = None;
        lane.wake();
    }

    /// A step of the simulation has passed.
    pub(crate) fn step(&mut self) {
        let cables = &mut self.cables;
        self.slow.retain(|&(id, toward)| cables[id.0].lane(toward).step());
    }

    /// The programs of a host stand still until then.
    pub(crate) fn pause(&mut self, host: usize, until: Time) {
        self.pauses.begin(host, until);
    }

    /// They go on, unless they are to stand still for longer than this.
    pub(crate) fn resume(&mut self, host: usize, until: Time) {
        self.pauses.end(host, until);
        self.cables.iter_mut().for_each(Cable::wake);
    }

    /// Until when the programs of a host stand still, if they do.
    pub(crate) fn paused_until(&self, host: usize) -> Option<Time> {
        self.pauses.until(host)
    }

    /// This meets the actor when it dials, until as many [`NetworkState::reopen`].
    pub(crate) fn shut(&mut self, actor: Actor, reception: Reception) {
        self.paths.shut(actor, reception);
    }

    pub(crate) fn reopen(&mut self, actor: Actor, reception: Reception) {
        self.paths.reopen(actor, reception);
    }

    /// Blocks the way between a host and a server until as many [`NetworkState::unblock`].
    pub(crate) fn block(&mut self, host: usize, server: ServerId, toward: Toward) {
        self.paths.block(host, server, toward);
    }

    pub(crate) fn unblock(&mut self, host: usize, server: ServerId, toward: Toward) {
        self.paths.unblock(host, server, toward);
        self.cables.iter_mut().for_each(Cable::wake);
    }
}
