//! The automaton, the list of rules and the permission rules say the same; renames uncover nothing.

use portcullis_model::{AbsPath, RuleClass};
use portcullis_profile::{
    Access, CompiledFiles, Component, Effect, FileRule, Files, Kind, Origin, PathGlob, Reach,
    Standing,
};
use portcullis_rules::{Anchors, PathPart, PathPattern, path_parts};
use proptest::prelude::*;
use std::borrow::Cow;

const NAMES: &[&str] = &["a", "b", "A", ".git", "hooks", "HEAD", "ab"];

fn name() -> impl Strategy<Value = &'static str> {
    proptest::sample::select(NAMES)
}

fn path(depth: std::ops::Range<usize>) -> impl Strategy<Value = AbsPath> {
    proptest::collection::vec(name(), depth)
        .prop_map(|names| AbsPath::parse(&format!("/{}", names.join("/"))).unwrap())
}

fn component() -> impl Strategy<Value = Component> {
    prop_oneof![
        2 => Just(Component::AnyDepth),
        1 => Just(Component::AnyDepthBut(".git")),
        4 => name().prop_map(|name| Component::Name(Cow::Borrowed(name))),
        2 => proptest::sample::select(&["*", "a*", "?", "[aA]"][..]).prop_map(|text| {
            match path_parts(text).unwrap().remove(0) {
                PathPart::Glob(glob) => Component::Glob(glob),
                other => panic!("{other:?}"),
            }
        }),
        1 => Just(Component::AnyBut("a")),
    ]
}

fn glob() -> impl Strategy<Value = PathGlob> {
    (path(0..2), proptest::collection::vec(component(), 0..4), any::<bool>()).prop_map(
        |(below, components, any_case)| PathGlob {
            below,
            components: Cow::Owned(components),
            any_case,
        },
    )
}

fn reach() -> impl Strategy<Value = Reach> {
    prop_oneof![
        3 => path(0..4).prop_map(Reach::Path),
        4 => glob().prop_map(Reach::Pattern),
        1 => glob().prop_map(Reach::Leaf),
    ]
}

fn rule() -> impl Strategy<Value = FileRule> {
    let access = prop_oneof![Just(Access::Read), Just(Access::Write)];
    let effect = prop_oneof![Just(Effect::Allow), Just(Effect::Deny)];
    let standing = prop_oneof![
        3 => Just(Standing::Ordinary),
        2 => Just(Standing::Protected),
        1 => Just(Standing::Absolute)
    ];
    (access, effect, reach(), standing).prop_map(|(access, effect, reach, standing)| FileRule {
        access,
        effect,
        reach,
        standing,
        origin: Origin::BuiltIn("test"),
    })
}

fn files() -> impl Strategy<Value = Files> {
    proptest::collection::vec(rule(), 0..12).prop_map(|mut rules| {
        // Something has to be possible, or every answer is no.
        rules.push(FileRule {
            access: Access::Write,
            effect: Effect::Allow,
            reach: Reach::Path(AbsPath::parse("/a").unwrap()),
            standing: Standing::Ordinary,
            origin: Origin::BuiltIn("test"),
        });
        Files { disabled: None, rules }
    })
}

fn kind() -> impl Strategy<Value = Kind> {
    prop_oneof![Just(Kind::Directory), Just(Kind::File), Just(Kind::Other)]
}

/// Every relative path of at most three of the names.
fn below() -> Vec<String> {
    let mut found = vec![String::new()];
    let mut last = found.clone();
    for _ in 0..3 {
        last = last
            .iter()
            .flat_map(|outer| NAMES.iter().map(move |name| format!("{outer}/{name}")))
            .collect();
        found.extend(last.iter().cloned());
    }
    found
}

proptest! {
    #![proptest_config(ProptestConfig { cases: cases(1500), ..ProptestConfig::default() })]

    #[test]
    fn the_automaton_judges_as_the_list_does(
        files in files(), paths in proptest::collection::vec(path(0..6), 20), kind in kind()
    ) {
        let compiled = CompiledFiles::new(files.clone());
        for path in paths {
            for access in [Access::Read, Access::Write] {
                let slow = files.judge_as(&path, access, kind);
                let fast = compiled.effect(&path, access, kind);
                prop_assert_eq!(slow.effect, fast, "{:?} {} {:?}", access, path, slow.rule);
                prop_assert_eq!(compiled.judge_as(&path, access, kind).effect, fast);
            }
            let kinds = [Kind::Directory, Kind::File, Kind::Other];
            let all = kinds.iter().all(|kind| {
                files.judge_as(&path, Access::Read, *kind).effect == Effect::Allow
            });
            prop_assert_eq!(compiled.effect_of_any_kind(&path) == Effect::Allow, all, "{}", path);
        }
    }

    #[test]
    fn a_directory_takes_no_meaning_along(files in files(), from in path(1..4), to in path(1..4)) {
        let compiled = CompiledFiles::new(files.clone());
        if compiled.may_rename(&from, &to, Kind::Directory).is_err() {
            return Ok(());
        }
        for rest in below() {
            let old = AbsPath::parse(&format!("{from}{rest}")).unwrap();
            let new = AbsPath::parse(&format!("{to}{rest}")).unwrap();
            for kind in [Kind::Directory, Kind::File] {
                if rest.is_empty() && kind != Kind::Directory {
                    continue;
                }
                let hidden = |path| files.judge_as(path, Access::Read, kind).effect == Effect::Deny;
                let kept = |path| {
                    let judgement = files.judge_as(path, Access::Write, kind);
                    let rule = judgement.rule.filter(|rule| rule.access == Access::Write);
                    judgement.effect == Effect::Deny && rule.is_some()
                };
                prop_assert!(!hidden(&old) || hidden(&new), "{} was hidden, {} is not", old, new);
                prop_assert_eq!(kept(&old), kept(&new), "{} and {}", old, new);
            }
        }
    }

    #[test]
    fn a_link_opens_nothing(files in files(), from in path(1..4), to in path(1..4)) {
        let compiled = CompiledFiles::new(files.clone());
        if compiled.may_link(&from, &to).is_ok() {
            prop_assert_eq!(files.judge(&from, Access::Write).effect, Effect::Allow);
            prop_assert_eq!(files.judge(&from, Access::Read).effect, Effect::Allow);
            prop_assert_eq!(files.judge(&to, Access::Write).effect, Effect::Allow);
        }
    }

    #[test]
    fn mounts_nest_as_the_rules_say(files in files(), paths in proptest::collection::vec(path(0..5), 10)) {
        // Only what rules name exactly is a mount, so only such rules are asked about.
        let rules = files.rules.into_iter().filter(|rule| matches!(rule.reach, Reach::Path(_)));
        let files = Files { disabled: None, rules: rules.collect() };
        let compiled = CompiledFiles::new(files.clone());
        let mounts = compiled.exact();
        for path in paths {
            let mount = mounts.iter().rfind(|exact| path.is_within(&exact.path));
            let (read, write) = mount
                .map_or((Effect::Allow, Effect::Deny), |exact| (exact.read, exact.write));
            prop_assert_eq!(files.judge(&path, Access::Read).effect, read, "{}", path);
            prop_assert_eq!(files.judge(&path, Access::Write).effect, write, "{}", path);
        }
    }

    #[test]
    fn a_pattern_means_what_the_permission_rule_means(
        text in pattern(), paths in proptest::collection::vec(path(0..6), 20)
    ) {
        let anchors = Anchors {
            source_root: AbsPath::parse("/a").unwrap(),
            start: AbsPath::parse("/a/b").unwrap(),
            home: AbsPath::parse("/b").unwrap(),
        };
        for class in [RuleClass::Deny, RuleClass::Allow] {
            let Ok(pattern) = PathPattern::parse(&text, class) else { continue };
            let matcher = pattern.anchored(&anchors);
            let rules = matcher.parts().map(|(anchor, parts)| FileRule {
                access: Access::Read,
                effect: Effect::Deny,
                reach: Reach::Pattern(PathGlob {
                    below: anchor.clone(),
                    components: parts.iter().map(translated).collect(),
                    any_case: class == RuleClass::Deny,
                }),
                standing: Standing::Ordinary,
                origin: Origin::BuiltIn("test"),
            });
            let compiled =
                CompiledFiles::new(Files { disabled: None, rules: rules.into_iter().collect() });
            for path in &paths {
                let matches = match class {
                    RuleClass::Deny | RuleClass::Ask => matcher.matches_folded(path),
                    RuleClass::Allow => matcher.matches(path),
                };
                let denied = compiled.effect(path, Access::Read, Kind::File) == Effect::Deny;
                prop_assert_eq!(matches, denied, "{} {:?} {}", text, class, path);
            }
        }
    }
}

fn translated(part: &PathPart) -> Component {
    match part {
        PathPart::AnyDepth => Component::AnyDepth,
        PathPart::Name(name) => Component::Name(Cow::Owned(name.clone())),
        PathPart::Glob(glob) => Component::Glob(glob.clone()),
    }
}

fn pattern() -> impl Strategy<Value = String> {
    let part = proptest::sample::select(
        &["a", "b", "A", ".git", "*", "**", "a*", "[a-b]", "?", "[!a]", "\\*", "..", "h*s"][..],
    );
    let anchor = proptest::sample::select(&["", "./", "/", "//", "~/", "!"][..]);
    let end = proptest::sample::select(&["", "/", "/**"][..]);
    (anchor, proptest::collection::vec(part, 0..4), end)
        .prop_map(|(anchor, parts, end)| format!("{anchor}{}{end}", parts.join("/")))
}

fn cases(default: u32) -> u32 {
    std::env::var("PORTCULLIS_CASES").ok().and_then(|n| n.parse().ok()).unwrap_or(default)
}
