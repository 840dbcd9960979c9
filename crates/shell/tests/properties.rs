//! What holds for every text.
#![expect(
    clippy::expect_used,
    clippy::disallowed_methods,
    unreachable_pub,
    reason = "a test may panic, read files and run bash"
)]

mod support;

use portcullis_model::Reason;
use portcullis_shell::{Options, Program, node_kinds, parse, print};
use proptest::prelude::*;
use std::fmt::Write as _;
use std::time::{Duration, Instant};
use support::generator::{Dice, program, soup, substituted};
use support::{both, corpus, own_cases, strict};

/// The tree without what depends on where things stand and how they are written.
fn shape(program: &Program) -> String {
    let mut out = String::new();
    let text = format!("{:#?}", program.script);
    let mut lines = text.lines();
    while let Some(line) = lines.next() {
        let field = line.trim();
        if field.starts_with("span: Span {") {
            // The three lines of a span.
            lines.by_ref().take(3).for_each(drop);
        } else if !["source: ", "words_source: ", "from_brace: ", "form: "]
            .iter()
            .any(|name| field.starts_with(name))
        {
            out.push_str(line);
            out.push('\n');
        }
    }
    out
}

#[test]
fn what_is_printed_reads_the_same() {
    let mut texts = corpus();
    texts.extend(own_cases());
    texts.extend((0..1_500).map(|seed| program(&mut Dice::new(seed))));
    texts.extend((0..1_500).map(|seed| soup(&mut Dice::new(seed))));
    let mut wrong = Vec::new();
    let mut checked = 0;
    for text in texts {
        let first = strict(&text);
        let braces = format!("{:?}", first.script).contains("from_brace: true");
        // A word that an empty substitution precedes is no assignment; printed alone it is. And a
        // lone dollar before a substitution can only be written with backquotes. Of an empty one as
        // an operand nothing is left to print.
        let vanishing =
            text.starts_with("` `") || text.contains("$`") || text.contains("${x:-$()}");
        if !first.obstacles.is_empty() || braces || vanishing {
            continue;
        }
        checked += 1;
        let printed = print(&first);
        let second = strict(&printed);
        if shape(&first) != shape(&second) || !second.obstacles.is_empty() {
            let (one, two) = (shape(&first), shape(&second));
            let differ = one.lines().zip(two.lines()).find(|(one, two)| one != two);
            wrong.push(format!(
                "{text:?}\n  printed {printed:?}\n  {differ:?} {:?}",
                second.obstacles
            ));
        }
    }
    assert!(checked > 500, "only {checked} programs were printed");
    assert!(wrong.is_empty(), "{} wrong\n{}", wrong.len(), wrong.join("\n"));
}

/// Where a backslash-newline may be put: not in quotes that keep it, comments, bodies that keep it,
/// and not after a backslash. Told by a scanner of its own, so that it is no echo of the reader.
fn may_continue(text: &str) -> Option<Vec<bool>> {
    // Texts with constructs that this scanner does not know are left out.
    if text.contains("<<") || text.contains('`') || text.contains("$'") || text.contains('#') {
        return None;
    }
    let mut places = Vec::new();
    let (mut single, mut double, mut escaped) = (false, false, false);
    for byte in text.bytes() {
        places.push(!single && !escaped);
        match byte {
            _ if escaped => escaped = false,
            b'\\' if !single => escaped = true,
            b'\'' if !double => single = !single,
            b'"' if !single => double = !double,
            _ => {}
        }
    }
    Some(places)
}

#[test]
fn a_continuation_anywhere_changes_nothing() {
    let mut wrong = Vec::new();
    // tree-sitter loses its way where a substitution inside `${…}` starts with a continuation. That is
    // refused, which is safe; it must stay as rare as it is.
    let mut refused = 0;
    let mut checked = 0;
    let texts = corpus().into_iter().chain(own_cases());
    for text in texts.filter(|text| text.len() < 200) {
        let Some(places) = may_continue(&text) else { continue };
        let whole = both(&text);
        // Double quotes inside `${…}` and `$(…)` need more than a flag.
        let nested = text.contains("'\"") || text.contains("\"'") || text.contains("${");
        if !whole.obstacles.is_empty() || (nested && text.contains('\'')) {
            continue;
        }
        for (at, _) in places.iter().enumerate().filter(|(_, may)| **may) {
            if !text.is_char_boundary(at) {
                continue;
            }
            let mut cut = text.clone();
            cut.insert_str(at, "\\\n");
            checked += 1;
            let program = both(&cut);
            let same_sources = sources(&program) == sources(&whole);
            let mut obstacles = program.obstacles.iter();
            if !program.obstacles.is_empty()
                && obstacles.all(|obstacle| obstacle.reason == Reason::ReaderDisagreement)
            {
                refused += 1;
                continue;
            }
            if shape(&program) != shape(&whole) || !program.obstacles.is_empty() || !same_sources {
                wrong.push(format!("{cut:?}: {:?}", program.obstacles));
            }
        }
    }
    assert!(checked > 2_000, "only {checked} places were tried");
    assert!(refused * 200 < checked, "{refused} of {checked} are refused");
    assert!(wrong.is_empty(), "{} wrong\n{}", wrong.len(), wrong.join("\n"));
}

fn sources(program: &Program) -> Vec<String> {
    struct Sources(Vec<String>);
    impl portcullis_shell::Visit for Sources {
        fn simple(&mut self, simple: &portcullis_shell::Simple) {
            let text = format!("{} / {}", simple.source, simple.words_source);
            // Text of nested substitutions is kept as written, continuations in it too.
            self.0.push(text.replace("\\\n", ""));
        }
    }
    let mut sources = Sources(Vec::new());
    portcullis_shell::walk(&program.script, &mut sources);
    sources.0
}

#[test]
fn sources_are_as_documented() {
    for (text, source, words) in [
        ("git  status", "git  status", "git  status"),
        ("x=1 git status >f 2>&1", "x=1 git status", "git status"),
        ("one >f x", "one x", "one x"),
        (">f one", "one", "one"),
        ("one\\\n two", "one two", "one two"),
        ("o\\\nne 'a\\\nb'", "one 'a\\\nb'", "one 'a\\\nb'"),
        ("x=1", "x=1", ""),
        ("one <<E x # c\nE\n", "one x", "one x"),
    ] {
        let program = both(text);
        assert!(program.obstacles.is_empty(), "{text}: {:?}", program.obstacles);
        assert_eq!(
            sources(&program),
            [format!("{source} / {words}").replace("\\\n", "")],
            "{text}"
        );
    }
}

/// What the second reader's grammar makes of the corpus. A change here is a change of what is
/// allowed: read every line of it.
#[test]
fn the_second_reader_reads_as_before() {
    let mut dump = String::new();
    for text in corpus().into_iter().filter(|text| text.len() < 400) {
        writeln!(dump, "{text:?}\n  {}", node_kinds(&text).join(" ")).expect("a string grows");
    }
    let path = concat!(env!("CARGO_MANIFEST_DIR"), "/tests/golden/second_reader.txt");
    let golden = std::fs::read_to_string(path).unwrap_or_default();
    if golden != dump {
        let fresh = std::env::temp_dir().join("portcullis-second-reader.txt");
        std::fs::write(&fresh, dump).expect("the fresh dump can be written");
        panic!("the grammar reads differently: compare {path} with {}", fresh.display());
    }
}

#[test]
fn hostile_texts_take_no_longer_than_long_ones() {
    let whole = 9_990;
    let texts = [
        ("nested substitutions", "$(".repeat(whole / 2)),
        ("nested groups", "{ ".repeat(whole / 2)),
        ("nested conditions", "if ".repeat(whole / 3)),
        ("nested subshells", "(".repeat(whole)),
        ("nested subshells that close", format!("{}a{}", "( ".repeat(60), ")".repeat(60))),
        ("double parentheses", "((a) ".repeat(whole / 5)),
        ("double parentheses in substitutions", "$((a) ".repeat(whole / 6)),
        ("arithmetic lines", "((\n".repeat(whole / 3)),
        ("negated tests", format!("[[ a {}]]", "&& ! ".repeat(whole / 5))),
        ("backquotes", "`\\`\\\\`\\\\\\`".repeat(whole / 12)),
        ("escaped backquotes", format!("`{}`", "\\".repeat(whole - 10))),
        ("braces", "{".repeat(whole)),
        ("pairs of braces", "{a,b}".repeat(whole / 5)),
        ("open braces", "{a,".repeat(whole / 3)),
        ("sequences", "{1..9}".repeat(whole / 6)),
        ("expansions", "${x:-".repeat(whole / 5)),
        ("quoted expansions", "\"${x:-".repeat(whole / 6)),
        ("arrays", "x=(".repeat(whole / 3)),
        ("brackets", "[".repeat(whole)),
        ("subscripts", "a[".repeat(whole / 2)),
        ("here-documents", "<<E ".repeat(whole / 4)),
        ("here-document lines", "a <<E\n".repeat(whole / 6)),
        ("redirects", "< ".repeat(whole / 2)),
        ("pipes", "a|".repeat(whole / 2)),
        ("a long pipeline", format!("{}a", "a b | ".repeat(whole / 6))),
        ("a long pipeline with substitutions", format!("{}a", "a `b`|".repeat(whole / 6))),
        ("semicolons", ";".repeat(whole)),
        ("errors", ")\n".repeat(whole / 2)),
        ("quotes", "'".repeat(whole)),
        ("open quotes by line", "'\n\"\n".repeat(whole / 4)),
        ("loops", "for ((".repeat(whole / 6)),
        ("cases", "case x in x) ".repeat(whole / 13)),
        ("continuations", "\\\n".repeat(whole / 2)),
        ("words with continuations", "a\\\n".repeat(whole / 3)),
        ("bangs", "! ".repeat(whole / 2)),
        ("extended globs", "@(".repeat(whole / 2)),
        ("many words", "a ".repeat(whole / 2)),
        ("a long word", "a".repeat(whole)),
        ("tildes", "~:".repeat(whole / 2)),
        ("process substitutions", "<(".repeat(whole / 2)),
        ("names in arithmetic", "((i))\n".repeat(whole / 6)),
        ("one assignment after another", "i=0; ((i));".repeat(whole / 11)),
    ];
    let mut slow = Vec::new();
    for (name, text) in texts {
        let start = Instant::now();
        let program = both(&text);
        let took = start.elapsed();
        // Far above what any takes, so that a busy machine does not matter; a quadratic or worse
        // reader is seconds away.
        if took > Duration::from_secs(1) {
            slow.push(format!("{name}: {took:?}, {} obstacles", program.obstacles.len()));
        }
    }
    assert!(slow.is_empty(), "{}", slow.join("\n"));
}

#[test]
fn limits_are_reasons() {
    let long = format!("one {}", "x".repeat(20_000));
    let nest = |open: &str, inner: &str, close: &str, levels: usize| {
        format!("{}{inner}{}", open.repeat(levels), close.repeat(levels))
    };
    for (text, reason) in [
        (long, "too-long"),
        (nest("$(", "one", ")", 70), "too-deep"),
        (nest("(", "one", ")", 70), "too-deep"),
        (format!("x=$(({}))", nest("(", "1", ")", 70)), "too-deep"),
        (format!("x=$[{}]", nest("(", "1", ")", 70)), "too-deep"),
        (format!("x[{}]=1", nest("(", "1", ")", 70)), "too-deep"),
        (format!("for (({};;)); do one; done", nest("(", "1", ")", 70)), "too-deep"),
        (format!("[[ {} ]]", nest("( ", "a ", ") ", 70)), "too-deep"),
    ] {
        let program = both(&text);
        let reasons: Vec<_> = program.obstacles.iter().map(|one| one.reason.name()).collect();
        assert!(reasons.contains(&reason), "{reasons:?}");
        assert!(!program.lossy.is_empty());
    }
    let nested = both(&format!("{}two{}", "one $(".repeat(20), ")".repeat(20)));
    assert_eq!(nested.obstacles, []);
    let shallow =
        format!("x=$(({})); [[ {} ]]", nest("(", "1", ")", 50), nest("( ", "a ", ") ", 50));
    assert_eq!(both(&shallow).obstacles, []);
}

/// The scanner of the grammar looks into a table with the character after a brace as the index.
#[test]
fn no_character_after_a_brace_ends_the_process() {
    for inside in ["", "1", "1..", "1..2", "\\\n"] {
        for far in ["\u{10ffff}", "\u{e0100}", "\u{10ffff}\u{10ffff}", "\u{100}"] {
            let text = format!("echo {{{inside}{far}}} x{{{inside}{far}");
            assert_eq!(node_kinds(&text).is_empty(), both(&text).script.statements.is_empty());
        }
    }
}

/// No number of commands is too many for the size limit.
#[test]
fn long_pipelines_are_read() {
    let texts = ["a | ", "a b |& ", "a |\n", "{ a; } | ", "a `b` | ", "a 0< f | "];
    for text in texts.map(|part| format!("{}c", part.repeat(9_990 / part.len()))) {
        assert_eq!(both(&text).obstacles, []);
    }
}

#[test]
fn nothing_read_is_never_nothing_wrong() {
    for text in ["", "  ", "\n\n", "# c", " # c\n# d"] {
        assert_eq!(both(text).obstacles, [], "{text:?}");
    }
    for text in ["$()", "` `", "$(# c\n)", "\u{feff}", ")", "\\\n)"] {
        assert!(!both(text).obstacles.is_empty(), "{text:?}");
    }
}

proptest! {
    #[test]
    fn any_text_is_read(text in any::<String>()) {
        let program = parse(&text, &Options::default());
        let says_something = text.lines().any(|line| {
            let line = line.trim_matches([' ', '\t']);
            !line.is_empty() && !line.starts_with('#')
        });
        prop_assert!(
            !says_something || !program.script.statements.is_empty() || !program.obstacles.is_empty()
        );
    }

    #[test]
    fn any_mixture_of_tokens_is_read(seed in any::<u64>(), bytes in "[ -~\\n\\t]{0,12}") {
        let mut dice = Dice::new(seed);
        for make in [soup, program, substituted] {
            let mut text = make(&mut dice);
            let mut at = dice.roll(text.len() + 1);
            while !text.is_char_boundary(at) {
                at -= 1;
            }
            text.insert_str(at, &bytes);
            let program = both(&text);
            for obstacle in &program.obstacles {
                prop_assert!(obstacle.span.end <= text.len());
            }
        }
    }
}

/// Plain programs that the second reader alone misreads: the text it gets is adjusted for each.
#[test]
fn plain_programs_are_read_by_both() {
    let programs = [
        "&>g one x",
        "&>> g one; &>g",
        "a | b | c\nd > f",
        "a | b # then\nd > f",
        "x= y=\none",
        "b | x=1 > f one",
        "echo $(x=)",
        "for i do one $i; done",
        "select i do one; break; done",
        "grep 'a' $ b; one {p,$} $, ^$",
        "x=$ one",
        "one - 2>&1 | two -",
        "[ $a == b ] && [ $a =~ b ]",
        "one\n\\two",
        "{one,x} {a, [ab]",
        "[one] x",
        "((one); two) | three",
        "one $((two; three) | four)",
        "cat <((one); two) >((one); two)",
        "one $((1 + $(two $'\\'' x)))",
        "one $() a$()b \"$( )\" x=$(# c\n) $(\n) {$(),a}",
        "x=$() y=$( ) one",
        "$() one; one$() a",
        "one ${x:-$()} \"${x:-$( )}\"",
        "cat <<E\n$() $( )\nE",
        "for i in a; { one; }",
        "select i in a\n{\none; break\n} > f",
        "for i; { one; } | two; for i\n{ one; }",
        "for ((;;)) { one; break; }",
        "for (( ; ; )) do one; break; done",
        "for (( ; ;)); do one; break; done",
        "for i in; do one; done",
        "for i\n in a; do one; done",
        "if (one) then (two) elif [[ a ]] then { three; } else ((1)) fi",
        "while (one) do { two; } done && until (one) do for i in a; do b; done done",
        "{ { (one) } }",
        "case x in x) (one) esac",
        "one 0<f; one 0<&- 0>|g 01>h 0<>i; 0<f one; x=1 0<f",
        "cat 0<<E; one 0<<<x\na\nE",
        "one && ! ; two\ntime\none",
        "one >&-f x; one 2>&-x; one <&-f",
        "one -2>f -10<g -2",
        "[[\n( -n a )\n&& a == b &&\n! -n a\n]] && one",
        "one \"${x:-'a `two` b'}\"",
    ];
    let wrong: Vec<String> = programs
        .iter()
        .filter_map(|text| {
            let obstacles = parse(text, &Options::default()).obstacles;
            let unread = obstacles.iter().any(|obstacle| UNREAD.contains(&obstacle.reason));
            unread.then(|| format!("{text:?}: {obstacles:?}"))
        })
        .collect();
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}

/// Where versions of bash differ about what a parenthesis closes, nothing is taken for granted.
#[test]
fn hidden_parentheses_are_not_read() {
    let programs = [
        "cat <((one # it's\n); two) 'x'",
        "cat <((one \")\"); two)",
        "one $((1 + $(two # ')\n))) 'x'",
        "one $((1 + $(case x in x) two;; esac)))",
        "one $((1 + $(cat <<E\n)\nE\n)))",
    ];
    for text in programs {
        let obstacles = parse(text, &Options::default()).obstacles;
        let unread = obstacles.iter().any(|obstacle| UNREAD.contains(&obstacle.reason));
        assert!(unread, "{text:?}: {obstacles:?}");
    }
}

const UNREAD: [Reason; 4] = [
    Reason::SyntaxError,
    Reason::Unterminated,
    Reason::UnsupportedSyntax,
    Reason::ReaderDisagreement,
];
