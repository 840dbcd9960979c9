//! What the operands are, by the row, once flags and operands are told apart.

use super::Access;
use super::reading::{Operand, Reading, without_prefix};
use crate::Arg;
use crate::tables::{Key, Operands};

impl Reading<'_> {
    /// Judges the operands by the row, after all arguments were read.
    pub(super) fn operands(&mut self) {
        let operands = std::mem::take(&mut self.operands);
        if let Some(extra) = operands.get(self.row.limit) {
            self.object(
                extra.index,
                format!("`{}` takes no such operand when it only reads", self.name()),
            );
        }
        match self.row.key {
            Key::Needed(flags) if !self.key_given => {
                self.object(
                    0,
                    format!("`{}` only reads with one of the flags `{flags}`", self.name()),
                );
            }
            Key::WithOperands(flags) if !self.key_given && !operands.is_empty() => {
                let index = operands.first().map_or(0, |operand| operand.index);
                self.object(
                    index,
                    format!(
                        "`{}` with an operand only reads with one of the flags `{flags}`",
                        self.name()
                    ),
                );
            }
            Key::Free | Key::Needed(_) | Key::WithOperands(_) => {}
        }
        self.place(&operands);
        self.operands = operands;
    }

    fn place(&mut self, operands: &[Operand<'_>]) {
        match self.row.operands {
            Operands::Text | Operands::Words | Operands::Command | Operands::Special(_) => {}
            Operands::Names => {
                if let Some(file) = operands
                    .iter()
                    .find(|operand| operand.arg.known().is_none_or(|text| text.contains('/')))
                {
                    self.misses(
                        file.index,
                        format!("`{}` takes a name with a slash for a file", self.name()),
                    );
                }
            }
            Operands::Nothing => {
                if let Some(first) = operands.first() {
                    self.object(
                        first.index,
                        format!("`{}` takes no operand when it only reads", self.name()),
                    );
                }
            }
            Operands::Read => self.all(operands, &[Access::Read]),
            Operands::ReadHere if operands.is_empty() => self.here(),
            Operands::ReadHere => self.all(operands, &[Access::Read]),
            Operands::PatternThenRead => {
                let files = match operands.split_first() {
                    // A glob in place of the pattern brings files along.
                    Some((first, rest))
                        if !self.pattern_given && !matches!(first.arg, Arg::Glob(_)) =>
                    {
                        rest
                    }
                    Some(_) | None => operands,
                };
                if files.is_empty() && self.recursive {
                    self.here();
                }
                self.all(files, &[Access::Read]);
            }
            Operands::ReadThenText => self.all(operands.get(..1).unwrap_or(&[]), &[Access::Read]),
            Operands::Change => self.all(operands, &[Access::Read, Access::Write]),
            Operands::Write => self.all(operands, &[Access::Write]),
            Operands::TextThenWrite => {
                let skip = usize::from(!self.reference_given);
                self.all(operands.get(skip..).unwrap_or(&[]), &[Access::Write]);
            }
            Operands::Remove => self.all(operands, &[Access::Remove]),
            Operands::InputThenOutput => {
                let (first, rest) = operands.split_at(operands.len().min(1));
                self.all(first, &[Access::Read]);
                self.all(rest, &[Access::Write]);
            }
            Operands::ReadThenWrite => self.transfer(operands, &[Access::Read]),
            Operands::MoveThenWrite => self.transfer(operands, &[Access::Read, Access::Remove]),
            Operands::WriteThenRead => {
                let (first, rest) = operands.split_at(operands.len().min(1));
                self.all(first, &[Access::Write]);
                self.all(rest, &[Access::Read]);
            }
            Operands::Revisions => operands.iter().for_each(|operand| self.revision(*operand)),
            Operands::DateFormat => {
                if let Some(other) =
                    operands.iter().find(|operand| !operand.arg.prefix().starts_with('+'))
                {
                    self.object(other.index, "an operand that is no format sets the clock");
                }
            }
            Operands::Number => {
                let number = |operand: &Operand<'_>| {
                    operand
                        .arg
                        .known()
                        .is_some_and(|text| text.bytes().all(|byte| byte.is_ascii_digit()))
                };
                if let Some(other) =
                    operands.iter().enumerate().find(|(at, operand)| *at > 0 || !number(operand))
                {
                    self.object(
                        other.1.index,
                        format!("`{}` only reads with at most a number", self.name()),
                    );
                }
            }
            Operands::OneOf(words) => {
                let listed = |operand: &Operand<'_>| {
                    operand
                        .arg
                        .known()
                        .is_some_and(|text| words.split(' ').any(|word| word == text))
                };
                match operands {
                    [first, ..] if !listed(first) => {
                        self.object(
                            first.index,
                            format!(
                                "this is not one of the words with which `{}` only reads",
                                self.name()
                            ),
                        );
                    }
                    [] => self.object(
                        0,
                        format!("`{}` without an operand is not known to only read", self.name()),
                    ),
                    [..] => {}
                }
            }
        }
    }

    /// Notes the current directory, which is meant where no operand is given.
    pub(super) fn here(&mut self) {
        self.path(0, Arg::Known(".".to_owned()), Access::Read);
    }

    /// Notes what is done to each operand.
    fn all(&mut self, operands: &[Operand<'_>], accesses: &[Access]) {
        for operand in operands {
            if self.row.name == "strings" && operand.arg.prefix().starts_with('@') {
                self.misses(operand.index, "`@` names a file of more arguments");
            }
            for access in accesses {
                match access {
                    Access::Read => self.reads(*operand),
                    Access::Write | Access::Remove => {
                        self.path(operand.index, operand.arg.clone(), *access);
                    }
                }
            }
        }
    }

    /// Notes a copy or a move: every operand but the last is a source, the last the target.
    fn transfer(&mut self, operands: &[Operand<'_>], source_accesses: &[Access]) {
        let (sources, last) = match (self.target.take(), operands.split_last()) {
            (Some(target), _) => (operands, Some(target)),
            (None, Some((last, sources))) if !sources.is_empty() => {
                if !matches!(last.arg, Arg::Known(_) | Arg::One { .. }) {
                    // Which of the words the glob or the expansion stands for is the target cannot be told.
                    self.complete = false;
                    self.all(&[*last], source_accesses);
                }
                self.path(last.index, last.arg.clone(), Access::Write);
                (sources, Some(last.arg.clone()))
            }
            (None, _) => (operands, None),
        };
        let remote = |arg: &Arg| {
            !self.row.judged
                && arg.prefix().split('/').next().is_some_and(|host| host.contains(':'))
        };
        let local: Vec<Operand<'_>> =
            sources.iter().filter(|source| !remote(source.arg)).copied().collect();
        self.paths.retain(|used| !remote(&used.arg));
        self.all(&local, source_accesses);
        let Some(target) = last.as_ref().filter(|target| !remote(target)).and_then(Arg::known)
        else {
            return;
        };
        for source in &local {
            let Some(text) = source.arg.known() else { continue };
            let name = text.trim_end_matches('/').rsplit('/').next().unwrap_or("");
            match name {
                // SECURITY: `cp -r x/. .` brings any name along, `.git/hooks` and `.claude` included
                // (test: `names_what_a_copy_makes`).
                "" | "." | ".." => self.harmless &= !self.recursive,
                // SECURITY: the target may be a directory, and then this is what gets written.
                name => {
                    let inside = format!("{}/{name}", target.trim_end_matches('/'));
                    self.path(source.index, Arg::Known(inside), Access::Write);
                }
            }
        }
    }

    /// Notes an operand of git: a revision, `revision:path`, or a path.
    fn revision(&mut self, operand: Operand<'_>) {
        let text = operand.arg.prefix();
        if !operand.after_dashes {
            if text.starts_with(':') {
                // A pathspec with magic (`:!secrets`) or an index entry (`:0:path`).
                self.complete = false;
                let stage = text.get(1..3).is_some_and(|text| {
                    text.ends_with(':') && text.starts_with(['0', '1', '2', '3'])
                });
                let magic = text.find(')').filter(|_| text.starts_with(":("));
                let at = magic.map_or(if stage { 3 } else { 1 }, |at| at + 1);
                let top = usize::from(text.get(at..).is_some_and(|rest| rest.starts_with('/')));
                if let Some(rest) =
                    without_prefix(operand.arg, at + top).filter(|rest| rest.known() != Some(""))
                {
                    self.path(operand.index, rest, Access::Read);
                }
                return;
            }
            if let Some((_, path)) = text.split_once(':') {
                let at = text.len() - path.len();
                if let Some(rest) =
                    without_prefix(operand.arg, at).filter(|rest| rest.known() != Some(""))
                {
                    self.path(operand.index, rest, Access::Read);
                }
                return;
            }
        }
        self.reads(operand);
    }
}
