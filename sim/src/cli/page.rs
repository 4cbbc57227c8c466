//! Tables that stand in a page between two comments.

use std::fs;
use std::path::Path;

/// Puts text between the comments `<!-- NAME -->` and `<!-- end of NAME -->` of a page.
pub(super) fn insert(page: &Path, name: &str, text: &str) -> Result<(), String> {
    let about = |error: &dyn std::fmt::Display| format!("{}: {error}", page.display());
    let before = fs::read_to_string(page).map_err(|error| about(&error))?;
    let missing = || about(&format!("there is no <!-- {name} --> before <!-- end of {name} -->"));
    let after = replaced(&before, name, text).ok_or_else(missing)?;
    fs::write(page, after).map_err(|error| about(&error))
}

fn replaced(page: &str, name: &str, text: &str) -> Option<String> {
    let (begin, end) = (format!("<!-- {name} -->\n"), format!("<!-- end of {name} -->"));
    let (before, rest) = page.split_once(&begin)?;
    let (_, after) = rest.split_once(&end)?;
    Some(format!("{before}{begin}\n{}\n\n{end}{after}", text.trim()))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_stands_between_the_comments_is_replaced_and_nothing_else() {
        let page = "a\n<!-- grid -->\nold\n<!-- end of grid -->\nb\n";
        let once = replaced(page, "grid", "new\n").unwrap();
        assert_eq!(once, "a\n<!-- grid -->\n\nnew\n\n<!-- end of grid -->\nb\n");
        assert_eq!(replaced(&once, "grid", "new").unwrap(), once);
        assert_eq!(replaced("a\n<!-- grid -->\n", "grid", "new"), None);
    }
}
