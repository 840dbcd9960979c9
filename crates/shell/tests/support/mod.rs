//! What the tests of this crate share: a program as flat predictions, and bash itself as judge.
#![expect(dead_code, reason = "every suite uses a part of it")]

pub mod bash;
pub mod generator;

use portcullis_shell::{
    Descriptor, Options, Part, Program, Redirect, RedirectOp, SecondReader, Simple, Target, Visit,
    Word, parse, walk,
};

/// Reads with the strict reader alone.
pub fn strict(text: &str) -> Program {
    parse(text, &Options { second_reader: SecondReader::Skipped })
}

/// Reads with both readers.
pub fn both(text: &str) -> Program {
    parse(text, &Options::default())
}

/// The lines of a case file.
pub fn case_file(name: &str) -> Vec<serde_json::Value> {
    let path = format!("{}/../../tests/corpus/{name}", env!("CARGO_MANIFEST_DIR"));
    let text = std::fs::read_to_string(path).expect("the case file is readable");
    text.lines().map(|line| serde_json::from_str(line).expect("a case is JSON")).collect()
}

fn inputs(name: &str) -> impl Iterator<Item = String> {
    case_file(name).into_iter().map(|case| {
        case.get("input").and_then(serde_json::Value::as_str).expect("an input").to_owned()
    })
}

/// The commands of our own case file.
pub fn own_cases() -> Vec<String> {
    inputs("shell_own.jsonl").collect()
}

/// The commands of the shared case file and of the attacks.
pub fn corpus() -> Vec<String> {
    inputs("shell_cases.jsonl")
        .chain(include_str!("../attacks.txt").split("\n%%%\n").map(str::to_owned))
        .collect()
}

/// One word of a predicted command.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Slot {
    /// This word.
    Known(String),
    /// One word that starts and ends like this.
    One(String, String),
    /// Any number of words.
    Many,
}

/// A predicted redirect: descriptor, operator, target where known.
pub type Opened = (Option<String>, String, Option<String>);

/// Everything a program could do, flat.
#[derive(Debug, Default)]
pub struct Prediction {
    /// Commands by their words.
    pub commands: Vec<Vec<Slot>>,
    /// Redirects but here-documents and here-strings.
    pub redirects: Vec<Opened>,
    /// Assigned variables.
    pub assigns: Vec<String>,
}

impl Visit for Prediction {
    fn simple(&mut self, simple: &Simple) {
        if !simple.words.is_empty() {
            self.commands.push(simple.words.iter().map(slot).collect());
        }
        self.assigns.extend(simple.assigns.iter().map(|assign| assign.name.clone()));
    }

    fn redirect(&mut self, redirect: &Redirect) {
        let descriptor = match &redirect.descriptor {
            Descriptor::Default => None,
            Descriptor::Number(number) => Some(number.clone()),
            Descriptor::Variable(name) => Some(format!("{{{name}}}")),
        };
        if redirect.op == RedirectOp::HereString {
            return;
        }
        if let Target::Word(word) = &redirect.target {
            self.redirects.push((descriptor, redirect.op.text().to_owned(), word.known()));
        }
    }
}

/// The prediction of a program.
pub fn predict(program: &Program) -> Prediction {
    let mut prediction = Prediction::default();
    walk(&program.script, &mut prediction);
    prediction
}

/// A word as a slot.
pub fn slot(word: &Word) -> Slot {
    if let Some(text) = word.known() {
        return Slot::Known(text);
    }
    if let [Part::Arith { arith, .. }] = word.parts.as_slice()
        && let Some(value) = arith.value
    {
        return Slot::Known(value.to_string());
    }
    let many = word.parts.iter().any(|part| match part {
        Part::Glob(_) | Part::Array(_) => true,
        Part::Param { expansion, quoted } => {
            let list = expansion.name == "@"
                || expansion.indirect
                || expansion.subscript.as_ref().is_some_and(|s| s.known().as_deref() == Some("@"))
                || expansion.operands.iter().any(|operand| !operand.parts.is_empty());
            !quoted || list
        }
        Part::Subst { quoted, .. } | Part::Arith { quoted, .. } | Part::Unreadable { quoted } => {
            !quoted
        }
        Part::Text { .. } | Part::Process { .. } | Part::Tilde(_) => false,
    });
    if many {
        return Slot::Many;
    }
    let text = |part: &Part| match part {
        Part::Text { text, .. } => Some(text.clone()),
        _ => None,
    };
    Slot::One(
        word.parts.first().and_then(text).unwrap_or_default(),
        word.parts.last().and_then(text).unwrap_or_default(),
    )
}

/// Whether an argv is one that a predicted command may become.
pub fn covers(slots: &[Slot], argv: &[String]) -> bool {
    match (slots.split_first(), argv.split_first()) {
        (None, None) => true,
        (None, Some(_)) => false,
        (Some((Slot::Many, rest)), _) => {
            (0..=argv.len()).any(|taken| covers(rest, argv.get(taken..).unwrap_or(&[])))
        }
        (Some(_), None) => false,
        (Some((Slot::Known(word), rest)), Some((first, left))) => {
            word == first && covers(rest, left)
        }
        (Some((Slot::One(prefix, suffix), rest)), Some((first, left))) => {
            first.starts_with(prefix.as_str())
                && first.ends_with(suffix.as_str())
                && first.len() >= prefix.len() + suffix.len()
                && covers(rest, left)
        }
    }
}
