//! The second reader of plain text: words, quotes, lists, pipelines, ordinary redirects, `$(…)` around them, and
//! the common blocks (`if`, loops, here-documents).
//!
//! Most commands an agent runs are of a kind on which no two readers of shell ever differed: words
//! between blanks, in quotes or not, joined by `&&`, `||`, `;`, `|` and newlines. For them the second
//! opinion need not come from a grammar that costs more than the whole decision; this scanner shares no code
//! with the strict reader and takes the text apart on its own. It gives up at the first byte that could mean more, and
//! the grammar is asked then. The tests ask both about the same texts: where this reader agrees with the strict one, the grammar
//! has to agree as well.

mod blocks;

use crate::trace::{Edit, Piece, Replacement};
use blocks::Document;
use portcullis_model::Span;

/// Whether the text is plain and its words are those the strict reader saw, in the same commands.
/// `false` says nothing about the text.
pub(crate) fn agrees(piece: &Piece) -> bool {
    let trace = &piece.trace;
    // The grammar has a reading of its own for some of these bytes.
    let control = |byte: u8| byte.is_ascii_control() && !matches!(byte, b'\n' | b'\t');
    if piece.island || !trace.continuations.is_empty() || piece.text.bytes().any(control) {
        return false;
    }
    let mut words = Words { seen: trace.words.iter(), commands: Vec::new() };
    let mut scanner = Scanner {
        bytes: piece.text.as_bytes(),
        at: 0,
        start: piece.start,
        depth: 0,
        blocks: 0,
        document: None,
        lifted: Vec::new(),
    };
    // A `;` put before a line's end is for the grammar; here the line's end is enough.
    let counts =
        |edit: &&Edit| edit.by != Replacement::Text(";") || edit.span.end > edit.span.start;
    scanner.statements(&mut words, &[]) == Some(End::Text)
        && words.all_met()
        && trace.edits.iter().filter(counts).eq(&scanner.lifted)
}

/// What the strict reader saw, to be met word by word; what is in a substitution before the word around it.
struct Words<'t> {
    seen: std::slice::Iter<'t, (Span, u32)>,
    /// For every command that has begun here, its number by the strict reader; 0 until its first word.
    commands: Vec<u32>,
}

impl Words<'_> {
    /// Begins a command.
    fn begin(&mut self) -> usize {
        self.commands.push(0);
        self.commands.len() - 1
    }

    /// Meets a word of a command.
    fn word(&mut self, command: usize, span: Span) -> Option<()> {
        let (seen, theirs) = self.seen.next()?;
        let known = self.commands.get_mut(command)?;
        if *known == 0 {
            *known = *theirs;
        }
        (*seen == span && *theirs == *known && *theirs != 0).then_some(())
    }

    /// Meets the target of a redirect.
    fn target(&mut self, span: Span) -> Option<()> {
        self.seen.next().filter(|(seen, command)| *seen == span && *command == 0).map(drop)
    }

    /// Whether there is no other word, and no two commands here are one to the strict reader.
    fn all_met(mut self) -> bool {
        self.commands.sort_unstable();
        let distinct = self.commands.windows(2).all(|two| two.first() != two.last());
        distinct && self.seen.next().is_none()
    }
}

/// Where a text is being read; every method gives up with `None`.
struct Scanner<'p> {
    bytes: &'p [u8],
    at: usize,
    /// What the offsets are counted from.
    start: usize,
    /// How many substitutions are open.
    depth: usize,
    /// How many `if`s and loops are open.
    blocks: usize,
    /// The here-document that begins at the next newline.
    document: Option<Document<'p>>,
    /// What the grammar would not be shown of the here-documents that were read.
    lifted: Vec<Edit>,
}

/// What commands in a row came up against.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum End {
    /// The end of the text or of the substitution.
    Text,
    /// A reserved word that was waited for; it is taken.
    Word(&'static [u8]),
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

    /// Commands up to one of the reserved words, or up to the end.
    fn statements(&mut self, words: &mut Words<'_>, ends: &[&'static [u8]]) -> Option<End> {
        loop {
            self.blanks();
            if self.newline()? {
                continue;
            }
            if self.is_at_end() {
                return self.document.is_none().then_some(End::Text);
            }
            if let Some(end) = self.reserved(ends) {
                return Some(End::Word(end));
            }
            self.command(words)?;
            while !self.ends_statement()? {
                if self.take(b'|') {
                    self.take(b'|');
                } else if !(self.take(b'&') && self.take(b'&')) {
                    return None;
                }
                self.blanks();
                self.command(words)?;
            }
        }
    }

    /// Takes what ends a statement. After a `;` or a newline an end is as good as another command.
    fn ends_statement(&mut self) -> Option<bool> {
        Some(self.take(b';') || self.newline()? || self.is_at_end())
    }

    fn is_at_end(&self) -> bool {
        match self.peek() {
            None => self.depth == 0,
            Some(byte) => byte == b')' && self.depth > 0,
        }
    }

    /// A block, or a simple command that starts with a word, up to what ends it.
    fn command(&mut self, words: &mut Words<'_>) -> Option<()> {
        if self.block(words)? {
            return Some(());
        }
        let command = words.begin();
        let mut assigned = false;
        loop {
            let start = self.at;
            let word = self.word(words)?;
            words.word(command, word)?;
            let lead = self.bytes.get(start..self.at)?;
            if !is_lead(lead) {
                return None;
            }
            if !lead.contains(&b'=') {
                // The grammar takes some of these after an assignment for the start of another thing.
                if assigned && lead.contains(&b':') {
                    return None;
                }
                break;
            }
            assigned = true;
            let end = self.at;
            self.blanks();
            // To the grammar what follows such a redirect is out of place.
            if matches!(self.peek(), Some(b'<' | b'>')) {
                return None;
            }
            if !self.peek().is_some_and(is_plain) {
                self.at = end;
                break;
            }
        }
        while !self.is_at_end_of_command()? {
            if self.is_at_redirect() {
                self.redirect(words)?;
            } else {
                let word = self.word(words)?;
                words.word(command, word)?;
            }
        }
        Some(())
    }

    /// Whether nothing more of a command follows; what does stands apart from what was before.
    fn is_at_end_of_command(&mut self) -> Option<bool> {
        let before = self.at;
        self.blanks();
        match self.peek() {
            None | Some(b'\n' | b';' | b'|' | b'&') => Some(true),
            Some(b')') if self.depth > 0 => Some(true),
            Some(_) => (before < self.at).then_some(false),
        }
    }

    /// Whether a redirect stands here. A digit before it belongs to it only where it stands alone; the grammar has
    /// readings of its own for some of the others.
    fn is_at_redirect(&self) -> bool {
        match self.peek() {
            Some(b'<' | b'>') => true,
            Some(b'1' | b'2') => self.bytes.get(self.at + 1) == Some(&b'>'),
            Some(_) | None => false,
        }
    }

    /// `<`, `>` or `>>` and a word, `>&` and a descriptor, or a here-document.
    fn redirect(&mut self, words: &mut Words<'_>) -> Option<()> {
        self.is_at_redirect().then_some(())?;
        if self.peek().is_some_and(|byte| byte.is_ascii_digit()) {
            self.at += 1;
        }
        if self.take(b'<') {
            if self.peek() == Some(b'<') {
                return self.document(words);
            }
        } else if !self.take(b'>') {
            return None;
        } else {
            if self.take(b'&') {
                let span = self.word(words)?;
                let one_digit = span.end == span.start + 1
                    && self.bytes.get(self.at.wrapping_sub(1)).is_some_and(u8::is_ascii_digit);
                return if one_digit { words.target(span) } else { None };
            }
            self.take(b'>');
        }
        self.blanks();
        // To the grammar `>-` is an operator of its own.
        if self.peek() == Some(b'-') {
            return None;
        }
        let target = self.word(words)?;
        words.target(target)
    }

    /// A word of plain characters, quotes, simple variables and substitutions; never an empty one.
    fn word(&mut self, words: &mut Words<'_>) -> Option<Span> {
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
                    let quoted = rest.get(..rest.iter().position(|byte| *byte == b'\'')?)?;
                    self.at += quoted.len() + 1;
                    self.is_on_its_line(quoted).then_some(())?;
                }
                Some(b'"') => {
                    self.at += 1;
                    self.double_quoted(words)?;
                }
                Some(b'$') => self.expansion(words)?,
                None | Some(b' ' | b'\t' | b'\n' | b';' | b'|' | b'&') => break,
                Some(b')') if self.depth > 0 => break,
                Some(_) => return None,
            }
        }
        (self.at > start).then(|| Span::new(self.start + start, self.start + self.at))
    }

    /// What follows an opening `"`, with the closing one.
    fn double_quoted(&mut self, words: &mut Words<'_>) -> Option<()> {
        let start = self.at;
        loop {
            match self.peek()? {
                b'"' => {
                    let quoted = self.bytes.get(start..self.at)?;
                    self.at += 1;
                    return self.is_on_its_line(quoted).then_some(());
                }
                b'\\' | b'`' => return None,
                b'$' => self.expansion(words)?,
                _ => self.at += 1,
            }
        }
    }

    /// Whether quoted text does not take a here-document's line apart.
    fn is_on_its_line(&self, quoted: &[u8]) -> bool {
        self.document.is_none() || !quoted.contains(&b'\n')
    }

    /// `$` and a name, or `$(` with commands and the `)`.
    fn expansion(&mut self, words: &mut Words<'_>) -> Option<()> {
        self.at += 1;
        if self.take(b'(') {
            return self.substitution(words);
        }
        let named = self.peek().is_some_and(|byte| byte.is_ascii_alphabetic() || byte == b'_');
        named.then_some(())
    }

    fn substitution(&mut self, words: &mut Words<'_>) -> Option<()> {
        if self.depth == DEEPEST {
            return None;
        }
        self.depth += 1;
        let before = words.commands.len();
        let blocks = std::mem::take(&mut self.blocks);
        let end = self.statements(words, &[])?;
        self.blocks = blocks;
        self.depth -= 1;
        // Bash has a reading of its own for an empty one.
        (end == End::Text && words.commands.len() > before && self.take(b')')).then_some(())
    }
}

/// Substitutions in one another; more are left to the grammar.
const DEEPEST: usize = 4;

/// What stands for itself, or for a pattern, wherever it is in a word. No brackets, braces,
/// parentheses, `!` and `#`, which begin or end more than a word in some places.
fn is_plain(byte: u8) -> bool {
    byte.is_ascii_alphanumeric() || b"_-./:@%+,=~*?".contains(&byte)
}

/// Whether a command may begin with this word: a simple name, or an assignment to one.
fn is_lead(word: &[u8]) -> bool {
    let simple = |byte: &u8| byte.is_ascii_alphanumeric() || b"_-./:+,~".contains(byte);
    let end = word.iter().position(|byte| !simple(byte)).unwrap_or(word.len());
    let (name, rest) = word.split_at(end);
    if SPECIAL.contains(&name) {
        return false;
    }
    match rest {
        [] => true,
        // To the grammar `a==b` is a comparison.
        [b'=', value @ ..] => is_variable(name) && value.first() != Some(&b'='),
        _ => false,
    }
}

/// Whether a name is one of a variable; with a `+` for `+=`.
fn is_variable(name: &[u8]) -> bool {
    let name = name.strip_suffix(b"+").unwrap_or(name);
    let part = |byte: &u8| byte.is_ascii_alphanumeric() || *byte == b'_';
    name.first().is_some_and(|byte| !byte.is_ascii_digit()) && name.iter().all(part)
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
    b"unsetenv",
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
        for text in [
            "a=1 ls -la > out && pwd -P",
            "a=$(ls -la) echo \"$(pwd -P)\" > out",
            "for f in a b; do if ls -la; then pwd -P; fi; done > out",
            "cat <<E > out\nls -la\nE\npwd -P",
        ] {
            objects(text);
        }
    }

    fn objects(text: &str) {
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
            // A command of one word is another command by any number but one that is taken.
            let alone = |word: &(Span, u32)| word.1 == strict.trace.words[at].1;
            if strict.trace.words.iter().filter(|word| alone(word)).count() > 1 {
                assert!(!agrees(&elsewhere), "word {at} in another command");
            }
            for (_, taken) in &strict.trace.words {
                elsewhere.trace.words[at].1 = *taken;
                let same = *taken == strict.trace.words[at].1;
                assert_eq!(agrees(&elsewhere), same, "word {at} in command {taken}");
            }
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
            "echo $(ls)",
            "echo \"$(date): failed\" >&2",
            "x=$(git rev-parse HEAD) y=\"$(pwd)/b\" make -C \"$(dirname \"$F\")\" -j$(nproc)",
            "cat $(git ls-files | head -n 3; echo b) > $(pwd)/out",
            "echo $( ls\n)",
            "if true; then ls; fi",
            "if a && b; then c; elif d\nthen\ne; else f | g; fi > out; h",
            "for f in *.rs \"$D\"/*; do echo \"$f\"; done",
            "for f in $(ls)\n\ndo\n  cat \"$f\" | while read -r l; do echo \"$l\"; done\ndone < in",
            "until a; do b; done 2>&1 | c && if d; then e; fi",
            "echo \"$(if a; then for f in b; do c; done; fi)\"",
            "cat <<E\nx\nE",
            "cat <<'E' > out && ls\nit's $(only) `text` \\\nE \n\tE\nE\npwd",
            "cat << \"E_1\"; ls\n\nE_1\n",
            "if a; then cat <<E\nfi\nE\nb; fi",
            "while read x; do b; done <<E\n1\nE",
        ] {
            assert!(plain(text), "{text:?}");
        }
    }

    #[test]
    fn leaves_what_may_mean_more() {
        for text in [
            "echo `ls`",
            "$(ls) x",
            "echo $()",
            "echo $((1))",
            "echo $( (ls))",
            "echo $(ls",
            "echo $(ls))",
            "echo $(ls &)",
            "echo $(case x in x) ls;; esac)",
            "echo $(< x)",
            "echo $(ls # x)",
            "echo $(echo $(echo $(echo $(echo $(ls)))))",
            "echo ${x}",
            "echo $1",
            "echo $'x'",
            "echo a\\ b",
            "if true then ls; fi",
            "if; then ls; fi",
            "if true; then fi",
            "if true; then ls; fi; fi",
            "if true; then ls; fi x",
            "if true; then ls; fi>x",
            "if true; then ls; fi 0< x",
            "if true; then ls",
            "if true; then ls; done",
            "if true; then else ls; fi",
            "if true; then ls; else pwd; elif true; then ls; fi",
            "if (true); then ls; fi",
            "if true; then; ls; fi",
            "if ! true; then ls; fi",
            "\"if\" true; then ls; fi",
            "x=1 if true; then ls; fi",
            "echo $(if true; then ls)",
            "echo $(if true); then ls; fi",
            "for f; do ls; done",
            "for f do ls; done",
            "for f in; do ls; done",
            "for 1 in a; do ls; done",
            "for f in a do ls; done",
            "for f in a; { ls; }",
            "for \"f\" in a; do ls; done",
            "for ((;;)); do ls; done",
            "select f in a; do ls; done",
            "while true; do ls; done &",
            "while; do ls; done",
            "while true; do done",
            "done",
            "fi",
            "case x in x) ls;; esac",
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
            "cat <<E\n$(x)\nE",
            "cat <<E\n`x`\nE",
            "cat <<E\nx\\\nE",
            "cat <<E\nx",
            "cat <<E",
            "cat <<-E\nx\nE",
            "cat <<E''\nx\nE",
            "cat <<'E'x\nx\nEx",
            "cat <<E <<F\nE\nF",
            "cat <<E 'a\nE\nb'\nE",
            "cat <<E \"a\nE\nb\"\nE",
            "cat <<E $(ls\nE\n)\nE",
            "cat <<E |\nx\nE",
            "cat<<E\nx\nE",
            "cat <<E&& ls\n$x\nE",
            "echo $(cat <<E\nx\nE\n)",
            "cat <<< x",
            "cat <> x",
            "ls >| x",
            "ls 0>-f",
            "ls 0> f",
            "ls > -f",
            "ls > &1",
            "ls >& x",
            "ls 2<&1",
            "ls 10> x",
            "ls 0< x",
            "export A=1",
            "a@b",
            "ls>x",
            "a==b",
            "--a=b",
            "1=b",
            "a=b > x",
            "x+=1 onon:e",
            "> x",
            "f() { ls; }",
            "echo {a,b}",
            "x=(1 2)",
            "ls 2> >(cat)",
            "l\\\ns",
            "echo \"a\0b\"",
            "echo 'a\u{1}b'",
        ] {
            assert!(!plain(text), "{text:?}");
        }
    }
}
