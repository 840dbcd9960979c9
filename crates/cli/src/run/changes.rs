//! What a dry run would have changed, told to the caller.

use portcullis_host::claude_code::shown;
use portcullis_sandbox::Changes;
use serde_json::json;
use std::io::{self, Write as _};

/// Tells it after everything the command had to say: on the error output for people, or as one line of JSON
/// on the standard output.
pub(super) fn tell(changes: &Changes, as_json: bool) {
    // Whoever closed the output does not want to hear it.
    if as_json {
        drop(io::stdout().write_all(format!("{}\n", as_value(changes)).as_bytes()));
    } else {
        drop(io::stderr().write_all(as_text(changes).as_bytes()));
    }
}

fn as_value(changes: &Changes) -> serde_json::Value {
    let list: Vec<_> = changes
        .list
        .iter()
        .map(|change| json!({ "change": change.how.to_string(), "path": change.path }))
        .collect();
    json!({ "changes": list, "incomplete": changes.incomplete })
}

fn as_text(changes: &Changes) -> String {
    let more = if changes.incomplete { "; there is more that could not be listed" } else { "" };
    let mut text = match changes.list.len() {
        0 => format!("portcullis: nothing would have changed{more}\n"),
        1 => format!("portcullis: 1 path would have changed{more}\n"),
        count => format!("portcullis: {count} paths would have changed{more}\n"),
    };
    for change in &changes.list {
        // A name made inside may hold anything.
        text.extend([format!("  {:<8} {}\n", change.how.to_string(), shown(&change.path))]);
    }
    text
}
