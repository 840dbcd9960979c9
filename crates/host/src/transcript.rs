//! Tool calls out of recorded sessions: Claude Code transcripts, Codex rollouts, our own decision log
//! and lines of the batch format.
//!
//! In: lines of JSON that others write and may change. Out: calls, and a tally of what could not be
//! read. Unknown fields and kinds of lines are passed over; a line that is too long is skipped without
//! being held in memory; nothing in a line stops the rest from being read.

use crate::batch::tool_input;
use portcullis_model::{Decision, ToolInput, quote_word};
use serde::Deserialize;
use serde::de::{IgnoredAny, SeqAccess, Visitor};
use serde_json::{Map, Value};
use std::borrow::Cow;
use std::fmt;
use std::io::{self, BufRead, Read as _};

/// A longer line is skipped: no tool call is near this size, and memory is bounded by it.
pub const MAX_LINE: usize = 8 * 1024 * 1024;

/// A call as it was recorded.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct RecordedCall {
    /// The tool, by the name rules use.
    pub tool: String,
    /// Its input, texts that no rule looks at left out.
    pub input: ToolInput,
    /// What the input says in short: the command, the path, the address.
    pub text: String,
    /// The directory it was made in, where that is recorded.
    pub cwd: Option<String>,
    /// The session, where that is recorded.
    pub session: Option<String>,
    /// When, as recorded (RFC 3339).
    pub time: Option<String>,
    /// What we decided then, in lines of the decision log.
    pub decided: Option<Decision>,
}

/// What was read.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Tally {
    /// Lines, read or not.
    pub lines: u64,
    /// Bytes, read or not.
    pub bytes: u64,
    /// Calls found.
    pub calls: u64,
    /// Lines that are not JSON, the first of them.
    pub broken: u64,
    /// One-based number of the first broken line.
    pub first_broken: Option<u64>,
    /// Lines longer than [`MAX_LINE`].
    pub too_long: u64,
    /// The file holds bytes that no text has: it is no transcript.
    pub binary: bool,
    /// The last line is cut off.
    pub truncated: bool,
}

/// Reads lines to the end and hands over every call.
///
/// `more` is asked after each line, with the bytes read so far; false stops the reading there.
pub fn read(
    mut input: impl BufRead,
    mut each: impl FnMut(RecordedCall),
    mut more: impl FnMut(u64) -> bool,
) -> io::Result<Tally> {
    let mut tally = Tally::default();
    let mut context = Context::default();
    let mut line = Vec::new();
    let cap = u64::try_from(MAX_LINE).unwrap_or(u64::MAX);
    loop {
        line.clear();
        let taken = input.by_ref().take(cap).read_until(b'\n', &mut line)?;
        if taken == 0 {
            return Ok(tally);
        }
        tally.lines += 1;
        tally.bytes += u64::try_from(taken).unwrap_or(0);
        let whole = line.ends_with(b"\n");
        if !whole && taken >= MAX_LINE {
            tally.too_long += 1;
            tally.bytes += skip_line(&mut input)?;
        } else if line.contains(&0) {
            // Text files hold no NUL; reading on would only collect noise.
            tally.binary = true;
            return Ok(tally);
        } else if !line.iter().all(u8::is_ascii_whitespace) {
            match calls(&line, &mut context) {
                Ok(found) => {
                    tally.calls += u64::try_from(found.len()).unwrap_or(0);
                    found.into_iter().for_each(&mut each);
                }
                Err(_) if !whole => tally.truncated = true,
                Err(_) => {
                    tally.broken += 1;
                    tally.first_broken.get_or_insert(tally.lines);
                }
            }
        }
        if !more(tally.bytes) {
            return Ok(tally);
        }
    }
}

/// Passes over the rest of a line without keeping it; the answer is its length.
fn skip_line(input: &mut impl BufRead) -> io::Result<u64> {
    let mut skipped = 0;
    loop {
        let buffer = input.fill_buf()?;
        if buffer.is_empty() {
            return Ok(skipped);
        }
        let end = buffer.iter().position(|byte| *byte == b'\n');
        let used = end.map_or(buffer.len(), |at| at + 1);
        input.consume(used);
        skipped += u64::try_from(used).unwrap_or(0);
        if end.is_some() {
            return Ok(skipped);
        }
    }
}

/// What earlier lines said about later ones.
#[derive(Clone, Debug, Default)]
struct Context {
    cwd: Option<String>,
    session: Option<String>,
}

/// A line, as far as it can concern us. Fields of a type nobody expects are read again, loosely.
#[derive(Deserialize)]
struct Line<'a> {
    #[serde(borrow, rename = "type")]
    kind: Option<Cow<'a, str>>,
    message: Option<Message>,
    payload: Option<Value>,
    call: Option<Value>,
    verdict: Option<Value>,
    tool_name: Option<String>,
    tool_input: Option<Value>,
    cwd: Option<String>,
    #[serde(rename = "sessionId")]
    session: Option<String>,
    #[serde(alias = "time")]
    timestamp: Option<String>,
}

#[derive(Deserialize)]
struct Message {
    #[serde(default)]
    content: Blocks,
}

/// The blocks of a message that are tool calls.
#[derive(Default)]
struct Blocks(Vec<Block>);

#[derive(Deserialize)]
struct Block {
    #[serde(rename = "type")]
    kind: Option<String>,
    name: Option<String>,
    input: Option<Value>,
}

impl<'de> Deserialize<'de> for Blocks {
    fn deserialize<D: serde::Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct Content;
        impl<'de> Visitor<'de> for Content {
            type Value = Blocks;

            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str("text or blocks")
            }

            fn visit_str<E>(self, _text: &str) -> Result<Blocks, E> {
                Ok(Blocks::default())
            }

            fn visit_unit<E>(self) -> Result<Blocks, E> {
                Ok(Blocks::default())
            }

            fn visit_seq<A: SeqAccess<'de>>(self, mut list: A) -> Result<Blocks, A::Error> {
                let mut blocks = Vec::new();
                while let Some(block) = list.next_element::<Block>()? {
                    if block.kind.as_deref() == Some("tool_use") {
                        blocks.push(block);
                    }
                }
                Ok(Blocks(blocks))
            }
        }
        deserializer.deserialize_any(Content)
    }
}

/// The calls of one line; an error where it is not JSON.
fn calls(line: &[u8], context: &mut Context) -> serde_json::Result<Vec<RecordedCall>> {
    let Ok(parsed) = serde_json::from_slice::<Line<'_>>(line) else {
        // JSON of another shape than any we know holds no call.
        return serde_json::from_slice::<IgnoredAny>(line).map(|_| Vec::new());
    };
    let (cwd, session) = (parsed.cwd.clone(), parsed.session.clone());
    let time = parsed.timestamp;
    let mut out = Vec::new();
    if let Some(message) = parsed.message {
        for block in message.content.0 {
            if let (Some(name), Some(Value::Object(input))) = (block.name, block.input) {
                out.push(made(&name, &input));
            }
        }
    }
    if let Some(Value::Object(payload)) = &parsed.payload {
        match parsed.kind.as_deref() {
            Some("session_meta" | "turn_context") => {
                if let Some(cwd) = payload.get("cwd").and_then(Value::as_str) {
                    context.cwd = Some(cwd.to_owned());
                }
                if let Some(id) = payload.get("id").and_then(Value::as_str) {
                    context.session = Some(id.to_owned());
                }
            }
            _ => out.extend(codex(payload)),
        }
    }
    let mut decided = None;
    if let Some(Value::Object(call)) = &parsed.call {
        let input = call.get("tool_input").and_then(Value::as_object);
        if let (Some(tool), Some(input)) = (call.get("tool_name").and_then(Value::as_str), input) {
            let mut own = made(tool, input);
            own.cwd = call.get("cwd").and_then(Value::as_str).map(str::to_owned);
            out.push(own);
        }
        let word = parsed.verdict.as_ref().and_then(|verdict| verdict.get("decision"));
        decided = word.and_then(Value::as_str).and_then(|word| {
            [Decision::Allow, Decision::Ask, Decision::Deny].into_iter().find(|d| d.word() == word)
        });
    }
    if let (Some(tool), Some(Value::Object(input))) = (&parsed.tool_name, &parsed.tool_input) {
        out.push(made(tool, input));
    }
    for call in &mut out {
        call.cwd = call.cwd.take().or_else(|| cwd.clone()).or_else(|| context.cwd.clone());
        call.session = session.clone().or_else(|| context.session.clone());
        call.time.clone_from(&time);
        call.decided = decided;
    }
    Ok(out)
}

/// A call with a tool's name and input as agents give them.
fn made(tool: &str, input: &Map<String, Value>) -> RecordedCall {
    let kept: Map<String, Value> = input
        .iter()
        .filter(|(name, _)| !CONTENT.contains(&name.as_str()))
        .map(|(name, value)| (name.clone(), value.clone()))
        .collect();
    let text = FIELDS
        .iter()
        .find_map(|field| kept.get(*field).and_then(Value::as_str))
        .unwrap_or("")
        .to_owned();
    RecordedCall {
        tool: tool.to_owned(),
        input: tool_input(&kept),
        text,
        cwd: None,
        session: None,
        time: None,
        decided: None,
    }
}

/// The calls of an item of a Codex rollout.
fn codex(payload: &Map<String, Value>) -> Vec<RecordedCall> {
    let text = |name: &str| payload.get(name).and_then(Value::as_str).unwrap_or("");
    match text("type") {
        "function_call" => {
            let arguments: Value = serde_json::from_str(text("arguments")).unwrap_or(Value::Null);
            let Value::Object(arguments) = arguments else { return Vec::new() };
            match text("name") {
                "shell" | "exec_command" | "local_shell" | "shell_command" | "container.exec" => {
                    let command = arguments.get("command").or_else(|| arguments.get("cmd"));
                    let folder = arguments.get("workdir").or_else(|| arguments.get("cwd"));
                    shell(command, folder).into_iter().collect()
                }
                "apply_patch" => {
                    let patch = arguments.get("input").or_else(|| arguments.get("patch"));
                    patch.and_then(Value::as_str).map(patched).unwrap_or_default()
                }
                name => vec![made(name, &arguments)],
            }
        }
        "local_shell_call" => {
            let action = payload.get("action");
            let command = action.and_then(|action| action.get("command"));
            let folder = action.and_then(|action| action.get("working_directory"));
            shell(command, folder).into_iter().collect()
        }
        "custom_tool_call" if text("name") == "apply_patch" => patched(text("input")),
        _ => Vec::new(),
    }
}

/// A shell call: a script, or the words of a command.
fn shell(command: Option<&Value>, folder: Option<&Value>) -> Option<RecordedCall> {
    let script = match command? {
        Value::String(script) => script.clone(),
        Value::Array(words) => {
            let words: Vec<&str> = words.iter().filter_map(Value::as_str).collect();
            match words.as_slice() {
                [shell, flags, script]
                    if matches!(*flags, "-c" | "-lc")
                        && matches!(shell.rsplit('/').next(), Some("bash" | "sh" | "zsh")) =>
                {
                    (*script).to_owned()
                }
                words => {
                    let quoted: Vec<String> = words.iter().map(|word| quote_word(word)).collect();
                    quoted.join(" ")
                }
            }
        }
        Value::Null | Value::Bool(_) | Value::Number(_) | Value::Object(_) => return None,
    };
    let input = Map::from_iter([("command".to_owned(), Value::from(script))]);
    let mut call = made("Bash", &input);
    call.cwd = folder.and_then(Value::as_str).filter(|f| f.starts_with('/')).map(str::to_owned);
    Some(call)
}

/// The files that a patch touches. The patch itself is data and never read as shell.
fn patched(patch: &str) -> Vec<RecordedCall> {
    let heads = ["*** Update File: ", "*** Add File: ", "*** Delete File: ", "*** Move to: "];
    patch
        .lines()
        .filter_map(|line| heads.iter().find_map(|head| line.strip_prefix(head)))
        .map(|path| {
            made("Edit", &Map::from_iter([("file_path".to_owned(), Value::from(path.trim()))]))
        })
        .collect()
}

/// Fields that hold whole texts no rule looks at.
const CONTENT: &[&str] =
    &["content", "old_string", "new_string", "new_source", "prompt", "plan", "edits", "todos"];

/// Fields that say what a call is about, the most telling first.
const FIELDS: &[&str] = &[
    "command",
    "file_path",
    "notebook_path",
    "url",
    "path",
    "subagent_type",
    "skill",
    "query",
    "pattern",
];

#[cfg(test)]
mod tests {
    use super::*;

    fn all(text: &[u8]) -> (Vec<RecordedCall>, Tally) {
        let mut calls = Vec::new();
        let tally = read(text, |call| calls.push(call), |_| true).unwrap();
        (calls, tally)
    }

    #[test]
    fn reads_every_format() {
        let text = concat!(
            r#"{"type":"assistant","cwd":"/p","sessionId":"s","timestamp":"2026-01-01T00:00:00Z","message":{"role":"assistant","content":[{"type":"text","text":"hi"},{"type":"tool_use","id":"1","name":"Bash","input":{"command":"ls","new":1}}]}}"#,
            "\n",
            r#"{"type":"user","message":{"content":"plain text"}}"#,
            "\n",
            r#"{"type":"summary","message":7}"#,
            "\n\n",
            r#"{"type":"session_meta","payload":{"id":"c1","cwd":"/q"}}"#,
            "\n",
            r#"{"type":"response_item","payload":{"type":"function_call","name":"shell","arguments":"{\"command\":[\"bash\",\"-lc\",\"git push\"]}"}}"#,
            "\n",
            r#"{"type":"response_item","payload":{"type":"function_call","name":"exec_command","arguments":"{\"cmd\":\"make\",\"workdir\":\"/w\"}"}}"#,
            "\n",
            r#"{"type":"response_item","payload":{"type":"custom_tool_call","name":"apply_patch","input":"*** Begin Patch\n*** Update File: a.rs\n+rm -rf /\n*** Add File: b.rs\n"}}"#,
            "\n",
            r#"{"type":"response_item","payload":{"type":"local_shell_call","action":{"command":["rm","a b"]}}}"#,
            "\n",
            r#"{"version":1,"time":"t","call":{"tool_name":"Read","tool_input":{"file_path":"/x"},"cwd":"/z"},"verdict":{"decision":"ask"}}"#,
            "\n",
            r#"{"tool_name":"WebFetch","tool_input":{"url":"https://x"}}"#,
            "\n",
        );
        let (calls, tally) = all(text.as_bytes());
        let short: Vec<(&str, &str, Option<&str>)> = calls
            .iter()
            .map(|call| (call.tool.as_str(), call.text.as_str(), call.cwd.as_deref()))
            .collect();
        assert_eq!(
            short,
            [
                ("Bash", "ls", Some("/p")),
                ("Bash", "git push", Some("/q")),
                ("Bash", "make", Some("/w")),
                ("Edit", "a.rs", Some("/q")),
                ("Edit", "b.rs", Some("/q")),
                ("Bash", "rm a\\ b", Some("/q")),
                ("Read", "/x", Some("/z")),
                ("WebFetch", "https://x", Some("/q")),
            ]
        );
        assert_eq!((tally.calls, tally.broken, tally.truncated), (8, 0, false));
        assert_eq!(calls[6].decided, Some(Decision::Ask));
    }

    #[test]
    fn goes_on_after_what_it_cannot_read() {
        let good = "{\"tool_name\":\"Bash\",\"tool_input\":{\"command\":\"ls\"}}\n";
        let long = format!("{{\"x\":\"{}\"}}\n", "y".repeat(MAX_LINE + 10));
        let text = format!("{good}{{broken\n{long}{good}{{\"tool_name\":\"Ba");
        let (calls, tally) = all(text.as_bytes());
        assert_eq!(calls.len(), 2);
        assert_eq!((tally.broken, tally.first_broken, tally.too_long), (1, Some(2), 1));
        assert!(tally.truncated);
        assert_eq!(tally.bytes, u64::try_from(text.len()).unwrap());
        let (calls, tally) = all(b"\x7fELF\0\0\n{}");
        assert!(calls.is_empty() && tally.binary);
    }
}
