//! Results for CI systems that read JUnit's XML.

use std::io;

use quick_xml::Writer;
use quick_xml::events::{BytesDecl, BytesText, Event};

use super::failure::describe;
use crate::language::Transcript;
use crate::run::CaseResult;
use crate::verdict::Verdict;

/// The results of a run as JUnit XML; a chapter is a test suite.
///
/// # Errors
///
/// None that this crate knows of: it writes into memory.
pub fn render(
    cases: &[Transcript],
    results: &[CaseResult],
    rerun: impl Fn(&CaseResult) -> String,
) -> io::Result<String> {
    let mut writer = Writer::new_with_indent(Vec::new(), b' ', 2);
    writer.write_event(Event::Decl(BytesDecl::new("1.0", Some("UTF-8"), None)))?;
    let failures = results.iter().filter(|result| !result.verdict.is_met()).count().to_string();
    let tests = results.len().to_string();
    writer
        .create_element("testsuites")
        .with_attributes([
            ("name", "gearman-conformance"),
            ("tests", tests.as_str()),
            ("failures", failures.as_str()),
        ])
        .write_inner_content(|writer| {
            let chapter = |result: &CaseResult| cases[result.case].header.chapter();
            for results in results.chunk_by(|one, next| chapter(one) == chapter(next)) {
                suite(writer, cases, results, &rerun)?;
            }
            Ok(())
        })?;
    String::from_utf8(writer.into_inner()).map_err(io::Error::other).map(|text| text + "\n")
}

fn suite(
    writer: &mut Writer<Vec<u8>>,
    cases: &[Transcript],
    results: &[CaseResult],
    rerun: &impl Fn(&CaseResult) -> String,
) -> io::Result<()> {
    let name = cases[results[0].case].header.chapter();
    writer
        .create_element("testsuite")
        .with_attributes([("name", name), ("tests", results.len().to_string().as_str())])
        .write_inner_content(|writer| {
            results.iter().try_for_each(|result| case(writer, &cases[result.case], result, rerun))
        })?;
    Ok(())
}

fn case(
    writer: &mut Writer<Vec<u8>>,
    case: &Transcript,
    result: &CaseResult,
    rerun: &impl Fn(&CaseResult) -> String,
) -> io::Result<()> {
    let name = format!("{} ({})", case.header.id, result.variant);
    let time = format!("{:.3}", result.took.as_secs_f64());
    let element = writer.create_element("testcase").with_attributes([
        ("classname", case.header.chapter()),
        ("name", name.as_str()),
        ("time", time.as_str()),
    ]);
    let message = format!("{}: {}", result.verdict, result.why.as_deref().unwrap_or(&case.header.title));
    let is_skipped = matches!(result.verdict, Verdict::Skip(_));
    match result.verdict.is_met() {
        true if is_skipped => element.write_inner_content(|writer| {
            writer.create_element("skipped").with_attribute(("message", message.as_str())).write_empty()?;
            Ok(())
        })?,
        true => element.write_empty()?,
        false => element.write_inner_content(|writer| {
            let text = anstream::adapter::strip_str(&describe(case, result, &rerun(result))).to_string();
            writer
                .create_element("failure")
                .with_attribute(("message", message.as_str()))
                .write_text_content(BytesText::new(&text))?;
            Ok(())
        })?,
    };
    Ok(())
}
