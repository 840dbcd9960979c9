//! Reports of the audit, of differences and of policy tests, in the formats of people and tools.

pub mod finding;
pub mod html;
pub mod json;
pub mod junit;
pub mod sarif;
mod svg;

/// Text for XML and HTML: rule texts come from cloned repositories.
pub(crate) fn escaped(text: &str) -> String {
    let mut out = String::with_capacity(text.len());
    for c in text.chars() {
        match c {
            '&' => out.push_str("&amp;"),
            '<' => out.push_str("&lt;"),
            '>' => out.push_str("&gt;"),
            '"' => out.push_str("&quot;"),
            '\'' => out.push_str("&#39;"),
            // Neither format can hold other control characters, and none is worth printing.
            c if c.is_control() && !matches!(c, '\n' | '\t') => out.push('\u{fffd}'),
            // What turns the reading direction makes a rule look like another.
            '\u{202a}'..='\u{202e}' | '\u{2066}'..='\u{2069}' | '\u{200b}'..='\u{200f}' => {
                out.extend([format!("\\u{{{:x}}}", u32::from(c))]);
            }
            c => out.push(c),
        }
    }
    out
}
