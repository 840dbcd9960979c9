//! What is surprising or wrong about a path pattern.

/// Something about a path pattern that its author should know.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum PathProblem {
    /// `!p`: there is nothing to take back.
    Negation,
    /// `# x`: a comment.
    Comment,
    /// `.`, `./`, or an anchor alone in an allow rule.
    Nowhere,
    /// A `..` segment.
    Parent,
    /// A leading blank.
    LeadingBlank,
    /// `~` or `~user` without the slash that makes it the home directory.
    Tilde(String),
    /// `$HOME/x`: variables are not expanded.
    Variable,
    /// An unclosed or unknown character class, or a backslash at the end.
    Malformed(&'static str),
}

impl PathProblem {
    /// What can be seen from the text alone.
    pub(super) fn of(text: &str) -> Option<Self> {
        let first = text.split('/').next().unwrap_or("");
        if text.starts_with('!') {
            Some(Self::Negation)
        } else if text.starts_with('#') {
            Some(Self::Comment)
        } else if text.starts_with(' ') {
            Some(Self::LeadingBlank)
        } else if first.starts_with('~') && text != "~/" && !text.starts_with("~/") {
            Some(Self::Tilde(first.to_owned()))
        } else if text.starts_with('$') {
            Some(Self::Variable)
        } else {
            None
        }
    }

    /// What is surprising, in one line.
    pub fn message(&self) -> String {
        match self {
            Self::Negation => {
                "a leading `!` takes nothing back, so the rule matches nothing".into()
            }
            Self::Comment => "a leading `#` starts a comment, so the rule matches nothing".into(),
            Self::Nowhere => "the pattern names no path, so the rule matches nothing".into(),
            Self::Parent => "`..` is never part of a path, so the rule matches nothing".into(),
            Self::LeadingBlank => "the leading blank is part of the pattern".into(),
            Self::Tilde(name) => format!("`{name}` is a file name here, not a home directory"),
            Self::Variable => "variables are not expanded in rules".into(),
            Self::Malformed(what) => format!("the pattern cannot match: {what}"),
        }
    }

    /// What to write instead, in one line.
    pub fn hint(&self) -> String {
        match self {
            Self::Negation => "narrow the other rules, or write `\\!` for a file name".into(),
            Self::Comment => "write `\\#` for a file name".into(),
            Self::Nowhere => "write `**` for everything below the start directory".into(),
            Self::Parent => "write the absolute path with `//`".into(),
            Self::LeadingBlank => "remove the blank, or write `\\ ` if it is meant".into(),
            Self::Tilde(_) => "write `~/` for the home directory".into(),
            Self::Variable => {
                "write `~/` for the home directory and `//` for absolute paths".into()
            }
            Self::Malformed(_) => "write `\\[` or `\\\\` for the character itself".into(),
        }
    }
}
