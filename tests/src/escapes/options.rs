//! What the escape runner is asked to do.

use super::Identity;
use std::path::PathBuf;

/// How `cases escapes` is used.
pub const USAGE: &str = "\
usage: cases escapes [--with 'CMD…'] [--as user|root|both] [--backend full|shared-proc|landlock]
                     [--suite CLASS] [--only ID] [--baseline] [--show PATH]… [--quiet] FILE…

Runs every probe in a throw-away machine: first as it is, where it has to print LEAK, then behind the
sandbox command, where it must not. Prints each miss with both views, lists what cannot leak here with
the reason, and closes with `N passed, N failed`.

  --with CMD      the sandbox command, split at blanks (default: the `portcullis run --` built beside
                  this program)
  --as WHO        who runs the probes (default: both)
  --backend NAME  what the machine offers a sandbox: everything, a /proc that cannot be mounted
                  afresh, or no user namespaces
  --suite CLASS   only probes of one class
  --only ID       only one probe
  --baseline      only the first half
  --shown         only the second half: that the probes leak has been shown
  --show PATH     a file or folder of this machine the sandbox command needs to see
  --verbose       every probe with its output
  --quiet         only the closing lines
";

/// What a machine offers to whoever wants to make a sandbox.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Backend {
    /// Everything.
    Full,
    /// A `/proc` with something mounted over a part, as in a container: no fresh one can be had.
    SharedProc,
    /// No user namespaces.
    LandlockOnly,
}

/// What the runner is asked to do.
#[derive(Clone, Debug)]
pub struct Options {
    /// The corpus files.
    pub files: Vec<PathBuf>,
    /// The sandbox command.
    pub with: Vec<String>,
    /// Who runs the probes.
    pub identities: Vec<Identity>,
    /// What the machine offers.
    pub backend: Backend,
    /// Only probes of this class.
    pub class: Option<String>,
    /// Only the probe of this name.
    pub only: Option<String>,
    /// What else of the machine is visible.
    pub show: Vec<PathBuf>,
    /// Whether the sandbox is left out.
    pub baseline: bool,
    /// Whether the probes have been seen leaking before.
    pub shown: bool,
    /// How much is printed.
    pub volume: Volume,
    /// The folder of the compiled helpers, once inside the throw-away machine.
    pub inside: Option<PathBuf>,
}

/// How much is printed.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Volume {
    /// The closing lines.
    Quiet,
    /// Misses.
    Misses,
    /// Every probe.
    Everything,
}

impl Options {
    /// Reads the words after `escapes`.
    pub fn parse(words: &[String]) -> Result<Self, String> {
        let mut options = Self {
            files: Vec::new(),
            with: Vec::new(),
            identities: vec![Identity::User, Identity::Root],
            backend: Backend::Full,
            class: None,
            only: None,
            show: Vec::new(),
            baseline: false,
            shown: false,
            volume: Volume::Misses,
            inside: None,
        };
        let mut words = words.iter();
        while let Some(word) = words.next() {
            let mut value = || words.next().ok_or_else(|| format!("{word} needs a value"));
            match word.as_str() {
                "--with" => options.with = split(value()?),
                "--as" => options.identities = identities(value()?)?,
                "--backend" => options.backend = backend(value()?)?,
                "--suite" => options.class = Some(value()?.clone()),
                "--only" => options.only = Some(value()?.clone()),
                "--show" => options.show.push(value()?.into()),
                "--baseline" => options.baseline = true,
                "--shown" => options.shown = true,
                "--quiet" => options.volume = Volume::Quiet,
                "--verbose" => options.volume = Volume::Everything,
                "--inside" => options.inside = Some(value()?.into()),
                flag if flag.starts_with("--") => return Err(format!("no option `{flag}`")),
                path => options.files.push(path.into()),
            }
        }
        if options.files.is_empty() {
            return Err("no files given".to_owned());
        }
        Ok(options)
    }
}

fn split(command: &str) -> Vec<String> {
    command.split_whitespace().map(str::to_owned).collect()
}

fn identities(word: &str) -> Result<Vec<Identity>, String> {
    match word {
        "user" => Ok(vec![Identity::User]),
        "root" => Ok(vec![Identity::Root]),
        "both" => Ok(vec![Identity::User, Identity::Root]),
        other => Err(format!("nobody is called `{other}`: user, root or both")),
    }
}

fn backend(word: &str) -> Result<Backend, String> {
    match word {
        "full" => Ok(Backend::Full),
        "shared-proc" => Ok(Backend::SharedProc),
        "landlock" => Ok(Backend::LandlockOnly),
        other => Err(format!("no backend `{other}`: full, shared-proc or landlock")),
    }
}
