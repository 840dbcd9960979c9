//! What the shell knows while a text runs: directory, variables, functions, parameters.

use crate::Arg;
use crate::expand::{Lookup, Value, Variables, expand, literal};
use crate::globs::text_may_match;
use crate::outputs::{output_of_script, text_of};
use portcullis_model::{AbsPath, ToolCall};
use portcullis_shell::{Command, Expansion, Part, Script};
use std::collections::BTreeMap;
use std::rc::Rc;

/// More possible directories than this are one unknown directory.
const MAX_DIRECTORIES: usize = 8;
/// Substitutions whose output depends on substitutions are followed this deep.
const MAX_LOOKUP_DEPTH: usize = 6;

/// Where the shell may be.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Cwd {
    /// In one of these.
    Known(Rc<[AbsPath]>),
    /// Anywhere.
    Unknown,
}

impl Cwd {
    pub(crate) fn one(path: AbsPath) -> Self {
        Self::Known(Rc::new([path]))
    }

    pub(crate) fn or(&self, other: &Self) -> Self {
        match (self, other) {
            (Self::Known(a), Self::Known(b)) if b.iter().all(|path| a.contains(path)) => {
                Self::Known(Rc::clone(a))
            }
            (Self::Known(a), Self::Known(b)) => {
                let mut all = a.to_vec();
                for path in b.iter() {
                    if !all.contains(path) {
                        all.push(path.clone());
                    }
                }
                if all.len() > MAX_DIRECTORIES { Self::Unknown } else { Self::Known(all.into()) }
            }
            (Self::Unknown, _) | (_, Self::Unknown) => Self::Unknown,
        }
    }
}

/// Where the shell is after a command, by whether it succeeded.
#[derive(Clone, Debug)]
pub(crate) struct Flow {
    pub(crate) success: Cwd,
    pub(crate) failure: Cwd,
}

impl Flow {
    pub(crate) fn stays(cwd: &Cwd) -> Self {
        Self { success: cwd.clone(), failure: cwd.clone() }
    }

    pub(crate) fn either(&self) -> Cwd {
        self.success.or(&self.failure)
    }
}

/// What the shell knows at one point of the text.
#[derive(Clone, Debug)]
pub(crate) struct State {
    pub(crate) cwd: Cwd,
    pub(crate) home: AbsPath,
    /// Where the call starts.
    pub(crate) start: AbsPath,
    pub(crate) variables: Variables,
    pub(crate) functions: Rc<BTreeMap<String, Rc<Command>>>,
    /// The positional parameters where they are known; in the text itself there are none.
    pub(crate) positional: Option<Vec<String>>,
    /// `$0`
    pub(crate) zero: Option<String>,
}

impl State {
    /// A shell that has just started: no variables, functions or parameters of its own.
    pub(crate) fn fresh(cwd: Cwd, call: &ToolCall) -> Self {
        Self {
            cwd,
            home: call.home.clone(),
            start: call.cwd.clone(),
            variables: Variables::default(),
            functions: Rc::new(BTreeMap::new()),
            positional: Some(Vec::new()),
            zero: None,
        }
    }

    pub(crate) fn lookup(&self, depth: Reach) -> Known<'_> {
        Known { state: self, reach: depth, unset_is_empty: false, depth: 0 }
    }

    pub(crate) fn assign(&mut self, name: &str, append: bool, values: Vec<Value>) {
        if !append {
            for value in values {
                self.variables.add(name, value);
            }
            return;
        }
        let old = self.variables.get(name).to_vec();
        let mut all = old.clone();
        let empty = [Value::Scalar(String::new())];
        let bases: &[Value] = if old.is_empty() { &empty } else { &old };
        for base in bases {
            for value in &values {
                all.push(match (base, value) {
                    (Value::Scalar(a), Value::Scalar(b)) => Value::Scalar(format!("{a}{b}")),
                    (Value::Array(a), Value::Array(b)) => Value::Array([&a[..], &b[..]].concat()),
                    (Value::Pattern(a), _) => Value::Pattern(a.clone()),
                    (_, Value::Pattern(b)) => Value::Pattern(b.clone()),
                    (Value::Scalar(a), Value::Array(b)) => {
                        let mut items = if a.is_empty() { Vec::new() } else { vec![a.clone()] };
                        items.extend(b.iter().cloned());
                        Value::Array(items)
                    }
                    (Value::Array(a), Value::Scalar(b)) => {
                        let mut items = a.clone();
                        match items.first_mut() {
                            Some(first) => first.push_str(b),
                            None => items.push(b.clone()),
                        }
                        Value::Array(items)
                    }
                });
            }
        }
        all.truncate(24);
        self.variables.set(name, all);
    }
}

/// How far a lookup goes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Reach {
    /// `~`, `$HOME`, `$PWD`: fixed by where the call runs.
    Places,
    /// And variables, parameters and substitutions that follow from the text.
    Text,
}

/// Looks parts up in a state.
pub(crate) struct Known<'a> {
    state: &'a State,
    reach: Reach,
    /// An unset variable is read as empty: in a command name, where `c${x}url` hides `curl`.
    pub(crate) unset_is_empty: bool,
    depth: usize,
}

impl Known<'_> {
    fn deeper(&self) -> Option<Self> {
        (self.depth < MAX_LOOKUP_DEPTH).then_some(Known {
            state: self.state,
            reach: self.reach,
            unset_is_empty: self.unset_is_empty,
            depth: self.depth + 1,
        })
    }

    fn place(&self, name: &str) -> Option<Vec<Value>> {
        let assigned = !self.state.variables.get(name).is_empty();
        match name {
            "HOME" if !assigned => Some(vec![Value::Scalar(self.state.home.as_str().to_owned())]),
            // A guess: where the call starts is what a first `cd` leaves.
            "OLDPWD" if !assigned && self.reach == Reach::Text => {
                Some(vec![Value::Scalar(self.state.start.as_str().to_owned())])
            }
            "PWD" if !assigned => match &self.state.cwd {
                Cwd::Known(paths) => {
                    Some(paths.iter().map(|path| Value::Scalar(path.as_str().to_owned())).collect())
                }
                Cwd::Unknown => None,
            },
            _ => None,
        }
    }

    fn substitution(&self, script: &Script) -> Option<Vec<Value>> {
        if self.reach == Reach::Places {
            return None;
        }
        if script.statements.is_empty() {
            return Some(vec![Value::Scalar(String::new())]);
        }
        let deeper = self.deeper()?;
        if let Some(name) = looked_up(script) {
            return Some(vec![Value::Scalar(name)]);
        }
        let output = output_of_script(script, &deeper)?;
        Some(vec![Value::Scalar(output.trim_end_matches('\n').to_owned())])
    }

    fn parameter(&self, expansion: &Expansion) -> Option<Vec<Value>> {
        let plain = expansion.operator.is_empty()
            && expansion.subscript.is_none()
            && !expansion.indirect
            && !expansion.length;
        if plain && let Some(values) = self.place(&expansion.name) {
            return Some(values);
        }
        if self.reach == Reach::Places || expansion.length {
            return None;
        }
        if expansion.indirect {
            return self.indirect(expansion);
        }
        let values = self.named(expansion)?;
        self.operated(expansion, values)
    }

    /// `${!name}`: the values of every variable that `name` may name.
    fn indirect(&self, expansion: &Expansion) -> Option<Vec<Value>> {
        if !expansion.operator.is_empty() || expansion.subscript.is_some() {
            return None;
        }
        let mut out = Vec::new();
        for value in self.state.variables.get(&expansion.name) {
            if let Value::Scalar(name) = value {
                out.extend(self.state.variables.get(name).iter().cloned());
            }
        }
        (!out.is_empty()).then_some(out)
    }

    /// The values of the parameter itself; empty where it is certainly or presumably unset.
    fn named(&self, expansion: &Expansion) -> Option<Vec<Value>> {
        let name = expansion.name.as_str();
        if name == "@" || name == "*" {
            let items = self.state.positional.clone()?;
            return Some(vec![if name == "@" {
                Value::Array(items)
            } else {
                Value::Scalar(items.join(" "))
            }]);
        }
        if let Ok(number) = name.parse::<usize>() {
            if number == 0 {
                return Some(vec![Value::Scalar(self.state.zero.clone()?)]);
            }
            let items = self.state.positional.as_ref()?;
            let value = items.get(number - 1).cloned();
            return Some(value.map(Value::Scalar).into_iter().collect());
        }
        let mut values = self.state.variables.get(name).to_vec();
        if let Some(place) = self.place(name) {
            values.extend(place);
        }
        let subscript = expansion.subscript.as_ref().map(|word| text_of(word, self));
        let mut out = Vec::new();
        for value in values {
            match (&subscript, value) {
                (None, Value::Array(items)) => {
                    out.extend(items.into_iter().next().map(Value::Scalar));
                }
                (_, pattern @ Value::Pattern(_)) => out.push(pattern),
                (None, scalar @ Value::Scalar(_)) => out.push(scalar),
                (Some(index), value) => {
                    let index = index.as_deref()?;
                    let items = match value {
                        Value::Array(items) => items,
                        Value::Scalar(text) | Value::Pattern(text) => vec![text],
                    };
                    match index {
                        "@" => out.push(Value::Array(items)),
                        "*" => out.push(Value::Scalar(items.join(" "))),
                        index => match index.parse::<i64>() {
                            Ok(at) => {
                                let length = i64::try_from(items.len()).ok()?;
                                let at = if at < 0 { at + length } else { at };
                                let at = usize::try_from(at).ok()?;
                                out.extend(items.get(at).cloned().map(Value::Scalar));
                            }
                            // An associative key: any of the values.
                            Err(_) => out.extend(items.into_iter().map(Value::Scalar)),
                        },
                    }
                }
            }
        }
        Some(out)
    }

    fn operated(&self, expansion: &Expansion, values: Vec<Value>) -> Option<Vec<Value>> {
        let deeper = self.deeper()?;
        let operand = |index: usize| -> Option<String> {
            expansion.operands.get(index).map_or(Some(String::new()), |word| text_of(word, &deeper))
        };
        let operator = expansion.operator.as_str();
        match operator {
            "" => {
                if values.is_empty() && self.unset_is_empty {
                    return Some(vec![Value::Scalar(String::new())]);
                }
                (!values.is_empty()).then_some(values)
            }
            ":-" | "-" | ":=" | "=" => {
                let mut out = values;
                if let Some(text) = operand(0) {
                    out.push(Value::Scalar(text));
                }
                (!out.is_empty()).then_some(out)
            }
            ":+" | "+" => operand(0).map(|text| vec![Value::Scalar(text)]),
            ":?" | "?" => (!values.is_empty()).then_some(values),
            _ => {
                let mut out = Vec::new();
                for value in values {
                    out.push(match value {
                        Value::Scalar(text) => Value::Scalar(edited(operator, &text, &operand)?),
                        // What is cut off or replaced leaves something of the same matches.
                        Value::Pattern(glob) => Value::Pattern(glob),
                        Value::Array(items) => {
                            if operator == ":" {
                                Value::Array(slice(&items, &operand)?)
                            } else {
                                Value::Array(
                                    items
                                        .iter()
                                        .map(|text| edited(operator, text, &operand))
                                        .collect::<Option<_>>()?,
                                )
                            }
                        }
                    });
                }
                (!out.is_empty()).then_some(out)
            }
        }
    }
}

/// The program that `$(which curl)` finds: some path that ends in its name, so for a deny rule as
/// good as the name.
fn looked_up(script: &Script) -> Option<String> {
    let [statement] = script.statements.as_slice() else { return None };
    let [Command::Simple(simple)] = statement.list.first.commands.as_slice() else { return None };
    let words =
        simple.words.iter().map(portcullis_shell::Word::known).collect::<Option<Vec<_>>>()?;
    let words: Vec<&str> = words.iter().map(String::as_str).collect();
    match words.as_slice() {
        ["which", name]
        | ["type", "-p" | "-P", name]
        | ["command", "-v", name]
        | ["hash", "-t", name]
            if statement.list.rest.is_empty() && !name.starts_with('-') =>
        {
            Some((*name).to_owned())
        }
        _ => None,
    }
}

fn bounds(length: usize, operand: &dyn Fn(usize) -> Option<String>) -> Option<(usize, usize)> {
    let length_signed = i64::try_from(length).ok()?;
    let start = operand(0)?;
    let start: i64 = if start.trim().is_empty() { 0 } else { start.trim().parse().ok()? };
    let start = if start < 0 { (start + length_signed).max(0) } else { start.min(length_signed) };
    let count = operand(1)?;
    let end = if count.trim().is_empty() {
        length_signed
    } else {
        let count: i64 = count.trim().parse().ok()?;
        if count < 0 {
            (length_signed + count).max(start)
        } else {
            (start + count).min(length_signed)
        }
    };
    Some((usize::try_from(start).ok()?, usize::try_from(end).ok()?))
}

fn slice(items: &[String], operand: &dyn Fn(usize) -> Option<String>) -> Option<Vec<String>> {
    let (start, end) = bounds(items.len(), operand)?;
    items.get(start..end).map(<[String]>::to_vec)
}

/// `${x#…}`, `${x/…/…}`, `${x:…}`, `${x^^}`; what is replaced holds no glob characters.
fn edited(operator: &str, text: &str, operand: &dyn Fn(usize) -> Option<String>) -> Option<String> {
    let plain =
        |index| operand(index).filter(|operand: &String| !operand.contains(['*', '?', '[', '\\']));
    let capital = |all: bool, upper: bool| -> String {
        let change = |c: char| if upper { c.to_ascii_uppercase() } else { c.to_ascii_lowercase() };
        let mut chars = text.chars();
        if all {
            chars.map(change).collect()
        } else {
            chars.next().map(change).into_iter().chain(chars.as_str().chars()).collect()
        }
    };
    Some(match operator {
        "#" | "##" | "%" | "%%" => cut(operator, text, &operand(0)?),
        "/" => text.replacen(nonempty(plain(0)?)?.as_str(), &operand(1)?, 1),
        "//" => text.replace(nonempty(plain(0)?)?.as_str(), &operand(1)?),
        ":" => {
            let chars: Vec<char> = text.chars().collect();
            let (start, end) = bounds(chars.len(), operand)?;
            chars.get(start..end)?.iter().collect()
        }
        "^^" if operand(0)?.is_empty() => capital(true, true),
        ",," if operand(0)?.is_empty() => capital(true, false),
        "^" if operand(0)?.is_empty() => capital(false, true),
        "," if operand(0)?.is_empty() => capital(false, false),
        "@" => match operand(0)?.as_str() {
            "U" => capital(true, true),
            "u" => capital(false, true),
            "L" => capital(true, false),
            "E" => crate::outputs::unescape(text, false)?,
            _ => return None,
        },
        _ => return None,
    })
}

/// `${x#pattern}` and its kin: the shortest or longest match taken off the start or end.
fn cut(operator: &str, text: &str, pattern: &str) -> String {
    let pattern: Vec<char> = pattern.chars().collect();
    let chars: Vec<char> = text.chars().collect();
    let (start, long) = (operator.starts_with('#'), operator.len() == 2);
    let split = |length: usize| {
        let at = if start { length } else { chars.len().saturating_sub(length) };
        let (head, tail) = chars.split_at(at.min(chars.len()));
        if start { (head, tail) } else { (tail, head) }
    };
    let mut lengths = 0..=chars.len();
    let found = |length: &usize| text_may_match(&pattern, split(*length).0);
    let length = if long { lengths.rfind(found) } else { lengths.find(found) };
    split(length.unwrap_or(0)).1.iter().collect()
}

fn nonempty(text: String) -> Option<String> {
    (!text.is_empty()).then_some(text)
}

impl Lookup for Known<'_> {
    fn directory(&self) -> Option<String> {
        match &self.state.cwd {
            Cwd::Known(paths) => match &**paths {
                [path] => Some(path.as_str().to_owned()),
                _ => None,
            },
            Cwd::Unknown => None,
        }
    }

    fn values(&self, part: &Part) -> Option<Vec<Value>> {
        match part {
            Part::Tilde(user) => match user.as_str() {
                "" => self
                    .place("HOME")
                    .or_else(|| (self.reach == Reach::Text).then(|| self.home_values())),
                "+" => self.place("PWD"),
                "-" => self.place("OLDPWD"),
                // Most likely the own home; a guess that only deny and ask rules see.
                user if self.reach == Reach::Text
                    && self.state.home.as_str().rsplit('/').next() == Some(user) =>
                {
                    self.place("HOME")
                }
                _ => None,
            },
            Part::Param { expansion, .. } => self.parameter(expansion),
            Part::Subst { script, .. } => self.substitution(script),
            Part::Text { .. }
            | Part::Glob(_)
            | Part::Process { .. }
            | Part::Arith { .. }
            | Part::Array(_)
            | Part::Unreadable { .. } => None,
        }
    }
}

impl Known<'_> {
    fn home_values(&self) -> Vec<Value> {
        let mut values = self.state.variables.get("HOME").to_vec();
        values.push(Value::Scalar(self.state.home.as_str().to_owned()));
        values
    }
}

/// The argument lists a command's words stand for under a lookup, at most a handful.
pub(crate) fn argument_lists(
    words: &[portcullis_shell::Word],
    declaration: bool,
    lookup: &dyn Lookup,
    name_lookup: &dyn Lookup,
) -> Vec<Vec<Arg>> {
    const MOST: usize = 16;
    const FAR: usize = 64;
    let mut lists: Vec<Vec<Arg>> = vec![Vec::with_capacity(words.len())];
    for (index, word) in words.iter().enumerate() {
        // Assignment arguments of `declare` and the like are not split (bash(1), SIMPLE COMMANDS).
        let splits = !(declaration && index > 0 && assigns(word));
        if let Some(text) = literal(word) {
            for list in &mut lists {
                list.push(Arg::Known(text.clone()));
            }
            continue;
        }
        let named = lists.iter().all(Vec::is_empty);
        let mut alternatives = expand(word, splits, if named { name_lookup } else { lookup });
        // Far into a long command nothing branches any more: the first alternative stands for all.
        if index > FAR || lists.len() >= MOST {
            alternatives.truncate(1);
        }
        if let [args] = alternatives.as_mut_slice() {
            for list in &mut lists {
                list.extend(args.iter().cloned());
            }
            continue;
        }
        let mut next = Vec::new();
        for list in &lists {
            for args in &alternatives {
                if next.len() < MOST {
                    next.push([&list[..], &args[..]].concat());
                }
            }
        }
        lists = next;
    }
    lists
}

fn assigns(word: &portcullis_shell::Word) -> bool {
    match word.parts.first() {
        Some(Part::Text { text, quoted: false }) => {
            text.split_once('=').is_some_and(|(name, _)| {
                !name.is_empty()
                    && name
                        .trim_end_matches('+')
                        .chars()
                        .all(|c| c.is_ascii_alphanumeric() || c == '_')
            })
        }
        _ => false,
    }
}
