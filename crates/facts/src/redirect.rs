//! Redirects: which files they touch, and what input they set.

use crate::expand::{Nothing, expand};
use crate::facts::{AccessFact, RedirectFact};
use crate::outputs::{output_of_script, own_input, text_of};
use crate::place::{climbed, climbs, place_of};
use crate::state::{Cwd, Reach, State};
use crate::walk::{Stdin, Walker};
use crate::{Access, Accessor, Arg, Origin, Place};
use portcullis_model::Reason;
use portcullis_shell::{Descriptor, Part, Redirect, RedirectOp, Target, Word};

impl Walker<'_> {
    /// Collects the redirects; gives the input they set, if they do.
    pub(crate) fn redirects(
        &mut self,
        redirects: &[Redirect],
        command: Option<usize>,
        state: &mut State,
    ) -> Option<Stdin> {
        let mut stdin = None;
        for redirect in redirects {
            if let Descriptor::Variable(name) = &redirect.descriptor {
                // The number is put into the variable, and stays there.
                self.hijack(name, redirect.span);
                self.doubts.given(name, &[]);
            }
            match &redirect.target {
                Target::HereDoc(document) => {
                    self.word(&document.body, state);
                    stdin = Some(
                        own_input(std::slice::from_ref(redirect), &state.lookup(Reach::Text))
                            .map_or(Stdin::Unknown, Stdin::Known),
                    );
                }
                Target::Word(word) => {
                    self.word(word, state);
                    let input = self.file_redirect(redirect, word, command, state);
                    stdin = input.or(stdin);
                }
            }
        }
        stdin
    }

    fn file_redirect(
        &mut self,
        redirect: &Redirect,
        word: &Word,
        command: Option<usize>,
        state: &mut State,
    ) -> Option<Stdin> {
        let known = |lookup| match expand(word, true, lookup).as_slice() {
            [args] => match args.as_slice() {
                [arg] => Some(arg.clone()),
                _ => None,
            },
            _ => None,
        };
        let written = known(&Nothing);
        let process = word.parts.iter().find_map(|part| match part {
            Part::Process { script, output: false } => Some(script),
            Part::Process { .. }
            | Part::Text { .. }
            | Part::Glob(_)
            | Part::Param { .. }
            | Part::Subst { .. }
            | Part::Arith { .. }
            | Part::Tilde(_)
            | Part::Array(_)
            | Part::Unreadable { .. } => None,
        });
        let reads = matches!(redirect.op, RedirectOp::Read | RedirectOp::ReadWrite);
        let writes = match redirect.op {
            RedirectOp::Write
            | RedirectOp::Append
            | RedirectOp::Clobber
            | RedirectOp::ReadWrite
            | RedirectOp::WriteBoth
            | RedirectOp::AppendBoth => true,
            RedirectOp::DupWrite => {
                let text = written.as_ref().and_then(Arg::known).map(str::to_owned);
                !text.is_some_and(|text| {
                    let digits = text.strip_suffix('-').unwrap_or(&text);
                    digits.chars().all(|c| c.is_ascii_digit())
                })
            }
            RedirectOp::Read
            | RedirectOp::DupRead
            | RedirectOp::HereDoc
            | RedirectOp::HereDocTabs
            | RedirectOp::HereString => false,
        };
        if matches!(redirect.op, RedirectOp::DupRead | RedirectOp::DupWrite)
            && let Some(text) = written.as_ref().and_then(Arg::known)
        {
            self.copies(redirect, text);
        }
        let static_target = written.as_ref().and_then(Arg::known).map(str::to_owned);
        if redirect.op != RedirectOp::HereString {
            self.out.redirects.push(RedirectFact {
                descriptor: match &redirect.descriptor {
                    Descriptor::Default => None,
                    Descriptor::Number(number) => Some(number.clone()),
                    Descriptor::Variable(name) => Some(format!("{{{name}}}")),
                },
                op: redirect.op.text(),
                target: static_target,
            });
        }
        if matches!(redirect.op, RedirectOp::HereString) {
            return Some(
                text_of(word, &state.lookup(Reach::Text))
                    .map_or(Stdin::Unknown, |text| Stdin::Known(text + "\n")),
            );
        }
        if let Some(script) = process {
            // The commands inside are judged on their own; the target itself is a pipe.
            return reads.then(|| {
                output_of_script(script, &state.lookup(Reach::Text))
                    .map_or(Stdin::Unknown, Stdin::Known)
            });
        }
        let resolved = known(&state.lookup(Reach::Places));
        let mut candidates = vec![(resolved.clone().unwrap_or_else(Arg::many), false)];
        for args in expand(word, true, &state.lookup(Reach::Text)) {
            if let [arg] = args.as_slice()
                && Some(arg) != resolved.as_ref()
            {
                candidates.push((arg.clone(), true));
            }
        }
        for (access, applies) in [(Access::Read, reads), (Access::Write, writes)] {
            if !applies {
                continue;
            }
            for (arg, refined) in &candidates {
                let relative = arg.known().is_some_and(|text| !text.starts_with('/'));
                if relative && state.cwd == Cwd::Unknown && !refined {
                    self.obstacle(Reason::CwdUnknown, redirect.span, "");
                }
                let place = match arg.known() {
                    Some(text) if free_device(text, access) => Place::Free,
                    _ => place_of(arg, &state.cwd, &self.call.home),
                };
                self.opens(redirect, self.out.accesses.len());
                self.out.accesses.push(AccessFact {
                    access,
                    by: Accessor::Redirect(command),
                    text: arg.known().map_or_else(|| word_text(word, arg), str::to_owned),
                    span: self.carrier.unwrap_or(redirect.span),
                    place,
                    recursive: false,
                    found: None,
                    visible_only: false,
                    carried: *refined || self.origin != Origin::Written,
                    climbs: arg.known().is_some_and(climbs),
                    climbed: arg.known().map(|text| climbed(text, &state.cwd)).unwrap_or_default(),
                    dynamic: written.as_ref().is_none_or(|arg| arg.known().is_none()),
                    guessed: false,
                    settled: false,
                });
            }
        }
        reads.then_some(Stdin::Unknown)
    }
}

fn word_text(word: &Word, arg: &Arg) -> String {
    word.known().unwrap_or_else(|| match arg {
        Arg::Known(text) | Arg::Glob(text) => text.clone(),
        Arg::One { prefix, suffix } | Arg::Many { prefix, suffix } => format!("{prefix}…{suffix}"),
    })
}

/// Devices that hold nothing. What their names lead to besides is seen by `through_descriptors`.
fn free_device(text: &str, access: Access) -> bool {
    matches!(text, "/dev/null" | "/dev/stdout" | "/dev/stderr")
        || (access == Access::Read && matches!(text, "/dev/stdin" | "/dev/tty"))
        || text
            .strip_prefix("/dev/fd/")
            .is_some_and(|rest| !rest.is_empty() && rest.chars().all(|c| c.is_ascii_digit()))
}
