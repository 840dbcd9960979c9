//! Files among the words of a program whose arguments are not understood.

use crate::facts::AccessFact;
use crate::forms::basename;
use crate::peel::table_name;
use crate::place::{climbed, place_of};
use crate::runs::may_write;
use crate::state::State;
use crate::tables::interpreters::interpreter;
use crate::walk::{Stdin, Walker};
use crate::{Access, Accessor, Arg};
use portcullis_model::{Reason, Span};

/// More words than this of one command are not looked at.
const MOST: usize = 48;

impl Walker<'_> {
    /// Notes every word that reads like a path, so that a deny rule for a file also asks about the
    /// programs that no table knows. Words without a slash or a dot are names of other things.
    pub(crate) fn guesses(
        &mut self,
        index: usize,
        argv: &[Arg],
        stdin: &Stdin,
        span: Span,
        state: &State,
    ) {
        let mut words: Vec<&str> = Vec::new();
        let name = argv.first().and_then(Arg::known).map_or("", basename);
        let commands = takes_commands(name);
        for word in argv.iter().skip(1).filter_map(Arg::known) {
            if !word.contains(char::is_whitespace) {
                candidates(word, &mut words);
            } else if commands {
                // `sqlite3 x '.read .env'`
                word.split(PARTS).for_each(|part| candidates(part, &mut words));
            }
        }
        let mut code = interpreter(argv).map(|found| found.code).unwrap_or_default();
        if let Stdin::Known(text) = stdin {
            if interpreter(argv).is_some_and(|found| found.reason == Reason::InterpreterStdin) {
                code.push(Arg::Known(text.clone()));
            } else if commands || takes_names(name) {
                text.split(PARTS).for_each(|part| candidates(part, &mut words));
            }
        }
        for piece in code.iter().filter_map(Arg::known) {
            paths_in_code(piece, &mut words);
        }
        let module = argv.windows(2).any(|pair| {
            pair.first().and_then(Arg::known) == Some("-m")
                && pair.get(1).and_then(Arg::known) == Some("dotenv")
        });
        if module || matches!(name, "dotenv" | "dotenvx") {
            words.push(ENVIRONMENT_FILE);
        }
        let mut writes = argv.iter().skip(1).filter_map(Arg::known).any(says_it_writes);
        writes |= code.iter().filter_map(Arg::known).any(may_write);
        self.guess_words(index, words, writes, span, state);
    }

    /// Notes the files that code names, which a file run by this text holds.
    pub(crate) fn guess_code(&mut self, code: &str, span: Span, state: &State) {
        let mut words = Vec::new();
        paths_in_code(code, &mut words);
        self.guess_words(self.out.commands.len(), words, may_write(code), span, state);
    }

    fn guess_words(
        &mut self,
        index: usize,
        mut words: Vec<&str>,
        writes: bool,
        span: Span,
        state: &State,
    ) {
        words.sort_unstable();
        words.dedup();
        for word in words.into_iter().take(MOST) {
            let arg = Arg::Known(word.to_owned());
            let place = place_of(&arg, &state.cwd, &self.call.home);
            for access in [Access::Read, Access::Write] {
                let known = self.out.accesses.iter().rev().take(MOST).any(|known| {
                    known.by == Accessor::Operand(index)
                        && known.access == access
                        && known.place == place
                });
                if known || (access == Access::Write && !writes) {
                    continue;
                }
                let fact = AccessFact::guess(access, index, word, span, place.clone());
                self.out.accesses.push(AccessFact { climbed: climbed(word, &state.cwd), ..fact });
            }
        }
    }
}

/// The words of code that read like paths.
fn paths_in_code<'a>(code: &'a str, words: &mut Vec<&'a str>) {
    let apart =
        |c: char| !c.is_alphanumeric() && !matches!(c, '.' | '/' | '_' | '-' | '~' | '+' | '@');
    words.extend(code.split(apart).filter(|word| is_pathlike(word)));
    if ["dotenv", "loadEnvFile", "Dotenv"].iter().any(|loads| code.contains(loads)) {
        words.push(ENVIRONMENT_FILE);
    }
}

/// What libraries and programs that load an environment from a file take when none is named.
const ENVIRONMENT_FILE: &str = ".env";

/// What stands between the names of files in commands and lists.
const PARTS: [char; 8] = [' ', '\t', '\n', '\'', '"', '(', ')', ';'];

/// Editors, database shells and file transfers whose commands name files.
fn takes_commands(name: &str) -> bool {
    matches!(
        name,
        "sqlite3"
            | "psql"
            | "mysql"
            | "duckdb"
            | "vi"
            | "vim"
            | "nvim"
            | "view"
            | "ex"
            | "ed"
            | "gdb"
            | "lldb"
            | "sftp"
            | "ftp"
            | "lftp"
            | "smbclient"
            | "emacs"
            | "mongosh"
    )
}

/// Programs that read the names of files from their input, alone or in directives.
fn takes_names(name: &str) -> bool {
    matches!(
        table_name(name),
        "cpio" | "tar" | "rsync" | "zip" | "pax" | "7z" | "parallel" | "wget" | "afio"
            // `#include`
            | "cpp" | "gcc" | "g++" | "cc" | "c++" | "clang" | "clang++" | "tcc" | "m4"
    )
}

/// The parts of a word that may be a path: all of it, the value of a flag, what follows `=`, `@` or
/// `:`.
fn candidates<'a>(word: &'a str, out: &mut Vec<&'a str>) {
    if word.contains("://") && !word.contains("file://") {
        return;
    }
    let mut push = |text: &'a str| {
        if is_pathlike(text) {
            out.push(text);
        }
    };
    if word.starts_with("--") {
        push(word.split_once('=').map_or("", |(_, value)| value));
    } else if word.starts_with('-') {
        push(word.get(2..).unwrap_or(""));
        push(word.get(1..).unwrap_or(""));
    } else {
        push(word);
    }
    for mark in ['=', '@', ':', ','] {
        word.split(mark).filter(|part| part.len() < word.len()).for_each(&mut push);
    }
    if let Some((_, path)) = word.split_once("file://") {
        push(path);
    }
}

/// A word with a slash or a dot in it, and something else.
fn is_pathlike(word: &str) -> bool {
    word.len() < 1024
        && word.contains(['/', '.'])
        && word.contains(|c: char| c.is_alphanumeric())
        && !word.starts_with('-')
}

/// Whether a word is a flag with which programs commonly change the files they are given.
fn says_it_writes(word: &str) -> bool {
    let name = word.split('=').next().unwrap_or(word);
    matches!(
        name,
        "-w" | "-i"
            | "-o"
            | "-O"
            | "--write"
            | "--fix"
            | "--in-place"
            | "--inplace"
            | "--output"
            | "--out"
            | "--outfile"
            | "--output-file"
            | "--out-file"
            | "--overwrite"
            | "--save"
            | "--update"
            | "--apply"
    ) || word.starts_with("-i.")
        || word.starts_with("of=")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn finds_the_parts_that_may_be_paths() {
        for (word, want) in [
            (".env", vec![".env"]),
            ("--env-file=.env", vec![".env", ".env"]),
            ("-f.env", vec![".env", "f.env"]),
            ("@.env", vec!["@.env", ".env"]),
            ("https://x.org/.env", vec![]),
            ("secrets", vec![]),
            ("..", vec![]),
        ] {
            let mut found = Vec::new();
            candidates(word, &mut found);
            assert_eq!(found, want, "{word}");
        }
    }
}
