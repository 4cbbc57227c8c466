//! Numbers as old servers read them.

/// The integer at the front of a text, as `strtoll` reads it: white space, a sign, digits. What follows is
/// ignored, no digits are 0, and too many are the largest number there is.
pub(crate) fn leading_integer(text: &[u8]) -> i64 {
    let text = text.trim_ascii_start();
    let (negative, digits) = match text {
        [b'-', rest @ ..] => (true, rest),
        [b'+', rest @ ..] => (false, rest),
        _ => (false, text),
    };
    let digits = digits.iter().take_while(|byte| byte.is_ascii_digit());
    let magnitude =
        digits.fold(0_i64, |sum, &digit| sum.saturating_mul(10).saturating_add(i64::from(digit - b'0')));
    if negative { -magnitude } else { magnitude }
}

/// A part of WORK_STATUS as STATUS_RES tells it: 32 bits without a sign, in which -1 is the largest number.
pub(crate) fn status_number(text: &[u8]) -> u32 {
    let number = leading_integer(text);
    let wrapped = i32::try_from(number).ok().filter(|&number| number < 0).map(i32::cast_unsigned);
    wrapped.unwrap_or_else(|| u32::try_from(number.max(0)).unwrap_or(u32::MAX))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn integers_are_read_as_far_as_they_go() {
        let cases: [(&str, i64); 9] = [
            ("17", 17),
            (" +5s", 5),
            ("-3", -3),
            ("", 0),
            ("soon", 0),
            ("1e3", 1),
            ("-", 0),
            ("9223372036854775808", i64::MAX),
            ("99999999999999999999999", i64::MAX),
        ];
        for (text, number) in cases {
            assert_eq!(leading_integer(text.as_bytes()), number, "{text}");
        }
    }

    #[test]
    fn status_numbers_are_unsigned_and_saturate() {
        let cases: [(&str, u32); 6] = [
            ("50", 50),
            ("0.5", 0),
            ("-1", u32::MAX),
            ("4294967295", u32::MAX),
            ("99999999999", u32::MAX),
            ("-99999999999", 0),
        ];
        for (text, number) in cases {
            assert_eq!(status_number(text.as_bytes()), number, "{text}");
        }
    }
}
