//! From the tree back to text that reads as the same tree.
//!
//! For tests and fuzzing: whatever the reader makes of a text, it has to make again of what is
//! printed here. Words that braces made are printed one by one, substitutions as `$( … )`.

use crate::command::is_reserved;
use crate::ir::{
    AndOr, Arith, Assign, AssignValue, Command, Compound, Connector, Descriptor, Expansion, Part,
    Pipeline, Program, Redirect, Script, Simple, Target, Word,
};
use crate::word::plain_text;

/// Bash text that reads as this program.
pub fn print(program: &Program) -> String {
    let mut printer = Printer::default();
    printer.script(&program.script);
    printer.out
}

/// The text so far, and here-documents whose bodies come at the end of the line.
#[derive(Debug, Default)]
struct Printer {
    out: String,
    bodies: Vec<String>,
    /// A newline here would start the body of a here-document further out.
    one_line: bool,
}

/// The quotes a part is printed in.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Quotes {
    /// None: quoted parts bring their own.
    Outside,
    /// Double quotes are open around it.
    Double,
    /// The operand of an expansion in double quotes.
    Operand,
    /// A here-document body.
    Body,
}

impl Printer {
    fn text(&mut self, text: &str) {
        self.out.push_str(text);
    }

    /// What may stand after a reserved word.
    fn gap(&mut self) {
        self.text(if self.one_line { " " } else { "\n" });
    }

    /// The end of a command: a newline, and the bodies that wait for it.
    fn newline(&mut self) {
        if self.one_line {
            return self.text("; ");
        }
        self.text("\n");
        for body in std::mem::take(&mut self.bodies) {
            self.text(&body);
        }
    }

    fn script(&mut self, script: &Script) {
        for statement in &script.statements {
            self.and_or(&statement.list);
            if statement.background {
                self.text(" &");
            }
            if statement.background && self.one_line {
                self.text(" ");
            } else {
                self.newline();
            }
        }
    }

    /// A script between two words; here-documents in it end before the second.
    fn block(&mut self, open: &str, script: &Script, close: &str) {
        self.text(open);
        self.gap();
        self.script(script);
        self.text(close);
    }

    /// The body of a case arm: `;;` may not follow `;`.
    fn arm(&mut self, body: &Script) {
        self.script(body);
        while self.one_line && self.out.ends_with([' ', ';']) {
            self.out.pop();
        }
        self.text(";;");
        self.gap();
    }

    fn and_or(&mut self, list: &AndOr) {
        self.pipeline(&list.first);
        for (connector, pipeline) in &list.rest {
            self.text(match connector {
                Connector::And => " && ",
                Connector::Or => " || ",
            });
            self.pipeline(pipeline);
        }
    }

    fn pipeline(&mut self, pipeline: &Pipeline) {
        if pipeline.timed {
            self.text("time ");
        }
        if pipeline.negated {
            self.text("! ");
        }
        for (index, command) in pipeline.commands.iter().enumerate() {
            if index > 0 {
                self.text(" | ");
            }
            self.command(command);
        }
    }

    fn command(&mut self, command: &Command) {
        match command {
            Command::Simple(simple) => self.simple(simple),
            Command::Compound { kind, redirects, .. } => {
                self.compound(kind);
                for redirect in redirects {
                    self.text(" ");
                    self.redirect(redirect);
                }
            }
        }
    }

    fn simple(&mut self, simple: &Simple) {
        let mut separator = "";
        for assign in &simple.assigns {
            self.text(std::mem::replace(&mut separator, " "));
            self.assign(assign);
        }
        // A name that is a reserved word was none only because a redirect stood before it.
        let reserved = simple.words.first().and_then(plain_text).is_some_and(is_reserved);
        let (before, after): (&[Redirect], &[Redirect]) =
            if reserved { (&simple.redirects, &[]) } else { (&[], &simple.redirects) };
        for redirect in before {
            self.text(std::mem::replace(&mut separator, " "));
            self.redirect(redirect);
        }
        for word in &simple.words {
            self.text(std::mem::replace(&mut separator, " "));
            self.word(word);
        }
        for redirect in after {
            self.text(std::mem::replace(&mut separator, " "));
            self.redirect(redirect);
        }
    }

    fn assign(&mut self, assign: &Assign) {
        self.text(&assign.name);
        if let Some(subscript) = &assign.subscript {
            self.text("[");
            self.subscript(subscript);
            self.text("]");
        }
        self.text(if assign.append { "+=" } else { "=" });
        match &assign.value {
            AssignValue::Scalar(word) => self.parts(&word.parts, word.quoted, Quotes::Outside),
            AssignValue::Array(words) => self.array(words),
        }
    }

    fn array(&mut self, words: &[Word]) {
        self.text("(");
        for (index, word) in words.iter().enumerate() {
            if index > 0 {
                self.text(" ");
            }
            self.word(word);
        }
        self.text(")");
    }

    fn redirect(&mut self, redirect: &Redirect) {
        match &redirect.descriptor {
            Descriptor::Default => {}
            Descriptor::Number(number) => self.text(number),
            Descriptor::Variable(name) => {
                self.text("{");
                self.text(name);
                self.text("}");
            }
        }
        self.text(redirect.op.text());
        match &redirect.target {
            Target::Word(word) => {
                self.text(" ");
                self.word(word);
            }
            Target::HereDoc(document) => {
                self.text(" ");
                if document.quoted {
                    self.single_quoted(&document.delimiter);
                } else {
                    self.text(&document.delimiter);
                }
                let mut body = Self::default();
                if document.quoted {
                    body.text(&document.body.known().unwrap_or_default());
                } else {
                    body.parts(&document.body.parts, true, Quotes::Body);
                }
                body.text(&document.delimiter);
                body.text("\n");
                self.bodies.push(body.out);
            }
        }
    }

    fn compound(&mut self, kind: &Compound) {
        match kind {
            Compound::Group(script) => self.block("{", script, "}"),
            Compound::Subshell(script) => self.block("(", script, ")"),
            Compound::If { arms, otherwise } => {
                for (index, (condition, body)) in arms.iter().enumerate() {
                    self.block(if index == 0 { "if" } else { "elif" }, condition, "");
                    self.block("then", body, "");
                }
                if let Some(script) = otherwise {
                    self.block("else", script, "");
                }
                self.text("fi");
            }
            Compound::While { until, condition, body } => {
                self.block(if *until { "until" } else { "while" }, condition, "");
                self.block("do", body, "done");
            }
            Compound::For { name, words, select, body } => {
                self.text(if *select { "select " } else { "for " });
                self.text(name);
                if let Some(words) = words {
                    self.text(" in");
                    for word in words {
                        self.text(" ");
                        self.word(word);
                    }
                }
                self.newline();
                self.block("do", body, "done");
            }
            Compound::ForArith { expressions, body } => {
                let texts: Vec<&str> =
                    expressions.iter().map(|arith| arith.text.as_str()).collect();
                self.text("for ((");
                self.text(&texts.join(";"));
                self.text("))");
                self.newline();
                self.block("do", body, "done");
            }
            Compound::Case { word, arms } => {
                self.text("case ");
                self.word(word);
                self.text(" in");
                self.gap();
                for arm in arms {
                    self.text("(");
                    for (index, pattern) in arm.patterns.iter().enumerate() {
                        if index > 0 {
                            self.text(" | ");
                        }
                        self.word(pattern);
                    }
                    self.text(")");
                    self.gap();
                    self.arm(&arm.body);
                }
                self.text("esac");
            }
            Compound::Function { name, body } => {
                self.text("function ");
                self.text(name);
                self.text(" ");
                self.command(body);
            }
            Compound::Coproc { name, body } => {
                self.text("coproc ");
                if let Some(name) = name {
                    self.text(name);
                    self.text(" ");
                }
                self.command(body);
            }
            Compound::Test(words) => {
                self.text("[[ ");
                for word in words {
                    self.word(word);
                    self.text(" ");
                }
                self.text("]]");
            }
            Compound::Arith(arith) => {
                self.text("((");
                self.text(&arith.text);
                self.text("))");
            }
        }
    }

    fn word(&mut self, word: &Word) {
        self.parts(&word.parts, word.quoted, Quotes::Outside);
    }

    fn parts(&mut self, parts: &[Part], quoted: bool, quotes: Quotes) {
        if quotes == Quotes::Outside && quoted && !parts.iter().any(is_quoted) {
            self.text("''");
        }
        let mut rest = parts;
        while let Some((first, after)) = rest.split_first() {
            rest = after;
            if quotes != Quotes::Outside || !is_quoted(first) {
                self.part(first, quotes, rest.first());
            } else if let Part::Text { text, .. } = first {
                if self.out.ends_with('$') {
                    // `$'…'` would be another kind of quote.
                    self.escaped(text, &[]);
                } else {
                    self.single_quoted(text);
                }
            } else {
                self.text("\"");
                self.part(first, Quotes::Double, None);
                self.text("\"");
            }
        }
    }

    fn part(&mut self, part: &Part, quotes: Quotes, next: Option<&Part>) {
        match part {
            Part::Text { text, .. } => match quotes {
                Quotes::Outside => self.text(text),
                Quotes::Double => self.escaped(text, &['"', '\\', '$', '`']),
                Quotes::Operand => self.escaped(text, &['"', '\\', '$', '`', '}', '\'', '/']),
                Quotes::Body => self.escaped(text, &['\\', '$', '`']),
            },
            Part::Glob(text) => self.text(text),
            Part::Tilde(user) => {
                self.text("~");
                self.text(user);
            }
            Part::Param { expansion, .. } => {
                let bare = expansion.is_plain() && next.is_none();
                self.expansion(expansion, bare, quotes);
            }
            Part::Subst { script, .. } => {
                self.substitution("$(", script);
            }
            Part::Process { script, output } => {
                self.substitution(if *output { ">(" } else { "<(" }, script);
            }
            Part::Arith { arith, .. } => self.arith(arith),
            Part::Array(words) => self.array(words),
            Part::Unreadable { .. } => self.text("$'\\xff'"),
        }
    }

    fn substitution(&mut self, open: &str, script: &Script) {
        let outer = std::mem::take(&mut self.bodies);
        let one_line = self.one_line;
        self.one_line |= !outer.is_empty();
        self.block(open, script, ")");
        self.one_line = one_line;
        self.bodies = outer;
    }

    fn arith(&mut self, arith: &Arith) {
        self.text("$((");
        self.text(&arith.text);
        self.text("))");
    }

    fn expansion(&mut self, expansion: &Expansion, bare: bool, quotes: Quotes) {
        let special =
            expansion.name.len() > 1 && expansion.name.starts_with(|c: char| c.is_ascii_digit());
        if bare && !special {
            self.text("$");
            self.text(&expansion.name);
            return;
        }
        self.text("${");
        if expansion.indirect {
            self.text("!");
        }
        if expansion.length {
            self.text("#");
        }
        self.text(&expansion.name);
        if let Some(subscript) = &expansion.subscript {
            self.text("[");
            self.subscript(subscript);
            self.text("]");
        }
        self.text(&expansion.operator);
        for (index, operand) in expansion.operands.iter().enumerate() {
            if index > 0 {
                self.text(if expansion.operator == ":" { ":" } else { "/" });
            }
            if expansion.operator == ":" {
                self.subscript(operand);
                continue;
            }
            let pattern = expansion.operator.starts_with(['#', '%', '/', '^', ',']);
            match quotes {
                // In a pattern single quotes quote, and nothing else does it as surely.
                Quotes::Double if pattern => {
                    self.parts(&operand.parts, operand.quoted, Quotes::Operand);
                }
                Quotes::Outside => self.parts(&operand.parts, operand.quoted, Quotes::Outside),
                Quotes::Double | Quotes::Operand | Quotes::Body => {
                    self.parts(&operand.parts, operand.quoted, Quotes::Operand);
                }
            }
        }
        self.text("}");
    }

    /// A subscript or a substring bound: its text.
    fn subscript(&mut self, word: &Word) {
        match word.parts.as_slice() {
            [Part::Arith { arith, .. }] => self.text(&arith.text),
            _ => self.text(&word.known().unwrap_or_default()),
        }
    }

    fn single_quoted(&mut self, text: &str) {
        self.text("'");
        self.text(&text.replace('\'', "'\\''"));
        self.text("'");
    }

    fn escaped(&mut self, text: &str, special: &[char]) {
        for character in text.chars() {
            if special.is_empty() || special.contains(&character) {
                self.text("\\");
            }
            self.out.push(character);
        }
    }
}

fn is_quoted(part: &Part) -> bool {
    match part {
        Part::Text { quoted, .. }
        | Part::Param { quoted, .. }
        | Part::Subst { quoted, .. }
        | Part::Arith { quoted, .. } => *quoted,
        // `$'…'` brings its own quotes.
        Part::Unreadable { .. } => false,
        Part::Glob(_) | Part::Process { .. } | Part::Tilde(_) | Part::Array(_) => false,
    }
}
