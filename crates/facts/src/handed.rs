//! Directories that a program hands over whole: to a container, an image, another host or whoever
//! connects.
//!
//! No word of the command names the file that is read then. What is found here is possible, never
//! certain: the program may leave files out, and only deny and ask rules see it.

use crate::facts::AccessFact;
use crate::forms::basename;
use crate::peel::table_name;
use crate::place::place_of;
use crate::state::State;
use crate::walk::Walker;
use crate::{Access, Arg};
use portcullis_model::Span;

impl Walker<'_> {
    /// Notes the directories that a command hands over.
    pub(crate) fn hands_over(&mut self, index: usize, argv: &[Arg], span: Span, state: &State) {
        for directory in handed(argv) {
            let place = place_of(&directory, &state.cwd, &self.call.home);
            let text = directory.known().unwrap_or_default();
            let fact = AccessFact::guess(Access::Read, index, text, span, place);
            self.out.accesses.push(AccessFact { recursive: true, ..fact });
        }
    }
}

/// What is handed over, as far as the words tell.
fn handed(argv: &[Arg]) -> Vec<Arg> {
    let mut words = argv.iter();
    let Some(name) = words.next().and_then(Arg::known).map(basename).map(table_name) else {
        return Vec::new();
    };
    let words = words.as_slice();
    let verb = |verbs: &[&str]| {
        let known = |word: &Arg| word.known().is_some_and(|text| verbs.contains(&text));
        words.iter().take(GLOBALS).position(known).and_then(|at| words.get(at + 1..))
    };
    match name {
        "docker" | "podman" | "nerdctl" | "buildah" => {
            if let Some(rest) = verb(&["run", "create"]) {
                return mounts(rest);
            }
            verb(&["build", "bud", "cp"]).map(operands).unwrap_or_default()
        }
        "kubectl" | "oc" => verb(&["cp", "rsync"]).map(operands).unwrap_or_default(),
        "aws" | "gsutil" | "gcloud" | "rclone" | "mc" | "s3cmd" | "s5cmd" | "az" => verb(&[
            "cp",
            "copy",
            "sync",
            "mv",
            "move",
            "rsync",
            "upload-batch",
            "serve",
            "put",
            "mirror",
        ])
        .map(operands)
        .unwrap_or_default(),
        "chroot" | "proot" | "systemd-nspawn" | "bwrap" => operands(words),
        "python" => verb(&["http.server", "SimpleHTTPServer", "-mhttp.server"])
            .map(|rest| served(rest, &["-d", "--directory"]))
            .unwrap_or_default(),
        "php" if has(words, "-S") => served(words, &["-t", "--docroot"]),
        "ruby" if has(words, "-run") => served(words, &[]),
        "busybox" => verb(&["httpd"]).map(|rest| served(rest, &["-h"])).unwrap_or_default(),
        "caddy" => {
            verb(&["file-server"]).map(|rest| served(rest, &["--root", "-r"])).unwrap_or_default()
        }
        "npx" | "bunx" | "pnpx" => verb(SERVERS).map(|rest| served(rest, &[])).unwrap_or_default(),
        _ if SERVERS.contains(&name) => served(words, &[]),
        _ => Vec::new(),
    }
}

/// Words among which a verb may stand behind options of the program.
const GLOBALS: usize = 8;

/// Programs that serve a directory, the current one by default.
const SERVERS: &[&str] = &[
    "darkhttpd",
    "devd",
    "http-server",
    "httpd",
    "live-server",
    "miniserve",
    "serve",
    "sirv",
    "twistd",
    "webfsd",
    "webfs",
];

fn has(words: &[Arg], text: &str) -> bool {
    words.iter().any(|word| word.prefix().starts_with(text))
}

/// Every word that is no option, and the values of `--option=value`: one that names no directory
/// does no harm.
fn operands(words: &[Arg]) -> Vec<Arg> {
    let value = |word: &Arg| match word.known() {
        Some(text) if text.starts_with('-') => {
            text.split_once('=').map(|(_, value)| Arg::Known(value.to_owned()))
        }
        Some(_) => Some(word.clone()),
        None => None,
    };
    words.iter().filter_map(value).take(MOST).collect()
}

/// More directories of one command are not looked at.
const MOST: usize = 16;

/// What a server serves: what it is told, and the directory it runs in.
fn served(words: &[Arg], options: &[&str]) -> Vec<Arg> {
    let told = words
        .windows(2)
        .filter(|pair| {
            pair.first().and_then(Arg::known).is_some_and(|flag| options.contains(&flag))
        })
        .filter_map(|pair| pair.get(1).cloned());
    let mut found: Vec<Arg> = told.collect();
    if found.is_empty() {
        // A number is a port, what has a colon an address.
        let address = |text: &str| text.contains(':') || text.bytes().all(|b| b.is_ascii_digit());
        found.extend(operands(words).into_iter().filter(|word| !word.known().is_some_and(address)));
    }
    if found.is_empty() {
        found.push(Arg::Known(".".to_owned()));
    }
    found
}

/// The directories that a container gets: `-v DIR:…`, `--mount type=bind,src=DIR,…`.
fn mounts(words: &[Arg]) -> Vec<Arg> {
    let mut found = Vec::new();
    for (at, word) in words.iter().enumerate() {
        let Some(text) = word.known() else { continue };
        let next = || words.get(at + 1).and_then(Arg::known);
        let (flag, attached) = match text.split_once('=') {
            Some((flag, value)) if flag.starts_with("--") => (flag, Some(value)),
            _ => (text, None),
        };
        let value = match flag {
            "-v" | "--volume" | "--mount" => attached.or_else(next),
            _ => flag.strip_prefix("-v").filter(|_| !flag.starts_with("--")),
        };
        let Some(value) = value else { continue };
        let source = match flag {
            "--mount" => value.split(',').find_map(|field| {
                field.strip_prefix("src=").or_else(|| field.strip_prefix("source="))
            }),
            // A name without a slash or a dot is a volume of the daemon.
            _ => value.split(':').next().filter(|source| source.contains(['/', '.', '~'])),
        };
        found.extend(source.map(|source| Arg::Known(source.to_owned())));
    }
    found.truncate(MOST);
    found
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn finds_what_is_handed_over() {
        for (line, want) in [
            ("docker run -v /r/p:/m i cat /m/.env", &["/r/p"][..]),
            ("docker run --rm -v/r:/m -v vol:/x --volume=./a:/b i", &["/r", "./a"]),
            ("podman run --mount type=bind,src=/r/p,dst=/m i", &["/r/p"]),
            ("docker build -t x .", &["x", "."]),
            ("docker ps", &[]),
            ("docker cp . c:/x", &[".", "c:/x"]),
            ("python3 -m http.server", &["."]),
            ("python3 -m http.server -d sub 80", &["sub"]),
            ("python3 x.py", &[]),
            ("php -S 0:80 -t web", &["web"]),
            ("npx serve build", &["build"]),
            ("npx serve", &["."]),
            ("python3 -m http.server 80", &["."]),
            ("php -S localhost:80", &["."]),
            ("npx eslint .", &[]),
            ("busybox httpd -f", &["."]),
            ("chroot . cat /.env", &[".", "cat", "/.env"]),
            ("aws s3 sync . s3://b", &[".", "s3://b"]),
            ("ls .", &[]),
        ] {
            let argv: Vec<Arg> = line.split(' ').map(|word| Arg::Known(word.to_owned())).collect();
            let found = handed(&argv);
            let found: Vec<&str> = found.iter().filter_map(Arg::known).collect();
            assert_eq!(found, want, "{line}");
        }
    }
}
