//! Lists, pipelines and simple commands.

use crate::assign::Lead;
use crate::ir::{
    AndOr, Assign, Command, Connector, Pipeline, Redirect, Script, Simple, Statement, Word,
};
use crate::reader::{Read, Reader};
use crate::trace::Replacement;
use crate::word::{Context, RawWord, plain_text};
use portcullis_model::{Reason, Span};

impl Reader<'_, '_> {
    /// Reads statements up to the end, a `)`, a `;;` or one of `stops` where a command could start.
    pub(crate) fn read_list(&mut self, script: &mut Script, stops: &[&str]) -> Read<()> {
        loop {
            self.skip_newlines()?;
            if self.at_list_end(stops)? {
                return Ok(());
            }
            let statement = self.read_statement()?;
            let background = statement.background;
            script.statements.push(statement);
            self.skip_blanks();
            match self.peek() {
                None | Some(b')') => {}
                Some(b'\n' | b'#') => {
                    if !background {
                        // The second reader goes on past the end of some lines.
                        self.trace.edit(self.pos, self.pos, Replacement::Text(";"));
                    }
                }
                Some(b';') => {
                    if !background && !matches!(self.peek_second(), Some(b';' | b'&')) {
                        self.take_semicolon();
                    }
                }
                Some(_) if background => {}
                Some(_) => {
                    if !self.at_list_end(stops)? {
                        return self.syntax("unexpected token after a command");
                    }
                    // `(one) then`: the second reader wants something between.
                    self.trace.edit(self.pos, self.pos, Replacement::Text(";"));
                }
            }
        }
    }

    fn at_list_end(&mut self, stops: &[&str]) -> Read<bool> {
        match self.peek() {
            None | Some(b')') => return Ok(true),
            Some(b';') => {
                if matches!(self.peek_second(), Some(b';' | b'&')) {
                    return Ok(true);
                }
                return self.syntax("unexpected `;`");
            }
            Some(_) => {}
        }
        match self.peek_reserved() {
            Some(word) if stops.contains(&word) => Ok(true),
            Some("then" | "elif" | "else" | "fi" | "do" | "done" | "esac" | "}") => {
                self.syntax("unexpected reserved word")
            }
            _ => Ok(false),
        }
    }

    /// Blanks, comments and newlines; here-document bodies start after the first newline.
    pub(crate) fn skip_newlines(&mut self) -> Read<()> {
        loop {
            self.skip_blanks();
            match self.peek() {
                Some(b'#') => self.skip_comment(),
                Some(b'\n') => self.take_newline()?,
                _ => return Ok(()),
            }
        }
    }

    /// A comment, the cursor at its `#`. A backslash before the newline does not continue it.
    pub(crate) fn skip_comment(&mut self) {
        let rest = self.text.get(self.pos..).unwrap_or("");
        self.pos += rest.find('\n').unwrap_or(rest.len());
    }

    fn read_statement(&mut self) -> Read<Statement> {
        let mut list = AndOr { first: self.read_pipeline()?, rest: Vec::new() };
        loop {
            self.skip_blanks();
            let connector = match (self.peek(), self.peek_second()) {
                (Some(b'&'), Some(b'&')) => Connector::And,
                (Some(b'|'), Some(b'|')) => Connector::Or,
                (Some(b'&'), _) => {
                    self.pos += 1;
                    return Ok(Statement { list, background: true });
                }
                _ => return Ok(Statement { list, background: false }),
            };
            self.take(b'&');
            self.take(b'&');
            if connector == Connector::Or {
                self.take(b'|');
                self.take(b'|');
            }
            let next = self.skip_newlines().and_then(|()| self.read_pipeline());
            match next {
                Ok(pipeline) => list.rest.push((connector, pipeline)),
                Err(stop) => {
                    self.salvage(Script {
                        statements: vec![Statement { list, background: false }],
                    });
                    return Err(stop);
                }
            }
        }
    }

    fn read_pipeline(&mut self) -> Read<Pipeline> {
        self.peek();
        let start = self.pos;
        let (timed, negated) = self.read_pipeline_prefix();
        let mut commands = Vec::new();
        let prefixed =
            self.pos > start && (timed || negated || self.slice(start, self.pos).contains('!'));
        self.skip_blanks();
        if prefixed && matches!(self.peek(), None | Some(b'\n' | b';' | b')' | b'#')) {
            let at = self.pos;
            if !self.at(b')') {
                // The second reader wants a command here.
                self.trace.edit(at, at, Replacement::Text(" x "));
            }
            commands.push(Command::Simple(Simple { span: self.span(at, at), ..Simple::default() }));
        } else {
            loop {
                match self.read_command() {
                    Ok(command) => commands.push(command),
                    Err(stop) => {
                        self.salvage_commands(commands);
                        return Err(stop);
                    }
                }
                self.skip_blanks();
                if !self.at(b'|') || self.peek_second() == Some(b'|') {
                    break;
                }
                let bar = self.pos;
                self.pos += 1;
                self.take(b'&');
                if commands.len().is_multiple_of(STRETCH) {
                    self.trace.edit(bar, self.pos, Replacement::Text(";"));
                }
                let ready = match self.skip_newlines() {
                    Ok(()) if self.peek_reserved() == Some("!") => self.syntax("`!` after `|`"),
                    other => other,
                };
                if let Err(stop) = ready {
                    self.salvage_commands(commands);
                    return Err(stop);
                }
            }
        }
        let end = commands.last().map_or(start, |_| self.end_of_last(start));
        Ok(Pipeline { timed, negated, commands, span: self.span(start, end) })
    }

    fn salvage_commands(&mut self, commands: Vec<Command>) {
        if commands.is_empty() {
            return;
        }
        let span = Span::default();
        let first = Pipeline { timed: false, negated: false, commands, span };
        let list = AndOr { first, rest: Vec::new() };
        self.salvage(Script { statements: vec![Statement { list, background: false }] });
    }

    /// Where the last command ends in this buffer: the cursor without trailing blanks.
    fn end_of_last(&self, start: usize) -> usize {
        let text = self.slice(start, self.pos);
        start + text.trim_end_matches([' ', '\t']).len()
    }

    /// `!` and `time`, any number of them.
    fn read_pipeline_prefix(&mut self) -> (bool, bool) {
        let (mut timed, mut negated) = (false, false);
        loop {
            self.skip_blanks();
            let start = self.pos;
            if self.take_reserved("!") {
                negated = !negated;
            } else if self.take_reserved("time") {
                timed = true;
                self.skip_blanks();
                if self.take_reserved("-p") {
                    self.skip_blanks();
                }
                self.take_reserved("--");
            } else {
                return (timed, negated);
            }
            let end = self.end_here(start);
            self.trace.edit(start, end, Replacement::Blanks);
        }
    }

    fn read_command(&mut self) -> Read<Command> {
        match self.peek() {
            Some(b'(') => return self.deeper(Self::read_paren_command),
            // `&>file` may stand first, as every redirect may.
            Some(b'&') if self.peek_second() == Some(b'>') => {}
            None | Some(b')' | b';' | b'&' | b'|' | b'\n') => {
                return self.syntax("a command is missing");
            }
            Some(_) => {}
        }
        match self.peek_reserved() {
            None => self.read_simple(),
            Some(word) => self.deeper(|reader| reader.read_reserved_command(word)),
        }
    }

    /// The reserved word that starts here, if one does.
    pub(crate) fn peek_reserved(&mut self) -> Option<&'static str> {
        let first = self.peek()?;
        if !matches!(first, b'!' | b'{' | b'}' | b'[' | b'c'..=b'f' | b'i' | b's'..=b'u' | b'w') {
            return None;
        }
        let start = self.pos;
        let mut letters = [0_u8; LONGEST_RESERVED + 1];
        let mut count = 0;
        while let (Some(byte), Some(slot)) = (self.peek(), letters.get_mut(count)) {
            if is_delimiter(byte) {
                break;
            }
            *slot = byte;
            count += 1;
            self.pos += 1;
        }
        let found = letters
            .get(..count)
            .and_then(|text| RESERVED.iter().copied().find(|word| word.as_bytes() == text));
        let found = found.filter(|_| self.at_delimiter());
        self.pos = start;
        found
    }

    /// Takes a reserved word that stands alone.
    pub(crate) fn take_reserved(&mut self, word: &str) -> bool {
        let start = self.pos;
        if self.take_all(word.as_bytes()) && self.at_delimiter() {
            return true;
        }
        self.pos = start;
        false
    }

    /// Takes a reserved word or fails.
    pub(crate) fn expect_reserved(&mut self, word: &str, start: usize) -> Read<()> {
        if self.take_reserved(word) {
            return Ok(());
        }
        if self.peek().is_none() {
            return self.unfinished(start, word);
        }
        self.syntax("unexpected token")
    }

    /// Whether a word would end here.
    fn at_delimiter(&mut self) -> bool {
        match self.peek() {
            None => true,
            Some(b'<' | b'>') => self.peek_second() != Some(b'('),
            Some(byte) => is_delimiter(byte),
        }
    }

    /// Reads a simple command, or a function definition that starts like one.
    pub(crate) fn read_simple(&mut self) -> Read<Command> {
        let start = self.pos;
        self.shared.next_command += 1;
        let mut draft = Draft { id: self.shared.next_command, ..Draft::default() };
        match self.read_simple_parts(&mut draft) {
            Ok(()) if draft.name == Name::Function => {
                // The name is no word of a command.
                self.trace.words.pop();
                let name = draft.words.first().and_then(plain_text).unwrap_or_default();
                self.read_function_body(start, name)
            }
            Ok(()) => Ok(Command::Simple(self.finish_simple(start, draft))),
            Err(stop) => {
                let obstacles = self.shared.obstacles.len();
                let simple = self.finish_simple(start, draft);
                self.shared.obstacles.truncate(obstacles);
                if !simple.words.is_empty() || !simple.redirects.is_empty() {
                    self.salvage_commands(vec![Command::Simple(simple)]);
                }
                Err(stop)
            }
        }
    }

    fn read_simple_parts(&mut self, draft: &mut Draft) -> Read<()> {
        loop {
            self.skip_blanks();
            match self.peek() {
                None | Some(b'\n' | b';' | b'|' | b')' | b'#') => return Ok(()),
                Some(b'&') if self.peek_second() != Some(b'>') => return Ok(()),
                Some(b'(') => return self.syntax("unexpected `(`"),
                Some(_) => {}
            }
            let start = self.pos;
            if let Some(redirect) = self.read_redirect()? {
                draft.redirects.push(redirect);
                draft.removed.push(Span::new(start, self.pos));
                draft.end = self.pos;
                continue;
            }
            if draft.first_word.is_none() {
                // Where bash looks for `name[…]=` and `name=(`: see `assignment_acceptable` and
                // PST_REDIRLIST in its parse.y.
                let only_redirects = draft.assigns.is_empty();
                let acceptable = only_redirects || draft.after_assignment;
                match self.read_assignment(acceptable)? {
                    Lead::Assignment(assign) => {
                        let end = self.end_here(start);
                        self.trace.words.push((Span::new(start, end), draft.id));
                        draft.assigns.push(assign);
                        draft.assigns_end = end;
                        draft.after_assignment = true;
                        draft.end = end;
                        continue;
                    }
                    Lead::Word(raw) => {
                        self.add_word(draft, raw)?;
                        continue;
                    }
                    Lead::None => {}
                }
            }
            draft.after_assignment = false;
            let array =
                if draft.name == Name::Declares { self.read_array_argument()? } else { None };
            let raw = match array {
                Some(raw) => raw,
                None => self.read_word(Context::Argument)?,
            };
            if raw.end == raw.start {
                return self.syntax("unexpected token");
            }
            self.add_word(draft, raw)?;
            if draft.words.len() == 1 && draft.assigns.is_empty() && draft.redirects.is_empty() {
                self.skip_blanks();
                if self.take(b'(') {
                    self.skip_blanks();
                    if !self.take(b')') {
                        return self.syntax("unexpected `(`");
                    }
                    draft.name = Name::Function;
                    return Ok(());
                }
            }
        }
    }

    fn add_word(&mut self, draft: &mut Draft, raw: RawWord) -> Read<()> {
        draft.end = raw.end;
        self.trace.words.push((Span::new(raw.start, raw.end), draft.id));
        if raw.vanishes() {
            // Assignments and array syntax are looked for before expansions are made.
            draft.first_word.get_or_insert(raw.start);
            return Ok(());
        }
        if draft.first_word.is_none() {
            draft.first_word = Some(raw.start);
            draft.name = match raw.plain() {
                Some("[") => Name::Test,
                Some(name) if DECLARATION.contains(&name) => Name::Declares,
                _ => Name::Ordinary,
            };
            draft.escaped_blank = raw.marks.escaped_blank;
            // The second reader knows no `#` inside a command name.
            let name = self.slice(raw.start, raw.end);
            for (at, _) in name.match_indices('#') {
                self.trace.edit(raw.start + at, raw.start + at + 1, Replacement::Plain);
            }
        }
        if draft.name == Name::Test && matches!(raw.plain(), Some("[" | "]")) {
            // The second reader gives `[ … ]` a syntax of its own, which bash does not.
            self.trace.edit(raw.start, raw.end, Replacement::Plain);
        }
        let text = self.slice(raw.start, raw.end);
        let negative = is_negative(text) && matches!(self.peek(), Some(b'<' | b'>'));
        if negative || matches!(text, "-" | "==" | "=~") || is_bare(text) {
            // So it does to `{a,b}` and `[ab]` where a command may start and to `==` anywhere, and
            // it reads `- 2>f` as one thing and `-2>f` as a `-` and a redirect.
            self.trace.edit(raw.start, raw.end, Replacement::Plain);
        }
        self.push_expanded(raw, &mut draft.words)
    }

    /// Puts the pieces of a simple command together and judges its name.
    fn finish_simple(&mut self, start: usize, draft: Draft) -> Simple {
        let Draft { assigns, words, redirects, removed, first_word, end, escaped_blank, .. } =
            draft;
        let end = end.max(start);
        if words.is_empty() && !assigns.is_empty() && !redirects.is_empty() {
            // The second reader wants a command here.
            self.trace.edit(draft.assigns_end, draft.assigns_end, Replacement::Text(" x"));
        }
        if let Some(name) = words.first() {
            if name.from_brace || name.known().is_none() {
                self.shared.note(Reason::DynamicCommandName, name.span, "");
            }
            if escaped_blank {
                self.shared.note(Reason::EscapedBlank, name.span, "");
            }
        } else if assigns.is_empty() && redirects.is_empty() {
            let span = self.span(start, end);
            self.shared.note(Reason::UnsupportedSyntax, span, "nothing but empty substitutions");
        }
        let source = self.source_without(start, end, &removed);
        let words_source = match first_word {
            Some(first) if first == start => source.clone(),
            Some(first) => self.source_without(first, end, &removed),
            None => String::new(),
        };
        Simple { assigns, words, redirects, span: self.span(start, end), source, words_source }
    }

    /// Text as written without continuations and without some ranges.
    fn source_without(&self, start: usize, end: usize, removed: &[Span]) -> String {
        let mut out = String::new();
        let mut from = start;
        let mut add = |from: usize, to: usize| {
            let text = self.joined(from, to);
            let text = text.trim_matches([' ', '\t']);
            if !out.is_empty() && !text.is_empty() {
                out.push(' ');
            }
            out.push_str(text);
        };
        for range in removed.iter().filter(|range| range.start >= start && range.end <= end) {
            add(from, range.start);
            from = range.end;
        }
        add(from, end);
        out
    }

    /// Adds redirects of a compound command.
    pub(crate) fn read_redirects(&mut self) -> Read<Vec<Redirect>> {
        let mut redirects = Vec::new();
        loop {
            self.skip_blanks();
            match self.read_redirect()? {
                Some(redirect) => redirects.push(redirect),
                None => return Ok(redirects),
            }
        }
    }
}

impl Script {
    /// Whether a command of it is a compound one.
    pub(crate) fn has_compound(&self) -> bool {
        self.statements.iter().any(|statement| {
            let rest = statement.list.rest.iter().map(|(_, pipeline)| pipeline);
            std::iter::once(&statement.list.first)
                .chain(rest)
                .flat_map(|pipeline| &pipeline.commands)
                .any(|command| matches!(command, Command::Compound { .. }))
        })
    }
}

/// A simple command being read.
#[derive(Debug, Default)]
struct Draft {
    id: u32,
    assigns: Vec<Assign>,
    words: Vec<Word>,
    redirects: Vec<Redirect>,
    removed: Vec<Span>,
    first_word: Option<usize>,
    end: usize,
    assigns_end: usize,
    after_assignment: bool,
    escaped_blank: bool,
    name: Name,
}

/// What the name of a simple command says about the rest of it.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
enum Name {
    #[default]
    Ordinary,
    /// `declare` and the like: arguments may be arrays.
    Declares,
    /// `[`
    Test,
    /// `()` follows it.
    Function,
}

/// Whether a plain word has a meaning of its own where a command may start.
pub(crate) fn is_reserved(word: &str) -> bool {
    word == "time" || RESERVED.contains(&word)
}

/// Whether text with brackets or braces is one word to anyone who knows the metacharacters: nothing
/// in it quotes, expands or separates, and it is no reserved word.
fn is_bare(text: &str) -> bool {
    text.len() > 1
        && text.contains(['{', '}', '[', ']'])
        && text
            .bytes()
            .all(|byte| byte.is_ascii_alphanumeric() || b"{}[]_-./,:=+@%^~*?".contains(&byte))
        && !is_reserved(text)
}

/// Whether text is a `-` and digits.
fn is_negative(text: &str) -> bool {
    let digits = text.strip_prefix('-').unwrap_or("");
    !digits.is_empty() && digits.bytes().all(|byte| byte.is_ascii_digit())
}

fn is_delimiter(byte: u8) -> bool {
    matches!(byte, b' ' | b'\t' | b'\n' | b';' | b'&' | b'|' | b'(' | b')' | b'<' | b'>')
}

const LONGEST_RESERVED: usize = 8;

/// Commands of a pipeline that the second reader sees in one: it takes time quadratic in their
/// number, and it is only asked for words and commands, which are the same after a `;`.
const STRETCH: usize = 100;

/// Words with a meaning of their own where a command may start. `in` has one only after `for` and
/// `case`, `time` only at the start of a pipeline.
const RESERVED: &[&str] = &[
    "!", "{", "}", "[[", "if", "then", "elif", "else", "fi", "for", "while", "until", "do", "done",
    "case", "esac", "select", "function", "coproc",
];

/// Builtins whose arguments may be `name=( … )` by bash's grammar, where written plainly.
const DECLARATION: &[&str] =
    &["declare", "typeset", "local", "export", "readonly", "alias", "eval", "let"];
