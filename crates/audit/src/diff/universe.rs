//! Which texts there are at all: commands, paths, hosts, names. What a call can never say needs no proof.

use portcullis_model::AbsPath;
use portcullis_rules::automaton::{ByteSet, Universe};

/// A tree of words: where a text is among them.
#[derive(Clone, Debug, Default)]
pub(super) struct Tree {
    nodes: Vec<Branch>,
}

#[derive(Clone, Debug, Default)]
struct Branch {
    next: Vec<(u8, u32)>,
    bytes: ByteSet,
    word: bool,
}

impl Tree {
    pub(super) fn of<'w>(words: impl IntoIterator<Item = &'w str>) -> Self {
        let mut tree = Self { nodes: vec![Branch::default()] };
        for word in words {
            let mut at = 0;
            for byte in word.bytes() {
                at = tree.child(at, byte);
            }
            if let Some(branch) = tree.nodes.get_mut(at as usize) {
                branch.word = true;
            }
        }
        tree
    }

    fn child(&mut self, at: u32, byte: u8) -> u32 {
        if let Some(known) = self.step(at, byte) {
            return known;
        }
        let new = u32::try_from(self.nodes.len()).unwrap_or(0);
        self.nodes.push(Branch::default());
        if let Some(branch) = self.nodes.get_mut(at as usize) {
            branch.next.push((byte, new));
            branch.bytes = branch.bytes.union(ByteSet::single(byte));
        }
        new
    }

    fn step(&self, at: u32, byte: u8) -> Option<u32> {
        let branch = self.nodes.get(at as usize)?;
        branch.next.iter().find(|(own, _)| *own == byte).map(|(_, to)| *to)
    }

    fn bytes(&self, at: u32) -> ByteSet {
        self.nodes.get(at as usize).map_or(ByteSet::NONE, |branch| branch.bytes)
    }

    fn is_word(&self, at: u32) -> bool {
        self.nodes.get(at as usize).is_some_and(|branch| branch.word)
    }
}

/// Behind every word of a tree: no longer on any branch.
const OFF: u32 = 0x00ff_ffff;

/// How a text is put together.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Grammar {
    /// The words of one plain command, in canonical form.
    Words,
    /// One command as somebody writes it, quotes and all.
    Source,
    /// Whole command lines and field values: anything that can be printed.
    Line,
    /// A normalised absolute path.
    Path,
    /// A host name.
    Host,
    /// The name of a tool.
    Tool,
}

/// What being on a branch of the tree means.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Branches {
    /// Texts that are a word of the tree are of kind 1, all others of kind 0.
    Word,
    /// Texts below a word of the tree, as paths are, are of kind 1, all others of kind 0.
    Below,
    /// Only texts that begin with a word of the tree are texts at all; they are of kind 1.
    Start,
}

/// A grammar, and a tree of words that says what kind of text it is.
#[derive(Debug)]
pub(super) struct Texts {
    grammar: Grammar,
    branches: Branches,
    tree: Tree,
}

impl Texts {
    pub(super) fn of(grammar: Grammar) -> Self {
        Self { grammar, branches: Branches::Word, tree: Tree::of([]) }
    }

    pub(super) fn with(grammar: Grammar, branches: Branches, tree: Tree) -> Self {
        Self { grammar, branches, tree }
    }

    /// Paths, those inside of some directories apart.
    pub(super) fn paths<'d>(directories: impl IntoIterator<Item = &'d AbsPath>) -> Self {
        let tree = Tree::of(directories.into_iter().map(|directory| match directory.as_str() {
            "/" => "",
            text => text,
        }));
        Self::with(Grammar::Path, Branches::Below, tree)
    }
}

/// Below a word of the tree.
const INSIDE: u32 = OFF - 1;

impl Universe for Texts {
    fn start(&self) -> u32 {
        let tree = match self.branches {
            Branches::Below if self.tree.is_word(0) => INSIDE,
            Branches::Word | Branches::Below | Branches::Start => 0,
        };
        join(START, tree)
    }

    fn step(&self, state: u32, byte: u8) -> Option<u32> {
        let (form, tree) = split(state);
        let form_after = form_step(self.grammar, form, byte)?;
        let ends = match self.branches {
            Branches::Word => false,
            Branches::Below => byte == b'/',
            Branches::Start => byte == b' ',
        };
        let tree = match tree {
            OFF | INSIDE => tree,
            at if ends && self.tree.is_word(at) => INSIDE,
            at => match (self.tree.step(at, byte), self.branches) {
                (Some(after), _) => after,
                (None, Branches::Word | Branches::Below) => OFF,
                // An assignment before a command that begins so.
                (None, Branches::Start) if byte == b'=' => INSIDE,
                (None, Branches::Start) => return None,
            },
        };
        Some(join(form_after, tree))
    }

    fn kind(&self, state: u32) -> Option<u8> {
        let (form, tree) = split(state);
        if !form_ends(self.grammar, form) {
            return None;
        }
        let on = tree == INSIDE || (tree != OFF && self.tree.is_word(tree));
        match self.branches {
            Branches::Start => on.then_some(1),
            Branches::Word | Branches::Below => Some(u8::from(on)),
        }
    }

    fn special(&self, state: u32) -> ByteSet {
        let (form, tree) = split(state);
        let own = match (self.grammar, form) {
            (Grammar::Path, _) => ByteSet::single(b'/'),
            (Grammar::Host, _) => ByteSet::single(b'.'),
            (Grammar::Source, SINGLE) => ByteSet::single(b'\''),
            (Grammar::Source, DOUBLE) => ByteSet::single(b'"'),
            (Grammar::Words | Grammar::Source | Grammar::Line | Grammar::Tool, _) => ByteSet::NONE,
        };
        let end = match (self.branches, tree) {
            (Branches::Start, at) if at < INSIDE && self.tree.is_word(at) => ByteSet::single(b' '),
            (Branches::Start | Branches::Word | Branches::Below, _) => ByteSet::NONE,
        };
        let branches = if tree < INSIDE { self.tree.bytes(tree) } else { ByteSet::NONE };
        own.union(end).union(branches)
    }

    fn plain(&self, state: u32) -> &[u8] {
        match (self.grammar, split(state).0) {
            (Grammar::Words | Grammar::Source, ESCAPED) => b"?*&;|()<>[]{}!$'\"` \\",
            (Grammar::Words | Grammar::Source | Grammar::Line | Grammar::Path, _) => {
                b"xyzwvutsrqponmlkjihgfedcba0123456789XYZWVUTSRQPONMLKJIHGFEDCBA_-.,:@%+/"
            }
            (Grammar::Host, _) => b"xyzwvutsrqponmlkjihgfedcba0123456789-",
            (Grammar::Tool, _) => {
                b"xyzwvutsrqponmlkjihgfedcbaXYZWVUTSRQPONMLKJIHGFEDCBA0123456789_-"
            }
        }
    }
}

fn join(form: u32, tree: u32) -> u32 {
    form << 24 | tree
}

fn split(state: u32) -> (u32, u32) {
    (state >> 24, state & OFF)
}

// The forms of a text: where in its grammar it is.

/// Nothing was read, or a blank, a slash or a dot that something has to follow.
const START: u32 = 0;
/// Inside a word, a name or a label; a text may end here.
const WORD: u32 = 1;
/// Behind a backslash.
const ESCAPED: u32 = 2;
/// Inside single quotes.
const SINGLE: u32 = 3;
/// Inside double quotes.
const DOUBLE: u32 = 4;
/// Behind a backslash inside double quotes.
const DOUBLE_ESCAPED: u32 = 5;
/// A path component of one dot, and of two.
const DOT: u32 = 6;
const DOTS: u32 = 7;
/// The root of paths.
const ROOT: u32 = 8;
/// Inside an address in brackets, and behind it.
const BRACKET: u32 = 9;
const ADDRESS: u32 = 10;
/// Behind the blank between two words.
const BETWEEN: u32 = 11;
/// So many more bytes of a character outside ASCII, in a word or a quote: base + what is pending - 1.
const PENDING: u32 = 16;

/// The form after a byte; `None` where no text of the grammar goes on like that.
fn form_step(grammar: Grammar, form: u32, byte: u8) -> Option<u32> {
    if form >= PENDING {
        let (left, back) = ((form - PENDING) % 4, (form - PENDING) / 4);
        let goes_on = (0x80..=0xbf).contains(&byte);
        return goes_on.then_some(match left {
            0 => back,
            left => PENDING + back * 4 + left - 1,
        });
    }
    if byte >= 0x80 {
        let back = match form {
            START | ESCAPED | DOT | DOTS | BETWEEN => WORD,
            DOUBLE_ESCAPED => DOUBLE,
            form => form,
        };
        let more = match byte {
            0xc2..=0xdf => 0,
            0xe1..=0xec | 0xee..=0xef => 1,
            0xf1..=0xf3 => 2,
            _ => return None,
        };
        let takes = !matches!(grammar, Grammar::Host | Grammar::Tool) && form != ROOT;
        return takes.then_some(PENDING + back * 4 + more);
    }
    match grammar {
        Grammar::Words => words_step(form, byte),
        Grammar::Source => source_step(form, byte),
        Grammar::Line => (byte == b' ' || byte.is_ascii_graphic()).then_some(WORD),
        Grammar::Path => path_step(form, byte),
        Grammar::Host => host_step(form, byte),
        Grammar::Tool => {
            let first = byte.is_ascii_alphabetic() || byte == b'_';
            let later = first || byte.is_ascii_digit() || byte == b'-';
            (first || (form == WORD && later)).then_some(WORD)
        }
    }
}

fn words_step(form: u32, byte: u8) -> Option<u32> {
    match (form, byte) {
        (ESCAPED, byte) => SPECIAL.contains(&byte).then_some(WORD),
        (_, b'\\') => Some(ESCAPED),
        (WORD, b' ') => Some(BETWEEN),
        (START | BETWEEN, b'#' | b'~') => None,
        (_, byte) => (byte.is_ascii_graphic() && !SPECIAL.contains(&byte)).then_some(WORD),
    }
}

fn source_step(form: u32, byte: u8) -> Option<u32> {
    if byte == b'\t' || (byte != b' ' && !byte.is_ascii_graphic()) {
        return None;
    }
    match (form, byte) {
        (SINGLE, b'\'') => Some(WORD),
        (SINGLE, _) => Some(SINGLE),
        (DOUBLE, b'"') => Some(WORD),
        (DOUBLE, b'\\') => Some(DOUBLE_ESCAPED),
        (DOUBLE | DOUBLE_ESCAPED, _) => Some(DOUBLE),
        (ESCAPED, _) => Some(WORD),
        (_, b'\'') => Some(SINGLE),
        (_, b'"') => Some(DOUBLE),
        (_, b'\\') => Some(ESCAPED),
        (START, b' ') | (_, b';' | b'|' | b'&') => None,
        (_, b' ') => Some(BETWEEN),
        (_, _) => Some(WORD),
    }
}

fn path_step(form: u32, byte: u8) -> Option<u32> {
    match (form, byte) {
        (START, b'/') => Some(ROOT),
        (START, _) | (ROOT | DOT | DOTS | BETWEEN, b'/') => None,
        (_, b'/') => Some(BETWEEN),
        (ROOT | BETWEEN, b'.') => Some(DOT),
        (DOT, b'.') => Some(DOTS),
        (_, byte) => (byte == b' ' || byte.is_ascii_graphic()).then_some(WORD),
    }
}

fn host_step(form: u32, byte: u8) -> Option<u32> {
    match (form, byte) {
        (START, b'[') => Some(BRACKET),
        (BRACKET, b']') => Some(ADDRESS),
        (BRACKET, byte) => (byte.is_ascii_hexdigit() || byte == b':').then_some(BRACKET),
        (WORD, b'.') => Some(BETWEEN),
        (START | BETWEEN | WORD, byte) => {
            let in_label =
                byte.is_ascii_lowercase() || byte.is_ascii_digit() || b"-_".contains(&byte);
            in_label.then_some(WORD)
        }
        _ => None,
    }
}

fn form_ends(grammar: Grammar, form: u32) -> bool {
    match grammar {
        Grammar::Path => form == WORD || form == ROOT,
        Grammar::Host => form == WORD || form == ADDRESS,
        Grammar::Words | Grammar::Source | Grammar::Line | Grammar::Tool => form == WORD,
    }
}

/// What canonical texts escape.
const SPECIAL: &[u8] = b" '\"\\$`|&;<>()*?[]!{}";
