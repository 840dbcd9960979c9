//! What the texts of cases say instead of being long: `<70000 a>`, `<300 headers>`, `1 byte per 2 s`.

use serde_json::{Map, Value};
use std::time::Duration;

/// A request with its placeholders filled in; the error names one that nobody understands. In raw bytes
/// anything in angle brackets is one, elsewhere only what starts with a number.
pub(super) fn fill(request: &Map<String, Value>) -> Result<Map<String, Value>, String> {
    let filled =
        |(key, value): (&String, &Value)| Ok((key.clone(), fill_value(value, key == "bytes")?));
    request.iter().map(filled).collect()
}

fn fill_value(value: &Value, all: bool) -> Result<Value, String> {
    Ok(match value {
        Value::String(text) => Value::String(fill_text(text, all)?),
        Value::Array(list) => {
            Value::Array(list.iter().map(|each| fill_value(each, all)).collect::<Result<_, _>>()?)
        }
        Value::Object(map) => Value::Object(fill(map)?),
        Value::Null | Value::Bool(_) | Value::Number(_) => value.clone(),
    })
}

fn fill_text(text: &str, all: bool) -> Result<String, String> {
    let mut made = String::new();
    let mut rest = text;
    while let Some((before, behind)) = rest.split_once('<') {
        made.push_str(before);
        let counted = behind.starts_with(|c: char| c.is_ascii_digit());
        match behind.split_once('>') {
            Some((inside, after)) if all || counted => {
                made.push_str(
                    &meaning(inside, after).ok_or_else(|| {
                        format!("nobody understands the placeholder `<{inside}>`")
                    })?,
                );
                rest = after;
            }
            Some(_) | None => {
                made.push('<');
                rest = behind;
            }
        }
    }
    made.push_str(rest);
    Ok(made)
}

/// `70000 a`, `64 KiB`, `64 KiB of a`, `300 headers`, `70 KiB header`.
fn meaning(inside: &str, after: &str) -> Option<String> {
    let (count, rest) = counted(inside)?;
    let words: Vec<&str> = rest.split_whitespace().filter(|word| *word != "of").collect();
    // As many lines, each ended once, whether or not the text behind does that for the last.
    let ended = after.starts_with("\r\n") && after != "\r\n";
    let lines = |lines: Vec<String>| lines.join("\r\n") + if ended { "" } else { "\r\n" };
    Some(match words.as_slice() {
        [] | ["byte" | "bytes" | "letters" | "characters" | "chars"] => "a".repeat(count),
        ["header" | "headers" | "fields"] if !is_size(inside) => {
            lines((0..count).map(|index| format!("X-{index}: y")).collect())
        }
        ["header", "lines" | "fields"] if !is_size(inside) => {
            lines((0..count).map(|index| format!("X-{index}: y")).collect())
        }
        ["header" | "headers"] => {
            lines(vec![format!("X: {}", "a".repeat(count.saturating_sub(5)))])
        }
        [word] if word.chars().count() == 1 => word.repeat(count),
        _ => return None,
    })
}

/// A number with an optional unit of bytes in front of a text.
fn counted(text: &str) -> Option<(usize, &str)> {
    let text = text.trim_start();
    let end = text.find(|c: char| !c.is_ascii_digit()).unwrap_or(text.len());
    let count: usize = text.get(..end)?.parse().ok()?;
    let rest = text.get(end..)?.trim_start();
    for (unit, size) in UNITS {
        if let Some(rest) = rest.strip_prefix(unit)
            && !rest.starts_with(|c: char| c.is_ascii_alphanumeric())
        {
            return Some((count.checked_mul(*size)?, rest));
        }
    }
    Some((count, rest))
}

fn is_size(text: &str) -> bool {
    UNITS.iter().any(|(unit, _)| text.contains(unit))
}

const UNITS: &[(&str, usize)] =
    &[("KiB", 1 << 10), ("KB", 1000), ("MiB", 1 << 20), ("MB", 1_000_000), ("GiB", 1 << 30)];

/// A number of bytes, as in `1 GiB` or `10 GiB stream`.
pub(super) fn size(text: &str) -> Option<u64> {
    let (count, rest) = counted(text)?;
    matches!(rest.trim(), "" | "stream" | "bytes").then(|| u64::try_from(count).ok()).flatten()
}

/// The pause of `1 byte per 2 s`, `1 header byte per second`; `None` where a text says nothing of the
/// kind, an error where it says something else that is no bytes.
pub(super) fn pace(text: &str) -> Result<Option<Duration>, String> {
    let is_told = text.starts_with(|c: char| c.is_ascii_digit())
        && text.contains(' ')
        && !text.contains(['\r', '\n']);
    if !is_told {
        return Ok(None);
    }
    let words: Vec<&str> = text.split(' ').collect();
    let pause = match words.as_slice() {
        ["1", "byte", "per", time @ ..] | ["1", "header", "byte", "per", time @ ..] => match time {
            ["second" | "s"] => Some(Duration::from_secs(1)),
            [count, "s" | "seconds"] => count.parse().ok().map(Duration::from_secs),
            [count, "ms"] => count.parse().ok().map(Duration::from_millis),
            _ => None,
        },
        _ => None,
    };
    pause.map(Some).ok_or_else(|| format!("nobody understands `{text}`"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn fills_placeholders_or_says_so() {
        for (text, all, want) in [
            ("a<3 x>b", true, Ok("axxxb")),
            ("<2 KiB>", true, Ok("")),
            ("<2 headers>\r\n", true, Ok("X-0: y\r\nX-1: y\r\n\r\n")),
            ("<2 header lines>\r\n\r\n", true, Ok("X-0: y\r\nX-1: y\r\n\r\n")),
            ("<script>", false, Ok("<script>")),
            ("<many>", true, Err(())),
            ("<3 elephants>", false, Err(())),
            ("a < b", true, Ok("a < b")),
        ] {
            let filled = fill_text(text, all).map_err(|_unknown| ());
            match (text, &filled) {
                ("<2 KiB>", Ok(filled)) => assert_eq!(filled.len(), 2048),
                _ => assert_eq!(filled.as_deref(), want.as_ref().copied(), "{text}"),
            }
        }
        assert_eq!(fill_text("<1MiB>", false).unwrap().len(), 1 << 20);
        assert_eq!(size("10 GiB stream"), Some(10 << 30));
        assert_eq!(pace("1 byte per 2 s"), Ok(Some(Duration::from_secs(2))));
        assert_eq!(pace("GET / HTTP/1.1\r\n"), Ok(None));
        assert!(pace("3 bytes of garbage").is_err());
    }
}
