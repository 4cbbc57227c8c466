//! Some of the bugs, where all would take too long.

/// A slice of them; all unless something is said.
#[derive(clap::Args)]
pub(super) struct Slice {
    /// Only so many, counted round and round from `--first`: a slice that another number moves on.
    #[arg(long, value_name = "N", requires = "first")]
    count: Option<usize>,
    /// Where the slice begins; any number will do.
    #[arg(long, value_name = "N")]
    first: Option<usize>,
}

impl Slice {
    pub(super) fn of<T>(&self, mut bugs: Vec<T>) -> Vec<T> {
        if let (Some(first), Some(count)) = (self.first, self.count) {
            let middle = first % bugs.len().max(1);
            bugs.rotate_left(middle);
            bugs.truncate(count);
        }
        bugs
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn slice(first: Option<usize>, count: Option<usize>) -> Vec<u8> {
        Slice { count, first }.of(vec![0, 1, 2, 3, 4])
    }

    #[test]
    fn a_slice_goes_round_and_round() {
        assert_eq!(slice(Some(13), Some(3)), [3, 4, 0]);
        assert_eq!(slice(Some(2), Some(9)), [2, 3, 4, 0, 1]);
        assert_eq!(slice(Some(1), None), [0, 1, 2, 3, 4]);
        assert_eq!(slice(None, None), [0, 1, 2, 3, 4]);
    }
}
