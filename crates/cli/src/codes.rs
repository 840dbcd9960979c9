//! The page of every stable code: what it means, an example, and what to do.

use crate::console::Palette;
use crate::tables::codes::PAGES;
use portcullis_audit::tables::catalogue::{CATALOGUE, Entry, entry};
use portcullis_model::Reason;

/// What a code is about.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Topic {
    /// Why a verdict is what it is.
    Verdict,
    /// Why a command cannot be read in full.
    Command,
    /// What is wrong with settings.
    Settings,
    /// What the audit finds.
    Audit,
}

impl Topic {
    /// The heading of the topic.
    pub fn heading(self) -> &'static str {
        match self {
            Self::Verdict => "why a verdict is what it is",
            Self::Command => "why a command cannot be read in full",
            Self::Settings => "what is wrong with settings",
            Self::Audit => "what the audit finds",
        }
    }
}

/// The page of one code.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Page {
    /// The stable code.
    pub code: &'static str,
    /// What it is about.
    pub topic: Topic,
    /// What it means.
    pub meaning: &'static str,
    /// A call, a rule or a line of settings that shows it.
    pub example: &'static str,
    /// What to do about it.
    pub cure: &'static str,
}

/// The page of a code.
pub fn page(code: &str) -> Option<Page> {
    PAGES.iter().find(|page| page.code == code).copied().or_else(|| entry(code).map(of_audit))
}

/// The page of a kind of finding.
fn of_audit(entry: &Entry) -> Page {
    Page {
        code: entry.id,
        topic: Topic::Audit,
        meaning: entry.meaning,
        example: entry.example,
        cure: entry.cure,
    }
}

/// Every page, by topic and then by code.
pub fn pages() -> Vec<Page> {
    let mut pages = PAGES.to_vec();
    pages.extend(CATALOGUE.iter().map(|entry| of_audit(entry)));
    pages.sort_by_key(|page| (page.topic, page.code));
    pages
}

/// A page as text.
pub fn page_text(page: &Page, palette: Palette) -> String {
    let reason = Reason::ALL.iter().find(|reason| reason.name() == page.code);
    let short = reason.map_or(String::new(), |reason| format!(": {}", reason.meaning()));
    format!(
        "{}{short}\n\n  {}\n\n  {} {}\n  {} {}\n",
        palette.strong(page.code),
        page.meaning,
        palette.dim("example:"),
        page.example,
        palette.dim("what to do:"),
        page.cure,
    )
}

/// The list of all codes as text.
pub fn list_text(palette: Palette) -> String {
    let mut out = String::new();
    let mut topic = None;
    for page in pages() {
        if topic != Some(page.topic) {
            let gap = if topic.is_some() { "\n" } else { "" };
            out.extend([format!("{gap}{}\n", palette.strong(page.topic.heading()))]);
            topic = Some(page.topic);
        }
        out.extend([format!("  {:<26} {}\n", page.code, page.meaning)]);
    }
    out
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_reason_has_a_page() {
        for reason in Reason::ALL {
            let page = page(reason.name()).unwrap_or_else(|| panic!("no page for `{reason}`"));
            assert_eq!(page.topic, Topic::Command, "{reason}");
        }
    }

    /// Codes are written as literals where they arise; each of them has to have its page.
    #[test]
    fn every_code_in_the_sources_has_a_page() {
        let root = std::path::Path::new(env!("CARGO_MANIFEST_DIR")).join("..");
        let mut checked = 0;
        for (folder, marks) in [
            (
                "policy/src",
                &[
                    "code: \"",
                    "report(Severity::Error, \"",
                    "report(Severity::Warning, \"",
                    "report(Severity::Note, \"",
                    "flaw(\"",
                ][..],
            ),
            ("policy/src", &["\"json-", "\"rule-"]),
            ("rules/src/rule", &["\"rule-"]),
            ("rules/src/rule.rs", &["\"rule-"]),
            ("engine/src", &["builtin(\"", "code: \""]),
        ] {
            for text in sources(&root.join(folder)) {
                let text = text.split("#[cfg(test)]").next().unwrap_or_default();
                for mark in marks {
                    for (at, _) in text.match_indices(mark) {
                        let from = at + mark.find('"').unwrap_or_default() + 1;
                        let code = text
                            .get(from..)
                            .and_then(|rest| rest.split('"').next())
                            .unwrap_or_default();
                        assert!(page(code).is_some(), "no page for `{code}` of {folder}");
                        checked += 1;
                    }
                }
            }
        }
        assert!(checked > 60, "only {checked} codes were found");
    }

    fn sources(path: &std::path::Path) -> Vec<String> {
        if path.is_file() {
            return vec![std::fs::read_to_string(path).unwrap()];
        }
        std::fs::read_dir(path)
            .unwrap()
            .map(|entry| entry.unwrap().path())
            .filter(|path| !path.to_string_lossy().contains("tests"))
            .flat_map(|path| sources(&path))
            .collect()
    }

    #[test]
    fn pages_are_whole_and_unique() {
        let pages = pages();
        for window in pages.windows(2) {
            let codes: Vec<&str> = window.iter().map(|page| page.code).collect();
            assert_ne!(codes.first(), codes.get(1));
        }
        for page in pages {
            for text in [page.meaning, page.example, page.cure] {
                assert!(
                    !text.is_empty() && !text.contains('\n') && !text.ends_with('.'),
                    "{}",
                    page.code
                );
                assert!(
                    text.starts_with(|c: char| !c.is_uppercase())
                        || text.starts_with(['`', '{'])
                        || page.example == text,
                    "{}",
                    page.code
                );
            }
        }
    }
}
