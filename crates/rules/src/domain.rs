//! Patterns over host names.

/// The host pattern of a WebFetch rule.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct DomainPattern {
    labels: String,
}

impl DomainPattern {
    /// Reads a host pattern; the error says what is wrong with it in one line.
    pub fn parse(text: &str) -> Result<Self, String> {
        Ok(Self { labels: text.to_ascii_lowercase() })
    }

    /// Whether a host (lower-case ASCII, maybe with one trailing dot) matches.
    pub fn matches(&self, host: &str) -> bool {
        self.labels == host
    }
}
