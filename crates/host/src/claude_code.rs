//! The hook contract of Claude Code: what it sends, what it reads, and what it then does.
//!
//! In: the bytes of one hook call. Out: a [`ToolCall`], and for a verdict the exact output and exit
//! status. This module never decides; its one property is that what is sent is never looser than
//! what was decided. [`conclude`] is the model of the host's side that the property is tested with.
//!
//! Traps of the contract (its hooks reference, and what the client is seen to do):
//! - On `PreToolUse` only exit 2 and valid JSON block. Any other status without valid JSON, a signal
//!   and a missing program let the call go on to the host's own rules, unless the hook is registered
//!   with `onFailure: "block"` (2.1.295 and later).
//! - JSON that fails the host's schema is ignored, but for exit 2. So every block of ours exits 2,
//!   names the reason on the error output as well, and prints either valid JSON or nothing.
//! - On `PermissionRequest` exit 2 means nothing; only `decision` counts.
//! - An `ask` of a hook is a prompt even in auto mode. Silence is what sends a call to the classifier.

use crate::batch::tool_input;
use portcullis_model::{AbsPath, Because, Decision, Finding, Mode, Route, ToolCall, Verdict};
use serde_json::{Value, json};

/// The most bytes of one hook call that are read. A `Write` carries whole files; beyond this
/// something is wrong, and reading on would only cost memory.
pub const MAX_PAYLOAD: usize = 32 * 1024 * 1024;

/// The most characters of a reason that are sent; the host cuts at 10,000 by a detour over a file.
const MAX_REASON: usize = 2_000;

/// The exit status the host reads as a block.
pub const BLOCK: u8 = 2;

/// An event that takes a decision.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Event {
    /// Before every tool call.
    PreToolUse,
    /// Before the host shows its own prompt.
    PermissionRequest,
}

impl Event {
    /// Every event, in the order a call meets them.
    pub const ALL: [Self; 2] = [Self::PreToolUse, Self::PermissionRequest];

    /// The name on the wire.
    pub fn word(self) -> &'static str {
        match self {
            Self::PreToolUse => "PreToolUse",
            Self::PermissionRequest => "PermissionRequest",
        }
    }

    /// Reads the name on the wire.
    pub fn parse(word: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|event| event.word() == word)
    }
}

/// A hook call that cannot be answered.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("{message}")]
pub struct Malformed {
    /// What is wrong with it, in one line.
    pub message: String,
}

fn malformed(message: impl Into<String>) -> Malformed {
    Malformed { message: message.into() }
}

/// What the payload does not say.
#[derive(Clone, Debug)]
pub struct Surroundings {
    /// The directory the session was started in, where the host tells (`CLAUDE_PROJECT_DIR`);
    /// otherwise the call's own directory counts.
    pub project_root: Option<AbsPath>,
    /// The home directory.
    pub home: AbsPath,
}

/// Reads one hook call.
pub fn read_call(
    bytes: &[u8],
    surroundings: &Surroundings,
) -> Result<(Event, ToolCall), Malformed> {
    // Some hosts that speak this dialect put a byte order mark in front.
    let bytes = bytes.strip_prefix(b"\xef\xbb\xbf").unwrap_or(bytes);
    let payload: Value = crate::strict_json::from_slice(bytes)
        .map_err(|error| malformed(format!("the hook payload is not JSON: {error}")))?;
    let text = |key: &str| match payload.get(key) {
        Some(Value::String(text)) => Ok(text.as_str()),
        Some(_) => Err(malformed(format!("`{key}` of the hook payload is not a string"))),
        None => Err(malformed(format!("the hook payload has no `{key}`"))),
    };
    let event = text("hook_event_name")?;
    let event = Event::parse(event).ok_or_else(|| {
        malformed(format!(
            "the hook is called for `{}`, which takes no decision; register it for `PreToolUse`",
            shown(event)
        ))
    })?;
    let tool = text("tool_name")?;
    if tool.is_empty() {
        return Err(malformed("`tool_name` of the hook payload is empty"));
    }
    let input = match payload.get("tool_input") {
        Some(Value::Object(fields)) => tool_input(fields),
        Some(_) => return Err(malformed("`tool_input` of the hook payload is not an object")),
        None => return Err(malformed("the hook payload has no `tool_input`")),
    };
    let cwd = text("cwd")?;
    let cwd = AbsPath::parse(cwd).map_err(|_not_absolute| {
        malformed(format!("`cwd` of the hook payload is not an absolute path: `{}`", shown(cwd)))
    })?;
    let mode = match payload.get("permission_mode") {
        None => Mode::Default,
        // A mode we do not know may be anything. `default` allows what rules allow and asks for the
        // rest, so an unknown mode never makes an answer looser.
        Some(Value::String(word)) => Mode::parse(word).unwrap_or(Mode::Default),
        Some(_) => return Err(malformed("`permission_mode` of the hook payload is not a string")),
    };
    let call = ToolCall {
        tool: tool.to_owned(),
        input,
        project_root: surroundings.project_root.clone().unwrap_or_else(|| cwd.clone()),
        cwd,
        home: surroundings.home.clone(),
        mode,
        additional_directories: Vec::new(),
        sandboxed: None,
        hook_answers: Vec::new(),
        shadowed: Vec::new(),
    };
    Ok((event, call))
}

/// What a hook process leaves behind: output, error output, exit status.
#[must_use = "an answer that is not sent lets the call through"]
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Answer {
    /// The standard output.
    pub stdout: String,
    /// The error output.
    pub stderr: String,
    /// The exit status.
    pub status: u8,
}

/// How a verdict is put for one event.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Sent {
    /// An explicit yes.
    Allow,
    /// An explicit prompt.
    Ask,
    /// Nothing: the host goes on as if there were no hook.
    Silence,
    /// An explicit no.
    Deny,
}

/// The answer to one call.
///
/// | decided | `PreToolUse` | `PermissionRequest` |
/// |---|---|---|
/// | allow | allow | allow |
/// | ask | ask | nothing: the prompt is already on its way |
/// | ask, route classifier | nothing if only the absence of a rule asks, else ask | nothing |
/// | ask, route defer | ask | nothing |
/// | deny | deny, exit 2 | deny |
///
/// `confined` is the input the call is to run with instead: the same command inside the sandbox. It goes
/// along with allow and ask. Silence would run the command as it was sent, so a call that is to be
/// confined is never left to the host's own rules: it asks.
pub fn answer(event: Event, verdict: &Verdict, confined: Option<Value>) -> Answer {
    let sent = match (event, verdict.decision) {
        (_, Decision::Allow) => Sent::Allow,
        (_, Decision::Deny) => Sent::Deny,
        (Event::PermissionRequest, Decision::Ask) => Sent::Silence,
        (Event::PreToolUse, Decision::Ask) => match verdict.route {
            Some(Route::Classifier)
                if confined.is_none() && is_left_to_classifier(&verdict.findings) =>
            {
                Sent::Silence
            }
            // The host honours `defer` only where one call is made without a person present, and
            // drops the whole answer elsewhere; a prompt is what it leaves behind at its best.
            Some(Route::Classifier | Route::Defer) | None => Sent::Ask,
        },
    };
    put(event, sent, &verdict.reason, confined)
}

/// The input of a Bash call that runs `command` instead, from the bytes of the hook call.
///
/// `leaves_host_sandbox` says that the host is not to put a boundary of its own around ours: the inner one
/// could not be built.
pub fn with_command(bytes: &[u8], command: &str, leaves_host_sandbox: bool) -> Option<Value> {
    let bytes = bytes.strip_prefix(b"\xef\xbb\xbf").unwrap_or(bytes);
    let payload: Value = serde_json::from_slice(bytes).ok()?;
    let mut input = payload.get("tool_input")?.as_object()?.clone();
    input.insert("command".to_owned(), Value::String(command.to_owned()));
    if leaves_host_sandbox {
        input.insert("dangerouslyDisableSandbox".to_owned(), Value::Bool(true));
    }
    Some(Value::Object(input))
}

/// The block that every failure ends as. Without an event (the caller could not know it) nothing is
/// printed: exit 2 alone blocks a tool call on every version, JSON for the wrong event may not.
pub fn block(event: Option<Event>, reason: &str) -> Answer {
    match event {
        Some(event) => Answer {
            status: BLOCK,
            stderr: format!("{}\n", shown(reason)),
            ..put(event, Sent::Deny, reason, None)
        },
        None => {
            Answer { stdout: String::new(), stderr: format!("{}\n", shown(reason)), status: BLOCK }
        }
    }
}

/// Whether an ask may be left to the host's classifier by silence: only if nothing but the absence
/// of a rule asks. What we could not read, or hold for critical, is for a person: the host may read
/// it as allowed and never call its classifier.
fn is_left_to_classifier(findings: &[Finding]) -> bool {
    findings.iter().filter(|finding| finding.decision != Decision::Allow).all(|finding| {
        match &finding.because {
            Because::Builtin { code, .. } => ABSENCE_OF_A_RULE.contains(code),
            Because::Mode { .. } => true,
            Because::Rule(_)
            | Because::Unanalyzable(_)
            | Because::Limit { .. }
            | Because::BrokenPolicy { .. }
            | Because::Hook { .. }
            | Because::Bug { .. } => false,
        }
    })
}

fn put(event: Event, sent: Sent, reason: &str, confined: Option<Value>) -> Answer {
    let reason = shown(reason);
    let word = match sent {
        Sent::Allow => "allow",
        Sent::Ask => "ask",
        Sent::Deny => "deny",
        Sent::Silence => return Answer { stdout: String::new(), stderr: String::new(), status: 0 },
    };
    let specific = match event {
        Event::PreToolUse => {
            let mut specific = json!({
                "hookEventName": event.word(),
                "permissionDecision": word,
                "permissionDecisionReason": reason,
            });
            if let (Some(input), Some(fields)) = (confined, specific.as_object_mut())
                && sent != Sent::Deny
            {
                fields.insert("updatedInput".to_owned(), input);
            }
            specific
        }
        Event::PermissionRequest => {
            let mut decision = json!({ "behavior": word });
            if sent == Sent::Deny
                && let Some(fields) = decision.as_object_mut()
            {
                fields.insert("message".to_owned(), Value::String(reason.clone()));
            }
            json!({ "hookEventName": event.word(), "decision": decision })
        }
    };
    let stdout = format!("{}\n", json!({ "hookSpecificOutput": specific }));
    match (event, sent) {
        (Event::PreToolUse, Sent::Deny) => {
            Answer { stdout, stderr: format!("{reason}\n"), status: BLOCK }
        }
        _ => Answer { stdout, stderr: String::new(), status: 0 },
    }
}

/// One line of printable text: what a person or a model may be shown of untrusted text.
///
/// SECURITY: control, invisible and direction-changing characters could rewrite the prompt a person
/// reads; they are written out as escapes.
pub fn shown(text: &str) -> String {
    let mut out = String::with_capacity(text.len());
    for (index, c) in text.chars().enumerate() {
        if index == MAX_REASON {
            out.push('…');
            break;
        }
        match c {
            '\n' => out.push_str("\\n"),
            '\t' => out.push_str("\\t"),
            c if is_printable(c) => out.push(c),
            c => out.extend([format!("\\u{{{:x}}}", u32::from(c))]),
        }
    }
    out
}

/// Whether a character shows as itself and changes nothing around it.
pub fn is_printable(c: char) -> bool {
    !c.is_control() && !INVISIBLE.iter().any(|range| range.contains(&c))
}

/// What the host makes of a hook's end.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Conclusion {
    /// The call runs without a prompt.
    Allows,
    /// The host decides by its own rules, as if there were no hook.
    OwnRules,
    /// The host prompts.
    Prompts,
    /// The call does not run.
    Blocks,
}

/// The host's side of the contract: what it does after a hook of `event` ended with `status`
/// (`None`: by a signal, late, or never started), registered with or without `onFailure: "block"`.
pub fn conclude(
    event: Event,
    status: Option<i32>,
    stdout: &str,
    blocks_on_failure: bool,
) -> Conclusion {
    let failed = if blocks_on_failure { Conclusion::Blocks } else { Conclusion::OwnRules };
    let Some(status) = status else {
        return failed;
    };
    let trimmed = stdout.trim_start();
    let object =
        if trimmed.starts_with('{') { serde_json::from_str::<Value>(trimmed).ok() } else { None };
    let word = object.as_ref().map(|object| spoken(event, object));
    if event == Event::PreToolUse && status == i32::from(BLOCK) {
        return Conclusion::Blocks;
    }
    match word {
        Some(Some(conclusion)) => conclusion,
        // Valid JSON that says nothing we know, or JSON the host's schema refuses.
        Some(None) => failed,
        None if status == 0 && trimmed.is_empty() => Conclusion::OwnRules,
        None if event == Event::PermissionRequest && status == i32::from(BLOCK) => {
            Conclusion::OwnRules
        }
        None => failed,
    }
}

fn spoken(event: Event, object: &Value) -> Option<Conclusion> {
    let specific = object.get("hookSpecificOutput")?;
    if specific.get("hookEventName")?.as_str()? != event.word() {
        return None;
    }
    let word = match event {
        Event::PreToolUse => specific.get("permissionDecision")?,
        Event::PermissionRequest => specific.get("decision")?.get("behavior")?,
    };
    Some(match (event, word.as_str()?) {
        (_, "allow") => Conclusion::Allows,
        (_, "deny") => Conclusion::Blocks,
        (Event::PreToolUse, "ask") => Conclusion::Prompts,
        _ => return None,
    })
}

/// The built-in codes that say no more than that no rule covers something.
const ABSENCE_OF_A_RULE: &[&str] = &["no-rule", "outside", "redirect"];

/// Characters that show as nothing, as a blank of unusual width, or that turn the direction of the
/// text around them (Unicode categories Cf and Zl/Zp, variation selectors, and fillers that render
/// empty).
const INVISIBLE: &[std::ops::RangeInclusive<char>] = &[
    '\u{a0}'..='\u{a0}',
    '\u{ad}'..='\u{ad}',
    '\u{34f}'..='\u{34f}',
    '\u{600}'..='\u{605}',
    '\u{61c}'..='\u{61c}',
    '\u{6dd}'..='\u{6dd}',
    '\u{70f}'..='\u{70f}',
    '\u{890}'..='\u{891}',
    '\u{8e2}'..='\u{8e2}',
    '\u{115f}'..='\u{1160}',
    '\u{1680}'..='\u{1680}',
    '\u{17b4}'..='\u{17b5}',
    '\u{180b}'..='\u{180f}',
    '\u{2000}'..='\u{200f}',
    '\u{2028}'..='\u{202f}',
    '\u{205f}'..='\u{206f}',
    '\u{2800}'..='\u{2800}',
    '\u{3000}'..='\u{3000}',
    '\u{3164}'..='\u{3164}',
    '\u{fe00}'..='\u{fe0f}',
    '\u{feff}'..='\u{feff}',
    '\u{ffa0}'..='\u{ffa0}',
    '\u{fff0}'..='\u{fffb}',
    '\u{110bd}'..='\u{110bd}',
    '\u{110cd}'..='\u{110cd}',
    '\u{13430}'..='\u{1343f}',
    '\u{1bca0}'..='\u{1bca3}',
    '\u{1d173}'..='\u{1d17a}',
    '\u{e0000}'..='\u{e0fff}',
];

#[cfg(test)]
mod tests {
    use super::*;
    use portcullis_model::{Certainty, InputValue, Reason, Subject, SubjectKind};

    fn surroundings() -> Surroundings {
        Surroundings { project_root: None, home: AbsPath::parse("/home/u").unwrap() }
    }

    fn verdict(decision: Decision, route: Option<Route>, because: Because) -> Verdict {
        Verdict {
            decision,
            route,
            removes_tool: false,
            sandboxed: false,
            reason: "why \u{202e}not".into(),
            findings: vec![Finding {
                decision,
                because,
                subject: Subject { kind: SubjectKind::Tool, text: "Bash".into(), span: None },
                certainty: Certainty::Certain,
            }],
            near_misses: Vec::new(),
            suggestions: Vec::new(),
        }
    }

    fn becauses() -> Vec<Because> {
        vec![
            Because::Builtin { code: "no-rule", text: String::new() },
            Because::Builtin { code: "outside", text: String::new() },
            Because::Builtin { code: "assignment", text: String::new() },
            Because::Builtin { code: "critical-removal", text: String::new() },
            Because::Mode { mode: "auto", text: String::new() },
            Because::Unanalyzable(Reason::SyntaxError),
            Because::Limit { code: "too-long", text: String::new() },
            Because::BrokenPolicy { text: String::new(), source: None },
            Because::Hook { answer: "ask" },
            Because::Bug { text: String::new() },
        ]
    }

    /// The property of the whole module: what the host concludes is never looser than the verdict,
    /// but for an ask of the classifier kind, which silence leaves to the host's own rules.
    #[test]
    fn what_is_sent_is_never_looser_than_what_was_decided() {
        for event in Event::ALL {
            for because in becauses() {
                for route in [None, Some(Route::Classifier), Some(Route::Defer)] {
                    for decision in [Decision::Allow, Decision::Ask, Decision::Deny] {
                        let route = if decision == Decision::Ask { route } else { None };
                        let verdict = verdict(decision, route, because.clone());
                        let sent = answer(event, &verdict, None);
                        for blocks_on_failure in [false, true] {
                            let got = conclude(
                                event,
                                Some(i32::from(sent.status)),
                                &sent.stdout,
                                blocks_on_failure,
                            );
                            let least = match decision {
                                Decision::Allow => Conclusion::Allows,
                                // The prompt is what the event is about: silence lets it happen.
                                Decision::Ask if event == Event::PermissionRequest => {
                                    Conclusion::OwnRules
                                }
                                Decision::Ask
                                    if route == Some(Route::Classifier)
                                        && matches!(
                                            because,
                                            Because::Mode { .. }
                                                | Because::Builtin {
                                                    code: "no-rule" | "outside",
                                                    ..
                                                }
                                        ) =>
                                {
                                    Conclusion::OwnRules
                                }
                                Decision::Ask => Conclusion::Prompts,
                                Decision::Deny => Conclusion::Blocks,
                            };
                            assert_eq!(got, least, "{event:?} {verdict:?} {sent:?}");
                        }
                    }
                }
            }
        }
    }

    #[test]
    fn a_block_blocks_for_every_event_and_for_none() {
        for event in Event::ALL {
            let sent = block(Some(event), "broken");
            assert_eq!(sent.status, BLOCK);
            assert_eq!(conclude(event, Some(2), &sent.stdout, false), Conclusion::Blocks);
        }
        let sent = block(None, "broken");
        assert_eq!((sent.stdout.as_str(), sent.stderr.as_str()), ("", "broken\n"));
        assert_eq!(conclude(Event::PreToolUse, Some(2), "", false), Conclusion::Blocks);
    }

    #[test]
    fn the_model_of_the_host_fails_open_where_the_host_does() {
        for (status, stdout) in [
            (Some(1), ""),
            (Some(101), ""),
            (Some(127), ""),
            (None, ""),
            (Some(0), "{\"a\":1}"),
            (Some(1), "oops"),
        ] {
            assert_eq!(conclude(Event::PreToolUse, status, stdout, false), Conclusion::OwnRules);
            assert_eq!(conclude(Event::PreToolUse, status, stdout, true), Conclusion::Blocks);
        }
    }

    #[test]
    fn reasons_reach_nobody_with_invisible_characters() {
        let sent = answer(
            Event::PreToolUse,
            &verdict(Decision::Deny, None, Because::Bug { text: String::new() }),
            Some(json!({ "command": "x" })),
        );
        assert!(sent.stdout.contains("why \\\\u{202e}not"), "{}", sent.stdout);
        assert_eq!(sent.stderr, "why \\u{202e}not\n");
        assert_eq!(shown("a\x1b[31m\nb\u{200b}é日"), "a\\u{1b}[31m\\nb\\u{200b}é日");
        assert_eq!(shown(&"x".repeat(3000)).chars().count(), MAX_REASON + 1);
    }

    #[test]
    fn reads_a_call() {
        let (event, call) = read_call(
            "\u{feff}{\"hook_event_name\":\"PreToolUse\",\"tool_name\":\"Bash\",\"tool_input\":{\"command\":\"ls\",\"timeout\":5,\"run_in_background\":false},\"cwd\":\"/p/sub\",\"permission_mode\":\"plan\",\"session_id\":\"s\"}".as_bytes(),
            &Surroundings { project_root: Some(AbsPath::parse("/p").unwrap()), ..surroundings() },
        )
        .unwrap();
        assert_eq!(event, Event::PreToolUse);
        assert_eq!((call.tool.as_str(), call.mode), ("Bash", Mode::Plan));
        assert_eq!(call.input.text("command"), Some("ls"));
        assert_eq!(call.input.0.get("timeout"), Some(&InputValue::Scalar("5".into())));
        assert_eq!((call.cwd.as_str(), call.project_root.as_str()), ("/p/sub", "/p"));
    }

    #[test]
    fn refuses_what_it_cannot_answer() {
        for (payload, want) in [
            ("", "the hook payload is not JSON: EOF while parsing a value at line 1 column 0"),
            ("[]", "the hook payload has no `hook_event_name`"),
            ("{\"hook_event_name\":1}", "`hook_event_name` of the hook payload is not a string"),
            (
                "{\"hook_event_name\":\"Stop\"}",
                "the hook is called for `Stop`, which takes no decision; register it for `PreToolUse`",
            ),
            ("{\"hook_event_name\":\"PreToolUse\"}", "the hook payload has no `tool_name`"),
            (
                "{\"hook_event_name\":\"PreToolUse\",\"tool_name\":\"\"}",
                "`tool_name` of the hook payload is empty",
            ),
            (
                "{\"hook_event_name\":\"PreToolUse\",\"tool_name\":\"Bash\",\"tool_input\":[]}",
                "`tool_input` of the hook payload is not an object",
            ),
            (
                "{\"hook_event_name\":\"PreToolUse\",\"tool_name\":\"Bash\",\"tool_input\":{},\"cwd\":\"x\"}",
                "`cwd` of the hook payload is not an absolute path: `x`",
            ),
        ] {
            let error = read_call(payload.as_bytes(), &surroundings()).unwrap_err();
            assert_eq!(error.message, want, "{payload}");
        }
        let deep = "[".repeat(100_000);
        assert!(read_call(deep.as_bytes(), &surroundings()).is_err(), "nesting is bounded");
    }
}
