//! Reasons that hold only if a variable may hold something odd.
//!
//! `[ $x -gt 3 ]` and `((i++))` run a command where the value of the variable is written to do so.
//! Such a value must come from somewhere: from this text, where it is seen, or from the environment
//! of the agent, which what is judged does not choose. So a variable that the text gives nothing but
//! numbers (or plain words, where numbers are compared) is no reason to ask.

use crate::ObstacleFact;
use crate::expand::Value;
use crate::walk::Walker;
use crate::{Accessor, Place};
use portcullis_model::{Reason, Span};
use portcullis_shell::{Command, Expansion, Part, Script, Word};
use std::collections::{BTreeMap, BTreeSet};

/// More combinations of values than this are not all followed.
const FOLLOWED: usize = 12;

/// What a variable was given.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum Content {
    /// Integers.
    #[default]
    Integer,
    /// Text without blanks, brackets or a dash in front.
    Plain,
    /// Anything.
    Any,
}

/// What variables were given, and the obstacles that hang on it.
#[derive(Debug, Default)]
pub(crate) struct Doubts {
    held: BTreeMap<String, Content>,
    /// The names an obstacle hangs on; without any it holds in any case.
    open: BTreeMap<ObstacleFact, BTreeSet<String>>,
    firm: BTreeSet<ObstacleFact>,
    /// Variables whose number a program prints.
    printed: BTreeSet<String>,
    /// The text may make the name of a program mean something else.
    pub(crate) redefines: bool,
    /// Every value that a variable is given anywhere in the text.
    values: BTreeMap<String, Vec<Value>>,
    /// Variables that are given values which are not known.
    unsure: BTreeSet<String>,
}

impl Doubts {
    pub(crate) fn firm(&mut self, fact: &ObstacleFact) {
        self.firm.insert(fact.clone());
    }

    /// Notes the values a variable is given; without any they are not known.
    pub(crate) fn given(&mut self, name: &str, values: &[Value]) {
        if values.is_empty() {
            self.unsure.insert(name.to_owned());
        }
        let known = self.values.entry(name.to_owned()).or_default();
        for value in values {
            if !known.contains(value) {
                known.push(value.clone());
            }
        }
    }

    /// Whether a variable that had so many values at some point of the text never has another one.
    pub(crate) fn complete(&self, name: &str, values: usize) -> bool {
        let all = self.values.get(name).map_or(0, Vec::len);
        let splits = self.values.contains_key("IFS") || self.unsure.contains("IFS");
        all == values && all > 0 && !splits && !self.unsure.contains(name) && !set_by_bash(name)
    }

    /// Whether what an obstacle fears cannot be.
    pub(crate) fn settled(&self, fact: &ObstacleFact) -> bool {
        let compares = fact.reason == Reason::NameOperand;
        let most = if compares { Content::Plain } else { Content::Integer };
        let printed = |name: &String| self.redefines && self.printed.contains(name);
        !self.firm.contains(fact)
            && self.open.get(fact).is_some_and(|names| {
                names.iter().all(|name| match self.held.get(name) {
                    Some(content) => *content <= most && !printed(name),
                    None => !set_by_bash(name) && !printed(name),
                })
            })
    }
}

impl Walker<'_> {
    /// Files that hang on variables are judged by the values, where those are all known.
    pub(crate) fn settle(&mut self) {
        for (index, names) in std::mem::take(&mut self.out.settling) {
            // Of many combinations only some were followed.
            // An unquoted value counts twice, as it may be a glob.
            let combinations =
                names.iter().fold(1_usize, |all, (_, count)| all.saturating_mul(2 * count));
            let complete = names.iter().all(|(name, count)| self.doubts.complete(name, *count));
            if !complete || combinations > FOLLOWED {
                continue;
            }
            for access in &mut self.out.accesses {
                access.settled |= access.by == Accessor::Operand(index)
                    && matches!(access.place, Place::Unknown(_))
                    && !access.guessed;
            }
        }
    }

    /// Notes what a word gives a variable.
    pub(crate) fn held_word(&mut self, name: &str, word: &Word) {
        self.held(name, Content::of_word(word));
        if word.parts.iter().any(|part| matches!(part, Part::Subst { .. })) {
            self.doubts.printed.insert(name.to_owned());
        }
    }

    /// Notes what a variable is given.
    pub(crate) fn held(&mut self, name: &str, content: Content) {
        let known = self.doubts.held.entry(name.to_owned()).or_default();
        *known = (*known).max(content);
    }

    /// Notes an obstacle that holds only if one of these variables holds something odd.
    pub(crate) fn doubt(&mut self, reason: Reason, span: Span, detail: &str, names: &[String]) {
        let fact = self.obstacle_fact(reason, span, detail);
        self.doubts.printed.insert(PRINTED.to_owned());
        self.doubts.open.entry(fact.clone()).or_default().extend(names.iter().cloned());
        self.out.note(fact);
    }
}

impl Content {
    /// What a word gives a variable.
    fn of_word(word: &Word) -> Self {
        if let Some(text) = word.known() {
            return Self::of_text(Some(&text));
        }
        if word.parts.iter().all(is_number) { Self::Integer } else { Self::Any }
    }

    /// What a text gives a variable; `None` where it is not known.
    pub(crate) fn of_text(text: Option<&str>) -> Self {
        let Some(text) = text else { return Self::Any };
        let digits = text.strip_prefix('-').unwrap_or(text);
        let plain = |c: char| c.is_ascii_alphanumeric() || "_./:@%+=,-".contains(c);
        if digits.chars().all(|c| c.is_ascii_digit()) {
            Self::Integer
        } else if text.chars().all(plain) && !text.starts_with('-') {
            Self::Plain
        } else {
            Self::Any
        }
    }
}

/// A part that expands to digits and nothing else.
fn is_number(part: &Part) -> bool {
    match part {
        Part::Text { text, .. } => text.chars().all(|c| c.is_ascii_digit()),
        Part::Arith { .. } => true,
        Part::Param { expansion, .. } => crate::expand::is_number(expansion),
        Part::Subst { script, .. } => prints_number(script),
        Part::Glob(_)
        | Part::Process { .. }
        | Part::Tilde(_)
        | Part::Array(_)
        | Part::Unreadable { .. } => false,
    }
}

/// Whether a script prints one number, whatever its input: `date +%s`, `nproc`, `… | wc -l`.
fn prints_number(script: &Script) -> bool {
    let [statement] = script.statements.as_slice() else { return false };
    if !statement.list.rest.is_empty() {
        return false;
    }
    let Some(Command::Simple(last)) = statement.list.first.commands.last() else { return false };
    let Some(words) = last.words.iter().map(Word::known).collect::<Option<Vec<_>>>() else {
        return false;
    };
    let words: Vec<&str> = words.iter().map(String::as_str).collect();
    matches!(
        words.as_slice(),
        ["date", "+%s" | "+%s%N" | "+%Y" | "+%H" | "+%j"]
            | ["nproc"]
            | ["id", "-u" | "-g"]
            | ["wc", "-l" | "-c" | "-w" | "-m"]
    )
}

/// The variables in the words of a command; `None` where something else in them is not known.
pub(crate) fn variables_of(words: &[Word]) -> Option<Vec<String>> {
    let mut names = Vec::new();
    for part in words.iter().flat_map(|word| &word.parts) {
        match part {
            Part::Param { expansion, .. } if !is_number(part) => {
                let own = |c: char| c.is_ascii_alphabetic() || c == '_';
                let plain = expansion.operands.iter().all(|word| word.known().is_some());
                if expansion.indirect || !plain || !expansion.name.starts_with(own) {
                    return None;
                }
                let word = |text: &String| Content::of_text(Some(text)) <= Content::Plain;
                if !expansion.operands.iter().filter_map(Word::known).all(|text| word(&text)) {
                    return None;
                }
                names.push(expansion.name.clone());
            }
            Part::Text { .. } | Part::Glob(_) | Part::Tilde(_) => {}
            Part::Param { .. } | Part::Arith { .. } => {}
            Part::Subst { script, .. } if prints_number(script) => names.push(PRINTED.to_owned()),
            Part::Subst { .. }
            | Part::Process { .. }
            | Part::Array(_)
            | Part::Unreadable { .. } => return None,
        }
    }
    Some(names)
}

/// The variables that a command's words hang on, each as often as it stands there, where nothing else in them is unknown.
pub(crate) fn names_in(words: &[Word]) -> Option<Vec<String>> {
    let mut names = Vec::new();
    for part in words.iter().flat_map(|word| &word.parts) {
        match part {
            Part::Text { .. } | Part::Glob(_) | Part::Tilde(_) => {}
            Part::Param { expansion, .. } if is_plain(expansion) => {
                names.push(expansion.name.clone());
            }
            Part::Param { .. }
            | Part::Subst { .. }
            | Part::Process { .. }
            | Part::Arith { .. }
            | Part::Array(_)
            | Part::Unreadable { .. } => return None,
        }
    }
    (!names.is_empty()).then_some(names)
}

/// `$name`
fn is_plain(expansion: &Expansion) -> bool {
    expansion.operator.is_empty()
        && expansion.subscript.is_none()
        && !expansion.indirect
        && !expansion.length
        && expansion.name.starts_with(|c: char| c.is_ascii_alphabetic() || c == '_')
}

/// Stands for a number printed in the words themselves.
const PRINTED: &str = "$()";

/// The variable in "`name` may hold an expression".
pub(crate) fn named_in(detail: &str) -> Option<String> {
    let (name, rest) = detail.strip_prefix('`')?.split_once('`')?;
    rest.starts_with(" may hold an expression").then(|| name.to_owned())
}

/// Variables that bash gives values which a text can choose.
fn set_by_bash(name: &str) -> bool {
    ["BASH", "COMP", "READLINE", "PS"].iter().any(|start| name.starts_with(start))
        || matches!(
            name,
            "_" | "REPLY"
                | "OPTARG"
                | "MAPFILE"
                | "COPROC"
                | "DIRSTACK"
                | "FUNCNAME"
                | "PWD"
                | "OLDPWD"
                | "HOME"
                | "PATH"
                | "IFS"
        )
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn tells_what_a_text_gives() {
        for (text, want) in [
            ("5", Content::Integer),
            ("-5", Content::Integer),
            ("", Content::Integer),
            ("release", Content::Plain),
            ("-v", Content::Any),
            ("a[$(x)]", Content::Any),
            ("a b", Content::Any),
        ] {
            assert_eq!(Content::of_text(Some(text)), want, "{text}");
        }
        assert_eq!(named_in("`i` may hold an expression").as_deref(), Some("i"));
        assert_eq!(named_in(""), None);
    }
}
