//! Patterns over command texts.

mod form;
mod index;

pub use index::CommandSet;

use crate::automaton::{Automaton, Budget, Bundle, Inclusion, included};
use crate::glob::text_automaton;
use crate::{Glob, Match};
use form::Forms;
use portcullis_model::{RuleClass, TextPiece, TextSet};

/// The specifier of a Bash rule.
///
/// A rule text is compared as it is written (with the source text of a command) and in canonical
/// form (with canonical texts), so it stands for a few globs; a text matches if one of them does.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct CommandPattern {
    text: String,
    globs: Vec<Glob>,
    /// What the whole command is compared with where the text holds separators of its own.
    whole: Vec<Glob>,
    prefix: String,
    wildcard: bool,
}

impl CommandPattern {
    /// Compiles the text between the parentheses of a rule, escapes of parentheses already removed.
    ///
    /// The class matters where reading a text generously is safe for deny and ask but not for allow:
    /// blanks at the ends, stars inside quotes, and operators inside a text with separators.
    pub fn parse(text: &str, class: RuleClass) -> Self {
        let Forms { globs, whole, wildcard } = Forms::of(text, class);
        let prefix = common_prefix(&globs);
        Self { text: text.to_owned(), globs, whole, prefix, wildcard }
    }

    /// How the pattern relates to the texts a command may have.
    ///
    /// Exact but for hostile patterns over unknown texts, where inclusion can exceed its budget: then
    /// the answer is `Possible`, which allows nothing and makes deny and ask rules ask.
    pub fn matches(&self, texts: &TextSet) -> Match {
        if let Some(text) = texts.known() {
            return if self.matches_text(text) { Match::Certain } else { Match::No };
        }
        if !self.globs.iter().any(|glob| glob.intersects(texts)) {
            return Match::No;
        }
        if self.includes(texts) { Match::Certain } else { Match::Possible }
    }

    /// Whether every text a command may have matches: [`Self::matches`] is then certain. Cheaper than
    /// that where it is not, for most patterns differ at their start.
    pub fn covers(&self, texts: &TextSet) -> bool {
        texts.known().map_or_else(|| self.includes(texts), |text| self.matches_text(text))
    }

    /// Whether one known text matches.
    pub fn matches_text(&self, text: &str) -> bool {
        self.globs.iter().any(|glob| glob.matches(text))
    }

    /// Whether the pattern is every command (`*`).
    pub fn is_bare(&self) -> bool {
        self.text == "*"
    }

    /// Whether the pattern has a wildcard (or is a prefix rule).
    pub fn has_wildcard(&self) -> bool {
        self.wildcard
    }

    /// Whether the pattern holds separators of its own (`make a && make b`): it then stands for one
    /// whole command string, see [`Self::matches_whole`].
    pub fn holds_separators(&self) -> bool {
        !self.whole.is_empty()
    }

    /// Whether a pattern with separators is this whole command string, blanks around separators
    /// aside. In deny and ask its stars are wildcards; in allow nothing but the same text matches.
    pub fn matches_whole(&self, command: &str) -> bool {
        let spaced = form::spaced(command);
        self.whole.iter().any(|whole| whole.matches(&spaced) || whole.matches(command.trim()))
    }

    /// The text every match starts with.
    pub fn literal_prefix(&self) -> &str {
        &self.prefix
    }

    /// The pattern as written.
    pub fn text(&self) -> &str {
        &self.text
    }

    /// The texts that match, as a language.
    pub fn automaton(&self) -> Automaton {
        let parts: Vec<Automaton> = self.globs.iter().map(Glob::automaton).collect();
        Automaton::union(&parts)
    }

    /// Adds the texts that match to a bundle.
    pub fn add_to(&self, bundle: &mut Bundle, marks: u64) {
        self.globs.iter().for_each(|glob| bundle.add_glob(glob, marks));
    }

    /// Adds the whole command strings that match to a bundle, see [`Self::matches_whole`].
    pub fn add_whole_to(&self, bundle: &mut Bundle, marks: u64) {
        self.whole.iter().for_each(|glob| bundle.add_glob(glob, marks));
    }

    /// A text of each glob it stands for, with `fill` for every star; see [`Glob::sample`].
    pub fn samples(&self, fill: &str) -> Vec<String> {
        self.globs.iter().map(|glob| glob.sample(fill)).collect()
    }

    /// The globs it stands for.
    pub(crate) fn globs(&self) -> &[Glob] {
        &self.globs
    }

    /// Whether every text of a set with unknown parts matches.
    fn includes(&self, texts: &TextSet) -> bool {
        // Texts that part ways before the pattern's literal start is over cannot all match it.
        let start = sure_start(texts);
        if !start.starts_with(&self.prefix) || self.globs.iter().all(Glob::is_exact) {
            return false;
        }
        if self.globs.iter().any(|glob| glob.is_prefix() && start.starts_with(glob.prefix())) {
            return true;
        }
        let outer = self.automaton();
        let mut budget = Budget::new(INCLUSION_STEPS);
        match included(&text_automaton(texts), &[&outer], &mut budget) {
            Some(Inclusion::Holds) => true,
            Some(Inclusion::Fails(_)) | None => false,
        }
    }
}

/// What one inclusion may cost: a few milliseconds, far above what patterns with a handful of stars
/// need, and far below what a deadline allows.
const INCLUSION_STEPS: usize = 200_000;

/// The longest text every member of a set with unknown parts starts with.
fn sure_start(texts: &TextSet) -> String {
    let mut start = texts.prefix().to_owned();
    let unknown = texts.pieces().iter().skip(usize::from(!start.is_empty()));
    // More words begin with a blank; where they are none, what follows has to.
    let mut after = unknown.skip_while(|piece| matches!(piece, TextPiece::MoreWords)).peekable();
    let skipped = texts.pieces().get(usize::from(!start.is_empty())) == Some(&TextPiece::MoreWords);
    if skipped && matches!(after.peek(), Some(TextPiece::Literal(text)) if text.starts_with(' ')) {
        start.push(' ');
    }
    start
}

/// The longest text all globs start with.
fn common_prefix(globs: &[Glob]) -> String {
    let Some((first, rest)) = globs.split_first() else { return String::new() };
    let mut common = first.prefix();
    for glob in rest {
        let shared = common.char_indices().zip(glob.prefix().chars());
        let end = shared
            .take_while(|((_, a), b)| a == b)
            .last()
            .map_or(0, |((at, c), _)| at + c.len_utf8());
        common = common.get(..end).unwrap_or("");
    }
    common.to_owned()
}

#[cfg(test)]
mod tests {
    use super::*;
    use portcullis_model::TextPiece;

    fn check(rule: &str, class: RuleClass, text: &str, want: bool) {
        let pattern = CommandPattern::parse(rule, class);
        assert_eq!(pattern.matches_text(text), want, "{class:?} `{rule}` against `{text}`");
    }

    #[test]
    fn matches_texts() {
        for (rule, text, want) in [
            ("npm run build", "npm run build", true),
            ("npm run build", "npm run builds", false),
            ("npm run test:*", "npm run test", true),
            ("npm run test:*", "npm run test foo", true),
            ("npm run test:*", "npm run tests", false),
            ("npm *", "npm", true),
            ("npm *", "npmx", false),
            ("ls*", "lsof", true),
            ("* install", "npm install", true),
            ("* install", "install", false),
            ("docker * --rm *", "docker run --rm", false),
            ("docker * --rm *", "docker run -it --rm x y", true),
            ("make:*", "make:x", false),
            ("make*:*", "make x", false),
            ("make*:*", "make* x", true),
            ("make **", "make a/b c", true),
            ("make **", "make", false),
            ("make ?", "make ?", true),
            ("make ?", "make xy", false),
            ("make [ab]", "make a", false),
            ("git:* push", "git push", false),
            ("git:* push", "git:x push", false),
            ("git:* push", "git:* push", true),
            ("foo\\:bar", "foo\\:bar", true),
            ("foo\\:bar", "foo:bar", false),
            // Canonical forms of what the rule says.
            ("git commit -m \"a b\"", "git commit -m \"a b\"", true),
            ("git commit -m \"a b\"", "git commit -m a\\ b", true),
            ("git commit -m 'a b'", "git commit -m a\\ b", true),
            ("sed -n '1,2p' *", "sed -n 1,2p f", true),
            ("sed -n '1,2p' *", "sed -n 1,2p", true),
            ("curl http://x/?a=1", "curl http://x/\\?a=1", true),
            ("echo ''", "echo ''", true),
            ("npm  run   build", "npm run build", true),
            ("x a\\ b", "x a\\ b", true),
            ("echo \\*", "echo *", true),
            ("echo \\*", "echo \\*", true),
            ("echo \\*", "echo a", false),
        ] {
            for class in [RuleClass::Allow, RuleClass::Ask, RuleClass::Deny] {
                check(rule, class, text, want);
            }
        }
    }

    #[test]
    fn is_generous_only_where_that_is_strict() {
        for (rule, text, deny) in [
            (" make x ", "make x", true),
            ("rm * ", "rm -r x", true),
            // A star that came in with a saved, quoted message must not cover other arguments.
            ("git commit -m \"fix *\"", "git commit -m fix\\ x --no-verify", true),
            ("curl http://x/?a=1&b=2", "curl http://x/\\?a=1\\&b=2", true),
        ] {
            check(rule, RuleClass::Deny, text, deny);
            check(rule, RuleClass::Ask, text, deny);
            check(rule, RuleClass::Allow, text, false);
        }
    }

    #[test]
    fn matches_whole_commands_with_separators() {
        for (rule, command, allow, deny) in [
            ("make a && make b", "make a && make b", true, true),
            ("cd sub && make", "cd sub&&make", true, true),
            ("make a; make b", "make a ; make b", true, true),
            ("make a && make b", "make b", false, false),
            ("make a && make b", "make a && make b; rm x", false, false),
            ("curl * | sh", "curl x | sh", false, true),
            ("curl * | sh", "curl x|sh", false, true),
            ("curl * | sh", "curl * | sh", true, true),
            ("a & > f", "a &> f", false, false),
            ("a \\*; b", "a \\*; b", true, true),
            ("ls @(a|b) && x", "ls @(a | b) && x", false, false),
            ("a; b \"x  y\"", "a; b \"x y\"", false, false),
            ("echo \"a;b\"", "echo \"a;b\"", false, false),
        ] {
            let whole = |class| CommandPattern::parse(rule, class).matches_whole(command);
            assert_eq!((whole(RuleClass::Allow), whole(RuleClass::Deny)), (allow, deny), "{rule}");
        }
        assert!(!CommandPattern::parse("a && b", RuleClass::Deny).matches_text("a && b"));
    }

    #[test]
    fn knows_partly_unknown_texts() {
        use TextPiece::{Anything, InWord, Literal, MoreWords};
        let lit = |text: &str| Literal(text.to_owned());
        for (rule, pieces, want) in [
            ("npm *", vec![lit("npm run build "), InWord], Match::Certain),
            ("npm run build", vec![lit("npm run build "), InWord], Match::No),
            ("npm run build", vec![lit("npm run build"), MoreWords], Match::Possible),
            ("npm *", vec![lit("npm"), MoreWords], Match::Certain),
            ("npm run *", vec![lit("npm"), MoreWords], Match::Possible),
            ("npm *", vec![lit("npm"), InWord], Match::Possible),
            ("npm*", vec![lit("npm"), InWord], Match::Certain),
            ("curl *", vec![Anything], Match::Possible),
            ("* install", vec![lit("npm"), MoreWords, lit(" install")], Match::Certain),
            ("* install", vec![lit("npm "), InWord], Match::Possible),
            ("git * main", vec![lit("git "), InWord, lit(" main")], Match::Certain),
            ("git * x * main", vec![lit("git "), InWord, lit(" x main")], Match::Possible),
            ("rm a b", vec![lit("rm "), InWord], Match::No),
            ("rm \"a b\"", vec![lit("rm "), InWord], Match::Possible),
        ] {
            let mut texts = TextSet::default();
            for piece in pieces {
                texts.push(piece);
            }
            let pattern = CommandPattern::parse(rule, RuleClass::Deny);
            assert_eq!(pattern.matches(&texts), want, "{rule} {texts:?}");
        }
    }

    #[test]
    fn knows_what_it_is() {
        let pattern = |text| CommandPattern::parse(text, RuleClass::Allow);
        assert!(pattern("*").is_bare() && pattern("*").has_wildcard());
        assert!(!pattern("**").is_bare());
        assert!(!pattern("a b").has_wildcard() && pattern("a:*").has_wildcard());
        assert!(!pattern("echo \\*").has_wildcard());
        assert_eq!(pattern("npm run *").literal_prefix(), "npm run");
        assert_eq!(pattern("npm run*").literal_prefix(), "npm run");
        assert_eq!(pattern("git commit -m \"a b\"").literal_prefix(), "git commit -m ");
    }
}
