//! What a search hands on: `find src -name '*.ts' -exec grep x {} +`, `find … | xargs grep x`.
//!
//! The words that come out of a search are not known, but where they lie is: below the places it starts
//! at. The disk can then tell what may be among them. Only searches that are understood to the last
//! word count; of any other the words may be anything.

use crate::place::place_of;
use crate::state::Cwd;
use crate::{Arg, Found, Place};
use portcullis_model::AbsPath;
use portcullis_shell::{Command, Descriptor, RedirectOp, Simple, Word};

/// Names of files that lie below some places.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Search {
    pub(crate) starts: Vec<AbsPath>,
    pub(crate) found: Found,
}

/// What a `find` hands to the commands it runs.
pub(crate) fn of_find(argv: &[Arg], cwd: &Cwd, home: &AbsPath) -> Option<Search> {
    let words: Vec<&str> = argv.iter().map(Arg::known).collect::<Option<_>>()?;
    find(&words, true, cwd, home)
}

/// What the commands of a pipeline print, where it is names and nothing else.
pub(crate) fn printed(commands: &[Command], cwd: &Cwd, home: &AbsPath) -> Option<Search> {
    let (first, filters) = commands.split_first()?;
    let first = words_of(first)?;
    let first: Vec<&str> = first.iter().map(String::as_str).collect();
    let search = match *first.first()? {
        "find" => find(&first, false, cwd, home),
        "grep" | "egrep" | "fgrep" => grep(&first, cwd, home),
        "rg" => ripgrep(&first, cwd, home),
        _ => None,
    }?;
    filters.iter().all(picks_lines).then_some(search)
}

/// The same, as `xargs` hands it on.
pub(crate) fn through_xargs(search: &Search, argv: &[Arg]) -> Option<Search> {
    let words: Vec<&str> = argv.iter().map(Arg::known).collect::<Option<_>>()?;
    let mut words = words.into_iter();
    if words.next() != Some("xargs") {
        return None;
    }
    let mut is_cut = true;
    while let Some(word) = words.next() {
        match word {
            "-n" | "-P" | "-L" | "-I" => drop(words.next()),
            "--null" => is_cut = false,
            "--no-run-if-empty" | "--verbose" => {}
            _ if word.starts_with("-n") || word.starts_with("-P") || word.starts_with("-L") => {
                word.get(2..)?.parse::<u32>().ok()?;
            }
            _ if letters(word, "0rtx") => is_cut &= !word.contains('0'),
            // What it runs begins here; its other options may take words from elsewhere.
            _ if word.starts_with('-') => return None,
            _ => break,
        }
    }
    let mut search = search.clone();
    search.found.is_cut = is_cut;
    Some(search)
}

/// Reads `find`: where it starts, and what the names it hands on or prints are like.
fn find(words: &[&str], for_action: bool, cwd: &Cwd, home: &AbsPath) -> Option<Search> {
    let mut rest = words.get(1..)?;
    // Names that are links count as such: what `-L` finds behind them is not below the start.
    while let Some(("-P" | "-H", behind)) = rest.split_first().map(|(word, rest)| (*word, rest)) {
        rest = behind;
    }
    let starts = rest.iter().position(|word| word.starts_with(['-', '(', '!', ',', ')']));
    let (starts, rest) = rest.split_at(starts.unwrap_or(rest.len()));
    let mut expression = Expression { rest, for_action, acted: Vec::new(), depth: 0 };
    let whole = expression.either(&None)?;
    if !expression.rest.is_empty() {
        return None;
    }
    let names = match expression.acted.into_iter().reduce(or) {
        Some(acted) => acted,
        // Without an action it prints what the whole is true for.
        None if !for_action => whole,
        None => return None,
    };
    below(starts, names.unwrap_or_default(), cwd, home)
}

/// Globs, one of which a name is like where a test is true; `None` where it may be any name.
type Names = Option<Vec<String>>;

fn or(one: Names, other: Names) -> Names {
    Some([one?, other?].concat())
}

fn and(one: &Names, other: &Names) -> Names {
    one.as_ref().or(other.as_ref()).cloned()
}

/// An expression of `find` while it is read.
#[derive(Debug)]
struct Expression<'w> {
    rest: &'w [&'w str],
    for_action: bool,
    /// What is known of the names at each action.
    acted: Vec<Names>,
    depth: usize,
}

impl<'w> Expression<'w> {
    fn next(&mut self) -> Option<&'w str> {
        let (first, rest) = self.rest.split_first()?;
        self.rest = rest;
        Some(first)
    }

    /// Alternatives. `known`: what is true of the names before any of them is looked at.
    fn either(&mut self, known: &Names) -> Option<Names> {
        let mut found = self.every(known)?;
        while let Some(&"-o" | &"-or") = self.rest.first() {
            self.next();
            found = or(found, self.every(known)?);
        }
        Some(found)
    }

    /// Tests and actions in a row.
    fn every(&mut self, known: &Names) -> Option<Names> {
        let mut found = None;
        while let Some(word) = self.rest.first() {
            match *word {
                "-o" | "-or" | ")" => break,
                "-a" | "-and" => drop(self.next()),
                _ => {
                    let so_far = and(known, &found);
                    found = and(&found, &self.one(&so_far)?);
                }
            }
        }
        Some(found)
    }

    fn one(&mut self, known: &Names) -> Option<Names> {
        self.depth += 1;
        let word = self.next().filter(|_| self.depth <= DEEPEST)?;
        let mut names = None;
        match word {
            "-name" | "-iname" => names = Some(vec![self.next()?.to_owned()]),
            "-print" | "-print0" => self.acted.push(known.clone()),
            "-exec" if self.for_action => {
                let mut before = "";
                loop {
                    match self.next()? {
                        ";" => break,
                        "+" if before == "{}" => break,
                        word => before = word,
                    }
                }
                self.acted.push(known.clone());
            }
            // What a test leaves out says nothing about the rest.
            "!" | "-not" => drop(self.one(known)?),
            "(" => {
                names = self.either(known)?;
                self.next().filter(|word| *word == ")")?;
            }
            word => (0..arity_of(word)?).try_for_each(|_| self.next().map(drop))?,
        }
        self.depth -= 1;
        Some(names)
    }
}

/// Parentheses and negations inside one another.
const DEEPEST: usize = 32;

/// How many words a test takes that neither acts nor leads elsewhere.
fn arity_of(test: &str) -> Option<usize> {
    match test {
        "-name" | "-iname" | "-path" | "-ipath" | "-wholename" | "-regex" | "-iregex" | "-type"
        | "-xtype" | "-size" | "-mtime" | "-mmin" | "-ctime" | "-cmin" | "-atime" | "-amin"
        | "-newer" | "-perm" | "-user" | "-group" | "-maxdepth" | "-mindepth" | "-regextype" => {
            Some(1)
        }
        "-empty" | "-executable" | "-readable" | "-writable" | "-prune" | "-xdev" | "-mount"
        | "-depth" | "-true" => Some(0),
        _ => None,
    }
}

/// Reads `grep -rl PATTERN PLACES`.
fn grep(words: &[&str], cwd: &Cwd, home: &AbsPath) -> Option<Search> {
    let mut names = Vec::new();
    let (mut lists, mut recurses) = (false, false);
    let mut operands = Vec::new();
    for word in words.iter().skip(1) {
        if let Some(glob) = word.strip_prefix("--include=") {
            names.push(glob.to_owned());
        } else if word.starts_with("--exclude=") || word.starts_with("--exclude-dir=") {
            // Leaves something out.
        } else if letters(word, "rlLiIEFnwsHvxqZ") {
            lists |= word.contains(['l', 'L']);
            recurses |= word.contains('r');
        } else if word.starts_with('-') {
            return None;
        } else {
            operands.push(*word);
        }
    }
    let places = operands.get(1..)?;
    (lists && recurses).then(|| below(places, names, cwd, home)).flatten()
}

/// Reads `rg -l PATTERN PLACES`.
fn ripgrep(words: &[&str], cwd: &Cwd, home: &AbsPath) -> Option<Search> {
    let mut lists = false;
    let mut operands = Vec::new();
    let mut words = words.iter().skip(1);
    while let Some(word) = words.next() {
        match *word {
            "--files-with-matches" | "--files-without-match" => lists = true,
            "--ignore-case" | "--fixed-strings" | "--word-regexp" | "--smart-case" => {}
            "-g" | "-t" | "-T" | "--glob" | "--type" | "--type-not" => drop(words.next()?),
            word if letters(word, "liFnwSsx") => lists |= word.contains('l'),
            word if word.starts_with('-') => return None,
            word => operands.push(word),
        }
    }
    let places = operands.get(1..)?;
    lists.then(|| below(places, Vec::new(), cwd, home)).flatten()
}

/// Files below these places; below the current directory where none is named.
fn below(starts: &[&str], names: Vec<String>, cwd: &Cwd, home: &AbsPath) -> Option<Search> {
    let starts = if starts.is_empty() { &["."][..] } else { starts };
    let mut places = Vec::new();
    for start in starts {
        match place_of(&Arg::Known((*start).to_owned()), cwd, home) {
            Place::Known(paths) => places.extend(paths),
            Place::Glob(_) | Place::Unknown(_) | Place::Free => return None,
        }
    }
    Some(Search { starts: places, found: Found { names, is_cut: false } })
}

/// Whether a command prints some of the lines it reads, each as it is.
fn picks_lines(command: &Command) -> bool {
    let Some(words) = words_of(command) else { return false };
    let words: Vec<&str> = words.iter().map(String::as_str).collect();
    match words.as_slice() {
        ["sort" | "uniq" | "head" | "tail"] | ["sort", "-u" | "-r" | "-z"] => true,
        ["head" | "tail", count] => {
            let count = count.strip_prefix("-n").or_else(|| count.strip_prefix('-'));
            count.is_some_and(|count| count.parse::<u32>().is_ok())
        }
        ["head" | "tail", "-n", count] => count.parse::<u32>().is_ok(),
        ["grep" | "egrep" | "fgrep", pattern] => !pattern.starts_with('-'),
        ["grep" | "egrep" | "fgrep", options, pattern] => {
            letters(options, "vEFiPwx") && !pattern.starts_with('-')
        }
        _ => false,
    }
}

/// Whether a word is a cluster of these letters.
fn letters(word: &str, allowed: &str) -> bool {
    word.strip_prefix('-')
        .is_some_and(|rest| !rest.is_empty() && rest.chars().all(|letter| allowed.contains(letter)))
}

/// The words of a plain command: without assignments, redirects of what it reads and prints, and anything
/// that is not known.
fn words_of(command: &Command) -> Option<Vec<String>> {
    let Command::Simple(Simple { words, assigns, redirects, .. }) = command else { return None };
    let only_errors = redirects.iter().all(|redirect| {
        let to_file = matches!(redirect.op, RedirectOp::Write | RedirectOp::Append);
        to_file && redirect.descriptor == Descriptor::Number("2".to_owned())
    });
    if !assigns.is_empty() || !only_errors {
        return None;
    }
    words.iter().map(Word::known).collect()
}
