//! Programs that read files and print.

use super::Operands::{
    InputThenOutput, Nothing, PatternThenRead, Read, ReadHere, Special, Text, Words,
};
use super::Row;
use super::Special::{Cd, Find, Jq, Sed};

const GREP_SHORT: &str = "EFGPe:f<ivwxycm:bHhnoqsTUzZuaA:B:C:d:D:IlLrR";
const GREP_LONG: &str = "extended-regexp fixed-strings basic-regexp perl-regexp regexp: file< ignore-case no-ignore-case \
    invert-match word-regexp line-regexp count color? colour? files-without-match files-with-matches max-count: \
    only-matching quiet silent no-messages byte-offset with-filename no-filename label: line-number initial-tab null \
    null-data after-context: before-context: context: text binary-files: devices: directories: exclude: exclude-from< \
    exclude-dir: include: recursive dereference-recursive line-buffered binary unix-byte-offsets help version";
const SUM_SHORT: &str = "bctwz";
const SUM_LONG: &str =
    "binary check tag text zero ignore-missing quiet status strict warn help version";

pub(super) const ROWS: &[Row] = &[
    Row::reads("b2sum", "bctwzl:", "binary check length: tag text zero ignore-missing quiet status strict warn help version", Read).globs(),
    Row::reads("base64", "diw:", "decode ignore-garbage wrap: help version", Read).limit(1),
    Row::tells("basename", "as:z", "multiple suffix: zero help version", Text).globs(),
    Row::reads("cat", "AbeEnstTuv", "show-all number-nonblank show-ends number squeeze-blank show-tabs show-nonprinting help version", Read).globs(),
    Row::reads("cd", "LPe", "", Special(Cd)).globs().limit(1),
    Row::reads("cksum", "a:bctwzl:", "algorithm: base64 binary check debug length: raw tag text untagged zero ignore-missing quiet status strict warn help version", Read).globs(),
    Row::reads("cmp", "bi:ln:s", "print-bytes ignore-initial: verbose bytes: quiet silent help version", Read).globs().limit(4),
    Row::reads("column", "c:C:dE:eH:iJlL?nN:o:O:p:r:R:s:S:tT:W:x", "columns: output-width: separator: table table-columns: table-columns-limit: table-hide: table-header-repeat table-maxout \
        table-name: table-noextreme: table-noheadings table-order: table-right: table-truncate: table-wrap: table-empty-lines fillrows json output-separator: keep-empty-lines help version", Read).globs(),
    Row::reads("comm", "123z", "check-order nocheck-order output-delimiter: total zero-terminated help version", Read).limit(2),
    Row::reads("cut", "b:c:d:f:nsz", "bytes: characters: delimiter: fields: complement only-delimited output-delimiter: zero-terminated help version", Read).globs(),
    // -l pipes through `pr`, so it is left out.
    Row::reads("diff", "abBcC:dD:eEF:hHiI:nNpqrsS:tTuU:vwW:x:X<yZ", "normal brief report-identical-files context? unified? ed rcs side-by-side width: \
        left-column suppress-common-lines show-c-function show-function-line: label: expand-tabs initial-tab tabsize: suppress-blank-empty recursive no-dereference \
        new-file unidirectional-new-file ignore-file-name-case no-ignore-file-name-case exclude: exclude-from< starting-file: from-file< to-file< ignore-case \
        ignore-tab-expansion ignore-trailing-space ignore-space-change ignore-all-space ignore-blank-lines ignore-matching-lines: text strip-trailing-cr ifdef: \
        minimal horizon-lines: speed-large-files color? palette: help version", Read).globs().numeric().recursive("r recursive"),
    Row::tells("dirname", "z", "zero help version", Text).globs(),
    Row::tells("du", "0aB:bcDd:hHklLmPsSt:xX<", "null all apparent-size block-size: bytes total dereference-args max-depth: human-readable inodes dereference no-dereference \
        separate-dirs si summarize threshold: time? time-style: exclude-from< exclude: one-file-system help version", Read).globs(),
    Row::tells("echo", "", "", Words).globs(),
    Row::reads("egrep", GREP_SHORT, GREP_LONG, PatternThenRead).globs().numeric().recursive("r R recursive dereference-recursive"),
    Row::reads("expand", "it:", "initial tabs: help version", Read).globs().numeric(),
    Row::tells("expr", "", "", Words).globs(),
    Row::reads("fgrep", GREP_SHORT, GREP_LONG, PatternThenRead).globs().numeric().recursive("r R recursive dereference-recursive"),
    // -m, -M and -f name files whose content shows in the output; -C writes; -z and -Z run decompressors.
    Row::reads("file", "bcdEe:F:hiklLNnprsv0", "brief checking-printout apple extension mime mime-type mime-encoding debug exclude: exclude-quiet: separator: dereference no-dereference \
        keep-going list no-buffer no-pad preserve-date print0 raw special-files help version", Read),
    Row::reads("find", "", "name: iname: path: ipath: wholename: iwholename: regex: iregex: regextype: lname: ilname: type: xtype: size: empty true false not o or a and print print0 printf: ls prune quit maxdepth: mindepth: depth d \
        xdev mount follow daystart noleaf warn nowarn ignore_readdir_race noignore_readdir_race readable writable executable perm: user: group: uid: gid: nouser nogroup links: inum: fstype: context: used: atime: ctime: mtime: amin: cmin: mmin: \
        newer< anewer< cnewer< samefile< newerat: newerct: newermt: newermm< neweram< newercm< help version delete! fls> fprint> fprint0> fprintf>", Special(Find)).one_dash(),
    Row::reads("fmt", "cg:p:stuw:", "crown-margin prefix: split-only tagged-paragraph uniform-spacing width: goal: help version", Read).globs().numeric(),
    Row::reads("fold", "bcsw:", "bytes characters spaces width: help version", Read).globs().numeric(),
    Row::reads("grep", GREP_SHORT, GREP_LONG, PatternThenRead).globs().numeric().recursive("r R recursive dereference-recursive"),
    Row::reads("head", "c:n:qvz", "bytes: lines: quiet silent verbose zero-terminated help version", Read).globs().numeric(),
    Row::reads("hexdump", "bcCde:f<n:os:vxX", "one-byte-octal one-byte-hex one-byte-char canonical two-bytes-decimal two-bytes-octal two-bytes-hex color? format: format-file< length: skip: no-squeezing help version", Read).globs(),
    Row::acts("join", "a:e:ij:o:t:v:1:2:z", "check-order nocheck-order header ignore-case zero-terminated help version", Read).limit(2),
    // -f, -L, --rawfile and --slurpfile read files the filter then shows.
    Row::reads("jq", "acCehjMnrRsSV", "null-input raw-input slurp compact-output raw-output raw-output0 join-output ascii-output sort-keys color-output monochrome-output tab indent: unbuffered \
        stream stream-errors seq exit-status arg; argjson; args jsonargs help version", Special(Jq)),
    Row::reads("ls", "aAbBcCdDfFgGhHiI:klLmnNopqQrRsStT:uUvw:xXZ1", "all almost-all author escape block-size: ignore-backups color? directory dired classify? file-type format: full-time \
        group-directories-first no-group human-readable si dereference-command-line dereference-command-line-symlink-to-dir hide: hyperlink? indicator-style: inode ignore: kibibytes \
        dereference numeric-uid-gid literal hide-control-chars show-control-chars quote-name quoting-style: reverse recursive size sort: time: time-style: tabsize: width: context zero help version", ReadHere).globs(),
    Row::reads("md5sum", SUM_SHORT, SUM_LONG, Read).globs(),
    Row::reads("nl", "b:d:f:h:i:l:n:ps:v:w:", "body-numbering: section-delimiter: footer-numbering: header-numbering: line-increment: join-blank-lines: number-format: no-renumber number-separator: starting-line-number: number-width: help version", Read).globs(),
    Row::tells("numfmt", "d:z", "debug delimiter: field: format: from: from-unit: grouping header? invalid: padding: round: suffix: to: to-unit: zero-terminated help version", Text).globs().numeric(),
    Row::reads("od", "aA:bBcdDeEfFhHiIj:lLN:oOsS?t:vw?xX", "address-radix: endian: skip-bytes: read-bytes: strings? format: output-duplicates width? traditional help version", Read).globs(),
    Row::reads("paste", "d:sz", "delimiters: serial zero-terminated help version", Read),
    Row::reads("pr", "acD:de?Ffh:i?Jl:mn?N:o:rs?S?tTvw:W:", "across show-control-chars double-space date-format: expand-tabs? form-feed header: output-tabs? join-lines length: merge number-lines? first-line-number: indent: no-file-warnings \
        separator? sep-string? omit-header omit-pagination show-nonprinting width: page-width: columns: pages: help version", Read).globs().numeric(),
    Row::tells("pwd", "LP", "logical physical help version", Nothing),
    Row::tells("readlink", "efmnqsvz", "canonicalize canonicalize-existing canonicalize-missing no-newline quiet silent verbose zero help version", Read).globs(),
    Row::tells("realpath", "eLmPqsz", "canonicalize-existing canonicalize-missing logical physical quiet relative-to: relative-base: strip no-symlinks zero help version", Read).globs(),
    Row::reads("rev", "0", "zero help version", Read).globs(),
    // Left out: --pre, --pre-glob, --hostname-bin and -z/--search-zip run programs; --files lists without a pattern.
    Row::reads("rg", "A:B:C:E:F.Ig:HLM:NPST:Uabcd:e:f<hij:lm:nopqr:st:uvwx0", "after-context: auto-hybrid-regex before-context: binary block-buffered byte-offset case-sensitive color: colors: column context: context-separator: count count-matches \
        crlf dfa-size-limit: encoding: engine: field-context-separator: field-match-separator: file< files-with-matches files-without-match fixed-strings follow glob: glob-case-insensitive heading help hidden iglob: ignore-case \
        ignore-file< ignore-file-case-insensitive include-zero invert-match json line-buffered line-number line-regexp max-columns: max-columns-preview max-count: max-depth: max-filesize: mmap multiline multiline-dotall no-config \
        no-filename no-heading no-hidden no-ignore no-ignore-dot no-ignore-exclude no-ignore-files no-ignore-global no-ignore-messages no-ignore-parent no-ignore-vcs no-json no-line-number no-messages no-mmap no-pcre2-unicode \
        no-require-git no-unicode null null-data one-file-system only-matching passthru path-separator: pcre2 pcre2-version pretty quiet regex-size-limit: regexp: replace: smart-case sort: sortr: stats stop-on-nonmatch text threads: \
        trim type: type-add: type-clear: type-list type-not: unrestricted version vimgrep with-filename word-regexp", PatternThenRead).recursive("*"),
    Row::reads("sed", "nEre:f<i?suzl:", "quiet silent regexp-extended expression: file< in-place? separate unbuffered null-data posix debug sandbox line-length: help version", Special(Sed)),
    Row::tells("seq", "f:s:w", "format: separator: equal-width help version", Text).numeric(),
    Row::reads("sha1sum", SUM_SHORT, SUM_LONG, Read).globs(),
    Row::reads("sha224sum", SUM_SHORT, SUM_LONG, Read).globs(),
    Row::reads("sha256sum", SUM_SHORT, SUM_LONG, Read).globs(),
    Row::reads("sha384sum", SUM_SHORT, SUM_LONG, Read).globs(),
    Row::reads("sha512sum", SUM_SHORT, SUM_LONG, Read).globs(),
    Row::reads("sort", "bcCdfghiMmnRrsuVzk:S:t:o>T>", "ignore-leading-blanks dictionary-order ignore-case general-numeric-sort ignore-nonprinting month-sort human-numeric-sort numeric-sort random-sort random-source< reverse sort: \
        version-sort batch-size: check? compress-program% debug key: merge output> stable buffer-size: field-separator: temporary-directory> parallel: unique zero-terminated help version", Read),
    Row::reads("stat", "Lfc:t", "dereference file-system cached: format: printf: terse help version", Read).globs(),
    // An operand that starts with @ names a file of more arguments.
    Row::reads("strings", "afn:t:oe:T:wsU:dGv", "all data print-file-name bytes: radix: encoding: target: include-all-whitespace output-separator: unicode: help version", Read).globs(),
    Row::reads("sum", "rs", "sysv help version", Read).globs(),
    Row::reads("tac", "brs:", "before regex separator: help version", Read).globs(),
    Row::reads("tail", "c:fFn:qs:vz", "bytes: follow? lines: max-unchanged-stats: pid: quiet silent retry sleep-interval: verbose zero-terminated help version", Read).globs().numeric(),
    Row::tells("tr", "cCdst", "complement delete squeeze-repeats truncate-set1 help version", Text),
    // `-Lo 2 x` is `-L 2 -o x`. -o writes, and so does -R, which makes it run itself with -o in every directory.
    Row::reads("tree", "acCdDfFghH:iI:JlL:nNo>pP:qQrsStT:uUvxX", "dirsfirst filelimit: noreport charset: du timefmt: prune si matchdirs ignore-case inodes device sort: gitignore metafirst help version", ReadHere).separate(),
    Row::reads("tsort", "", "help version", Read).globs().limit(1),
    Row::reads("unexpand", "at:", "all first-only tabs: help version", Read).globs().numeric(),
    // A second operand would be written.
    Row::reads("uniq", "cdDf:is:uw:z", "count repeated all-repeated? skip-fields: group? ignore-case skip-chars: unique zero-terminated check-chars: help version", InputThenOutput).limit(0),
    Row::reads("wc", "clLmw", "bytes chars lines max-line-length words total: help version", Read).globs(),
];
