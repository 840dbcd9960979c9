//! The key `permissions` of one layer.

use crate::json::{Member, Node, Value};
use crate::keys;
use crate::reading::{Reading, Section, StringList, tool_pattern};
use crate::{Directory, PolicyRule, Severity};
use portcullis_model::{AbsPath, Mode, RuleClass, RuleRef, Source, Span};
use portcullis_rules::{Anchors, Rule, Specifier, ToolPattern, did_you_mean};

/// What one layer says about permissions.
#[derive(Debug, Default)]
pub(crate) struct Permissions {
    pub(crate) deny: Vec<PolicyRule>,
    pub(crate) ask: Vec<PolicyRule>,
    pub(crate) allow: Vec<PolicyRule>,
    /// Allow rules that wait for the layer to be trusted.
    pub(crate) waiting: Vec<PolicyRule>,
    /// Where `allow` is written.
    pub(crate) allow_span: Span,
    pub(crate) directories: Vec<Directory>,
    pub(crate) mode: Option<DefaultMode>,
    pub(crate) bypass_disabled: Option<Source>,
    pub(crate) auto_disabled: Option<Source>,
}

/// A `defaultMode`.
#[derive(Clone, Debug)]
pub(crate) struct DefaultMode {
    pub(crate) mode: Mode,
    pub(crate) source: Source,
    /// The layer may grant; else the mode only counts where it is stricter.
    pub(crate) grants: bool,
}

/// Reads everything under `permissions`, and `disableAutoMode` beside it.
pub(crate) fn read(reading: &mut Reading<'_>, top: &Section<'_>) -> Permissions {
    let members = top.every("permissions");
    close_misspelled_lists(reading, &members);
    let effect = "every call asks until it is fixed";
    let section = reading.open("permissions", keys::PERMISSIONS, &members, effect, None);
    let deny = rules(reading, &section, RuleClass::Deny);
    let ask = rules(reading, &section, RuleClass::Ask);
    let mut found = Permissions { deny, ask, ..Permissions::default() };
    found.bypass_disabled = lock(reading, &section, "disableBypassPermissionsMode");
    let beside = lock(reading, top, "disableAutoMode");
    found.auto_disabled = lock(reading, &section, "disableAutoMode").or(beside);
    found.mode = default_mode(reading, &section);
    if reading.broken {
        return found;
    }
    if let Some(member) = section.last("allow") {
        found.allow_span = member.key_span;
        found.allow = rules(reading, &section, RuleClass::Allow);
        if !reading.grants() && !found.allow.is_empty() {
            let what = format!(
                "`permissions.allow` ({}) does not count",
                count(found.allow.len(), "rule")
            );
            reading.withheld(member.key_span, what);
            found.waiting = std::mem::take(&mut found.allow);
        }
    }
    if let Some(member) = section.last("additionalDirectories") {
        found.directories = directories(reading, &section);
        if !reading.grants() && !found.directories.is_empty() {
            reading.withheld(member.key_span, "`permissions.additionalDirectories` does not count");
            found.directories = Vec::new();
        }
    }
    found
}

/// Closes what the rules under a key would have been about, where the key is a misspelt `deny` or
/// `ask` list: nothing holds them, so their tools ask.
pub(crate) fn close_misspelled(reading: &mut Reading<'_>, member: &Member, meant: &str) {
    let nodes = match &member.value.value {
        Value::List(nodes) => nodes.as_slice(),
        Value::Text(_) => std::slice::from_ref(&member.value),
        Value::Null
        | Value::Bool(_)
        | Value::Number(_)
        | Value::Table(_)
        | Value::Date
        | Value::Broken => return,
    };
    let mut lost = false;
    for node in nodes {
        let Value::Text(text) = &node.value else { continue };
        lost = true;
        let tool = match Rule::parse(text, RuleClass::Deny) {
            Ok(rule) => Some(rule.tool().clone()),
            Err(error) => error.tool.as_deref().map(tool_pattern),
        };
        let what = format!("`{text}` stands under `{}` and not under `{meant}`", member.key);
        reading.close(tool, node.span, what);
    }
    if lost {
        let message = format!(
            "`{}` is no list of rules; calls of the tools it names ask until that is fixed",
            member.key
        );
        let hint = format!("move its rules to `{meant}`");
        reading.report(Severity::Error, "lost-rules", member.key_span, message, hint);
    }
}

fn close_misspelled_lists(reading: &mut Reading<'_>, sections: &[&Member]) {
    for section in sections {
        let Value::Table(table) = &section.value.value else { continue };
        for member in table {
            let key = member.key.as_str();
            if keys::PERMISSIONS.contains(&key) {
                continue;
            }
            let meant = did_you_mean(key, keys::PERMISSIONS);
            if let Some(meant @ ("deny" | "ask")) = meant.as_deref() {
                close_misspelled(reading, member, meant);
            }
        }
    }
}

fn rules(reading: &mut Reading<'_>, section: &Section<'_>, class: RuleClass) -> Vec<PolicyRule> {
    let restricts = match class {
        RuleClass::Deny | RuleClass::Ask => true,
        RuleClass::Allow => false,
    };
    let list = StringList {
        wanted: "an array of rules",
        effect: if restricts { "every call asks until it is fixed" } else { "it allows nothing" },
        restricts,
        tool: None,
    };
    let mut rules = Vec::new();
    for (text, node) in reading.strings(section, class.word(), &list) {
        rules.extend(rule(reading, text, node, class));
    }
    rules
}

fn rule(
    reading: &mut Reading<'_>,
    text: &str,
    node: &Node,
    class: RuleClass,
) -> Option<PolicyRule> {
    let rule = match Rule::parse(text, class) {
        Ok(rule) => rule,
        Err(error) => {
            let span = node.inner_span(&reading.layer.text, error.span);
            let tool = error.tool.as_deref().map(tool_pattern);
            let message = &error.message;
            if error.ignored {
                let effect =
                    if message.contains("no effect") { "" } else { "; the rule has no effect" };
                let message = format!("{message}{effect}");
                reading.report(Severity::Warning, error.code, span, message, error.hint);
            } else if class == RuleClass::Allow {
                let message = format!("{message}; the rule allows nothing");
                reading.report(Severity::Error, error.code, span, message, error.hint);
            } else {
                let calls = match &error.tool {
                    Some(tool) => format!("every `{tool}` call"),
                    None => "every call".to_owned(),
                };
                let message = format!("{message}; {calls} asks until it is fixed");
                reading.report(Severity::Error, error.code, span, message, error.hint);
                let class = class.word();
                reading.close(tool, node.span, format!("the {class} rule `{text}` cannot be read"));
            }
            return None;
        }
    };
    for warning in rule.warnings() {
        let span = node.inner_span(&reading.layer.text, warning.span);
        let (message, hint) = (warning.message.clone(), warning.hint.clone());
        reading.report(Severity::Warning, warning.code, span, message, hint);
    }
    let paths = match rule.specifier() {
        Specifier::Path(pattern) | Specifier::Directory(pattern) => {
            Some(pattern.anchored(&Anchors {
                source_root: reading.layer.dir.clone(),
                start: reading.place.start.clone(),
                home: reading.place.home.clone(),
            }))
        }
        Specifier::Whole
        | Specifier::Nothing
        | Specifier::Inert
        | Specifier::Command(_)
        | Specifier::Domain(_)
        | Specifier::Parameter { .. }
        | Specifier::Name(_) => None,
    };
    let source = reading.source(node.span);
    let reference = RuleRef { class, text: text.to_owned(), source };
    Some(PolicyRule { rule, reference, paths })
}

fn directories(reading: &mut Reading<'_>, section: &Section<'_>) -> Vec<Directory> {
    let list = StringList {
        wanted: "an array of directories",
        effect: "it adds nothing",
        restricts: false,
        tool: None,
    };
    let mut directories = Vec::new();
    for (text, node) in reading.strings(section, "additionalDirectories", &list) {
        if let Some(path) = directory(text, reading) {
            directories.push(Directory { path, source: reading.source(node.span) });
        } else {
            let name =
                if text.is_empty() { "an empty text".to_owned() } else { format!("`{text}`") };
            let message = format!("{name} names no directory; it adds nothing");
            let hint =
                "write an absolute path, one from `~/`, or one relative to the start directory";
            reading.report(Severity::Error, "bad-directory", node.span, message, hint);
        }
    }
    directories
}

fn directory(text: &str, reading: &Reading<'_>) -> Option<AbsPath> {
    let place = reading.place;
    if text == "~" {
        return Some(place.home.clone());
    }
    if let Some(rest) = text.strip_prefix("~/") {
        // A relative join: `~//etc` is below home, not `/etc`.
        return place.home.join(rest.trim_start_matches('/')).ok();
    }
    if text.trim().is_empty() || text.starts_with(['~', '$']) {
        return None;
    }
    place.start.join(text).ok()
}

fn default_mode(reading: &mut Reading<'_>, section: &Section<'_>) -> Option<DefaultMode> {
    let member = section.last("defaultMode")?;
    let path = "permissions.defaultMode";
    let node = &member.value;
    let span = node.span;
    let mode = if let Value::Text(word) = &node.value {
        Mode::parse(word).unwrap_or_else(|| {
            let hint = did_you_mean(word, MODES).map_or_else(
                || format!("the modes are {}", crate::reading::listed(MODES)),
                |name| format!("did you mean `{name}`?"),
            );
            let message = format!("`{word}` is not a mode; it counts as `default`");
            reading.report(Severity::Error, "unknown-mode", span, message, hint);
            Mode::Default
        })
    } else {
        reading.wrong_type(path, node, "the name of a mode", "it counts as `default`");
        Mode::Default
    };
    if mode == Mode::Auto && reading.layer.is_of_project() {
        reading.never_from_project("permissions.defaultMode: auto", span);
        return None;
    }
    let grants = reading.grants();
    if !grants && strictness(mode) < strictness(Mode::Default) {
        reading.withheld(span, format!("`{path}: {}` does not count", mode.word()));
        return None;
    }
    Some(DefaultMode { mode, source: reading.source(member.key_span), grants })
}

/// The mode that counts, of those the layers set, highest layer first: the highest, but a layer
/// without trust can only make it stricter.
pub(crate) fn decide_mode(modes: &[DefaultMode]) -> Option<(Mode, Source)> {
    let mut decided: Option<&DefaultMode> = None;
    for next in modes.iter().rev() {
        let before = decided.map_or(Mode::Default, |decided| decided.mode);
        if next.grants || strictness(next.mode) > strictness(before) {
            decided = Some(next);
        }
    }
    decided.map(|decided| (decided.mode, decided.source.clone()))
}

/// How much of what no rule decides a mode lets through, fewest last.
fn strictness(mode: Mode) -> u8 {
    match mode {
        Mode::BypassPermissions => 0,
        Mode::Auto => 1,
        Mode::AcceptEdits => 2,
        Mode::Default => 3,
        Mode::Plan => 4,
        Mode::DontAsk => 5,
    }
}

/// Reads a key whose one value is `"disable"`. Whatever else stands there disables as well.
fn lock(reading: &mut Reading<'_>, section: &Section<'_>, key: &str) -> Option<Source> {
    let members = section.every(key);
    for member in &members {
        if !matches!(&member.value.value, Value::Text(word) if word == "disable") {
            let path = section.full(key);
            let message = format!("`{path}` has to be `\"disable\"`; it counts as that");
            let hint = "write `\"disable\"`, or remove the key";
            reading.report(Severity::Error, "wrong-value", member.value.span, message, hint);
        }
    }
    members.first().map(|member| reading.source(member.key_span))
}

/// `1 rule`, `2 rules`.
pub(crate) fn count(number: usize, noun: &str) -> String {
    if number == 1 { format!("1 {noun}") } else { format!("{number} {noun}s") }
}

/// Whether a rule is about a tool.
pub(crate) fn is_about(rule: &PolicyRule, tool: &str) -> bool {
    match rule.rule.tool() {
        ToolPattern::Exact(name) => name == tool,
        ToolPattern::Glob(glob) => glob.matches(tool),
    }
}

const MODES: &[&str] =
    &["default", "acceptEdits", "plan", "auto", "dontAsk", "bypassPermissions", "manual"];
