//! Policy tests as `JUnit` XML, as build servers read them.

use super::escaped;
use crate::policy_test::run::{FileResult, State};

/// All files, a suite each.
pub fn xml(files: &[FileResult]) -> String {
    let all = files.iter().map(|file| file.results.len()).sum::<usize>();
    let failed = files.iter().map(FileResult::failures).sum::<usize>();
    let mut out = format!(
        "<?xml version=\"1.0\" encoding=\"UTF-8\"?>\n<testsuites name=\"portcullis\" tests=\"{all}\" failures=\"{failed}\">\n"
    );
    for file in files {
        out.extend([format!(
            "  <testsuite name=\"{}\" tests=\"{}\" failures=\"{}\">\n",
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
    out.push_str("</testsuites>\n");
    out
}
