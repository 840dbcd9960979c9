//! How a row of [`super::wrappers`] reads a command: options, operands, then what runs.
//!
//! Option lists are written as words. `-k` and `--kill-after` are flags; a last character says more:
//! `:` takes a value, `?` may have an attached one, `$` the value is a script, `>` the directory
//! changed to, `%` text split into more arguments, `^` the program, with what follows as its
//! arguments, `|` a script if it starts with a bar, `=` a setting that may hold a script, `@` a file
//! of commands, `{` the placeholder to replace (`}` optional and attached), `&` what follows is one
//! script, `~` what follows is run without a shell, `.` nothing is run. A leading `!` marks what
//! allow rules never look past. `-#` is a number behind one or two dashes.

use crate::Arg;
use std::borrow::Cow;
use std::collections::BTreeSet;

/// What an option does.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Kind {
    Flag,
    Value,
    Optional,
    Script,
    Directory,
    Split,
    Program,
    PipeScript,
    Setting,
    CodeFile,
    Replace,
    ReplaceOptional,
    OptionalScript,
    Pair,
    RestIsScript,
    RestIsArgv,
    Nothing,
}

/// An option with its value, met while reading.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Met {
    pub(crate) kind: Kind,
    pub(crate) value: Option<Arg>,
    /// Allow rules may look past it.
    pub(crate) plain: bool,
}

/// What stands before the command that runs, for one row.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Grammar {
    /// Subcommand words in order, each with its alternatives.
    pub(crate) path: &'static [&'static [&'static str]],
    /// Options before and between the subcommand words.
    pub(crate) globals: &'static str,
    /// Options after them.
    pub(crate) options: &'static str,
    /// Operands before what runs.
    pub(crate) operands: usize,
    /// Where options may stand.
    pub(crate) order: Order,
    /// What an option that is not listed means.
    pub(crate) unlisted: Unlisted,
    /// `NAME=value` words before what runs are assignments.
    pub(crate) assignments: bool,
    /// Long options may stand behind one dash.
    pub(crate) single_dash: bool,
}

/// Where options may stand.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Order {
    /// Before the operands only.
    First,
    /// Between operands too.
    Mixed,
}

/// What an option that is not listed means.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Unlisted {
    /// It may take a value or not: what runs cannot be told for certain.
    Unclear,
    /// It is a flag without interest.
    Flag,
}

/// How an option takes a value.
enum Shape {
    Bare,
    Attached,
    Required,
}

impl Kind {
    fn shape(self) -> Shape {
        match self {
            Self::Flag | Self::RestIsScript | Self::RestIsArgv | Self::Nothing => Shape::Bare,
            Self::Optional | Self::OptionalScript | Self::ReplaceOptional => Shape::Attached,
            Self::Value
            | Self::Script
            | Self::Directory
            | Self::Split
            | Self::Program
            | Self::PipeScript
            | Self::Setting
            | Self::CodeFile
            | Self::Replace
            | Self::Pair => Shape::Required,
        }
    }
}

/// Where reading stands.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord)]
struct State {
    position: usize,
    /// Subcommand words and operands read.
    stage: usize,
    /// `--` was read.
    over: bool,
}

/// What the next word is.
enum Step {
    /// Something that is not what runs.
    Next { state: State, met: Vec<Met>, operand: Option<Arg>, assigns: Option<(String, Arg)> },
    /// Text to put in place of the words up to `until`.
    Split { text: Arg, until: usize },
    /// What runs starts here.
    Command,
    /// There are no more words.
    End,
    /// The words do not fit the row.
    Foreign,
    /// It cannot be told.
    Uncertain,
}

/// A command read by a row.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(crate) struct Reading {
    /// Options that say something, in order.
    pub(crate) met: Vec<Met>,
    /// The same, met while searching: they stand there only perhaps.
    pub(crate) perhaps_met: Vec<Met>,
    /// Operands before what runs.
    pub(crate) operands: Vec<Arg>,
    /// Assignments before what runs.
    pub(crate) assigns: Vec<(String, Arg)>,
    /// The words that run; empty when there are none or they cannot be told.
    pub(crate) rest: Vec<Arg>,
    /// Some word left open where the rest starts: `starts` holds every possibility.
    pub(crate) uncertain: bool,
    /// Where what runs may start, when it is uncertain.
    pub(crate) starts: Vec<Vec<Arg>>,
}

impl Grammar {
    /// Reads the words after the program name; `None` when they do not fit the row.
    pub(crate) fn read(&self, name: &str, words: &[Arg]) -> Option<Reading> {
        let mut words = Cow::Borrowed(words);
        let mut reading = Reading::default();
        let mut state = State::default();
        let mut splits = 0;
        loop {
            match self.step(&words, state) {
                Step::Next { state: next, met, operand, assigns } => {
                    let stop = self.operands == EVERY_WORD
                        && met.iter().any(|met| met.kind == Kind::RestIsArgv);
                    state = next;
                    reading.met.extend(met);
                    reading.operands.extend(operand);
                    reading.assigns.extend(assigns);
                    if stop {
                        reading.rest = words.get(state.position..).unwrap_or_default().to_vec();
                        return Some(reading);
                    }
                }
                Step::Split { text, until } => {
                    splits += 1;
                    let Some(split) = text.known().and_then(split_string) else {
                        reading.uncertain = true;
                        reading.starts = vec![vec![Arg::many()]];
                        return Some(reading);
                    };
                    // Each split uses up one option, but the text may hold another one.
                    if splits > MOST_SPLITS {
                        reading.uncertain = true;
                        reading.starts = vec![vec![Arg::many()]];
                        return Some(reading);
                    }
                    let until = until.min(words.len());
                    words.to_mut().splice(state.position..until, split);
                }
                Step::Command => {
                    reading.rest = words.get(state.position..).unwrap_or_default().to_vec();
                    return Some(reading);
                }
                Step::End => {
                    return (state.stage >= self.path.len()).then_some(reading);
                }
                Step::Foreign => return None,
                Step::Uncertain => {
                    reading.uncertain = true;
                    self.search(name, &words, state, &mut reading);
                    let nothing = reading.starts.is_empty() && reading.perhaps_met.is_empty();
                    return (state.stage >= self.path.len() || !nothing).then_some(reading);
                }
            }
        }
    }

    /// Collects every place where what runs may start, given that some word is unknown.
    fn search(&self, name: &str, words: &[Arg], from: State, reading: &mut Reading) {
        // Where every word is an operand, how many there are changes nothing.
        let total = self.path.len() + if self.operands == EVERY_WORD { 0 } else { self.operands };
        let mut seen = BTreeSet::new();
        let mut open = vec![from];
        let mut starts: BTreeSet<Vec<Arg>> = BTreeSet::new();
        while let Some(state) = open.pop() {
            if !seen.insert(state) {
                continue;
            }
            if seen.len() > MOST_STATES || starts.len() > MOST_STARTS {
                starts = BTreeSet::from([vec![Arg::many()]]);
                break;
            }
            let rest = words.get(state.position..).unwrap_or_default();
            match self.step(words, state) {
                Step::Next { state, met, .. } => {
                    reading.perhaps_met.extend(met.into_iter().filter(|met| met.value.is_some()));
                    open.push(state);
                }
                Step::Split { text, until } => {
                    let mut start = vec![Arg::Known(name.to_owned())];
                    match text.known().and_then(split_string) {
                        Some(split) => start.extend(split),
                        None => start = vec![Arg::many()],
                    }
                    start.extend(words.get(until..).unwrap_or_default().iter().cloned());
                    starts.insert(start);
                }
                Step::Command => {
                    starts.insert(rest.to_vec());
                }
                Step::End | Step::Foreign => {}
                Step::Uncertain => {
                    let Some(first) = rest.first() else { continue };
                    if matches!(first, Arg::Many { .. } | Arg::Glob(_)) {
                        // `timeout $X ls`: the unknown words may hold any command, and listing
                        // starts inside each other would only say the same again.
                        starts = BTreeSet::from([vec![Arg::many()]]);
                        break;
                    }
                    let known = first.known().is_some();
                    // A dash in front makes it an option, whatever follows.
                    let option = self.options_here(state) && first.prefix().starts_with('-');
                    let operand = !known && !option;
                    for skip in [1, 2] {
                        open.push(State { position: state.position + skip, ..state });
                    }
                    if operand && state.stage < total {
                        let stage = state.stage + 1;
                        open.push(State { position: state.position + 1, stage, ..state });
                    } else if operand {
                        starts.insert(rest.to_vec());
                    }
                }
            }
        }
        reading.starts = starts.into_iter().collect();
    }

    /// Reads one word (with the value that belongs to it).
    fn step(&self, words: &[Arg], state: State) -> Step {
        let Some(word) = words.get(state.position) else { return Step::End };
        let total = self.path.len() + self.operands;
        let in_path = state.stage < self.path.len();
        let options_here = self.options_here(state);
        let next = |advance: usize, stage: usize| State {
            position: state.position + advance,
            stage,
            over: state.over,
        };
        let subcommand = self.path.get(state.stage);
        let chosen =
            subcommand.is_some_and(|words| word.known().is_some_and(|text| words.contains(&text)));
        if options_here && !chosen {
            if word.known() == Some("--") {
                let state = State { over: true, ..next(1, state.stage) };
                // Some programs take operands up to here, and run what follows.
                let met = look_up(self.options, "--", false).map(|(kind, plain)| Met {
                    kind,
                    value: None,
                    plain,
                });
                let met = met.into_iter().collect();
                return Step::Next { state, met, operand: None, assigns: None };
            }
            match self.option(words, state.position, in_path) {
                Optional::Not => {}
                Optional::Unclear => return Step::Uncertain,
                Optional::Split { text, used } => {
                    return Step::Split { text, until: state.position + used };
                }
                Optional::Is { met, used } => {
                    let state = next(used, state.stage);
                    return Step::Next { state, met, operand: None, assigns: None };
                }
            }
        } else if word.known() == Some("--") && !state.over && state.stage >= total {
            let state = State { over: true, ..next(1, state.stage) };
            return Step::Next { state, met: vec![], operand: None, assigns: None };
        }
        if let Some(alternatives) = self.path.get(state.stage) {
            return match word {
                Arg::Known(text) if alternatives.contains(&text.as_str()) => Step::Next {
                    state: next(1, state.stage + 1),
                    met: vec![],
                    operand: None,
                    assigns: None,
                },
                Arg::Known(_) => Step::Foreign,
                Arg::One { .. } if !alternatives.iter().any(|text| may_be(word, text)) => {
                    Step::Foreign
                }
                Arg::One { .. } | Arg::Glob(_) | Arg::Many { .. } => Step::Uncertain,
            };
        }
        if self.assignments && state.stage >= total {
            if let Some(assigns) = assignment(word) {
                let state = next(1, state.stage);
                return Step::Next { state, met: vec![], operand: None, assigns: Some(assigns) };
            }
            let name = word.prefix().split('=').next().unwrap_or("");
            if word.known().is_none() && could_be_name(name) {
                return Step::Uncertain;
            }
        }
        match word {
            Arg::Known(_) | Arg::One { .. } if state.stage < total => Step::Next {
                state: next(1, state.stage + 1),
                met: vec![],
                operand: Some(word.clone()),
                assigns: None,
            },
            Arg::Known(_) | Arg::One { .. } => Step::Command,
            Arg::Glob(_) | Arg::Many { .. } if self.runs_out(total) => Step::Next {
                state: next(1, state.stage),
                met: vec![],
                operand: Some(word.clone()),
                assigns: None,
            },
            Arg::Glob(_) | Arg::Many { .. }
                if state.stage >= total && !word.prefix().is_empty() =>
            {
                Step::Command
            }
            Arg::Glob(_) | Arg::Many { .. } => Step::Uncertain,
        }
    }

    /// Whether a word with a dash in front is an option here.
    fn options_here(&self, state: State) -> bool {
        !state.over && (state.stage <= self.path.len() || self.order == Order::Mixed)
    }

    /// Whether every word is an operand: nothing after the options runs.
    fn runs_out(&self, total: usize) -> bool {
        total == self.path.len() + EVERY_WORD
    }

    /// Reads an option with its value.
    fn option(&self, words: &[Arg], position: usize, in_path: bool) -> Optional {
        let Some(word) = words.get(position) else { return Optional::Not };
        let list = if in_path { self.globals } else { self.options };
        let (text, whole) = match word {
            Arg::Known(text) => (text.as_str(), true),
            Arg::One { prefix, .. } => (prefix.as_str(), false),
            Arg::Glob(_) | Arg::Many { .. } => (word.prefix(), false),
        };
        if !text.starts_with('-') {
            // A word that starts otherwise is no option; one of unknown start may be.
            let may_be_option = !whole && text.is_empty() && self.unlisted == Unlisted::Unclear;
            return if may_be_option { Optional::Unclear } else { Optional::Not };
        }
        if matches!(word, Arg::Glob(_) | Arg::Many { .. }) {
            return if self.unlisted == Unlisted::Flag {
                Optional::plain(1)
            } else {
                Optional::Unclear
            };
        }
        if whole && text == "-" {
            return if look_up(list, "-", false).is_some() {
                Optional::plain(1)
            } else {
                Optional::Not
            };
        }
        if whole && is_numeric(text) && look_up(list, "-#", false).is_some() {
            return Optional::plain(1);
        }
        let long = text.starts_with("--") || self.single_dash && text.len() > 2;
        let read = if long {
            self.long_option(list, word, text, whole, words.get(position + 1))
        } else {
            self.short_options(list, word, text, whole, words.get(position + 1))
        };
        read.unwrap_or(if self.unlisted == Unlisted::Flag {
            Optional::plain(1)
        } else {
            Optional::Unclear
        })
    }

    /// `--name`, `--name=value`, `--name value`; `None` when it is not understood.
    fn long_option(
        &self,
        list: &str,
        word: &Arg,
        text: &str,
        whole: bool,
        following: Option<&Arg>,
    ) -> Option<Optional> {
        let (name, attached) = match text.split_once('=') {
            Some((name, _)) => (name, Some(after(word, name.len() + 1))),
            None => (text, None),
        };
        if attached.is_none() && !whole {
            return None;
        }
        let (kind, plain) = look_up(list, name, true).or_else(|| {
            self.single_dash.then(|| look_up(list, &format!("-{name}"), true)).flatten()
        })?;
        match kind.shape() {
            Shape::Bare | Shape::Attached => {
                Some(Optional::Is { met: vec![Met { kind, value: attached, plain }], used: 1 })
            }
            Shape::Required => valued(kind, plain, attached, following),
        }
    }

    /// `-k5`, `-0n1`, `-n 1`; `None` when it is not understood.
    fn short_options(
        &self,
        list: &str,
        word: &Arg,
        text: &str,
        whole: bool,
        following: Option<&Arg>,
    ) -> Option<Optional> {
        let mut met = Vec::new();
        for (index, letter) in text.char_indices().skip(1) {
            let end = index + letter.len_utf8();
            let found = look_up(list, &format!("-{letter}"), false);
            let Some((kind, plain)) = found else {
                if self.unlisted == Unlisted::Flag {
                    continue;
                }
                return None;
            };
            let attached = (end < text.len()).then(|| after(word, end));
            match kind.shape() {
                Shape::Bare => met.push(Met { kind, value: None, plain }),
                // Whether an unknown end is empty decides what the next word is.
                Shape::Attached | Shape::Required if !whole && attached.is_none() => return None,
                Shape::Attached => {
                    met.push(Met { kind, value: attached, plain });
                    return Some(Optional::Is { met, used: 1 });
                }
                Shape::Required => {
                    let read = valued(kind, plain, attached, following)?;
                    let Optional::Is { met: last, used } = read else { return Some(read) };
                    met.extend(last);
                    return Some(Optional::Is { met, used });
                }
            }
        }
        // The unknown end of the word may hold more letters.
        whole.then_some(Optional::Is { met, used: 1 })
    }
}

/// What a word is as an option.
enum Optional {
    /// None.
    Not,
    /// An option (or a cluster), and how many words it takes.
    Is { met: Vec<Met>, used: usize },
    /// An option whose value is split into words.
    Split { text: Arg, used: usize },
    /// Perhaps.
    Unclear,
}

impl Optional {
    fn plain(used: usize) -> Self {
        Self::Is { met: vec![], used }
    }
}

/// An option that needs a value, attached or the next word.
fn valued(
    kind: Kind,
    plain: bool,
    attached: Option<Arg>,
    following: Option<&Arg>,
) -> Option<Optional> {
    let (value, used) = match (attached, following) {
        (Some(value), _) => (value, 1),
        (None, Some(value @ (Arg::Known(_) | Arg::One { .. }))) => (value.clone(), 2),
        // `-k $X`: the value may be none or many words.
        (None, Some(Arg::Glob(_) | Arg::Many { .. })) => return None,
        // The program stops with an error: nothing runs.
        (None, None) => {
            let met = vec![Met { kind: Kind::Nothing, value: None, plain }];
            return Some(Optional::Is { met, used: 1 });
        }
    };
    let used = if kind == Kind::Pair { used + 1 } else { used };
    if kind == Kind::Split {
        return Some(Optional::Split { text: value, used });
    }
    Some(Optional::Is { met: vec![Met { kind, value: Some(value), plain }], used })
}

/// Finds an option in a list; a long one also by an unambiguous start.
pub(crate) fn look_up(list: &str, name: &str, abbreviated: bool) -> Option<(Kind, bool)> {
    let mut found: Option<(Kind, bool)> = None;
    let mut several = false;
    for token in list.split_ascii_whitespace() {
        let (token, plain) = match token.strip_prefix('!') {
            Some(token) => (token, false),
            None => (token, true),
        };
        let (option, kind) = kind_of(token);
        if option == name {
            return Some((kind, plain));
        }
        if abbreviated && name.len() > 2 && option.starts_with(name) {
            several |= found.is_some_and(|earlier| earlier != (kind, plain));
            found = Some((kind, plain));
        }
    }
    found.filter(|_| !several)
}

/// Splits a token of an option list into the option and what it does.
fn kind_of(token: &str) -> (&str, Kind) {
    for (mark, kind) in MARKS {
        if let Some(option) = token.strip_suffix(mark)
            && option.len() > 1
        {
            return (option, kind);
        }
    }
    (token, Kind::Flag)
}

const MARKS: [(char, Kind); 16] = [
    (';', Kind::Pair),
    ('*', Kind::OptionalScript),
    (':', Kind::Value),
    ('?', Kind::Optional),
    ('$', Kind::Script),
    ('>', Kind::Directory),
    ('%', Kind::Split),
    ('^', Kind::Program),
    ('|', Kind::PipeScript),
    ('=', Kind::Setting),
    ('@', Kind::CodeFile),
    ('{', Kind::Replace),
    ('}', Kind::ReplaceOptional),
    ('&', Kind::RestIsScript),
    ('~', Kind::RestIsArgv),
    ('.', Kind::Nothing),
];

/// The word without its first `count` bytes, which are known.
fn after(word: &Arg, count: usize) -> Arg {
    match word {
        Arg::Known(text) => Arg::Known(text.get(count..).unwrap_or("").to_owned()),
        Arg::One { prefix, suffix } => Arg::One {
            prefix: prefix.get(count..).unwrap_or("").to_owned(),
            suffix: suffix.clone(),
        },
        Arg::Glob(_) | Arg::Many { .. } => Arg::many(),
    }
}

/// Whether an unknown word may turn out to be `text`.
pub(crate) fn may_be(word: &Arg, text: &str) -> bool {
    match word {
        Arg::Known(known) => known == text,
        Arg::One { prefix, suffix } => {
            text.len() >= prefix.len() + suffix.len()
                && text.starts_with(prefix.as_str())
                && text.ends_with(suffix.as_str())
        }
        Arg::Glob(glob) => {
            let end = glob.rfind(['*', '?', ']', ')', '\\']).map_or(0, |at| at + 1);
            text.starts_with(word.prefix()) && text.ends_with(glob.get(end..).unwrap_or(""))
        }
        Arg::Many { .. } => true,
    }
}

/// `NAME=value` with a known name.
pub(crate) fn assignment(word: &Arg) -> Option<(String, Arg)> {
    let text = match word {
        Arg::Known(text) => text,
        Arg::One { prefix, .. } => prefix,
        Arg::Glob(_) | Arg::Many { .. } => return None,
    };
    let (name, _) = text.split_once('=')?;
    is_name(name).then(|| (name.to_owned(), after(word, name.len() + 1)))
}

/// Whether this is a variable name.
pub(crate) fn is_name(text: &str) -> bool {
    !text.is_empty()
        && !text.starts_with(|c: char| c.is_ascii_digit())
        && text.chars().all(|c| c.is_ascii_alphanumeric() || c == '_')
}

/// Whether text that starts like this may go on to be `NAME=value`.
fn could_be_name(prefix: &str) -> bool {
    prefix.is_empty() || is_name(prefix)
}

/// A number behind one or two dashes.
fn is_numeric(text: &str) -> bool {
    let digits = text.trim_start_matches('-');
    !digits.is_empty()
        && text.len() - digits.len() <= 2
        && digits.bytes().all(|b| b.is_ascii_digit())
}

/// Splits the text of `env -S` as env does; `None` where it uses variables or ends too early.
pub(crate) fn split_string(text: &str) -> Option<Vec<Arg>> {
    let mut words = Vec::new();
    let mut word: Option<String> = None;
    let mut quote: Option<char> = None;
    let mut chars = text.chars();
    while let Some(c) = chars.next() {
        match (c, quote) {
            ('\\', Some('\'')) => {
                // Inside single quotes only the quote and the backslash can be escaped.
                let escaped = chars.next()?;
                let word = word.get_or_insert_default();
                if !matches!(escaped, '\'' | '\\') {
                    word.push('\\');
                }
                word.push(escaped);
            }
            ('\\', _) => match chars.next()? {
                'c' if quote.is_none() => break,
                '_' if quote.is_none() => words.extend(word.take().map(Arg::Known)),
                '_' => word.get_or_insert_default().push(' '),
                'f' => word.get_or_insert_default().push('\u{c}'),
                'n' => word.get_or_insert_default().push('\n'),
                'r' => word.get_or_insert_default().push('\r'),
                't' => word.get_or_insert_default().push('\t'),
                'v' => word.get_or_insert_default().push('\u{b}'),
                escaped => word.get_or_insert_default().push(escaped),
            },
            ('\'' | '"', None) => {
                quote = Some(c);
                word.get_or_insert_default();
            }
            (c, Some(open)) if c == open => quote = None,
            ('$', None | Some('"')) => return None,
            ('#', None) if word.is_none() => break,
            (c, None) if c.is_ascii_whitespace() || c == '\u{b}' => {
                words.extend(word.take().map(Arg::Known));
            }
            (c, _) => word.get_or_insert_default().push(c),
        }
    }
    if quote.is_some() {
        return None;
    }
    words.extend(word.map(Arg::Known));
    Some(words)
}

/// For [`Grammar::operands`]: every word is an operand.
pub(crate) const EVERY_WORD: usize = usize::MAX / 2;
/// `env -S` inside `env -S` text: nobody writes more, and each is a chance to hide something.
const MOST_SPLITS: usize = 8;
/// Bounds the search for where a command may start; beyond it, it is any command.
const MOST_STATES: usize = 4096;
/// Bounds the commands a search may report; beyond it, it is any command.
const MOST_STARTS: usize = 32;
