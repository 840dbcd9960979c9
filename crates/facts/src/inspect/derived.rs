//! Files that no word names: what a program calls its output after a URL or after what it packs.

use super::reading::Reading;
use super::{Access, PathUse};
use crate::Arg;

/// Adds them. Only deny and ask rules look at these: the name may turn out otherwise.
pub(super) fn outputs(reading: &mut Reading<'_>, argv: &[Arg]) {
    let found: Vec<(usize, String)> = match reading.row.name {
        "gunzip" | "gzip" => packed(reading, ".gz"),
        "bunzip2" | "bzip2" => packed(reading, ".bz2"),
        "xz" => packed(reading, ".xz"),
        "zstd" => packed(reading, ".zst"),
        "curl" if argv.iter().any(names_after_url) => {
            let directory = value_of(argv, &["--output-dir"]);
            downloads(argv, directory)
        }
        "wget" if value_of(argv, &["-O", "--output-document"]).is_none() => {
            let directory = value_of(argv, &["-P", "--directory-prefix"]);
            downloads(argv, directory)
        }
        _ => return,
    };
    reading.paths.extend(found.into_iter().map(|(index, path)| PathUse {
        arg: Arg::Known(path),
        access: Access::Write,
        index,
        recursive: false,
        visible_only: false,
        implied: true,
    }));
}

/// Both ways: `f.gz` makes `f`, and `f` makes `f.gz`.
fn packed(reading: &Reading<'_>, suffix: &str) -> Vec<(usize, String)> {
    let changed = reading.paths.iter().filter(|used| used.access == Access::Write);
    changed
        .filter_map(|used| {
            let name = used.arg.known()?;
            let other = name.strip_suffix(suffix).map_or(format!("{name}{suffix}"), str::to_owned);
            Some((used.index, other))
        })
        .collect()
}

/// The last part of each URL, in the directory that an option names.
fn downloads(argv: &[Arg], directory: Option<&str>) -> Vec<(usize, String)> {
    let urls = argv.iter().enumerate().skip(1).filter_map(|(index, arg)| match arg {
        // An unquoted `?` of a URL is a glob that matches nothing.
        Arg::Known(text) | Arg::Glob(text) => Some((index, text)),
        Arg::One { .. } | Arg::Many { .. } => None,
    });
    urls.filter_map(|(index, text)| {
        let (_, rest) = text.split_once("://")?;
        let path = rest.split(['?', '#']).next().unwrap_or(rest);
        let (_, name) = path.rsplit_once('/')?;
        let directory = directory.map(|path| format!("{}/", path.trim_end_matches('/')));
        (!name.is_empty()).then(|| (index, format!("{}{name}", directory.unwrap_or_default())))
    })
    .collect()
}

/// Whether curl is told to: `-O`, also among other letters, `--remote-name`, `--remote-name-all`.
fn names_after_url(arg: &Arg) -> bool {
    let text = arg.prefix();
    match text.strip_prefix('-') {
        Some(long) if long.starts_with('-') => text.starts_with("--remote-name"),
        // Behind a letter that takes a value, the rest is that value.
        Some(letters) => letters
            .chars()
            .take_while(|letter| !"AbcCdDeEFhHKmoQrtTuUwxXyYz".contains(*letter))
            .any(|letter| letter == 'O'),
        None => false,
    }
}

/// The value of an option, attached or behind it.
fn value_of<'a>(argv: &'a [Arg], names: &[&str]) -> Option<&'a str> {
    argv.iter().enumerate().find_map(|(index, arg)| {
        let text = arg.known()?;
        names.iter().find_map(|name| match text.strip_prefix(name)? {
            "" => argv.get(index + 1).map(Arg::prefix),
            rest if name.starts_with("--") => rest.strip_prefix('='),
            rest => Some(rest),
        })
    })
}
