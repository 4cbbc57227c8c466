//! Which seeds a campaign runs.

use std::fmt;
use std::str::FromStr;
use thiserror::Error;

/// A range of seeds, or every so-manieth of it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Seeds {
    first: u64,
    last: u64,
    shard: Shard,
    backwards: bool,
}

/// One of several equal parts of a campaign, for as many machines.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Shard {
    /// Which part, from 1.
    number: u64,
    /// How many there are.
    of: u64,
}

/// What was written is no range of seeds.
#[derive(Clone, Debug, PartialEq, Eq, Error)]
#[error("write how many seeds (1000), from which to before which (5000..6000), or to which (5000..=5999)")]
pub struct SeedsError;

/// What was written is no shard.
#[derive(Clone, Debug, PartialEq, Eq, Error)]
#[error("write which part of how many, such as 1/4; parts count from 1")]
pub struct ShardError;

/// All of a campaign.
const WHOLE: Shard = Shard { number: 1, of: 1 };

impl Seeds {
    /// One seed.
    #[must_use]
    pub const fn one(seed: u64) -> Self {
        Self { first: seed, last: seed, shard: WHOLE, backwards: false }
    }

    /// One part of them.
    #[must_use]
    pub fn shard(self, shard: Shard) -> Self {
        Self { shard, ..self }
    }

    /// The same, the last one first.
    #[must_use]
    pub fn backwards(self) -> Self {
        Self { backwards: !self.backwards, ..self }
    }

    /// So many times as many, from behind the last one on, as far as there are any.
    #[must_use]
    pub const fn following(&self, times: u64) -> Self {
        let count = (self.last - self.first + 1).saturating_mul(times);
        let first = self.last.saturating_add(1);
        Self { first, last: first.saturating_add(count - 1), shard: self.shard, backwards: self.backwards }
    }

    /// The flags that name them, in whichever order.
    #[must_use]
    pub fn flags(&self) -> [String; 4] {
        ["--seeds".to_owned(), self.to_string(), "--shard".to_owned(), self.shard.to_string()]
    }

    /// Which part of their range they are.
    #[must_use]
    pub const fn part(&self) -> Shard {
        self.shard
    }

    /// Whether no seed can be in both: they are of ranges apart, or different parts of one range, shared out into as
    /// many. Parts of ranges that meet in another way are not compared seed by seed.
    #[must_use]
    pub const fn is_apart_from(&self, other: &Self) -> bool {
        let ranges_apart = self.last < other.first || other.last < self.first;
        ranges_apart || self.is_of_the_range_of(other) && self.shard.number != other.shard.number
    }

    /// Whether they are parts of one range that is shared out into as many.
    #[must_use]
    pub const fn is_of_the_range_of(&self, other: &Self) -> bool {
        self.first == other.first && self.last == other.last && self.shard.of == other.shard.of
    }

    /// The other parts of the same range.
    pub fn other_parts(&self) -> impl Iterator<Item = Self> + '_ {
        let Shard { number, of } = self.shard;
        let others = (1..=of).filter(move |&other| other != number);
        others.map(move |number| self.clone().shard(Shard { number, of }))
    }

    /// How many there are.
    #[must_use]
    pub fn count(&self) -> u64 {
        let all = self.last - self.first + 1;
        let Shard { number, of } = self.shard;
        all / of + u64::from(all % of >= number)
    }

    /// The one at this place, from 0.
    #[must_use]
    pub fn nth(&self, place: u64) -> Option<u64> {
        let from_the_end = self.count().checked_sub(place + 1)?;
        let place = if self.backwards { from_the_end } else { place };
        Some(self.first + (place * self.shard.of + self.shard.number - 1))
    }
}

/// The range alone; [`Seeds::part`] says which part of it they are.
impl fmt::Display for Seeds {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}..={}", self.first, self.last)
    }
}

impl fmt::Display for Shard {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}/{}", self.number, self.of)
    }
}

impl FromStr for Seeds {
    type Err = SeedsError;

    fn from_str(text: &str) -> Result<Self, SeedsError> {
        let number = |text: &str| text.replace('_', "").parse::<u64>().map_err(|_| SeedsError);
        let before = |end: u64| end.checked_sub(1).ok_or(SeedsError);
        let (first, last) = match text.split_once("..") {
            Some((first, end)) => match end.strip_prefix('=') {
                Some(last) => (number(first)?, number(last)?),
                None => (number(first)?, before(number(end)?)?),
            },
            None => (0, before(number(text)?)?),
        };
        // So many that their number has a number.
        let can_be_counted = first <= last && last - first < u64::MAX;
        if can_be_counted {
            Ok(Self { first, last, shard: WHOLE, backwards: false })
        } else {
            Err(SeedsError)
        }
    }
}

impl Shard {
    /// The part whose index counts from 0, as schedulers count.
    ///
    /// # Errors
    /// There are not so many.
    pub fn at(index: u64, of: u64) -> Result<Self, ShardError> {
        if index < of { Ok(Self { number: index + 1, of }) } else { Err(ShardError) }
    }
}

impl FromStr for Shard {
    type Err = ShardError;

    fn from_str(text: &str) -> Result<Self, ShardError> {
        let (number, of) = text.split_once('/').ok_or(ShardError)?;
        let (number, of) = (number.parse().map_err(|_| ShardError)?, of.parse().map_err(|_| ShardError)?);
        if (1..=of).contains(&number) { Ok(Self { number, of }) } else { Err(ShardError) }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn all(seeds: &str, shard: &str) -> Vec<u64> {
        let seeds = seeds.parse::<Seeds>().unwrap().shard(shard.parse().unwrap());
        let all: Vec<u64> = (0..).map_while(|place| seeds.nth(place)).collect();
        assert_eq!(all.len() as u64, seeds.count());
        all
    }

    #[test]
    fn a_number_is_how_many_and_two_are_from_and_before() {
        assert_eq!(all("3", "1/1"), [0, 1, 2]);
        assert_eq!(all("1_000..1_002", "1/1"), [1000, 1001]);
        assert_eq!(all("7..=9", "1/1"), [7, 8, 9]);
        for wrong in
            ["", "0", "7..7", "9..7", "9..=8", "..5", "0..0", "-3", "many", "0..=18446744073709551615"]
        {
            assert_eq!(wrong.parse::<Seeds>(), Err(SeedsError), "{wrong}");
        }
    }

    #[test]
    fn the_greatest_seed_is_one_and_its_flags_name_it() {
        let last = Seeds::one(u64::MAX);
        assert_eq!((last.count(), last.nth(0), last.nth(1)), (1, Some(u64::MAX), None));
        let [_, seeds, _, shard] = last.flags();
        assert_eq!(seeds.parse::<Seeds>().unwrap().shard(shard.parse().unwrap()), last);
    }

    #[test]
    fn backwards_they_are_the_same() {
        let backwards = "10..20".parse::<Seeds>().unwrap().shard("2/3".parse().unwrap()).backwards();
        assert_eq!((0..).map_while(|place| backwards.nth(place)).collect::<Vec<u64>>(), [17, 14, 11]);
        assert_eq!(backwards.count(), 3);
    }

    #[test]
    fn seeds_are_apart_in_ranges_apart_or_as_parts_of_one() {
        let seeds = |range: &str, shard: &str| range.parse::<Seeds>().unwrap().shard(shard.parse().unwrap());
        let part = seeds("0..100", "1/4");
        for apart in [seeds("0..100", "2/4"), seeds("100..200", "1/4"), seeds("100..=100", "1/1")] {
            assert!(part.is_apart_from(&apart) && apart.is_apart_from(&part), "{apart:?}");
        }
        for not_apart in
            [part.clone(), seeds("0..100", "2/8"), seeds("0..99", "2/4"), seeds("99..200", "1/1")]
        {
            assert!(!part.is_apart_from(&not_apart) && !not_apart.is_apart_from(&part), "{not_apart:?}");
        }
        let others: Vec<String> = part.other_parts().map(|other| other.part().to_string()).collect();
        assert_eq!(others, ["2/4", "3/4", "4/4"]);
    }

    #[test]
    fn an_index_counts_from_0_and_a_part_from_1() {
        assert_eq!(Shard::at(0, 3), "1/3".parse());
        assert_eq!((Shard::at(2, 3), Shard::at(3, 3)), ("3/3".parse(), Err(ShardError)));
    }

    #[test]
    fn a_shard_may_be_empty() {
        assert_eq!(all("2", "3/3"), [0; 0]);
    }

    #[test]
    fn shards_share_all_seeds_out() {
        let mut together: Vec<u64> =
            ["1/3", "2/3", "3/3"].iter().flat_map(|shard| all("10..20", shard)).collect();
        together.sort_unstable();
        assert_eq!(together, (10..20).collect::<Vec<u64>>());
        for wrong in ["", "1", "0/3", "4/3", "1/0", "a/b"] {
            assert_eq!(wrong.parse::<Shard>(), Err(ShardError), "{wrong}");
        }
    }
}
