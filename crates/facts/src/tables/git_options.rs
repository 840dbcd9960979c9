//! The options that stand before a git subcommand.

use super::wrappers_grammar::{Grammar, Kind, Order, Unlisted};
use crate::Arg;

/// A git command without its global options.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct GitCall {
    /// `git`, the subcommand and its arguments.
    pub argv: Vec<Arg>,
    /// An option that allow rules must never look past: `-c`, `--config-env`, `--exec-path`,
    /// `--git-dir`, `--work-tree`, or one that is not known.
    pub unsafe_globals: bool,
    /// The directory of `-C`. Where it is given several times and cannot be put together, one
    /// unknown word.
    pub directory: Option<Arg>,
}

/// Takes the global options off a git command; `None` for other programs.
///
/// Where an unknown word leaves open which word is the subcommand, the call is `git` with any
/// arguments.
pub fn git_without_globals(argv: &[Arg]) -> Option<GitCall> {
    let globals = read_globals(argv)?;
    let mut call = vec![Arg::Known("git".to_owned())];
    call.extend(globals.rest);
    Some(GitCall {
        argv: call,
        unsafe_globals: globals.dangerous || !globals.settings.is_empty(),
        directory: globals.directory,
    })
}

/// The global options of a git command.
#[derive(Debug, Default)]
pub(crate) struct Globals {
    /// Settings made by options.
    pub(crate) settings: Vec<GlobalSetting>,
    /// Some other option changes what git reads or runs.
    pub(crate) dangerous: bool,
    /// Where `-C` leads.
    pub(crate) directory: Option<Arg>,
    /// The subcommand and its arguments.
    pub(crate) rest: Vec<Arg>,
}

/// A setting made for one command.
#[derive(Debug)]
pub(crate) enum GlobalSetting {
    /// `-c key=value`
    Pair { key: String, value: Arg },
    /// A setting of unknown name or value.
    Unknown,
}

/// Reads the global options; `None` for other programs.
pub(crate) fn read_globals(argv: &[Arg]) -> Option<Globals> {
    let (name, words) = argv.split_first()?;
    if name.known()?.rsplit('/').next() != Some("git") {
        return None;
    }
    let mut globals = Globals::default();
    let Some(reading) = GLOBALS.read("git", words) else {
        globals.rest = words.to_vec();
        return Some(globals);
    };
    if reading.uncertain {
        globals.dangerous = true;
        globals.settings.push(GlobalSetting::Unknown);
        globals.rest = vec![Arg::many()];
        return Some(globals);
    }
    globals.rest = reading.rest;
    for met in reading.met {
        match (met.kind, met.value) {
            (Kind::Setting, Some(value)) => globals.settings.push(setting(&value)),
            (Kind::Directory, Some(value)) => {
                globals.directory = Some(match globals.directory.take() {
                    None => value,
                    Some(before) => below(&before, &value),
                });
            }
            _ if !met.plain => globals.dangerous = true,
            _ => {}
        }
    }
    Some(globals)
}

/// `key=value`, or `key` alone, which means true.
pub(crate) fn setting(value: &Arg) -> GlobalSetting {
    match value {
        Arg::Known(text) => {
            let (key, value) = text.split_once('=').unwrap_or((text, "true"));
            GlobalSetting::Pair { key: key.to_owned(), value: Arg::Known(value.to_owned()) }
        }
        Arg::One { prefix, suffix } => match prefix.split_once('=') {
            Some((key, value)) => GlobalSetting::Pair {
                key: key.to_owned(),
                value: Arg::One { prefix: value.to_owned(), suffix: suffix.clone() },
            },
            None => GlobalSetting::Unknown,
        },
        Arg::Glob(_) | Arg::Many { .. } => GlobalSetting::Unknown,
    }
}

/// `-C a -C b` is `a/b`, unless `b` is absolute.
fn below(before: &Arg, next: &Arg) -> Arg {
    match (before.known(), next.known()) {
        (_, Some(next)) if next.starts_with('/') => Arg::Known(next.to_owned()),
        (Some(before), Some("")) => Arg::Known(before.to_owned()),
        (Some(before), Some(next)) => Arg::Known(format!("{before}/{next}")),
        _ => Arg::one(),
    }
}

/// git(1). What is marked changes which repository, program or setting is used.
const GLOBALS: Grammar = Grammar {
    path: &[],
    globals: "",
    options: "-C> !-c= !--config-env: !--exec-path? !--git-dir: !--work-tree: !--namespace: \
        !--super-prefix: !--attr-source: !--list-cmds: -p --paginate -P --no-pager \
        --no-replace-objects --no-lazy-fetch --no-optional-locks --no-advice --literal-pathspecs \
        --glob-pathspecs --noglob-pathspecs --icase-pathspecs !--bare --shallow-file: \
        -v --version -h --help --html-path --man-path --info-path",
    operands: 0,
    order: Order::First,
    unlisted: Unlisted::Unclear,
    assignments: false,
    single_dash: false,
};
