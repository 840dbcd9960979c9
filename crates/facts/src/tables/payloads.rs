//! Programs that run other programs as a side line: options whose value is a command.
//!
//! The list of such options follows the published collections of programs that can be made to run
//! others, checked against manual pages. Options without a row here are not looked at.

use super::wrappers::{CONFIG, EXEC, Runs, Wrapper, row};

const SSH_SIDE: &str = "-o= -S^ -D^ -F: -i: -J: -c: -l: -P: -b: -B: -R: -s: -X:";
const VIM: &str = "-c= --cmd= -S@ -s -u: -U: -i: -T: -w: -W: -t: -q: -l@ --startuptime: --listen: \
    --servername:";
const GIT_TRANSPORT: &str = "--upload-pack$ --receive-pack$ --exec$ -o: --server-option: --depth: \
    --filter: --jobs: -j:";

/// Every row; rows of one name stand together, names in order.
pub(crate) const PAYLOADS: &[Wrapper] = &[
    side(&["ack", "ag"]).options("--pager$"),
    side(&["apt", "apt-get", "aptitude", "dpkg"]).options(
        "-o= --option= -c: -t: --pre-invoke$ \
        --post-invoke$ --status-logger$",
    ),
    side(&["bat", "batcat", "delta", "glow"]).options("--pager$ --diff-program$"),
    side(&["cpio"]).options("--rsh-command$ -F: -I: -O: -H: -E: -C: -M: -R:"),
    side(&["curl", "wget"]).options("--use-askpass^ --execute= -o: -O: -d: -H: -X: -u: -e= -A: -b: -c: -K:"),
    side(&["dc"]).options("-e= --expression= -f: --file:"),
    side(&["fly", "flyctl"]).options("-C$ --command$ -a: --app: -c: --config:"),
    side(&["fzf", "sk"])
        .options("--preview$ --bind= -q: --query: -n: -d: --delimiter: --prompt: --header:"),
    side(&["gcc", "g++", "cc", "c++", "clang"]).options("-wrapper^").single_dash(),
    side(&["go"])
        .path(&[&["build", "generate", "install", "run", "test", "vet"]])
        .globals("-C>")
        .options("-exec$ -toolexec$ -vettool$ -C>")
        .single_dash(),
    side(&["helm"]).options("--post-renderer^ --post-renderer-args: -f: -n: --set:"),
    side(&["latexmk"])
        .options("-latex$ -lualatex$ -pdflatex$ -pdflualatex$ -pdfxelatex$ -xelatex$ -e= -usepretex= -r@")
        .single_dash(),
    side(&["less", "more", "most"]).options("-p: -P: -t: -T: -k: -o: -O: -b: -j: -x: -y: -z:"),
    side(&["lftp", "psql", "mysql", "mariadb", "duckdb", "hive", "beeline", "impala-shell", "sqlcmd", "smbclient"])
        .options("-c= -e= -q= -Q= --command= --execute= --query= --pager$ -f: -p: -u: -h: -d: -U: -P: -D: -o: -v:"),
    side(&["logrotate"]).options("-m$ --mail$ -s: --state: -l: --log:"),
    side(&["make", "gmake"]).options(
        "--eval$ -E$ -C> --directory> -f: --file: --makefile: -I: -j? -l? \
        -o: -W:",
    ),
    side(&["man"]).options(
        "-P$ --pager$ -H* --html* -C: -R: -L: -m: -M: -S: -s: -e: -r: -p: -T? \
        --preprocessor:",
    ),
    side(&["nc", "ncat", "netcat"]).options(
        "-e$ --exec$ -c$ --sh-exec$ --lua-exec@ -g: -G: -i: -I: -m: \
        -o: -O: -p: -P: -q: -s: -T: -V: -w: -W: -X: -x: -d:",
    ),
    side(&["pandoc"]).options("-F^ --filter^ --pdf-engine^ --lua-filter@ -f: -t: -o:"),
    side(&["rg"])
        .options("--pre^ --hostname-bin^ -e: -f: -g: -A: -B: -C: -m: -t: -T: -j: -r: -d: -M: -E:"),
    side(&["rpm", "rpmbuild"]).options("--pipe$ -D= -E= --define= --eval="),
    side(&["rsync"]).options("-e$ --rsh$ --rsync-path$ -f: -B: -M: -T:"),
    side(&["scp", "sftp"]).options(SSH_SIDE),
    side(&["socat"]).options("-T: -t: -b: -L: -W: -r: -R:"),
    side(&["sort"]).options(
        "--compress-program^ -o: -k: -t: -S: -T: --parallel: --files0-from: \
        --batch-size:",
    ),
    side(&["split"]).options("--filter$ -a: -b: -C: -l: -n: -t:"),
    side(&["sqlite3", "sqlite"])
        .options("-cmd= -init@ -separator: -nullvalue: -vfs:")
        .single_dash(),
    side(&["supervisor", "node-supervisor"]).options("-x$ --exec$ -w: -i: -e: -p: --watch: --ignore: --extensions:"),
    side(&["tar", "bsdtar", "gtar"]).options(
        "--to-command$ --checkpoint-action= \
        --use-compress-program$ -I$ --info-script$ --new-volume-script$ -F$ --rsh-command$ \
        --rmt-command$ -f: --file: -C: --directory: -T: --files-from: -X: --exclude-from: -b: -H: \
        --format: -K: -L: -N: -V: -g: --transform: --xform: --exclude:",
    ),
    side(&["tcpdump", "dumpcap", "tshark"]).options(
        "-z$ -w: -r: -i: -c: -C: -G: -W: -B: -s: -y: -Z: -F: \
        -E: -D",
    ),
    side(&["vi", "vim", "ex", "view", "nvim", "rview", "rvim", "gvim", "vimdiff", "nvi"])
        .options(VIM),
    side(&["zip"]).options("-TT$ --unzip-command$ -i: -x: -n: -t: -b: -P:").single_dash(),
];

/// Subcommands of git, after its global options are gone.
pub(crate) const GIT: &[Wrapper] = &[
    row(&["git"]).path(&[&["bisect"], &["run"]]).because(EXEC),
    git(&[&["archive"]]).options("--exec$ -o: --output: --format: --prefix:"),
    git(&[&["clone"]]).options(
        "-u$ --upload-pack$ -c= --config= -o: -b: -j: --depth: --template: \
        --reference: --filter:",
    ),
    git(&[&["daemon"]]).options("--access-hook$ --base-path: --port: --user: --group:"),
    git(&[&["difftool", "mergetool"]]).options("-x$ --extcmd$ -t: --tool:"),
    git(&[&[
        "fetch",
        "fetch-pack",
        "ls-remote",
        "pull",
        "push",
        "remote",
        "send-pack",
        "submodule-add",
    ]])
    .options(GIT_TRANSPORT),
    git(&[&["filter-branch"]]).options(
        "--setup$ --env-filter$ --tree-filter$ --index-filter$ \
        --parent-filter$ --msg-filter$ --commit-filter$ --tag-name-filter$ -d:",
    ),
    git(&[&["grep"]]).options("-O* --open-files-in-pager* -e: -f: -A: -B: -C: -m:"),
    git(&[&["instaweb"]]).options("-d$ --httpd$ -b$ --browser$ -m: -p: --port:"),
    git(&[&["rebase"]]).options("-x$ --exec$ -s: --strategy: -X: --onto:"),
    git(&[&["send-email"]]).options(
        "--smtp-server$ --sendmail-cmd$ --to-cmd$ --cc-cmd$ --header-cmd$ --to: --cc: --bcc: --from: --subject:",
    ),
    row(&["git"])
        .path(&[&["submodule"], &["foreach"]])
        .options("-q --quiet --recursive")
        .globals("-q --quiet --cached")
        .runs(Runs::Joined)
        .because(EXEC),
];

/// A program of whose options only the listed ones matter.
const fn side(names: &'static [&'static str]) -> Wrapper {
    row(names).lenient().only_options().because(EXEC)
}

/// A git subcommand of whose options only the listed ones matter.
const fn git(path: &'static [&'static [&'static str]]) -> Wrapper {
    row(&["git"]).path(path).lenient().only_options().because(CONFIG)
}
