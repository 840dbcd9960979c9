//! Tools of the host, and which input field says what a call does.

/// What a tool does and the field that says to what.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Content {
    /// Runs the shell command in this field.
    Command(&'static str),
    /// Reads the file this field names.
    Reads(&'static str),
    /// Searches below the directory this field names, or the current one.
    Searches(&'static str),
    /// Writes the file this field names.
    Writes(&'static str),
    /// Fetches the URL in this field.
    Fetches(&'static str),
    /// Changes to the directory in this field.
    ChangesTo(&'static str),
    /// Nothing that rules look into.
    Nothing,
}

/// What a tool does; unknown tools do nothing that rules look into.
pub fn content_of(tool: &str) -> Content {
    TOOLS
        .binary_search_by(|(name, _)| (*name).cmp(tool))
        .ok()
        .and_then(|index| TOOLS.get(index))
        .map_or(Content::Nothing, |(_, content)| *content)
}

/// Sorted by name.
const TOOLS: &[(&str, Content)] = &[
    ("Bash", Content::Command("command")),
    ("Cd", Content::ChangesTo("path")),
    ("Edit", Content::Writes("file_path")),
    ("Glob", Content::Searches("path")),
    ("Grep", Content::Searches("path")),
    ("LS", Content::Searches("path")),
    ("Monitor", Content::Command("command")),
    ("MultiEdit", Content::Writes("file_path")),
    ("NotebookEdit", Content::Writes("notebook_path")),
    ("NotebookRead", Content::Reads("notebook_path")),
    ("Read", Content::Reads("file_path")),
    ("WebFetch", Content::Fetches("url")),
    ("Write", Content::Writes("file_path")),
];

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn is_sorted() {
        assert!(TOOLS.is_sorted_by_key(|(name, _)| *name));
    }
}
