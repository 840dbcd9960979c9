//! What `check` and `explain` are asked about: words of the command line to a tool and its input.

use crate::failure::Failure;
use crate::tables::tools::{Tool, tool};
use portcullis_host::batch::tool_input;
use portcullis_model::{AbsPath, InputValue, ToolInput, quote_word};
use serde_json::Value;
use std::collections::BTreeMap;

/// A tool call as far as the command line says it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Asked {
    /// A tool and its input.
    Tool {
        /// The tool.
        tool: String,
        /// Its input.
        input: ToolInput,
    },
    /// A whole call in the batch format, as text.
    Object(String),
}

/// Reads the words of a call. `cwd` is where relative paths start.
pub(crate) fn read(words: &[String], cwd: &AbsPath, home: &AbsPath) -> Result<Asked, Failure> {
    match words {
        [] => Err(Failure::usage("no call is given").hint(
            "give a shell command, as in `portcullis check 'git push'`, or a tool and its input",
        )),
        [text] if text.trim_start().starts_with('{') => object(text),
        [name] => match tool(name) {
            Some(_) => Ok(Asked::Tool { tool: name.clone(), input: ToolInput::default() }),
            None if name.starts_with("mcp__") => {
                Ok(Asked::Tool { tool: name.clone(), input: ToolInput::default() })
            }
            None => Ok(bash(name.clone())),
        },
        [name, input] if is_tool_name(name) && is_object(name, input) => {
            Ok(Asked::Tool { tool: name.clone(), input: fields(input)? })
        }
        [name, rest @ ..] => match tool(name) {
            Some(tool) => plain(tool, rest, cwd, home),
            None if name.starts_with("mcp__") => {
                Err(Failure::usage(format!("`{name}` takes a JSON object as its input"))
                    .hint(format!("write `portcullis check {name} '{{\"name\":\"value\"}}'`")))
            }
            // Words the calling shell already split: the command that has exactly these words.
            None => {
                let quoted: Vec<String> = words.iter().map(|word| quote_word(word)).collect();
                Ok(bash(quoted.join(" ")))
            }
        },
    }
}

fn bash(command: String) -> Asked {
    let fields = BTreeMap::from([("command".to_owned(), InputValue::Text(command))]);
    Asked::Tool { tool: "Bash".to_owned(), input: ToolInput(fields) }
}

/// A known tool with a plain argument.
fn plain(tool: Tool, rest: &[String], cwd: &AbsPath, home: &AbsPath) -> Result<Asked, Failure> {
    let name = tool.name;
    let [argument] = rest else {
        return Err(Failure::usage(format!(
            "`{name}` takes one argument, and {} are given",
            rest.len()
        ))
        .hint("quote an argument that holds blanks"));
    };
    if tool.field.is_empty() {
        return Err(Failure::usage(format!("`{name}` takes a JSON object as its input"))
            .hint(format!("write `portcullis check {name} '{{\"name\":\"value\"}}'`")));
    }
    let text = if tool.is_path { absolute(argument, cwd, home)? } else { argument.clone() };
    let fields = BTreeMap::from([(tool.field.to_owned(), InputValue::Text(text))]);
    Ok(Asked::Tool { tool: name.to_owned(), input: ToolInput(fields) })
}

/// Hosts expand `~` and relative paths before hooks see them.
fn absolute(path: &str, cwd: &AbsPath, home: &AbsPath) -> Result<String, Failure> {
    let joined = match path.strip_prefix('~') {
        Some("") => Ok(home.clone()),
        Some(rest) if rest.starts_with('/') => home.join(rest.trim_start_matches('/')),
        Some(_) | None => cwd.join(path),
    };
    joined
        .map(|path| path.as_str().to_owned())
        .map_err(|_not_absolute| Failure::usage(format!("`{path}` names no file")))
}

fn is_tool_name(name: &str) -> bool {
    !name.is_empty() && name.chars().all(|c| c.is_alphanumeric() || "_-".contains(c))
}

/// Whether an argument is meant as a JSON object. A shell command may start with a brace, too.
fn is_object(name: &str, input: &str) -> bool {
    input.trim_start().starts_with('{')
        && (name != "Bash" || serde_json::from_str::<Value>(input).is_ok())
}

fn object(text: &str) -> Result<Asked, Failure> {
    let value: Value = serde_json::from_str(text).map_err(|error| not_json(text, &error))?;
    if value.get("tool_name").is_none() {
        return Err(Failure::input("the JSON object has no `tool_name`").hint(
            "write `{\"tool_name\":\"Bash\",\"tool_input\":{\"command\":\"ls\"}}`, or put the tool before the object",
        ));
    }
    Ok(Asked::Object(text.to_owned()))
}

fn fields(text: &str) -> Result<ToolInput, Failure> {
    match serde_json::from_str::<Value>(text) {
        Ok(Value::Object(fields)) => Ok(tool_input(&fields)),
        Ok(_) => Err(Failure::input("the tool's input is not a JSON object")),
        Err(error) => Err(not_json(text, &error)),
    }
}

fn not_json(text: &str, error: &serde_json::Error) -> Failure {
    let detail = error.to_string();
    let detail = detail.split(" at line ").next().unwrap_or_default();
    let failure = Failure::input(format!(
        "the input is not JSON: {detail} at line {}, column {}",
        error.line(),
        error.column()
    ));
    if text.trim_start().starts_with("{ ") || text.contains(';') {
        failure.hint("for a shell group, write `portcullis check Bash '{ …; }'`")
    } else {
        failure
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn ask(words: &[&str]) -> Result<Asked, Failure> {
        let words: Vec<String> = words.iter().map(|word| (*word).to_owned()).collect();
        let path = |text| AbsPath::parse(text).unwrap();
        read(&words, &path("/p/sub"), &path("/home/u"))
    }

    fn field(asked: &Asked, name: &str) -> (String, String) {
        match asked {
            Asked::Tool { tool, input } => (tool.clone(), input.text(name).unwrap().to_owned()),
            Asked::Object(_) => panic!("an object"),
        }
    }

    #[test]
    fn reads_every_form() {
        for (words, name, tool, text) in [
            (&["git push && make"][..], "command", "Bash", "git push && make"),
            (&["git", "push", "a b"], "command", "Bash", "git push a\\ b"),
            (&["Bash", "ls"], "command", "Bash", "ls"),
            (&["Bash", "{ ls; }"], "command", "Bash", "{ ls; }"),
            (&["Read", "src/a.ts"], "file_path", "Read", "/p/sub/src/a.ts"),
            (&["Edit", "~/x"], "file_path", "Edit", "/home/u/x"),
            (&["Grep", "../x"], "path", "Grep", "/p/x"),
            (&["WebFetch", "https://x"], "url", "WebFetch", "https://x"),
            (&["mcp__x__y", "{\"a\":\"1\"}"], "a", "mcp__x__y", "1"),
            (&["Read", "{\"file_path\":\"x\"}"], "file_path", "Read", "x"),
        ] {
            let asked = ask(words).unwrap();
            assert_eq!(field(&asked, name), (tool.to_owned(), text.to_owned()), "{words:?}");
        }
        assert!(matches!(ask(&["{\"tool_name\":\"Bash\"}"]), Ok(Asked::Object(_))));
        assert!(matches!(ask(&["WebSearch"]), Ok(Asked::Tool { tool, .. }) if tool == "WebSearch"));
    }
}
