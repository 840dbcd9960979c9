//! Tool names and patterns over them.

use crate::Glob;
use crate::automaton::Automaton;
use crate::glob::Token;
use crate::tables::tools::{ALIASES, DISPLAY_NAMES, TOOLS};

/// The tool part of a rule.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum ToolPattern {
    /// One tool, or every tool of one MCP server (`mcp__server`).
    Exact(String),
    /// Every tool whose name matches.
    Glob(Glob),
}

impl ToolPattern {
    /// Reads a tool name: with a star it is a glob.
    pub fn parse(name: &str) -> Self {
        if name.contains('*') { Self::Glob(Glob::new(name)) } else { Self::Exact(name.to_owned()) }
    }

    /// Whether a tool is meant.
    pub fn matches(&self, tool: &str) -> bool {
        match self {
            Self::Exact(name) if is_server(name) => {
                let rest = tool.strip_prefix(name.as_str());
                rest.is_some_and(|rest| rest.is_empty() || rest.starts_with("__"))
            }
            Self::Exact(name) => canonical(name) == canonical(tool),
            Self::Glob(glob) => glob.matches(tool) || glob.matches(canonical(tool)),
        }
    }

    /// The names of tools that are meant, as a language.
    pub fn automaton(&self) -> Automaton {
        match self {
            Self::Exact(name) if is_server(name) => {
                let tools = Glob::from_tokens(
                    name.chars().chain("__".chars()).map(Token::Char).chain([Token::Star]),
                );
                Automaton::union(&[Automaton::literal(name), tools.automaton()])
            }
            Self::Exact(name) => {
                let name = canonical(name);
                let old = ALIASES.iter().filter(|(_, new)| *new == name).map(|(old, _)| *old);
                let names: Vec<Automaton> = old.chain([name]).map(Automaton::literal).collect();
                Automaton::union(&names)
            }
            Self::Glob(glob) => {
                let old = ALIASES.iter().filter(|(_, new)| glob.matches(new));
                let mut parts: Vec<Automaton> =
                    old.map(|(old, _)| Automaton::literal(old)).collect();
                parts.push(glob.automaton());
                Automaton::union(&parts)
            }
        }
    }

    /// The name, where one tool or server is meant.
    pub fn exact(&self) -> Option<&str> {
        match self {
            Self::Exact(name) => Some(name),
            Self::Glob(_) => None,
        }
    }
}

/// The canonical names of the built-in tools, sorted.
pub fn known_tools() -> &'static [&'static str] {
    TOOLS
}

/// The name a tool goes by today.
pub fn canonical(name: &str) -> &str {
    ALIASES.iter().find(|(old, _)| *old == name).map_or(name, |(_, new)| new)
}

/// Whether a name is `mcp__server` without a tool.
fn is_server(name: &str) -> bool {
    name.strip_prefix("mcp__").is_some_and(|server| !server.is_empty() && !server.contains("__"))
}

/// Whether a name belongs to MCP.
pub(crate) fn is_mcp(name: &str) -> bool {
    name.starts_with("mcp__")
}

/// Whether a glob only widens over the tools of one MCP server: `mcp__server__` is literal.
pub(crate) fn is_server_glob(name: &str) -> bool {
    let literal = name.split('*').next().unwrap_or("");
    let server = literal.strip_prefix("mcp__").and_then(|rest| rest.split_once("__"));
    server.is_some_and(|(server, _)| !server.is_empty())
}

/// The candidate a word was most likely meant to be: a name the interface shows for it, the same
/// word in other case, or the nearest within two slips of the keyboard.
pub fn did_you_mean(word: &str, candidates: &[&str]) -> Option<String> {
    let shown = DISPLAY_NAMES.iter().find(|(shown, _)| shown.eq_ignore_ascii_case(word));
    let shown = shown.map(|(_, name)| *name).filter(|name| candidates.contains(name));
    let near = || {
        candidates
            .iter()
            .map(|name| (slips(&word.to_lowercase(), &name.to_lowercase()), *name))
            .filter(|(slips, name)| *slips <= 2 && slips * 2 < name.chars().count())
            .min_by_key(|(slips, _)| *slips)
            .map(|(_, name)| name)
    };
    shown.or_else(near).map(str::to_owned)
}

/// How many insertions, deletions, replacements and swaps of neighbours turn one word into another.
fn slips(left: &str, right: &str) -> usize {
    let (left, right): (Vec<char>, Vec<char>) = (left.chars().collect(), right.chars().collect());
    if left.len().abs_diff(right.len()) > 2 {
        return usize::MAX / 2;
    }
    let mut two_above: Vec<usize> = Vec::new();
    let mut above: Vec<usize> = (0..=right.len()).collect();
    for (row, a) in left.iter().enumerate() {
        let mut line = vec![row + 1];
        for (column, b) in right.iter().enumerate() {
            let at = |line: &[usize], column: usize| line.get(column).copied().unwrap_or(0);
            let mut cost = (at(&above, column + 1) + 1)
                .min(at(&line, column) + 1)
                .min(at(&above, column) + usize::from(a != b));
            if let (Some(before_a), Some(before_b)) = (row.checked_sub(1), column.checked_sub(1))
                && left.get(before_a) == Some(b)
                && right.get(before_b) == Some(a)
            {
                cost = cost.min(at(&two_above, before_b) + 1);
            }
            line.push(cost);
        }
        two_above = std::mem::replace(&mut above, line);
    }
    above.last().copied().unwrap_or(0)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn matches_names() {
        for (pattern, tool, want) in [
            ("Bash", "Bash", true),
            ("bash", "Bash", false),
            ("Bash", "BashOutput", false),
            ("*", "Bash", true),
            ("B*", "Bash", true),
            ("Task", "Agent", true),
            ("Agent", "Task", true),
            ("A*", "Task", true),
            ("mcp__git", "mcp__git__push", true),
            ("mcp__git", "mcp__git", true),
            ("mcp__git", "mcp__github__push", false),
            ("mcp__git__*", "mcp__git__push", true),
            ("mcp__git*", "mcp__github__push", true),
            ("mcp__git__push", "mcp__git__push", true),
            ("mcp__git__push", "mcp__git__push__all", false),
            ("mcp__git__", "mcp__git__push", false),
            ("mcp__GitHub__*", "mcp__github__push", false),
            ("mcp__github__g?t", "mcp__github__get", false),
        ] {
            let parsed = ToolPattern::parse(pattern);
            assert_eq!(parsed.matches(tool), want, "{pattern} {tool}");
            assert_eq!(parsed.automaton().accepts(tool.as_bytes()), want, "{pattern} {tool}");
        }
    }

    #[test]
    fn guesses_what_was_meant() {
        for (word, want) in [
            ("bash", Some("Bash")),
            ("Bsah", Some("Bash")),
            ("Raed", Some("Read")),
            ("webfetch", Some("WebFetch")),
            ("WebFetchh", Some("WebFetch")),
            ("Update", Some("Edit")),
            ("NoteBookEdit", Some("NotebookEdit")),
            ("Frobnicate", None),
            ("X", None),
        ] {
            assert_eq!(did_you_mean(word, known_tools()).as_deref(), want, "{word}");
        }
        assert!(known_tools().is_sorted());
    }
}
