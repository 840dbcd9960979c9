//! Patterns over names of subagent types and skills.

use crate::automaton::{Automaton, Builder, ByteSet};
use crate::{CommandPattern, Glob};
use portcullis_model::RuleClass;

/// The name of a subagent type or skill.
///
/// `name` is exact, `name *` is the name with any arguments, and a star stands for any sequence.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct NamePattern {
    pattern: CommandPattern,
    /// In deny and ask `plugin:*` is every name of the namespace, too.
    namespace: Option<Glob>,
    class: RuleClass,
}

impl NamePattern {
    /// Compiles a name.
    pub fn parse(text: &str, class: RuleClass) -> Self {
        let generous = class != RuleClass::Allow && text.ends_with(":*");
        let namespace = generous.then(|| Glob::new(text));
        Self { pattern: CommandPattern::parse(text, class), namespace, class }
    }

    /// Whether a name is meant. In deny and ask a name without a namespace reaches into every
    /// namespace: `deploy` is also `plugin:deploy`, which does the same under a longer name.
    pub fn matches(&self, name: &str) -> bool {
        let short = name.rsplit(':').next().filter(|_| self.class != RuleClass::Allow);
        let in_namespace = self.namespace.as_ref().is_some_and(|glob| glob.matches(name));
        in_namespace
            || self.pattern.matches_text(name)
            || short.is_some_and(|name| self.pattern.matches_text(name))
    }

    /// A name of each form it stands for, with `fill` for every star.
    pub fn samples(&self, fill: &str) -> Vec<String> {
        self.pattern.samples(fill)
    }

    /// The names that match, as a language.
    pub fn automaton(&self) -> Automaton {
        let mut parts = vec![self.pattern.automaton()];
        parts.extend(self.namespace.as_ref().map(Glob::automaton));
        if self.class != RuleClass::Allow {
            // Any namespace, and behind its last colon what the pattern takes.
            let in_short = ByteSet::ANY.without(ByteSet::single(b':'));
            for glob in self.pattern.globs() {
                if glob.runs().any(|run| run.contains(':')) {
                    continue;
                }
                let (mut builder, start) = Builder::new();
                let space = builder.repeat(start, ByteSet::ANY);
                let short = builder.literal(space, ":");
                let end = glob.append(&mut builder, short, in_short);
                parts.push(builder.finish(start, &[end]));
            }
        }
        Automaton::union(&parts)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn matches_names() {
        for (pattern, name, allow, deny) in [
            ("Explore", "Explore", true, true),
            ("Explore", "explore", false, false),
            ("deploy *", "deploy", true, true),
            ("deploy *", "deploys", false, false),
            ("deploy", "tools:deploy", false, true),
            ("tools:deploy", "tools:deploy", true, true),
            ("tools:deploy", "deploy", false, false),
            ("tools:*", "tools:deploy", false, true),
            ("review-*", "review-pr", true, true),
        ] {
            let matches = |class| NamePattern::parse(pattern, class).matches(name);
            let answers = (matches(RuleClass::Allow), matches(RuleClass::Deny));
            assert_eq!(answers, (allow, deny), "{pattern} {name}");
            for (class, want) in [(RuleClass::Allow, allow), (RuleClass::Deny, deny)] {
                let language = NamePattern::parse(pattern, class).automaton();
                assert_eq!(language.accepts(name.as_bytes()), want, "{pattern} {name}");
            }
        }
    }
}
