//! Every environment variable portcullis reads. It sets none, but for [`CLAUDE_PROJECT_DIR`] when
//! `doctor` calls a hook as the agent would.

use std::path::PathBuf;

/// The home directory: where `~/` starts and user settings are. The password database is asked
/// where it is unset.
pub const HOME: &str = "HOME";

/// Where the agent keeps its user settings, instead of `~/.claude`.
pub const CLAUDE_CONFIG_DIR: &str = "CLAUDE_CONFIG_DIR";

/// The directory the agent's session was started in; the agent sets it for its hooks.
pub const CLAUDE_PROJECT_DIR: &str = "CLAUDE_PROJECT_DIR";

/// Set and not empty: no colour.
pub const NO_COLOR: &str = "NO_COLOR";

/// The terminal; `dumb` means no colour.
pub const TERM: &str = "TERM";

/// Where `install` looks for the name under which this program is called. Nothing is run from it.
pub const PATH: &str = "PATH";

/// The proxies that `connect` goes through, the first that is set.
pub const PROXIES: [&str; 4] = ["ALL_PROXY", "all_proxy", "HTTPS_PROXY", "https_proxy"];

/// Where temporary directories are made, if not in `/tmp`.
pub const TMPDIR: &str = "TMPDIR";

/// The user's own directory for sockets, which nobody else can enter.
pub const XDG_RUNTIME_DIR: &str = "XDG_RUNTIME_DIR";

/// Whether sandboxed commands are kept from the credentials of the built-in list. Read as the agent
/// reads it.
pub const CLAUDE_CODE_SUBPROCESS_ENV_SCRUB: &str = "CLAUDE_CODE_SUBPROCESS_ENV_SCRUB";

/// Which way the hook's worker fails. Only read by builds with the feature `fault-injection`.
#[cfg(feature = "fault-injection")]
pub const PORTCULLIS_FAULT: &str = "PORTCULLIS_FAULT";

/// The home directory, if there is one.
pub fn home() -> Option<String> {
    std::env::home_dir().and_then(text)
}

/// A variable that holds a path or a word, if it is set, not empty and valid text.
pub fn value(name: &str) -> Option<String> {
    std::env::var(name).ok().filter(|value| !value.is_empty())
}

/// The directory the process is in.
pub fn current_directory() -> Option<String> {
    std::env::current_dir().ok().and_then(text)
}

fn text(path: PathBuf) -> Option<String> {
    path.into_os_string().into_string().ok().filter(|path| !path.is_empty())
}
