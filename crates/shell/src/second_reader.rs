//! The second reader: tree-sitter-bash, which has to see the same words and commands.
//!
//! One reader's mistake is a bypass; two that were written independently rarely make the same one.
//! The text this reader gets is adjusted where its grammar is known to differ from bash (see
//! [`crate::trace`]): continuations are joined, here-document bodies and `${…}` and arithmetic are
//! lifted out. Substitutions inside lifted text are given to it one by one.
//!
//! Everything about tree-sitter is in this file. Both crates are pinned to the byte; the golden dump
//! in the tests shows what a new version would read differently.

use crate::ir::Obstacle;
use crate::plain;
use crate::trace::{Piece, Replacement};
use portcullis_model::{Reason, Span};
use std::cell::RefCell;
use std::ops::ControlFlow;
use tree_sitter::{Language, Node, ParseOptions, Parser, Tree};

/// Compares what the second reader sees with what the strict one saw. With `plain`, plain text is left
/// to [`crate::plain`].
pub(crate) fn compare(
    pieces: &[Piece],
    plain: bool,
    obstacles: &mut Vec<Obstacle>,
    second_opinion: &mut Vec<Vec<String>>,
) {
    let unread = obstacles.iter().any(|obstacle| {
        matches!(
            obstacle.reason,
            Reason::SyntaxError
                | Reason::Unterminated
                | Reason::TooLong
                | Reason::TooDeep
                | Reason::ParseBudget
        )
    });
    let mut budget = BUDGET;
    for piece in pieces {
        // What the strict reader could not read is refused anyway; long broken texts are those that
        // make this parser superlinear.
        if unread && piece.text.len() > LONGEST_BROKEN {
            continue;
        }
        if plain && !unread && plain::agrees(piece) {
            continue;
        }
        let stand_in = StandIn::new(piece);
        let Some(tree) = parse(&stand_in.text, &mut budget) else {
            let detail = "the second reader took too long".to_owned();
            obstacles.push(Obstacle { reason: Reason::ParseBudget, span: piece.span, detail });
            return;
        };
        let view = View::of(&tree, &stand_in);
        let Some(difference) = view.difference(&stand_in) else { continue };
        view.add_commands(&stand_in, second_opinion);
        if !unread {
            let reason = Reason::ReaderDisagreement;
            obstacles.push(Obstacle { reason, span: piece.span, detail: difference });
        }
    }
}

/// The kinds of the nodes the second reader makes of a text, outermost first: for the golden dump.
pub fn node_kinds(text: &str) -> Vec<String> {
    let mut budget = BUDGET;
    let Some(tree) = parse(text, &mut budget) else { return Vec::new() };
    let mut kinds = Vec::new();
    let mut cursor = tree.walk();
    loop {
        let node = cursor.node();
        let missing = if node.is_missing() { " missing" } else { "" };
        kinds.push(format!("{}:{}-{}{missing}", node.kind(), node.start_byte(), node.end_byte()));
        if cursor.goto_first_child() {
            continue;
        }
        while !cursor.goto_next_sibling() {
            if !cursor.goto_parent() {
                return kinds;
            }
        }
    }
}

thread_local! {
    /// The parser and what its kinds mean to us, made once per thread: making them costs more than
    /// reading a command.
    static GRAMMAR: RefCell<Option<(Parser, Vec<Kind>)>> = const { RefCell::new(None) };
}

/// Runs with the parser; `None` where the grammar does not fit the library, which no test survives.
fn with_grammar<T>(run: impl FnOnce(&mut Parser, &[Kind]) -> T) -> Option<T> {
    GRAMMAR.with_borrow_mut(|slot| {
        if slot.is_none() {
            let language = Language::new(tree_sitter_bash::LANGUAGE);
            let mut parser = Parser::new();
            parser.set_language(&language).ok()?;
            *slot = Some((parser, kinds_of(&language)));
        }
        slot.as_mut().map(|(parser, kinds)| run(parser, kinds))
    })
}

fn parse(text: &str, budget: &mut usize) -> Option<Tree> {
    let mut watch = |_: &tree_sitter::ParseState| {
        *budget = budget.saturating_sub(1);
        if *budget == 0 { ControlFlow::Break(()) } else { ControlFlow::Continue(()) }
    };
    let mut bytes = text.as_bytes().to_vec();
    mask_after_braces(&mut bytes);
    with_grammar(|parser, _| {
        let options = ParseOptions::new().progress_callback(&mut watch);
        let mut read = |at: usize, _| bytes.get(at..).unwrap_or(&[]);
        let tree = parser.parse_with_options(&mut read, None, Some(options));
        if tree.is_none() {
            parser.reset();
        }
        tree
    })?
}

/// Puts `x`es for characters beyond ASCII where the grammar looks for a digit of `{1..2}`.
///
/// SECURITY: its scanner asks `isdigit` of whole code points there, which in glibc is a look into a
/// table of 384 entries: `{` and a character far up in Unicode ended the process.
fn mask_after_braces(bytes: &mut [u8]) {
    let mut digits_wanted = false;
    for byte in bytes {
        match byte {
            b'{' => digits_wanted = true,
            b'0'..=b'9' | b'.' => {}
            0x80.. if digits_wanted => *byte = b'x',
            _ => digits_wanted = false,
        }
    }
}

/// The text the second reader gets, and the way back to the strict reader's offsets.
#[derive(Debug)]
struct StandIn<'p> {
    piece: &'p Piece,
    text: String,
    /// Runs of text: where each starts here and in the buffer of the trace, and whether it stands
    /// for something else of another length.
    runs: Vec<Run>,
    /// The words of the strict reader in order, each with its command.
    words: Vec<(Span, u32)>,
}

#[derive(Clone, Copy, Debug)]
struct Run {
    here: usize,
    there: usize,
    there_end: usize,
    replaced: bool,
}

impl<'p> StandIn<'p> {
    fn new(piece: &'p Piece) -> Self {
        let end = piece.start + piece.text.len();
        let continuations = piece.trace.continuations.iter().map(|at| crate::trace::Edit {
            span: Span::new(*at, at + 2),
            by: Replacement::Nothing,
        });
        let mut edits: Vec<_> = piece.trace.edits.iter().copied().chain(continuations).collect();
        // Insertions come before what replaces the text after them.
        edits.sort_by_key(|edit| {
            let Span { start, end } = edit.span;
            (start, end > start, std::cmp::Reverse(end))
        });
        let mut stand_in = Self {
            piece,
            text: String::with_capacity(piece.text.len()),
            runs: Vec::with_capacity(edits.len() * 2 + 1),
            words: piece.trace.words.clone(),
        };
        let mut at = piece.start;
        for edit in edits {
            if edit.span.start < at || edit.span.end > end {
                continue;
            }
            stand_in.copy(at, edit.span.start);
            stand_in.replace(edit.span, edit.by);
            at = edit.span.end;
        }
        stand_in.copy(at, end);
        // A substitution on its own is a command for this reader; `<(` is none.
        if piece.island {
            stand_in.words.push((Span::new(piece.start, end), u32::MAX));
        }
        for (span, _) in &mut stand_in.words {
            while piece.trace.continuations.binary_search(&span.end.wrapping_sub(2)).is_ok()
                && span.end > span.start
            {
                span.end -= 2;
            }
        }
        stand_in.words.sort_unstable();
        stand_in.words.dedup();
        stand_in
    }

    fn source(&self, start: usize, end: usize) -> &'p str {
        let from = start.saturating_sub(self.piece.start);
        self.piece.text.get(from..end.saturating_sub(self.piece.start)).unwrap_or("")
    }

    fn copy(&mut self, start: usize, end: usize) {
        if start < end {
            let here = self.text.len();
            self.runs.push(Run { here, there: start, there_end: end, replaced: false });
            self.text.push_str(self.source(start, end));
        }
    }

    fn replace(&mut self, span: Span, by: Replacement) {
        let length = span.end - span.start;
        let here = self.text.len();
        let replaced = match by {
            Replacement::Nothing => return,
            Replacement::Blanks => {
                self.text.extend(std::iter::repeat_n(' ', length));
                false
            }
            Replacement::Plain => {
                self.text.extend(std::iter::repeat_n('x', length));
                false
            }
            Replacement::Expansion => {
                self.text.push('$');
                self.text.extend(std::iter::repeat_n('x', length.saturating_sub(1)));
                false
            }
            Replacement::Text(text) => {
                self.text.push_str(text);
                // A text with a blank is more than one token, as long as what it replaces or not.
                text.len() != length || text.contains(' ')
            }
        };
        self.runs.push(Run { here, there: span.start, there_end: span.end, replaced });
    }

    /// The run that holds an offset of the text.
    fn run_at(&self, at: usize) -> Option<Run> {
        let index = self.runs.partition_point(|run| run.here <= at).checked_sub(1)?;
        self.runs.get(index).copied()
    }

    /// The strict reader's span of a range of the text; `None` for what was put in its place.
    fn back(&self, start: usize, end: usize) -> Option<Span> {
        let first = self.run_at(start)?;
        let last = self.run_at(end.checked_sub(1)?.max(start))?;
        if first.replaced && last.replaced && first.here == last.here {
            return None;
        }
        let from = if first.replaced { first.there } else { first.there + (start - first.here) };
        let to = if last.replaced { last.there_end } else { last.there + (end - last.here) };
        Some(Span::new(from, to))
    }
}

/// What the second reader sees.
#[derive(Debug, Default)]
struct View {
    words: Vec<(Span, u32)>,
    /// The first node that is an error or of a kind nobody has looked at.
    odd: Option<String>,
}

/// What the children of a node are.
#[derive(Clone, Copy, Debug)]
struct Frame {
    place: Place,
    /// The command that words after a redirect belong to.
    last: u32,
    /// The target of a redirect, or the `)` of a case arm, has been seen.
    passed: bool,
}

/// Where a node stands.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Place {
    Statements,
    Command(u32),
    /// Inside a word: only substitutions matter.
    Word,
    /// The right side of an assignment.
    Assignment,
    Redirect(u32),
    Loop,
    Case,
    CaseArm,
    Array,
    Function,
}

impl View {
    fn of(tree: &Tree, stand_in: &StandIn<'_>) -> Self {
        let mut view = Self::default();
        let kinds: Option<()> = with_grammar(|_, kinds| view.walk(tree, stand_in, kinds));
        if kinds.is_none() {
            view.odd = Some("no grammar".to_owned());
        }
        view.words.sort_unstable();
        view.words.dedup();
        view
    }

    fn walk(&mut self, tree: &Tree, stand_in: &StandIn<'_>, kinds: &[Kind]) {
        let mut cursor = tree.walk();
        let mut frames: Vec<Frame> = Vec::with_capacity(16);
        let mut commands = 0_u32;
        let mut dollar: Option<usize> = None;
        loop {
            let node = cursor.node();
            let place =
                self.enter(node, frames.last_mut(), stand_in, kinds, &mut commands, &mut dollar);
            if let Some(place) = place
                && cursor.goto_first_child()
            {
                let last = if let Place::Command(id) = place { id } else { 0 };
                frames.push(Frame { place, last, passed: false });
                continue;
            }
            while !cursor.goto_next_sibling() {
                if !cursor.goto_parent() {
                    return;
                }
                if let Some(closed) = frames.pop()
                    && let Some(parent) = frames.last_mut()
                    && closed.place != Place::Word
                    && closed.last != 0
                {
                    parent.last = closed.last;
                }
            }
        }
    }

    /// Notes what a node is; what its children are, if they matter.
    fn enter(
        &mut self,
        node: Node<'_>,
        frame: Option<&mut Frame>,
        stand_in: &StandIn<'_>,
        kinds: &[Kind],
        commands: &mut u32,
        dollar: &mut Option<usize>,
    ) -> Option<Place> {
        let kind = kinds.get(usize::from(node.kind_id())).copied().unwrap_or(Kind::Odd);
        if node.is_error() || node.is_missing() || kind == Kind::Odd {
            self.odd
                .get_or_insert_with(|| format!("{} at byte {}", node.kind(), node.start_byte()));
            // An error may hold anything; its commands still count for deny rules.
            return Some(Place::Statements);
        }
        let Some(frame) = frame else { return Some(Place::Statements) };
        let start = dollar.take().unwrap_or(node.start_byte());
        let word = |view: &mut Self, id: u32| {
            if let Some(span) = stand_in.back(start, node.end_byte()) {
                view.words.push((span, id));
            }
        };
        match (kind, frame.place) {
            (Kind::Comment, _) => None,
            (Kind::Command, _) => {
                *commands += 1;
                Some(Place::Command(*commands))
            }
            (Kind::Statements, _) => Some(Place::Statements),
            (Kind::Substitution, Place::Word | Place::Assignment) => Some(Place::Statements),
            (Kind::Redirect, Place::Command(id)) => Some(Place::Redirect(id)),
            (Kind::Redirect, _) => Some(Place::Redirect(frame.last)),
            (Kind::Loop, _) => Some(Place::Loop),
            (Kind::Case, _) => Some(Place::Case),
            (Kind::CaseArm, Place::Case) => Some(Place::CaseArm),
            (Kind::Array, Place::Assignment) => Some(Place::Array),
            (Kind::Assignment, Place::Command(id)) => {
                word(self, id);
                Some(Place::Assignment)
            }
            (Kind::Assignment, _) => {
                *commands += 1;
                word(self, *commands);
                frame.last = *commands;
                Some(Place::Assignment)
            }
            (Kind::Function, _) => Some(Place::Function),
            (Kind::Word, Place::Function) => None,
            (_, Place::Word | Place::Assignment) => Some(Place::Word),
            (Kind::Dollar, Place::Command(_) | Place::Array | Place::Loop | Place::Redirect(_))
                if node.next_sibling().is_some_and(|next| next.start_byte() == node.end_byte()) =>
            {
                *dollar = Some(start);
                None
            }
            (_, Place::Command(id)) => {
                word(self, id);
                Some(Place::Word)
            }
            (Kind::Token | Kind::Descriptor, Place::Redirect(_)) => None,
            (_, Place::Redirect(id)) => {
                word(self, if frame.passed { id } else { 0 });
                frame.passed = true;
                Some(Place::Word)
            }
            (Kind::Token, Place::CaseArm) => {
                frame.passed |= node.kind() == ")";
                None
            }
            (Kind::Token | Kind::Dollar, _) => None,
            (_, Place::CaseArm) if !frame.passed => {
                word(self, 0);
                Some(Place::Word)
            }
            (Kind::Word | Kind::Substitution, Place::Loop | Place::Case | Place::Array) => {
                word(self, 0);
                if kind == Kind::Substitution { Some(Place::Statements) } else { Some(Place::Word) }
            }
            _ => {
                self.odd.get_or_insert_with(|| {
                    format!("{} out of place at byte {}", node.kind(), node.start_byte())
                });
                Some(Place::Statements)
            }
        }
    }

    /// How this view differs from the strict reader's; `None` where it does not.
    fn difference(&self, stand_in: &StandIn<'_>) -> Option<String> {
        if let Some(odd) = &self.odd {
            return Some(format!("the second reader sees {odd}"));
        }
        let mut pairs: Vec<(u32, u32)> = Vec::with_capacity(self.words.len());
        let mut strict = stand_in.words.iter();
        for (span, id) in &self.words {
            match strict.next() {
                Some((other, command)) if other == span => pairs.push((*id, *command)),
                other => {
                    let other = other.map_or("", |(span, _)| stand_in.source(span.start, span.end));
                    let here = stand_in.source(span.start, span.end);
                    return Some(format!("word `{other}`, to the second reader `{here}`"));
                }
            }
        }
        if let Some((span, _)) = strict.next() {
            let text = stand_in.source(span.start, span.end);
            return Some(format!("word `{text}`, not seen by the second reader"));
        }
        pairs.sort_unstable();
        pairs.dedup();
        let forward = pairs.windows(2).any(|two| matches!(two, [one, next] if one.0 == next.0));
        pairs.sort_unstable_by_key(|(_, command)| *command);
        let backward = pairs.windows(2).any(|two| matches!(two, [one, next] if one.1 == next.1));
        (forward || backward).then(|| "the same words in other commands".to_owned())
    }

    /// Adds the commands this reader sees, by their words roughly unquoted.
    fn add_commands(&self, stand_in: &StandIn<'_>, out: &mut Vec<Vec<String>>) {
        let mut strict: Vec<Vec<Span>> = Vec::new();
        group(&stand_in.words, &mut strict);
        let mut mine = Vec::new();
        group(&self.words, &mut mine);
        for spans in mine.iter().filter(|spans| !strict.contains(spans)) {
            let words = spans
                .iter()
                .map(|span| stand_in.source(span.start, span.end).replace(['\'', '"', '\\'], ""));
            out.push(words.collect());
        }
    }
}

/// Words by the command they belong to.
fn group(words: &[(Span, u32)], out: &mut Vec<Vec<Span>>) {
    let mut sorted: Vec<(u32, Span)> =
        words.iter().filter(|(_, id)| *id != 0).map(|(span, id)| (*id, *span)).collect();
    sorted.sort_unstable();
    for chunk in sorted.chunk_by(|one, two| one.0 == two.0) {
        out.push(chunk.iter().map(|(_, span)| *span).collect());
    }
}

/// What a kind of node is to us.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Kind {
    /// Not on the list: nothing is allowed on its word.
    Odd,
    Statements,
    Command,
    Assignment,
    Substitution,
    Redirect,
    Descriptor,
    Loop,
    Case,
    CaseArm,
    Array,
    Function,
    Word,
    Comment,
    /// An anonymous node.
    Token,
    Dollar,
}

fn kinds_of(language: &Language) -> Vec<Kind> {
    let count = language.node_kind_count();
    (0..count)
        .map(|id| {
            let id = u16::try_from(id).unwrap_or(u16::MAX);
            let name = language.node_kind_for_id(id).unwrap_or("");
            if !language.node_kind_is_named(id) {
                return if name == "$" { Kind::Dollar } else { Kind::Token };
            }
            KINDS.iter().find(|(kind, _)| *kind == name).map_or(Kind::Odd, |(_, kind)| *kind)
        })
        .collect()
}

/// Calls of the progress callback, one per hundred parser steps. Measured: 10,000 characters of
/// ordinary commands make fewer than 200, of brackets 600. Steps are no clock: the inputs that are
/// slow step by step are kept out beforehand (long pipelines by the strict reader, long broken texts
/// by [`LONGEST_BROKEN`], tests and arithmetic by lifting them out).
const BUDGET: usize = 2_000;

/// Bytes of a text that the strict reader could not read, up to which this one is still asked.
const LONGEST_BROKEN: usize = 1_000;

/// Every kind of node that has been looked at.
const KINDS: &[(&str, Kind)] = &[
    ("program", Kind::Statements),
    ("list", Kind::Statements),
    ("pipeline", Kind::Statements),
    ("redirected_statement", Kind::Statements),
    ("compound_statement", Kind::Statements),
    ("subshell", Kind::Statements),
    ("if_statement", Kind::Statements),
    ("elif_clause", Kind::Statements),
    ("else_clause", Kind::Statements),
    ("while_statement", Kind::Statements),
    ("do_group", Kind::Statements),
    ("command", Kind::Command),
    ("declaration_command", Kind::Command),
    ("unset_command", Kind::Command),
    ("variable_assignments", Kind::Command),
    ("variable_assignment", Kind::Assignment),
    ("command_substitution", Kind::Substitution),
    ("process_substitution", Kind::Substitution),
    ("file_redirect", Kind::Redirect),
    ("file_descriptor", Kind::Descriptor),
    ("for_statement", Kind::Loop),
    ("case_statement", Kind::Case),
    ("case_item", Kind::CaseArm),
    ("function_definition", Kind::Function),
    ("array", Kind::Array),
    ("command_name", Kind::Word),
    ("word", Kind::Word),
    ("number", Kind::Word),
    ("concatenation", Kind::Word),
    ("string", Kind::Word),
    ("string_content", Kind::Word),
    ("raw_string", Kind::Word),
    ("ansi_c_string", Kind::Word),
    ("translated_string", Kind::Word),
    ("simple_expansion", Kind::Word),
    ("variable_name", Kind::Word),
    ("special_variable_name", Kind::Word),
    ("brace_expression", Kind::Word),
    ("extglob_pattern", Kind::Word),
    ("subscript", Kind::Word),
    ("comment", Kind::Comment),
];
