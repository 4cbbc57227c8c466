//! Numbers as the C library reads them.

/// The integer at the front of a text, whatever follows it: spaces, a sign, digits. `None` if there is none; one
/// that is too large is the largest there is.
pub(crate) fn integer(text: &[u8]) -> Option<i64> {
    let text = text.trim_ascii_start();
    let (negative, digits) = match text {
        [b'-', digits @ ..] => (true, digits),
        [b'+', digits @ ..] | digits => (false, digits),
    };
    let end = digits.iter().position(|byte| !byte.is_ascii_digit()).unwrap_or(digits.len());
    let magnitude = digits[..end]
        .iter()
        .fold(0_i64, |sum, digit| sum.saturating_mul(10).saturating_add(i64::from(digit - b'0')));
    (end > 0).then_some(if negative { -magnitude } else { magnitude })
}

/// A part of a status in 32 bits without a sign: the nearest there is, but the negative numbers of 32 bits are what
/// the same bits say without their sign.
pub(crate) fn status_part(text: &[u8]) -> u32 {
    let number = integer(text).unwrap_or(0);
    let is_short = i32::try_from(number).is_ok();
    let number = if is_short && number < 0 { number + (1 << 32) } else { number };
    u32::try_from(number.clamp(0, i64::from(u32::MAX))).expect("clamped")
}
