//! Pages that have room for a table, between two comments.

use std::fmt::Display;
use std::fs;
use std::path::Path;

/// A page that has room for a table. That is looked at before the work begins whose outcome it shall show: an hour
/// later it is too late to say that it has none.
pub(super) struct Page<'a> {
    file: &'a Path,
    name: &'static str,
}

impl<'a> Page<'a> {
    /// The page in this file, with room between `<!-- NAME -->` and `<!-- end of NAME -->`.
    pub(super) fn at(file: &'a Path, name: &'static str) -> Result<Self, String> {
        let page = Self { file, name };
        page.around().map(|_| page)
    }

    /// Puts the table there; what else stands in the page is as it is by now.
    pub(super) fn write(&self, table: &impl Display) -> Result<(), String> {
        let (before, after) = self.around()?;
        let table = table.to_string();
        fs::write(self.file, format!("{before}\n{}\n\n{after}", table.trim()))
            .map_err(|error| format!("{}: {error}", self.file.display()))
    }

    fn around(&self) -> Result<(String, String), String> {
        let Self { file, name } = self;
        let text = fs::read_to_string(file).map_err(|error| format!("{}: {error}", file.display()))?;
        around(&text, name).ok_or_else(|| {
            format!("{}: it has no <!-- {name} -->, and <!-- end of {name} --> below it", file.display())
        })
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
