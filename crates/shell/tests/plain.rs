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
use support::{both, corpus};

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
    let texts = corpus();
    // Eight texts a round.
    let rounds = cases / 4;
    let mut wrong = Vec::new();
    let mut clean = 0;
    let generated = (0..rounds).flat_map(|seed: u64| {
        let dice = &mut Dice::new(seed);
        let mut all: Vec<String> = (0..5).map(|_| tokens(dice)).collect();
        all.extend([soup(dice), program(dice), mutated(dice, &texts)]);
        all
    });
    for text in texts.iter().cloned().chain(generated) {
        clean += usize::from(both(&text).obstacles.is_empty());
        wrong.extend(differ(&text));
    }
    assert!(clean > 1_000, "only {clean} texts were read without an obstacle");
    assert!(wrong.is_empty(), "{} wrong\n{}", wrong.len(), wrong.join("\n"));
}
