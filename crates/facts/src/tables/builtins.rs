//! What shell builtins do beside running a program.

use super::wrappers_grammar::is_name;
use crate::peel::joined;
use crate::{Arg, Inner};
use portcullis_model::Reason;

/// What a builtin does to the shell, and what it runs.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct BuiltinEffect {
    /// Why nothing narrower than a bare `Bash` rule may allow it; empty for harmless forms.
    pub reasons: Vec<Reason>,
    /// What runs now or later: `eval` words, `trap` and `mapfile -C` texts, sourced files, alias
    /// values, and `(( … ))` around each operand whose subscript bash expands once more.
    pub payloads: Vec<Inner>,
    /// Variables it sets, with the value where one is given.
    pub assigns: Vec<(String, Option<Arg>)>,
    /// What becomes of the working directory.
    pub directory: Directory,
}

/// What a builtin does to the working directory.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub enum Directory {
    /// Nothing.
    #[default]
    Stays,
    /// `cd` without operand: the home directory.
    Home,
    /// `cd` with one operand.
    To(Arg),
    /// Only known when it runs (`cd -`, `pushd`, `popd`).
    Unknown,
}

/// What a command does if its name is that of a builtin; nothing for every other command.
///
/// `command` and `builtin` in front are for [`crate::peel`] to take off.
pub fn builtin_effect(argv: &[Arg]) -> BuiltinEffect {
    let mut effect = BuiltinEffect::default();
    let Some((first, words)) = argv.split_first() else { return effect };
    let Some(name) = first.known() else { return effect };
    let Some((_, action)) = BUILTINS.iter().find(|(listed, _)| *listed == name) else {
        return effect;
    };
    match action {
        Action::Refuse(reason) => effect.refuse(*reason),
        Action::RefuseWith { reason, valued, payload } => {
            refuse_with(*reason, valued, payload, words, &mut effect);
        }
        Action::Eval => eval(words, &mut effect),
        Action::Source => source(words, &mut effect),
        Action::Trap => trap(words, &mut effect),
        Action::Alias => alias(words, &mut effect),
        Action::Set => set(words, &mut effect),
        Action::Shopt => shopt(words, &mut effect),
        Action::Hash => hash(words, &mut effect),
        Action::Declare => declare(words, &mut effect),
        Action::Names { valued, naming, operands } => {
            names(words, valued, naming, *operands, &mut effect);
        }
        Action::Mapfile => mapfile(words, &mut effect),
        Action::Getopts => getopts(words, &mut effect),
        Action::Test => test(words, &mut effect),
        Action::Let => {
            effect.refuse(Reason::ArithDynamic);
            for word in words {
                effect.evaluate(word);
            }
        }
        Action::ChangeDirectory => change_directory(words, &mut effect),
        Action::DirectoryStack => {
            effect.directory = match words {
                [only] if name == "pushd" => match only {
                    Arg::Known(text) if !text.starts_with(['+', '-']) => {
                        Directory::To(only.clone())
                    }
                    Arg::Known(_) | Arg::One { .. } | Arg::Glob(_) | Arg::Many { .. } => {
                        Directory::Unknown
                    }
                },
                _ => Directory::Unknown,
            };
        }
        Action::History => history(words, &mut effect),
    }
    effect
}

impl BuiltinEffect {
    /// Adds a reason once.
    fn refuse(&mut self, reason: Reason) {
        if !self.reasons.contains(&reason) {
            self.reasons.push(reason);
        }
    }

    /// An operand that bash takes for a variable, perhaps with a subscript that it expands.
    fn name_operand(&mut self, word: &Arg, value: Option<Arg>) {
        match word.known() {
            Some(text) if is_name(text) => self.assigns.push((text.to_owned(), value)),
            Some(text) => {
                self.refuse(Reason::NameOperand);
                if let Some((name, _)) = text.split_once('[')
                    && is_name(name)
                {
                    self.refuse(Reason::ArithDynamic);
                    self.assigns.push((name.to_owned(), None));
                }
                self.evaluate(word);
            }
            None => self.refuse(Reason::NameOperand),
        }
    }

    /// Text that bash reads as arithmetic, running what substitutions it holds.
    fn evaluate(&mut self, word: &Arg) {
        if let Some(text) = word.known()
            && text.contains(['$', '`'])
        {
            // SECURITY: quotes of the shell do not protect a subscript: `test -v 'a[$(x)]'` runs x.
            self.payloads.push(Inner::Script(Arg::Known(format!("(( {text} ))"))));
        }
    }
}

/// Whether a builtin has this name.
pub(crate) fn is_builtin(name: &str) -> bool {
    BUILTINS.iter().any(|(listed, _)| *listed == name)
}

/// What kind of thing a builtin does.
#[derive(Clone, Copy, Debug)]
enum Action {
    /// Always refused.
    Refuse(Reason),
    /// Always refused; options in `payload` take a script.
    RefuseWith {
        reason: Reason,
        valued: &'static str,
        payload: &'static str,
    },
    Eval,
    Source,
    Trap,
    Alias,
    Set,
    Shopt,
    Hash,
    Declare,
    /// Options in `valued` take a value, those in `naming` a variable; operands may be variables.
    Names {
        valued: &'static str,
        naming: &'static str,
        operands: bool,
    },
    Mapfile,
    Getopts,
    Test,
    Let,
    ChangeDirectory,
    DirectoryStack,
    History,
}

/// Refused; but what an option runs is looked at.
fn refuse_with(
    reason: Reason,
    valued: &str,
    payload: &str,
    words: &[Arg],
    effect: &mut BuiltinEffect,
) {
    effect.refuse(reason);
    let scan = options(words, &format!("{valued}{payload}"));
    for (letter, value) in scan.options {
        if payload.contains(letter)
            && let Some(value) = value
        {
            effect.payloads.push(Inner::Script(value));
        }
    }
}

/// `mapfile`: names the array it fills, and may run a callback.
fn mapfile(words: &[Arg], effect: &mut BuiltinEffect) {
    let scan = options(words, "cdnOsuC");
    for (letter, value) in scan.options {
        if letter == 'C' {
            effect.refuse(Reason::EvalFamily);
            if let Some(callback) = value {
                // It gets an index and a line as arguments behind it.
                effect.payloads.push(Inner::Script(match callback {
                    Arg::Known(text) => Arg::Known(format!("{text} \"$REPLY\" \"$REPLY\"")),
                    Arg::One { .. } | Arg::Glob(_) | Arg::Many { .. } => Arg::one(),
                }));
            }
        }
    }
    if scan.unclear {
        effect.refuse(Reason::NameOperand);
    }
    for operand in &scan.operands {
        effect.name_operand(operand, None);
    }
}

/// `getopts`: the second operand is a variable.
fn getopts(words: &[Arg], effect: &mut BuiltinEffect) {
    let known = words.first().is_none_or(|first| matches!(first, Arg::Known(_) | Arg::One { .. }));
    match words.get(1) {
        Some(name) if known => effect.name_operand(name, None),
        None if known => {}
        Some(_) | None => effect.refuse(Reason::NameOperand),
    }
}

fn eval(words: &[Arg], effect: &mut BuiltinEffect) {
    effect.refuse(Reason::EvalFamily);
    let words = skip_dashes(words);
    if !words.is_empty() {
        effect.payloads.extend(joined(words));
    }
}

fn source(words: &[Arg], effect: &mut BuiltinEffect) {
    effect.refuse(Reason::SourceFile);
    let words = skip_dashes(words);
    // `source -p path file` is new in bash 5.3.
    let words = match words.split_first() {
        Some((first, rest)) if first.known() == Some("-p") => rest.get(1..).unwrap_or_default(),
        _ => words,
    };
    if let Some(file) = words.first() {
        effect.payloads.push(match file.known() {
            Some("/dev/stdin" | "/dev/fd/0" | "/proc/self/fd/0") => Inner::Stdin,
            _ => Inner::File(file.clone()),
        });
    }
}

fn trap(words: &[Arg], effect: &mut BuiltinEffect) {
    // Printing the traps changes nothing; the reference asks for it only because it gives up.
    if words.is_empty()
        || matches!(words, [only] if only.known().is_some_and(|w| w == "-p" || w == "-l"))
    {
        return;
    }
    effect.refuse(Reason::EvalFamily);
    let words = skip_dashes(words);
    match words {
        [first, _, ..] => match first.known() {
            Some("-" | "" | "-p" | "-l") => {}
            Some(_) | None => effect.payloads.push(Inner::Script(first.clone())),
        },
        [only] if only.known().is_none() => effect.payloads.push(Inner::Script(Arg::one())),
        _ => {}
    }
}

fn alias(words: &[Arg], effect: &mut BuiltinEffect) {
    if words.is_empty() || matches!(words, [only] if only.known() == Some("-p")) {
        return;
    }
    effect.refuse(Reason::EvalFamily);
    for word in words {
        match word {
            Arg::Known(text) => {
                if let Some((_, value)) = text.split_once('=') {
                    effect.payloads.push(Inner::Script(Arg::Known(value.to_owned())));
                }
            }
            Arg::One { .. } | Arg::Glob(_) | Arg::Many { .. } => {
                effect.payloads.push(Inner::Script(Arg::one()));
            }
        }
    }
}

/// `set`: only what makes a script stop earlier or say more is harmless.
fn set(words: &[Arg], effect: &mut BuiltinEffect) {
    let mut words = words.iter();
    while let Some(word) = words.next() {
        let Some(text) = word.known() else {
            effect.refuse(Reason::ShellOption);
            return;
        };
        let Some(letters) = text.strip_prefix(['-', '+']) else { return };
        if text == "--" || text == "-" {
            return;
        }
        for letter in letters.chars() {
            match letter {
                // None of these changes what runs; a hostile `PS4` is noticed where it is set.
                'e' | 'u' | 'x' | 'v' | 'a' | 'b' | 'm' | 'C' | 'E' | 'T' => {}
                'o' => match words.next().map(|option| option.known()) {
                    None
                    | Some(Some(
                        "errexit" | "nounset" | "pipefail" | "xtrace" | "verbose" | "allexport"
                        | "noclobber" | "errtrace" | "functrace" | "monitor" | "notify",
                    )) => {}
                    Some(_) => effect.refuse(Reason::ShellOption),
                },
                _ => effect.refuse(Reason::ShellOption),
            }
        }
    }
}

fn shopt(words: &[Arg], effect: &mut BuiltinEffect) {
    let lists = words.iter().all(|word| matches!(word.known(), Some("-p" | "-q")));
    if !lists {
        effect.refuse(Reason::ShellOption);
    }
}

fn hash(words: &[Arg], effect: &mut BuiltinEffect) {
    let plain = words.iter().all(|word| {
        word.known()
            .is_some_and(|text| !text.starts_with('-') || matches!(text, "-l" | "-r" | "-t"))
    });
    if !plain {
        effect.refuse(Reason::ShellOption);
    }
}

/// `declare`, `export` and their kin: attributes change later assignments, operands may be text
/// that bash evaluates.
fn declare(words: &[Arg], effect: &mut BuiltinEffect) {
    let mut options_over = false;
    for word in words {
        let text = match word {
            Arg::Known(text) => text.as_str(),
            Arg::One { prefix, .. } => prefix.as_str(),
            Arg::Glob(_) | Arg::Many { .. } => {
                effect.refuse(Reason::NameOperand);
                continue;
            }
        };
        if !options_over && word.known() == Some("--") {
            options_over = true;
            continue;
        }
        if !options_over && text.len() > 1 && text.starts_with(['-', '+']) {
            let harmless =
                word.known().is_some() && text.chars().skip(1).all(|c| "rxpaAgfF".contains(c));
            if !harmless {
                effect.refuse(Reason::DeclareAttribute);
            }
            continue;
        }
        options_over = true;
        let (name, value) = match text.split_once('=') {
            Some((name, _)) => (name.strip_suffix('+').unwrap_or(name), true),
            None => (text, false),
        };
        let known_name = value || word.known().is_some();
        if !known_name || !is_name(name) {
            effect.refuse(Reason::NameOperand);
            if name.contains('[') {
                effect.refuse(Reason::ArithDynamic);
            }
            if let Some((name, _)) = name.split_once('[')
                && is_name(name)
            {
                effect.assigns.push((name.to_owned(), None));
            }
            effect.evaluate(word);
            continue;
        }
        let value = value.then(|| match word {
            Arg::Known(text) => Arg::Known(text.split_once('=').map_or("", |(_, v)| v).to_owned()),
            Arg::One { prefix, suffix } => Arg::One {
                prefix: prefix.split_once('=').map_or("", |(_, v)| v).to_owned(),
                suffix: suffix.clone(),
            },
            Arg::Glob(_) | Arg::Many { .. } => Arg::one(),
        });
        // `declare 'a=($(x))'`: a value in brackets is an array that bash reads once more.
        if let Some(text) = value.as_ref().and_then(Arg::known)
            && text.starts_with('(')
            && text.contains(['$', '`', '['])
        {
            effect.refuse(Reason::NameOperand);
            effect.payloads.push(Inner::Script(Arg::Known(format!("{name}={text}"))));
        }
        effect.assigns.push((name.to_owned(), value));
    }
}

/// `read`, `printf -v`, `unset`, `wait -p`, `getopts`: operands that are variables.
fn names(words: &[Arg], valued: &str, naming: &str, operands: bool, effect: &mut BuiltinEffect) {
    let scan = options(words, &format!("{valued}{naming}"));
    for (letter, value) in scan.options {
        if naming.contains(letter) {
            match value {
                Some(value) => effect.name_operand(&value, None),
                None => effect.refuse(Reason::NameOperand),
            }
        }
    }
    if scan.unclear && !naming.is_empty() {
        effect.refuse(Reason::NameOperand);
    }
    if operands {
        for operand in &scan.operands {
            effect.name_operand(operand, None);
        }
    }
}

/// `test` and `[`: `-v` takes a variable; bash before 5.3 and `-R` alike. Numbers are compared as
/// plain integers here, unlike in `[[ ]]`.
fn test(words: &[Arg], effect: &mut BuiltinEffect) {
    for (index, word) in words.iter().enumerate() {
        let after = words.get(index + 1);
        match word.known() {
            Some("-v" | "-R") => {
                if let Some(operand) = after
                    && !operand.known().is_some_and(|text| is_name(text) || is_operator(text))
                {
                    effect.refuse(Reason::NameOperand);
                    if operand.known().is_some_and(|text| text.contains('[')) {
                        effect.refuse(Reason::ArithDynamic);
                    }
                    effect.evaluate(operand);
                }
            }
            Some(_) => {}
            // `[ $x ]` may become `[ -v a[…] ]` only if it splits; `"$x" "$y"` is such a pair too.
            None => {
                let splits = matches!(word, Arg::Many { .. });
                let pair = after.is_some_and(|next| next.known().is_none());
                if (splits || pair) && word.prefix().is_empty() {
                    effect.refuse(Reason::NameOperand);
                }
            }
        }
    }
}

/// Whether this word makes a `-v` before it a plain string.
fn is_operator(text: &str) -> bool {
    matches!(text, "=" | "==" | "!=" | "<" | ">" | "-a" | "-o" | "]" | ")")
}

fn change_directory(words: &[Arg], effect: &mut BuiltinEffect) {
    let mut operands = words;
    // Where links lead, and so what a later `..` means, is only known when it runs.
    let mut physical = false;
    while let Some((first, rest)) = operands.split_first() {
        match first.known() {
            Some("--") => {
                operands = rest;
                break;
            }
            Some(option @ ("-L" | "-P" | "-e" | "-@" | "-Pe" | "-LP")) => {
                physical |= option.contains('P');
                operands = rest;
            }
            _ => break,
        }
    }
    effect.directory = match operands {
        _ if physical => Directory::Unknown,
        [] => Directory::Home,
        [only] => match only {
            Arg::Known(text) if text == "-" => Directory::Unknown,
            Arg::Known(text) if text.starts_with('-') => Directory::Stays,
            Arg::Known(_) | Arg::One { .. } => Directory::To(only.clone()),
            Arg::Glob(_) | Arg::Many { .. } => Directory::Unknown,
        },
        // bash refuses a second operand; other shells substitute.
        _ => Directory::Unknown,
    };
}

/// `history` and `fc`: anything but a plain listing runs, reads or writes.
fn history(words: &[Arg], effect: &mut BuiltinEffect) {
    let plain = words.iter().all(|word| {
        word.known().is_some_and(|text| {
            text == "-l"
                || text == "-n"
                || text == "-ln"
                || text.bytes().all(|b| b.is_ascii_digit())
        })
    });
    if !plain {
        effect.refuse(Reason::EvalFamily);
    }
}

/// Options and operands of a builtin.
#[derive(Debug, Default)]
struct Scan {
    options: Vec<(char, Option<Arg>)>,
    operands: Vec<Arg>,
    /// An unknown word may be an option.
    unclear: bool,
}

/// Reads words as getopt does: letters in `valued` take a value.
fn options(words: &[Arg], valued: &str) -> Scan {
    let mut scan = Scan::default();
    let mut words = words.iter();
    while let Some(word) = words.next() {
        let option = word.known().filter(|text| text.starts_with('-') && text.len() > 1);
        let Some(text) = option else {
            scan.unclear = word.known().is_none()
                && (word.prefix().is_empty() || word.prefix().starts_with('-'));
            scan.operands.push(word.clone());
            break;
        };
        if text == "--" {
            break;
        }
        for (index, letter) in text.char_indices().skip(1) {
            if !valued.contains(letter) {
                scan.options.push((letter, None));
                continue;
            }
            let attached = text.get(index + letter.len_utf8()..).filter(|rest| !rest.is_empty());
            let value = match attached {
                Some(rest) => Some(Arg::Known(rest.to_owned())),
                None => words.next().cloned(),
            };
            scan.options.push((letter, value));
            break;
        }
    }
    scan.operands.extend(words.cloned());
    scan
}

fn skip_dashes(words: &[Arg]) -> &[Arg] {
    match words.split_first() {
        Some((first, rest)) if first.known() == Some("--") => rest,
        _ => words,
    }
}

/// Builtins that do more than print, in order of name. `emulate`, `setopt` and `unsetopt` are zsh.
#[rustfmt::skip]
const BUILTINS: &[(&str, Action)] = &[
    (".", Action::Source),
    ("[", Action::Test),
    ("alias", Action::Alias),
    ("bind", Action::RefuseWith { reason: Reason::ShellOption, valued: "fmqru", payload: "x" }),
    ("cd", Action::ChangeDirectory),
    ("chdir", Action::ChangeDirectory),
    ("compgen", Action::RefuseWith {
        reason: Reason::EvalFamily, valued: "oAGWXFPSV", payload: "CW",
    }),
    ("complete", Action::RefuseWith {
        reason: Reason::EvalFamily, valued: "oAGWXFPS", payload: "CW",
    }),
    ("compopt", Action::Refuse(Reason::ShellOption)),
    ("declare", Action::Declare),
    ("emulate", Action::RefuseWith { reason: Reason::EvalFamily, valued: "", payload: "c" }),
    ("enable", Action::Refuse(Reason::ShellOption)),
    ("eval", Action::Eval),
    ("export", Action::Declare),
    ("fc", Action::History),
    ("getopts", Action::Getopts),
    ("hash", Action::Hash),
    ("history", Action::History),
    ("let", Action::Let),
    ("local", Action::Declare),
    ("mapfile", Action::Mapfile),
    ("popd", Action::DirectoryStack),
    ("printf", Action::Names { valued: "", naming: "v", operands: false }),
    ("pushd", Action::DirectoryStack),
    ("read", Action::Names { valued: "dinNptu", naming: "a", operands: true }),
    ("readarray", Action::Mapfile),
    ("readonly", Action::Declare),
    ("set", Action::Set),
    ("setopt", Action::Refuse(Reason::ShellOption)),
    ("shopt", Action::Shopt),
    ("source", Action::Source),
    ("test", Action::Test),
    ("trap", Action::Trap),
    ("typeset", Action::Declare),
    ("unalias", Action::Refuse(Reason::EvalFamily)),
    ("unset", Action::Names { valued: "", naming: "", operands: true }),
    ("unsetopt", Action::Refuse(Reason::ShellOption)),
    ("wait", Action::Names { valued: "", naming: "p", operands: false }),
];

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn rows_stand_in_order() {
        assert!(BUILTINS.is_sorted_by(|(a, _), (b, _)| a < b));
    }
}
