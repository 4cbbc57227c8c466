//! Where a page has room for a table that a command makes.

use std::fs;
use std::path::Path;

/// A page's room for a table, looked for before the work begins: an hour later it is too late to say that there is none.
pub(crate) struct Room<'a> {
    page: &'a Path,
    marks: [String; 2],
}

impl<'a> Room<'a> {
    /// The room between the comments `<!-- NAME -->` and `<!-- end of NAME -->`.
    pub(crate) fn in_page(page: &'a Path, name: &str) -> Result<Self, String> {
        let room = Self { page, marks: [format!("<!-- {name} -->"), format!("<!-- end of {name} -->")] };
        room.around()?;
        Ok(room)
    }

    /// What stands above and below it: others may write into the page meanwhile.
    fn around(&self) -> Result<[String; 2], String> {
        let Self { page, marks: [begin, end] } = self;
        let text = fs::read_to_string(page).map_err(|error| format!("{}: {error}", page.display()))?;
        let lacks = || format!("{}: it has no {begin}, and {end} below it", page.display());
        let (above, rest) = text.split_once(begin).ok_or_else(lacks)?;
        let (_, below) = rest.split_once(end).ok_or_else(lacks)?;
        Ok([above.to_owned(), below.to_owned()])
    }

    pub(crate) fn fill(&self, table: &str) -> Result<(), String> {
        let Self { page, marks: [begin, end] } = self;
        let [above, below] = self.around()?;
        let text = format!("{above}{begin}\n\n{}\n\n{end}{below}", table.trim());
        fs::write(page, text).map_err(|error| format!("{}: {error}", page.display()))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_table_takes_the_place_of_the_last_one_and_of_nothing_else() {
        let page = std::env::temp_dir().join(format!("room-{}.md", std::process::id()));
        fs::write(&page, "above\n<!-- a -->\n\nold\n\n<!-- end of a -->\nbelow\n").unwrap();
        assert!(Room::in_page(&page, "b").is_err());
        let room = Room::in_page(&page, "a").unwrap();
        let text = fs::read_to_string(&page).unwrap();
        fs::write(&page, text.replace("below", "what came meanwhile")).unwrap();
        room.fill("new\n").unwrap();
        let text = fs::read_to_string(&page).unwrap();
        assert_eq!(text, "above\n<!-- a -->\n\nnew\n\n<!-- end of a -->\nwhat came meanwhile\n");
        fs::remove_file(page).unwrap();
    }
}
