//! A badge for a server: one small picture that says how many cases came out well.

use super::reading::Results;
use super::{Tone, escaped};

/// The width of a character in this size, in pixels; the text is stretched to what was counted, so that any font fits.
const CHARACTER: usize = 7;

/// An SVG of 20 pixels' height: `gearman conformance`, and how many of the cases that were played came out well.
#[must_use]
pub fn badge(server: &Results) -> String {
    let tones: Vec<Tone> = server
        .results
        .iter()
        .filter(|case| case.variant == "as-written")
        .map(|case| Tone::of(&case.verdict))
        .filter(|tone| *tone != Tone::None)
        .collect();
    let well = tones.iter().filter(|tone| **tone < Tone::Bad).count();
    let colour = match (well == tones.len(), well * 10 >= tones.len() * 9) {
        (true, _) => "#1a7f37",
        (false, true) => "#7a5c00",
        (false, false) => "#b42318",
    };
    let label = "gearman conformance";
    let value = format!("{well} of {} cases", tones.len());
    let (left, right) = (label.len() * CHARACTER + 12, value.len() * CHARACTER + 12);
    let text = |at: usize, width: usize, text: &str| {
        let (at, length) = (at + 6, width - 12);
        format!("<text x=\"{at}\" y=\"14\" textLength=\"{length}\">{text}</text>")
    };
    let all = left + right;
    let name = escaped(&format!("{}: {value} as they should be", server.server));
    format!(
        "<svg xmlns=\"http://www.w3.org/2000/svg\" width=\"{all}\" height=\"20\" role=\"img\" aria-label=\"{name}\">\
         <title>{name}</title><rect width=\"{all}\" height=\"20\" rx=\"3\" fill=\"#3b3b44\"/>\
         <rect x=\"{left}\" width=\"{right}\" height=\"20\" rx=\"3\" fill=\"{colour}\"/>\
         <g fill=\"#fff\" font-family=\"Verdana,DejaVu Sans,sans-serif\" font-size=\"11\">{}{}</g></svg>\n",
        text(0, left, label),
        text(left, right, &value)
    )
}
