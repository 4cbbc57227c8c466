//! The one task that is not a connection's: it keeps the time, and hears what is no peer's word.

use crate::declined::Declined;
use crate::hub::Hub;
use crate::phase::{Finish, Phase};
use gearman_engine::{Doors, Event, RecordId, StoreError};
use gearman_net::Clock;
use std::sync::Arc;
use std::time::Duration;
use tokio::sync::mpsc::UnboundedReceiver;
use tokio::time::{MissedTickBehavior, interval, sleep, timeout};

/// How long the peers may take to read the last words of a server that ends.
const LAST_WORDS: Duration = Duration::from_secs(2);

/// A deadline that has passed and is not moved by [`Event::Elapsed`] is asked about no faster than this.
const SHORTEST_WAIT: Duration = Duration::from_millis(1);

/// How often the two clocks are compared, and at most a line is logged about what was declined.
const COMPARE_CLOCKS: Duration = Duration::from_secs(1);

/// By how much the wall clock may have strayed from the other one before the engine is told.
const STRAYED: u64 = 20;

/// Something that happened outside the network.
#[derive(Debug)]
pub(crate) enum Order {
    /// The store has kept a record, or failed to.
    Stored { record: RecordId, outcome: Result<(), StoreError> },
    /// More or less is logged from now on.
    Verbosity(String),
    /// Finish what runs, then end.
    Drain,
    /// End.
    Stop,
}

/// Keeps the server going until it has ended.
pub(crate) async fn keep<D: Doors, C: Clock>(hub: Arc<Hub<D, C>>, mut orders: UnboundedReceiver<Order>) {
    let mut lead = wall_lead(&hub.clock);
    let mut declined = Declined::default();
    let mut comparing = interval(COMPARE_CLOCKS);
    comparing.set_missed_tick_behavior(MissedTickBehavior::Delay);
    while hub.life.phase() < Phase::Ending(Finish::Stopped) {
        let wait = hub.arm();
        tokio::select! {
            biased;
            _ = hub.life.reached(is_ending) => {}
            Some(order) = orders.recv() => obey(&hub, order),
            () = hub.rearm.notified() => {}
            () = sleep(wait.unwrap_or_default().max(SHORTEST_WAIT)), if wait.is_some() => hub.turn([Event::Elapsed]),
            _ = comparing.tick() => {
                tell_step(&hub, &mut lead);
                tell_declined(&hub, &mut declined);
            }
        }
    }
    if timeout(LAST_WORDS, hub.life.reached(is_ended)).await.is_err() {
        tracing::warn!("some peers did not read their last replies in time");
        hub.cut();
    }
}

fn obey<D: Doors, C: Clock>(hub: &Hub<D, C>, order: Order) {
    match order {
        Order::Stored { record, outcome } => hub.turn([Event::Stored { record, outcome }]),
        Order::Verbosity(level) => hub.turn([Event::Verbosity { level }]),
        Order::Drain => hub.turn([Event::Drain]),
        Order::Stop => hub.end(Finish::Stopped),
    }
}

/// By how many milliseconds the wall clock is ahead of the monotonic one.
fn wall_lead<C: Clock>(clock: &C) -> i64 {
    let now = i64::try_from(clock.now().as_millis()).unwrap_or(i64::MAX);
    clock.wall().get().saturating_sub(now)
}

/// Tells the engine what the wall clock says if it was set since it was last told.
fn tell_step<D: Doors, C: Clock>(hub: &Hub<D, C>, told: &mut i64) {
    let lead = wall_lead(&hub.clock);
    if lead.abs_diff(*told) > STRAYED {
        *told = lead;
        hub.turn([Event::Wall { now: hub.clock.wall() }]);
    }
}

fn tell_declined<D: Doors, C: Clock>(hub: &Hub<D, C>, declined: &mut Declined) {
    if let Some(line) = declined.line(hub.read(|doors| doors.figures()).refusals) {
        tracing::warn!("{line}");
    }
}

pub(crate) fn is_ending(phase: Phase) -> bool {
    phase >= Phase::Ending(Finish::Stopped)
}

pub(crate) fn is_ended(phase: Phase) -> bool {
    phase >= Phase::Ended(Finish::Stopped)
}
