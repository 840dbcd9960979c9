//! Directories that a program hands over whole: to a container, an image, another host or whoever
//! connects; and where what comes from there is put.
//!
//! No word of the command names the file that is read or written then. What is found here is possible, never
//! certain: the program may leave files out, and only deny and ask rules see it.

use crate::changes::changed;
use crate::facts::AccessFact;
use crate::forms::basename;
use crate::peel::table_name;
use crate::place::place_of;
use crate::state::State;
use crate::tables::interpreters::is_interpreter;
use crate::walk::Walker;
use crate::{Access, Arg};
use portcullis_model::Span;

impl Walker<'_> {
    /// Notes the directories that a command hands over, and what it changes besides.
    pub(crate) fn hands_over(&mut self, index: usize, argv: &[Arg], span: Span, state: &State) {
        let read = handed(argv).into_iter().map(|directory| (Access::Read, directory));
        let written = opened(argv).into_iter().chain(changed(argv));
        let written = written.map(|directory| (Access::Write, directory));
        for (access, directory) in read.chain(written) {
            let place = place_of(&directory, &state.cwd, &self.call.home);
            let text = directory.known().unwrap_or_default();
            let fact = AccessFact::guess(access, index, text, span, place);
            self.out.accesses.push(AccessFact { recursive: true, ..fact });
        }
    }
}

/// What stands behind the first of these words, if one is there.
pub(crate) fn behind<'a>(words: &'a [Arg], verbs: &[&str]) -> Option<&'a [Arg]> {
    let known = |word: &Arg| word.known().is_some_and(|text| verbs.contains(&text));
    words.iter().take(GLOBALS).position(known).and_then(|at| words.get(at + 1..))
}

/// What may be changed from inside or is put there, as far as the words tell.
fn opened(argv: &[Arg]) -> Vec<Arg> {
    let Some((name, words)) = argv.split_first() else { return Vec::new() };
    let name = name.known().map(basename).map(table_name).unwrap_or_default();
    match name {
        "docker" | "podman" | "nerdctl" | "buildah" | "docker-compose" => {
            if let Some(rest) = behind(words, &["run", "create"]) {
                return mounts(&writable(rest));
            }
            behind(words, &["cp"]).map(destinations).unwrap_or_default()
        }
        "apptainer" | "singularity" | "minikube" | "systemd-run" => mounts(&writable(words)),
        "chroot" | "proot" | "systemd-nspawn" => {
            let mut found = operands(words);
            found.extend(mounts(&writable(words)));
            found
        }
        "lxc" | "incus" => behind(words, &["pull"]).map(destinations).unwrap_or_default(),
        "convert" | "magick" | "composite" | "montage" => {
            let last = words.last().filter(|word| !word.prefix().starts_with('-'));
            last.map(|word| operands(std::slice::from_ref(word))).unwrap_or_default()
        }
        "sqlite3" | "sqlite" | "crudini" | "wipe" => operands(words),
        // What is written through a link is written where it leads.
        "ln" | "link" | "gln" | "lndir" | "stow" => link_targets(words),
        "mount" if words.iter().any(|word| word.prefix().contains("bind")) => operands(words),
        "rsync" if has(words, "--link-dest") => operands(words),
        name if links_by_code(name, words) => named_in_code(words),
        "cp" if words.iter().any(|word| makes_links(word.prefix())) => link_targets(words),
        _ => {
            let row = SENDERS.iter().find(|(names, _)| names.contains(&name));
            let copies = row.and_then(|(_, verbs)| behind(words, verbs));
            copies.map(destinations).unwrap_or_default()
        }
    }
}

/// What links are made to: every operand but the last, which names the link or where it is put.
fn link_targets(words: &[Arg]) -> Vec<Arg> {
    let named: Vec<Arg> =
        words.iter().filter(|word| !word.prefix().starts_with('-')).cloned().collect();
    let into = words
        .iter()
        .any(|word| word.prefix().starts_with("-t") || word.prefix().starts_with("--t"));
    match named.split_last() {
        Some((_, targets)) if !into && !targets.is_empty() => operands(targets),
        Some(_) | None => operands(&named),
    }
}

/// Whether code in one of the words makes links.
fn links_by_code(name: &str, words: &[Arg]) -> bool {
    let makes = |code: &str| {
        ["symlink", "linkSync", "os.link", "File.link", "link("]
            .iter()
            .any(|call| code.contains(call))
    };
    is_interpreter(name) && words.iter().filter_map(Arg::known).any(makes)
}

/// Every text between quotes in code.
fn named_in_code(words: &[Arg]) -> Vec<Arg> {
    let codes = words.iter().filter_map(Arg::known);
    let quoted = codes.flat_map(|code| code.split(['"', '\'', '`']).skip(1).step_by(2));
    let named = quoted.filter(|text| !text.is_empty() && !text.contains(char::is_whitespace));
    named.take(MOST).map(|text| Arg::Known(text.to_owned())).collect()
}

/// Whether a flag of `cp` makes links instead of copies.
fn makes_links(word: &str) -> bool {
    matches!(word, "--link" | "--symbolic-link")
        || word.starts_with('-') && !word.starts_with("--") && word.contains(['l', 's'])
}

/// What is copied to: not what is named first.
fn destinations(words: &[Arg]) -> Vec<Arg> {
    let named = words.iter().filter(|word| !word.prefix().starts_with('-'));
    operands(&named.skip(1).cloned().collect::<Vec<Arg>>())
}

/// The words without mounts that may only be read.
fn writable(words: &[Arg]) -> Vec<Arg> {
    let read_only = |part: &str| matches!(part, "ro" | "readonly" | "readonly=true" | "ro=true");
    let writable = words.iter().filter(|word| !word.prefix().split([',', ':']).any(read_only));
    writable.cloned().collect()
}

/// What is handed over, as far as the words tell.
fn handed(argv: &[Arg]) -> Vec<Arg> {
    let mut words = argv.iter();
    let Some(name) = words.next().and_then(Arg::known).map(basename).map(table_name) else {
        return Vec::new();
    };
    let words = words.as_slice();
    let verb = |verbs: &[&str]| behind(words, verbs);
    match name {
        "docker" | "podman" | "nerdctl" | "buildah" | "docker-compose" => {
            if let Some(rest) = verb(&["run", "create"]) {
                return mounts(rest);
            }
            let whole = ["build", "bud", "b", "cp", "add", "copy"];
            verb(&whole).map(operands).unwrap_or_default()
        }
        "apptainer" | "singularity" | "minikube" | "systemd-run" => mounts(words),
        "chroot" | "proot" | "systemd-nspawn" | "bwrap" | "firejail" => {
            let mut found = operands(words);
            found.extend(mounts(words));
            found
        }
        // Only with another root do their commands find files elsewhere.
        "unshare" | "nsenter" if words.iter().any(|word| sets_root(word.prefix())) => {
            operands(words)
        }
        "mount" if words.iter().any(|word| word.prefix().contains("bind")) => operands(words),
        // What is read through a link is read where it leads.
        "ln" | "link" | "gln" | "lndir" | "stow" => link_targets(words),
        name if links_by_code(name, words) => named_in_code(words),
        "git" if verb(&["worktree"]).is_some_and(|rest| has(rest, "add")) => {
            vec![Arg::Known(".".to_owned())]
        }
        "git" if verb(&["clone"]).is_some() => verb(&["clone"]).map(operands).unwrap_or_default(),
        "git" if verb(&["archive", "checkout-index", "fast-export"]).is_some() => {
            vec![Arg::Known(".".to_owned())]
        }
        // The names come from a list, or from the input.
        "cpio" | "afio" if words.iter().any(|word| copies_out(word.prefix())) => {
            vec![Arg::Known(".".to_owned())]
        }
        "tar" | "bsdtar" | "rsync" if words.iter().any(|word| takes_a_list(word.prefix())) => {
            vec![Arg::Known(".".to_owned())]
        }
        "zip" if words.iter().any(|word| word.prefix().starts_with("-@")) => {
            vec![Arg::Known(".".to_owned())]
        }
        "python" => {
            if let Some(rest) = verb(&["zipfile", "tarfile", "-mzipfile", "-mtarfile"]) {
                return operands(rest);
            }
            verb(&["http.server", "SimpleHTTPServer", "-mhttp.server"])
                .map(|rest| served(rest, &["-d", "--directory"]))
                .unwrap_or_default()
        }
        "php" if has(words, "-S") => served(words, &["-t", "--docroot"]),
        "ruby" if has(words, "-run") => served(words, &[]),
        "deno" if words.iter().any(|word| is_file_server(word.prefix())) => {
            let mut found = served(words, &[]);
            found.push(Arg::Known(".".to_owned()));
            found
        }
        "busybox" => verb(&["httpd"]).map(|rest| served(rest, &["-h"])).unwrap_or_default(),
        "caddy" => {
            verb(&["file-server"]).map(|rest| served(rest, &["--root", "-r"])).unwrap_or_default()
        }
        "npx" | "bunx" | "pnpx" => server_among(words),
        "npm" | "pnpm" | "yarn" | "bun" => {
            verb(&["exec", "dlx", "x"]).map(server_among).unwrap_or_default()
        }
        _ if SERVERS.contains(&name) => served(words, &[]),
        _ => {
            let row = SENDERS.iter().find(|(names, _)| names.contains(&name));
            let sends = row.filter(|(_, verbs)| verbs.is_empty() || verb(verbs).is_some());
            sends.map(|_| operands(words)).unwrap_or_default()
        }
    }
}

/// Programs that send what they are given elsewhere, with the words that make them do it.
const SENDERS: &[(&[&str], &[&str])] = &[
    // Archivers go into directories by themselves.
    (
        &[
            "7z",
            "7za",
            "7zr",
            "ar",
            "arj",
            "borg",
            "dar",
            "duplicity",
            "genisoimage",
            "kopia",
            "lha",
            "mkisofs",
            "mksquashfs",
            "pax",
            "rar",
            "rdiff-backup",
            "restic",
            "xorriso",
            "zpaq",
        ],
        &[],
    ),
    (&["aws", "gsutil", "gcloud", "rclone", "mc", "s3cmd", "s5cmd", "az"], CLOUD),
    (&["croc", "wormhole", "magic-wormhole", "ffsend"], &[]),
    (&["gh", "glab"], &["upload"]),
    (&["kaniko", "oras", "sftp", "lftp", "skopeo", "ncftpput"], &[]),
    (&["kubectl", "oc"], &["cp", "rsync"]),
    (&["limactl"], &["copy", "cp"]),
    (&["lxc", "incus"], &["push"]),
    (&["multipass"], &["mount", "transfer"]),
    (&["vagrant"], &["upload", "rsync"]),
];

const CLOUD: &[&str] = &[
    "copy",
    "copyto",
    "cp",
    "mirror",
    "move",
    "moveto",
    "mv",
    "put",
    "rsync",
    "serve",
    "sync",
    "upload-batch",
];

/// What a server that was fetched serves.
fn server_among(words: &[Arg]) -> Vec<Arg> {
    let server = words.iter().position(|word| {
        let name = word.known().and_then(|text| text.split('@').next());
        name.is_some_and(|name| SERVERS.contains(&name))
    });
    server.and_then(|at| words.get(at + 1..)).map(|rest| served(rest, &[])).unwrap_or_default()
}

fn sets_root(word: &str) -> bool {
    word.starts_with("--ro")
        || (word.starts_with('-') && !word.starts_with("--") && word.contains('R'))
}

fn copies_out(word: &str) -> bool {
    matches!(word, "--create" | "--pass-through")
        || (word.starts_with('-') && !word.starts_with("--") && word.contains(['o', 'p']))
}

fn takes_a_list(word: &str) -> bool {
    word.starts_with("--files-from")
        || (word.starts_with('-') && !word.starts_with("--") && word.contains('T'))
}

fn is_file_server(word: &str) -> bool {
    word.contains("file-server") || word.contains("file_server")
}

/// Words among which a verb may stand behind options of the program.
const GLOBALS: usize = 24;

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

/// Every part of a word that may be a path, of options too, and every glob: one that names no directory does
/// no harm.
pub(crate) fn operands(words: &[Arg]) -> Vec<Arg> {
    let apart = |c: char| c.is_whitespace() || matches!(c, '=' | ':' | ',' | '\'' | '"');
    let parts = words.iter().filter_map(Arg::known).flat_map(|word| word.split(apart));
    let bare = parts.map(|part| part.strip_prefix('-').map_or(part, attached));
    let named = bare.filter(|part| !part.is_empty() && !part.starts_with('-'));
    let globs = words.iter().filter(|word| matches!(word, Arg::Glob(_))).cloned();
    named.map(|part| Arg::Known(part.to_owned())).chain(globs).take(MOST).collect()
}

/// What is glued to the letters of short options: `v/r` is `/r`.
fn attached(letters: &str) -> &str {
    letters.trim_start_matches(|c: char| c.is_ascii_alphabetic())
}

/// More directories of one command are not looked at.
pub(crate) const MOST: usize = 32;

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
        let is_port = |text: &str| text.contains(':') || text.bytes().all(|b| b.is_ascii_digit());
        let paths = words.iter().filter(|word| !word.known().is_some_and(is_port));
        found = operands(&paths.cloned().collect::<Vec<Arg>>());
    }
    if found.is_empty() {
        found.push(Arg::Known(".".to_owned()));
    }
    found
}

/// The directories that a command finds under another name: `DIR:…` in whatever option, `src=DIR`. What
/// follows the options is the command's own, and has no such form.
fn mounts(words: &[Arg]) -> Vec<Arg> {
    let mut found = Vec::new();
    for word in words.iter().filter_map(Arg::known) {
        for field in word.split(',') {
            let (key, value) = field.split_once('=').unwrap_or(("", field));
            let key = key.rsplit('-').next().unwrap_or(key).to_ascii_lowercase();
            let source = match value.split_once(':') {
                Some((source, _)) => source,
                None if matches!(key.as_str(), "src" | "source" | "rootdirectory") => value,
                // `--mount=type=bind` and `type=bind` name nothing.
                None => continue,
            };
            let source = source.strip_prefix('-').map_or(source, attached);
            // A name without a slash or a dot is a volume of the daemon.
            if source.contains(['/', '.', '~']) {
                found.push(Arg::Known(source.to_owned()));
            }
        }
    }
    found.truncate(MOST);
    found
}

#[cfg(test)]
mod tests {
    use super::*;

    fn names(found_in: fn(&[Arg]) -> Vec<Arg>, line: &str) -> Vec<String> {
        let argv: Vec<Arg> = line.split(' ').map(|word| Arg::Known(word.to_owned())).collect();
        found_in(&argv).iter().filter_map(Arg::known).map(str::to_owned).collect()
    }

    #[test]
    fn finds_what_is_handed_over() {
        for (line, want) in [
            ("docker run -v /r/p:/m i cat /m/.env", &["/r/p"][..]),
            ("docker run --rm -v/r:/m -v vol:/x --volume=./a:/b i", &["/r", "./a"]),
            ("podman run --mount type=bind,src=/r/p,dst=/m i", &["/r/p"]),
            ("docker build -t x .", &["x", "."]),
            ("docker run -itv .:/m i", &["."]),
            ("docker run --volum .:/m i pytest .", &["."]),
            ("docker --host h --context c --log-level x run -v .:/m i", &["."]),
            ("apptainer exec -B .:/m i", &["."]),
            ("systemd-run -p RootDirectory=/r/p cat /.env", &["/r/p"]),
            ("unshare -rR. cat", &[".", "cat"]),
            ("unshare -r grep x .", &[]),
            ("npx --yes serve@latest .", &["."]),
            ("lxc file push -r . c/x", &["file", "push", ".", "c/x"]),
            ("docker ps", &[]),
            ("docker cp . c:/x", &[".", "c", "/x"]),
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
            ("aws s3 sync . s3://b", &["s3", "sync", ".", "s3", "//b"]),
            ("ls .", &[]),
        ] {
            assert_eq!(names(handed, line), want, "{line}");
        }
    }

    #[test]
    fn finds_where_things_are_put() {
        for (line, want) in [
            ("docker run -v /r/p:/m i", &["/r/p"][..]),
            ("docker run -v /r/p:/m:ro i", &[]),
            ("docker run --mount type=bind,src=/r/p,dst=/m,readonly i", &[]),
            ("docker cp c:/x ./y", &["./y"]),
            ("docker build .", &[]),
            ("kubectl cp p:/x y", &["y"]),
            ("aws s3 cp s3://b/x y", &["y"]),
            ("rclone copy r:x y", &["y"]),
            ("convert -resize 5 a b", &["b"]),
            ("sqlite3 a.db", &["a.db"]),
            ("gh release upload x", &[]),
            ("kubectl get pods", &[]),
            ("ls .", &[]),
        ] {
            assert_eq!(names(opened, line), want, "{line}");
        }
    }
}
