//! Which seeds a campaign runs.

use std::ops::Range;
use std::str::FromStr;
use thiserror::Error;

/// A range of seeds, or every so-manieth of it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Seeds {
    range: Range<u64>,
    shard: Shard,
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
#[error("write how many seeds (1000) or from which to before which (5000..6000)")]
pub struct SeedsError;

/// What was written is no shard.
#[derive(Clone, Debug, PartialEq, Eq, Error)]
#[error("write which part of how many, such as 1/4; parts count from 1")]
pub struct ShardError;

impl Seeds {
    /// One seed.
    #[must_use]
    pub const fn one(seed: u64) -> Self {
        Self { range: seed..seed.saturating_add(1), shard: Shard { number: 1, of: 1 } }
    }

    /// The first so many, from 0.
    #[must_use]
    pub const fn first(count: u64) -> Self {
        Self { range: 0..count, shard: Shard { number: 1, of: 1 } }
    }

    /// One part of them.
    #[must_use]
    pub fn shard(self, shard: Shard) -> Self {
        Self { shard, ..self }
    }

    /// The flags that name them.
    #[must_use]
    pub fn flags(&self) -> [String; 4] {
        let (Range { start, end }, Shard { number, of }) = (&self.range, self.shard);
        ["--seeds".to_owned(), format!("{start}..{end}"), "--shard".to_owned(), format!("{number}/{of}")]
    }

    /// How many there are.
    #[must_use]
    pub fn count(&self) -> u64 {
        let all = self.range.end - self.range.start;
        let Shard { number, of } = self.shard;
        all / of + u64::from(all % of >= number)
    }

    /// The one at this place, from 0.
    #[must_use]
    pub fn nth(&self, place: u64) -> Option<u64> {
        (place < self.count()).then(|| self.range.start + place * self.shard.of + self.shard.number - 1)
    }
}

impl FromStr for Seeds {
    type Err = SeedsError;

    fn from_str(text: &str) -> Result<Self, SeedsError> {
        let number = |text: &str| text.replace('_', "").parse::<u64>().map_err(|_| SeedsError);
        let range = match text.split_once("..") {
            Some((start, end)) => number(start)?..number(end)?,
            None => 0..number(text)?,
        };
        let whole = Shard { number: 1, of: 1 };
        if range.is_empty() { Err(SeedsError) } else { Ok(Self { range, shard: whole }) }
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
        for wrong in ["", "0", "7..7", "9..7", "..5", "-3", "many"] {
            assert_eq!(wrong.parse::<Seeds>(), Err(SeedsError), "{wrong}");
        }
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
