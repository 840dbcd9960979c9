//! What a rule speaks about: rules of different realms never match the same thing.

use portcullis_policy::PolicyRule;
use portcullis_rules::{CommandPattern, DomainPattern, Glob, NamePattern, PathMatcher, Specifier};

/// What a rule speaks about, with what it says about that.
#[derive(Clone, Copy, Debug)]
pub(crate) enum Realm<'p> {
    /// Every call of some tools.
    Whole,
    /// Shell commands.
    Command(&'p CommandPattern),
    /// Files that are read.
    Read(&'p PathMatcher),
    /// Files that are written.
    Edit(&'p PathMatcher),
    /// Hosts.
    Host(&'p DomainPattern),
    /// Names of subagent types or skills.
    Name(&'p NamePattern),
    /// Directories that are changed to.
    Directory(&'p PathMatcher),
    /// One field of the input.
    Parameter(&'p str, &'p Glob),
    /// Nothing that is ever asked.
    Nothing,
}

impl<'p> Realm<'p> {
    /// The realm of a rule.
    pub(crate) fn of(rule: &'p PolicyRule) -> Self {
        match (rule.rule.specifier(), &rule.paths) {
            (Specifier::Whole, _) => Self::Whole,
            (Specifier::Command(pattern), _) if rule.rule.tool().matches("Bash") => {
                Self::Command(pattern)
            }
            (Specifier::Path(_), Some(paths)) if rule.rule.tool().matches("Read") => {
                Self::Read(paths)
            }
            (Specifier::Path(_), Some(paths)) if rule.rule.tool().matches("Edit") => {
                Self::Edit(paths)
            }
            (Specifier::Domain(pattern), _) => Self::Host(pattern),
            (Specifier::Name(pattern), _) => Self::Name(pattern),
            (Specifier::Directory(_), Some(paths)) => Self::Directory(paths),
            (Specifier::Parameter { name, value }, _) => Self::Parameter(name, value),
            (
                Specifier::Nothing
                | Specifier::Inert
                | Specifier::Command(_)
                | Specifier::Path(_)
                | Specifier::Directory(_),
                _,
            ) => Self::Nothing,
        }
    }

    /// The files that are read.
    pub(crate) fn read(self) -> Option<&'p PathMatcher> {
        if let Self::Read(paths) = self { Some(paths) } else { None }
    }

    /// The files that are written.
    pub(crate) fn edit(self) -> Option<&'p PathMatcher> {
        if let Self::Edit(paths) = self { Some(paths) } else { None }
    }

    /// The directories that are changed to.
    pub(crate) fn directory(self) -> Option<&'p PathMatcher> {
        if let Self::Directory(paths) = self { Some(paths) } else { None }
    }

    /// The hosts.
    pub(crate) fn host(self) -> Option<&'p DomainPattern> {
        if let Self::Host(pattern) = self { Some(pattern) } else { None }
    }

    /// The names.
    pub(crate) fn name(self) -> Option<&'p NamePattern> {
        if let Self::Name(pattern) = self { Some(pattern) } else { None }
    }

    /// The field and its value.
    pub(crate) fn parameter(self) -> Option<(&'p str, &'p Glob)> {
        if let Self::Parameter(name, value) = self { Some((name, value)) } else { None }
    }
}

/// Whether two rules have the same tool part.
pub(crate) fn same_tool(left: &PolicyRule, right: &PolicyRule) -> bool {
    match (left.rule.tool().exact(), right.rule.tool().exact()) {
        (Some(left_name), Some(right_name)) => {
            left.rule.tool().matches(right_name) && right.rule.tool().matches(left_name)
        }
        (None, None) => left.rule.tool() == right.rule.tool(),
        (Some(_), None) | (None, Some(_)) => false,
    }
}
