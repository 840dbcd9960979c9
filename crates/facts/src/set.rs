//! Parameters and variables that builtins set from what is known.

use crate::Arg;
use crate::expand::Value;
use crate::outputs::printf;
use crate::state::State;
use crate::walk::Stdin;

/// Positional parameters that `set` gives, and variables that `read` takes from a known input.
pub(crate) fn set_by_builtin(
    argv: &[Arg],
    stdin: &Stdin,
    assigns: &[(String, Option<Arg>)],
    state: &mut State,
) {
    let Some((name, words)) = argv.split_first() else { return };
    match (name.known(), stdin) {
        (Some("set"), _) => {
            let dashes = words.iter().position(|word| word.known() == Some("--"));
            let options = words.first().is_none_or(|word| word.prefix().starts_with(['-', '+']));
            if let Some(start) = dashes.map(|at| at + 1).or((!options).then_some(0)) {
                let given = words.get(start..).unwrap_or(&[]).iter();
                state.positional = given.map(|arg| arg.known().map(str::to_owned)).collect();
            }
        }
        (Some("shift"), _) => {
            let count = match words {
                [] => Some(1),
                [only] => only.known().and_then(|text| text.parse::<usize>().ok()),
                _ => None,
            };
            state.positional = state.positional.take().zip(count).map(|(mut items, count)| {
                items.drain(..count.min(items.len()));
                items
            });
        }
        (Some("printf"), _) => {
            if let Some(known) = words.iter().map(Arg::known).collect::<Option<Vec<_>>>()
                && let ["-v", name, format, args @ ..] = known.as_slice()
                && let Some(text) = printf(format, args)
            {
                state.assign(name, false, vec![Value::Scalar(text)]);
            }
        }
        (Some("mapfile" | "readarray"), Stdin::Known(text)) => {
            for (name, _) in assigns {
                let lines = text.lines().map(str::to_owned).collect();
                state.assign(name, false, vec![Value::Array(lines)]);
            }
        }
        (Some("read"), Stdin::Known(text)) => {
            let array = words
                .iter()
                .filter_map(Arg::known)
                .any(|word| word.starts_with('-') && !word.starts_with("--") && word.contains('a'));
            let separators: Vec<char> = match state.variables.get("IFS") {
                [.., Value::Scalar(text)] if !text.is_empty() => text.chars().collect(),
                _ => vec![' ', '\t', '\n'],
            };
            let line = text.lines().next().unwrap_or("");
            let mut fields = line.split(separators.as_slice()).filter(|field| !field.is_empty());
            if array {
                for (name, _) in assigns {
                    let items = fields.by_ref().map(str::to_owned).collect();
                    state.assign(name, false, vec![Value::Array(items)]);
                }
                return;
            }
            for (index, (name, _)) in assigns.iter().enumerate() {
                let last = index + 1 == assigns.len();
                let value = if last {
                    fields.by_ref().collect::<Vec<_>>().join(" ")
                } else {
                    fields.next().unwrap_or("").to_owned()
                };
                state.assign(name, false, vec![Value::Scalar(value)]);
            }
        }
        _ => {}
    }
}
