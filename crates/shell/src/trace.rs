//! What the strict reader notes down for the second one while it reads.
//!
//! A [`Trace`] belongs to one buffer: the command as given, the unescaped text of backquotes, or a
//! piece of a buffer that the second reader sees on its own because it cannot read what is around it
//! (a substitution in a here-document body, in `${…}` or in arithmetic).

use portcullis_model::Span;

/// Words, edits and pieces of one buffer, in offsets of that buffer.
#[derive(Debug, Default)]
pub(crate) struct Trace {
    /// Every word with the simple command it belongs to; 0 for words outside simple commands.
    pub(crate) words: Vec<(Span, u32)>,
    /// What to change before the second reader sees the text.
    pub(crate) edits: Vec<Edit>,
    /// Offsets of the backslashes of removed continuations, ascending.
    pub(crate) continuations: Vec<usize>,
}

/// One change to the text the second reader sees.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Edit {
    /// What is replaced.
    pub(crate) span: Span,
    /// By what.
    pub(crate) by: Replacement,
}

/// What stands in for a piece of text.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Replacement {
    /// Nothing.
    Nothing,
    /// As many blanks.
    Blanks,
    /// `$x…` of the same length: an expansion the second reader need not look into.
    Expansion,
    /// `x…` of the same length: a word it need not look into.
    Plain,
    /// This text; words inside it are not compared where it has blanks or another length.
    Text(&'static str),
}

/// A piece of text for the second reader, with what the strict reader saw in it.
#[derive(Debug)]
pub(crate) struct Piece {
    /// The text.
    pub(crate) text: String,
    /// Where it starts in the buffer its trace speaks of.
    pub(crate) start: usize,
    /// What the strict reader saw.
    pub(crate) trace: Trace,
    /// It is one substitution, given on its own.
    pub(crate) island: bool,
    /// Which text of the command it stands for.
    pub(crate) span: Span,
}

impl Trace {
    /// Notes a change.
    pub(crate) fn edit(&mut self, start: usize, end: usize, by: Replacement) {
        self.edits.push(Edit { span: Span::new(start, end), by });
    }
}
