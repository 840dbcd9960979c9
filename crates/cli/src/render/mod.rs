//! What people read: pure functions from values to styled text.

pub mod command;
pub mod diagnostic;
pub mod policy;
pub mod profile;
pub mod verdict;

/// A place with the home directory written as `~`.
pub fn place(source: &portcullis_model::Source, home: &str) -> String {
    let file = source
        .file
        .strip_prefix(home)
        .filter(|rest| home != "/" && !home.is_empty() && rest.starts_with('/'))
        .map_or_else(|| source.file.clone(), |rest| format!("~{rest}"));
    let shown = portcullis_model::Source { file, ..source.clone() }.to_string();
    portcullis_host::claude_code::shown(&shown)
}
