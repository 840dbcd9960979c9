//! Programs the suite puts in front of bash instead of the real ones.

/// Real programs the ways need, linked where the machine has them.
pub const REAL: &[&str] = &[
    "awk", "base64", "bash", "cat", "chrt", "dash", "echo", "env", "false", "find", "flock", "git",
    "grep", "ionice", "kill", "ls", "make", "nice", "node", "nohup", "perl", "printf", "python3",
    "rev", "script", "sed", "setsid", "sh", "sleep", "split", "stdbuf", "tar", "taskset", "test",
    "timeout", "tr", "true", "xargs", "xxd",
];

/// Programs that are dangerous or seldom there, each as what it does with its arguments: options
/// that take a value (a pattern of `case`), words before the command, and how the command is run.
pub const STAND_INS: &[(&str, &str, usize, Start)] = &[
    ("sudo", "-u|-g", 0, Start::Words),
    ("doas", "-u", 0, Start::Words),
    ("su", "", 0, Start::Option),
    ("runuser", "-u", 0, Start::Option),
    ("gosu", "", 1, Start::Words),
    ("watch", "-n", 0, Start::Text),
    ("strace", "-o|-e", 0, Start::Words),
    ("ltrace", "-o|-e", 0, Start::Words),
    ("numactl", "-C|-N|-m", 0, Start::Words),
    ("unshare", "", 0, Start::Words),
    ("nsenter", "-t", 0, Start::Words),
    ("chroot", "", 1, Start::Words),
    ("setpriv", "", 0, Start::Words),
    ("unbuffer", "", 0, Start::Words),
    ("caffeinate", "", 0, Start::Words),
    ("fakeroot", "", 0, Start::Words),
    ("proot", "-r|-b", 0, Start::Words),
    ("busybox", "", 0, Start::Words),
    ("toybox", "", 0, Start::Words),
    ("entr", "", 0, Start::Words),
    ("systemd-run", "-p", 0, Start::Words),
    ("parallel", "", 0, Start::Inputs),
    ("npx", "", 0, Start::Words),
    ("pnpm", "", 1, Start::Words),
    ("yarn", "", 1, Start::Words),
    ("bunx", "", 0, Start::Words),
    ("uvx", "", 0, Start::Words),
    ("uv", "", 1, Start::Words),
    ("pipx", "", 1, Start::Words),
    ("poetry", "", 1, Start::Words),
    ("bundle", "", 1, Start::Words),
    ("direnv", "", 2, Start::Words),
    ("devbox", "", 1, Start::Words),
    ("mise", "", 1, Start::Words),
    ("nix", "", 0, Start::Option),
    ("docker", "-u|-v", 1, Start::Container),
    ("podman", "-u|-v", 1, Start::Container),
    ("kubectl", "-n|-c", 1, Start::Container),
    ("ssh", "-p|-i", 1, Start::Text),
];

/// How a stand-in starts the command among its arguments.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Start {
    /// The words after options and operands are the command.
    Words,
    /// They are joined and read by a shell.
    Text,
    /// The value of `-c` or `--command`, read by a shell, or else the words after `--`.
    Option,
    /// Options, one more operand, then `--` or not, then the words.
    Container,
    /// The words before `:::`, once for each word after it, read by a shell.
    Inputs,
}

/// The script of a stand-in.
pub fn script(valued: &str, operands: usize, start: Start) -> String {
    let valued = if valued.is_empty() { "-Valued" } else { valued };
    let options = format!(
        "while :; do case $1 in --) shift; break;; {valued}) shift 2;; -*) shift;; *=*) export \"$1\"; shift;; *) break;; esac; done\n"
    );
    let body = match start {
        Start::Words => format!("{options}shift {operands}\n{options}exec \"$@\"\n"),
        Start::Text => format!("{options}shift {operands}\nexec sh -c \"$*\"\n"),
        Start::Option => "\
            while [ $# -gt 0 ]; do case $1 in\n\
            -c) shift; if [ $# -gt 1 ]; then exec \"$@\"; else exec sh -c \"$1\"; fi;;\n\
            --command=*) exec sh -c \"${1#*=}\";;\n\
            --) shift; exec \"$@\";;\n\
            *) shift;;\n\
            esac; done\n"
            .to_owned(),
        Start::Container => format!("shift {operands}\n{options}shift\n{options}exec \"$@\"\n"),
        Start::Inputs => "\
            command=\n\
            while [ \"$1\" != ::: ]; do command=\"$command $1\"; shift; done\n\
            shift\n\
            for input; do case $command in\n\
            *'{}'*) sh -c \"${command%'{}'*}$input${command##*'{}'}\";;\n\
            *) sh -c \"$command $input\";;\n\
            esac; done\n"
            .to_owned(),
    };
    format!("#!/bin/sh\n{body}")
}
