//! Characters that fool the person who is asked, or the reader of another shell.
//!
//! bash knows two blanks, space and tab; every other control, blank or invisible character is a part
//! of a word to it and looks like something else to a person. Outside single quotes and quoted
//! here-document bodies they are refused; inside, they are flagged for display.

use crate::ir::Obstacle;
use portcullis_model::{Reason, Span};

/// Judges every character of the command. `data` are the ranges bash takes as they are.
pub(crate) fn judge(text: &str, data: &[Span]) -> (Vec<Obstacle>, Vec<Span>) {
    let mut obstacles = Vec::new();
    let mut flags = Vec::new();
    if text.bytes().all(|byte| matches!(byte, b'\t' | b'\n' | b' '..=b'~')) {
        return (obstacles, flags);
    }
    for (at, character) in text.char_indices() {
        let Some(reason) = suspicion(character) else { continue };
        let span = Span::new(at, at + character.len_utf8());
        let is_data = data.iter().any(|range| range.start <= at && at < range.end);
        // A NUL cannot even be passed to bash.
        if is_data && character != '\0' {
            flags.push(span);
        } else {
            let detail = format!("U+{:04X}", u32::from(character));
            obstacles.push(Obstacle { reason, span, detail });
        }
    }
    (obstacles, flags)
}

fn suspicion(character: char) -> Option<Reason> {
    match character {
        '\t' | '\n' => None,
        '\0'..='\u{1f}' | '\u{7f}'..='\u{9f}' => Some(Reason::ControlChar),
        _ => CONFUSABLE
            .iter()
            .any(|(first, last)| (*first..=*last).contains(&character))
            .then_some(Reason::ConfusableSpace),
    }
}

/// Unicode blanks, characters of no width, and those that change the direction of text.
const CONFUSABLE: &[(char, char)] = &[
    ('\u{a0}', '\u{a0}'),
    ('\u{ad}', '\u{ad}'),
    ('\u{34f}', '\u{34f}'),
    ('\u{61c}', '\u{61c}'),
    ('\u{115f}', '\u{1160}'),
    ('\u{1680}', '\u{1680}'),
    ('\u{17b4}', '\u{17b5}'),
    ('\u{180e}', '\u{180e}'),
    ('\u{2000}', '\u{200f}'),
    ('\u{2028}', '\u{202f}'),
    ('\u{205f}', '\u{206f}'),
    ('\u{2800}', '\u{2800}'),
    ('\u{3000}', '\u{3000}'),
    ('\u{3164}', '\u{3164}'),
    ('\u{feff}', '\u{feff}'),
    ('\u{ffa0}', '\u{ffa0}'),
    ('\u{fff9}', '\u{fffb}'),
    ('\u{1d173}', '\u{1d17a}'),
    ('\u{e0000}', '\u{e007f}'),
];

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn tells_data_from_code() {
        let text = "a\u{a0}'\u{202e}'\r";
        let (obstacles, flags) = judge(text, &[Span::new(3, 8)]);
        let reasons: Vec<_> = obstacles.iter().map(|obstacle| obstacle.reason).collect();
        assert_eq!(reasons, [Reason::ConfusableSpace, Reason::ControlChar]);
        assert_eq!(flags, [Span::new(4, 7)]);
        assert_eq!(judge("é ü 漢 🎉 \t\n", &[]), (vec![], vec![]));
    }
}
