//! Programs from a seed: by grammar, and as a soup of the tokens that confuse readers.

/// A small generator of numbers; the same seed gives the same programs on every machine.
#[derive(Debug)]
pub struct Dice(u64);

impl Dice {
    /// From a seed.
    pub fn new(seed: u64) -> Self {
        Self(seed.wrapping_mul(0x9e37_79b9_7f4a_7c15) | 1)
    }

    /// A number below `sides`.
    pub fn roll(&mut self, sides: usize) -> usize {
        self.0 ^= self.0 << 13;
        self.0 ^= self.0 >> 7;
        self.0 ^= self.0 << 17;
        usize::try_from((self.0 >> 11) % sides as u64).unwrap_or(0)
    }

    /// One of these.
    pub fn pick<'a>(&mut self, choices: &[&'a str]) -> &'a str {
        choices.get(self.roll(choices.len())).copied().unwrap_or("")
    }
}

/// A program made of tokens in any order.
pub fn soup(dice: &mut Dice) -> String {
    let mut text = String::new();
    if dice.roll(2) == 0 {
        text.push_str(dice.pick(STARTS));
    }
    for _ in 0..=dice.roll(9) {
        text.push_str(dice.pick(TOKENS));
        if dice.roll(4) == 0 {
            text.push(' ');
        }
    }
    text
}

/// A well-formed program, most of the time.
pub fn program(dice: &mut Dice) -> String {
    let mut maker = Maker { dice, bodies: Vec::new(), documents: false };
    let depth = 1 + maker.dice.roll(3);
    let mut text = maker.list(depth);
    text.push('\n');
    text.push_str(&maker.bodies.join(""));
    text
}

/// A substitution full of here-documents: bash prints and parses those again.
pub fn substituted(dice: &mut Dice) -> String {
    let mut maker = Maker { dice, bodies: Vec::new(), documents: true };
    let depth = maker.dice.roll(3);
    let open = maker.dice.pick(&["zz $(", "zz \"$(", "x=$(", "zz <("]);
    let close = if open.contains('"') { ")\"" } else { ")" };
    let block = maker.block(depth, ")");
    format!("{open}{}{close}\nyy", block.strip_suffix(')').unwrap_or(&block))
}

/// A text with a few tokens put in, taken out or doubled.
pub fn mutated(dice: &mut Dice, texts: &[String]) -> String {
    let mut text: Vec<char> =
        texts.get(dice.roll(texts.len())).map(|text| text.chars().collect()).unwrap_or_default();
    for _ in 0..=dice.roll(3) {
        let at = dice.roll(text.len() + 1);
        let until = (at + dice.roll(4)).min(text.len());
        match dice.roll(4) {
            0 => {
                text.drain(at..until);
            }
            1 => {
                let doubled: Vec<char> = text.iter().take(until).skip(at).copied().collect();
                text.splice(at..at, doubled);
            }
            _ => {
                text.splice(at..at, dice.pick(TOKENS).chars());
            }
        }
    }
    text.into_iter().collect()
}

struct Maker<'d> {
    dice: &'d mut Dice,
    /// Most words are here-documents.
    documents: bool,
    bodies: Vec<String>,
}

impl Maker<'_> {
    fn list(&mut self, depth: usize) -> String {
        let mut text = self.pipeline(depth);
        for _ in 0..self.dice.roll(3) {
            // Bodies of here-documents start at the next newline.
            let separator = self.dice.pick(&[
                ";\n",
                "; ",
                " && ",
                " || ",
                " & ",
                "\n",
                ";",
                "&&",
                "\n# c'\"\n",
            ]);
            text.push_str(separator);
            if separator.contains('\n') {
                let bodies = std::mem::take(&mut self.bodies).join("");
                let at = text.len() - separator.len() + 1;
                text.insert_str(at, &bodies);
            }
            text.push_str(&self.pipeline(depth));
        }
        text
    }

    fn pipeline(&mut self, depth: usize) -> String {
        let mut text = String::new();
        text.push_str(self.dice.pick(&["", "", "", "", "! ", "time ", "time -p ", "! ! "]));
        text.push_str(&self.command(depth));
        for _ in 0..self.dice.roll(4) / 2 {
            text.push_str(self.dice.pick(&[" | ", "|", " |& "]));
            text.push_str(&self.command(depth));
        }
        text
    }

    /// A list inside a construct: its here-documents have to end before the construct does.
    fn block(&mut self, depth: usize, close: &str) -> String {
        let outer = std::mem::take(&mut self.bodies);
        let mut text = self.list(depth);
        let bodies = std::mem::replace(&mut self.bodies, outer);
        if bodies.is_empty() {
            if close != ")" {
                text.push_str("; ");
            }
        } else {
            text.push('\n');
            text.push_str(&bodies.join(""));
        }
        text.push_str(close);
        text
    }

    fn command(&mut self, depth: usize) -> String {
        if depth == 0 {
            return self.simple(0);
        }
        let inner = depth - 1;
        let mut text = match self.dice.roll(22) {
            0 => format!("{{ {}", self.block(inner, "}")),
            1 => format!("({}", self.block(inner, ")")),
            2 => format!("( {}", self.block(inner, ")")),
            3 => {
                let condition = self.block(inner, "then ");
                format!("if {condition}{}", self.block(inner, "fi"))
            }
            4 => {
                let condition = self.block(inner, "then ");
                let body = self.block(inner, "elif ");
                let second = self.block(inner, "then ");
                let third = self.block(inner, "else ");
                format!("if {condition}{body}{second}{third}{}", self.block(inner, "fi"))
            }
            5 => {
                let word = self.dice.pick(&["while ", "until "]);
                let condition = self.block(inner, "do ");
                format!("{word}{condition}{}", self.block(inner, "break; done"))
            }
            6 => {
                let mut words = String::new();
                for _ in 0..self.dice.roll(4) {
                    words.push_str(self.dice.pick(&[" ", "  ", " \\\n"]));
                    words.push_str(&self.word(inner));
                }
                format!("for i in{words} ; do {}", self.block(inner, "done"))
            }
            7 => {
                let word = self.word(inner);
                let arm = self.block(inner, ";; ");
                let pattern =
                    self.dice.pick(&["x", "*", "a|b", "(x", "[a-z]", "'x'", "\"$x\"", "?*"]);
                format!("case {word} in {pattern}) {arm}*) two;; esac")
            }
            8 => {
                let left = self.word(inner);
                let right = self.word(inner);
                let operator = self.dice.pick(&["==", "!=", "<", "=~", "-nt"]);
                format!("[[ {left} {operator} {right} && ! -e f ]]")
            }
            9 => {
                let text = self.dice.pick(&["1 + 2", "1", "(1)", "3 > 2", "1 || 0"]);
                format!("(({text}))")
            }
            10 => {
                if self.dice.roll(8) > 0 {
                    return self.simple(depth);
                }
                format!("f() {{ {}; f", self.block(inner, "}"))
            }
            11 => {
                let text = self.dice.pick(&["i=0;i<1;i++", "i = 0; i < 2; i += 1"]);
                format!("for (({text})); do {}", self.block(inner, "done"))
            }
            _ => return self.simple(depth),
        };
        if self.dice.roll(5) == 0 {
            text.push_str(self.dice.pick(&[
                " > f",
                " 2>&1",
                " < /dev/null",
                " >> 'g h'",
                " <<< x",
            ]));
        }
        text
    }

    fn simple(&mut self, depth: usize) -> String {
        let mut text = String::new();
        if self.dice.roll(6) == 0 {
            let value = self.word(depth);
            text.push_str(self.dice.pick(&["x=", "y+=", "Z="]));
            text.push_str(&value);
            text.push(' ');
            if self.dice.roll(3) == 0 {
                return text.trim_end().to_owned();
            }
        }
        if self.dice.roll(12) == 0 {
            text.push_str(self.dice.pick(&[">f ", "2>&1 ", "</dev/null "]));
        }
        text.push_str(self.dice.pick(NAMES));
        text.push_str(&self.words(depth, 4));
        text
    }

    fn words(&mut self, depth: usize, most: usize) -> String {
        let mut text = String::new();
        for _ in 0..self.dice.roll(most) {
            text.push_str(self.dice.pick(&[" ", " ", "  ", "\t", " \\\n"]));
            if self.dice.roll(if self.documents { 2 } else { 7 }) == 0 {
                let redirect = self.redirect(depth);
                text.push_str(&redirect);
            } else {
                let word = self.word(depth);
                text.push_str(&word);
            }
        }
        text
    }

    fn redirect(&mut self, depth: usize) -> String {
        match self.dice.roll(if self.documents { 2 } else { 4 }) {
            0 => {
                let number = self.dice.roll(100);
                let open = self.dice.pick(&["<<E", "<<-E", "<<'E'", "<< \\E", "<<\"E\"", "3<<E"]);
                let mut body = String::new();
                for _ in 0..self.dice.roll(3) {
                    body.push_str(self.dice.pick(BODY));
                    body.push('\n');
                }
                let tabs = if open.starts_with("<<-") { "\t" } else { "" };
                let (open, close) =
                    (open.replace('E', &format!("E{number}")), format!("{tabs}E{number}\n"));
                self.bodies.push(format!("{body}{close}"));
                open
            }
            1 => format!("<<< {}", self.word(depth)),
            2 => {
                let fd = self.dice.pick(&["", "2", "{v}", "&", "9"]);
                let op = match fd {
                    "&" => self.dice.pick(&[">", ">>"]),
                    _ => self.dice.pick(&[">", ">>", ">|", "<>"]),
                };
                format!(
                    "{fd}{op}{}{}",
                    self.dice.pick(&["", " "]),
                    self.dice.pick(&["f", "'g h'", "d\\e", "i$'\\n'"])
                )
            }
            _ => self
                .dice
                .pick(&["2>&1", ">&2", "<&-", ">&-x", ">& f", "< /dev/null", "1>&2-"])
                .to_owned(),
        }
    }

    fn word(&mut self, depth: usize) -> String {
        let mut text = String::new();
        for _ in 0..=self.dice.roll(3) / 2 {
            let part = self.part(depth);
            text.push_str(&part);
        }
        text
    }

    fn part(&mut self, depth: usize) -> String {
        if depth == 0 || self.dice.roll(3) > 0 {
            return self.dice.pick(PARTS).to_owned();
        }
        let inner = depth - 1;
        match self.dice.roll(12) {
            0 | 1 => format!("$({}", self.block(inner, ")")),
            2 => format!("\"$({}\"", self.block(inner, ")")),
            3 => format!("<({}", self.block(inner, ")")),
            4 => format!("`{}`", self.dice.pick(BACKQUOTED)),
            5 => format!("\"`{}`\"", self.dice.pick(BACKQUOTED)),
            6 => format!("${{x:-{}}}", self.word(inner)),
            7 => format!("\"${{x:-{}}}\"", self.word(inner)),
            8 => format!(
                "${{x{}{}}}",
                self.dice.pick(&["#", "%%", "/a/", "/", "^", ":+", "="]),
                self.word(inner)
            ),
            9 => format!(
                "\"${{x{}{}}}\"",
                self.dice.pick(&["#", "%", "//a/", "/", ",,", "+", ":="]),
                self.word(inner)
            ),
            10 => format!("\"a $({} b\"", self.block(inner, ")")),
            _ => format!("{{{},{}}}", self.part(inner), self.part(inner)),
        }
    }
}

const NAMES: &[&str] = &[
    "one", "two", "rm z", "t\\hree", "'fo'ur", "\"five\"", "s\\\nix", "se''ven", "[ x", "$'e'ight",
];

const PARTS: &[&str] = &[
    "a",
    "b",
    "x=1",
    "-x",
    "'q r'",
    "\"q r\"",
    "\\ ",
    "\\;",
    "$x",
    "\"$x\"",
    "${x}",
    "$'a\\'b'",
    "$\"l\"",
    "*",
    "?",
    "~",
    "{a,b}",
    "{1..3}",
    "{a",
    "}",
    "#",
    "a#b",
    "\\#",
    "$((1+2))",
    "\"$((2*3))\"",
    "''",
    "\"\"",
    "!",
    "[",
    "]",
    "a\\\nb",
    "if",
    "done",
    "esac",
    "=",
    "a:~",
    "x=~/y",
    "@",
    "+",
    "%",
    "^",
    ",",
    "\"a'b\"",
    "'a\"b'",
    "\"a\\\"b\"",
    "\"`two`\"",
    "`three`",
    "$(four)",
    "\"$(five)\"",
    "<(six)",
    "$@",
    "\"$@\"",
    "$#",
    "$",
    "\"$\"",
    "\\$x",
    "1",
    "2",
];

const BACKQUOTED: &[&str] = &[
    "two",
    "two a b",
    " ",
    "two \\`three\\`",
    "two \\$x",
    "two '\\$(three)'",
    "two \\\"a b\\\"",
    "two \"a\"",
    "two # c",
    "two; three",
    "two \\\\a",
    "\\`three\\`",
    "two $(three)",
    "two <<E\nx\nE\n",
    "two 'a\\\nb'",
];

const BODY: &[&str] = &[
    "plain",
    "$(three)",
    "`four`",
    "\\$(five)",
    "\\`six\\`",
    "it's \"quoted\"",
    "${x:-$(seven)}",
    "${x:-'$(eight)'}",
    "\tE",
    " E",
    "E ",
    "$x",
    "a\\",
    "\\\\",
    "$((1+1))",
    "# c",
    "EE",
    "<(nine)",
    "\"$(ten)\"",
    "\\\"$(one)\\\"",
    "",
];

const STARTS: &[&str] = &[
    "one ",
    "x=a; one ",
    "one\n",
    "{ one; }; ",
    "x=1 ",
    "[[ a == ",
    "case x in ",
    "for i in a ",
    "if one; then ",
];

const TOKENS: &[&str] = &[
    "one",
    "two",
    "rm z",
    " ",
    " ",
    " ",
    "\t",
    "\n",
    ";",
    "&",
    "|",
    "&&",
    "||",
    "(",
    ")",
    "{ ",
    "; }",
    "}",
    "<",
    ">",
    ">>",
    "<<E\n",
    "<<'E'\n",
    "<<-E\n",
    "\nE\n",
    "\n\tE\n",
    "\nE",
    "<<<",
    "'",
    "'",
    "\"",
    "\"",
    "`",
    "`",
    "\\",
    "\\\n",
    "#",
    " #",
    "$",
    "$(",
    "${",
    "$((",
    "))",
    "${x:-",
    "${x#",
    "${x/",
    "${#",
    "${x:",
    "$'",
    "$\"",
    "$[",
    "]",
    "[",
    "[[ ",
    " ]]",
    "((",
    "<(",
    ">(",
    ">&",
    "<&",
    "&>",
    ">|",
    "<>",
    "|&",
    ";;",
    ";&",
    "!",
    "! ",
    "time ",
    "if ",
    "; then ",
    "; fi",
    "else ",
    "while ",
    "do ",
    "; done",
    "for i in ",
    "case x in ",
    "x) ",
    " esac",
    "f() ",
    "function g ",
    "coproc ",
    "x=",
    "x=(",
    "a[",
    "x[1]=",
    "=",
    "+=",
    "{a,b}",
    "{",
    ",",
    "..",
    "~",
    "*",
    "?",
    "@(",
    "+(",
    "!(",
    "-",
    "--",
    "-p ",
    "1",
    "2>",
    "{v}>",
    "a",
    "b",
    "z",
    "$x",
    "\"$x\"",
    "$@",
    "\"$(two)\"",
    "$(two)",
    "`two`",
    "\\`two\\`",
    "'$(two)'",
    "\\$(two)",
    "\\\"",
    "\\'",
    ":",
    "export x=(",
    "declare y=",
    "select i in a",
    "=~ ",
    "== ",
    "-eq ",
    "-v ",
    "&-",
    "\\\\",
];
