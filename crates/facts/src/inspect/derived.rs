//! Files that no word names: what a program calls its output after a URL or after what it packs.

use super::reading::Reading;
use super::{Access, PathUse};
use crate::Arg;

/// Adds them. Only deny and ask rules look at these: the name may turn out otherwise.
pub(super) fn outputs(reading: &mut Reading<'_>, argv: &[Arg]) {
    let found: Vec<(usize, Arg)> = match reading.row.name {
        "gunzip" | "gzip" => packed(reading, ".gz"),
        "bunzip2" | "bzip2" => packed(reading, ".bz2"),
        "unxz" | "xz" => packed(reading, ".xz"),
        "lzma" | "unlzma" => packed(reading, ".lzma"),
        "unzstd" | "zstd" => packed(reading, ".zst"),
        "lz4" | "unlz4" => packed(reading, ".lz4"),
        "brotli" => packed(reading, ".br"),
        "compress" | "uncompress" => packed(reading, ".Z"),
        "curl" => {
            let directory = value_of(argv, &["--output-dir"]);
            let named = value_of(argv, &["-o", "--output"]);
            let mut found: Vec<(usize, Arg)> = named
                .zip(directory)
                .map(|(name, directory)| (0, inside(directory, name)))
                .into_iter()
                .collect();
            found.extend(named.and_then(|name| counted(directory, name)).map(|path| (0, path)));
            if argv.iter().any(names_after_url) {
                found.extend(downloads(argv, directory));
            }
            found
        }
        "wget" if value_of(argv, &["-O", "--output-document"]).is_none() => {
            let directory = value_of(argv, &["-P", "--directory-prefix"]);
            downloads(argv, directory)
        }
        _ => return,
    };
    reading.paths.extend(found.into_iter().map(|(index, path)| PathUse {
        arg: path,
        access: Access::Write,
        index,
        recursive: false,
        visible_only: false,
        implied: true,
    }));
}

/// `curl -o 'src/#1'`: what stood for the first list or range of the URL.
fn counted(directory: Option<&str>, name: &str) -> Option<Arg> {
    let (start, rest) = name.split_once('#')?;
    let start = directory.map_or(start.to_owned(), |directory| format!("{directory}/{start}"));
    // More of them may follow, so nothing is said of the end.
    let counts = rest.starts_with(|c: char| c.is_ascii_digit());
    counts.then(|| Arg::One { prefix: start, suffix: String::new() })
}

/// Both ways: `f.gz` makes `f`, and `f` makes `f.gz`.
fn packed(reading: &Reading<'_>, suffix: &str) -> Vec<(usize, Arg)> {
    let changed = reading.paths.iter().filter(|used| used.access == Access::Write);
    changed
        .filter_map(|used| {
            let other = |name: &String| {
                name.strip_suffix(suffix).map_or(format!("{name}{suffix}"), str::to_owned)
            };
            match &used.arg {
                Arg::Known(name) => Some((used.index, Arg::Known(other(name)))),
                Arg::Glob(glob) => Some((used.index, Arg::Glob(other(glob)))),
                Arg::One { .. } | Arg::Many { .. } => None,
            }
        })
        .collect()
}

/// The last part of each URL, in the directory that an option names.
fn downloads(argv: &[Arg], directory: Option<&str>) -> Vec<(usize, Arg)> {
    let urls = argv.iter().enumerate().skip(1).filter_map(|(index, arg)| match arg {
        // An unquoted `?` of a URL is a glob that matches nothing.
        Arg::Known(text) | Arg::Glob(text) => Some((index, text)),
        Arg::One { .. } | Arg::Many { .. } => None,
    });
    urls.filter_map(|(index, text)| {
        // A scheme may be left out.
        let rest = text.split_once("://").map_or(text.as_str(), |(_, rest)| rest);
        let path = rest.split(['?', '#']).next().unwrap_or(rest);
        let (_, name) = path.rsplit_once('/')?;
        let saved = match directory {
            Some(directory) => inside(directory, name),
            None => Arg::Known(name.to_owned()),
        };
        (!name.is_empty() && !text.starts_with('-')).then_some((index, saved))
    })
    .collect()
}

fn inside(directory: &str, name: &str) -> Arg {
    Arg::Known(format!("{}/{name}", directory.trim_end_matches('/')))
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
