//! Generates shell programs: everything bash has syntax for, nested and in odd places, and broken
//! variants of them.
//!
//! A program only names commands that do not exist, opens files in its own folder, and has no loop
//! without an end, so that running it is harmless. Everything follows from the choices.

use crate::choices::Choices;
use crate::tables::shell::{
    BODY_LINES, INSERTIONS, ODD_NAMES, PARTS, QUOTED_PARTS, SETUPS, SPELLINGS,
};

/// Names of commands that exist nowhere. Those that start with `ok` succeed under the oracle.
pub const NAMES: &[&str] = &["one", "two", "three", "rm", "curl", "ok", "ok1"];

/// How deep constructs nest.
const DEPTH: usize = 3;

/// Makes a program.
pub fn generate(choices: &mut Choices<'_>) -> String {
    let plain = choices.one_in(2);
    let mut writer =
        Writer { choices, plain, out: String::new(), bodies: Vec::new(), delimiters: 0 };
    if !plain && writer.choices.one_in(2) {
        writer.one_of(SETUPS);
    }
    let depth = writer.choices.below(DEPTH + 1);
    writer.script(depth, 3);
    writer.end_bodies();
    writer.out
}

/// Breaks a program in one to three places.
pub fn mutate(choices: &mut Choices<'_>, program: &str) -> String {
    let mut text: Vec<char> = program.chars().collect();
    for _ in 0..=choices.below(3) {
        let at = choices.below(text.len() + 1);
        match choices.below(8) {
            0 if at < text.len() => drop(text.remove(at)),
            1 if at < text.len() => {
                let copy: Vec<char> =
                    text[at..].iter().copied().take(choices.below(9) + 1).collect();
                let to = choices.below(text.len() + 1);
                text.splice(to..to, copy);
            }
            2 => text.truncate(at),
            3 | 4 => {
                text.splice(at..at, ['\\', '\n']);
            }
            _ => {
                text.splice(at..at, choices.text(INSERTIONS).chars());
            }
        }
    }
    text.into_iter().collect()
}

/// Cuts pieces out of a program as long as it still fails; what is left is easier to look at.
pub fn shrink(program: &str, fails: impl Fn(&str) -> bool) -> String {
    let mut text: Vec<char> = program.chars().collect();
    let mut piece = text.len() / 2;
    while piece > 0 {
        let mut at = 0;
        while at < text.len() {
            let end = (at + piece).min(text.len());
            let rest: Vec<char> = text[..at].iter().chain(&text[end..]).copied().collect();
            if fails(&rest.iter().collect::<String>()) {
                text = rest;
            } else {
                at = end;
            }
        }
        piece /= 2;
    }
    text.into_iter().collect()
}

struct Writer<'a, 'b> {
    choices: &'a mut Choices<'b>,
    /// Without what no reader should answer for, so that more of it is read in full.
    plain: bool,
    out: String,
    /// Here-documents whose bodies start after the next newline.
    bodies: Vec<String>,
    delimiters: usize,
}

impl Writer<'_, '_> {
    fn push(&mut self, text: &str) {
        self.out.push_str(text);
    }

    fn one_of(&mut self, texts: &[&str]) {
        let text = self.choices.text(texts);
        self.out.push_str(text);
    }

    fn script(&mut self, depth: usize, most: usize) {
        for index in 0..=self.choices.below(most) {
            if index > 0 {
                self.separator();
            }
            self.command(depth);
        }
    }

    fn separator(&mut self) {
        match self.choices.below(10) {
            0..3 => self.push("; "),
            3 => self.push(" && "),
            4 => self.push(" || "),
            5 => self.one_of(&[" | ", " |& ", "|"]),
            6 => self.push(" & "),
            7 => {
                self.one_of(&[" # it's one", " #\"`", "  #$(one)"]);
                self.newline();
            }
            _ => self.newline(),
        }
    }

    /// Ends the line, and with it every here-document that was begun on it.
    fn newline(&mut self) {
        self.push("\n");
        for body in std::mem::take(&mut self.bodies) {
            self.push(&body);
        }
    }

    fn end_bodies(&mut self) {
        if !self.bodies.is_empty() {
            self.newline();
        }
    }

    fn command(&mut self, depth: usize) {
        if depth == 0 || self.choices.below(10) < 6 {
            return self.simple(depth);
        }
        let inner = depth - 1;
        match self.choices.below(if self.plain { 14 } else { 25 }) {
            0 => self.wrapped(inner, "{ ", "; }"),
            1 => self.wrapped(inner, "( ", " )"),
            2 => self.wrapped(inner, "(", ")"),
            3 => self.wrapped(inner, "if ok; then ", "; fi"),
            4 => self.wrapped(inner, "if ", "; then two; else one x; fi"),
            5 => self.wrapped(inner, "if one; then :; elif ok; then ", "; fi"),
            6 => self.wrapped(inner, "while ok; do ", "; break; done"),
            7 => self.wrapped(inner, "until one; do ", "; break; done"),
            8 => {
                self.push("for i in ");
                self.word(inner);
                self.wrapped(inner, " k; do ", "; done");
            }
            9 => self.wrapped(inner, "for i\ndo ", "; done"),
            10 => self.wrapped(inner, "for ((i=0; i<1; i++)); do ", "; done"),
            11 => {
                self.push("case ");
                self.word(inner);
                self.push(" in ");
                self.one_of(&["x|", "(", "", "a) three;; "]);
                self.word(inner);
                self.wrapped(inner, ") ", ";; esac");
            }
            12 => self.wrapped(inner, "case x in *) ", " ;;& y) one;& z) two; esac"),
            13 => self.wrapped(inner, "{ ", "; } > f 2>&1"),
            14 => self.wrapped(inner, "f() { ", "; }; f z"),
            15 => self.wrapped(inner, "function g { ", "; }; g"),
            16 => self.wrapped(inner, "h() ( ", " ); h | two"),
            17 => self.wrapped(inner, "coproc { ", "; }; wait"),
            18 => self.test(inner),
            19 => self.arithmetic_command(inner),
            20 => self.prefixed(inner),
            21 => self.payload(inner),
            22 => self.builtin(inner),
            23 => self.wrapped(inner, "select i in p q; do ", "; break; done <<< 1"),
            _ => self.wrapped(inner, "time -p { ", "; }"),
        }
    }

    /// A script between two texts; here-documents begun inside end inside.
    fn wrapped(&mut self, depth: usize, before: &str, after: &str) {
        let outer = std::mem::take(&mut self.bodies);
        self.push(before);
        self.script(depth, 2);
        self.end_bodies();
        // A line that has just ended needs no `;`, and bash does not take one there.
        let after = if self.out.ends_with('\n') { after.trim_start_matches("; ") } else { after };
        self.push(after);
        self.bodies = outer;
    }

    fn simple(&mut self, depth: usize) {
        if self.choices.one_in(6) {
            self.assignment(depth);
            self.push(" ");
        }
        if self.choices.one_in(10) {
            self.redirect(depth);
            self.push(" ");
        }
        if self.choices.one_in(4) {
            self.odd_name(depth);
        } else {
            self.one_of(NAMES);
        }
        for _ in 0..self.choices.below(3) {
            self.one_of(&[" ", " ", " ", "  ", "\t", " \\\n"]);
            if self.choices.one_in(4) {
                self.redirect(depth);
            } else {
                self.word(depth);
            }
        }
    }

    fn odd_name(&mut self, depth: usize) {
        match self.choices.below(if self.plain { 4 } else { 6 }) {
            0 | 1 => self.one_of(SPELLINGS),
            2 | 3 if self.plain => self.one_of(SPELLINGS),
            2 | 3 => self.one_of(ODD_NAMES),
            4 => self.word(depth),
            _ => {
                self.one_of(NAMES);
                self.part(depth, false);
            }
        }
    }

    fn assignment(&mut self, depth: usize) {
        match self.choices.below(6) {
            0 => {
                self.push("a=(");
                self.word(depth);
                self.push(" ");
                self.word(depth);
                self.push(")");
            }
            1 => {
                self.one_of(&["a[0]=", "a[1+1]=", "a[x]=", "a[$(two)]="]);
                self.word(depth);
            }
            _ => {
                self.one_of(&["x=", "y=", "x+=", "LANG=", "z="]);
                if !self.choices.one_in(4) {
                    self.word(depth);
                }
            }
        }
    }

    fn redirect(&mut self, depth: usize) {
        match self.choices.below(10) {
            0 => self.here_document(depth),
            1 => {
                self.one_of(&["<<<", "<<< ", "3<<<"]);
                self.word(depth);
            }
            2 => self.one_of(&["2>&1", ">&2", "<&-", ">&-", "3>&1-", "<&0"]),
            _ => {
                self.one_of(&[
                    ">", "> ", ">>", ">|", "2> ", "&>", "&>> ", ">& ", "3<>", "{v}> ", "<",
                ]);
                if self.choices.one_in(5) {
                    self.word(depth);
                } else {
                    self.one_of(&["f", "g", "'f g'", "./h", "f\\\ng", "f\"\"x", "/dev/null"]);
                }
            }
        }
    }

    fn here_document(&mut self, depth: usize) {
        self.delimiters += 1;
        let name = format!("E{}", self.delimiters);
        let tabs = self.choices.one_in(4);
        self.push(if tabs { "<<-" } else { "<<" });
        let quoting = self.choices.below(8);
        match quoting {
            0 => self.push(&format!("'{name}'")),
            1 => self.push(&format!("\\{name}")),
            2 => self.push(&format!("E\"{}\"", self.delimiters)),
            _ => self.push(&name),
        }
        let quoted = quoting < 3;
        let mut body = String::new();
        for _ in 0..self.choices.below(3) {
            if tabs {
                body.push('\t');
            }
            let line = self.choices.text(BODY_LINES);
            body.push_str(line);
            if !quoted && depth > 0 && self.choices.one_in(3) {
                let part = self.apart(|writer| writer.part(depth - 1, true));
                // A body line must not hold a newline that would end it early or late.
                if !part.contains('\n') {
                    body.push_str(&part);
                }
            }
            body.push('\n');
        }
        if tabs && self.choices.one_in(2) {
            body.push('\t');
        }
        body.push_str(&name);
        body.push('\n');
        self.bodies.push(body);
    }

    fn word(&mut self, depth: usize) {
        for _ in 0..=self.choices.below(2) {
            self.part(depth, false);
        }
    }

    fn part(&mut self, depth: usize, quoted: bool) {
        if depth == 0 || self.choices.one_in(2) {
            return self.one_of(if quoted { QUOTED_PARTS } else { PARTS });
        }
        let inner = depth - 1;
        match self.choices.below(if quoted { 9 } else { 14 }) {
            0 | 1 => self.wrapped(inner, "$(", ")"),
            2 => self.backquotes(inner),
            3 => self.parameter(inner, quoted),
            4 => self.parameter(inner, quoted),
            5 => self.wrapped(inner, "$((1 + $(", ")))"),
            6 => self.wrapped(inner, "${x:-$(", ")}"),
            7 => self.wrapped(inner, "$[1 + $(", ")]"),
            8 => self.one_of(&["$((1 + 2))", "$((x))", "$((a[0]))", "$[1]", "$(( 'x' ))"]),
            9 | 10 => {
                self.push("\"");
                for _ in 0..=self.choices.below(2) {
                    self.part(inner, true);
                }
                self.push("\"");
            }
            11 => self.wrapped(inner, "<(", ")"),
            12 => self.wrapped(inner, ">(", ")"),
            _ => {
                self.push("{p,");
                self.part(inner, false);
                self.push("}");
            }
        }
    }

    fn parameter(&mut self, depth: usize, quoted: bool) {
        self.push("${");
        self.one_of(&["x", "y", "n", "a[0]", "a[@]", "1", "@", "#x", "!x"]);
        self.one_of(&[
            ":-", "-", ":=", "=", ":+", "+", "#", "##", "%", "%%", "/p/", "//", "^^", ":", "@",
        ]);
        self.part(depth, quoted);
        self.push("}");
    }

    fn backquotes(&mut self, depth: usize) {
        let script = self.apart(|writer| {
            writer.script(depth, 2);
            writer.end_bodies();
        });
        self.push("`");
        self.push(&script.replace('\\', "\\\\").replace('`', "\\`"));
        self.push("`");
    }

    fn apart(&mut self, write: impl FnOnce(&mut Self)) -> String {
        let out = std::mem::take(&mut self.out);
        let bodies = std::mem::take(&mut self.bodies);
        write(self);
        self.bodies = bodies;
        std::mem::replace(&mut self.out, out)
    }

    fn test(&mut self, depth: usize) {
        match self.choices.below(4) {
            0 => {
                self.push("[ ");
                self.word(depth);
                self.one_of(&[" = ", " || ", " > ", " -a ", " | "]);
                self.word(depth);
                self.push(" ]");
            }
            1 => {
                self.push("[[ -n ");
                self.word(depth);
                self.push(" && ( x == y || ");
                self.word(depth);
                self.push(" ) ]]");
            }
            2 => {
                self.push("[[ ");
                self.word(depth);
                self.one_of(&[" == ", " =~ ", " -eq ", " < ", " != "]);
                self.word(depth);
                self.push(" ]]");
            }
            _ => {
                self.one_of(&["test -v ", "[ -v ", "[[ -v ", "test -n "]);
                self.one_of(&["x", "'a[$(two)]'", "a[0]", "'x'"]);
            }
        }
    }

    fn arithmetic_command(&mut self, depth: usize) {
        match self.choices.below(4) {
            0 => self.wrapped(depth, "((1 + $(", ") ))"),
            1 => self.one_of(&["((1 < 2))", "((x++))", "((a[0] = 1))", "((`two`))"]),
            2 => self.one_of(&["let x=1", "let 'a[$(two)]=1'", "let x++ 'y = 2'"]),
            _ => self.wrapped(depth, "((one); ", ")"),
        }
    }

    fn prefixed(&mut self, depth: usize) {
        self.one_of(&[
            "time ",
            "time -p ",
            "! ",
            "! time ",
            "coproc ",
            "command ",
            "builtin command ",
            "exec ",
            "env ",
            "nohup ",
            "timeout 5 ",
            "xargs ",
            "sudo ",
            "time ! ",
            "! ! ",
            "command -- ",
        ]);
        self.simple(depth);
    }

    fn payload(&mut self, depth: usize) {
        let script = self.apart(|writer| {
            writer.script(depth, 2);
            writer.end_bodies();
        });
        self.one_of(&["eval '", "trap '", "eval -- '", "bash -c '"]);
        self.push(&script.replace('\'', "'\\''"));
        self.push("' EXIT");
    }

    fn builtin(&mut self, depth: usize) {
        self.one_of(&[
            "export ",
            "declare ",
            "readonly ",
            "local ",
            "declare -i ",
            "declare -a ",
            "read ",
            "unset ",
            "printf -v x ",
            "printf ",
            "echo ",
            "cd ",
            "set -- ",
            "mapfile ",
            "shift ",
            ": ",
            "true ",
            "alias ",
            "shopt -s ",
            "hash ",
            "type ",
            "pushd ",
            "test ",
            "source ",
            ". ",
            "getopts ",
        ]);
        match self.choices.below(3) {
            0 => self.assignment(depth),
            1 => self.one_of(&["x", "'a[$(two)]'", "a[0]", "-p", "expand_aliases", "sub"]),
            _ => self.word(depth),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn follows_from_its_choices() {
        let make = |start| {
            let mut choices = Choices::Seeded(start);
            let program = generate(&mut choices);
            let broken = mutate(&mut choices, &program);
            (program, broken)
        };
        assert_eq!(make(3), make(3));
        assert_ne!(make(3), make(4));
    }

    #[test]
    fn shrinks_to_what_fails() {
        assert_eq!(shrink("one; two 'rm z' | three", |text| text.contains("rm z")), "rm z");
    }
}
