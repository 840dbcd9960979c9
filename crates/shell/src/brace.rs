//! Brace expansion: `{a,b}`, `{1..5}`.
//!
//! bash expands braces in the text of a word before anything else, so that `$x{a,b}` is `$xa $xb`.
//! So does this: it makes the texts and reads each as a word.

use crate::ir::Word;
use crate::reader::{Base, Read, Reader};
use crate::word::{Context, RawWord};
use portcullis_model::Reason;

/// What brace expansion makes of a text.
#[derive(Debug, PartialEq, Eq)]
enum Outcome {
    /// The text itself.
    None,
    /// These texts.
    Texts(Vec<String>),
    /// Too many, too deep, or characters that mean something of their own.
    Refused(&'static str),
}

impl Reader<'_, '_> {
    /// Adds a word, or the words its braces make.
    pub(crate) fn push_expanded(&mut self, raw: RawWord, words: &mut Vec<Word>) -> Read<()> {
        if !raw.marks.braces {
            words.push(raw.word);
            return Ok(());
        }
        let text = self.joined(raw.start, raw.end);
        if text.contains("$'") {
            // bash decodes `$'…'` before it looks for braces, quotes in it included.
            self.note(Reason::UnsupportedSyntax, raw.start, "braces and $'…' in one word");
            words.push(Word { from_brace: true, ..raw.word });
            return Ok(());
        }
        let mut steps = Steps { left: self.shared.fuel, made: 0 };
        let outcome = expand(&text, &mut steps, 0);
        let spent = self.shared.fuel - steps.left;
        self.burn(spent)?;
        let texts = match outcome {
            Outcome::None => {
                words.push(raw.word);
                return Ok(());
            }
            Outcome::Texts(texts) => texts,
            Outcome::Refused(why) => {
                self.note(Reason::UnsupportedSyntax, raw.start, why);
                words.push(Word { from_brace: true, ..raw.word });
                return Ok(());
            }
        };
        let span = raw.word.span;
        let pieces = self.shared.pieces.len();
        for text in texts {
            self.burn(text.len() + 1)?;
            if text.is_empty() {
                continue;
            }
            let mut inner = Reader::new(&text, Base::Within(span), &mut *self.shared);
            let word = inner.deeper(|reader| reader.read_word_text(Context::Argument))?;
            if inner.pos < text.len() {
                inner.shared.note(Reason::UnsupportedSyntax, span, "braces around an operator");
            }
            words.push(Word { from_brace: true, span, ..word.word });
        }
        // The second reader has already seen the substitutions of the unexpanded word.
        self.shared.pieces.truncate(pieces);
        Ok(())
    }
}

/// What may still be spent.
#[derive(Debug)]
struct Steps {
    left: usize,
    made: usize,
}

impl Steps {
    fn spend(&mut self, steps: usize) -> bool {
        self.left = self.left.saturating_sub(steps);
        self.left > 0
    }
}

fn expand(text: &str, steps: &mut Steps, depth: usize) -> Outcome {
    if depth > DEEPEST {
        return Outcome::Refused("deeply nested braces");
    }
    // The first brace that has a partner, and where that is.
    let mut from = 0;
    let (open, close) = loop {
        let Some(open) = find(text, from, b'{', steps) else { return Outcome::None };
        match find(text, open + 1, b'}', steps) {
            Some(close) => break (open, close),
            None => from = open + 1,
        }
        if steps.left == 0 {
            return Outcome::Refused("too many braces");
        }
    };
    let inside = text.get(open + 1..close).unwrap_or("");
    let before = text.get(..open).unwrap_or("");
    let after = text.get(close + 1..).unwrap_or("");
    let mut expanded = true;
    let middle = if has_comma(inside) {
        match alternatives(inside, steps, depth) {
            Ok(texts) => texts,
            Err(why) => return Outcome::Refused(why),
        }
    } else {
        match sequence(inside) {
            Sequence::Texts(texts) => texts,
            Sequence::Refused => return Outcome::Refused("brace sequence"),
            Sequence::None if after.is_empty() => return Outcome::None,
            Sequence::None => {
                expanded = false;
                vec![text.get(open..=close).unwrap_or("").to_owned()]
            }
        }
    };
    let ends = match expand(after, steps, depth + 1) {
        Outcome::None if !expanded => return Outcome::None,
        Outcome::None => vec![after.to_owned()],
        Outcome::Texts(texts) => texts,
        refused @ Outcome::Refused(_) => return refused,
    };
    steps.made += middle.len().saturating_mul(ends.len());
    if steps.made > MOST_WORDS
        || middle.len().saturating_mul(ends.len()).saturating_mul(text.len()) > MOST_BYTES
    {
        return Outcome::Refused("braces make too many words");
    }
    let mut texts = Vec::with_capacity(middle.len() * ends.len());
    for part in &middle {
        for end in &ends {
            texts.push(format!("{before}{part}{end}"));
        }
    }
    Outcome::Texts(texts)
}

/// The texts between the commas of a brace expression, each expanded.
fn alternatives(
    inside: &str,
    steps: &mut Steps,
    depth: usize,
) -> Result<Vec<String>, &'static str> {
    let mut texts = Vec::new();
    let mut from = 0;
    loop {
        let comma = find(inside, from, b',', steps);
        let part = inside.get(from..comma.unwrap_or(inside.len())).unwrap_or("");
        match expand(part, steps, depth + 1) {
            Outcome::None => texts.push(part.to_owned()),
            Outcome::Texts(more) => texts.extend(more),
            Outcome::Refused(why) => return Err(why),
        }
        if texts.len() > MOST_WORDS || steps.left == 0 {
            return Err("braces make too many words");
        }
        match comma {
            Some(comma) => from = comma + 1,
            None => return Ok(texts),
        }
    }
}

/// The first byte `wanted` that is not quoted, escaped, nested or part of an expansion. A `}` counts
/// only after a comma or `..`.
fn find(text: &str, from: usize, wanted: u8, steps: &mut Steps) -> Option<usize> {
    let bytes = text.as_bytes();
    let at = |index: usize| bytes.get(index).copied();
    let mut index = from;
    let mut level = 0_usize;
    let mut quote: Option<u8> = None;
    let mut separated = wanted != b'}';
    while let Some(byte) = at(index) {
        if !steps.spend(1) {
            return None;
        }
        if byte == b'\\' && quote != Some(b'\'') {
            index += 2;
            continue;
        }
        // `${` is passed over, but its closing brace counts outside quotes.
        if byte == b'$' && at(index + 1) == Some(b'{') && quote != Some(b'\'') {
            if quote.is_none() {
                level += 1;
            }
            index += 2;
            continue;
        }
        if quote != Some(b'\'')
            && quote != Some(b'`')
            && at(index + 1) == Some(b'(')
            && (byte == b'$' || (quote.is_none() && matches!(byte, b'<' | b'>')))
        {
            index = after_parenthesis(text, index + 2);
            continue;
        }
        if let Some(open) = quote {
            if byte == open {
                quote = None;
            }
            index += 1;
            continue;
        }
        if matches!(byte, b'"' | b'\'' | b'`') {
            quote = Some(byte);
            index += 1;
            continue;
        }
        if byte == wanted && level == 0 && separated {
            // `{}` and a brace before a blank stay text.
            let lone =
                byte == b'{' && index == 0 && matches!(at(1), Some(b'}' | b' ' | b'\t' | b'\n'));
            if !lone {
                return Some(index);
            }
            index += 1;
            continue;
        }
        match byte {
            b'{' => level += 1,
            b'}' => level = level.saturating_sub(1),
            b',' if level == 0 => separated = true,
            b'.' if level == 0 && at(index + 1) == Some(b'.') && at(index + 2) != Some(wanted) => {
                separated = true;
            }
            _ => {}
        }
        index += 1;
    }
    None
}

/// Where the parenthesis of a substitution ends. The word has been read already, so it does end;
/// parentheses in quotes are passed over.
fn after_parenthesis(text: &str, from: usize) -> usize {
    let bytes = text.as_bytes();
    let mut open = 1_usize;
    let mut quote: Option<u8> = None;
    let mut index = from;
    while let Some(byte) = bytes.get(index) {
        index += 1;
        match (quote, byte) {
            (Some(b'\''), b'\'') => quote = None,
            (Some(b'\''), _) => {}
            (_, b'\\') => index += 1,
            (None, b'\'' | b'"' | b'`') => quote = Some(*byte),
            (Some(opened), byte) if opened == *byte => quote = None,
            (None, b'(') => open += 1,
            (None, b')') => {
                open -= 1;
                if open == 0 {
                    return index;
                }
            }
            _ => {}
        }
    }
    index
}

/// Whether there is a comma that no backslash protects, as bash looks for one.
fn has_comma(inside: &str) -> bool {
    let mut escaped = false;
    inside.bytes().any(|byte| {
        let comma = byte == b',' && !escaped;
        escaped = byte == b'\\' && !escaped;
        comma
    })
}

/// What `{a..b}` makes.
#[derive(Debug, PartialEq, Eq)]
enum Sequence {
    None,
    Texts(Vec<String>),
    Refused,
}

fn sequence(inside: &str) -> Sequence {
    let mut fields = inside.split("..");
    let (Some(first), Some(last)) = (fields.next(), fields.next()) else { return Sequence::None };
    let step_text = fields.next();
    if fields.next().is_some() {
        return Sequence::None;
    }
    let step = match step_text.map(str::parse::<i64>) {
        None => 1,
        Some(Ok(step)) => step.saturating_abs().max(1),
        Some(Err(_)) => return Sequence::None,
    };
    if let (Ok(start), Ok(end)) = (first.parse::<i64>(), last.parse::<i64>()) {
        return numbers(start, end, step, [first, last]);
    }
    let (mut one, mut two) = (first.chars(), last.chars());
    match (one.next(), one.next(), two.next(), two.next()) {
        (Some(start), None, Some(end), None)
            if (start.is_ascii_lowercase() && end.is_ascii_lowercase())
                || (start.is_ascii_uppercase() && end.is_ascii_uppercase()) =>
        {
            let values = count(i64::from(u32::from(start)), i64::from(u32::from(end)), step);
            let chars = values.into_iter().filter_map(|v| u32::try_from(v).ok()?.try_into().ok());
            Sequence::Texts(chars.map(|c: char| c.to_string()).collect())
        }
        // `{A..z}` makes backslashes and backquotes on the way.
        (Some(start), None, Some(end), None)
            if start.is_ascii_alphabetic() && end.is_ascii_alphabetic() =>
        {
            Sequence::Refused
        }
        _ => Sequence::None,
    }
}

fn numbers(start: i64, end: i64, step: i64, texts: [&str; 2]) -> Sequence {
    let large = |value: i64| value.unsigned_abs() > u64::from(u32::MAX);
    if large(start) || large(end) || (start - end).unsigned_abs() / step.unsigned_abs() > 9_999 {
        return Sequence::Refused;
    }
    // A leading zero pads all of them to the longer width.
    let padded = texts.iter().any(|text| {
        let digits = text.trim_start_matches(['-', '+']);
        digits.len() > 1 && digits.starts_with('0')
    });
    if padded && texts.iter().any(|text| text.starts_with('+')) {
        return Sequence::Refused;
    }
    let width = if padded { texts.iter().map(|text| text.len()).max().unwrap_or(0) } else { 0 };
    let values = count(start, end, step);
    Sequence::Texts(values.into_iter().map(|value| format!("{value:0width$}")).collect())
}

fn count(start: i64, end: i64, step: i64) -> Vec<i64> {
    let steps = (start - end).abs() / step;
    let direction = if end < start { -step } else { step };
    (0..=steps).map(|index| start + index * direction).collect()
}

/// How deep braces may nest.
const DEEPEST: usize = 32;

/// How many words the braces of one word may make: loops over a few hundred numbers are common.
const MOST_WORDS: usize = 2_048;

/// How many bytes they may be, so that a long word is not multiplied.
const MOST_BYTES: usize = 100_000;

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn expands_as_bash_does() {
        for (text, want) in [
            ("{a,b}", "a b"),
            ("x{a,b}y", "xay xby"),
            ("{a,b}{c,d}", "ac ad bc bd"),
            ("{a,{b,c}d}", "a bd cd"),
            ("{1..3}", "1 2 3"),
            ("{3..1}", "3 2 1"),
            ("{01..3}", "01 02 03"),
            ("{1..10..4}", "1 5 9"),
            ("{a..c}", "a b c"),
            ("{a}", "-"),
            ("{}", "-"),
            ("{a,b", "-"),
            ("a,b}", "-"),
            ("{a..}", "-"),
            ("\\{a,b}", "-"),
            ("{a\\,b}", "-"),
            ("'{a,b}'", "-"),
            ("{'a,b',c}", "'a,b' c"),
            ("${x}{a,b}", "${x}a ${x}b"),
            ("${x:-{a,b}}", "-"),
            ("{a,b}}", "a} b}"),
            ("{{a,b}", "{a {b"),
            ("{a,}", "a "),
            ("$(x {a,b}){c,d}", "$(x {a,b})c $(x {a,b})d"),
            ("{-1..1}", "-1 0 1"),
            ("{01..0..3}", "01"),
            ("{x}{a,b}", "{x}a {x}b"),
            ("{x}{y}", "-"),
        ] {
            let mut steps = Steps { left: 10_000, made: 0 };
            let got = match expand(text, &mut steps, 0) {
                Outcome::None => "-".to_owned(),
                Outcome::Texts(texts) => texts.join(" "),
                Outcome::Refused(why) => format!("refused: {why}"),
            };
            assert_eq!(got, want, "{text}");
        }
    }

    #[test]
    fn refuses_what_would_explode() {
        let mut steps = Steps { left: 400_000, made: 0 };
        let text = "{a,b}".repeat(40);
        assert!(matches!(expand(&text, &mut steps, 0), Outcome::Refused(_)));
        let mut steps = Steps { left: 400_000, made: 0 };
        assert!(matches!(expand("{1..99999999}", &mut steps, 0), Outcome::Refused(_)));
        assert!(matches!(expand("{A..z}", &mut steps, 0), Outcome::Refused(_)));
    }
}
