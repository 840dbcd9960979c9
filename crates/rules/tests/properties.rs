//! What holds for every pattern and every text.

#![expect(clippy::indexing_slicing, reason = "helpers of a test may panic")]

use portcullis_model::{AbsPath, RuleClass, TextPiece, TextSet};
use portcullis_rules::automaton::{Automaton, Budget, Inclusion, included};
use portcullis_rules::{
    Anchors, CommandPattern, CommandSet, Glob, Match, PathPattern, Rule, Specifier, escape_path,
};
use proptest::prelude::*;

proptest! {
    #![proptest_config(ProptestConfig { cases: 10_000, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn globs_agree_with_the_naive_matcher(pattern in "[ab *\\\\]{0,8}", text in "[ab *\\\\]{0,10}") {
        let glob = Glob::new(&pattern);
        let want = naive(&pattern.chars().collect::<Vec<_>>(), &text.chars().collect::<Vec<_>>());
        prop_assert_eq!(glob.matches(&text), want);
        prop_assert_eq!(glob.automaton().accepts(text.as_bytes()), want);
        prop_assert_eq!(glob.intersects(&TextSet::literal(text)), want);
    }

    #[test]
    fn prefix_rules_agree_with_their_definition(prefix in "[a-c]{1,3}( [a-c]{1,2})?", text in "[a-c ]{0,9}") {
        let want = text == prefix || text.starts_with(&format!("{prefix} "));
        for rule in [format!("{prefix} *"), format!("{prefix}:*")] {
            for class in [RuleClass::Allow, RuleClass::Deny] {
                prop_assert_eq!(CommandPattern::parse(&rule, class).matches_text(&text), want, "{}", rule);
            }
        }
    }

    #[test]
    fn parsing_is_total_and_spans_fit(text in "\\PC{0,24}", class in classes()) {
        match Rule::parse(&text, class) {
            Ok(rule) => {
                prop_assert_eq!(rule.text(), &text);
                for warning in rule.warnings() {
                    prop_assert!(text.get(warning.span.start..warning.span.end).is_some());
                }
            }
            Err(error) => prop_assert!(text.get(error.span.start..error.span.end).is_some()),
        }
    }

    #[test]
    fn specifiers_parse_totally(tool in prop::sample::select(vec!["Bash", "Read", "WebFetch", "Skill", "Cd", "mcp__a__b"]),
                                inner in "[a-c*?!#~/\\\\:. \"'$&|()\\[\\]-]{0,12}", class in classes()) {
        let text = format!("{tool}({inner})");
        if let Ok(rule) = Rule::parse(&text, class) {
            prop_assert!(rule.tool().matches(tool));
        }
    }

    #[test]
    fn deny_patterns_match_at_least_what_allow_patterns_match(inner in "[ab*'\"\\\\: ;&]{1,8}", text in "[ab*'\"\\\\: ;&]{0,8}") {
        let allow = CommandPattern::parse(&inner, RuleClass::Allow);
        let deny = CommandPattern::parse(&inner, RuleClass::Deny);
        let trimmed = text.trim();
        prop_assert!(!allow.matches_text(trimmed) || deny.matches_text(trimmed));
        prop_assert!(!allow.matches_whole(trimmed) || deny.matches_whole(trimmed));
    }
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 2_000, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn three_valued_matching_agrees_with_brute_force(pattern in "[ab *]{0,6}", texts in text_sets()) {
        let unknown = texts.pieces().iter().filter(|piece| !matches!(piece, TextPiece::Literal(_))).count();
        prop_assume!(unknown <= 2, "more are too many to list");
        let rule = CommandPattern::parse(&pattern, RuleClass::Allow);
        let members = members(&texts);
        let matching = members.iter().filter(|text| rule.matches_text(text)).count();
        let answer = rule.matches(&texts);
        // Members are cut off at a length: a `No` or a `Certain` must hold for all of them, and what
        // all short members agree on is only contradicted by a longer witness.
        match answer {
            Match::No => prop_assert_eq!(matching, 0, "{:?}", texts),
            Match::Certain => prop_assert_eq!(matching, members.len(), "{:?}", texts),
            Match::Possible => {
                prop_assert!(texts.known().is_none());
                prop_assert!(matching < members.len() || pattern.len() > 2, "{:?} {:?}", texts, members);
            }
        }
        if answer == Match::Possible && pattern.len() <= 3 {
            prop_assert!(matching > 0, "{:?}", texts);
        }
    }

    #[test]
    fn inclusion_in_a_union_agrees_with_brute_force(inner in "[ab*]{0,5}", outers in prop::collection::vec("[ab*]{0,4}", 0..4)) {
        let language = Glob::new(&inner).automaton();
        let covers: Vec<Automaton> = outers.iter().map(|outer| Glob::new(outer).automaton()).collect();
        let all: Vec<&Automaton> = covers.iter().collect();
        let covered = |text: &str| outers.iter().any(|outer| Glob::new(outer).matches(text));
        let missed = words(b"abc", 6).into_iter().find(|text| Glob::new(&inner).matches(text) && !covered(text));
        match included(&language, &all, &mut Budget::new(1_000_000)).expect("within the budget") {
            Inclusion::Holds => prop_assert_eq!(missed, None),
            Inclusion::Fails(witness) => {
                let witness = String::from_utf8(witness).unwrap();
                prop_assert!(Glob::new(&inner).matches(&witness) && !covered(&witness), "{}", witness);
                let shortest = missed.map_or(usize::MAX, |text| text.len());
                prop_assert!(witness.len() <= shortest, "{} is longer than needed", witness);
            }
        }
    }

    #[test]
    fn intersection_agrees_with_brute_force(left in "[ab*]{0,4}", right in "[ab*]{0,4}") {
        let (a, b) = (Glob::new(&left), Glob::new(&right));
        let both = a.automaton().intersection(&b.automaton(), &mut Budget::new(100_000)).unwrap();
        prop_assert_eq!(a.automaton().intersects(&b.automaton(), &mut Budget::new(100_000)), Some(!both.is_empty()));
        let shortest = words(b"ab", 8).into_iter().find(|text| a.matches(text) && b.matches(text));
        let witness = both.witness().map(|text| String::from_utf8(text).unwrap());
        prop_assert_eq!(witness.as_ref().map(String::len), shortest.as_ref().map(String::len));
        if let Some(witness) = witness {
            prop_assert!(a.matches(&witness) && b.matches(&witness));
        }
    }

    #[test]
    fn the_index_loses_nothing(rules in prop::collection::vec("[ab]{0,3}[ab *]{0,3}(:\\*)?", 0..12), texts in text_sets()) {
        let patterns: Vec<CommandPattern> = rules.iter().map(|rule| CommandPattern::parse(rule, RuleClass::Deny)).collect();
        let set = CommandSet::new(patterns.iter().cloned().enumerate());
        let found = set.candidates(&texts);
        prop_assert!(found.is_sorted());
        for (id, pattern) in patterns.iter().enumerate() {
            prop_assert!(pattern.matches(&texts) == Match::No || found.contains(&id), "{:?} {:?}", rules.get(id), texts);
        }
    }

    #[test]
    fn unknown_paths_are_judged_safely(pattern in "(/|//|~/)?[ab*]{1,2}(/[ab*.]{1,2}){0,2}(/\\*\\*)?", class in classes(),
                                       start in "/[ab](/[ab.]{1,2})?/?", fills in prop::collection::vec("[ab./]{0,6}", 1..8), end in "[ab./]{0,4}") {
        let Ok(pattern) = PathPattern::parse(&pattern, class) else { return Ok(()) };
        let home = AbsPath::parse("/b").unwrap();
        let anchors = Anchors { source_root: AbsPath::parse("/a/b").unwrap(), start: AbsPath::parse("/a").unwrap(), home };
        let matcher = pattern.anchored(&anchors);
        let mut texts = TextSet::literal(start.clone());
        texts.push(TextPiece::InWord);
        texts.push(TextPiece::Literal(end.clone()));
        let answer = matcher.possible(&texts);
        for fill in fills {
            let path = AbsPath::parse(&format!("{start}{fill}{end}")).unwrap();
            let matches = if class == RuleClass::Allow { matcher.matches(&path) } else { matcher.matches_folded(&path) };
            match answer {
                Match::No => prop_assert!(!matches, "{}", path),
                Match::Certain => prop_assert!(matches, "{}", path),
                Match::Possible => {}
            }
            if matches {
                let dirs = std::iter::successors(Some(path.clone()), AbsPath::parent);
                for dir in dirs {
                    prop_assert!(matcher.may_match_below(&dir), "{} {}", dir, path);
                }
            }
        }
    }

    #[test]
    fn escaped_paths_match_themselves(path in "[ab*?!#\\[\\]\\\\() ~.]{1,8}", other in "[ab*?!#\\[\\]\\\\() ~.]{1,8}") {
        let start = AbsPath::parse("/s").unwrap();
        let anchors = Anchors { source_root: start.clone(), home: start.clone(), start };
        let (path, other) = (AbsPath::parse(&format!("/{path}")).unwrap(), AbsPath::parse(&format!("/{other}")).unwrap());
        prop_assume!(path != AbsPath::root());
        let escaped = escape_path(path.as_str().trim_start_matches('/'));
        let alone = PathPattern::parse(&format!("//{escaped}"), RuleClass::Allow).unwrap().anchored(&anchors);
        let rule = Rule::parse(&format!("Read(//{escaped})"), RuleClass::Allow).unwrap();
        let Specifier::Path(inside) = rule.specifier() else { panic!("{escaped}") };
        for matcher in [alone, inside.anchored(&anchors)] {
            prop_assert!(matcher.matches(&path), "{}", escaped);
            prop_assert_eq!(matcher.matches(&other), other == path, "{} {}", escaped, other);
        }
    }

    #[test]
    fn shell_globs_are_judged_safely(pattern in "(/|//)?[ab*]{1,2}(/[ab*]{1,2}){0,2}", glob in "(/[ab*?]{1,2}){1,3}", path in "(/[ab]{1,2}){1,3}", class in classes()) {
        let Ok(pattern) = PathPattern::parse(&pattern, class) else { return Ok(()) };
        let start = AbsPath::parse("/a").unwrap();
        let anchors = Anchors { source_root: start.clone(), home: start.clone(), start };
        let matcher = pattern.anchored(&anchors);
        let path = AbsPath::parse(&path).unwrap();
        let expands = path.components().count() == glob.matches('/').count()
            && path.components().zip(glob.split('/').skip(1)).all(|(name, glob)| shell_naive(glob.as_bytes(), name.as_bytes()));
        if expands {
            let matches = if class == RuleClass::Allow { matcher.matches(&path) } else { matcher.matches_folded(&path) };
            match matcher.possible_glob(&glob) {
                Match::No => prop_assert!(!matches, "{} {}", glob, path),
                Match::Certain => prop_assert!(matches, "{} {}", glob, path),
                Match::Possible => {}
            }
        }
    }
}

/// What a glob means, as short as it can be said.
fn naive(pattern: &[char], text: &[char]) -> bool {
    match (pattern, text) {
        ([], []) => true,
        (['*', rest @ ..], _) if naive(rest, text) => true,
        (['*', ..], [_, text @ ..]) => naive(pattern, text),
        (['\\', '*', rest @ ..], ['*', text @ ..]) => naive(rest, text),
        (['\\', '*', ..], _) => false,
        ([c, rest @ ..], [d, text @ ..]) if c == d => naive(rest, text),
        _ => false,
    }
}

/// What a shell glob component means.
fn shell_naive(pattern: &[u8], text: &[u8]) -> bool {
    match (pattern, text) {
        ([], []) => true,
        ([b'*', rest @ ..], _) if shell_naive(rest, text) => true,
        ([b'*', ..], [_, text @ ..]) => shell_naive(pattern, text),
        ([b'?', rest @ ..], [_, text @ ..]) => shell_naive(rest, text),
        ([c, rest @ ..], [d, text @ ..]) if c == d => shell_naive(rest, text),
        _ => false,
    }
}

fn classes() -> impl Strategy<Value = RuleClass> {
    prop::sample::select(vec![RuleClass::Allow, RuleClass::Ask, RuleClass::Deny])
}

fn text_sets() -> impl Strategy<Value = TextSet> {
    let piece = prop_oneof![
        3 => "[ab ]{1,3}".prop_map(TextPiece::Literal),
        1 => Just(TextPiece::InWord),
        1 => Just(TextPiece::Anything),
        1 => Just(TextPiece::MoreWords),
    ];
    prop::collection::vec(piece, 0..4).prop_map(|pieces| {
        let mut set = TextSet::default();
        for piece in pieces {
            set.push(piece);
        }
        set
    })
}

/// The members of a set up to a length for each unknown piece.
fn members(texts: &TextSet) -> Vec<String> {
    let mut all = vec![String::new()];
    for piece in texts.pieces() {
        let parts: Vec<String> = match piece {
            TextPiece::Literal(text) => vec![text.clone()],
            TextPiece::Anything => words(b"abx ", 3),
            TextPiece::InWord => {
                let stays = |word: &String| {
                    let mut chars = word.chars();
                    while let Some(c) = chars.next() {
                        if c == ' ' || (c == '\\' && chars.next().is_none()) {
                            return false;
                        }
                    }
                    true
                };
                words(b"abx\\ ", 3).into_iter().filter(stays).collect()
            }
            TextPiece::MoreWords => {
                let mut parts = vec![String::new()];
                parts.extend(words(b"abx ", 2).iter().map(|word| format!(" {word}")));
                parts
            }
        };
        all = all
            .iter()
            .flat_map(|text| parts.iter().map(move |part| format!("{text}{part}")))
            .collect();
    }
    all
}

/// All words over an alphabet up to a length, shortest first.
fn words(alphabet: &[u8], longest: usize) -> Vec<String> {
    let mut all = vec![String::new()];
    let mut from = 0;
    for _ in 0..longest {
        let to = all.len();
        for at in from..to {
            for letter in alphabet {
                let longer = format!("{}{}", all[at], char::from(*letter));
                all.push(longer);
            }
        }
        from = to;
    }
    all
}
