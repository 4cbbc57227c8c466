//! Pages that have room for a table, between two comments.

use std::fmt::Display;
use std::fs;
use std::path::Path;

/// A page, read before the work begins whose outcome it shall show: an hour later it is too late to say that it has
/// no room for it.
pub(super) struct Page<'a> {
    file: &'a Path,
    before: String,
    after: String,
}

impl<'a> Page<'a> {
    /// The page in this file, with room between `<!-- NAME -->` and `<!-- end of NAME -->`.
    pub(super) fn read(file: &'a Path, name: &str) -> Result<Self, String> {
        let text = fs::read_to_string(file).map_err(|error| format!("{}: {error}", file.display()))?;
        let (before, after) = around(&text, name).ok_or_else(|| {
            format!("{}: it has no <!-- {name} -->, and <!-- end of {name} --> below it", file.display())
        })?;
        Ok(Self { file, before, after })
    }

    /// Puts the table there.
    pub(super) fn write(&self, table: &impl Display) -> Result<(), String> {
        let Self { file, before, after } = self;
        let table = table.to_string();
        fs::write(file, format!("{before}\n{}\n\n{after}", table.trim()))
            .map_err(|error| format!("{}: {error}", file.display()))
    }
}

/// What stands before the table and after it, with the comments.
fn around(page: &str, name: &str) -> Option<(String, String)> {
    let (begin, end) = (format!("<!-- {name} -->\n"), format!("<!-- end of {name} -->"));
    let before = page.find(&begin)? + begin.len();
    let after = before + page[before..].find(&end)?;
    Some((page[..before].to_owned(), page[after..].to_owned()))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_comments_stay_and_nothing_between_them() {
        let page = "a\n<!-- grid -->\nold\n<!-- end of grid -->\nb\n";
        let (before, after) = around(page, "grid").unwrap();
        assert_eq!((&*before, &*after), ("a\n<!-- grid -->\n", "<!-- end of grid -->\nb\n"));
        assert_eq!(around("<!-- end of grid -->\n<!-- grid -->\n", "grid"), None);
    }
}
