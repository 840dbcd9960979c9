//! The history: recorded sessions distilled to different calls with how often they were made.
//!
//! Reading is streaming and its memory bounded: by the length of a line, and by how many different
//! calls are kept. Evaluating then costs once for each different call, however often it was made.

use crate::failure::Failure;
use crate::session::plain;
use portcullis_audit::Question;
use portcullis_host::log::mask;
use portcullis_host::transcript::{self, RecordedCall, Tally};
use portcullis_model::{Decision, InputValue, ToolInput};
use serde_json::{Map, Value, json};
use std::collections::{BTreeMap, BTreeSet};
use std::fs::{self, File};
use std::io::{self, BufReader, IsTerminal as _, Seek as _, SeekFrom, Write as _};
use std::path::{Path, PathBuf};
use std::time::{Duration, Instant};

/// Different calls with how often they were made.
#[derive(Clone, Debug, Default)]
pub struct History {
    /// The calls.
    pub entries: BTreeMap<String, Entry>,
    /// Calls that were not kept one by one, because there were too many different ones.
    pub beyond: u64,
    /// Every session.
    pub sessions: BTreeSet<String>,
    /// How far each file was read.
    read: BTreeMap<String, u64>,
    /// What could not be read, a line each.
    pub problems: Vec<String>,
    /// Bytes that were read this time.
    pub bytes: u64,
}

/// One call.
#[derive(Clone, Debug)]
pub struct Entry {
    /// The call.
    pub question: Question,
    /// Where it was made.
    pub cwd: Option<String>,
    /// How often.
    pub count: u64,
    /// In which sessions; no more than a few are kept.
    pub sessions: BTreeSet<String>,
    /// When first, as recorded.
    pub first: Option<String>,
    /// When last, as recorded.
    pub last: Option<String>,
    /// What we decided then, the last time.
    pub decided: Option<Decision>,
}

impl History {
    /// How many calls there are.
    pub fn calls(&self) -> u64 {
        self.entries.values().map(|entry| entry.count).sum::<u64>() + self.beyond
    }

    /// Reads files and everything below directories. A file that cannot be read is a problem and not
    /// the end.
    pub fn collect(paths: &[String], state: Option<&str>) -> Result<Self, Failure> {
        let mut history = match state {
            Some(file) => load(file)?,
            None => Self::default(),
        };
        let mut files = Vec::new();
        for path in paths {
            let before = files.len();
            find(Path::new(path), 0, &mut files).map_err(|error| {
                Failure::input(format!("cannot read `{path}`: {}", plain(&error)))
            })?;
            if files.len() == before {
                history.problems.push(format!("`{path}` holds no transcripts (`*.jsonl`)"));
            }
        }
        files.sort();
        files.dedup();
        let sizes = files.iter().filter_map(|file| fs::metadata(file).ok());
        let mut progress = Progress::new(files.len(), sizes.map(|data| data.len()).sum());
        for file in &files {
            history.file(file, &mut progress);
            if let Some(state) = state {
                history.save(state)?;
            }
        }
        progress.end();
        Ok(history)
    }

    fn file(&mut self, path: &Path, progress: &mut Progress) {
        let name = path.display().to_string();
        let known = self.read.get(&name).copied().unwrap_or(0);
        let opened = File::open(path).and_then(|mut file| {
            let length = file.metadata()?.len();
            // A file that is shorter than what was read of it is another file.
            let from = if known <= length { known } else { 0 };
            file.seek(SeekFrom::Start(from))?;
            Ok((file, from))
        });
        let (file, from) = match opened {
            Ok(opened) => opened,
            Err(error) => {
                self.problems.push(format!("cannot read `{name}`: {}", plain(&error)));
                return;
            }
        };
        progress.skip(from);
        let session = path.file_stem().map(|stem| stem.to_string_lossy().into_owned());
        let mut last = 0;
        let input = BufReader::with_capacity(256 * 1024, file);
        let read = transcript::read(
            input,
            |call| self.add(call, session.as_deref()),
            |bytes| {
                progress.add(bytes - last);
                last = bytes;
                true
            },
        );
        progress.file();
        match read {
            Ok(tally) => {
                self.bytes += tally.bytes;
                self.problems.extend(problems(&name, &tally));
                // A cut-off line is read again when it is whole.
                let end = if tally.truncated || tally.binary { known } else { from + tally.bytes };
                self.read.insert(name, end);
            }
            Err(error) => {
                self.problems.push(format!("cannot read all of `{name}`: {}", plain(&error)));
            }
        }
    }

    fn add(&mut self, call: RecordedCall, file: Option<&str>) {
        let session = call.session.or_else(|| file.map(str::to_owned));
        if let Some(session) = &session
            && self.sessions.len() < MOST_SESSIONS
            && !self.sessions.contains(session)
        {
            self.sessions.insert(session.clone());
        }
        let key = key(&call.tool, &call.input, call.cwd.as_deref());
        if !self.entries.contains_key(&key) && self.entries.len() >= MOST_DIFFERENT {
            self.beyond += 1;
            return;
        }
        let entry = self.entries.entry(key).or_insert_with(|| Entry {
            question: Question { tool: call.tool, input: call.input, text: call.text },
            cwd: call.cwd,
            count: 0,
            sessions: BTreeSet::new(),
            first: None,
            last: None,
            decided: None,
        });
        entry.count += 1;
        entry.decided = call.decided.or(entry.decided);
        if let Some(session) = session
            && entry.sessions.len() < SESSIONS_OF_ENTRY
        {
            entry.sessions.insert(session);
        }
        if let Some(time) = call.time {
            if entry.first.as_ref().is_none_or(|first| time < *first) {
                entry.first = Some(time.clone());
            }
            if entry.last.as_ref().is_none_or(|last| time > *last) {
                entry.last = Some(time);
            }
        }
    }

    /// Writes what was read, so that the next run reads on from there. Secrets are masked.
    fn save(&self, file: &str) -> Result<(), Failure> {
        let entries: Vec<Value> = self
            .entries
            .values()
            .map(|entry| {
                let input: Map<String, Value> = entry
                    .question
                    .input
                    .0
                    .iter()
                    .filter_map(|(name, value)| match value {
                        InputValue::Text(text) => Some((name.clone(), mask(text).into())),
                        InputValue::Scalar(text) => {
                            Some((name.clone(), serde_json::from_str(text).ok()?))
                        }
                        InputValue::Other => None,
                    })
                    .collect();
                json!({
                    "tool": entry.question.tool,
                    "input": input,
                    "text": mask(&entry.question.text),
                    "cwd": entry.cwd,
                    "count": entry.count,
                    "sessions": entry.sessions,
                    "first": entry.first,
                    "last": entry.last,
                })
            })
            .collect();
        let state = json!({
            "version": STATE_VERSION,
            "read": self.read,
            "sessions": self.sessions,
            "beyond": self.beyond,
            "entries": entries,
        });
        let fresh = format!("{file}.new");
        fs::write(&fresh, state.to_string())
            .and_then(|()| fs::rename(&fresh, file))
            .map_err(|error| Failure::internal(format!("cannot write `{file}`: {}", plain(&error))))
    }
}

/// What tells one call from another.
fn key(tool: &str, input: &ToolInput, cwd: Option<&str>) -> String {
    let mut key = String::with_capacity(128);
    key.push_str(tool);
    key.push('\0');
    key.push_str(cwd.unwrap_or(""));
    for (name, value) in &input.0 {
        // A description changes with every call and no rule looks at it.
        if name == "description" {
            continue;
        }
        if let Some(text) = value.scalar() {
            key.push('\0');
            key.push_str(name);
            key.push('=');
            key.push_str(text);
        }
    }
    key
}

/// What could not be read of a file, a line each.
fn problems(name: &str, tally: &Tally) -> Vec<String> {
    let mut out = Vec::new();
    if tally.binary {
        out.push(format!(
            "`{name}` is not text from line {} on; the rest is left out",
            tally.lines
        ));
    }
    // Of what is no text at all, nothing more needs to be said.
    if let Some(first) = tally.first_broken.filter(|_| !tally.binary) {
        let lines = if tally.broken == 1 { "line is" } else { "lines are" };
        out.push(format!("`{name}`: {} {lines} not JSON, the first is line {first}", tally.broken));
    }
    if tally.too_long > 0 {
        let most = transcript::MAX_LINE >> 20;
        let lines = if tally.too_long == 1 { "line is" } else { "lines are" };
        out.push(format!(
            "`{name}`: {} {lines} longer than {most} MiB and left out",
            tally.too_long
        ));
    }
    if tally.truncated {
        out.push(format!("`{name}`: the last line is cut off"));
    }
    out
}

/// Transcripts at or below a path. Links to directories are not followed: a cycle has no end.
fn find(path: &Path, depth: usize, out: &mut Vec<PathBuf>) -> io::Result<()> {
    let data = if depth == 0 { fs::metadata(path)? } else { fs::symlink_metadata(path)? };
    let is_lines = path.extension().is_some_and(|end| end == "jsonl");
    if data.is_file() && (depth == 0 || is_lines) {
        out.push(path.to_owned());
    } else if data.is_dir() && depth < DEEPEST {
        for entry in fs::read_dir(path)?.flatten() {
            // What vanishes or cannot be read below is not what was asked for by name.
            drop(find(&entry.path(), depth + 1, out));
        }
    }
    Ok(())
}

fn load(file: &str) -> Result<History, Failure> {
    let text = match fs::read_to_string(file) {
        Ok(text) => text,
        Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(History::default()),
        Err(error) => {
            return Err(Failure::input(format!("cannot read `{file}`: {}", plain(&error))));
        }
    };
    let state: Value = serde_json::from_str(&text)
        .ok()
        .filter(|state: &Value| state.get("version") == Some(&STATE_VERSION.into()))
        .ok_or_else(|| {
            Failure::input(format!("`{file}` is no state of a replay"))
                .hint("remove it to start over")
        })?;
    let texts = |value: Option<&Value>| -> BTreeSet<String> {
        let list = value.and_then(Value::as_array).into_iter().flatten();
        list.filter_map(Value::as_str).map(str::to_owned).collect()
    };
    let text =
        |value: &Value, name: &str| value.get(name).and_then(Value::as_str).map(str::to_owned);
    let mut history = History {
        beyond: state.get("beyond").and_then(Value::as_u64).unwrap_or(0),
        sessions: texts(state.get("sessions")),
        ..History::default()
    };
    for (name, at) in state.get("read").and_then(Value::as_object).into_iter().flatten() {
        history.read.insert(name.clone(), at.as_u64().unwrap_or(0));
    }
    for value in state.get("entries").and_then(Value::as_array).into_iter().flatten() {
        let input = value.get("input").and_then(Value::as_object);
        let input = input.map(portcullis_host::batch::tool_input).unwrap_or_default();
        let tool = text(value, "tool").unwrap_or_default();
        let cwd = text(value, "cwd");
        let entry = Entry {
            cwd: cwd.clone(),
            count: value.get("count").and_then(Value::as_u64).unwrap_or(0),
            sessions: texts(value.get("sessions")),
            first: text(value, "first"),
            last: text(value, "last"),
            decided: None,
            question: Question {
                tool: tool.clone(),
                input: input.clone(),
                text: text(value, "text").unwrap_or_default(),
            },
        };
        history.entries.insert(key(&tool, &input, cwd.as_deref()), entry);
    }
    Ok(history)
}

/// How far the reading is, on a terminal.
struct Progress {
    shown: bool,
    files: usize,
    done: usize,
    total: u64,
    bytes: u64,
    started: Instant,
    drawn: Instant,
}

impl Progress {
    fn new(files: usize, total: u64) -> Self {
        let now = Instant::now();
        let shown = io::stderr().is_terminal();
        Self { shown, files, done: 0, total, bytes: 0, started: now, drawn: now }
    }

    fn skip(&mut self, bytes: u64) {
        self.total = self.total.saturating_sub(bytes);
    }

    fn add(&mut self, bytes: u64) {
        self.bytes += bytes;
        if self.shown && self.drawn.elapsed() > Duration::from_millis(100) {
            self.draw();
        }
    }

    fn file(&mut self) {
        self.done += 1;
    }

    fn draw(&mut self) {
        self.drawn = Instant::now();
        let parts = (self.bytes.min(self.total) * WIDTH).checked_div(self.total).unwrap_or(WIDTH);
        let bar: String = (0..WIDTH).map(|part| if part < parts { '#' } else { '.' }).collect();
        let elapsed = self.started.elapsed();
        let left = self.total.saturating_sub(self.bytes);
        let millis = u64::try_from(elapsed.as_millis()).unwrap_or(u64::MAX);
        let eta = (left.saturating_mul(millis)).checked_div(self.bytes).unwrap_or(0) / 1000;
        // What cannot be drawn is not worth stopping for.
        drop(write!(
            io::stderr(),
            "\r[{bar}] {}/{} files, {} of {} MiB, {eta} s left \u{1b}[K",
            self.done,
            self.files,
            self.bytes >> 20,
            self.total >> 20
        ));
    }

    fn end(&self) {
        if self.shown {
            drop(write!(io::stderr(), "\r\u{1b}[K"));
        }
    }
}

/// Columns of the progress bar.
const WIDTH: u64 = 24;
/// Different calls that are kept one by one: some hundred megabytes at the very most.
const MOST_DIFFERENT: usize = 100_000;
/// Sessions that are told apart.
const MOST_SESSIONS: usize = 100_000;
/// Sessions of one call that are told apart: enough to say that it is not only one.
const SESSIONS_OF_ENTRY: usize = 16;
/// Directories deeper than this hold no transcripts.
const DEEPEST: usize = 8;
/// Raised when a reader of older states would misread them.
const STATE_VERSION: u64 = 1;
