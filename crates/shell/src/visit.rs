//! Walking the tree.

use crate::ir::{Arith, Assign, AssignValue, Command, Compound, Expansion, Part, Redirect};
use crate::ir::{Script, Simple, Target, Word};

/// What a walk may look at. The tree is walked in the order of the text; depth is that of the tree,
/// which the reader bounds.
pub trait Visit {
    /// A simple command, before its insides.
    fn simple(&mut self, _simple: &Simple) {}
    /// A compound command, before its insides.
    fn compound(&mut self, _kind: &Compound) {}
    /// A redirect, before its target.
    fn redirect(&mut self, _redirect: &Redirect) {}
    /// A parameter expansion, before its operands.
    fn expansion(&mut self, _expansion: &Expansion) {}
}

/// Visits everything in a script, nested commands too.
pub fn walk(script: &Script, visitor: &mut dyn Visit) {
    for statement in &script.statements {
        let rest = statement.list.rest.iter().map(|(_, pipeline)| pipeline);
        for pipeline in std::iter::once(&statement.list.first).chain(rest) {
            for command in &pipeline.commands {
                walk_command(command, visitor);
            }
        }
    }
}

fn walk_command(command: &Command, visitor: &mut dyn Visit) {
    let redirects = match command {
        Command::Simple(simple) => {
            visitor.simple(simple);
            for assign in &simple.assigns {
                walk_assign(assign, visitor);
            }
            walk_words(&simple.words, visitor);
            &simple.redirects
        }
        Command::Compound { kind, redirects, .. } => {
            visitor.compound(kind);
            walk_compound(kind, visitor);
            redirects
        }
    };
    for redirect in redirects {
        visitor.redirect(redirect);
        match &redirect.target {
            Target::Word(word) => walk_word(word, visitor),
            Target::HereDoc(document) => walk_word(&document.body, visitor),
        }
    }
}

fn walk_assign(assign: &Assign, visitor: &mut dyn Visit) {
    if let Some(subscript) = &assign.subscript {
        walk_word(subscript, visitor);
    }
    match &assign.value {
        AssignValue::Scalar(word) => walk_word(word, visitor),
        AssignValue::Array(words) => walk_words(words, visitor),
    }
}

fn walk_compound(kind: &Compound, visitor: &mut dyn Visit) {
    match kind {
        Compound::Group(script) | Compound::Subshell(script) => walk(script, visitor),
        Compound::If { arms, otherwise } => {
            for (condition, body) in arms {
                walk(condition, visitor);
                walk(body, visitor);
            }
            if let Some(script) = otherwise {
                walk(script, visitor);
            }
        }
        Compound::While { condition, body, .. } => {
            walk(condition, visitor);
            walk(body, visitor);
        }
        Compound::For { words, body, .. } => {
            walk_words(words.as_deref().unwrap_or_default(), visitor);
            walk(body, visitor);
        }
        Compound::ForArith { expressions, body } => {
            for arith in expressions {
                walk_arith(arith, visitor);
            }
            walk(body, visitor);
        }
        Compound::Case { word, arms } => {
            walk_word(word, visitor);
            for arm in arms {
                walk_words(&arm.patterns, visitor);
                walk(&arm.body, visitor);
            }
        }
        Compound::Function { body, .. } | Compound::Coproc { body, .. } => {
            walk_command(body, visitor);
        }
        Compound::Test(words) => walk_words(words, visitor),
        Compound::Arith(arith) => walk_arith(arith, visitor),
    }
}

fn walk_words(words: &[Word], visitor: &mut dyn Visit) {
    for word in words {
        walk_word(word, visitor);
    }
}

fn walk_arith(arith: &Arith, visitor: &mut dyn Visit) {
    for part in &arith.parts {
        walk_part(part, visitor);
    }
}

fn walk_word(word: &Word, visitor: &mut dyn Visit) {
    for part in &word.parts {
        walk_part(part, visitor);
    }
}

/// Visits everything in a part of a word.
pub(crate) fn walk_part(part: &Part, visitor: &mut dyn Visit) {
    match part {
        Part::Subst { script, .. } | Part::Process { script, .. } => walk(script, visitor),
        Part::Param { expansion, .. } => {
            visitor.expansion(expansion);
            if let Some(subscript) = &expansion.subscript {
                walk_word(subscript, visitor);
            }
            walk_words(&expansion.operands, visitor);
        }
        Part::Arith { arith, .. } => walk_arith(arith, visitor),
        Part::Array(words) => walk_words(words, visitor),
        Part::Text { .. } | Part::Glob(_) | Part::Tilde(_) | Part::Unreadable { .. } => {}
    }
}
