//! `doctor`: which settings count, and whether the hook really guards the agent.

use super::install::own_path;
use super::policy::{LayerState, State, diagnostic_json, layer_states, short};
use crate::args::DoctorArgs;
use crate::console::{Palette, Reply};
use crate::environment;
use crate::failure::{Failure, Status};
use crate::render::diagnostic;
use crate::session::{Session, Surroundings, plain};
use portcullis_host::claude_code::{Conclusion, Event, conclude, shown};
use portcullis_host::install::{Registration, registrations};
use portcullis_model::Scope;
use portcullis_policy::{Layer, Severity};
use serde_json::{Value, json};
use std::io::{Read as _, Write as _};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};

/// How long one test call may take: as long as the host would wait at least.
const PATIENCE: Duration = Duration::from_secs(10);

/// Below this timeout of the host, its own end may come before ours, and lets the call through.
const LEAST_TIMEOUT: u64 = 6;

/// How well something is.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum Grade {
    Good,
    Note,
    Warning,
    Error,
}

impl Grade {
    fn word(self) -> &'static str {
        match self {
            Self::Good => "ok",
            Self::Note => "note",
            Self::Warning => "warning",
            Self::Error => "error",
        }
    }
}

/// One thing that was looked at.
struct Finding {
    topic: &'static str,
    grade: Grade,
    message: String,
    hint: String,
}

/// What was looked at, in order.
#[derive(Default)]
pub(super) struct Report {
    findings: Vec<Finding>,
}

impl Report {
    pub(super) fn add(
        &mut self,
        topic: &'static str,
        grade: Grade,
        message: impl Into<String>,
        hint: &str,
    ) {
        self.findings.push(Finding {
            topic,
            grade,
            message: message.into(),
            hint: hint.to_owned(),
        });
    }
}

/// Looks at settings and hooks.
pub(crate) fn doctor(args: &DoctorArgs, as_json: bool, palette: Palette) -> Result<Reply, Failure> {
    let surroundings = Surroundings::of_process(&args.policy)?;
    let session = Session::open(&args.policy, surroundings)?;
    let mut report = Report::default();
    let layers = layer_states(&session);
    settings(&layers, &session, &mut report);
    hooks(&session, &mut report);
    let sandbox = super::doctor_sandbox::sandbox(&session, &mut report);
    let diagnostics = &session.policy.diagnostics;
    let worst = report.findings.iter().map(|finding| finding.grade).max().unwrap_or(Grade::Good);
    let is_well = worst <= Grade::Note
        && diagnostics.iter().all(|diagnostic| diagnostic.severity == Severity::Note);
    let status = if is_well { Status::Done } else { Status::Findings };
    if as_json {
        let findings: Vec<Value> = report
            .findings
            .iter()
            .map(|finding| {
                json!({
                    "topic": finding.topic,
                    "grade": finding.grade.word(),
                    "message": finding.message,
                    "hint": finding.hint,
                })
            })
            .collect();
        let diagnostics: Vec<Value> = diagnostics.iter().map(diagnostic_json).collect();
        return Ok(Reply::json(
            &json!({
                "well": is_well,
                "findings": findings,
                "sandbox": sandbox,
                "diagnostics": diagnostics,
            }),
            status,
        ));
    }
    let mut out = String::new();
    let mut topic = "";
    for finding in &report.findings {
        if finding.topic != topic {
            let gap = if topic.is_empty() { "" } else { "\n" };
            out.extend([format!("{gap}{}\n", palette.strong(finding.topic))]);
            topic = finding.topic;
        }
        let word = format!("{:<7}", finding.grade.word());
        let word = match finding.grade {
            Grade::Good => palette.good(&word),
            Grade::Note => palette.dim(&word),
            Grade::Warning => palette.warning(&word),
            Grade::Error => palette.error(&word),
        };
        out.extend([format!("  {word} {}\n", shown(&finding.message))]);
        if !finding.hint.is_empty() {
            out.extend([format!("          {} {}\n", palette.dim("hint:"), shown(&finding.hint))]);
        }
    }
    for one in diagnostics {
        out.push('\n');
        out.push_str(&diagnostic::diagnostic(one, session.surroundings.home.as_str(), palette));
    }
    Ok(Reply::text(out, status))
}

fn settings(layers: &[LayerState], session: &Session, report: &mut Report) {
    const TOPIC: &str = "settings";
    for layer in layers {
        let file = short(&layer.file, session.surroundings.home.as_str());
        let name = format!("{} {file}", layer.scope.word());
        match &layer.state {
            State::Found => report.add(TOPIC, Grade::Good, name, ""),
            State::Absent => report.add(TOPIC, Grade::Note, format!("{name}: there is none"), ""),
            State::Untrusted => report.add(
                TOPIC,
                Grade::Note,
                format!("{name}: not trusted, so only its deny and ask rules count"),
                "accept the agent's trust question for this project if you trust it",
            ),
            State::Broken(why) => report.add(
                TOPIC,
                Grade::Error,
                format!("{name}: {why}; it grants nothing, and every call asks"),
                "repair the file",
            ),
        }
    }
}

/// The hook: is it there, does the host run it, and does it do what it says.
fn hooks(session: &Session, report: &mut Report) {
    const TOPIC: &str = "hook of claude-code";
    switched_off(session, TOPIC, report);
    let found: Vec<(&Layer, Registration)> = session
        .layers
        .iter()
        .flat_map(|layer| registrations(&layer.text).into_iter().map(move |found| (layer, found)))
        .collect();
    let decides =
        |found: &&(&Layer, Registration)| Event::parse(&found.1.event) == Some(Event::PreToolUse);
    if found.iter().find(decides).is_none() {
        report.add(
            TOPIC,
            Grade::Warning,
            "not installed: the agent decides by its own rules alone",
            "run `portcullis install --agent claude-code --user`",
        );
    }
    for (layer, registration) in &found {
        let file = short(&layer.file, session.surroundings.home.as_str());
        let Some(event) = Event::parse(&registration.event) else {
            report.add(
                TOPIC,
                Grade::Error,
                format!("{file}: registered for `{}`, which takes no decision", registration.event),
                "register it for `PreToolUse`; `portcullis install` does",
            );
            continue;
        };
        report.add(TOPIC, Grade::Good, format!("{file}: registered for `{}`", event.word()), "");
        registered(layer, registration, &file, TOPIC, report);
        match runnable(session, registration) {
            Ok(command) => fire(session, event, registration, &command, TOPIC, report),
            Err(why) => report.add(
                TOPIC,
                Grade::Warning,
                format!("{file}: not tried: {why}"),
                "run `portcullis install` again",
            ),
        }
    }
}

/// Settings that keep every hook from running.
fn switched_off(session: &Session, topic: &'static str, report: &mut Report) {
    let flag = |layer: &Layer, key: &str| {
        serde_json::from_str::<Value>(&layer.text).ok().and_then(|value| value.get(key)?.as_bool())
    };
    let effective =
        session.layers.iter().find_map(|layer| Some((layer, flag(layer, "disableAllHooks")?)));
    if let Some((layer, true)) = effective {
        report.add(
            topic,
            Grade::Error,
            format!("`disableAllHooks` of {} keeps every hook from running", layer.file),
            "remove the key",
        );
    }
    let managed_only = session
        .layers
        .iter()
        .filter(|layer| layer.scope == Scope::Managed)
        .find(|layer| flag(layer, "allowManagedHooksOnly") == Some(true));
    if let Some(layer) = managed_only {
        report.add(
            topic,
            Grade::Warning,
            format!("`allowManagedHooksOnly` of {} lets only managed hooks run", layer.file),
            "have the hook put into managed settings",
        );
    }
}

/// How one hook is registered.
fn registered(
    layer: &Layer,
    registration: &Registration,
    file: &str,
    topic: &'static str,
    report: &mut Report,
) {
    let again = "run `portcullis install` again";
    if registration.background {
        report.add(
            topic,
            Grade::Error,
            format!("{file}: runs in the background, where it cannot block"),
            again,
        );
    }
    if !registration.blocks_on_failure {
        report.add(
            topic,
            Grade::Warning,
            format!("{file}: without `onFailure: \"block\"` a hook that cannot be started lets calls through"),
            again,
        );
    }
    if registration.timeout.is_some_and(|seconds| seconds < LEAST_TIMEOUT) {
        report.add(
            topic,
            Grade::Warning,
            format!(
                "{file}: the host's timeout may end before ours, and then lets the call through"
            ),
            again,
        );
    }
    if let Some(matcher) =
        registration.matcher.as_deref().filter(|matcher| !matches!(*matcher, "" | "*"))
    {
        report.add(
            topic,
            Grade::Warning,
            format!("{file}: its matcher `{matcher}` leaves other tools unguarded"),
            again,
        );
    }
    if let Some(condition) = &registration.condition {
        report.add(
            topic,
            Grade::Warning,
            format!("{file}: its condition `{condition}` leaves other calls unguarded"),
            again,
        );
    }
    if registration.args.is_none() {
        report.add(
            topic,
            Grade::Note,
            format!("{file}: goes through a shell, which is slower and minds blanks in paths"),
            again,
        );
    }
    if !layer.trusted && layer.scope != Scope::Managed {
        report.add(
            topic,
            Grade::Note,
            format!("{file}: hooks of a project run only where it is trusted"),
            "install the hook with `--user`",
        );
    }
}

/// A program and its arguments.
struct Runnable {
    program: PathBuf,
    args: Vec<String>,
}

/// The command of a hook, if it may be run.
///
/// SECURITY: a project's settings may register anything under our name. Only a command that leads to
/// this very program is run.
fn runnable(session: &Session, registration: &Registration) -> Result<Runnable, String> {
    let (program, args) = if let Some(args) = &registration.args {
        (registration.command.clone(), args.clone())
    } else {
        let is_plain = |c: char| c.is_ascii_alphanumeric() || "/._-= ~".contains(c);
        if !registration.command.chars().all(is_plain) {
            return Err("its command needs a shell".to_owned());
        }
        let mut words = registration.command.split_whitespace().map(str::to_owned);
        (words.next().unwrap_or_default(), words.collect())
    };
    let root = session.surroundings.project_root.as_str();
    let program = program.replace("${CLAUDE_PROJECT_DIR}", root);
    let program = match program.strip_prefix("~/") {
        Some(rest) => session
            .surroundings
            .home
            .join(rest)
            .map_or_else(|_| program.clone(), |path| path.as_str().to_owned()),
        None => program,
    };
    let found = if program.contains('/') {
        Path::new(root).join(&program)
    } else {
        let search = environment::value(environment::PATH).unwrap_or_default();
        std::env::split_paths(&search)
            .map(|folder| folder.join(&program))
            .find(|candidate| candidate.is_file())
            .ok_or_else(|| format!("there is no `{program}` on the search path"))?
    };
    let own = own_path().map_err(|failure| failure.message)?;
    let leads_to = found
        .canonicalize()
        .map_err(|error| format!("`{}`: {}", found.display(), plain(&error)))?;
    let is_own = Path::new(&own).canonicalize().is_ok_and(|own| own == leads_to);
    if !is_own {
        return Err(format!("`{}` is another program than this one", found.display()));
    }
    Ok(Runnable { program: found, args })
}

/// Test calls, with the rule that decides each and what the host has to conclude.
const TRIALS: &[(&str, &str, Conclusion)] = &[
    ("--deny", "portcullis-doctor deny", Conclusion::Blocks),
    ("--ask", "portcullis-doctor ask", Conclusion::Prompts),
    ("--allow", "portcullis-doctor allow", Conclusion::Allows),
];

/// Runs the registered command as the host would, and tells what the host would conclude.
fn fire(
    session: &Session,
    event: Event,
    registration: &Registration,
    command: &Runnable,
    topic: &'static str,
    report: &mut Report,
) {
    let started = Instant::now();
    for (flag, text, wanted) in TRIALS {
        let payload = json!({
            "hook_event_name": event.word(),
            "tool_name": "Bash",
            "tool_input": { "command": text },
            "cwd": session.surroundings.project_root.as_str(),
            "permission_mode": "default",
            "session_id": "portcullis-doctor",
        });
        let rule = format!("Bash({text})");
        let heard = call(session, command, &[flag, &rule], payload.to_string().as_bytes());
        // The prompt is what a permission request is about: silence lets it happen.
        let wanted = match (event, wanted) {
            (Event::PermissionRequest, Conclusion::Prompts) => Conclusion::OwnRules,
            (_, wanted) => *wanted,
        };
        judge(event, registration, heard, text, wanted, topic, report);
    }
    let heard = call(session, command, &[], b"{");
    judge(
        event,
        registration,
        heard,
        "a payload that is not JSON",
        Conclusion::Blocks,
        topic,
        report,
    );
    let each = started.elapsed().as_micros() / 4;
    report.add(topic, Grade::Good, format!("one call takes {each} µs"), "");
}

fn judge(
    event: Event,
    registration: &Registration,
    heard: Result<Heard, String>,
    what: &str,
    wanted: Conclusion,
    topic: &'static str,
    report: &mut Report,
) {
    let heard = match heard {
        Ok(heard) => heard,
        Err(why) => {
            report.add(
                topic,
                Grade::Error,
                format!("`{what}`: {why}"),
                "run it by hand to see more",
            );
            return;
        }
    };
    let got = conclude(event, heard.status, &heard.stdout, registration.blocks_on_failure);
    let words = said(got);
    if got == wanted {
        report.add(topic, Grade::Good, format!("`{what}`: {words}"), "");
        return;
    }
    let grade = if got < wanted { Grade::Error } else { Grade::Warning };
    let reason = heard.reason();
    let because = if reason.is_empty() { String::new() } else { format!(" ({reason})") };
    report.add(
        topic,
        grade,
        format!("`{what}`: {words}, and should: {}{because}", said(wanted)),
        "",
    );
}

fn said(conclusion: Conclusion) -> &'static str {
    match conclusion {
        Conclusion::Allows => "the host lets it run",
        Conclusion::OwnRules => "the host goes on by its own rules",
        Conclusion::Prompts => "the host asks",
        Conclusion::Blocks => "the host blocks it",
    }
}

/// What a hook process left behind.
struct Heard {
    status: Option<i32>,
    stdout: String,
}

impl Heard {
    fn reason(&self) -> String {
        let value: Value = serde_json::from_str(&self.stdout).unwrap_or(Value::Null);
        let specific = value.get("hookSpecificOutput");
        let reason = specific.and_then(|specific| {
            specific
                .get("permissionDecisionReason")
                .or_else(|| specific.get("decision")?.get("message"))?
                .as_str()
        });
        reason.unwrap_or_default().to_owned()
    }
}

fn call(
    session: &Session,
    command: &Runnable,
    flags: &[&str],
    payload: &[u8],
) -> Result<Heard, String> {
    let mut child = Command::new(&command.program)
        .args(&command.args)
        .args(flags)
        .env(environment::CLAUDE_PROJECT_DIR, session.surroundings.project_root.as_str())
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .stderr(Stdio::null())
        .spawn()
        .map_err(|error| format!("cannot be started: {}", plain(&error)))?;
    if let Some(mut stdin) = child.stdin.take() {
        // A hook that ends early closes its input; what it answered counts all the same.
        drop(stdin.write_all(payload));
    }
    let status = wait(&mut child)?;
    let mut stdout = String::new();
    if let Some(mut pipe) = child.stdout.take() {
        pipe.read_to_string(&mut stdout).map_err(|error| plain(&error))?;
    }
    Ok(Heard { status, stdout })
}

/// The exit status, or none for a signal. An answer fits into the pipe, so waiting first is fine.
fn wait(child: &mut Child) -> Result<Option<i32>, String> {
    let deadline = Instant::now() + PATIENCE;
    loop {
        match child.try_wait() {
            Ok(Some(status)) => return Ok(status.code()),
            Ok(None) if Instant::now() < deadline => {
                std::thread::sleep(Duration::from_micros(100));
            }
            Ok(None) => {
                drop(child.kill());
                drop(child.wait());
                return Err(format!("takes longer than {} seconds", PATIENCE.as_secs()));
            }
            Err(error) => return Err(plain(&error)),
        }
    }
}
