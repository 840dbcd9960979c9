//! Path patterns mean what git says gitignore patterns mean.
//!
//! Each pattern gets a directory of its own in one repository, so that thousands of pairs cost one
//! run of git.

#![expect(clippy::unwrap_used, clippy::indexing_slicing, reason = "helpers of a test may panic")]

use portcullis_model::{AbsPath, RuleClass};
use portcullis_rules::{Anchors, PathPattern};
use std::fs::{File, create_dir};
use std::io::Write;
use std::path::Path;
use std::process::{Command, Stdio};

const PATTERNS: usize = 1500;
const PATHS: usize = 12;

#[test]
fn path_patterns_agree_with_git() {
    if Command::new("git").arg("--version").output().is_err() {
        println!("skipped: git is not installed");
        return;
    }
    let mut random = Random(0x9e37_79b9_7f4a_7c15);
    let mut cases = Vec::new();
    for number in 0..PATTERNS {
        let pattern = random.pattern();
        let paths: Vec<String> = (0..PATHS).map(|_| random.path()).collect();
        cases.push((number, pattern, paths));
    }
    for (pattern, path) in FIXED {
        cases.push((cases.len(), (*pattern).to_owned(), vec![(*path).to_owned()]));
    }
    let ignored = ask_git(&cases);
    let mut matched = 0;
    for (number, pattern, paths) in &cases {
        let start = AbsPath::parse(&format!("/{number}")).unwrap();
        let anchors =
            Anchors { source_root: start.clone(), start: start.clone(), home: AbsPath::root() };
        for path in paths {
            let want = ignored.contains(&format!("{number}/{path}"));
            let absolute = start.join(path).unwrap();
            for class in [RuleClass::Allow, RuleClass::Deny] {
                let got = match PathPattern::parse(pattern, class) {
                    Ok(parsed) => {
                        let matcher = parsed.anchored(&anchors);
                        let accepts = |m: &portcullis_rules::PathMatcher| {
                            m.automaton().accepts(absolute.as_str().as_bytes())
                        };
                        if class == RuleClass::Allow {
                            assert_eq!(
                                accepts(&matcher),
                                matcher.matches(&absolute),
                                "{pattern} {path}"
                            );
                        } else {
                            let folded = matcher.matches_folded(&absolute);
                            assert_eq!(accepts(&matcher), folded, "folded {pattern} {path}");
                            assert!(folded || !matcher.matches(&absolute), "{pattern} {path}");
                        }
                        assert!(!matcher.matches(&absolute) || matcher.may_match_below(&start));
                        matcher.matches(&absolute)
                    }
                    Err(_) => false,
                };
                assert_eq!(got, want, "{class:?} pattern {pattern:?} path {path:?}");
            }
            matched += usize::from(want);
        }
    }
    // A generator whose patterns never match would prove nothing.
    assert!(matched > PATTERNS, "only {matched} pairs match");
}

/// Pairs worth having in every run.
const FIXED: &[(&str, &str)] = &[
    ("a", "x/a/y"),
    ("/a", "x/a"),
    ("a/b", "x/a/b"),
    ("**/a/b", "x/a/b"),
    ("a/**/b", "a/b"),
    ("a/**/b", "a/x/y/b"),
    ("**a", "x/ba"),
    ("a/**b", "a/x/b"),
    ("[!a]", "b"),
    ("[]a]", "]"),
    ("[a-]", "-"),
    ("[\\]]", "]"),
    ("[[:digit:]x]", "7"),
    ("[[:nope:]]", "n"),
    ("[a", "[a"),
    ("a\\", "a"),
    ("a ", "a"),
    ("a\\ ", "a "),
    ("\\!a", "!a"),
    ("\\#a", "#a"),
    ("!a", "a"),
    ("#a", "#a"),
    ("a[b/c]d", "abd"),
    ("a[/]d", "a/d"),
    ("***", "a/b"),
    ("a/***/b", "a/x/b"),
    ("{a,b}", "a"),
];

/// The `<directory>/<path>` that git ignores.
fn ask_git(cases: &[(usize, String, Vec<String>)]) -> std::collections::BTreeSet<String> {
    let repository = tempfile::tempdir().unwrap();
    let git = |arguments: &[&str]| {
        let mut command = Command::new("git");
        command.current_dir(repository.path()).args(["-c", "core.ignoreCase=false"]);
        command.args(["-c", "core.excludesFile=/dev/null"]).args(arguments);
        command.env("GIT_CONFIG_GLOBAL", "/dev/null").env("GIT_CONFIG_SYSTEM", "/dev/null");
        command
    };
    assert!(git(&["init", "-q"]).status().unwrap().success());
    let mut questions = Vec::new();
    for (number, pattern, paths) in cases {
        let directory = repository.path().join(number.to_string());
        create_dir(&directory).unwrap();
        write(&directory.join(".gitignore"), &git_pattern(pattern));
        for path in paths {
            questions.extend(format!("{number}/{path}").bytes());
            questions.push(0);
        }
    }
    let mut child = git(&["check-ignore", "--no-index", "-z", "--stdin"])
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .spawn()
        .unwrap();
    let mut input = child.stdin.take().unwrap();
    let writer = std::thread::scope(|scope| {
        scope.spawn(move || input.write_all(&questions).unwrap());
        child.wait_with_output().unwrap()
    });
    let text = String::from_utf8(writer.stdout).unwrap();
    text.split('\0').filter(|path| !path.is_empty()).map(str::to_owned).collect()
}

/// How git spells what our pattern means: a trailing slash or `/**` adds nothing to a rule, which
/// covers a directory with all below it, but keeps the pattern at its anchor.
fn git_pattern(pattern: &str) -> String {
    let pattern = match pattern.strip_suffix(' ') {
        Some(before) if !before.ends_with('\\') => before,
        _ => pattern,
    };
    let trimmed = pattern.trim_end_matches('/');
    let mut base = trimmed;
    while let Some(shorter) = base.strip_suffix("/**") {
        base = shorter.trim_end_matches('/');
    }
    let anchor = if base.len() < trimmed.len() && !base.starts_with('/') { "/" } else { "" };
    if base.is_empty() { "*\n".to_owned() } else { format!("{anchor}{base}\n") }
}

fn write(path: &Path, text: &str) {
    File::create(path).unwrap().write_all(text.as_bytes()).unwrap();
}

/// A small generator with a fixed seed (xorshift64).
struct Random(u64);

impl Random {
    fn below(&mut self, limit: usize) -> usize {
        self.0 ^= self.0 << 13;
        self.0 ^= self.0 >> 7;
        self.0 ^= self.0 << 17;
        usize::try_from(self.0 % limit as u64).unwrap()
    }

    fn pick<'a>(&mut self, choices: &[&'a str]) -> &'a str {
        choices[self.below(choices.len())]
    }

    fn pattern(&mut self) -> String {
        let mut pattern = String::new();
        if self.below(5) == 0 {
            pattern.push('/');
        }
        let segments = 1 + self.below(3);
        for index in 0..segments {
            if index > 0 {
                pattern.push('/');
            }
            if self.below(5) == 0 {
                // One segment and `/**` is ours, not git's: see `strip_below` and its own test.
                pattern.push_str(if index + 1 == segments && index < 2 { "*" } else { "**" });
                continue;
            }
            let mut segment = String::new();
            for _ in 0..=self.below(2) {
                segment.push_str(self.pick(&[
                    "a",
                    "b",
                    "c",
                    "ab",
                    "*",
                    "?",
                    "[ab]",
                    "[!a]",
                    "[a-c]",
                    "[^b-c]",
                    "\\*",
                    "\\b",
                    "[[:alpha:]]",
                    "[]-a]",
                    "[a\\]]",
                    "*c",
                    "a*",
                    "-",
                    "x.y",
                    "a**",
                    "[*]",
                    "\\\\",
                    "[a",
                    "A",
                    "[A-B]",
                ]));
            }
            // git 2.47 cuts the literal start off before it looks for `**/`, and so reads `a**/b` as
            // `a` and any depth. Its manual says such stars are ordinary ones; so do we.
            let ordinary = segment.trim_end_matches('*');
            if !ordinary.is_empty() && segment.ends_with("**") {
                segment.truncate(ordinary.len() + 1);
            }
            pattern.push_str(&segment);
        }
        if self.below(6) == 0 {
            pattern.push('/');
        }
        if !pattern.ends_with('\\') && self.below(12) == 0 {
            pattern.push(' ');
        }
        pattern
    }

    fn path(&mut self) -> String {
        let mut path = String::new();
        for index in 0..=self.below(3) {
            if index > 0 {
                path.push('/');
            }
            path.push_str(self.pick(&[
                "a", "b", "c", "ab", "abc", "ac", "*", "-", "x.y", "]", "a b", "aab", "A", "B",
                "bb", "\\", "\\b", "[a", "a*",
            ]));
        }
        path
    }
}
