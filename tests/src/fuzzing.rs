//! What fuzz targets do with their bytes: an error says what does not hold.
//!
//! The targets themselves only call these, and an ordinary test replays what they once found.

use crate::choices::Choices;
use crate::evaluate;
use crate::observe::observe;
use crate::programs;
use crate::properties;
pub use crate::proxy::fuzzing::{
    proxy_authority, proxy_domain_entry, proxy_hello, proxy_http_head, proxy_socks,
};
use crate::reference;
use crate::samples;
use crate::shell_cases::bash_call;
use portcullis_host::claude_code::{self, Conclusion, Event, Surroundings};
use portcullis_host::{EvaluateOptions, ListedDisk, evaluate as evaluate_call};
use portcullis_model::{AbsPath, Decision, RuleClass, Scope, TextPiece, TextSet};
use portcullis_policy::{Layer, Place, Policy, assemble};
use portcullis_rules::{Anchors, CommandPattern, DomainPattern, Match, PathPattern, Rule};
use portcullis_shell::{Options, SecondReader, parse};
use serde_json::{Map, Value, json};
use std::fs;
use std::io::{self, Write};
use std::process::{Command, Stdio};

/// A target.
pub type Target = fn(&[u8]) -> Result<(), String>;

/// Every target, by name.
pub const TARGETS: &[(&str, Target)] = &[
    ("rule_text", rule_text),
    ("settings_layers", settings_layers),
    ("shell_reader", shell_reader),
    ("facts", facts),
    ("paths", paths),
    ("command_matcher", command_matcher),
    ("domains", domains),
    ("decide", decide),
    ("hook_wire", hook_wire),
    ("proxy_authority", proxy_authority),
    ("proxy_socks", proxy_socks),
    ("proxy_hello", proxy_hello),
    ("proxy_domain_entry", proxy_domain_entry),
    ("proxy_http_head", proxy_http_head),
];

/// Any text is a rule or an error, and reads the same again.
pub fn rule_text(data: &[u8]) -> Result<(), String> {
    let Ok(text) = std::str::from_utf8(data) else { return Ok(()) };
    for class in [RuleClass::Allow, RuleClass::Ask, RuleClass::Deny] {
        match Rule::parse(text, class) {
            Ok(rule) => {
                let again = format!("{:?}", Rule::parse(rule.text(), class));
                holds(rule.text() == text && again == format!("Ok({rule:?})"), || {
                    format!("{text:?} is read as {rule:?} and then as {again}")
                })?;
            }
            Err(error) => holds(!error.to_string().is_empty(), || format!("{text:?}: no reason"))?,
        }
    }
    Ok(())
}

/// Any text is a layer; one that cannot be read takes every grant away.
pub fn settings_layers(data: &[u8]) -> Result<(), String> {
    let text = String::from_utf8_lossy(data);
    let root = AbsPath::root();
    let place = place();
    let grants = r#"{"permissions":{"allow":["Bash"]}}"#;
    let below = Layer::new(Scope::User, "user.json", grants, root.clone());
    // Editors put a byte order mark in front; everyone reads past it but `serde_json`.
    let unmarked = text.strip_prefix('\u{feff}').unwrap_or(&text);
    let readable =
        unmarked.trim().is_empty() || serde_json::from_str::<Map<String, Value>>(unmarked).is_ok();
    for scope in [Scope::User, Scope::Project, Scope::Local, Scope::CommandLine, Scope::Managed] {
        let layer = Layer::new(scope, "settings.json", text.clone(), root.clone());
        let layers = [below.clone(), layer];
        let policy = assemble(&layers, &place);
        let again = assemble(&layers, &place);
        holds(format!("{policy:?}") == format!("{again:?}"), || {
            format!("{text:?} reads differently")
        })?;
        // Managed settings are read as far as they go.
        let closed = scope == Scope::Managed || policy.closed_for("Bash").next().is_some();
        holds(readable || closed, || format!("{text:?} cannot be read and closes nothing"))?;
    }
    Ok(())
}

/// Joining lines with a backslash changes nothing bash reads, so it may change nothing we read.
pub fn shell_reader(data: &[u8]) -> Result<(), String> {
    let choices = &mut Choices::Bytes(data);
    let program = programs::generate(choices);
    reads_without_failing(&program)?;
    let broken = programs::mutate(choices, &program);
    reads_without_failing(&broken)?;
    // Inside quotes, comments and quoted bodies a backslash is a backslash, and `((` may be two
    // things in bash; these are left to the execution oracle.
    if program.contains(['\'', '#', '\\', '"']) || program.contains("((") {
        return Ok(());
    }
    let places: Vec<_> = program.char_indices().map(|(at, _)| at).collect();
    let Some(at) = places.get(choices.below(places.len())) else { return Ok(()) };
    let (head, tail) = program.split_at(*at);
    let joined = format!("{head}\\\n{tail}");
    let (Some(one), Some(other)) = (reading(&program)?, reading(&joined)?) else { return Ok(()) };
    holds(one == other || !runs_the_same(&program, &joined), || {
        format!("{program:?} is read as {one}\n{joined:?} is read as {other}")
    })
}

/// Any text has a verdict and facts; what could not be read is not allowed by a narrow rule.
pub fn facts(data: &[u8]) -> Result<(), String> {
    std::str::from_utf8(data).map_or(Ok(()), reads_without_failing)
}

/// Path patterns match what gitignore matches.
pub fn paths(data: &[u8]) -> Result<(), String> {
    const SEGMENTS: &[&str] = &["a", "b", "ab", "*", "a*", "*b", "**", "a*b"];
    const PARTS: &[&str] = &["a", "b", "ab", "ba", "aab"];
    let choices = &mut Choices::Bytes(data);
    let mut segments = choices.some(SEGMENTS, 3);
    segments.push(choices.text(SEGMENTS));
    let anchored = choices.one_in(2);
    // One segment and everything below it, or everything alone, mean something of their own here.
    if segments == ["*"] || segments.len() <= 2 && segments.last() == Some(&"**") {
        return Ok(());
    }
    let pattern = format!("{}{}", if anchored { "/" } else { "" }, segments.join("/"));
    let compiled = PathPattern::parse(&pattern, RuleClass::Deny)
        .map_err(|problem| format!("{pattern:?} is refused: {problem:?}"))?;
    let root = AbsPath::root();
    let matcher =
        compiled.anchored(&Anchors { source_root: root.clone(), start: root.clone(), home: root });
    let mut candidates = Vec::new();
    for _ in 0..6 {
        let mut parts = choices.some(PARTS, 3);
        parts.push(choices.text(PARTS));
        candidates.push(parts.join("/"));
    }
    let matches = |path: &String| {
        AbsPath::parse(&format!("/{path}")).is_ok_and(|path| matcher.matches(&path))
    };
    let ours: Vec<_> = candidates.iter().map(matches).collect();
    let naive: Vec<_> = candidates.iter().map(|path| reference::path(&pattern, path)).collect();
    holds(ours == naive, || format!("{pattern:?} on {candidates:?}: {ours:?}, not {naive:?}"))?;
    // Git itself is asked seldom, it is a process. A final `/**` means more here than there.
    let turn = data.iter().fold(0_u8, |sum, byte| sum.wrapping_mul(31).wrapping_add(*byte));
    if turn != 0 || segments.last() == Some(&"**") {
        return Ok(());
    }
    let git = ignored_by_git(&pattern, &candidates).map_err(|error| error.to_string())?;
    holds(ours == git, || format!("{pattern:?} on {candidates:?}: {ours:?}, in git {git:?}"))
}

/// Bash patterns match what the reference says, and are right about texts that are known in part.
pub fn command_matcher(data: &[u8]) -> Result<(), String> {
    const PIECES: &[&str] = &["a", "b", "ab", " ", "*", " *", "a b", ":"];
    const WORDS: &[&str] = &["a", "b", "ab", "ba", ":", "a:"];
    let choices = &mut Choices::Bytes(data);
    let mut text = choices.some(PIECES, 4).concat();
    text.push_str(choices.text(&["a", "*", " *", ":*", "b"]));
    // What a blank before `:*` means is left to the matcher.
    let text = text.split_whitespace().collect::<Vec<_>>().join(" ").replace(" :*", ":*");
    let pattern = CommandPattern::parse(&text, RuleClass::Deny);
    for _ in 0..4 {
        let mut words = choices.some(WORDS, 3);
        words.push(choices.text(WORDS));
        let command = words.join(" ");
        let expected = reference::command(&text, &command);
        let ours = pattern.matches_text(&command);
        holds(ours == expected, || format!("{text:?} on {command:?}: {ours}"))?;
    }
    let (set, members) = partly_known(choices, WORDS);
    let matches: Vec<_> = members.iter().map(|member| reference::command(&text, member)).collect();
    let ours = pattern.matches(&set);
    let right = match ours {
        Match::Certain => !matches.contains(&false),
        Match::No => !matches.contains(&true),
        Match::Possible => true,
    };
    holds(right, || format!("{text:?} on {set:?}: {ours:?}, but {members:?}: {matches:?}"))
}

/// Host patterns match what the reference says.
pub fn domains(data: &[u8]) -> Result<(), String> {
    const LABELS: &[&str] = &["a", "b", "ab", "com"];
    const PATTERNS: &[&str] = &["a", "b", "ab", "com", "a*", "*"];
    let choices = &mut Choices::Bytes(data);
    let mut labels = choices.some(PATTERNS, 3);
    labels.push(choices.text(PATTERNS));
    let text = labels.join(".");
    let Ok(pattern) = DomainPattern::parse(&text) else { return Ok(()) };
    for _ in 0..4 {
        let mut labels = choices.some(LABELS, 3);
        labels.push(choices.text(LABELS));
        let host = labels.join(".");
        let ours = pattern.matches(&host);
        holds(ours == reference::domain(&text, &host), || format!("{text:?} on {host:?}: {ours}"))?;
    }
    Ok(())
}

/// A property of decisions holds.
pub fn decide(data: &[u8]) -> Result<(), String> {
    properties::one_holds(&mut Choices::Bytes(data))
}

/// Any bytes are answered, and what is sent to the host is never looser than what was decided.
pub fn hook_wire(data: &[u8]) -> Result<(), String> {
    never_looser(data, &assemble(&[], &place()))?;
    let choices = &mut Choices::Bytes(data);
    let event = choices.text(&["PreToolUse", "PermissionRequest", "PreToolUse", "Stop"]);
    let call = samples::with_field(&samples::call(choices), "hook_event_name", event.into());
    let settings = samples::rules(choices).settings().to_string();
    let layer = Layer::new(Scope::Project, "settings.json", settings, AbsPath::root());
    let mut payload = call.to_string().into_bytes();
    if choices.one_in(4) {
        payload.truncate(choices.below(payload.len()));
    }
    never_looser(&payload, &assemble(&[layer], &place()))
}

fn never_looser(payload: &[u8], policy: &Policy) -> Result<(), String> {
    let surroundings = Surroundings { project_root: None, home: AbsPath::root() };
    let shown = String::from_utf8_lossy(payload);
    let (event, decision, answer) = match claude_code::read_call(payload, &surroundings) {
        Ok((event, call)) => {
            let disk = ListedDisk::default();
            let evaluation = evaluate_call(policy, &call, &disk, EvaluateOptions::default());
            let verdict = evaluation.verdict;
            (event, verdict.decision, claude_code::answer(event, &verdict, None))
        }
        Err(problem) => {
            (Event::PreToolUse, Decision::Deny, claude_code::block(None, &problem.message))
        }
    };
    for blocks_on_failure in [false, true] {
        let status = Some(i32::from(answer.status));
        let concluded = claude_code::conclude(event, status, &answer.stdout, blocks_on_failure);
        let fits = match decision {
            Decision::Allow => true,
            Decision::Ask => concluded != Conclusion::Allows,
            Decision::Deny => concluded == Conclusion::Blocks,
        };
        holds(fits, || format!("{shown}: {decision} becomes {concluded:?} by {answer:?}"))?;
    }
    Ok(())
}

fn place() -> Place {
    Place { start: AbsPath::root(), project_root: AbsPath::root(), home: AbsPath::root() }
}

fn holds(condition: bool, broken: impl FnOnce() -> String) -> Result<(), String> {
    if condition { Ok(()) } else { Err(broken()) }
}

fn reads_without_failing(program: &str) -> Result<(), String> {
    the_grammar_agrees(program)?;
    let rules = json!({ "permissions": { "allow": ["Bash(one *)", "Bash(two)"] } });
    let call = samples::with_field(&bash_call(program), "settings", rules);
    let answer =
        evaluate::ask_with_facts(&call).map_err(|error| format!("{program:?}: {error}"))?;
    holds(answer.decision > Decision::Allow || !answer.unreadable, || {
        format!("{program:?} could not be read and is allowed: {}", answer.describe())
    })
}

/// Where the reader of plain text is content, the grammar is as well.
fn the_grammar_agrees(program: &str) -> Result<(), String> {
    let read = |second_reader| parse(program, &Options { second_reader });
    let (plain, grammar) = (read(SecondReader::Agrees), read(SecondReader::GrammarAgrees));
    holds(
        plain.obstacles == grammar.obstacles && plain.second_opinion == grammar.second_opinion,
        || format!("{program:?} has {:?} and {:?}", plain.obstacles, grammar.obstacles),
    )
}

/// What we predict of a program; nothing where it could not be read in order. What is then looked at
/// instead (the second reader's view, pieces of the text) knows nothing of joined lines.
fn reading(program: &str) -> Result<Option<String>, String> {
    let mut answer = evaluate::ask_with_facts(&bash_call(program))?;
    answer.commands.sort();
    answer.redirects.sort();
    let evaluate::Answer { commands, redirects, unanalyzable, .. } = answer;
    let out_of_order = ["reader-disagreement", "syntax-error", "unterminated"];
    let readable = !unanalyzable.iter().any(|reason| out_of_order.contains(&reason.as_str()));
    Ok(readable.then(|| format!("{commands:?} {redirects:?} {unanalyzable:?}")))
}

fn runs_the_same(one: &str, other: &str) -> bool {
    let run = |program| observe(program).map(|seen| (seen.commands, seen.files)).ok();
    let (mut first, mut second) = (run(one), run(other));
    for (commands, _) in [&mut first, &mut second].into_iter().flatten() {
        commands.sort();
    }
    first == second
}

/// A set of texts, and some of its members.
fn partly_known(choices: &mut Choices<'_>, words: &[&str]) -> (TextSet, Vec<String>) {
    let mut set = TextSet::default();
    let mut members = vec![String::new(); 3];
    for index in 0..=choices.below(3) {
        let blank = if index > 0 { " " } else { "" };
        let piece = match choices.below(4) {
            0 | 1 => TextPiece::Literal(format!("{blank}{}", choices.text(words))),
            2 => {
                set.push(TextPiece::Literal(blank.to_owned()));
                for member in &mut members {
                    member.push_str(blank);
                }
                TextPiece::InWord
            }
            _ => TextPiece::MoreWords,
        };
        for member in &mut members {
            match &piece {
                TextPiece::Literal(text) => member.push_str(text),
                TextPiece::InWord | TextPiece::Anything => {
                    choices.some(words, 2).iter().for_each(|word| member.push_str(word));
                }
                TextPiece::MoreWords => {
                    for word in choices.some(words, 2) {
                        member.push(' ');
                        member.push_str(word);
                    }
                }
            }
        }
        set.push(piece);
    }
    (set, members)
}

fn ignored_by_git(pattern: &str, candidates: &[String]) -> io::Result<Vec<bool>> {
    let folder = tempfile::tempdir()?;
    let git = |arguments: &[&str]| {
        let mut command = Command::new("git");
        command.args(arguments).current_dir(folder.path());
        command.env("GIT_CONFIG_NOSYSTEM", "1").env("HOME", folder.path());
        command.stdin(Stdio::piped()).stdout(Stdio::piped()).spawn()
    };
    git(&["init", "-q"])?.wait()?;
    fs::write(folder.path().join(".gitignore"), format!("{pattern}\n"))?;
    let mut child = git(&["check-ignore", "--no-index", "--stdin"])?;
    if let Some(mut input) = child.stdin.take() {
        input.write_all(candidates.join("\n").as_bytes())?;
    }
    let output = String::from_utf8_lossy(&child.wait_with_output()?.stdout).into_owned();
    let ignored: Vec<_> = output.lines().collect();
    Ok(candidates.iter().map(|path| ignored.contains(&path.as_str())).collect())
}
