//! The tree the reader makes: what bash would run, part by part.
//!
//! Spans are byte ranges into the command as given. Inside backquotes, where bash reads an unescaped
//! copy, spans are those of the whole backquoted text (approximate, never outside it).
//! Depth is bounded by the reader ([`crate::parse`]), so walking the tree by recursion is bounded.

use portcullis_model::{Reason, Span};

/// Everything read from one command string.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Program {
    /// The commands, in order. What could not be read is missing here and has an obstacle; complete
    /// commands inside something broken follow the line they stood in, out of their context.
    pub script: Script,
    /// Why the text could not be read in full; empty when it was.
    pub obstacles: Vec<Obstacle>,
    /// When something could not be read: the words of the raw text split at every metacharacter,
    /// command by command, once with quotes taken away and once split at quotes too. Deny rules look
    /// here too; empty otherwise.
    pub lossy: Vec<Vec<String>>,
    /// Commands, by their words, that are not in the script: those the second reader saw and the
    /// strict one did not, and those in literal values of variables where some arithmetic would run
    /// them (`x='a[$(cmd)]'; ((x))`). Deny and ask rules look here too.
    pub second_opinion: Vec<Vec<String>>,
    /// Invisible or direction-changing characters inside quotes: allowed, but flagged for display.
    pub display_flags: Vec<Span>,
}

/// A reason, and the text it is about.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Obstacle {
    /// Why.
    pub reason: Reason,
    /// Which text.
    pub span: Span,
    /// More for a person (both views of a disagreement, the limit that was hit); may be empty.
    pub detail: String,
}

/// A list of statements.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Script {
    /// In order.
    pub statements: Vec<Statement>,
}

/// An and-or list with its terminator.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Statement {
    /// The pipelines, joined by `&&` and `||`.
    pub list: AndOr,
    /// Ended by `&`: runs in a subshell of its own.
    pub background: bool,
}

/// Pipelines joined by `&&` and `||`, left to right.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct AndOr {
    /// The first pipeline.
    pub first: Pipeline,
    /// The others, each with what stands before it.
    pub rest: Vec<(Connector, Pipeline)>,
}

/// `&&` or `||`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Connector {
    /// `&&`
    And,
    /// `||`
    Or,
}

/// Commands joined by `|` or `|&`; with more than one, each runs in a subshell.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Pipeline {
    /// Starts with the reserved word `time` (with or without `-p`).
    pub timed: bool,
    /// Starts with `!` (an odd number of times).
    pub negated: bool,
    /// The commands.
    pub commands: Vec<Command>,
    /// From the first word to the last.
    pub span: Span,
}

/// One command.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Command {
    /// Words, assignments, redirects.
    Simple(Simple),
    /// Everything with its own syntax.
    Compound {
        /// What it is.
        kind: Compound,
        /// Redirects after its end; they hold for everything inside.
        redirects: Vec<Redirect>,
        /// From its first word to its last.
        span: Span,
    },
}

/// A simple command. With no words it only assigns and redirects.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Simple {
    /// Leading assignments.
    pub assigns: Vec<Assign>,
    /// The words after brace expansion; the first is the name. `declare`, `export` and the like get
    /// their assignment arguments as ordinary words (array values: see [`Part::Array`]).
    pub words: Vec<Word>,
    /// Redirects, wherever they stand in the command.
    pub redirects: Vec<Redirect>,
    /// From the first assignment, word or redirect to the last.
    pub span: Span,
    /// The source text of assignments and words as written, continuations removed and redirects
    /// left out, otherwise byte for byte (blanks between words included, but none left at the ends
    /// or doubled where a redirect was taken out).
    pub source: String,
    /// As `source`, for the words alone.
    pub words_source: String,
}

/// `name=value`, `name+=value`, `name[subscript]=value`, `name=(…)`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Assign {
    /// The variable.
    pub name: String,
    /// The subscript between brackets.
    pub subscript: Option<Word>,
    /// `+=`
    pub append: bool,
    /// The value.
    pub value: AssignValue,
    /// All of it.
    pub span: Span,
}

/// The right side of an assignment.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum AssignValue {
    /// One word; empty for `x=`.
    Scalar(Word),
    /// `( … )`: the words inside, `[i]=v` elements as plain words.
    Array(Vec<Word>),
}

/// One word: parts that bash concatenates.
///
/// A word made from a brace expression has been expanded: the words share its span.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Word {
    /// The parts in order; none for a word that is only empty quotes (which has `quoted` set).
    pub parts: Vec<Part>,
    /// Some part of it is quoted, so it is a word even if all its parts are empty.
    pub quoted: bool,
    /// Made by brace expansion.
    pub from_brace: bool,
    /// Where it stands.
    pub span: Span,
}

impl Word {
    /// The text, where it is fully known.
    pub fn known(&self) -> Option<String> {
        let mut out = String::new();
        for part in &self.parts {
            match part {
                Part::Text { text, .. } => out.push_str(text),
                Part::Glob(_)
                | Part::Param { .. }
                | Part::Subst { .. }
                | Part::Process { .. }
                | Part::Arith { .. }
                | Part::Tilde(_)
                | Part::Array(_)
                | Part::Unreadable { .. } => return None,
            }
        }
        Some(out)
    }
}

/// A part of a word.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Part {
    /// Text after quote removal. `quoted` text is never split, globbed or tilde-expanded; unquoted
    /// text here has no special meaning left either (glob characters are [`Part::Glob`]).
    Text {
        /// The text.
        text: String,
        /// Whether it stood in quotes or behind a backslash.
        quoted: bool,
    },
    /// Unquoted glob text: `*`, `?`, a bracket expression or an extended glob, as written. May
    /// become any number of words.
    Glob(String),
    /// `$name`, `${…}`, `$1`, `$@`, …
    Param {
        /// What is expanded and how.
        expansion: Expansion,
        /// Inside double quotes: one word unless the parameter is `@` (or `name[@]`).
        quoted: bool,
    },
    /// `$( … )`, backquotes, or `${ …; }`. One that holds no command expands to nothing and is left
    /// out; a word of nothing else is no word.
    Subst {
        /// What runs.
        script: Script,
        /// How it is written.
        form: SubstForm,
        /// Inside double quotes.
        quoted: bool,
    },
    /// `<( … )` or `>( … )`: one word that names a descriptor.
    Process {
        /// What runs.
        script: Script,
        /// `>( … )`
        output: bool,
    },
    /// `$(( … ))` or `$[ … ]`
    Arith {
        /// The expression.
        arith: Arith,
        /// Inside double quotes.
        quoted: bool,
    },
    /// `~` or `~user`, `~+`, `~-` where bash expands it: the text after `~`.
    Tilde(String),
    /// `( … )` after `name=` in an argument of `declare` and the like.
    Array(Vec<Word>),
    /// Something that is one word or none but cannot be read (a byte that is not UTF-8).
    Unreadable {
        /// Inside quotes: does not split.
        quoted: bool,
    },
}

/// How a command substitution is written.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum SubstForm {
    /// `$( … )`
    Dollar,
    /// `` `…` ``
    Backquote,
    /// `${ …; }` and `${|…;}` of bash 5.3
    Function,
}

/// A parameter expansion.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Expansion {
    /// The name: a variable, a number, or one of `@*#?-$!`.
    pub name: String,
    /// `${!…}`
    pub indirect: bool,
    /// `${#…}`
    pub length: bool,
    /// `[…]` after the name; `@` and `*` stand as text.
    pub subscript: Option<Word>,
    /// The operator as written (`:-`, `-`, `:=`, `=`, `:?`, `?`, `:+`, `+`, `#`, `##`, `%`, `%%`,
    /// `/`, `//`, `/#`, `/%`, `^`, `^^`, `,`, `,,`, `@`, `:`), or empty.
    pub operator: String,
    /// The operand words after the operator, each with every substitution it holds. The bounds of
    /// `${x:offset:length}` are words of one [`Part::Arith`]; so is a subscript that is no integer.
    pub operands: Vec<Word>,
}

/// An arithmetic expression.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Arith {
    /// Its text as written.
    pub text: String,
    /// Its value, where it is only integers, operators and blanks and was worked out.
    pub value: Option<i64>,
    /// Everything in it that is expanded first.
    pub parts: Vec<Part>,
}

/// A redirect.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Redirect {
    /// The descriptor before the operator.
    pub descriptor: Descriptor,
    /// The operator.
    pub op: RedirectOp,
    /// The target.
    pub target: Target,
    /// From the descriptor to the target.
    pub span: Span,
}

/// The descriptor a redirect names.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Descriptor {
    /// None: the operator's default.
    Default,
    /// A number, as written.
    Number(String),
    /// `{name}`
    Variable(String),
}

/// Every redirect operator of bash.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum RedirectOp {
    /// `<`
    Read,
    /// `>`
    Write,
    /// `>>`
    Append,
    /// `>|`
    Clobber,
    /// `<>`
    ReadWrite,
    /// `&>`
    WriteBoth,
    /// `&>>`
    AppendBoth,
    /// `>&`
    DupWrite,
    /// `<&`
    DupRead,
    /// `<<`
    HereDoc,
    /// `<<-`
    HereDocTabs,
    /// `<<<`
    HereString,
}

impl RedirectOp {
    /// As written.
    pub fn text(self) -> &'static str {
        match self {
            Self::Read => "<",
            Self::Write => ">",
            Self::Append => ">>",
            Self::Clobber => ">|",
            Self::ReadWrite => "<>",
            Self::WriteBoth => "&>",
            Self::AppendBoth => "&>>",
            Self::DupWrite => ">&",
            Self::DupRead => "<&",
            Self::HereDoc => "<<",
            Self::HereDocTabs => "<<-",
            Self::HereString => "<<<",
        }
    }
}

/// What a redirect points at.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Target {
    /// A word: a file, a descriptor (`>&2`), `-`, or the text of a here-string.
    Word(Word),
    /// A here-document.
    HereDoc(HereDoc),
}

/// A here-document.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct HereDoc {
    /// The delimiter after quote removal.
    pub delimiter: String,
    /// The delimiter was quoted: the body is data.
    pub quoted: bool,
    /// The body, expansions included (all text when the delimiter is quoted).
    pub body: Word,
}

/// A command with its own syntax.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Compound {
    /// `{ …; }`
    Group(Script),
    /// `( … )`
    Subshell(Script),
    /// `if`: conditions with their bodies, and the `else` body.
    If {
        /// `if` and `elif` arms: condition, body.
        arms: Vec<(Script, Script)>,
        /// The `else` body.
        otherwise: Option<Script>,
    },
    /// `while` and `until`.
    While {
        /// `until`
        until: bool,
        /// The condition.
        condition: Script,
        /// The body.
        body: Script,
    },
    /// `for name in …` and `select name in …`.
    For {
        /// The variable.
        name: String,
        /// The words; `None` without `in` (the positional parameters).
        words: Option<Vec<Word>>,
        /// `select`
        select: bool,
        /// The body.
        body: Script,
    },
    /// `for (( …; …; … ))`
    ForArith {
        /// The expressions, three of them.
        expressions: Vec<Arith>,
        /// The body.
        body: Script,
    },
    /// `case`
    Case {
        /// The word.
        word: Word,
        /// The arms.
        arms: Vec<Arm>,
    },
    /// `name() …` and `function name …`
    Function {
        /// The name.
        name: String,
        /// The body.
        body: Box<Command>,
    },
    /// `coproc`
    Coproc {
        /// The name, if given.
        name: Option<String>,
        /// What runs.
        body: Box<Command>,
    },
    /// `[[ … ]]`: its words, operators as plain words.
    Test(Vec<Word>),
    /// `(( … ))`
    Arith(Arith),
}

/// An arm of `case`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Arm {
    /// The patterns.
    pub patterns: Vec<Word>,
    /// The body.
    pub body: Script,
}
