//! What the suites share: a place, layers, and how a policy reads.

use portcullis_model::{AbsPath, Scope};
use portcullis_policy::{Layer, Place, Policy, Rules};
use std::fmt::Write as _;

/// An absolute path.
pub(crate) fn path(text: &str) -> AbsPath {
    AbsPath::parse(text).unwrap()
}

/// A session of `/home/dev/proj`.
pub(crate) fn place() -> Place {
    Place {
        start: path("/home/dev/proj"),
        project_root: path("/home/dev/proj"),
        home: path("/home/dev"),
    }
}

/// A trusted layer with the file and directory its scope has.
pub(crate) fn layer(scope: Scope, text: &str) -> Layer {
    let (file, dir) = match scope {
        Scope::Managed => ("managed.json", "/"),
        Scope::CommandLine => ("cli.json", "/home/dev/proj"),
        Scope::Local => ("local.json", "/home/dev/proj"),
        Scope::Project => ("project.json", "/home/dev/proj"),
        Scope::User => ("user.json", "/home/dev/.claude"),
    };
    Layer::new(scope, file, text, path(dir))
}

/// The same layer without trust.
pub(crate) fn untrusted(scope: Scope, text: &str) -> Layer {
    Layer { trusted: false, ..layer(scope, text) }
}

/// Everything wrong with a policy and what that does, one line each.
pub(crate) fn effects(policy: &Policy) -> String {
    let mut out = String::new();
    for diagnostic in &policy.diagnostics {
        let source = &diagnostic.source;
        let severity = diagnostic.severity.word();
        write!(out, "{}:{} {severity} {}: ", source.line, source.column, diagnostic.code).unwrap();
        write!(out, "{}", diagnostic.message).unwrap();
        if !diagnostic.hint.is_empty() {
            write!(out, " -- {}", diagnostic.hint).unwrap();
        }
        out.push('\n');
    }
    for closed in &policy.closed {
        let tool = closed.tool.as_ref().map_or("every tool".to_owned(), |tool| format!("{tool:?}"));
        writeln!(out, "closed {tool}: {}", closed.text).unwrap();
    }
    for (class, rules) in [("deny", &policy.deny), ("ask", &policy.ask), ("allow", &policy.allow)] {
        if !rules.is_empty() {
            writeln!(out, "{class} {}", texts(rules).join(" ")).unwrap();
        }
    }
    out
}

/// The rules of a class as written.
pub(crate) fn texts(rules: &Rules) -> Vec<&str> {
    rules.list.iter().map(|rule| rule.reference.text.as_str()).collect()
}
