//! A name, as found and as asked, before the rules.

use super::report::{Denial, now};
use super::tables;
use super::target::{Base, Target};
use portcullis_model::AbsPath;
use portcullis_profile::{Access, Effect, Judgement, Kind};
use rustix::io::Errno;
use std::ffi::CStr;
use std::os::fd::AsFd;

/// How a name is judged that no rule mentions.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Unlisted {
    /// As the rules say: reading is possible, writing is not.
    Ruled,
    /// As possible: it is no file, and what may be done with it is decided by the kernel.
    Possible,
}

impl Target<'_> {
    /// The path as the program wrote it, made absolute by the name of where it starts.
    pub(super) fn asked(&self, base: &Base, path: &CStr) -> AbsPath {
        let path = path.to_string_lossy();
        let start = match base {
            Base::Root => String::new(),
            Base::Object(object) => {
                let name = self.shared.name_of(object.as_fd()).unwrap_or_default();
                String::from_utf8_lossy(&name).into_owned()
            }
        };
        // The name of something that is no directory need not be absolute.
        let root = AbsPath::parse(&start).unwrap_or_else(|_| AbsPath::root());
        root.join(&path).unwrap_or(root)
    }

    /// Judges one access to a name, and tells of a refusal. `asked` is the name that led there, where it is
    /// another.
    pub(super) fn judge(
        &self,
        name: &[u8],
        asked: Option<&AbsPath>,
        access: Access,
        kind: Kind,
        unlisted: Unlisted,
    ) -> Result<(), Errno> {
        // A pipe, a socket, an anonymous inode: no name, and whoever names its descriptor has it.
        if name.first() != Some(&b'/') {
            return Ok(());
        }
        let files = &self.shared.files;
        let text = String::from_utf8_lossy(name);
        let found = AbsPath::parse(&text).map_err(|_error| Errno::ACCESS)?;
        // SECURITY: the kernel marks a removed name by this suffix; without it a rule about `.env` would
        // not know `.env (deleted)`. A file may really be called so: both names count.
        let unmarked = text.strip_suffix(" (deleted)").and_then(|text| AbsPath::parse(text).ok());
        let mut names = vec![(&found, unlisted)];
        names.extend(unmarked.as_ref().map(|name| (name, Unlisted::Possible)));
        if let Some(asked) = asked.filter(|asked| **asked != found) {
            // A name that leads somewhere else need not be listed for writing, but may be denied.
            names.push((asked, Unlisted::Possible));
        }
        for (name, unlisted) in names {
            if files.effect(name, access, kind) == Effect::Allow {
                continue;
            }
            let judgement = files.judge_as(name, access, kind);
            let is_possible = unlisted == Unlisted::Possible && judgement.rule.is_none();
            if !is_possible {
                return Err(self.deny(
                    asked.unwrap_or(&found).as_str(),
                    found.as_str(),
                    &judgement,
                ));
            }
        }
        Ok(())
    }

    /// Whether an access would be refused, without telling.
    pub(super) fn would_deny(
        &self,
        name: &[u8],
        asked: Option<&AbsPath>,
        access: Access,
        kind: Kind,
    ) -> bool {
        let found = AbsPath::parse(&String::from_utf8_lossy(name));
        let denied = |path: &AbsPath| self.shared.files.effect(path, access, kind) == Effect::Deny;
        found.map_or(true, |found| denied(&found)) || asked.is_some_and(denied)
    }

    /// Tells of a refusal; the error the program gets.
    pub(super) fn deny(&self, asked: &str, found: &str, judgement: &Judgement<'_>) -> Errno {
        let rule = judgement.rule.map(|rule| rule.origin.to_string()).unwrap_or_default();
        self.tell(asked, found, rule, Errno::ACCESS)
    }

    /// Tells of a refusal; the error the program gets.
    pub(super) fn tell(&self, asked: &str, found: &str, rule: String, errno: Errno) -> Errno {
        self.shared.reports.tell(Denial {
            time: now(),
            layer: "supervisor".to_owned(),
            operation: tables::name_of(self.call.call).to_owned(),
            asked: asked.to_owned(),
            resolved: found.to_owned(),
            rule,
            pid: self.call.thread,
            program: self.program(),
            errno: errno.raw_os_error(),
            suppressed: 0,
        });
        errno
    }
}
