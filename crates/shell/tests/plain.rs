//! Plain text needs no grammar: where the reader of plain text is content, the grammar is as well.
#![expect(
    clippy::expect_used,
    clippy::disallowed_methods,
    unreachable_pub,
    reason = "a test may panic, read files and run bash"
)]

mod support;

use portcullis_shell::{Options, SecondReader, parse};
use support::generator::{Dice, mutated, program, soup};
use support::{both, corpus, own_cases};

/// What commands are made of, plain and nearly so.
const TOKENS: &[&str] = &[
    "ls",
    "-la",
    "git",
    "status",
    "src/*.rs",
    "a=b",
    "A=1",
    "export",
    "declare",
    "local",
    "readonly",
    "unset",
    "let",
    "test",
    "-n",
    "x+=1",
    "~",
    "~/x",
    "?",
    "*",
    "%",
    "@",
    "a@b",
    ":",
    ",",
    "+",
    "=",
    "==",
    "if",
    "then",
    "in",
    "do",
    "time",
    "-p",
    "eval",
    "'",
    "''",
    "'a b'",
    "'\n'",
    "'\"'",
    "\"",
    "\"\"",
    "\"a b\"",
    "\"$X\"",
    "$(",
    "$(ls",
    "x=$(",
    ")",
    "\"$(",
    ")\"",
    "$(pwd)/b",
    "a$(ls -la)$X",
    "\"$(date +%s): $(pwd)\"",
    "\"$\"",
    "$X",
    "$_",
    "$X$Y",
    "$",
    "\"it's\"",
    "'#'",
    "\"a;b|c&d>e\"",
    "1",
    "2",
    "12",
    "é",
    "'é'",
    ">",
    ">>",
    "<",
    ">&",
    "2>",
    "2>&1",
    ">&2",
    "1>",
    "0<",
    "2>>",
    "&&",
    "||",
    "|",
    ";",
    "&",
    "\n",
    "\t",
    "#",
    "!",
    "{",
    "}",
    "(",
    ")",
    "[",
    "]",
    "\\",
    "`",
];

/// What blocks are made of.
const BLOCKS: &[&str] = &[
    "if ",
    "then ",
    "then\n",
    "elif ",
    "else ",
    "fi",
    "fi ",
    "for f in ",
    "for f in *.rs \"$X\"; do ",
    "for x\nin ",
    "while ",
    "while read -r l; do ",
    "until ",
    "do ",
    "do\n",
    "done",
    "done ",
    "true",
    "ls -la",
    "a=b ls",
    "echo \"$(",
    ")\"",
    "echo $(",
    ")",
    "cat <<E",
    "cat <<'E' > out",
    "cat << \"E\"",
    "\nE\n",
    "\nit's $X\nE\n",
    "\nfi; ls\nE\n",
    " < in",
    " > out",
    " 2>&1",
    "; ",
    ";",
    "; ",
    "; ",
    "\n",
    "\n",
    " && ",
    " | ",
    " || ",
    " & ",
    "'\n'",
    " x",
];

/// Pieces of blocks in any order.
fn pieces(dice: &mut Dice) -> String {
    (0..=dice.roll(14)).map(|_| dice.pick(BLOCKS)).collect()
}

/// Blocks as people write them, with a piece too many now and then.
fn blocks(dice: &mut Dice, depth: usize) -> String {
    let inner = |dice: &mut Dice| {
        let mut text = String::new();
        for _ in 0..=dice.roll(2) {
            text.push_str(&if depth == 0 { simple(dice) } else { blocks(dice, depth - 1) });
            text.push_str(dice.pick(&["; ", "\n", "\n  ", " ;\n", ";\n\n"]));
        }
        text
    };
    let mut text = match dice.roll(6) {
        0 => format!("if {}then {}fi", inner(dice), inner(dice)),
        1 => format!("if {}then\n{}else\n{}fi", inner(dice), inner(dice), inner(dice)),
        2 => {
            let (one, two, three) = (inner(dice), inner(dice), inner(dice));
            format!("if {one}then {two}elif {three}then {one}else {two}fi")
        }
        3 => format!("for f in a \"$X\" $(ls){}do {}done", dice.pick(&["; ", "\n"]), inner(dice)),
        4 => format!("{} {}do\n{}done", dice.pick(&["while", "until"]), inner(dice), inner(dice)),
        _ => simple(dice),
    };
    if dice.roll(3) == 0 {
        text.push_str(dice.pick(&[" > out", " < in", " | cat", " && ls", " 2>&1", " <<E\nx\nE\n"]));
    }
    if dice.roll(40) == 0 {
        text.push_str(dice.pick(BLOCKS));
    }
    text
}

fn simple(dice: &mut Dice) -> String {
    let pieces = [
        "ls -la",
        "grep -q 'x y' \"$f\"",
        "echo \"$(basename \"$f\"): found\" >> out.log",
        "true && false || ls",
        "a=$(pwd) ls | head -n 1",
        "cat <<E\nit's fi; done\nE\ntrue",
        "cat <<'E' > notes.md\nit's $(only) `text`\nE\ntrue",
        "echo if then fi do done",
        "read -r line",
        "x=1",
    ];
    dice.pick(&pieces).to_owned()
}

/// What the two settings say of a text.
fn differ(text: &str) -> Option<String> {
    let grammar = parse(text, &Options { second_reader: SecondReader::GrammarAgrees });
    let plain = both(text);
    (grammar.obstacles != plain.obstacles || grammar.second_opinion != plain.second_opinion)
        .then(|| format!("{text:?}: {:?} {:?}", plain.obstacles, grammar.obstacles))
}

/// Tokens one after another, mostly with blanks, most of them plain.
fn tokens(dice: &mut Dice) -> String {
    let plain = TOKENS.len() - if dice.roll(4) == 0 { 0 } else { 9 };
    let mut text = String::new();
    for _ in 0..=dice.roll(10) {
        text.push_str(TOKENS.get(dice.roll(plain)).expect("a token"));
        if dice.roll(5) != 0 {
            text.push(' ');
        }
    }
    text
}

#[test]
fn the_grammar_agrees_wherever_plain_text_is_read() {
    let cases =
        std::env::var("PORTCULLIS_CASES").map_or(2_000, |text| text.parse().expect("a count"));
    let mut texts = corpus();
    texts.extend(own_cases());
    // Twelve texts a round.
    let rounds = cases / 6;
    let mut wrong = Vec::new();
    let mut clean = 0;
    let generated = (0..rounds).flat_map(|seed: u64| {
        let dice = &mut Dice::new(seed);
        let mut all: Vec<String> = (0..5).map(|_| tokens(dice)).collect();
        all.extend([soup(dice), program(dice), mutated(dice, &texts)]);
        all.extend([pieces(dice), pieces(dice), blocks(dice, 1), blocks(dice, 2)]);
        all
    });
    for text in texts.iter().cloned().chain(generated) {
        clean += usize::from(both(&text).obstacles.is_empty());
        wrong.extend(differ(&text));
    }
    assert!(clean > 1_000, "only {clean} texts were read without an obstacle");
    assert!(wrong.is_empty(), "{} wrong\n{}", wrong.len(), wrong.join("\n"));
}
