//! Words to arguments: what each word of a command may expand to.

use crate::Arg;
use portcullis_shell::{Expansion, Part, Word};
use std::collections::BTreeMap;
use std::rc::Rc;

/// More alternatives than this are not followed; the unrefined form still stands for them all.
const MAX_ALTERNATIVES: usize = 12;
/// A value longer than this is not followed.
const MAX_VALUE: usize = 4096;

/// A value a variable was given in the same text.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Value {
    /// A string.
    Scalar(String),
    /// An indexed array.
    Array(Vec<String>),
    /// One of the paths that this glob matches (`for d in /*`).
    Pattern(String),
}

/// Values assigned in the same text, every one a variable may have.
///
/// They refine deny and ask, never allow: missing one loses a `deny`, and the `ask` for the unknown
/// word stands.
///
/// Copies share them until one is changed: every branch and every command of a pipeline gets a copy.
#[derive(Clone, Debug, Default)]
pub(crate) struct Variables(Rc<BTreeMap<String, Vec<Value>>>);

impl Variables {
    pub(crate) fn add(&mut self, name: &str, value: Value) {
        let known = self.get(name);
        if known.len() < MAX_ALTERNATIVES && !known.contains(&value) {
            Rc::make_mut(&mut self.0).entry(name.to_owned()).or_default().push(value);
        }
    }

    pub(crate) fn set(&mut self, name: &str, values: Vec<Value>) {
        Rc::make_mut(&mut self.0).insert(name.to_owned(), values);
    }

    pub(crate) fn get(&self, name: &str) -> &[Value] {
        self.0.get(name).map_or(&[], Vec::as_slice)
    }
}

/// Gives the values of a part where they are known.
pub(crate) trait Lookup {
    /// The texts a substitution or expansion may produce; `None` when unknown.
    fn values(&self, part: &Part) -> Option<Vec<Value>>;

    /// The working directory, where it is known.
    fn directory(&self) -> Option<String> {
        None
    }
}

/// Knows nothing: what allow rules see.
pub(crate) struct Nothing;

impl Lookup for Nothing {
    fn values(&self, _part: &Part) -> Option<Vec<Value>> {
        None
    }
}

#[derive(Clone, Debug)]
enum Segment {
    Text(String),
    Glob(String),
    One,
    Many,
}

/// The arguments a word stands for: alternatives, each a list of arguments. One alternative when
/// nothing is looked up.
pub(crate) fn expand(word: &Word, splits: bool, lookup: &dyn Lookup) -> Vec<Vec<Arg>> {
    if let Some(text) = literal(word) {
        return vec![vec![Arg::Known(text)]];
    }
    let mut alternatives: Vec<Vec<Vec<Segment>>> = vec![vec![Vec::new()]];
    for part in &word.parts {
        match part {
            Part::Text { text, .. } => push_all(&mut alternatives, &Segment::Text(text.clone())),
            Part::Glob(glob) if splits => push_all(&mut alternatives, &Segment::Glob(glob.clone())),
            Part::Glob(glob) => push_all(&mut alternatives, &Segment::Text(glob.clone())),
            Part::Process { .. } => push_all(&mut alternatives, &Segment::One),
            Part::Unreadable { quoted } => {
                push_all(&mut alternatives, if *quoted { &Segment::One } else { &Segment::Many });
            }
            Part::Array(_) => push_all(&mut alternatives, &Segment::One),
            Part::Tilde(_) => match lookup.values(part) {
                Some(values) => multiply(&mut alternatives, &values, false),
                None => push_all(&mut alternatives, &Segment::One),
            },
            Part::Arith { arith, .. } => match arith.value {
                Some(value) => push_all(&mut alternatives, &Segment::Text(value.to_string())),
                None => push_all(&mut alternatives, &Segment::One),
            },
            Part::Param { expansion, quoted } => {
                if let Some(values) = lookup.values(part) {
                    multiply(&mut alternatives, &values, splits && !*quoted);
                } else {
                    // `"$@"` is many words even in quotes.
                    let splits = splits && (!*quoted || names_all(expansion));
                    push_all(&mut alternatives, &unknown_parameter(expansion, splits));
                }
            }
            Part::Subst { quoted, .. } => match lookup.values(part) {
                Some(values) => multiply(&mut alternatives, &values, splits && !*quoted),
                None => push_all(
                    &mut alternatives,
                    if *quoted || !splits { &Segment::One } else { &Segment::Many },
                ),
            },
        }
    }
    let mut out: Vec<Vec<Arg>> = Vec::new();
    for fields in alternatives {
        let mut args = Vec::new();
        let count = fields.len();
        for field in fields {
            if field.is_empty() && !(count == 1 && word.quoted) {
                continue;
            }
            args.push(argument(&field));
        }
        if !out.contains(&args) {
            out.push(args);
        }
    }
    out
}

/// The text of a word in which nothing is expanded, as most are.
pub(crate) fn literal(word: &Word) -> Option<String> {
    let is_text = |part: &Part| matches!(part, Part::Text { .. });
    (!word.parts.is_empty() && word.parts.iter().all(is_text)).then(|| word.known())?
}

fn unknown_parameter(expansion: &Expansion, splits: bool) -> Segment {
    if splits && (names_all(expansion) || !is_number(expansion)) {
        Segment::Many
    } else {
        Segment::One
    }
}

/// Whether an expansion is a number, whatever happens: `$!` is nothing before the first background job, and an
/// operator makes something else of it.
pub(crate) fn is_number(expansion: &Expansion) -> bool {
    expansion.length
        || expansion.operator.is_empty() && matches!(expansion.name.as_str(), "#" | "?" | "$")
}

/// `$@`, `${name[@]}`, also as what stands in for something else: `"${x-$@}"`.
fn names_all(expansion: &Expansion) -> bool {
    expansion.name == "@"
        || expansion.subscript.as_ref().and_then(Word::known).is_some_and(|text| text == "@")
        || expansion.operands.iter().flat_map(|word| &word.parts).any(|part| match part {
            Part::Param { expansion, .. } => names_all(expansion),
            Part::Text { .. }
            | Part::Glob(_)
            | Part::Subst { .. }
            | Part::Process { .. }
            | Part::Arith { .. }
            | Part::Tilde(_)
            | Part::Array(_)
            | Part::Unreadable { .. } => false,
        })
}

fn push_all(alternatives: &mut [Vec<Vec<Segment>>], segment: &Segment) {
    for fields in alternatives {
        push(fields, segment.clone());
    }
}

fn push(fields: &mut Vec<Vec<Segment>>, segment: Segment) {
    if fields.is_empty() {
        fields.push(Vec::new());
    }
    if let Some(field) = fields.last_mut() {
        field.push(segment);
    }
}

/// Every alternative so far with every value.
fn multiply(alternatives: &mut Vec<Vec<Vec<Segment>>>, values: &[Value], splits: bool) {
    let mut out = Vec::new();
    for fields in alternatives.iter() {
        for value in values {
            if out.len() >= MAX_ALTERNATIVES {
                break;
            }
            if let Value::Scalar(text) = value
                && splits
                && text.contains(['*', '?', '['])
                && !text.contains('\\')
                && text.len() <= MAX_VALUE
            {
                // An unquoted value is expanded as a glob, and stays as it is without a match.
                let mut globbed = fields.clone();
                for (index, piece) in text.split_ascii_whitespace().enumerate() {
                    if index > 0 {
                        globbed.push(Vec::new());
                    }
                    push(&mut globbed, Segment::Glob(piece.to_owned()));
                }
                out.push(globbed);
            }
            let mut fields = fields.clone();
            match value {
                Value::Scalar(text) if text.len() > MAX_VALUE => push(&mut fields, Segment::Many),
                Value::Scalar(text) if splits => split_into(&mut fields, text),
                Value::Scalar(text) => push(&mut fields, Segment::Text(text.clone())),
                Value::Pattern(glob) => push(&mut fields, Segment::Glob(glob.clone())),
                Value::Array(items) => {
                    for (index, item) in items.iter().enumerate() {
                        if index > 0 {
                            fields.push(Vec::new());
                        }
                        if splits {
                            split_into(&mut fields, item);
                        } else {
                            push(&mut fields, Segment::Text(item.clone()));
                        }
                    }
                }
            }
            out.push(fields);
        }
    }
    *alternatives = out;
}

/// Word splitting at blanks, as with the default IFS.
fn split_into(fields: &mut Vec<Vec<Segment>>, text: &str) {
    let blank = |c: char| c == ' ' || c == '\t' || c == '\n';
    if text.starts_with(blank) && fields.last().is_some_and(|field| !field.is_empty()) {
        fields.push(Vec::new());
    }
    for (index, piece) in text.split(blank).filter(|piece| !piece.is_empty()).enumerate() {
        if index > 0 {
            fields.push(Vec::new());
        }
        push(fields, Segment::Text(piece.to_owned()));
    }
    if text.ends_with(blank) && fields.last().is_some_and(|field| !field.is_empty()) {
        fields.push(Vec::new());
    }
}

fn argument(field: &[Segment]) -> Arg {
    let many = field.iter().any(|segment| matches!(segment, Segment::Many));
    let one = field.iter().any(|segment| matches!(segment, Segment::One));
    let glob = field.iter().any(|segment| matches!(segment, Segment::Glob(_)));
    if glob && !many && !one {
        let mut text = String::new();
        for segment in field {
            match segment {
                Segment::Text(literal) => {
                    for c in literal.chars() {
                        if matches!(c, '*' | '?' | '[' | ']' | '\\') {
                            text.push('\\');
                        }
                        text.push(c);
                    }
                }
                Segment::Glob(pattern) => text.push_str(pattern),
                Segment::One | Segment::Many => {}
            }
        }
        return Arg::Glob(text);
    }
    let literal = |segments: &mut dyn Iterator<Item = &Segment>| {
        let mut parts = Vec::new();
        for segment in segments {
            match segment {
                Segment::Text(text) => parts.push(text.clone()),
                Segment::Glob(_) | Segment::One | Segment::Many => break,
            }
        }
        parts
    };
    let prefix = literal(&mut field.iter()).concat();
    if !many && !one && !glob {
        return Arg::Known(prefix);
    }
    let mut suffix = literal(&mut field.iter().rev());
    suffix.reverse();
    let suffix = suffix.concat();
    if many || glob { Arg::Many { prefix, suffix } } else { Arg::One { prefix, suffix } }
}
