//! The last resort: words of text that could not be read, for deny rules only.

/// The words of the raw text, command by command: split at every character that can separate
/// commands, once with quotes taken away and once with quotes separating too.
pub(crate) fn split(text: &str) -> Vec<Vec<String>> {
    let mut out: Vec<Vec<String>> = Vec::new();
    let joined = text.replace("\\\n", "");
    for command in joined.split([';', '&', '|', '\n', '(', ')', '`', '{', '}', '<', '>']) {
        add(&mut out, command, false);
        if command.contains(['\'', '"']) {
            for piece in command.split(['\'', '"']) {
                add(&mut out, piece, true);
            }
        }
    }
    out
}

fn add(out: &mut Vec<Vec<String>>, command: &str, split_at_quotes: bool) {
    let mut words: Vec<String> = command
        .split([' ', '\t'])
        .map(|word| {
            if split_at_quotes { word.to_owned() } else { word.replace(['\'', '"', '\\', '$'], "") }
        })
        .filter(|word| !word.is_empty())
        .collect();
    let lead = words.iter().take_while(|word| is_lead(word)).count();
    words.drain(..lead);
    if !words.is_empty() && out.last() != Some(&words) {
        out.push(words);
    }
}

/// Words that may stand before a command name.
fn is_lead(word: &str) -> bool {
    matches!(
        word,
        "if" | "then"
            | "elif"
            | "else"
            | "do"
            | "while"
            | "until"
            | "!"
            | "time"
            | "-p"
            | "coproc"
            | "in"
            | "case"
            | "fi"
            | "done"
            | "esac"
    ) || word
        .split_once('=')
        .is_some_and(|(name, _)| crate::word::is_name(name.strip_suffix('+').unwrap_or(name)))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn finds_what_could_run() {
        let got = split("if x=1 r'm' z; then $(cu\\\nrl \"a b\" | sh");
        let got: Vec<String> = got.iter().map(|words| words.join(" ")).collect();
        assert_eq!(got, ["rm z", "r", "m", "z", "curl a b", "curl", "a b", "sh"]);
    }
}
