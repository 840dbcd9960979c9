//! Whether a prediction covers what was observed.

use crate::evaluate::Argument;

/// The commands, and what builtins among them run in their place (`command -- make` runs `make`).
pub fn with_carried(commands: &[Vec<Argument>]) -> Vec<Vec<Argument>> {
    let mut all = commands.to_vec();
    for command in commands {
        let mut rest = command.as_slice();
        while let [Argument::Known(name), after @ ..] = rest
            && ["command", "builtin", "exec"].contains(&name.as_str())
        {
            let dashes =
                |argument: &Argument| matches!(argument, Argument::Known(word) if word == "--");
            rest = if after.first().is_some_and(dashes) { &after[1..] } else { after };
            all.push(rest.to_vec());
        }
    }
    all
}

/// Whether some predicted command may stand for this argv.
pub fn any(predicted: &[Vec<Argument>], argv: &[String]) -> bool {
    predicted.iter().any(|pattern| command(pattern, argv))
}

/// Whether a predicted command may stand for this argv.
pub fn command(pattern: &[Argument], argv: &[String]) -> bool {
    // The set of prefixes of `argv` that the pattern read so far may stand for.
    let mut reached = vec![false; argv.len() + 1];
    reached[0] = true;
    for argument in pattern {
        let mut next = vec![false; argv.len() + 1];
        for at in (0..=argv.len()).filter(|at| reached[*at]) {
            match argument {
                Argument::Known(word) => {
                    if argv.get(at) == Some(word) {
                        next[at + 1] = true;
                    }
                }
                Argument::Unknown(()) => {
                    if at < argv.len() {
                        next[at + 1] = true;
                    }
                }
                Argument::Splat { .. } => next[at..].fill(true),
            }
        }
        reached = next;
    }
    reached[argv.len()]
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn unknown_is_one_word_and_splat_any_number() {
        let known = |word: &str| Argument::Known(word.to_owned());
        let argv = |words: &[&str]| words.iter().map(|word| (*word).to_owned()).collect::<Vec<_>>();
        let splat = Argument::Splat { splat: true };
        assert!(command(&[known("a"), splat.clone()], &argv(&["a"])));
        assert!(command(&[known("a"), splat.clone(), known("z")], &argv(&["a", "z", "b", "z"])));
        assert!(!command(&[known("a"), splat, known("z")], &argv(&["a", "z", "b"])));
        assert!(command(&[known("a"), Argument::Unknown(())], &argv(&["a", "b"])));
        assert!(!command(&[known("a"), Argument::Unknown(())], &argv(&["a"])));
        assert!(!command(&[known("a"), Argument::Unknown(())], &argv(&["a", "b", "c"])));
    }
}
