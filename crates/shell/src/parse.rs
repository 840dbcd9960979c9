//! From the text to the program: the gate, the strict reader, the second reader.

use crate::ir::{AssignValue, Obstacle, Part, Program, Script, Simple};
use crate::reader::{Base, Reader, Shared};
use crate::trace::Piece;
use crate::visit::{Visit, walk};
use crate::{gate, heredoc, integers, lossy, second_reader};
use portcullis_model::{Reason, Span};

pub use crate::reader::MAX_DEPTH;

/// What [`parse`] does beyond reading.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Options {
    /// Whether the second reader has to agree.
    pub second_reader: SecondReader,
}

/// Whether the second reader has to agree.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum SecondReader {
    /// It does: the only setting fit for a decision.
    #[default]
    Agrees,
    /// The grammar has to agree even where the text is plain. For tests of the reader of plain text.
    GrammarAgrees,
    /// It is not asked. For tests of the strict reader alone.
    Skipped,
}

/// Reads a command string as bash would.
#[expect(clippy::trivially_copy_pass_by_ref, reason = "options grow")]
pub fn parse(text: &str, options: &Options) -> Program {
    let mut shared = Shared::new();
    let cut = text.char_indices().nth(MAX_CHARACTERS).map_or(text.len(), |(at, _)| at);
    let readable = text.get(..cut).unwrap_or(text);
    let mut reader = Reader::new(readable, Base::Offset(0), &mut shared);
    let script = reader.read_program();
    let trace = std::mem::take(&mut reader.trace);
    let mut script =
        script.unwrap_or_else(|_| Script { statements: std::mem::take(&mut shared.salvaged) });
    if cut < text.len() {
        let detail = format!("longer than {MAX_CHARACTERS} characters");
        shared.note(Reason::TooLong, Span::new(cut, text.len()), detail);
    }
    heredoc::place_bodies(&mut script, &mut shared.bodies);
    if shared.arithmetic_names {
        integers::judge(&script, &mut shared);
    }
    if script.statements.is_empty() && shared.obstacles.is_empty() && says_something(text) {
        shared.note(Reason::UnsupportedSyntax, Span::new(0, text.len()), "no command found");
    }
    let (characters, display_flags) = gate::judge(text, &shared.data);
    shared.obstacles.extend(characters);
    let mut second_opinion = Vec::new();
    if shared.obstacles.iter().any(|obstacle| obstacle.reason == Reason::ArithDynamic) {
        second_opinion.extend(commands_in_values(&script));
    }
    if options.second_reader != SecondReader::Skipped {
        let span = Span::new(0, readable.len());
        let whole = Piece { text: readable.to_owned(), start: 0, trace, island: false, span };
        shared.pieces.push(whole);
        let plain = options.second_reader == SecondReader::Agrees;
        second_reader::compare(&shared.pieces, plain, &mut shared.obstacles, &mut second_opinion);
    }
    let mut obstacles = shared.obstacles;
    obstacles.sort_by(|one, two| one.span.cmp(&two.span).then_with(|| one.cmp(two)));
    obstacles.dedup();
    let lossy = if obstacles.iter().any(is_fatal) { lossy::split(text) } else { Vec::new() };
    Program { script, obstacles, lossy, second_opinion, display_flags }
}

/// The commands that bash would run from this text if it took it apart as arithmetic or as a
/// subscript, where quotes protect nothing (`a[$(cmd)]` as the operand of `let` or `test -v`).
pub fn hidden_commands(text: &str) -> Script {
    let mut shared = Shared::new();
    let mut reader = Reader::new("", Base::Offset(0), &mut shared);
    let cut = text.char_indices().nth(MAX_CHARACTERS).map_or(text.len(), |(at, _)| at);
    let readable = text.get(..cut).unwrap_or(text);
    let parts = reader.read_hidden(readable, Span::new(0, text.len())).unwrap_or_default();
    let mut script = Script { statements: std::mem::take(&mut shared.salvaged) };
    for part in parts {
        collect_scripts(part, &mut script);
    }
    heredoc::place_bodies(&mut script, &mut shared.bodies);
    script
}

/// The commands in literal values of assignments, which arithmetic on the variable would run.
fn commands_in_values(script: &Script) -> Vec<Vec<String>> {
    let mut values = Values::default();
    walk(script, &mut values);
    let mut commands = Commands::default();
    for value in values.0 {
        walk(&hidden_commands(&value), &mut commands);
    }
    commands.0
}

/// Literal values that hold a substitution.
#[derive(Debug, Default)]
struct Values(Vec<String>);

impl Visit for Values {
    fn simple(&mut self, simple: &Simple) {
        for assign in &simple.assigns {
            if let AssignValue::Scalar(word) = &assign.value
                && let Some(text) = word.known()
                && text.contains(['$', '`'])
            {
                self.0.push(text);
            }
        }
    }
}

/// The words of simple commands.
#[derive(Debug, Default)]
struct Commands(Vec<Vec<String>>);

impl Visit for Commands {
    fn simple(&mut self, simple: &Simple) {
        let words: Vec<String> =
            simple.words.iter().map(|word| word.known().unwrap_or_default()).collect();
        if !words.is_empty() {
            self.0.push(words);
        }
    }
}

/// Moves the scripts that a part holds.
fn collect_scripts(part: Part, out: &mut Script) {
    match part {
        Part::Subst { script, .. } | Part::Process { script, .. } => {
            out.statements.extend(script.statements);
        }
        Part::Param { expansion, .. } => {
            let words = expansion.subscript.into_iter().chain(expansion.operands);
            for part in words.flat_map(|word| word.parts) {
                collect_scripts(part, out);
            }
        }
        Part::Arith { arith, .. } => {
            for part in arith.parts {
                collect_scripts(part, out);
            }
        }
        Part::Array(words) => {
            for part in words.into_iter().flat_map(|word| word.parts) {
                collect_scripts(part, out);
            }
        }
        Part::Text { .. } | Part::Glob(_) | Part::Tilde(_) | Part::Unreadable { .. } => {}
    }
}

/// Whether there is anything but blanks and comments.
fn says_something(text: &str) -> bool {
    text.lines().any(|line| {
        let line = line.trim_matches([' ', '\t']);
        !line.is_empty() && !line.starts_with('#')
    })
}

/// Whether text was left unread, or may read differently to someone else.
fn is_fatal(obstacle: &Obstacle) -> bool {
    matches!(
        obstacle.reason,
        Reason::SyntaxError
            | Reason::Unterminated
            | Reason::TooLong
            | Reason::TooDeep
            | Reason::ParseBudget
            | Reason::UnsupportedSyntax
            | Reason::ControlChar
            | Reason::ConfusableSpace
            | Reason::ReaderDisagreement
    )
}

/// The longest command that is read, in characters; what comes after is refused.
pub const MAX_CHARACTERS: usize = 10_000;
