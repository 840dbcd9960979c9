//! Programs that tell about the system, the shell or themselves.

use super::Operands::{
    DateFormat, Names, Nothing, Number, OneOf, Read, ReadThenText, Special, Text, Words,
};
use super::Special::{Command, Ip, Printf, Ps, Subcommands, Test, Xargs};
use super::{Row, git};

/// Without the global options that choose a daemon (`-H`, `--context`, `--url`).
const DOCKER: &[Row] = &[
    Row::tells("images", "af:q", "all digests filter: format: no-trunc quiet tree help", Text)
        .limit(1),
    Row::tells("inspect", "f:s", "format: size type: help", Text),
    Row::tells("logs", "fn:t", "details follow since: tail: timestamps until: help", Text).limit(1),
    Row::tells(
        "ps",
        "af:ln:qs",
        "all filter: format: last: latest no-trunc quiet size help",
        Nothing,
    ),
];

pub(super) const ROWS: &[Row] = &[
    Row::tells(":", "", "", Words),
    Row::tells("[", "", "", Special(Test)),
    Row::tells("arch", "", "help version", Nothing),
    Row::tells("cal", "13A:B:hjm:nsSwyY", "one three span months: sunday monday julian week? year twelve reform: color? columns: iso help version", Text).limit(3),
    Row::tells("command", "", "", Special(Command)),
    // -s sets the clock, and so does an operand that is no format.
    Row::reads("date", "d:f<I?Rr<u", "date: debug file< iso-8601? rfc-2822 rfc-3339: rfc-email reference< resolution utc universal uct help version", DateFormat),
    Row::tells("df", "aB:hHiklPTt:vx:", "all block-size: human-readable si inodes local no-sync output? portability sync total type: print-type exclude-type: help version", Read).globs(),
    Row::tells("docker", "", "", Special(Subcommands(DOCKER))),
    Row::tells("false", "", "", Words),
    Row::tells("free", "bkmghlLtvwc:s:", "bytes kilo mega giga tera peta kibi mebi gibi tebi pebi human si lohi line total wide count: seconds: committed help version", Nothing),
    Row::reads("git", "", "", Special(Subcommands(git::ROWS))),
    Row::tells("groups", "", "help version", Text),
    Row::tells("help", "dms", "", Text),
    Row::tells("history", "w>a>r^n^", "", Number),
    // An operand or -F would set the name.
    Row::tells("hostname", "aAdfiIsyV", "alias all-fqdns all-ip-addresses domain fqdn long ip-address short yp nis help version", Nothing),
    Row::tells("id", "agGnruzZ", "context group groups name real user zero help version", Text),
    // One operand names an interface; a second would change it.
    Row::tells("ifconfig", "asv", "", Text).limit(1),
    Row::tells("ip", "", "", Special(Ip)),
    Row::tells("locale", "ackmv", "all-locales charmaps category-name keyword-name verbose help version", Text),
    // -D writes a cache of devices.
    Row::tells("lsof", "abc:Cd:hi?lnNOp:PRtu:UvwX", "", Read),
    // -P, -H, -T, -t, -p, -l and -C run a pager, a browser, a formatter or read another configuration.
    Row::tells("man", "aDfiIkKs:S:wWe:L:", "all apropos whatis where where-cat path location location-cat ignore-case match-case regex wildcard names-only sections: extension: locale: help version", Names),
    Row::tells("netstat", "46aceFgilMnNoprsStuUvwWxZ", "all continuous extend fib groups interfaces listening masquerade numeric numeric-hosts numeric-ports numeric-users program route statistics symbolic \
        tcp timers udp raw unix verbose wide help version", Nothing),
    Row::tells("node", "v", "version", ReadThenText).limit(0).needs("v version").opaque(),
    Row::tells("nproc", "", "all ignore: help version", Nothing),
    Row::tells("pgrep", "acd:fg:G:ilLnoP:s:t:u:U:vwx", "count delimiter: full pgroup: group: ignore-case list-full list-name newest oldest parent: session: terminal: euid: uid: inverse lightweight exact older: runstates: help version", Text).limit(1),
    Row::tells("printf", "", "", Special(Printf)).globs(),
    Row::tells("ps", "", "", Special(Ps)),
    Row::tells("python", "", "version", ReadThenText).limit(0).needs("version").opaque(),
    Row::tells("python3", "", "version", ReadThenText).limit(0).needs("version").opaque(),
    Row::tells("sleep", "", "help version", Text),
    // -K closes connections, -D and -F take files, -N enters a namespace.
    Row::tells("ss", "046abeEf:HhilmMnoOpPQrsStTuvVwxZ", "numeric resolve all listening options extended memory processes threads info tos cgroup tipcinfo summary bpf events context contexts ipv4 ipv6 packet tcp mptcp sctp udp dccp raw unix tipc vsock xdp \
        inet-sockopt family: socket: query: oneline no-header help version", Text),
    Row::tells("test", "", "", Special(Test)),
    // Other capabilities (`init`, `reset`) can run the program a terminal description names.
    Row::tells("tput", "", "", OneOf("bold colors cols cup dim lines longname rev rmso rmul setab setaf sgr0 smso smul")),
    Row::tells("true", "", "", Words),
    Row::acts("tty", "s", "silent quiet help version", Nothing).unjudged(),
    Row::tells("type", "afpPt", "", Text),
    Row::tells("uname", "aimnoprsv", "all kernel-name nodename kernel-release kernel-version machine processor hardware-platform operating-system help version", Nothing),
    Row::tells("uptime", "cprs", "container pretty since raw help version", Nothing),
    Row::tells("which", "asi", "all read-alias read-functions skip-alias skip-functions skip-dot skip-tilde show-dot show-tilde tty-only help version", Text),
    Row::tells("whoami", "", "help version", Nothing),
    Row::tells("xargs", "0a^n:P:L:rs:tx", "null arg-file^ max-args: max-procs: max-lines? no-run-if-empty max-chars: verbose exit", Special(Xargs)),
];
