//! Shells: programs that run a script given as text, as a file or on their input.

use crate::{Arg, Inner, Peeled, Strength};
use portcullis_model::Reason;

/// The table name of a shell.
pub(crate) fn shell_name(name: &str) -> Option<&'static str> {
    SHELLS.iter().find(|shell| **shell == name).copied()
}

/// Reads the arguments of a shell.
pub(crate) fn peel_shell(shell: &'static str, words: &[Arg]) -> Peeled {
    let mut peeled = Peeled::new(shell, Strength::DenyAsk);
    let mut from_text = false;
    let mut from_input = false;
    let mut words = words.iter().peekable();
    while let Some(word) = words.peek() {
        let Some(text) = word.known() else {
            if word.prefix().is_empty() || word.prefix().starts_with(['-', '+']) {
                peeled.hinder(Reason::WrapperOption);
            }
            break;
        };
        if !text.starts_with(['-', '+']) || text.len() < 2 {
            if text == "-" {
                words.next();
            }
            break;
        }
        words.next();
        if text == "--" {
            break;
        }
        if let Some(long) = text.strip_prefix("--") {
            peeled.hinder(Reason::WrapperOption);
            let (name, attached) = match long.split_once('=') {
                Some((name, value)) => (name, Some(Arg::Known(value.to_owned()))),
                None => (long, None),
            };
            match name {
                // Only fish spells it out.
                "command" | "init-command" => {
                    let script = attached.or_else(|| words.next().cloned());
                    peeled.inner.extend(script.map(Inner::Script));
                    if name == "command" {
                        return peeled;
                    }
                }
                "rcfile" | "init-file" | "emulate" => {
                    let file = attached.or_else(|| words.next().cloned());
                    peeled.inner.extend(file.map(Inner::File));
                }
                _ => {}
            }
            continue;
        }
        for letter in text.chars().skip(1) {
            match letter {
                'c' if text.starts_with('-') => from_text = true,
                'e' | 'u' if text.starts_with('-') => {}
                's' => from_input = true,
                'o' | 'O' => {
                    let option = words.next();
                    let harmless = letter == 'o'
                        && text.starts_with('-')
                        && matches!(
                            option.and_then(|option| option.known()),
                            Some("errexit" | "nounset" | "pipefail")
                        );
                    if !harmless {
                        peeled.hinder(Reason::WrapperOption);
                    }
                }
                'C' if shell == "fish" => {
                    peeled.inner.extend(words.next().cloned().map(Inner::Script));
                }
                _ => peeled.hinder(Reason::WrapperOption),
            }
        }
    }
    let operands: Vec<Arg> = words.cloned().collect();
    if from_text {
        run_text(&operands, &mut peeled);
    } else if from_input || operands.is_empty() {
        peeled.hinder(Reason::InterpreterStdin);
        peeled.inner.push(Inner::Stdin);
    } else {
        run_file(&operands, &mut peeled);
    }
    peeled
}

/// `-c text name arguments…`
fn run_text(operands: &[Arg], peeled: &mut Peeled) {
    let Some((script, arguments)) = operands.split_first() else { return };
    peeled.parameters = arguments.to_vec();
    let arguments = arguments.get(1..).unwrap_or_default();
    let known = script.known();
    let reads_arguments = known.is_some_and(|text| text.contains('$'));
    if known.is_none() || reads_arguments && arguments.iter().any(|word| word.known().is_none()) {
        peeled.hinder(Reason::InterpreterDynamic);
    }
    peeled.inner.push(Inner::Script(match script {
        Arg::Known(_) | Arg::One { .. } => script.clone(),
        Arg::Glob(_) | Arg::Many { .. } => Arg::one(),
    }));
    // `sh -c '"$@"' x curl`: the arguments may be the command.
    if reads_arguments && !arguments.is_empty() {
        peeled.possible.push(Inner::Argv(arguments.to_vec()));
    }
}

/// `file arguments…`
fn run_file(operands: &[Arg], peeled: &mut Peeled) {
    let Some((file, arguments)) = operands.split_first() else { return };
    peeled.inner.push(Inner::File(file.clone()));
    let may_be_option = file.known().is_none()
        && (file.prefix().is_empty() || file.prefix().starts_with(['-', '+']));
    if !may_be_option {
        return;
    }
    peeled.hinder(Reason::InterpreterDynamic);
    match file {
        Arg::Known(_) | Arg::One { .. } => {
            peeled.possible.extend(arguments.iter().cloned().map(Inner::Script));
        }
        Arg::Glob(_) | Arg::Many { .. } => peeled.possible.push(Inner::Script(Arg::one())),
    }
}

/// Programs that read shell syntax. Those of other families (csh, fish, nu) read most simple
/// commands the same way, and a deny rule should see them.
const SHELLS: &[&str] = &[
    "ash", "bash", "csh", "dash", "elvish", "fish", "ksh", "lksh", "mksh", "nu", "oksh", "osh",
    "posh", "rbash", "rksh", "rzsh", "sh", "tcsh", "xonsh", "yash", "zsh",
];
