//! The text between the parentheses, read in the way of its tool.

use super::grammar::{Parts, warning};
use super::{Specifier, unknown_tool};
use crate::domain::host_within;
use crate::tables::tools::{Kind, SPECIFIED, Tool};
use crate::tool::{canonical, is_mcp};
use crate::{
    CommandPattern, DomainPattern, Glob, NamePattern, PathPattern, PathProblem, RuleError,
    RuleWarning,
};
use portcullis_model::RuleClass;

/// Reads the specifier of a rule.
pub(super) fn parse(
    parts: &Parts<'_>,
    class: RuleClass,
    warnings: &mut Vec<RuleWarning>,
) -> Result<Specifier, RuleError> {
    let Some(text) = parts.specifier.as_deref() else { return Ok(Specifier::Whole) };
    let name = canonical(parts.name);
    let tool = SPECIFIED.iter().find(|tool| tool.name == name);
    if text == "*" {
        if is_mcp(name) && class == RuleClass::Allow {
            return Err(mcp_specifier(parts));
        }
        warnings.extend(tool.and_then(|tool| star_path(parts, tool)));
        return Ok(Specifier::Whole);
    }
    if let Some((field, value)) = parameter(name, tool, text) {
        return parameter_rule(parts, class, tool, field, value, warnings);
    }
    let Some(tool) = tool else {
        return Err(if is_mcp(name) { mcp_specifier(parts) } else { no_specifier(parts) });
    };
    match tool.kind {
        Kind::Command => Ok(command(parts, class, text, warnings)),
        Kind::Path => path(parts, PathPattern::parse(text, class), warnings, Specifier::Path),
        Kind::Inert(other) => {
            warnings.push(warning(
                "rule-never-consulted",
                format!(
                    "paths of `{}` are decided by `{other}` rules, so this rule has no effect",
                    parts.name
                ),
                format!("write `{other}({text})`"),
                parts.specifier_span,
            ));
            Ok(Specifier::Inert)
        }
        Kind::Domain => domain(parts, class, text, warnings),
        Kind::Name => Ok(Specifier::Name(NamePattern::parse(text, class))),
        Kind::Directory => {
            let pattern = PathPattern::directory(text, class);
            path(parts, pattern, warnings, Specifier::Directory)
        }
    }
}

/// The field and value of a specifier that is a parameter rule.
///
/// Tools with a specifier of their own take only their known fields: a colon is an ordinary
/// character of a path, a skill name or a host. For commands an unknown word counts, too, unless the
/// colon looks like that of a prefix rule.
fn parameter<'a>(name: &str, tool: Option<&Tool>, text: &'a str) -> Option<(&'a str, &'a str)> {
    let (field, value) = text.split_once(':')?;
    let (field, value) = (field.trim(), value.trim_start());
    let is_word = field.starts_with(|c: char| c.is_ascii_alphabetic() || c == '_' || c == '-')
        && field.chars().all(|c| c.is_ascii_alphanumeric() || c == '_' || c == '-');
    let counts = match tool {
        Some(tool) => {
            let known = tool.content == Some(field) || tool.fields.contains(&field);
            let other = tool.kind == Kind::Command && !value.starts_with('*');
            known || (is_word && !field.starts_with('-') && other)
        }
        None => is_word,
    };
    (counts && !name.is_empty()).then_some((field, value))
}

fn parameter_rule(
    parts: &Parts<'_>,
    class: RuleClass,
    tool: Option<&Tool>,
    field: &str,
    value: &str,
    warnings: &mut Vec<RuleWarning>,
) -> Result<Specifier, RuleError> {
    let name = parts.name;
    if let Some(tool) = tool.filter(|tool| tool.content == Some(field)) {
        let form = match tool.kind {
            Kind::Domain => "WebFetch(domain:<host>)".to_owned(),
            Kind::Inert(other) => format!("{other}({value})"),
            Kind::Command | Kind::Path | Kind::Name | Kind::Directory if value == "*" => {
                name.to_owned()
            }
            Kind::Command | Kind::Path | Kind::Name | Kind::Directory => {
                format!("{name}({value})")
            }
        };
        let message =
            format!("`{field}` is what `{name}` rules match anyway, so this rule has no effect");
        let error = parts.error(
            "rule-content-field",
            message,
            format!("write `{form}`"),
            parts.specifier_span,
        );
        return Err(RuleError { ignored: true, ..error });
    }
    if class == RuleClass::Allow {
        let message = format!("an allow rule cannot look at the input field `{field}`");
        let hint = "parameters work in deny and ask rules only";
        let error = parts.error("rule-parameter-in-allow", message, hint, parts.specifier_span);
        return Err(RuleError { ignored: true, ..error });
    }
    if let Some(tool) = tool.filter(|tool| !tool.fields.contains(&field)) {
        let hint = crate::did_you_mean(field, tool.fields).map_or_else(
            || format!("the fields are {}", list(tool.fields)),
            |near| format!("did you mean `{near}`?"),
        );
        let message = format!("`{name}` has no input field `{field}`, so the rule matches nothing");
        warnings.push(warning("rule-unknown-field", message, hint, parts.specifier_span));
    }
    Ok(Specifier::Parameter { name: field.to_owned(), value: Glob::new(value) })
}

fn command(
    parts: &Parts<'_>,
    class: RuleClass,
    text: &str,
    warnings: &mut Vec<RuleWarning>,
) -> Specifier {
    let mut warn = |code, message: String, hint: String| {
        warnings.push(warning(code, message, hint, parts.specifier_span));
    };
    if text.strip_suffix(":*").is_some_and(|prefix| prefix.trim().is_empty()) {
        let hint = format!("write `{}` for every command", parts.name);
        let message = "there is no prefix before `:*`, so the rule matches nothing".to_owned();
        warn("rule-matches-nothing", message, hint);
        return Specifier::Nothing;
    }
    if text.strip_suffix(":*").unwrap_or(text).contains(":*") {
        let message = "`:*` is literal text unless it ends the rule".to_owned();
        warn("rule-inner-prefix", message, "write ` *` for any arguments".to_owned());
    }
    if class == RuleClass::Allow && text.trim() != text {
        let message = "blanks around the command keep the rule from matching".to_owned();
        warn("rule-outer-blanks", message, format!("write `{}({})`", parts.name, text.trim()));
    }
    let pattern = CommandPattern::parse(text, class);
    if pattern.holds_separators() {
        let message = "a rule with separators matches only this whole command line".to_owned();
        warn("rule-separators", message, "write one rule for each command".to_owned());
    }
    Specifier::Command(pattern)
}

fn path(
    parts: &Parts<'_>,
    pattern: Result<PathPattern, PathProblem>,
    warnings: &mut Vec<RuleWarning>,
    wrap: fn(PathPattern) -> Specifier,
) -> Result<Specifier, RuleError> {
    let span = parts.specifier_span;
    let pattern = pattern
        .map_err(|problem| parts.error("rule-path", problem.message(), problem.hint(), span))?;
    if let Some(problem) = pattern.problem() {
        let code =
            if pattern.is_nothing() { "rule-matches-nothing" } else { "rule-surprising-path" };
        warnings.push(warning(code, problem.message(), problem.hint(), span));
    }
    Ok(if pattern.is_nothing() { Specifier::Nothing } else { wrap(pattern) })
}

/// `Read(*)` is a rule about the tool, not about paths, which is rarely what was meant.
fn star_path(parts: &Parts<'_>, tool: &Tool) -> Option<RuleWarning> {
    let name = parts.name;
    let message =
        format!("`{name}(*)` is the same as `{name}`: every call of the tool, wherever it points");
    let hint = format!("write `{name}(**)` for everything below the start directory");
    (tool.kind == Kind::Path)
        .then(|| warning("rule-surprising-path", message, hint, parts.specifier_span))
}

/// Hosts stand after `domain:`. What is not a host is an error, but a deny or ask rule that plainly
/// means one is read as that host: its author wanted less access, not a prompt for every host.
fn domain(
    parts: &Parts<'_>,
    class: RuleClass,
    text: &str,
    warnings: &mut Vec<RuleWarning>,
) -> Result<Specifier, RuleError> {
    let (value, message) = match text.split_once(':') {
        Some(("domain", value)) => match DomainPattern::parse(value) {
            Ok(pattern) => return Ok(Specifier::Domain(pattern)),
            Err(message) => (value, message),
        },
        _ => (text, format!("`{text}` does not say what it matches")),
    };
    let host = host_within(value);
    let hint = match &host {
        Some(host) => format!("write `{}(domain:{host})`", parts.name),
        None => format!("write `{}(domain:<host>)`", parts.name),
    };
    let meant = host.filter(|_| class != RuleClass::Allow).map(|host| DomainPattern::parse(&host));
    match meant {
        Some(Ok(pattern)) => {
            let message = format!("{message}; the rule is read as its host");
            warnings.push(warning("rule-domain", message, hint, parts.specifier_span));
            Ok(Specifier::Domain(pattern))
        }
        Some(Err(_)) | None => Err(parts.error("rule-domain", message, hint, parts.specifier_span)),
    }
}

fn mcp_specifier(parts: &Parts<'_>) -> RuleError {
    let hint = format!("write `{}`, or a parameter as `field:value` in deny and ask", parts.name);
    let message = "rules of MCP tools take no specifier".to_owned();
    parts.error("rule-no-specifier", message, hint, parts.specifier_span)
}

fn no_specifier(parts: &Parts<'_>) -> RuleError {
    let name = parts.name;
    if let Some(warning) = unknown_tool(parts) {
        return parts.error(warning.code, warning.message, warning.hint, warning.span);
    }
    let hint = format!("write `{name}`, or a parameter as `field:value` in deny and ask");
    let message = format!("rules of `{name}` take no specifier");
    parts.error("rule-no-specifier", message, hint, parts.specifier_span)
}

/// Names as a reader sees them in a sentence.
fn list(names: &[&str]) -> String {
    names.iter().map(|name| format!("`{name}`")).collect::<Vec<_>>().join(", ")
}
