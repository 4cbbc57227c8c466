//! What outlives the server's process, if it has a store: background jobs, known by what their workers get.

use super::asked::Decline;
use super::{Handed, JobId, Ledger, Map, Since, Start, SubmitId, Submitted, Wait, WaitKind};
use crate::history::{Connection, Place};
use bytes::Bytes;
use gearman_protocol::{Assignment, FunctionName, Handle, Priority, Submit, Unique};

/// What a worker gets, by which a job is known in another life of the server.
pub(crate) type Content = (FunctionName, Bytes);

/// What makes two submits of different lives the same job: function, unique, and for `-` the workload.
pub(super) type OldKey = (FunctionName, Unique, Bytes);

/// How often something was asked for, over all lives of the server.
#[derive(Clone, Copy, Debug, Default)]
pub(crate) struct Offer {
    times: u32,
    /// Whether a submit for it was refused.
    is_declined: bool,
    /// When it may first be handed out, if it was asked for once.
    start: Option<Start>,
}

/// What is asked for, and under which key if it has one that others can share.
type Wish = (Content, Option<OldKey>);

/// A background job of an earlier life that one submit and no other has asked for.
#[derive(Clone, Debug)]
pub(crate) struct Legacy {
    /// What it was called.
    pub(crate) handle: Handle,
    content: Content,
    key: Option<OldKey>,
    /// Whether it had certainly ended, and was forgotten; otherwise it certainly lived.
    pub(crate) is_done: bool,
    priority: Priority,
    /// Who asked for it, between which places it came to be, and where it was asked for.
    asked: (Connection, Place),
    seen: Place,
    /// In which life it was asked for: places of one connection compare only within it.
    life: u32,
    /// Whether it was handed out in this life.
    is_seen: bool,
    /// A job that was handed out in this life while this one waited, and should have come after it.
    overtaken_by: Option<Handle>,
}

/// All of them, in no order that means anything.
#[derive(Debug, Default)]
pub(crate) struct Legacies {
    all: Vec<Legacy>,
    by_content: Map<Content, usize>,
    lives: u32,
}

impl Legacies {
    /// Whether there is one of which it is known that it had ended, or that it lived.
    pub(crate) fn has_any(&self, is_done: bool) -> bool {
        self.all.iter().any(|legacy| legacy.is_done == is_done)
    }

    /// Whether there may be jobs that this life of the server has not made.
    pub(super) const fn is_after_a_restart(&self) -> bool {
        self.lives > 0
    }

    pub(crate) fn get(&self, index: usize) -> &Legacy {
        &self.all[index]
    }

    fn push(&mut self, legacy: Legacy) {
        self.by_content.insert(legacy.content.clone(), self.all.len());
        self.all.push(legacy);
    }
}

impl Submitted {
    fn wish(&self) -> Wish {
        wish(&self.name, &self.unique, &self.workload)
    }
}

fn wish(function: &FunctionName, unique: &Unique, workload: &Bytes) -> Wish {
    let content = (function.clone(), workload.clone());
    let key = match unique.as_bytes() {
        b"" => None,
        b"-" if workload.is_empty() => None,
        b"-" => Some((function.clone(), unique.clone(), workload.clone())),
        _ => Some((function.clone(), unique.clone(), Bytes::new())),
    };
    (content, key)
}

impl Legacy {
    /// What has overtaken it in this life, if something has.
    pub(crate) const fn overtaken_by(&self) -> Option<&Handle> {
        self.overtaken_by.as_ref()
    }

    /// Whether it must be handed out before the other, if both wait for the same worker.
    fn comes_before(&self, other: &Self) -> bool {
        // The most urgent is the least.
        let (one, two) = (self.priority, other.priority);
        let is_earlier = || {
            let same_line = self.life == other.life && self.asked.0 == other.asked.0;
            self.seen < other.asked.1 || same_line && self.asked.1 < other.asked.1
        };
        one < two || one == two && is_earlier()
    }
}

impl Ledger {
    /// Somebody has asked for a job.
    pub(super) fn offered(&mut self, submit: &Submit) {
        if self.terms.store.is_some() {
            let (content, key) = wish(&submit.function, &submit.unique, &submit.workload);
            let offer = self.offers.entry(content).or_default();
            offer.times += 1;
            offer.start = (offer.times == 1).then(|| Start::of(&submit.mode));
            if let Some(key) = key {
                *self.key_uses.entry(key).or_default() += 1;
            }
        }
    }

    /// Whether somebody may have asked for this, in any life of the server. Without a store anybody may.
    pub(crate) fn was_ever_asked_for(&self, handed: &Handed) -> bool {
        self.terms.store.is_none()
            || self.offers.contains_key(&(handed.name.clone(), handed.workload.clone()))
    }

    /// When what was handed out could first be, if one submit of all lives has asked for it.
    pub(super) fn offered_start(&self, assignment: &Assignment) -> Start {
        let content = (assignment.function.clone(), assignment.workload.clone());
        self.offers.get(&content).and_then(|offer| offer.start).unwrap_or(Start::Unclear)
    }

    /// What this submit asks for will not be done.
    pub(super) fn declined(&mut self, id: SubmitId, why: Decline) {
        self.submits[id].may_have_a_job = why == Decline::NotKept;
        let Submitted { key, name, workload, .. } = &self.submits[id];
        let (key, content) = (*key, (name.clone(), workload.clone()));
        if let Some(key) = key {
            self.keys[key].open.retain(|&open| open != id);
            self.keys[key].declined = self.now.place;
        }
        if let Some(offer) = self.offers.get_mut(&content) {
            offer.is_declined = true;
        }
    }

    /// Whether what is handed out was asked for once, and refused.
    pub(super) fn is_unpromised(&self, assignment: &Assignment) -> bool {
        let content = (assignment.function.clone(), assignment.workload.clone());
        self.offers.get(&content).is_some_and(|offer| offer.is_declined && offer.times == 1)
    }

    /// The background jobs of which it is certain whether they live, now that the server's process ends.
    pub(super) fn bequeath(&self) -> Legacies {
        let mut legacies = Legacies { lives: self.legacies.lives + 1, ..Legacies::default() };
        if self.is_blind {
            return legacies;
        }
        for legacy in &self.legacies.all {
            let stays = legacy.is_done || !self.may_be_gone(legacy);
            if stays && !legacy.is_seen && self.is_alone(legacy) {
                legacies.push(Legacy { overtaken_by: None, ..legacy.clone() });
            }
        }
        self.job_ids().filter_map(|job| self.legacy_of(job)).for_each(|legacy| legacies.push(legacy));
        legacies
    }

    /// The keys under which a store may keep a job.
    pub(super) fn bequeath_keys(&mut self) -> Map<OldKey, ()> {
        let mut keys = std::mem::take(&mut self.old_keys);
        let background = self.submits.iter().filter(|submit| submit.is_background);
        keys.extend(background.filter_map(|submit| Some((submit.wish().1?, ()))));
        keys
    }

    /// Whether the submit may have joined a job that a store had kept.
    pub(super) fn may_be_old(&self, id: SubmitId) -> bool {
        let (_, key) = self.submits[id].wish();
        key.is_some_and(|key| self.old_keys.contains_key(&key))
    }

    /// Whether one submit of all lives has asked for this, and none for anything else under its key.
    fn is_asked_once(&self, content: &Content, key: Option<&OldKey>) -> bool {
        let is_alone = |key| self.key_uses.get(key) == Some(&1);
        self.offers.get(content).is_some_and(|offer| offer.times == 1) && key.is_none_or(is_alone)
    }

    fn is_alone(&self, legacy: &Legacy) -> bool {
        self.is_asked_once(&legacy.content, legacy.key.as_ref())
    }

    fn legacy_of(&self, id: JobId) -> Option<Legacy> {
        let (job, store) = (&self[id], self.terms.store?);
        let maker = self.submit(job.maker?);
        let is_plain = maker.is_background && !job.is_murky && !job.is_mistaken && !job.is_old;
        let (content, key) = maker.wish();
        let is_over = job.over.is_some() && job.is_finished() && !job.cancelling;
        let is_done = is_over && self.now.at > job.over_at + self.terms.slack + store.forgets_within;
        let is_certain = is_done || !self.may_be_over(id);
        let is_there = is_done || job.start == Start::AtOnce;
        (is_plain && is_certain && is_there && self.is_asked_once(&content, key.as_ref())).then(|| Legacy {
            handle: job.handle.clone(),
            content,
            key,
            is_done,
            priority: maker.priority,
            asked: (maker.connection, maker.wrote.place),
            seen: job.seen,
            life: self.legacies.lives,
            is_seen: false,
            overtaken_by: None,
        })
    }

    /// Something was handed out: which job of an earlier life it is, if it is one and was not handed out before.
    pub(super) fn inherits(&mut self, assignment: &Assignment, by: Connection) -> Option<usize> {
        let content = (assignment.function.clone(), assignment.workload.clone());
        let index = *self.legacies.by_content.get(&content)?;
        // Asked for once more, it is another job.
        if self.legacies.all[index].is_seen || !self.is_alone(&self.legacies.all[index]) {
            return None;
        }
        self.legacies.all[index].is_seen = true;
        self.overtakes(index, by);
        Some(index)
    }

    /// Notes which jobs should have been handed out to this connection before this one, which was. Whether they are
    /// there at all shows when they are handed out themselves.
    fn overtakes(&mut self, index: usize, by: Connection) {
        let legacy = self.legacies.all[index].clone();
        let function = self.functions.get(&legacy.content.0).copied();
        if legacy.is_done || function.is_none_or(|function| self.is_open(function, Some(by))) {
            return;
        }
        for other in &mut self.legacies.all {
            let waits = !other.is_done && !other.is_seen && other.content.0 == legacy.content.0;
            if waits && other.overtaken_by.is_none() && other.comes_before(&legacy) {
                other.overtaken_by = Some(legacy.handle.clone());
            }
        }
    }

    /// The jobs that lived when the server's process ended and that nobody was given since, though somebody who
    /// could do them was told that there was no job; with that grab.
    pub(crate) fn missing(&self) -> Vec<(Handle, Place)> {
        let is_lost = |legacy: &&Legacy| !legacy.is_done && !legacy.is_seen && self.is_alone(legacy);
        let lost = self.legacies.all.iter().filter(is_lost);
        lost.filter_map(|legacy| Some((legacy.handle.clone(), self.denied(legacy)?))).collect()
    }

    /// Whether a job of this function may have been given to somebody else who has not read so, or cancelled.
    fn is_open(&self, function: super::Function, except: Option<Connection>) -> bool {
        self.has_stray_cancels
            || self.is_blind
            || self.is_asked_for(function, except)
            || self.may_have_gone_astray(function, self.up)
            || self.may_be_lost_unread(function, except)
    }

    fn may_be_gone(&self, legacy: &Legacy) -> bool {
        let function = self.functions.get(&legacy.content.0);
        self.has_stray_cancels || function.is_some_and(|&function| self.is_open(function, None))
    }

    fn denied(&self, legacy: &Legacy) -> Option<Place> {
        let function = *self.functions.get(&legacy.content.0)?;
        let wait = Wait { kind: WaitKind::Lost, since: Since::Place(self.up), until: self.now.place + 1 };
        let grab =
            self.empties[usize::from(function)].within(wait).filter(|_| !self.is_open(function, None))?;
        Some(grab.place)
    }
}
