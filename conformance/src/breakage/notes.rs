//! What the proxy knows of the server that it stands before.

use std::collections::{BTreeMap, VecDeque};

use gearman_protocol::PacketType;

use super::Id;
use super::wire::Message;

#[derive(Debug, Default)]
pub(super) struct Notes {
    pub(super) peers: BTreeMap<Id, Peer>,
    pub(super) jobs: BTreeMap<Vec<u8>, Job>,
    /// How many jobs there were.
    count: u64,
}

#[derive(Debug, Default)]
pub(super) struct Peer {
    /// What it can do, with the limit if it gave one.
    pub(super) functions: BTreeMap<Vec<u8>, Option<Vec<u8>>>,
    /// Submits without an answer yet.
    pub(super) pending: VecDeque<Submit>,
    pub(super) has_submitted: bool,
}

#[derive(Debug, Clone, Default)]
pub(super) struct Submit {
    pub(super) kind: Option<PacketType>,
    pub(super) function: Vec<u8>,
    pub(super) unique: Vec<u8>,
    pub(super) workload: Vec<u8>,
}

impl Submit {
    pub(super) fn of(message: &Message) -> Option<Self> {
        let kind = message.kind().filter(|kind| is_submit(*kind))?;
        let mut arguments = message.arguments();
        let workload = arguments.pop().unwrap_or_default();
        let at = |index: usize| arguments.get(index).cloned().unwrap_or_default();
        Some(Self { kind: Some(kind), function: at(0), unique: at(1), workload })
    }

    pub(super) fn is_background(&self) -> bool {
        use PacketType as P;
        let background = [
            P::SubmitJobBg,
            P::SubmitJobHighBg,
            P::SubmitJobLowBg,
            P::SubmitJobEpoch,
            P::SubmitReduceJobBackground,
        ];
        self.kind.is_some_and(|kind| background.contains(&kind))
    }

    /// 0 is high, 1 normal, 2 low.
    pub(super) fn priority(&self) -> i64 {
        use PacketType as P;
        match self.kind {
            Some(P::SubmitJobHigh | P::SubmitJobHighBg) => 0,
            Some(P::SubmitJobLow | P::SubmitJobLowBg) => 2,
            _ => 1,
        }
    }
}

#[derive(Debug, Clone, Default)]
pub(super) struct Job {
    /// Every submit that was answered with it, the first one first.
    pub(super) submits: Vec<(Id, Submit)>,
    /// Its place among all jobs.
    pub(super) seq: u64,
    pub(super) holder: Option<Id>,
    /// How often it was assigned.
    pub(super) assigned: u32,
    pub(super) is_over: bool,
    /// Numerator and denominator as a worker reported them.
    pub(super) progress: Option<(Vec<u8>, Vec<u8>)>,
}

impl Job {
    pub(super) fn first(&self) -> Submit {
        self.submits.first().map(|(_, submit)| submit.clone()).unwrap_or_default()
    }
}

pub(super) fn is_submit(kind: PacketType) -> bool {
    use PacketType as P;
    matches!(
        kind,
        P::SubmitJob
            | P::SubmitJobBg
            | P::SubmitJobHigh
            | P::SubmitJobHighBg
            | P::SubmitJobLow
            | P::SubmitJobLowBg
            | P::SubmitJobEpoch
            | P::SubmitReduceJob
            | P::SubmitReduceJobBackground
    )
}

/// Whether it is a result of any kind.
pub(super) fn is_result(kind: PacketType) -> bool {
    use PacketType as P;
    matches!(
        kind,
        P::WorkData | P::WorkWarning | P::WorkStatus | P::WorkComplete | P::WorkFail | P::WorkException
    )
}

pub(super) fn is_assignment(kind: PacketType) -> bool {
    matches!(kind, PacketType::JobAssign | PacketType::JobAssignUniq | PacketType::JobAssignAll)
}

pub(super) fn is_grab(kind: PacketType) -> bool {
    matches!(kind, PacketType::GrabJob | PacketType::GrabJobUniq | PacketType::GrabJobAll)
}

impl Notes {
    /// The server hears this.
    pub(super) fn heard(&mut self, from: Id, message: &Message) {
        let peer = self.peers.entry(from).or_default();
        if let Some(submit) = Submit::of(message) {
            peer.pending.push_back(submit);
            peer.has_submitted = true;
        }
        let first = message.argument(0);
        match message.kind() {
            Some(PacketType::CanDo) => drop(peer.functions.insert(first, None)),
            Some(PacketType::CanDoTimeout) => drop(peer.functions.insert(first, Some(message.argument(1)))),
            Some(PacketType::CantDo) => drop(peer.functions.remove(&first)),
            Some(PacketType::ResetAbilities) => peer.functions.clear(),
            Some(PacketType::WorkStatus) => {
                if let Some(job) = self.jobs.get_mut(&first) {
                    job.progress = Some((message.argument(1), message.argument(2)));
                }
            }
            Some(PacketType::WorkComplete | PacketType::WorkFail | PacketType::WorkException) => {
                if let Some(job) = self.jobs.get_mut(&first)
                    && job.holder == Some(from)
                {
                    job.is_over = true;
                }
            }
            _ => {}
        }
    }

    /// The server says this.
    pub(super) fn said(&mut self, to: Id, message: &Message) {
        let Some(kind) = message.kind() else { return };
        let peer = self.peers.entry(to).or_default();
        let handle = message.argument(0);
        if kind == PacketType::JobCreated {
            let submit = peer.pending.pop_front().unwrap_or_default();
            self.count += 1;
            let seq = self.count;
            let job = self.jobs.entry(handle).or_insert_with(|| Job { seq, ..Job::default() });
            job.submits.push((to, submit));
        } else if kind == PacketType::Error {
            peer.pending.pop_front();
        } else if is_assignment(kind) {
            let job = self.jobs.entry(handle).or_default();
            job.holder = Some(to);
            job.assigned += 1;
        }
    }
}
