//! Files that a program writes, moves or takes away without an output of its own saying so: options that
//! name a log or a report, and commands of many tools whose operands are changed.

/// Options whose value is a file that is written, whatever the program. As most tools agree on them.
pub(crate) const WRITTEN: &[&str] = &[
    "--alt-svc",
    "--cidfile",
    "--cpu-prof-name",
    "--data-file",
    "--emit",
    "--error-log",
    "--etag-save",
    "--export-asciidoc",
    "--export-csv",
    "--export-json",
    "--export-markdown",
    "--export-marks",
    "--heap-prof-name",
    "--html-report",
    "--iidfile",
    "--index-file",
    "--joblog",
    "--json-report-file",
    "--junit-xml",
    "--junitxml",
    "--libcurl",
    "--log",
    "--log-file",
    "--logfile",
    "--metadata-file",
    "--only-write-batch",
    "--outfile",
    "--output-document",
    "--output-file",
    "--outputfile",
    "--pidfile",
    "--record",
    "--redirect-warnings",
    "--report-file",
    "--resultlog",
    "--results-file",
    "--save-cookies",
    "--status-file",
    "--trace",
    "--trace-ascii",
    "--trace-event-file-pattern",
    "--write-batch",
    "--xml-report",
    "-aux-info",
    "-blockprofile",
    "-coverprofile",
    "-cpuprofile",
    "-keyout",
    "-lf",
    "-memprofile",
    "-mf",
    "-mutexprofile",
    "-out",
    "-trace",
    "-writerand",
    "output_document",
];

/// Flags with which formatters only tell what they would change.
pub(crate) const LOOKS: &[&str] =
    &["--check", "--check-only", "--diff", "--dry-run", "--list-different", "-check"];

/// What makes the operands of a command files that are changed.
#[derive(Debug)]
pub(crate) enum Changes {
    /// The command itself.
    Always,
    /// The same, unless a flag says that it [only looks](LOOKS).
    Formats,
    /// One of these flags.
    With(&'static [&'static str]),
    /// One of these subcommands: what follows it.
    After(&'static [&'static str]),
    /// The same, unless a flag says that it [only looks](LOOKS).
    FormatsAfter(&'static [&'static str]),
    /// One of these subcommands changes files below the current directory.
    Here(&'static [&'static str]),
    /// The value of one of these options.
    Value(&'static [&'static str]),
    /// Only the last operand.
    Last,
}

/// Programs by name.
pub(crate) const CHANGED: &[(&[&str], Changes)] = &[
    (&["7z", "7za", "7zr"], Changes::After(&["a", "d", "rn", "u"])),
    (&["autopep8", "black", "isort", "pyupgrade", "yapf"], Changes::Formats),
    (&["awk", "gawk"], Changes::With(&["-iinplace", "--include=inplace"])),
    (&["cargo", "go", "terraform", "tofu"], Changes::Here(&["fmt"])),
    (&["dotnet", "mix"], Changes::Here(&["format"])),
    (&["cmake"], Changes::After(&["-E"])),
    (&["deno", "dprint", "gofumpt"], Changes::FormatsAfter(&["fmt"])),
    (&["gcc", "cc", "g++", "c++", "clang", "clang++"], Changes::Value(&["-MF", "-o"])),
    (&["clang-format", "gofmt", "goimports", "shfmt"], Changes::With(&["-i", "-w"])),
    (&["eslint", "prettier", "stylelint", "biome"], Changes::With(&["--fix", "--write", "-w"])),
    (&["gio"], Changes::After(&["move", "remove", "rename", "trash"])),
    (&["git"], Changes::After(&["bundle", "checkout-index", "mv", "restore"])),
    (&["objcopy", "pdftotext", "ps2pdf", "qpdf", "strip"], Changes::Last),
    (&["pg_dump", "pg_dumpall", "ssh-keygen"], Changes::Value(&["-f"])),
    (
        &["python", "python3"],
        Changes::After(&[
            "-mblack",
            "-misort",
            "-mjson.tool",
            "-mtarfile",
            "-mzipfile",
            "black",
            "isort",
            "json.tool",
            "tarfile",
            "zipfile",
        ]),
    ),
    (&["rimraf", "trash", "trash-put", "del-cli"], Changes::Always),
    (&["rsync"], Changes::With(&["--remove-source-files", "--remove-sent-files"])),
    (
        &["rubocop", "standardrb"],
        Changes::With(&["-A", "-a", "--autocorrect", "--autocorrect-all"]),
    ),
    (&["ruff"], Changes::FormatsAfter(&["format"])),
    (&["ruff"], Changes::With(&["--fix", "--unsafe-fixes"])),
    (&["socat"], Changes::Always),
    (&["tar", "bsdtar"], Changes::With(&["--remove-files"])),
    (&["terraform", "tofu"], Changes::FormatsAfter(&["fmt"])),
    (&["tmux"], Changes::After(&["save-buffer", "saveb"])),
    (&["zip"], Changes::With(&["-m", "--move"])),
];
