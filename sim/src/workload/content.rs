//! The bytes of a workload's names, workloads and results: each tells where it comes from, and no two are alike
//! unless the plan wants them to be.

use super::{SubmitPlan, UniquePlan};
use bytes::Bytes;
use gearman_protocol::{FunctionName, MAX_UNIQUE, QueueLimits, Reducer, Unique};

/// What fills a workload up: a prime number of bytes, so that a shifted copy is never the same.
const FILLER: &[u8; 31] = b"the quick brown fox jumps over ";

/// `label;` followed by filler, `size` bytes in all or as many as the label needs.
pub(crate) fn filled(label: &str, size: u32) -> Bytes {
    let mut bytes = Vec::with_capacity(label.len() + 1 + size as usize);
    bytes.extend_from_slice(label.as_bytes());
    bytes.push(b';');
    let mut missing = (size as usize).saturating_sub(bytes.len());
    while missing > 0 {
        let part = missing.min(FILLER.len());
        bytes.extend_from_slice(&FILLER[..part]);
        missing -= part;
    }
    bytes.into()
}

/// The names of functions, as the wire has them.
///
/// # Panics
/// If a name is none: plans are checked when they are read.
pub(crate) fn function_names(names: &[String]) -> Vec<FunctionName> {
    names.iter().map(|name| FunctionName::new(name.clone()).expect("a plan's functions have names")).collect()
}

/// The unique of a submit.
pub(crate) fn unique(plan: UniquePlan, actor: u32, step: usize) -> Unique {
    let bytes = match plan {
        UniquePlan::None => Vec::new(),
        UniquePlan::Own => format!("own-{actor}.{step}").into(),
        UniquePlan::Binary => [b"\xff\n\x01\xc3", format!("{actor}.{step}").as_bytes()].concat(),
        UniquePlan::Shared(number) => format!("shared-{number}").into(),
        UniquePlan::Longest(number) => [&[b'l'; MAX_UNIQUE - 1][..], &[b'a' + number % 26]].concat(),
        UniquePlan::Dash(_) => b"-".to_vec(),
    };
    Unique::new(bytes).expect("a plan's uniques fit")
}

/// The workload of a submit.
pub(crate) fn workload(plan: &SubmitPlan, actor: u32, step: usize) -> Bytes {
    if plan.is_empty {
        return Bytes::new();
    }
    match plan.unique {
        UniquePlan::Dash(number) => filled(&format!("dash-{number}"), 40),
        UniquePlan::None
        | UniquePlan::Own
        | UniquePlan::Binary
        | UniquePlan::Shared(_)
        | UniquePlan::Longest(_) => filled(&format!("work-{actor}.{step}"), plan.size),
    }
}

/// The function with this number, among those that nobody works for.
pub(crate) fn spare(number: u8) -> Bytes {
    format!("spare-{number}").into()
}

/// The limits of a queue, for jobs of high, normal and low priority.
pub(crate) fn limits(most: [u8; 3]) -> QueueLimits {
    let [high, normal, low] = most.map(|most| (most > 0).then_some(u32::from(most)));
    QueueLimits { high, normal, low }
}

/// The reducer with this number.
pub(crate) fn reducer(number: u8) -> Reducer {
    Reducer::new(format!("reducer-{number}")).expect("a plan's reducers fit")
}
