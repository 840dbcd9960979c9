//! Taking rules out of the text of a settings file, with the order and layout of the rest kept.
//!
//! Editing is on texts; writing is [`crate::install::apply`]'s, which keeps a copy of the old text.

use jsonc_parser::ParseOptions;
use jsonc_parser::cst::{CstNode, CstRootNode};
use portcullis_model::RuleClass;

/// A rule to take out or to replace.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct RuleEdit {
    /// The list it stands in.
    pub class: RuleClass,
    /// Its text.
    pub text: String,
    /// What to write instead; `None` takes it out.
    pub instead: Option<String>,
}

/// The text with the edits made, and how many found their rule.
pub fn edit_rules(text: &str, edits: &[RuleEdit]) -> Result<(String, usize), String> {
    let root =
        CstRootNode::parse(text, &ParseOptions::default()).map_err(|error| error.to_string())?;
    let mut made = 0;
    for edit in edits {
        let list = root
            .object_value()
            .and_then(|top| top.object_value("permissions"))
            .and_then(|permissions| permissions.array_value(edit.class.word()));
        let Some(list) = list else { continue };
        // Equal texts in one list are equal in everything: the last of them goes.
        let same = list.elements().into_iter().rfind(|node| says(node, &edit.text));
        let Some(node) = same else { continue };
        match &edit.instead {
            Some(instead) => {
                let quoted = serde_json::Value::from(instead.as_str()).to_string();
                let replaced = node.as_string_lit().map(|literal| literal.set_raw_value(quoted));
                if replaced.is_none() {
                    continue;
                }
            }
            None => node.remove(),
        }
        made += 1;
    }
    Ok((root.to_string(), made))
}

fn says(node: &CstNode, text: &str) -> bool {
    let own = node.to_string();
    serde_json::from_str::<String>(own.trim()).is_ok_and(|own| own == text)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn out(class: RuleClass, text: &str) -> RuleEdit {
        RuleEdit { class, text: text.to_owned(), instead: None }
    }

    #[test]
    fn takes_rules_out_and_keeps_the_rest() {
        let text = "{\n  \"permissions\": {\n    \"allow\": [\n      \"Bash(a)\",\n      \"Bash(b)\",\n      \"Bash(a)\"\n    ],\n    \"deny\": [ \"Bash(a)\" ]\n  },\n  \"model\": \"x\"\n}\n";
        let (after, made) = edit_rules(text, &[out(RuleClass::Allow, "Bash(a)")]).unwrap();
        assert_eq!(made, 1);
        assert_eq!(
            after,
            "{\n  \"permissions\": {\n    \"allow\": [\n      \"Bash(a)\",\n      \"Bash(b)\"\n    ],\n    \"deny\": [ \"Bash(a)\" ]\n  },\n  \"model\": \"x\"\n}\n"
        );
        let (after, made) = edit_rules(text, &[out(RuleClass::Deny, "Bash(a)")]).unwrap();
        assert_eq!(made, 1);
        assert!(after.contains("\"deny\": [") && after.matches("Bash(a)").count() == 2);
        let (same, made) = edit_rules(text, &[out(RuleClass::Deny, "Bash(z)")]).unwrap();
        assert_eq!((same.as_str(), made), (text, 0));
    }

    #[test]
    fn replaces_in_place() {
        let text = r#"{"permissions":{"deny":["Write(a)", "Read(b)"]}}"#;
        let edit =
            RuleEdit { instead: Some("Edit(a \"x\")".into()), ..out(RuleClass::Deny, "Write(a)") };
        let (after, _) = edit_rules(text, &[edit]).unwrap();
        assert_eq!(after, r#"{"permissions":{"deny":["Edit(a \"x\")", "Read(b)"]}}"#);
    }
}
