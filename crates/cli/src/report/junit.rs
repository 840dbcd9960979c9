//! Policy tests as `JUnit` XML, as build servers read them.

use super::escaped;
use crate::failure::Failure;
use crate::policy_test::run::{FileResult, State};

/// All files, a suite each; those that could not be read are errors of their own, so that whoever looks
/// at the report alone does not miss them.
pub fn xml(files: &[FileResult], unread: &[(String, Failure)]) -> String {
    let errors = unread.len();
    let all = files.iter().map(|file| file.results.len()).sum::<usize>() + errors;
    let failed = files.iter().map(FileResult::failures).sum::<usize>();
    let mut out = format!(
        "<?xml version=\"1.0\" encoding=\"UTF-8\"?>\n<testsuites name=\"portcullis\" tests=\"{all}\" failures=\"{failed}\" errors=\"{errors}\">\n"
    );
    for file in files {
        out.extend([format!(
            "  <testsuite name=\"{}\" tests=\"{}\" failures=\"{}\" errors=\"0\">\n",
            escaped(&file.name),
            file.results.len(),
            file.failures()
        )]);
        for result in &file.results {
            let head = format!(
                "    <testcase classname=\"{}\" name=\"{}\"",
                escaped(&file.name),
                escaped(&result.name)
            );
            match &result.state {
                State::Passed => out.extend([format!("{head}/>\n")]),
                State::Failed(why) => out.extend([format!(
                    "{head}><failure message=\"{}\">{}:{}</failure></testcase>\n",
                    escaped(why),
                    escaped(&file.name),
                    result.line
                )]),
            }
        }
        out.push_str("  </testsuite>\n");
    }
    for (name, failure) in unread {
        let (name, message) = (escaped(name), escaped(&failure.message));
        out.extend([
            format!("  <testsuite name=\"{name}\" tests=\"1\" failures=\"0\" errors=\"1\">\n"),
            format!("    <testcase classname=\"{name}\" name=\"the file can be read\">"),
            format!("<error message=\"{message}\"/></testcase>\n  </testsuite>\n"),
        ]);
    }
    out.push_str("</testsuites>\n");
    out
}
