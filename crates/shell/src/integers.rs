//! Whether the names in arithmetic are surely integers.
//!
//! A name is one if every assignment to it in this text is an integer (a literal, or arithmetic
//! that is itself fine), one of them surely comes first in the same shell, and nothing else in the
//! text could give it a value (`read i`, `printf -vi`, `declare i=…`, `${i:=…}`).

use crate::arithmetic::{Class, classify, number_class};
use crate::ir::{
    Arith, Assign, AssignValue, Command, Compound, Descriptor, Expansion, Part, Pipeline, Redirect,
    Script, Simple, Target, Word,
};
use crate::reader::Shared;
use crate::visit::{Visit, walk};
use portcullis_model::{Reason, Span};
use std::collections::BTreeSet;

/// Notes an obstacle for arithmetic on names that are not surely integers.
pub(crate) fn judge(script: &Script, shared: &mut Shared) {
    let mut spoilers = Spoilers::default();
    walk(script, &mut spoilers);
    let mut proof = Proof { spoilers, assigned: BTreeSet::new(), shared };
    proof.script(script);
}

/// Everything that could give a variable a value that is not an integer.
#[derive(Debug, Default)]
struct Spoilers {
    names: BTreeSet<String>,
    options: Vec<String>,
}

impl Spoilers {
    fn spoil(&self, name: &str) -> bool {
        self.names.contains(name) || self.options.iter().any(|option| option.ends_with(name))
    }
}

impl Visit for Spoilers {
    fn simple(&mut self, simple: &Simple) {
        for assign in &simple.assigns {
            if !is_integer_assignment(assign) {
                self.names.insert(assign.name.clone());
            }
        }
        let mut declares = false;
        for word in &simple.words {
            let text = leading_text(word);
            if declares && let Some((name, _)) = text.split_once(['=', '[', '+']) {
                self.names.insert(name.to_owned());
            }
            declares |= matches!(
                text.as_str(),
                "declare" | "typeset" | "local" | "export" | "readonly" | "let" | "eval"
            );
            if text.starts_with('-') {
                self.options.push(text);
            } else {
                self.names.insert(text);
            }
        }
    }

    fn compound(&mut self, kind: &Compound) {
        match kind {
            Compound::For { name, words, select, .. } => {
                let integers = words.as_ref().is_some_and(|words| words.iter().all(is_integer));
                if *select || !integers {
                    self.names.insert(name.clone());
                }
            }
            Compound::Coproc { name, .. } => {
                self.names.extend(name.clone());
            }
            Compound::Group(_)
            | Compound::Subshell(_)
            | Compound::If { .. }
            | Compound::While { .. }
            | Compound::ForArith { .. }
            | Compound::Case { .. }
            | Compound::Function { .. }
            | Compound::Test(_)
            | Compound::Arith(_) => {}
        }
    }

    fn redirect(&mut self, redirect: &Redirect) {
        if let Descriptor::Variable(name) = &redirect.descriptor {
            self.names.insert(name.clone());
        }
    }

    fn expansion(&mut self, expansion: &Expansion) {
        if expansion.operator.ends_with('=') {
            self.names.insert(expansion.name.clone());
        }
    }
}

/// The text a word is sure to start with.
fn leading_text(word: &Word) -> String {
    let texts = word.parts.iter().map_while(|part| match part {
        Part::Text { text, .. } => Some(text.as_str()),
        Part::Glob(text) => Some(text.as_str()),
        Part::Param { .. }
        | Part::Subst { .. }
        | Part::Process { .. }
        | Part::Arith { .. }
        | Part::Tilde(_)
        | Part::Array(_)
        | Part::Unreadable { .. } => None,
    });
    texts.collect()
}

fn is_integer_assignment(assign: &Assign) -> bool {
    match &assign.value {
        AssignValue::Scalar(word) => {
            assign.subscript.is_none() && !assign.append && is_integer(word)
        }
        AssignValue::Array(_) => false,
    }
}

fn is_integer(word: &Word) -> bool {
    if let [Part::Arith { .. }] = word.parts.as_slice() {
        // Whether the expression is fine is judged where it stands.
        return true;
    }
    word.known().is_some_and(|text| {
        let digits = text.strip_prefix('-').unwrap_or(&text);
        !digits.is_empty() && digits.bytes().all(|byte| byte.is_ascii_digit())
    })
}

/// A walk that knows which names hold integers by now.
#[derive(Debug)]
struct Proof<'s> {
    spoilers: Spoilers,
    assigned: BTreeSet<String>,
    shared: &'s mut Shared,
}

impl Proof<'_> {
    fn script(&mut self, script: &Script) {
        for statement in &script.statements {
            let before = statement.background.then(|| self.assigned.clone());
            self.pipeline(&statement.list.first);
            let sure = self.assigned.clone();
            for (_, pipeline) in &statement.list.rest {
                self.pipeline(pipeline);
            }
            self.assigned = before.unwrap_or(sure);
        }
    }

    /// Walks what may not run, or runs in a shell of its own.
    fn apart(&mut self, script: &Script) {
        let before = self.assigned.clone();
        self.script(script);
        self.assigned = before;
    }

    fn pipeline(&mut self, pipeline: &Pipeline) {
        for command in &pipeline.commands {
            let before = (pipeline.commands.len() > 1).then(|| self.assigned.clone());
            self.command(command, pipeline.span);
            if let Some(before) = before {
                self.assigned = before;
            }
        }
    }

    fn command(&mut self, command: &Command, span: Span) {
        let redirects = match command {
            Command::Simple(simple) => {
                self.simple(simple);
                &simple.redirects
            }
            Command::Compound { kind, redirects, .. } => {
                self.compound(kind, span);
                redirects
            }
        };
        for redirect in redirects {
            match &redirect.target {
                Target::Word(word) => self.word(word),
                Target::HereDoc(document) => self.word(&document.body),
            }
        }
    }

    fn simple(&mut self, simple: &Simple) {
        let lasting = simple.words.is_empty() && simple.redirects.is_empty();
        for assign in &simple.assigns {
            if let Some(subscript) = &assign.subscript {
                self.word(subscript);
            }
            match &assign.value {
                AssignValue::Scalar(word) => self.word(word),
                AssignValue::Array(words) => self.words(words),
            }
            if lasting && is_integer_assignment(assign) {
                self.assigned.insert(assign.name.clone());
            }
        }
        self.words(&simple.words);
    }

    fn compound(&mut self, kind: &Compound, span: Span) {
        match kind {
            Compound::Group(script) => self.script(script),
            Compound::Subshell(script) => self.apart(script),
            Compound::If { arms, otherwise } => {
                let mut sure = None;
                for (condition, body) in arms {
                    self.script(condition);
                    sure.get_or_insert_with(|| self.assigned.clone());
                    self.apart(body);
                }
                if let Some(script) = otherwise {
                    self.apart(script);
                }
                self.assigned = sure.unwrap_or_default();
            }
            Compound::While { condition, body, .. } => {
                self.script(condition);
                self.apart(body);
            }
            Compound::For { name, words, body, .. } => {
                self.words(words.as_deref().unwrap_or_default());
                let before = self.assigned.clone();
                if words.as_ref().is_some_and(|words| words.iter().all(is_integer)) {
                    self.assigned.insert(name.clone());
                }
                self.script(body);
                self.assigned = before;
            }
            Compound::ForArith { expressions, body } => {
                if let [first, rest @ ..] = expressions.as_slice() {
                    self.arith(first, span);
                    let before = self.assigned.clone();
                    for arith in rest {
                        self.arith(arith, span);
                    }
                    self.script(body);
                    self.assigned = before;
                }
            }
            Compound::Case { word, arms } => {
                self.word(word);
                for arm in arms {
                    self.words(&arm.patterns);
                    self.apart(&arm.body);
                }
            }
            Compound::Function { body, .. } | Compound::Coproc { body, .. } => {
                let before = self.assigned.clone();
                self.command(body, span);
                self.assigned = before;
            }
            Compound::Test(words) => {
                self.words(words);
                self.test(words);
            }
            Compound::Arith(arith) => self.arith(arith, span),
        }
    }

    /// Operands of numeric operators of `[[`.
    fn test(&mut self, words: &[Word]) {
        for window in words.windows(3) {
            let [left, operator, right] = window else { continue };
            let numeric = crate::word::plain_text(operator)
                .is_some_and(|text| ["-eq", "-ne", "-lt", "-le", "-gt", "-ge"].contains(&text));
            if numeric {
                for word in [left, right] {
                    if let Class::Names(names) = number_class(word) {
                        self.names(&names, word.span);
                    }
                }
            }
        }
    }

    fn words(&mut self, words: &[Word]) {
        for word in words {
            self.word(word);
        }
    }

    fn word(&mut self, word: &Word) {
        for part in &word.parts {
            self.part(part, word.span);
        }
    }

    fn part(&mut self, part: &Part, span: Span) {
        match part {
            Part::Subst { script, .. } | Part::Process { script, .. } => self.apart(script),
            Part::Param { expansion, .. } => {
                if let Some(subscript) = &expansion.subscript {
                    self.word(subscript);
                }
                self.words(&expansion.operands);
            }
            Part::Arith { arith, .. } => self.arith(arith, span),
            Part::Array(words) => self.words(words),
            Part::Text { .. } | Part::Glob(_) | Part::Tilde(_) | Part::Unreadable { .. } => {}
        }
    }

    /// An expression: names it reads have to be integers, names it sets (`i=0`) are from then on.
    fn arith(&mut self, arith: &Arith, span: Span) {
        for part in &arith.parts {
            self.part(part, span);
        }
        let pieces: Vec<&str> = if arith.text.contains(['(', '?', '&', '|']) {
            vec![&arith.text]
        } else {
            arith.text.split(',').collect()
        };
        for piece in pieces {
            let (target, value) = match piece.split_once('=') {
                Some((name, value))
                    if crate::word::is_name(name.trim()) && !value.starts_with('=') =>
                {
                    (Some(name.trim()), value)
                }
                _ => (None, piece),
            };
            if let Class::Names(names) = classify(value) {
                self.names(&names, span);
            }
            if let Some(name) = target {
                if self.spoilers.spoil(name) {
                    // It holds an integer for now, and something else at another time.
                    continue;
                }
                self.assigned.insert(name.to_owned());
            }
        }
    }

    fn names(&mut self, names: &[String], span: Span) {
        for name in names {
            if self.spoilers.spoil(name) || !self.assigned.contains(name) {
                let detail = format!("`{name}` may hold an expression");
                self.shared.note(Reason::ArithDynamic, span, detail);
            }
        }
    }
}
