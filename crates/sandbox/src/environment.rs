//! The variables a command sees.

use crate::{Failure, TEMPORARY};
use portcullis_model::AbsPath;
use portcullis_profile::{Environment, Hidden};
use std::collections::BTreeMap;
use std::ffi::{CString, OsStr, OsString};
use std::os::unix::ffi::{OsStrExt, OsStringExt};

/// The variables a command sees, and which of them stand in for others.
#[derive(Debug)]
pub(crate) struct Variables {
    /// Every `NAME=value`.
    pub(crate) strings: Vec<CString>,
    /// Where programs are looked for.
    pub(crate) path: Vec<u8>,
    /// The stand-ins, by name.
    pub(crate) sentinels: Vec<(OsString, OsString)>,
}

/// Builds the variables from those of the caller. Nothing is passed on that was not looked at.
pub(crate) fn build(
    outer: Vec<(OsString, OsString)>,
    rules: &Environment,
    cwd: &AbsPath,
    temporary: &AbsPath,
) -> Result<Variables, Failure> {
    let mut variables: BTreeMap<OsString, OsString> = BTreeMap::new();
    let mut sentinels = Vec::new();
    for (name, value) in outer {
        let rule = rules.rules.iter().find(|rule| means(&rule.name, &name));
        match rule.map(|rule| rule.hidden) {
            None => {
                variables.insert(name, value);
            }
            Some(Hidden::Unset) => {}
            Some(Hidden::Sentinel) => {
                let sentinel = sentinel(value.len())?;
                sentinels.push((name.clone(), sentinel.clone()));
                variables.insert(name, sentinel);
            }
        }
    }
    variables.insert("PWD".into(), cwd.as_str().into());
    for name in ["TMPDIR", "TMP", "TEMP"] {
        // The caller's own directory cannot be written from inside.
        if name == "TMPDIR" || variables.contains_key(OsStr::new(name)) {
            variables.insert(name.into(), temporary.as_str().into());
        }
    }
    for (name, value) in &rules.set {
        // The profile knows only where the directory is within an own view of the files.
        let inside = value.strip_prefix(TEMPORARY);
        let inside = inside.filter(|rest| rest.is_empty() || rest.starts_with('/'));
        let moved = inside.map(|rest| format!("{temporary}{rest}"));
        variables.insert(name.into(), moved.as_ref().unwrap_or(value).into());
    }
    let path = variables.get(OsStr::new("PATH")).map_or(&b"/bin:/usr/bin"[..], |p| p.as_bytes());
    let path = path.to_vec();
    let strings = variables.into_iter().filter_map(|(name, value)| {
        let mut text = name.into_vec();
        text.push(b'=');
        text.extend(value.into_vec());
        // A variable with a NUL cannot have come from an environment, and none can hold it.
        CString::new(text).ok()
    });
    Ok(Variables { strings: strings.collect(), path, sentinels })
}

fn means(pattern: &str, name: &OsStr) -> bool {
    match pattern.strip_suffix('*') {
        Some(start) => name.as_bytes().starts_with(start.as_bytes()),
        None => name.as_bytes() == pattern.as_bytes(),
    }
}

/// Text of a length that stands in for a secret and says nothing about it. Long ones start with a word
/// that tells whoever finds them what they are.
fn sentinel(length: usize) -> Result<OsString, Failure> {
    const WORD: &[u8] = b"portcullis-masked-";
    const LETTERS: &[u8; 32] = b"abcdefghijklmnopqrstuvwxyz234567";
    let mut bytes = vec![0_u8; length];
    let mut filled = 0;
    while let Some(rest) = bytes.get_mut(filled..).filter(|rest| !rest.is_empty()) {
        filled += rustix::rand::getrandom(rest, rustix::rand::GetRandomFlags::empty())
            .map_err(|errno| Failure::new(format!("no random numbers: {errno}")))?;
    }
    for byte in &mut bytes {
        *byte = LETTERS.get(usize::from(*byte % 32)).copied().unwrap_or(b'a');
    }
    if length >= WORD.len() + 16 {
        for (byte, letter) in bytes.iter_mut().zip(WORD) {
            *byte = *letter;
        }
    }
    Ok(OsString::from_vec(bytes))
}

#[cfg(test)]
mod tests {
    use super::*;
    use portcullis_profile::{Origin, VariableRule};

    fn built(outer: &[(&str, &str)]) -> Variables {
        built_with(outer, TEMPORARY)
    }

    fn built_with(outer: &[(&str, &str)], temporary: &str) -> Variables {
        let rule = |name: &str, hidden| VariableRule {
            name: name.to_owned(),
            hidden,
            origin: Origin::BuiltIn("test"),
        };
        let rules = Environment {
            rules: vec![
                rule("TOKEN", Hidden::Sentinel),
                rule("LD_*", Hidden::Unset),
                rule("SECRET", Hidden::Unset),
            ],
            set: vec![
                ("HTTP_PROXY".to_owned(), "http://127.0.0.1:1".to_owned()),
                ("TMPPREFIX".to_owned(), format!("{TEMPORARY}/zsh")),
            ],
        };
        let outer = outer.iter().map(|(name, value)| ((*name).into(), (*value).into())).collect();
        let temporary = AbsPath::parse(temporary).unwrap();
        build(outer, &rules, &AbsPath::parse("/srv").unwrap(), &temporary).unwrap()
    }

    #[test]
    fn hidden_variables_are_gone_or_stood_in_for() {
        let long = "s3cret-s3cret-s3cret-s3cret-s3cret-s3cret";
        let variables = built(&[
            ("TOKEN", long),
            ("LD_PRELOAD", "x"),
            ("LD_", "x"),
            ("SECRET", "x"),
            ("SECRETS", "kept"),
            ("TMPDIR", "/var/tmp"),
        ]);
        let texts: Vec<&str> = variables.strings.iter().map(|s| s.to_str().unwrap()).collect();
        let token = texts.iter().find_map(|text| text.strip_prefix("TOKEN=")).unwrap();
        assert_eq!(token.len(), long.len());
        assert!(token.starts_with("portcullis-masked-") && !token.contains("s3cret"));
        assert_eq!(variables.sentinels.len(), 1);
        for text in ["SECRETS=kept", "HTTP_PROXY=http://127.0.0.1:1", "PWD=/srv"] {
            assert!(texts.contains(&text), "{text}");
        }
        assert!(texts.contains(&format!("TMPDIR={TEMPORARY}").as_str()));
        assert!(!texts.iter().any(|text| text.starts_with("LD_") || text.starts_with("SECRET=")));
    }

    #[test]
    fn the_temporary_directory_is_where_it_was_made() {
        let variables = built_with(&[("TMP", "/var/tmp")], "/tmp/elsewhere");
        let texts: Vec<&str> = variables.strings.iter().map(|s| s.to_str().unwrap()).collect();
        for text in ["TMPDIR=/tmp/elsewhere", "TMP=/tmp/elsewhere", "TMPPREFIX=/tmp/elsewhere/zsh"]
        {
            assert!(texts.contains(&text), "{text} in {texts:?}");
        }
    }

    #[test]
    fn two_stand_ins_differ() {
        let one = built(&[("TOKEN", "0123456789abcdef")]);
        let other = built(&[("TOKEN", "0123456789abcdef")]);
        assert_ne!(one.sentinels, other.sentinels);
        assert_eq!(built(&[("TOKEN", "")]).sentinels.first().unwrap().1.len(), 0);
    }
}
