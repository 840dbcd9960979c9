//! The second reader of plain text: words, quotes, lists, pipelines and ordinary redirects.
//!
//! Most commands an agent runs are of a kind on which no two readers of shell ever differed: words
//! between blanks, in quotes or not, joined by `&&`, `||`, `;`, `|` and newlines. For them the second
//! opinion need not come from a grammar that costs more than the whole decision; this scanner shares no code
//! with the strict reader and takes the text apart on its own. It gives up at the first byte that could mean more, and
//! the grammar is asked then. The tests ask both about the same texts: where this reader agrees with the strict one, the grammar
//! has to agree as well.

use crate::trace::{Edit, Piece, Replacement};
use portcullis_model::Span;

/// Whether the text is plain and its words are those the strict reader saw, in the same commands.
/// `false` says nothing about the text.
pub(crate) fn agrees(piece: &Piece) -> bool {
    let trace = &piece.trace;
    // A `;` put before a line's end is for the grammar; here the line's end is enough.
    let changed =
        |edit: &Edit| edit.by != Replacement::Text(";") || edit.span.end > edit.span.start;
    if piece.island || trace.edits.iter().any(changed) || !trace.continuations.is_empty() {
        return false;
    }
    let mut words = Words { seen: trace.words.iter(), command: 0, compared: 0, strict: 0 };
    let mut scanner = Scanner { bytes: piece.text.as_bytes(), at: 0, start: piece.start };
    scanner.statements(&mut words).is_some() && words.seen.next().is_none()
}

/// What the strict reader saw, to be met word by word.
struct Words<'t> {
    seen: std::slice::Iter<'t, (Span, u32)>,
    /// How many commands have begun here.
    command: u32,
    /// The command whose words are being compared, by its number here and by the strict reader's.
    compared: u32,
    strict: u32,
}

impl Words<'_> {
    /// Meets a word of the command that was begun last.
    fn word(&mut self, span: Span) -> Option<()> {
        let (seen, command) = self.seen.next()?;
        if *seen != span {
            return None;
        }
        if self.compared == self.command {
            return (*command == self.strict).then_some(());
        }
        if *command <= self.strict {
            return None;
        }
        (self.compared, self.strict) = (self.command, *command);
        Some(())
    }

    /// Meets the target of a redirect.
    fn target(&mut self, span: Span) -> Option<()> {
        self.seen.next().filter(|(seen, command)| *seen == span && *command == 0).map(drop)
    }
}

/// Where a text is being read; every method gives up with `None`.
struct Scanner<'p> {
    bytes: &'p [u8],
    at: usize,
    /// What the offsets are counted from.
    start: usize,
}

impl Scanner<'_> {
    fn peek(&self) -> Option<u8> {
        self.bytes.get(self.at).copied()
    }

    fn take(&mut self, byte: u8) -> bool {
        let there = self.peek() == Some(byte);
        self.at += usize::from(there);
        there
    }

    fn blanks(&mut self) {
        while self.take(b' ') || self.take(b'\t') {}
    }

    fn statements(&mut self, words: &mut Words<'_>) -> Option<()> {
        loop {
            self.blanks();
            if self.take(b'\n') {
                continue;
            }
            if self.peek().is_none() {
                return Some(());
            }
            self.command(words)?;
            // After these two an end is as good as another command.
            let mut more = self.take(b';') || self.take(b'\n') || self.peek().is_none();
            while !more {
                if self.take(b'|') {
                    self.take(b'|');
                } else if !(self.take(b'&') && self.take(b'&')) {
                    return None;
                }
                self.blanks();
                self.command(words)?;
                more = self.take(b';') || self.take(b'\n') || self.peek().is_none();
            }
        }
    }

    /// A simple command that starts with a word, up to what ends it.
    fn command(&mut self, words: &mut Words<'_>) -> Option<()> {
        words.command += 1;
        loop {
            let start = self.at;
            words.word(self.word()?)?;
            let lead = self.bytes.get(start..self.at)?;
            if !is_lead(lead) {
                return None;
            }
            if !lead.contains(&b'=') {
                break;
            }
            let end = self.at;
            self.blanks();
            if !self.peek().is_some_and(is_plain) {
                self.at = end;
                break;
            }
        }
        loop {
            let before = self.at;
            self.blanks();
            match self.peek() {
                None | Some(b'\n' | b';' | b'|' | b'&') => return Some(()),
                // A digit before it belongs to it only where it stands alone.
                Some(b'<' | b'>') if before < self.at => self.redirect(words)?,
                Some(b'0'..=b'9') if self.bytes.get(self.at + 1) == Some(&b'>') => {
                    self.at += 1;
                    self.redirect(words)?;
                }
                Some(_) => words.word(self.word()?)?,
            }
        }
    }

    /// `<`, `>` or `>>` and a word, or `>&` and a descriptor.
    fn redirect(&mut self, words: &mut Words<'_>) -> Option<()> {
        if !self.take(b'<') {
            self.take(b'>');
            if self.take(b'&') {
                let span = self.word()?;
                let one_digit = span.end == span.start + 1
                    && self.bytes.get(self.at.wrapping_sub(1)).is_some_and(u8::is_ascii_digit);
                return if one_digit { words.target(span) } else { None };
            }
            self.take(b'>');
        }
        self.blanks();
        words.target(self.word()?)
    }

    /// A word of plain characters, quotes and simple variables; never an empty one.
    fn word(&mut self) -> Option<Span> {
        let start = self.at;
        // An operator to the grammar.
        if self.peek() == Some(b'=') {
            return None;
        }
        loop {
            match self.peek() {
                Some(byte) if is_plain(byte) => self.at += 1,
                Some(b'\'') => {
                    self.at += 1;
                    let rest = self.bytes.get(self.at..)?;
                    self.at += rest.iter().position(|byte| *byte == b'\'')? + 1;
                }
                Some(b'"') => {
                    self.at += 1;
                    self.double_quoted()?;
                }
                Some(b'$') => self.variable()?,
                None | Some(b' ' | b'\t' | b'\n' | b';' | b'|' | b'&') => break,
                Some(_) => return None,
            }
        }
        (self.at > start).then(|| Span::new(self.start + start, self.start + self.at))
    }

    /// What follows an opening `"`, with the closing one.
    fn double_quoted(&mut self) -> Option<()> {
        loop {
            match self.peek()? {
                b'"' => {
                    self.at += 1;
                    return Some(());
                }
                b'\\' | b'`' => return None,
                b'$' => self.variable()?,
                _ => self.at += 1,
            }
        }
    }

    /// `$` and a name.
    fn variable(&mut self) -> Option<()> {
        self.at += 1;
        let named = self.peek().is_some_and(|byte| byte.is_ascii_alphabetic() || byte == b'_');
        named.then_some(())
    }
}

/// What stands for itself, or for a pattern, wherever it is in a word. No brackets, braces,
/// parentheses, `!` and `#`, which begin or end more than a word in some places.
fn is_plain(byte: u8) -> bool {
    byte.is_ascii_alphanumeric() || b"_-./:@%+,=~*?".contains(&byte)
}

/// Whether a command may begin with this word: a simple name, or an assignment.
fn is_lead(word: &[u8]) -> bool {
    let simple = |byte: &u8| byte.is_ascii_alphanumeric() || b"_-./:+,~".contains(byte);
    let end = word.iter().position(|byte| !simple(byte)).unwrap_or(word.len());
    let (name, rest) = word.split_at(end);
    matches!(rest.first(), None | Some(b'=')) && !SPECIAL.contains(&name)
}

/// Words that are more than a word where a command may begin: to bash, or, for the builtins, to the
/// grammar.
const SPECIAL: &[&[u8]] = &[
    b"case",
    b"coproc",
    b"declare",
    b"do",
    b"done",
    b"elif",
    b"else",
    b"esac",
    b"export",
    b"fi",
    b"for",
    b"function",
    b"if",
    b"in",
    b"local",
    b"readonly",
    b"select",
    b"then",
    b"time",
    b"typeset",
    b"unset",
    b"until",
    b"while",
];

#[cfg(test)]
mod tests {
    use super::agrees;
    use crate::reader::{Base, Reader, Shared};
    use crate::trace::Piece;
    use portcullis_model::Span;

    fn piece(text: &str) -> Option<Piece> {
        let mut shared = Shared::new();
        let mut reader = Reader::new(text, Base::Offset(0), &mut shared);
        reader.read_program().ok()?;
        let trace = std::mem::take(&mut reader.trace);
        let span = Span::new(0, text.len());
        Some(Piece { text: text.to_owned(), start: 0, trace, island: false, span })
    }

    fn plain(text: &str) -> bool {
        piece(text).is_some_and(|piece| agrees(&piece))
    }

    #[test]
    fn objects_to_other_words_and_other_commands() {
        let text = "a=1 ls -la > out && pwd -P";
        let strict = piece(text).unwrap();
        for at in 0..strict.trace.words.len() {
            let mut missing = piece(text).unwrap();
            missing.trace.words.remove(at);
            assert!(!agrees(&missing), "word {at} missing");
            let mut longer = piece(text).unwrap();
            longer.trace.words[at].0.end += 1;
            assert!(!agrees(&longer), "word {at} longer");
            let mut elsewhere = piece(text).unwrap();
            elsewhere.trace.words[at].1 = 7;
            assert!(!agrees(&elsewhere), "word {at} in another command");
        }
        let mut more = piece(text).unwrap();
        more.trace.words.push((Span::new(text.len(), text.len()), 9));
        assert!(!agrees(&more));
    }

    #[test]
    fn reads_what_is_plain() {
        for text in [
            "ls",
            "ls -la src/*.rs",
            "  git  status && git diff --stat  ",
            "grep -rn 'fn main' src | head -n 20",
            "npm run \"build all\" > out.log 2>&1",
            "A=1 B='x y' make -j4 \"$TARGET\" || echo failed >&2; true",
            "echo \"it's\"'\"'x \"$HOME/b\" $HOME/b",
            "cat < in >> out; pwd\n\nls\n",
            "git commit -m 'one\ntwo; rm x'",
            "echo if then done",
            "x=1",
            "",
        ] {
            assert!(plain(text), "{text:?}");
        }
    }

    #[test]
    fn leaves_what_may_mean_more() {
        for text in [
            "echo $(ls)",
            "echo `ls`",
            "echo \"$(ls)\"",
            "echo ${x}",
            "echo $1",
            "echo $'x'",
            "echo a\\ b",
            "if true; then ls; fi",
            "x=1 && time ls",
            "! ls",
            "{ ls; }",
            "(ls)",
            "[ -f x ]",
            "[[ -f x ]]",
            "ls # x",
            "ls &",
            "ls & pwd",
            "ls &> x",
            "ls |& cat",
            "cat <<E\nx\nE",
            "cat <<< x",
            "cat <> x",
            "ls >| x",
            "ls > &1",
            "ls >& x",
            "ls 2<&1",
            "ls 10> x",
            "ls 0< x",
            "export A=1",
            "a@b",
            "ls>x",
            "> x",
            "f() { ls; }",
            "echo {a,b}",
            "x=(1 2)",
            "ls 2> >(cat)",
            "l\\\ns",
        ] {
            assert!(!plain(text), "{text:?}");
        }
    }
}
