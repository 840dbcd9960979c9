//! The decision log: one JSON line a decision, with everything needed to decide it again.
//!
//! In: a call, what the disk answered, which settings counted, and the verdict. Out: one appended
//! line. Secrets are masked with as many bytes as they have, so that spans of findings still fit and
//! a masked command still reads as the same words. The log never changes a decision: a line that
//! cannot be written is an error for the caller to report, not a verdict.

use crate::digest::digest;
use portcullis_facts::Answers;
use portcullis_model::{AbsPath, InputValue, ToolCall};
use portcullis_policy::Layer;
use rustix::fs::OFlags;
use serde_json::{Map, Value, json};
use std::borrow::Cow;
use std::fs::{self, File, OpenOptions};
use std::io::{self, Write as _};
use std::ops::Range;
use std::os::unix::fs::{MetadataExt as _, OpenOptionsExt as _};
use std::path::{Path, PathBuf};
use std::time::{SystemTime, UNIX_EPOCH};

/// The version of the record, raised when a reader of older records would misread it.
pub const RECORD_VERSION: u32 = 1;

/// A log is renamed away beyond this size: large enough for months, small enough to open.
pub const MAX_BYTES: u64 = 16 * 1024 * 1024;

/// How many full logs are kept beside the current one (`FILE.1` is the newest).
pub const KEPT: u32 = 4;

/// One decision.
#[derive(Clone, Debug)]
pub struct Record<'a> {
    /// When it was made.
    pub time: SystemTime,
    /// Who asked: an agent (`claude-code`) or a command of ours (`check`).
    pub asked_by: &'a str,
    /// What was asked.
    pub call: &'a ToolCall,
    /// The settings that counted.
    pub layers: Vec<LayerDigest>,
    /// What the disk answered.
    pub answers: &'a Answers,
    /// The verdict, in the form the batch format gives.
    pub verdict: Map<String, Value>,
    /// Microseconds from question to answer.
    pub micros: u64,
}

/// One settings source by content.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct LayerDigest {
    /// Its scope as a word.
    pub scope: &'static str,
    /// Its file, or what stands for one.
    pub file: String,
    /// `sha256:` and the hash of its text.
    pub digest: String,
}

impl LayerDigest {
    /// Names every settings source.
    pub fn of(layers: &[Layer]) -> Vec<Self> {
        let mut digests = Vec::with_capacity(layers.len());
        for from in layers {
            digests.push(Self::new(from.scope.word(), &from.file, &from.text));
            let good = from.as_last_good().filter(|_| !from.is_whole());
            digests.extend(good.map(|good| Self::new(good.scope.word(), &good.file, &good.text)));
        }
        digests
    }

    /// Names a settings text.
    pub fn new(scope: &'static str, file: impl Into<String>, text: &str) -> Self {
        Self { scope, file: file.into(), digest: digest(text.as_bytes()) }
    }
}

/// A log file.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct LogFile {
    path: PathBuf,
    max_bytes: u64,
}

impl LogFile {
    /// A log at a path, made private on first use.
    pub fn at(path: impl Into<PathBuf>) -> Self {
        Self { path: path.into(), max_bytes: MAX_BYTES }
    }

    /// The same with another size to rotate at.
    #[must_use]
    pub fn rotated_at(self, max_bytes: u64) -> Self {
        Self { max_bytes, ..self }
    }

    /// Where it is.
    pub fn path(&self) -> &Path {
        &self.path
    }

    /// Appends one record.
    pub fn append(&self, record: &Record<'_>) -> io::Result<()> {
        let mut line = record_json(record).to_string();
        line.push('\n');
        let mut file = self.lock()?;
        // One write, so that a killed process leaves a whole line or none.
        file.write_all(line.as_bytes())
    }

    /// Opens and locks the current file; rotates first when it is full. The lock goes with the file.
    fn lock(&self) -> io::Result<File> {
        // Another process may rotate between open and lock; each round then meets a newer file.
        for _ in 0..8 {
            // A FIFO without a reader would hold up the call.
            let flags = i32::try_from(OFlags::NONBLOCK.bits()).unwrap_or_default();
            let mut options = OpenOptions::new();
            options.append(true).create(true).mode(0o600).custom_flags(flags);
            let file = options.open(&self.path)?;
            file.lock()?;
            let held = file.metadata()?;
            if !held.is_file() {
                return Err(io::Error::other("not a regular file"));
            }
            let current = match fs::metadata(&self.path) {
                Ok(current) => current,
                Err(error) if error.kind() == io::ErrorKind::NotFound => continue,
                Err(error) => return Err(error),
            };
            if (held.dev(), held.ino()) != (current.dev(), current.ino()) {
                continue;
            }
            if held.len() < self.max_bytes {
                return Ok(file);
            }
            self.rotate()?;
        }
        Err(io::Error::other("the log is rotated faster than it can be opened"))
    }

    fn rotate(&self) -> io::Result<()> {
        for number in (1..=KEPT).rev() {
            let from = if number == 1 { self.path.clone() } else { self.numbered(number - 1) };
            match fs::rename(from, self.numbered(number)) {
                Err(error) if error.kind() != io::ErrorKind::NotFound => return Err(error),
                Ok(()) | Err(_) => {}
            }
        }
        Ok(())
    }

    fn numbered(&self, number: u32) -> PathBuf {
        let mut name = self.path.file_name().unwrap_or_default().to_owned();
        name.push(format!(".{number}"));
        self.path.with_file_name(name)
    }
}

/// The record as it is written, secrets masked.
pub fn record_json(record: &Record<'_>) -> Value {
    let call = record.call;
    let layers: Vec<Value> = record
        .layers
        .iter()
        .map(|layer| json!({ "scope": layer.scope, "file": layer.file, "digest": layer.digest }))
        .collect();
    let directories: Vec<&str> = call.additional_directories.iter().map(AbsPath::as_str).collect();
    let answers: Vec<Value> = call
        .hook_answers
        .iter()
        .map(|answer| {
            let decision: Option<portcullis_model::Decision> = (*answer).into();
            decision.map_or("defer", portcullis_model::Decision::word).into()
        })
        .collect();
    let mut value = json!({
        "version": RECORD_VERSION,
        "time": timestamp(record.time),
        "asked_by": record.asked_by,
        "call": {
            "tool_name": call.tool,
            "tool_input": input_json(call),
            "cwd": call.cwd.as_str(),
            "project_root": call.project_root.as_str(),
            "home": call.home.as_str(),
            "permission_mode": call.mode.word(),
            "additional_directories": directories,
            "sandboxed": call.sandboxed,
            "hook_answers": answers,
        },
        "layers": layers,
        "answers": answers_json(record.answers),
        "verdict": record.verdict,
        "micros": record.micros,
    });
    mask_value(&mut value);
    value
}

fn answers_json(answers: &Answers) -> Value {
    let texts =
        |paths: &[AbsPath]| paths.iter().map(|path| path.as_str().into()).collect::<Vec<Value>>();
    let real: Map<String, Value> = answers
        .real
        .iter()
        .map(|(path, real)| {
            let real = json!({ "path": real.path.as_str(), "hops": texts(&real.hops) });
            (path.as_str().to_owned(), real)
        })
        .collect();
    let globs: Map<String, Value> =
        answers.globs.iter().map(|(glob, paths)| (glob.clone(), texts(paths).into())).collect();
    let below: Map<String, Value> = answers
        .below
        .iter()
        .map(|(path, paths)| (path.as_str().to_owned(), texts(paths).into()))
        .collect();
    json!({ "real": real, "globs": globs, "below": below })
}

fn input_json(call: &ToolCall) -> Value {
    let mut fields = Map::new();
    for (name, value) in &call.input.0 {
        let value = match value {
            InputValue::Text(text) if CONTENT_FIELDS.contains(&name.as_str()) => {
                json!({ "omitted_bytes": text.len() })
            }
            InputValue::Text(text) if is_secret_name(name) => Value::String(masked_whole(text)),
            InputValue::Text(text) => Value::String(text.clone()),
            InputValue::Scalar(text) => serde_json::from_str(text).unwrap_or(Value::Null),
            InputValue::Other => Value::Null,
        };
        fields.insert(name.clone(), value);
    }
    Value::Object(fields)
}

fn mask_value(value: &mut Value) {
    match value {
        Value::String(text) => {
            if let Cow::Owned(masked) = mask(text) {
                *text = masked;
            }
        }
        Value::Array(items) => items.iter_mut().for_each(mask_value),
        Value::Object(fields) => fields.values_mut().for_each(mask_value),
        Value::Null | Value::Bool(_) | Value::Number(_) => {}
    }
}

/// Masks what looks like a secret, byte for byte with `x`.
pub fn mask(text: &str) -> Cow<'_, str> {
    let mut found: Vec<Range<usize>> = Vec::new();
    find_known_tokens(text, &mut found);
    find_named_values(text, &mut found);
    find_url_passwords(text, &mut found);
    find_private_keys(text, &mut found);
    if found.is_empty() {
        return Cow::Borrowed(text);
    }
    let mut out = String::with_capacity(text.len());
    for (at, c) in text.char_indices() {
        if found.iter().any(|range| range.contains(&at)) {
            out.extend(std::iter::repeat_n('x', c.len_utf8()));
        } else {
            out.push(c);
        }
    }
    Cow::Owned(out)
}

fn masked_whole(text: &str) -> String {
    "x".repeat(text.len())
}

/// Tokens that say by their first characters what they are.
fn find_known_tokens(text: &str, found: &mut Vec<Range<usize>>) {
    for (prefix, least) in TOKENS {
        for (at, _) in text.match_indices(prefix) {
            let before = text.get(..at).unwrap_or("");
            if before.chars().next_back().is_some_and(|c| c.is_ascii_alphanumeric()) {
                continue;
            }
            let start = at + prefix.len();
            let length = run(text, start, |c| c.is_ascii_alphanumeric() || "_-.+/=".contains(c));
            if length >= *least {
                found.push(start..start + length);
            }
        }
    }
}

/// `NAME=value`, `name: value`, `--name value` and `Bearer value` where the name says secret.
fn find_named_values(text: &str, found: &mut Vec<Range<usize>>) {
    let mut at = 0;
    while let Some(rest) = text.get(at..) {
        let Some(skip) = rest.find(is_name_char) else { return };
        let start = at + skip;
        let length = run(text, start, is_name_char);
        let end = start + length;
        let name = text.get(start..end).unwrap_or("");
        let is_option = name.starts_with("--");
        if is_secret_name(name) || SCHEMES.iter().any(|scheme| name.eq_ignore_ascii_case(scheme)) {
            let between = run(text, end, |c| " \t=:\"'".contains(c));
            let gap = text.get(end..end + between).unwrap_or("");
            let joined = gap.contains(['=', ':']);
            let scheme = SCHEMES.iter().any(|scheme| name.eq_ignore_ascii_case(scheme));
            if joined || ((is_option || scheme) && between > 0) {
                push_value(text, end + between, gap, found);
            }
        }
        at = end;
    }
}

/// The value that starts at `start`, up to the quote that opened it or the end of its word.
fn push_value(text: &str, start: usize, gap: &str, found: &mut Vec<Range<usize>>) {
    let quote = gap.chars().next_back().filter(|c| matches!(c, '"' | '\''));
    let length = match quote {
        Some(quote) => run(text, start, |c| c != quote),
        None => run(text, start, |c| !c.is_whitespace() && !"\"';|&<>()".contains(c)),
    };
    let value = text.get(start..start + length).unwrap_or("");
    // A reference to a variable is no secret, and `Authorization: Bearer …` is masked at `Bearer`.
    let is_scheme = SCHEMES.iter().any(|scheme| {
        value.split_whitespace().next().is_some_and(|word| word.eq_ignore_ascii_case(scheme))
    });
    if !value.is_empty() && !value.starts_with('$') && !is_scheme {
        found.push(start..start + length);
    }
}

/// The password in `scheme://user:password@host`.
fn find_url_passwords(text: &str, found: &mut Vec<Range<usize>>) {
    for (at, separator) in text.match_indices("://") {
        let start = at + separator.len();
        let length = run(text, start, |c| !c.is_whitespace() && !"/?#\"'`<>".contains(c));
        let authority = text.get(start..start + length).unwrap_or("");
        if let Some((user, _host)) = authority.rsplit_once('@')
            && let Some((name, password)) = user.split_once(':')
            && !password.starts_with('$')
        {
            let from = start + name.len() + 1;
            found.push(from..from + password.len());
        }
    }
}

fn find_private_keys(text: &str, found: &mut Vec<Range<usize>>) {
    for (at, _) in text.match_indices("-----BEGIN ") {
        let rest = text.get(at..).unwrap_or("");
        if let Some(header) = rest.find("KEY-----") {
            let from = at + header + "KEY-----".len();
            let to = text
                .get(from..)
                .and_then(|body| body.find("-----END"))
                .map_or(text.len(), |end| from + end);
            found.push(from..to);
        }
    }
}

fn is_name_char(c: char) -> bool {
    c.is_ascii_alphanumeric() || c == '_' || c == '-'
}

fn is_secret_name(name: &str) -> bool {
    let name = name.to_ascii_lowercase().replace('-', "_");
    SECRET_NAMES.iter().any(|secret| name.ends_with(secret))
}

/// The length in bytes of the run of characters at `start`.
fn run(text: &str, start: usize, inside: impl Fn(char) -> bool) -> usize {
    let rest = text.get(start..).unwrap_or("");
    rest.find(|c| !inside(c)).unwrap_or(rest.len())
}

/// A time in UTC as RFC 3339 with milliseconds.
pub fn timestamp(time: SystemTime) -> String {
    let since = time.duration_since(UNIX_EPOCH).unwrap_or_default();
    let (days, seconds) = (since.as_secs() / 86_400, since.as_secs() % 86_400);
    // Days to date over 400-year eras that start on 1 March, so that the leap day ends a year.
    let shifted = days + 719_468;
    let (era, of_era) = (shifted / 146_097, shifted % 146_097);
    let year_of_era = (of_era - of_era / 1_460 + of_era / 36_524 - of_era / 146_096) / 365;
    let of_year = of_era - (365 * year_of_era + year_of_era / 4 - year_of_era / 100);
    let march_month = (5 * of_year + 2) / 153;
    let day = of_year - (153 * march_month + 2) / 5 + 1;
    let month = if march_month < 10 { march_month + 3 } else { march_month - 9 };
    let year = year_of_era + era * 400 + u64::from(month <= 2);
    let (hour, minute, second) = (seconds / 3_600, seconds / 60 % 60, seconds % 60);
    let milli = since.subsec_millis();
    format!("{year:04}-{month:02}-{day:02}T{hour:02}:{minute:02}:{second:02}.{milli:03}Z")
}

/// Input fields that hold whole texts no rule looks at: their length is kept, not their content.
const CONTENT_FIELDS: &[&str] =
    &["content", "old_string", "new_string", "new_source", "prompt", "plan"];

/// How names of secrets end, in lower case with `_` for `-`.
const SECRET_NAMES: &[&str] = &[
    "token",
    "secret",
    "password",
    "passwd",
    "passphrase",
    "api_key",
    "apikey",
    "access_key",
    "secret_key",
    "private_key",
    "client_secret",
    "credential",
    "credentials",
    "authorization",
    "access_key_id",
    "pgpassword",
    "mysql_pwd",
];

/// Words before the credential in an `Authorization` header.
const SCHEMES: &[&str] = &["bearer", "basic"];

/// How tokens of known services start, and the least number of characters that follow.
const TOKENS: &[(&str, usize)] = &[
    ("ghp_", 20),
    ("gho_", 20),
    ("ghu_", 20),
    ("ghs_", 20),
    ("ghr_", 20),
    ("github_pat_", 20),
    ("glpat-", 16),
    ("sk-ant-", 16),
    ("sk-proj-", 16),
    ("sk-", 32),
    ("sk_live_", 16),
    ("rk_live_", 16),
    ("xoxb-", 16),
    ("xoxp-", 16),
    ("xoxa-", 16),
    ("xoxr-", 16),
    ("xoxs-", 16),
    ("AKIA", 16),
    ("ASIA", 16),
    ("AIza", 30),
    ("ya29.", 20),
    ("npm_", 30),
    ("pypi-", 30),
    ("hf_", 30),
    ("dop_v1_", 30),
    ("SG.", 30),
    ("eyJ", 40),
];

#[cfg(test)]
mod tests {
    use super::*;
    use portcullis_model::{Mode, ToolInput};
    use std::sync::LazyLock;
    use std::time::Duration;

    fn call(fields: &[(&str, &str)]) -> ToolCall {
        let path = |text| AbsPath::parse(text).unwrap();
        ToolCall {
            tool: "Bash".into(),
            input: ToolInput(
                fields
                    .iter()
                    .map(|(name, text)| ((*name).to_owned(), InputValue::Text((*text).to_owned())))
                    .collect(),
            ),
            cwd: path("/p"),
            project_root: path("/p"),
            home: path("/home/u"),
            mode: Mode::Default,
            additional_directories: Vec::new(),
            sandboxed: None,
            hook_answers: Vec::new(),
            shadowed: Vec::new(),
        }
    }

    static ANSWERS: LazyLock<Answers> = LazyLock::new(|| {
        let path = |text| AbsPath::parse(text).unwrap();
        let real = portcullis_facts::Real { path: path("/q"), hops: vec![path("/q")] };
        Answers { real: [(path("/p"), real)].into(), ..Answers::default() }
    });

    fn record(call: &ToolCall) -> Record<'_> {
        Record {
            time: UNIX_EPOCH + Duration::from_millis(951_782_400_123),
            asked_by: "check",
            call,
            layers: vec![LayerDigest::new("user", "~/.claude/settings.json", "{}")],
            answers: &ANSWERS,
            verdict: json!({ "decision": "ask" }).as_object().unwrap().clone(),
            micros: 7,
        }
    }

    #[test]
    fn masks_secrets_and_keeps_every_offset() {
        let token = "ghp_0123456789abcdefABCDEF0123456789abcd";
        for (text, secret) in [
            (
                format!("git push https://x:{token}@github.com/a/b"),
                token.trim_start_matches("ghp_"),
            ),
            ("curl -H 'Authorization: Bearer abc.def-123' https://x".to_owned(), "abc.def-123"),
            ("GITHUB_TOKEN=hunter2 make".to_owned(), "hunter2"),
            ("deploy --password 'two words' -v".to_owned(), "two words"),
            ("deploy --api-key=abc123;ls".to_owned(), "abc123"),
            ("psql postgres://me:pw0rd@db/x".to_owned(), "pw0rd"),
            (
                "echo '-----BEGIN RSA PRIVATE KEY-----MIIabc-----END RSA PRIVATE KEY-----'"
                    .to_owned(),
                "MIIabc",
            ),
            ("x AKIAABCDEFGHIJKLMNOP".to_owned(), "ABCDEFGHIJKLMNOP"),
        ] {
            let masked = mask(&text);
            assert!(!masked.contains(secret), "{masked}");
            assert_eq!(masked.len(), text.len(), "{masked}");
        }
        assert_eq!(mask("deploy --api-key=abc123;ls"), "deploy --api-key=xxxxxx;ls");
        assert_eq!(mask("PASSWORD=ü a"), "PASSWORD=xx a");
    }

    #[test]
    fn leaves_what_is_no_secret() {
        for text in [
            "git push origin main",
            "npm run token-check",
            "curl -H \"Authorization: Bearer $TOKEN\" https://x",
            "PASSWORD=$SECRET make",
            "ssh git@github.com",
            "docker run -e TOKEN image",
            "cat sk-notes.txt",
            "echo basic",
        ] {
            assert_eq!(mask(text), text);
        }
    }

    #[test]
    fn a_record_holds_what_a_replay_needs() {
        let call = call(&[("command", "ls"), ("content", "long text"), ("token", "abc")]);
        let value = record_json(&record(&call));
        assert_eq!(
            value.to_string(),
            "{\"version\":1,\"time\":\"2000-02-29T00:00:00.123Z\",\"asked_by\":\"check\",\"call\":{\"tool_name\":\"Bash\",\"tool_input\":{\"command\":\"ls\",\"content\":{\"omitted_bytes\":9},\"token\":\"xxx\"},\"cwd\":\"/p\",\"project_root\":\"/p\",\"home\":\"/home/u\",\"permission_mode\":\"default\",\"additional_directories\":[],\"sandboxed\":null,\"hook_answers\":[]},\"layers\":[{\"scope\":\"user\",\"file\":\"~/.claude/settings.json\",\"digest\":\"sha256:44136fa355b3678a1146ad16f7e8649e94fb4fc21fe77e8310c060f61caaff8a\"}],\"answers\":{\"real\":{\"/p\":{\"path\":\"/q\",\"hops\":[\"/q\"]}},\"globs\":{},\"below\":{}},\"verdict\":{\"decision\":\"ask\"},\"micros\":7}"
        );
    }

    #[test]
    fn appends_privately_and_rotates() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("decisions.jsonl");
        let log = LogFile::at(&path).rotated_at(1_000);
        let call = call(&[("command", "ls")]);
        for _ in 0..40 {
            log.append(&record(&call)).unwrap();
        }
        assert_eq!(fs::metadata(&path).unwrap().mode() & 0o777, 0o600);
        let mut names: Vec<String> = fs::read_dir(folder.path())
            .unwrap()
            .map(|entry| entry.unwrap().file_name().into_string().unwrap())
            .collect();
        names.sort();
        assert_eq!(
            names,
            [
                "decisions.jsonl",
                "decisions.jsonl.1",
                "decisions.jsonl.2",
                "decisions.jsonl.3",
                "decisions.jsonl.4"
            ]
        );
        for name in names {
            for line in fs::read_to_string(folder.path().join(name)).unwrap().lines() {
                let value: Value = serde_json::from_str(line).unwrap();
                assert_eq!(value.get("version"), Some(&json!(1)));
            }
        }
    }

    #[test]
    fn many_writers_lose_nothing() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("log");
        std::thread::scope(|scope| {
            for _ in 0..4 {
                scope.spawn(|| {
                    let log = LogFile::at(&path).rotated_at(20_000);
                    let call = call(&[("command", "ls")]);
                    for _ in 0..25 {
                        log.append(&record(&call)).unwrap();
                    }
                });
            }
        });
        let lines: usize = fs::read_dir(folder.path())
            .unwrap()
            .map(|entry| fs::read_to_string(entry.unwrap().path()).unwrap().lines().count())
            .sum();
        assert_eq!(lines, 100);
    }
}
