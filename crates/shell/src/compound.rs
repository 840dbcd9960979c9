//! Compound commands.

use crate::ir::{Arm, Command, Compound, Part, Script, Word};
use crate::reader::{Read, Reader};
use crate::trace::Replacement;
use crate::word::{Context, is_name};
use portcullis_model::{Reason, Span};

impl Reader<'_, '_> {
    /// `( … )` or `(( … ))`.
    pub(crate) fn read_paren_command(&mut self) -> Read<Command> {
        let start = self.pos;
        if let Some(arith) = self.read_paren_arith()? {
            self.shared.next_command += 1;
            let id = self.shared.next_command;
            self.trace.edit(start, self.pos, Replacement::Plain);
            self.trace.words.push((Span::new(start, self.pos), id));
            return self.finish_compound(start, Compound::Arith(arith));
        }
        self.pos = start + 1;
        if self.at(b'(') {
            // To the second reader `((` is always arithmetic.
            self.trace.edit(self.pos, self.pos, Replacement::Text(" "));
        }
        let script = self.read_nested(&[])?;
        if !self.take(b')') {
            return self.close_error(start, script);
        }
        self.finish_compound(start, Compound::Subshell(script))
    }

    /// The compound command that a reserved word begins.
    pub(crate) fn read_reserved_command(&mut self, word: &str) -> Read<Command> {
        let start = self.pos;
        let kind = match word {
            "{" => {
                self.pos += 1;
                let script = self.read_nested(&["}"])?;
                if !self.take(b'}') {
                    return self.close_error(start, script);
                }
                Compound::Group(script)
            }
            "[[" => Compound::Test(self.read_test(start)?),
            "if" => self.read_if(start)?,
            "while" | "until" => self.read_while(start, word)?,
            "for" => self.read_for(start, word)?,
            "select" => self.read_for(start, word)?,
            "case" => self.read_case(start)?,
            "function" => {
                self.take_all(b"function");
                self.skip_blanks();
                let raw = self.read_word(Context::Argument)?;
                if raw.end == raw.start {
                    return self.syntax("a function without a name");
                }
                let name = raw.plain().map(str::to_owned);
                self.skip_blanks();
                if self.take(b'(') {
                    self.skip_blanks();
                    if !self.take(b')') {
                        return self.syntax("unexpected token after a function name");
                    }
                }
                return self.read_function_body(start, &name.unwrap_or_default());
            }
            "coproc" => return self.read_coproc(start),
            _ => return self.syntax("unexpected reserved word"),
        };
        self.finish_compound(start, kind)
    }

    fn finish_compound(&mut self, start: usize, kind: Compound) -> Read<Command> {
        let end = self.pos;
        match self.read_redirects() {
            Ok(redirects) => {
                let end = if redirects.is_empty() { end } else { self.pos };
                Ok(Command::Compound { kind, redirects, span: self.span(start, end) })
            }
            Err(stop) => {
                let span = self.span(start, end);
                self.salvage_one(Command::Compound { kind, redirects: Vec::new(), span });
                Err(stop)
            }
        }
    }

    fn salvage_one(&mut self, command: Command) {
        let pipeline = crate::ir::Pipeline {
            timed: false,
            negated: false,
            commands: vec![command],
            span: Span::default(),
        };
        let list = crate::ir::AndOr { first: pipeline, rest: Vec::new() };
        let statement = crate::ir::Statement { list, background: false };
        self.salvage(Script { statements: vec![statement] });
    }

    /// A list that must not be empty, up to one of `stops`.
    fn read_nested(&mut self, stops: &[&str]) -> Read<Script> {
        let script = self.read_maybe_empty(stops)?;
        if script.statements.is_empty() && self.peek().is_some() {
            return self.syntax("a command is missing");
        }
        Ok(script)
    }

    fn read_maybe_empty(&mut self, stops: &[&str]) -> Read<Script> {
        let mut script = Script::default();
        match self.read_list(&mut script, stops) {
            Ok(()) => Ok(script),
            Err(stop) => {
                self.salvage(script);
                Err(stop)
            }
        }
    }

    fn close_error<T>(&mut self, start: usize, script: Script) -> Read<T> {
        self.salvage(script);
        if self.peek().is_none() {
            self.unfinished(start, "block")
        } else {
            self.syntax("unexpected token")
        }
    }

    /// Takes a reserved word after a list, or keeps the list for deny rules and fails.
    fn expect_after(&mut self, word: &str, start: usize, script: Script) -> Read<Script> {
        match self.expect_reserved(word, start) {
            Ok(()) => Ok(script),
            Err(stop) => {
                self.salvage(script);
                Err(stop)
            }
        }
    }

    fn read_if(&mut self, start: usize) -> Read<Compound> {
        self.take_all(b"if");
        let mut arms = Vec::new();
        match self.read_arms(start, &mut arms) {
            Ok(otherwise) => Ok(Compound::If { arms, otherwise }),
            Err(stop) => {
                for (condition, body) in arms {
                    self.salvage(condition);
                    self.salvage(body);
                }
                Err(stop)
            }
        }
    }

    fn read_arms(
        &mut self,
        start: usize,
        arms: &mut Vec<(Script, Script)>,
    ) -> Read<Option<Script>> {
        loop {
            let condition = self.read_nested(&["then"])?;
            let condition = self.expect_after("then", start, condition)?;
            let body = match self.read_nested(&["elif", "else", "fi"]) {
                Ok(body) => body,
                Err(stop) => {
                    self.salvage(condition);
                    return Err(stop);
                }
            };
            arms.push((condition, body));
            if self.take_reserved("elif") {
                continue;
            }
            if !self.take_reserved("else") {
                self.expect_reserved("fi", start)?;
                return Ok(None);
            }
            let otherwise = self.read_nested(&["fi"])?;
            return self.expect_after("fi", start, otherwise).map(Some);
        }
    }

    fn read_while(&mut self, start: usize, word: &str) -> Read<Compound> {
        self.take_all(word.as_bytes());
        let condition = self.read_nested(&["do"])?;
        match self.read_do(start) {
            Ok(body) => Ok(Compound::While { until: word == "until", condition, body }),
            Err(stop) => {
                self.salvage(condition);
                Err(stop)
            }
        }
    }

    /// `do … done`, or `{ … }` which `for` and `select` take too.
    fn read_do(&mut self, start: usize) -> Read<Script> {
        self.expect_reserved("do", start)?;
        let body = self.read_nested(&["done"])?;
        self.expect_after("done", start, body)
    }

    fn read_loop_body(&mut self, start: usize) -> Read<Script> {
        self.skip_newlines()?;
        let open = self.pos;
        if !self.take_reserved("{") {
            return self.read_do(start);
        }
        // The second reader knows only `do` and `done` here.
        self.trace.edit(open, open + 1, Replacement::Text("do "));
        let body = self.read_nested(&["}"])?;
        let close = self.pos;
        let body = self.expect_after("}", start, body)?;
        self.trace.edit(close, close + 1, Replacement::Text("done"));
        Ok(body)
    }

    fn read_for(&mut self, start: usize, word: &str) -> Read<Compound> {
        let select = word == "select";
        self.take_all(word.as_bytes());
        self.skip_blanks();
        if !select && self.at(b'(') {
            return self.read_for_arith(start);
        }
        let raw = self.read_word(Context::Argument)?;
        if raw.end == raw.start {
            return self.syntax("a loop without a variable");
        }
        let name = match raw.plain() {
            Some(name) if is_name(name) => name.to_owned(),
            _ => {
                self.note(Reason::UnsupportedSyntax, raw.start, "loop variable");
                String::new()
            }
        };
        self.trace.words.push((Span::new(raw.start, raw.end), 0));
        self.skip_newlines()?;
        let mut words = None;
        let before = self.pos;
        if self.take_reserved("in") {
            if self.only_newlines(raw.end, before) {
                // The second reader knows none before `in`.
                self.trace.edit(raw.end, before, Replacement::Blanks);
            }
            words = Some(self.read_loop_words(start)?);
            if !self.take_semicolon() && !self.at(b'\n') {
                return self.unfinished(start, "loop");
            }
        } else if !self.take_semicolon()
            && self.joined(raw.end, self.pos).trim_matches(BLANKS).is_empty()
        {
            if self.peek_reserved() == Some("{") {
                return self.syntax("a brace right after the variable of a loop");
            }
            // `for name do`: the second reader wants something between.
            self.trace.edit(raw.end, raw.end, Replacement::Text(";"));
        }
        let body = self.read_loop_body(start)?;
        Ok(Compound::For { name, words, select, body })
    }

    /// The words after `in`, up to a `;` or newline.
    fn read_loop_words(&mut self, start: usize) -> Read<Vec<Word>> {
        let mut words = Vec::new();
        let (from, known) = (self.pos, self.trace.words.len());
        loop {
            self.skip_blanks();
            match self.peek() {
                None => return self.unfinished(start, "loop"),
                Some(b';' | b'\n') => {
                    if self.trace.words.len() == known {
                        // The second reader wants a word.
                        self.trace.edit(from, from, Replacement::Text(" x"));
                    }
                    return Ok(words);
                }
                Some(b'#') => self.skip_comment(),
                Some(_) => {
                    let raw = self.read_word(Context::Argument)?;
                    if raw.end == raw.start {
                        return self.syntax("unexpected token in a loop");
                    }
                    self.trace.words.push((Span::new(raw.start, raw.end), 0));
                    if !raw.vanishes() {
                        self.push_expanded(raw, &mut words)?;
                    }
                }
            }
        }
    }

    fn read_for_arith(&mut self, start: usize) -> Read<Compound> {
        let open = self.pos;
        let Some(expressions) = self.read_arith_list(start)? else {
            return self.syntax("unexpected `(`");
        };
        let close = self.pos;
        self.skip_blanks();
        let closed = self.take_semicolon() || self.at(b'\n');
        let stand_in = if closed { " x in x " } else { " x in x; " };
        self.trace.edit(open, close, Replacement::Text(stand_in));
        let body = self.read_loop_body(start)?;
        Ok(Compound::ForArith { expressions, body })
    }

    fn read_case(&mut self, start: usize) -> Read<Compound> {
        self.take_all(b"case");
        self.skip_blanks();
        let raw = self.read_word(Context::Single)?;
        if raw.end == raw.start {
            return self.syntax("`case` without a word");
        }
        self.trace.words.push((Span::new(raw.start, raw.end), 0));
        self.skip_newlines()?;
        self.expect_reserved("in", start)?;
        let mut arms = Vec::new();
        match self.read_case_arms(start, &mut arms) {
            Ok(()) => Ok(Compound::Case { word: raw.word, arms }),
            Err(stop) => {
                for arm in arms {
                    self.salvage(arm.body);
                }
                Err(stop)
            }
        }
    }

    fn read_case_arms(&mut self, start: usize, arms: &mut Vec<Arm>) -> Read<()> {
        loop {
            self.skip_newlines()?;
            if self.take_reserved("esac") {
                return Ok(());
            }
            let patterns = self.read_patterns(start)?;
            let body = self.read_maybe_empty(&["esac"])?;
            arms.push(Arm { patterns, body });
            if self.take(b';') {
                // `;;`, `;&` or `;;&`: where control goes does not matter, every arm counts.
                let double = self.take(b';');
                if !self.take(b'&') && !double {
                    return self.syntax("unexpected `;`");
                }
            } else {
                return self.expect_reserved("esac", start);
            }
        }
    }

    fn read_patterns(&mut self, start: usize) -> Read<Vec<Word>> {
        let parenthesis = self.take(b'(');
        let mut patterns = Vec::new();
        loop {
            self.skip_blanks();
            let raw = self.read_word(Context::Pattern)?;
            if raw.end == raw.start {
                if self.peek().is_none() {
                    return self.unfinished(start, "case");
                }
                return self.syntax("a pattern is missing");
            }
            if raw.plain() == Some("esac") && (parenthesis || !patterns.is_empty()) {
                self.note(Reason::UnsupportedSyntax, raw.start, "`esac` as a pattern");
            }
            self.trace.words.push((Span::new(raw.start, raw.end), 0));
            let bracket = matches!(
                raw.word.parts.as_slice(),
                [Part::Glob(text)] if text.starts_with('[')
            );
            if bracket || (raw.word.parts.len() > 1 && raw.word.parts.iter().all(is_inert)) {
                // The second reader splits patterns like `*" x "*` and `[]x]`.
                self.trace.edit(raw.start, raw.end, Replacement::Plain);
            }
            patterns.push(raw.word);
            self.skip_blanks();
            if self.take(b')') {
                return Ok(patterns);
            }
            if !self.at(b'|') || self.peek_second() == Some(b'|') {
                return self.syntax("unexpected token in a pattern");
            }
            self.pos += 1;
        }
    }

    /// The definition that a simple command with `name ()` turned out to be.
    pub(crate) fn read_function_body(&mut self, start: usize, name: &str) -> Read<Command> {
        self.note(Reason::FunctionDefinition, start, "");
        self.skip_newlines()?;
        let body = self.deeper(Self::read_compound)?;
        let kind = Compound::Function { name: name.to_owned(), body: Box::new(body) };
        Ok(Command::Compound { kind, redirects: Vec::new(), span: self.span(start, self.pos) })
    }

    /// A command that has to be a compound one.
    fn read_compound(&mut self) -> Read<Command> {
        if self.at(b'(') {
            return self.read_paren_command();
        }
        match self.peek_reserved() {
            Some(word) => self.read_reserved_command(word),
            None => self.syntax("a function needs a compound command"),
        }
    }

    fn at_compound(&mut self) -> bool {
        self.at(b'(')
            || matches!(
                self.peek_reserved(),
                Some("{" | "[[" | "if" | "while" | "until" | "for" | "select" | "case")
            )
    }

    fn read_coproc(&mut self, start: usize) -> Read<Command> {
        self.take_all(b"coproc");
        self.note(Reason::Coproc, start, "");
        self.trace.edit(start, self.end_here(start), Replacement::Blanks);
        self.skip_blanks();
        let mut name = None;
        if !self.at_compound() {
            let before = self.pos;
            let word = self.read_name();
            let end = self.end_here(before);
            self.skip_blanks();
            if !word.is_empty() && self.pos > end && self.at_compound() {
                self.trace.edit(before, end, Replacement::Blanks);
                name = Some(word);
            } else {
                self.pos = before;
            }
        }
        let body = if self.at_compound() {
            self.read_compound()?
        } else {
            if matches!(self.peek(), None | Some(b'\n' | b';' | b'&' | b'|' | b')' | b'#')) {
                return self.syntax("`coproc` without a command");
            }
            self.read_simple()?
        };
        let kind = Compound::Coproc { name, body: Box::new(body) };
        Ok(Command::Compound { kind, redirects: Vec::new(), span: self.span(start, self.pos) })
    }
}

const BLANKS: [char; 2] = [' ', '\t'];

/// Whether a part is text or the value of a variable: nothing runs in it.
fn is_inert(part: &Part) -> bool {
    match part {
        Part::Text { .. } | Part::Glob(_) | Part::Tilde(_) | Part::Unreadable { .. } => true,
        Part::Param { expansion, .. } => expansion.is_plain(),
        Part::Subst { .. } | Part::Process { .. } | Part::Arith { .. } | Part::Array(_) => false,
    }
}
