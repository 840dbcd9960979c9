//! Variables: which are passed on, and what stands in for the others.

use crate::{Environment, Hidden, VariableRule};

/// What becomes of a caller's variables.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Variables<'e, T> {
    /// What the command sees, with what is set for it.
    pub kept: Vec<(T, T)>,
    /// What it does not see as it is: the name and the rule. Never the value.
    pub hidden: Vec<(T, &'e VariableRule)>,
}

impl Environment {
    /// Applies the rules to a caller's variables. Names and values are bytes: an environment need not be
    /// text.
    pub fn apply(
        &self,
        variables: impl IntoIterator<Item = (Vec<u8>, Vec<u8>)>,
    ) -> Variables<'_, Vec<u8>> {
        let mut kept: Vec<(Vec<u8>, Vec<u8>)> = Vec::new();
        let mut hidden = Vec::new();
        for (name, value) in variables {
            if self.set.iter().any(|(own, _)| own.as_bytes() == name) {
                continue;
            }
            match self.rule_for(&name) {
                None => kept.push((name, value)),
                Some(rule) => {
                    if rule.hidden == Hidden::Sentinel {
                        kept.push((name.clone(), sentinel(&value)));
                    }
                    hidden.push((name, rule));
                }
            }
        }
        let set = self.set.iter();
        kept.extend(
            set.map(|(name, value)| (name.clone().into_bytes(), value.clone().into_bytes())),
        );
        Variables { kept, hidden }
    }

    /// The rule that means a name.
    pub fn rule_for(&self, name: &[u8]) -> Option<&VariableRule> {
        self.rules.iter().find(|rule| match rule.name.strip_suffix('*') {
            Some(start) => name.starts_with(start.as_bytes()),
            None => rule.name.as_bytes() == name,
        })
    }
}

/// A stand-in of the same length, which programs that check the form of a token still accept: a known
/// beginning such as `ghp_` is kept, and every other letter or digit gives way to a fixed one.
///
/// Nothing of the secret is in it but its length and that beginning, which says whose it is.
pub fn sentinel(value: &[u8]) -> Vec<u8> {
    let known = PREFIXES.iter().map(|prefix| prefix.as_bytes());
    let kept = known.filter(|prefix| value.starts_with(prefix) && value.len() >= prefix.len() + 8);
    let kept = kept.map(<[u8]>::len).max().unwrap_or(0);
    let filler = b"portcullis0masked0".iter().cycle();
    value.iter().take(kept).chain(filler).take(value.len()).copied().collect()
}

/// How tokens begin, by which programs and secret scanners know them.
const PREFIXES: &[&str] = &[
    "sk-",
    "sk-ant-",
    "sk-ant-api03-",
    "sk-ant-oat01-",
    "sk-proj-",
    "sk_live_",
    "sk_test_",
    "rk_live_",
    "pk_live_",
    "ghp_",
    "gho_",
    "ghu_",
    "ghs_",
    "ghr_",
    "github_pat_",
    "glpat-",
    "gldt-",
    "glrt-",
    "xoxb-",
    "xoxp-",
    "xapp-",
    "AKIA",
    "ASIA",
    "AIza",
    "ya29.",
    "npm_",
    "pypi-",
    "hf_",
    "gsk_",
    "xai-",
    "dop_v1_",
    "dckr_pat_",
    "hvs.",
    "shpat_",
    "SG.",
    "lin_api_",
    "eyJ",
    "Bearer ",
    "Basic ",
];
