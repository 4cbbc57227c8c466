//! The name of a function as the value of a label.

use gearman_protocol::FunctionName;

/// Strangers chose the name. What is no UTF-8 becomes `\xNN`, and a backslash two, so that no two names look the
/// same: Prometheus refuses everything when one series is there twice.
pub(super) fn label(name: &FunctionName) -> String {
    let mut label = String::with_capacity(name.as_bytes().len());
    for chunk in name.as_bytes().utf8_chunks() {
        label.push_str(&chunk.valid().replace('\\', r"\\"));
        chunk.invalid().iter().for_each(|byte| label.push_str(&format!(r"\x{byte:02x}")));
    }
    label
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_that_differ_have_labels_that_differ() {
        let label = |name: &'static [u8]| label(&FunctionName::new(name).unwrap());
        assert_eq!(label("größe \"1\"".as_bytes()), "größe \"1\"");
        assert_eq!(label(b"a\xff\xc3"), r"a\xff\xc3");
        assert_eq!(label(br"a\xff"), r"a\\xff");
    }
}
