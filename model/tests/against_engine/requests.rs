//! Requests out of small worlds of names, so that they meet.

use crate::dice::Dice;
use crate::world::World;
use bytes::Bytes;
use gearman_engine::ConnectionId;
use gearman_protocol::{
    AdminError, AdminRequest, FunctionName, Grab, Handle, JobTimeout, Mode, Priority, QueueLimits, Reducer,
    Report, Request, Submit, Unique,
};

/// Much data, in bytes.
pub(crate) const LARGE: usize = 310_000;

#[derive(Clone, Copy)]
enum Kind {
    Submit,
    Grab,
    Work,
    CanDo,
    PreSleep,
    CantDo,
    ResetAbilities,
    Status,
    Admin,
    Other,
}

/// A request that this peer might make.
pub(crate) fn request(world: &World, from: ConnectionId, dice: &mut Dice<'_>) -> Request {
    let kind = dice.weighted(&[
        (45, Kind::Submit),
        (35, Kind::Grab),
        (35, Kind::Work),
        (25, Kind::CanDo),
        (25, Kind::PreSleep),
        (5, Kind::CantDo),
        (3, Kind::ResetAbilities),
        (15, Kind::Status),
        (15, Kind::Admin),
        (6, Kind::Other),
    ]);
    match kind {
        Kind::Submit => Request::Submit(submit(dice)),
        Kind::Grab => Request::Grab(dice.pick(&[Grab::All, Grab::Uniq, Grab::Plain])),
        Kind::Work => Request::Work { handle: held(world, from, dice), report: report(dice) },
        Kind::CanDo => Request::CanDo { function: function(dice), timeout: timeout(dice) },
        Kind::PreSleep => Request::PreSleep,
        Kind::CantDo => Request::CantDo { function: function(dice) },
        Kind::ResetAbilities => Request::ResetAbilities,
        Kind::Status if dice.once_in(2) => Request::GetStatusUnique { unique: unique(dice) },
        Kind::Status => Request::GetStatus { handle: known(world, dice) },
        Kind::Admin => Request::Admin(admin(world, dice)),
        Kind::Other => other(dice),
    }
}

/// Nine forms: an epoch and a reducer go with normal priority only.
pub(crate) fn submit(dice: &mut Dice<'_>) -> Submit {
    let form = dice.below(8);
    let mode = match dice.below(5) {
        0 | 1 => Mode::Foreground,
        2 | 3 => Mode::Background,
        _ if form > 5 => Mode::Foreground,
        _ => Mode::Epoch(dice.pick(&["1002", "1000", "999", "-1", "soon", " +1001x"]).into()),
    };
    let is_normal = form > 5 || matches!(mode, Mode::Epoch(_));
    Submit {
        function: function(dice),
        unique: Unique::new(unique(dice)).expect("a short unique"),
        priority: if is_normal { Priority::Normal } else { dice.pick(&Priority::ALL) },
        mode,
        reducer: (form > 5).then(|| Reducer::new(dice.pick(&["sum", ""])).expect("a short name")),
        workload: data(dice, "work"),
    }
}

/// Little data, and now and then much.
fn data(dice: &mut Dice<'_>, little: &'static str) -> Bytes {
    match dice.below(16) {
        0 => Bytes::new(),
        1..15 => little.into(),
        _ => Bytes::from_static(&[b'x'; LARGE]),
    }
}

fn function(dice: &mut Dice<'_>) -> FunctionName {
    FunctionName::new(dice.pick(&["lap", "sum", "end"])).expect("a name")
}

fn unique(dice: &mut Dice<'_>) -> Bytes {
    dice.pick(&["", "-", "one", "two", "one", "a\nb"]).into()
}

/// Milliseconds as workers write them.
fn timeout(dice: &mut Dice<'_>) -> Option<JobTimeout> {
    let text =
        dice.pick(&[None, None, Some("20"), Some("1500"), Some("0"), Some("-5"), Some("no"), Some(" +7 s")]);
    text.map(|text| JobTimeout(text.into()))
}

/// Most often a job that this worker was given.
fn held(world: &World, from: ConnectionId, dice: &mut Dice<'_>) -> Handle {
    let own: Vec<&Handle> =
        world.assigned.iter().filter(|(to, _)| *to == from).map(|(_, handle)| handle).collect();
    if own.is_empty() || dice.once_in(8) { known(world, dice) } else { dice.pick(&own).clone() }
}

/// Most often a job that somebody has heard of, or else one of the first, of which nobody may have.
fn known(world: &World, dice: &mut Dice<'_>) -> Handle {
    let assigned = world.assigned.iter().map(|(_, handle)| handle);
    let known: Vec<&Handle> = world.created.iter().chain(assigned).collect();
    if known.is_empty() || dice.once_in(8) {
        Handle::new(format!("H:lap:{}", 1 + dice.below(12)))
    } else {
        dice.pick(&known).clone()
    }
}

fn report(dice: &mut Dice<'_>) -> Report {
    let number = |dice: &mut Dice<'_>| -> Bytes {
        dice.pick(&["1", "50", "0.5", "-1", "1e3", "", "99999999999"]).into()
    };
    match dice.below(8) {
        0..=2 => Report::Complete(data(dice, "done")),
        3 => Report::Fail,
        4 => Report::Exception("why".into()),
        5 => Report::Data(data(dice, "part")),
        6 => Report::Warning("careful".into()),
        _ => Report::Status { numerator: number(dice), denominator: number(dice) },
    }
}

fn admin(world: &World, dice: &mut Dice<'_>) -> AdminRequest {
    let name = |dice: &mut Dice<'_>| -> Bytes { dice.pick(&["lap", "sum", "end", "new", "\t"]).into() };
    match dice.below(16) {
        0..=2 => AdminRequest::Status,
        3 => AdminRequest::PriorityStatus,
        4 | 5 => AdminRequest::Workers,
        6 => AdminRequest::ShowJobs,
        7 => AdminRequest::ShowUniqueJobs,
        8 | 9 => AdminRequest::CancelJob(known(world, dice)),
        10 => AdminRequest::CreateFunction(name(dice)),
        11 => AdminRequest::DropFunction(name(dice)),
        12 | 13 => AdminRequest::MaxQueue { function: name(dice), limits: queue_limits(dice) },
        14 => dice.pick(&[AdminRequest::Version, AdminRequest::GetPid, AdminRequest::Verbose]),
        _ => AdminRequest::Malformed(AdminError::UnknownCommand("what".into())),
    }
}

fn queue_limits(dice: &mut Dice<'_>) -> QueueLimits {
    let limits = [None, Some(1), Some(3)];
    QueueLimits { high: dice.pick(&limits), normal: dice.pick(&limits), low: dice.pick(&limits) }
}

fn other(dice: &mut Dice<'_>) -> Request {
    match dice.below(5) {
        0 | 1 => Request::Option { name: dice.pick(&["exceptions", "Exceptions\0", "other", ""]).into() },
        2 => Request::SetClientId { id: dice.pick(&["w1", "", "two words", "line\nbreak"]).into() },
        3 => Request::Echo { data: data(dice, "hello") },
        _ if dice.once_in(8) => Request::Admin(AdminRequest::Shutdown { graceful: dice.once_in(2) }),
        _ => Request::AllYours,
    }
}
