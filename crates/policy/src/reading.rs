//! One layer while it is read: where its parts stand, what is wrong with them, what that closes.

use crate::json::{Member, Node, Value};
use crate::keys;
use crate::switches::{Said, Switch};
use crate::{Closed, Diagnostic, Layer, Place, Severity};
use portcullis_model::{Scope, Source, Span};
use portcullis_rules::{Glob, ToolPattern, did_you_mean};
use std::cell::Cell;
use std::collections::BTreeSet;

/// A layer and everything found wrong with it.
#[derive(Debug)]
pub(crate) struct Reading<'l> {
    pub(crate) layer: &'l Layer,
    pub(crate) place: &'l Place,
    /// The layer is not sound as a whole: it grants nothing.
    pub(crate) broken: bool,
    pub(crate) diagnostics: Vec<Diagnostic>,
    pub(crate) closed: Vec<Closed>,
    /// How many more things are wrong.
    pub(crate) unreported: usize,
    line_starts: Vec<usize>,
    /// The last place asked for and its column: the next one is counted on from there.
    last_column: Cell<(usize, usize)>,
}

impl<'l> Reading<'l> {
    pub(crate) fn new(layer: &'l Layer, place: &'l Place) -> Self {
        let newlines = layer.text.bytes().enumerate().filter(|(_, byte)| *byte == b'\n');
        let line_starts = std::iter::once(0).chain(newlines.map(|(at, _)| at + 1)).collect();
        Self {
            layer,
            place,
            broken: false,
            diagnostics: Vec::new(),
            closed: Vec::new(),
            unreported: 0,
            line_starts,
            last_column: Cell::new((0, 1)),
        }
    }

    /// Whether what the layer grants counts.
    pub(crate) fn grants(&self) -> bool {
        !self.broken && self.layer.is_trusted()
    }

    /// Where a span of the text is, as explanations name it.
    pub(crate) fn source(&self, span: Span) -> Source {
        let (line, column) =
            if self.layer.has_lines() { self.position(span.start) } else { (0, 0) };
        Source { scope: self.layer.scope, file: self.layer.file.clone(), line, column }
    }

    /// The layer as a whole.
    pub(crate) fn whole(&self) -> Source {
        Source { scope: self.layer.scope, file: self.layer.file.clone(), line: 0, column: 0 }
    }

    pub(crate) fn report(
        &mut self,
        severity: Severity,
        code: &'static str,
        span: Span,
        message: impl Into<String>,
        hint: impl Into<String>,
    ) {
        if self.diagnostics.len() >= MAX_DIAGNOSTICS {
            self.unreported += 1;
            return;
        }
        let found = self.diagnostic(severity, code, span, &message.into(), &hint.into());
        self.diagnostics.push(found);
    }

    pub(crate) fn diagnostic(
        &self,
        severity: Severity,
        code: &'static str,
        span: Span,
        message: &str,
        hint: &str,
    ) -> Diagnostic {
        let source = self.source(span);
        let line_text = self.line_text(source.line);
        let (message, hint) = (plain(message), plain(hint));
        let span = self.layer.has_lines().then_some(span);
        Diagnostic { severity, code, message, hint, source, span, line_text }
    }

    /// Makes every call of a tool ask, or every call of all where `tool` is `None`.
    pub(crate) fn close(&mut self, tool: Option<ToolPattern>, span: Span, text: impl Into<String>) {
        if self.closed.len() > MAX_CLOSED {
            return;
        }
        // The last one stands for all that follow it.
        let tool = if self.closed.len() == MAX_CLOSED { None } else { tool };
        let text = plain(&text.into());
        self.closed.push(Closed { tool, text, source: self.source(span) });
    }

    /// Reports a value of the wrong kind. What is no value at all has been reported as such, and has
    /// closed every tool.
    pub(crate) fn wrong_type(&mut self, path: &str, node: &Node, wanted: &str, effect: &str) {
        if matches!(node.value, Value::Broken) {
            return;
        }
        let message = format!("`{path}` has to be {wanted}, not {}; {effect}", node.value.kind());
        let hint = format!("write {wanted}");
        self.report(Severity::Error, "wrong-type", node.span, message, hint);
    }

    /// Reports a key that waits for trust. Says nothing where the whole layer is broken: that has
    /// been said.
    pub(crate) fn withheld(&mut self, span: Span, what: impl Into<String>) {
        if !self.broken {
            self.report(
                Severity::Warning,
                "untrusted",
                span,
                format!("{} until the workspace is trusted", what.into()),
                "accept the agent's trust dialog for this directory once the file has been reviewed",
            );
        }
    }

    /// Opens the tables that stand under one key, names what is odd about their keys, and leaves
    /// out the keys that this layer cannot set.
    pub(crate) fn open<'n>(
        &mut self,
        path: &'static str,
        known: &[&str],
        members: &[&'n Member],
        effect: &str,
        tool: Option<&str>,
    ) -> Section<'n> {
        let mut section = Section { path, tables: Vec::new() };
        for member in members {
            if let Value::Table(table) = &member.value.value {
                section.tables.push(self.check_keys(path, known, table));
            } else {
                self.wrong_type(path, &member.value, "an object", effect);
                let text = format!("`{path}` is {} and not an object", member.value.value.kind());
                self.close(tool.map(exact), member.value.span, text);
            }
        }
        section
    }

    /// Names unknown, repeated and ineffective keys of a table; gives those that count.
    pub(crate) fn check_keys<'n>(
        &mut self,
        path: &'static str,
        known: &[&str],
        table: &'n [Member],
    ) -> Vec<&'n Member> {
        let mut seen = BTreeSet::new();
        let mut counting = Vec::with_capacity(table.len());
        for member in table {
            let key = member.key.as_str();
            let full = if path.is_empty() { key.to_owned() } else { format!("{path}.{key}") };
            if !seen.insert(key) {
                self.report(
                    Severity::Warning,
                    "duplicate-key",
                    member.key_span,
                    format!("`{full}` is written twice; what restricts counts from both, what grants only from the last"),
                    "merge the two",
                );
            }
            if !known.contains(&key) {
                let hint = did_you_mean(key, known).map_or_else(
                    || format!("the keys of `{path}` are {}", listed(known)),
                    |name| format!("did you mean `{name}`?"),
                );
                let message = format!("`{full}` is not a known key and has no effect");
                self.report(Severity::Warning, "unknown-key", member.key_span, message, hint);
            } else if self.counts_here(&full, member) {
                counting.push(member);
            }
        }
        counting
    }

    /// Whether this layer can set a key; says so where it cannot.
    pub(crate) fn counts_here(&mut self, full: &str, member: &Member) -> bool {
        let span = member.key_span;
        if keys::MANAGED_ONLY.contains(&full) && self.layer.scope != Scope::Managed {
            let message = format!("`{full}` only counts in managed settings");
            self.report(Severity::Warning, "managed-only", span, message, "remove it here");
            false
        } else if keys::NEVER_FROM_PROJECT.contains(&full) && self.layer.is_of_project() {
            self.never_from_project(full, span);
            false
        } else if let Some((_, why)) = keys::NO_EFFECT.iter().find(|(path, _)| *path == full) {
            let message = format!("`{full}` has no effect here: {why}");
            self.report(Severity::Note, "no-effect", span, message, "");
            false
        } else {
            true
        }
    }

    pub(crate) fn never_from_project(&mut self, what: &str, span: Span) {
        let message = format!("`{what}` does not count in a file of the project");
        let hint = "set it in user or managed settings";
        self.report(Severity::Warning, "not-from-project", span, message, hint);
    }

    /// Reads a switch: a value that is neither true nor false counts as the stricter one.
    pub(crate) fn switch(&mut self, section: &Section<'_>, switch: &Switch) -> Option<Said> {
        let key = switch.path.rsplit('.').next().unwrap_or(switch.path);
        let mut said: Option<Said> = None;
        for member in section.every(key) {
            let source = self.source(member.key_span);
            let next = if let Value::Bool(value) = member.value.value {
                if value != switch.safe && !self.grants() {
                    let what = format!("`{}: {value}` does not count", switch.path);
                    self.withheld(member.key_span, what);
                    continue;
                }
                Said { value, source, sure: self.grants() }
            } else {
                let effect = format!("it counts as `{}`", switch.safe);
                self.wrong_type(switch.path, &member.value, "`true` or `false`", &effect);
                Said { value: switch.safe, source, sure: false }
            };
            // Written twice: the stricter one counts.
            if said.as_ref().is_none_or(|said| said.value != switch.safe) {
                said = Some(next);
            }
        }
        said
    }

    /// Reads an array of strings. Entries that are none are reported and, in a list that
    /// restricts, close a tool.
    pub(crate) fn strings<'n>(
        &mut self,
        section: &Section<'n>,
        key: &str,
        list: &StringList<'_>,
    ) -> Vec<(&'n str, &'n Node)> {
        let path = section.full(key);
        let mut found = Vec::new();
        for member in section.members(key, list.restricts) {
            let nodes: &[Node] = match &member.value.value {
                Value::List(nodes) => nodes,
                Value::Null
                | Value::Bool(_)
                | Value::Number(_)
                | Value::Text(_)
                | Value::Table(_)
                | Value::Date
                | Value::Broken => {
                    let single = list.restricts && matches!(member.value.value, Value::Text(_));
                    let effect = if single { "it counts as an array of one" } else { list.effect };
                    self.wrong_type(&path, &member.value, list.wanted, effect);
                    if single {
                        std::slice::from_ref(&member.value)
                    } else {
                        self.close_list(list, &format!("`{path}`"), &member.value);
                        &[]
                    }
                }
            };
            for node in nodes {
                if let Value::Text(text) = &node.value {
                    found.push((text.as_str(), node));
                } else if !matches!(node.value, Value::Broken) {
                    let entry = format!("an entry of `{path}`");
                    let message = format!(
                        "{entry} has to be a string, not {}; {}",
                        node.value.kind(),
                        list.effect
                    );
                    self.report(
                        Severity::Error,
                        "wrong-type",
                        node.span,
                        message,
                        "write a string",
                    );
                    self.close_list(list, &entry, node);
                }
            }
        }
        found
    }

    fn close_list(&mut self, list: &StringList<'_>, what: &str, node: &Node) {
        if list.restricts && !matches!(node.value, Value::Broken) {
            self.close(list.tool.map(exact), node.span, format!("{what} is {}", node.value.kind()));
        }
    }

    /// The line and column of a byte. Counts from the last place asked for where that is on the same
    /// line: a file may be one line of many rules.
    fn position(&self, at: usize) -> (usize, usize) {
        let line = self.line_starts.partition_point(|start| *start <= at);
        let start = self.line_starts.get(line.saturating_sub(1)).copied().unwrap_or(0);
        let next = self.line_starts.get(line).copied().unwrap_or(usize::MAX);
        let (last, last_column) = self.last_column.get();
        let column = if (start..next).contains(&last) {
            if last <= at {
                last_column + self.characters(last, at)
            } else {
                last_column.saturating_sub(self.characters(at, last))
            }
        } else {
            1 + self.characters(start, at)
        };
        self.last_column.set((at, column));
        (line, column)
    }

    /// Characters between two bytes, counted by their first bytes.
    fn characters(&self, from: usize, to: usize) -> usize {
        let between = self.layer.text.as_bytes().get(from..to).unwrap_or(&[]);
        between.iter().filter(|byte| (**byte & 0xc0) != 0x80).count()
    }

    fn line_text(&self, line: usize) -> Option<String> {
        let start = *self.line_starts.get(line.checked_sub(1)?)?;
        let end = self.line_starts.get(line).map_or(self.layer.text.len(), |next| next - 1);
        let text = self.layer.text.get(start..end)?;
        (text.len() <= MAX_SHOWN_LINE).then(|| text.trim_end_matches('\r').to_owned())
    }
}

/// How an array of strings is read.
#[derive(Debug)]
pub(crate) struct StringList<'w> {
    /// What a message says it has to be.
    pub(crate) wanted: &'w str,
    /// What a message says about an entry that is none.
    pub(crate) effect: &'w str,
    /// Its entries take something away: a lost one closes `tool`, and every occurrence counts.
    pub(crate) restricts: bool,
    /// The tool that a lost entry closes; every tool where this is `None`.
    pub(crate) tool: Option<&'w str>,
}

/// The tables that stand under one key: one, unless the key is written twice.
#[derive(Clone, Debug)]
pub(crate) struct Section<'n> {
    pub(crate) path: &'static str,
    tables: Vec<Vec<&'n Member>>,
}

impl<'n> Section<'n> {
    pub(crate) fn of(path: &'static str, members: Vec<&'n Member>) -> Self {
        Self { path, tables: vec![members] }
    }

    /// Every member with a key: for what restricts.
    pub(crate) fn every(&self, key: &str) -> Vec<&'n Member> {
        self.tables.iter().flatten().filter(|member| member.key == key).copied().collect()
    }

    /// The member that JSON says counts, the last: for what grants.
    pub(crate) fn last(&self, key: &str) -> Option<&'n Member> {
        self.tables.last()?.iter().rev().find(|member| member.key == key).copied()
    }

    pub(crate) fn members(&self, key: &str, restricts: bool) -> Vec<&'n Member> {
        if restricts { self.every(key) } else { self.last(key).into_iter().collect() }
    }

    pub(crate) fn full(&self, key: &str) -> String {
        if self.path.is_empty() { key.to_owned() } else { format!("{}.{key}", self.path) }
    }
}

/// The pattern of one tool, or of several where the name holds a star.
pub(crate) fn tool_pattern(name: &str) -> ToolPattern {
    if name.contains('*') { ToolPattern::Glob(Glob::new(name)) } else { exact(name) }
}

fn exact(name: &str) -> ToolPattern {
    ToolPattern::Exact(name.to_owned())
}

/// Names as a message lists them.
pub(crate) fn listed(names: &[&str]) -> String {
    names.iter().map(|name| format!("`{name}`")).collect::<Vec<_>>().join(", ")
}

/// A message on one line, showing every character it holds.
///
/// SECURITY: messages quote settings files, and a terminal obeys what it is shown: control
/// characters move the cursor, and marks of writing direction reorder what stands beside them.
pub(crate) fn plain(text: &str) -> String {
    let hidden = |c: char| {
        c.is_control()
            || matches!(c, '\u{ad}' | '\u{61c}' | '\u{200b}'..='\u{200f}' | '\u{2028}'..='\u{202e}'
                | '\u{2060}'..='\u{206f}' | '\u{feff}' | '\u{e0000}'..='\u{e007f}')
    };
    if !text.chars().any(hidden) {
        return text.to_owned();
    }
    let mut out = String::with_capacity(text.len());
    for c in text.chars() {
        if hidden(c) {
            out.extend(c.escape_unicode());
        } else {
            out.push(c);
        }
    }
    out
}

/// More is wrong than anyone reads at once. A hostile file has millions of flaws, and naming each
/// would hold up the call past its deadline.
const MAX_DIAGNOSTICS: usize = 200;

/// The same limit for what is closed; past it everything is.
const MAX_CLOSED: usize = 200;

/// A longer line is no help in a message; a file of one line would be repeated whole in each.
const MAX_SHOWN_LINE: usize = 400;
