//! Every diagnostic of a rule: code, place, words, and what it means for calls.

use portcullis_model::RuleClass::{self, Allow, Ask, Deny};
use portcullis_rules::{Rule, Specifier};

/// What a broken rule makes of calls.
#[derive(Debug, PartialEq, Eq)]
enum Reach {
    /// In deny and ask, calls of this tool ask.
    Tool(&'static str),
    /// In deny and ask, every call asks.
    Everything,
    /// The rule is skipped.
    Ignored,
}
use Reach::{Everything, Ignored, Tool};

type ErrorCase = (
    &'static str,
    &'static [RuleClass],
    &'static str,
    &'static str,
    &'static str,
    &'static str,
    Reach,
);

#[test]
fn errors() {
    for (text, classes, code, place, message, hint, reach) in ERRORS {
        for class in *classes {
            let error = Rule::parse(text, *class).expect_err(text);
            assert_eq!(error.code, *code, "{text}");
            assert_eq!(error.span.of(text), *place, "{text}");
            assert_eq!(error.message, *message, "{text}");
            assert_eq!(error.to_string(), *message, "{text}");
            assert_eq!(error.hint, *hint, "{text}");
            let got = match error.tool.as_deref() {
                _ if error.ignored => *reach == Ignored,
                Some(tool) => matches!(reach, Tool(want) if *want == tool),
                None => *reach == Everything,
            };
            assert!(got, "{text} {class:?}: {error:?}");
        }
    }
}

type WarningCase =
    (&'static str, &'static [RuleClass], &'static str, &'static str, &'static str, &'static str);

#[test]
fn warnings() {
    for (text, classes, code, place, message, hint) in WARNINGS {
        for class in *classes {
            let rule = Rule::parse(text, *class).expect(text);
            let [warning] = rule.warnings() else { panic!("{text}: {:?}", rule.warnings()) };
            assert_eq!(warning.code, *code, "{text}");
            assert_eq!(warning.span.of(text), *place, "{text}");
            assert_eq!(warning.message, *message, "{text}");
            assert_eq!(warning.hint, *hint, "{text}");
            let nothing = matches!(rule.specifier(), Specifier::Nothing);
            let says_so = code == &"rule-matches-nothing" && !text.starts_with("mcp__");
            assert_eq!(nothing, says_so, "{text}");
        }
    }
}

#[test]
fn good_rules_have_nothing_to_say() {
    for (text, classes) in GOOD {
        for class in *classes {
            let rule = Rule::parse(text, *class).expect(text);
            assert_eq!(rule.warnings(), [], "{text}");
        }
    }
}

const ALL: &[RuleClass] = &[Allow, Ask, Deny];
const STRICT: &[RuleClass] = &[Ask, Deny];

const WRITE: &str = "write `Tool` or `Tool(specifier)`";
const BACKSLASH: &str = "write `\\[` or `\\\\` for the character itself";
const FIELDS: &str =
    "the fields are `dangerouslyDisableSandbox`, `description`, `run_in_background`, `timeout`";
const STRICT_ONLY: &str = "parameters work in deny and ask rules only";
const LITERAL_SERVER: &str = "allow rules take stars in tool names only after `mcp__<server>__`";
const NO_TOOL: &str = "check the name of the tool; it is harmless if a host provides it";

const ERRORS: &[ErrorCase] = &[
    (
        "",
        ALL,
        "rule-empty",
        "",
        "the rule is empty",
        "write `Tool` or `Tool(specifier)`, or remove it",
        Everything,
    ),
    (
        "  ",
        ALL,
        "rule-empty",
        "",
        "the rule is empty",
        "write `Tool` or `Tool(specifier)`, or remove it",
        Everything,
    ),
    ("(ls)", ALL, "rule-tool-name", "", "the tool name is missing", WRITE, Everything),
    ("Ba sh(ls)", ALL, "rule-tool-name", "Ba sh", "`Ba sh` is not a tool name", WRITE, Everything),
    ("Bash)", ALL, "rule-tool-name", "Bash)", "`Bash)` is not a tool name", WRITE, Everything),
    (
        "Bash(foo bar",
        ALL,
        "rule-unbalanced",
        "(",
        "the parenthesis is never closed",
        "end the rule with `)`",
        Tool("Bash"),
    ),
    (
        "Bash(foo\\)",
        ALL,
        "rule-unbalanced",
        "(",
        "the parenthesis is never closed",
        "end the rule with `)`",
        Tool("Bash"),
    ),
    (
        "Bash(ls) x",
        ALL,
        "rule-unbalanced",
        " x",
        "text follows the closing parenthesis",
        "end the rule with its last `)`",
        Tool("Bash"),
    ),
    (
        "Bash()",
        ALL,
        "rule-empty-specifier",
        "()",
        "the parentheses are empty, so the rule matches nothing",
        "write `Bash` for every call, or say which",
        Tool("Bash"),
    ),
    (
        "Read( )",
        ALL,
        "rule-empty-specifier",
        "( )",
        "the parentheses are empty, so the rule matches nothing",
        "write `Read` for every call, or say which",
        Tool("Read"),
    ),
    (
        "*",
        &[Allow],
        "rule-allow-glob",
        "*",
        "`*` is too wide for an allow rule",
        LITERAL_SERVER,
        Ignored,
    ),
    (
        "Bash*",
        &[Allow],
        "rule-allow-glob",
        "Bash*",
        "`Bash*` is too wide for an allow rule",
        LITERAL_SERVER,
        Ignored,
    ),
    (
        "mcp__*__get",
        &[Allow],
        "rule-allow-glob",
        "mcp__*__get",
        "`mcp__*__get` is too wide for an allow rule",
        LITERAL_SERVER,
        Ignored,
    ),
    (
        "mcp__git*",
        &[Allow],
        "rule-allow-glob",
        "mcp__git*",
        "`mcp__git*` is too wide for an allow rule",
        LITERAL_SERVER,
        Ignored,
    ),
    (
        "Bash(command:make x)",
        ALL,
        "rule-content-field",
        "command:make x",
        "`command` is what `Bash` rules match anyway, so this rule has no effect",
        "write `Bash(make x)`",
        Ignored,
    ),
    (
        "Read(file_path:*)",
        ALL,
        "rule-content-field",
        "file_path:*",
        "`file_path` is what `Read` rules match anyway, so this rule has no effect",
        "write `Read`",
        Ignored,
    ),
    (
        "Grep(path:src)",
        ALL,
        "rule-content-field",
        "path:src",
        "`path` is what `Grep` rules match anyway, so this rule has no effect",
        "write `Read(src)`",
        Ignored,
    ),
    (
        "NotebookEdit(notebook_path:a)",
        ALL,
        "rule-content-field",
        "notebook_path:a",
        "`notebook_path` is what `NotebookEdit` rules match anyway, so this rule has no effect",
        "write `Edit(a)`",
        Ignored,
    ),
    (
        "WebFetch(url:*)",
        ALL,
        "rule-content-field",
        "url:*",
        "`url` is what `WebFetch` rules match anyway, so this rule has no effect",
        "write `WebFetch(domain:<host>)`",
        Ignored,
    ),
    (
        "Bash(timeout:5)",
        &[Allow],
        "rule-parameter-in-allow",
        "timeout:5",
        "an allow rule cannot look at the input field `timeout`",
        STRICT_ONLY,
        Ignored,
    ),
    (
        "Agent(model:opus)",
        &[Allow],
        "rule-parameter-in-allow",
        "model:opus",
        "an allow rule cannot look at the input field `model`",
        STRICT_ONLY,
        Ignored,
    ),
    (
        "mcp__git(a:1)",
        &[Allow],
        "rule-parameter-in-allow",
        "a:1",
        "an allow rule cannot look at the input field `a`",
        STRICT_ONLY,
        Ignored,
    ),
    (
        "mcp__git(*)",
        &[Allow],
        "rule-no-specifier",
        "*",
        "rules of MCP tools take no specifier",
        "write `mcp__git`, or a parameter as `field:value` in deny and ask",
        Tool("mcp__git"),
    ),
    (
        "mcp__git__push(x)",
        ALL,
        "rule-no-specifier",
        "x",
        "rules of MCP tools take no specifier",
        "write `mcp__git__push`, or a parameter as `field:value` in deny and ask",
        Tool("mcp__git__push"),
    ),
    (
        "WebSearch(x)",
        ALL,
        "rule-no-specifier",
        "x",
        "rules of `WebSearch` take no specifier",
        "write `WebSearch`, or a parameter as `field:value` in deny and ask",
        Tool("WebSearch"),
    ),
    (
        "*(ls)",
        STRICT,
        "rule-no-specifier",
        "ls",
        "rules of `*` take no specifier",
        "write `*`, or a parameter as `field:value` in deny and ask",
        Tool("*"),
    ),
    (
        "bash(ls)",
        ALL,
        "rule-unknown-tool",
        "bash",
        "there is no built-in tool `bash`",
        "did you mean `Bash`? names are case-sensitive",
        Tool("bash"),
    ),
    (
        "Read([a)",
        ALL,
        "rule-path",
        "[a",
        "the pattern cannot match: a `[` is never closed",
        BACKSLASH,
        Tool("Read"),
    ),
    (
        "Read([[:nope:]])",
        ALL,
        "rule-path",
        "[[:nope:]]",
        "the pattern cannot match: it names an unknown character class",
        BACKSLASH,
        Tool("Read"),
    ),
    (
        "Edit(a\\\\)",
        ALL,
        "rule-path",
        "a\\\\",
        "the pattern cannot match: it ends in a backslash",
        BACKSLASH,
        Tool("Edit"),
    ),
    (
        "WebFetch(domain:https://example.com/p)",
        &[Allow],
        "rule-domain",
        "domain:https://example.com/p",
        "`https://example.com/p` is not a host: it has a scheme",
        "write `WebFetch(domain:example.com)`",
        Tool("WebFetch"),
    ),
    (
        "WebFetch(domain:example.com:8443)",
        &[Allow],
        "rule-domain",
        "domain:example.com:8443",
        "`example.com:8443` is not a host: it has a port",
        "write `WebFetch(domain:example.com)`",
        Tool("WebFetch"),
    ),
    (
        "WebFetch(example.com)",
        &[Allow],
        "rule-domain",
        "example.com",
        "`example.com` does not say what it matches",
        "write `WebFetch(domain:example.com)`",
        Tool("WebFetch"),
    ),
    (
        "WebFetch(domain:ex!ample)",
        ALL,
        "rule-domain",
        "domain:ex!ample",
        "`ex!ample` is not a host: only letters, digits, `-`, `_`, `.` and `*` can stand in it",
        "write `WebFetch(domain:<host>)`",
        Tool("WebFetch"),
    ),
];

const WARNINGS: &[WarningCase] = &[
    (
        "Bsah",
        STRICT,
        "rule-unknown-tool",
        "Bsah",
        "there is no built-in tool `Bsah`",
        "did you mean `Bash`? names are case-sensitive",
    ),
    (
        "Frobnicate",
        STRICT,
        "rule-unknown-tool",
        "Frobnicate",
        "there is no built-in tool `Frobnicate`",
        NO_TOOL,
    ),
    (
        "mcp__github__",
        ALL,
        "rule-matches-nothing",
        "mcp__github__",
        "`mcp__github__` names no tool, so the rule matches nothing",
        "write `mcp__github` for every tool of the server",
    ),
    (
        "Bash(:*)",
        ALL,
        "rule-matches-nothing",
        ":*",
        "there is no prefix before `:*`, so the rule matches nothing",
        "write `Bash` for every command",
    ),
    (
        "Bash(git:* push)",
        ALL,
        "rule-inner-prefix",
        "git:* push",
        "`:*` is literal text unless it ends the rule",
        "write ` *` for any arguments",
    ),
    (
        "Bash( make x )",
        &[Allow],
        "rule-outer-blanks",
        " make x ",
        "blanks around the command keep the rule from matching",
        "write `Bash(make x)`",
    ),
    (
        "Bash(a && b)",
        ALL,
        "rule-separators",
        "a && b",
        "a rule with separators matches only this whole command line",
        "write one rule for each command",
    ),
    (
        "Bash(nope:1)",
        STRICT,
        "rule-unknown-field",
        "nope:1",
        "`Bash` has no input field `nope`, so the rule matches nothing",
        FIELDS,
    ),
    (
        "Bash(timeot:1)",
        STRICT,
        "rule-unknown-field",
        "timeot:1",
        "`Bash` has no input field `timeot`, so the rule matches nothing",
        "did you mean `timeout`?",
    ),
    (
        "Write(src/**)",
        ALL,
        "rule-never-consulted",
        "src/**",
        "paths of `Write` are decided by `Edit` rules, so this rule has no effect",
        "write `Edit(src/**)`",
    ),
    (
        "Glob(src/**)",
        ALL,
        "rule-never-consulted",
        "src/**",
        "paths of `Glob` are decided by `Read` rules, so this rule has no effect",
        "write `Read(src/**)`",
    ),
    (
        "Read(*)",
        ALL,
        "rule-surprising-path",
        "*",
        "`Read(*)` is the same as `Read`: every call of the tool, wherever it points",
        "write `Read(**)` for everything below the start directory",
    ),
    (
        "Read(.)",
        ALL,
        "rule-matches-nothing",
        ".",
        "the pattern names no path, so the rule matches nothing",
        "write `**` for everything below the start directory",
    ),
    (
        "Read(/)",
        &[Allow],
        "rule-matches-nothing",
        "/",
        "the pattern names no path, so the rule matches nothing",
        "write `**` for everything below the start directory",
    ),
    (
        "Read(!src)",
        ALL,
        "rule-matches-nothing",
        "!src",
        "a leading `!` takes nothing back, so the rule matches nothing",
        "narrow the other rules, or write `\\!` for a file name",
    ),
    (
        "Read(# x)",
        ALL,
        "rule-matches-nothing",
        "# x",
        "a leading `#` starts a comment, so the rule matches nothing",
        "write `\\#` for a file name",
    ),
    (
        "Edit(../x)",
        ALL,
        "rule-matches-nothing",
        "../x",
        "`..` is never part of a path, so the rule matches nothing",
        "write the absolute path with `//`",
    ),
    (
        "Cd(../x)",
        ALL,
        "rule-matches-nothing",
        "../x",
        "`..` is never part of a path, so the rule matches nothing",
        "write the absolute path with `//`",
    ),
    (
        "Read( src)",
        ALL,
        "rule-surprising-path",
        " src",
        "the leading blank is part of the pattern",
        "remove the blank, or write `\\ ` if it is meant",
    ),
    (
        "Read(~root/x)",
        ALL,
        "rule-surprising-path",
        "~root/x",
        "`~root` is a file name here, not a home directory",
        "write `~/` for the home directory",
    ),
    (
        "Read($HOME/x)",
        ALL,
        "rule-surprising-path",
        "$HOME/x",
        "variables are not expanded in rules",
        "write `~/` for the home directory and `//` for absolute paths",
    ),
    (
        "WebFetch(domain:u@example.com)",
        STRICT,
        "rule-domain",
        "domain:u@example.com",
        "`u@example.com` is not a host: it has user information; the rule is read as its host",
        "write `WebFetch(domain:example.com)`",
    ),
    (
        "WebFetch(https://example.com/*)",
        STRICT,
        "rule-domain",
        "https://example.com/*",
        "`https://example.com/*` does not say what it matches; the rule is read as its host",
        "write `WebFetch(domain:example.com)`",
    ),
    (
        "WebFetch(domain:.example.com)",
        STRICT,
        "rule-domain",
        "domain:.example.com",
        "`.example.com` is not a host: a label is empty; the rule is read as its host",
        "write `WebFetch(domain:*.example.com)`",
    ),
];

const GOOD: &[(&str, &[RuleClass])] = &[
    ("Bash", ALL),
    (" Bash(npm run *) ", ALL),
    ("Bash(foo (bar))", ALL),
    ("Bash(foo \\(bar\\))", ALL),
    ("Bash(timeout:*)", STRICT),
    ("Bash(ls:*)", ALL),
    ("Read(limit:5)", STRICT),
    ("Read(a:b)", ALL),
    ("Agent(model:opus*)", STRICT),
    ("Agent(Explore)", ALL),
    ("Skill(plugin:deploy *)", ALL),
    ("Cd(~/src/**)", ALL),
    ("*(timeout:5000)", STRICT),
    ("mcp__git", ALL),
    ("mcp__git__*", ALL),
    ("mcp__git(a:1)", STRICT),
    ("mcp__git(*)", STRICT),
    ("my_tool", STRICT),
    ("B*", STRICT),
    ("Unknown", &[Allow]),
    ("WebFetch(domain:*.example.com)", ALL),
    ("WebSearch", ALL),
    ("Read(/)", STRICT),
    ("Read(./x)", ALL),
];
