//! Which environment variables are harmless, and which change what runs.

/// Whether an assignment to this variable is looked through by allow rules (given a static value).
pub fn safe_variable(name: &str) -> bool {
    SAFE.binary_search(&name).is_ok()
}

/// Whether this variable can change which program runs, or make a program load or run something.
///
/// It gives the reason its name; that it is not in this list does not make a variable harmless:
/// only [`safe_variable`] does.
pub fn hijacking_variable(name: &str) -> bool {
    if safe_variable(name) || HARMLESS_IN_FAMILY.contains(&name) {
        return false;
    }
    HIJACKING.binary_search(&name).is_ok()
        || HIJACKING_STARTS.iter().any(|start| name.starts_with(start))
        || HIJACKING_ENDS.iter().any(|end| name.ends_with(end))
}

/// Variables that change wording, colour, logging or the target platform, and nothing that runs.
const SAFE: &[&str] = &[
    "BLOCKSIZE",
    "BLOCK_SIZE",
    "CGO_ENABLED",
    "CHARSET",
    "CI",
    "CLICOLOR",
    "CLICOLOR_FORCE",
    "COLORTERM",
    "COLUMNS",
    "FORCE_COLOR",
    "GIT_TERMINAL_PROMPT",
    "GO111MODULE",
    "GOARCH",
    "GOEXPERIMENT",
    "GOOS",
    "GREP_COLOR",
    "GREP_COLORS",
    "LANG",
    "LANGUAGE",
    "LC_ALL",
    "LC_CTYPE",
    "LC_TIME",
    "LS_COLORS",
    "NODE_ENV",
    "NO_COLOR",
    "PYTEST_DEBUG",
    "PYTEST_DISABLE_PLUGIN_AUTOLOAD",
    "PYTHONDONTWRITEBYTECODE",
    "PYTHONUNBUFFERED",
    "RUST_BACKTRACE",
    "RUST_LOG",
    "TERM",
    "TIME_STYLE",
    "TZ",
];

/// Variables that decide what runs or is loaded, by name.
#[rustfmt::skip]
const HIJACKING: &[&str] = &[
    "ANT_OPTS", "AR", "AS", "AWKLIBPATH", "AWKPATH", "BASHOPTS", "BASH_ALIASES", "BASH_CMDS",
    "BASH_ENV", "BASH_LOADABLES_PATH", "BASH_XTRACEFD", "BUNDLE_GEMFILE", "BUN_INSTALL", "BZIP",
    "CC", "CDPATH", "CFLAGS", "CLASSPATH", "COMSPEC", "CONFIG_SHELL", "CPP", "CPPFLAGS",
    "CROSS_COMPILE", "CURL_HOME", "CXX", "CXXFLAGS", "DIRSTACK", "DOCKER_CONFIG", "DOCKER_CONTEXT",
    "DOCKER_HOST", "EDITOR", "EMACSLOADPATH", "ENV", "EXECIGNORE", "EXINIT", "FC", "FIGNORE",
    "FPATH", "FUNCNEST", "GCC_EXEC_PREFIX", "GCONV_PATH", "GEM_HOME", "GEM_PATH", "GLOBIGNORE",
    "GOBIN", "GOFLAGS", "GOPATH", "GOPROXY", "GOROOT", "GOTOOLCHAIN", "GRADLE_OPTS",
    "GRADLE_USER_HOME", "GREP_OPTIONS", "GTK_MODULES", "GTK_PATH", "GZIP", "HISTFILE", "HOME",
    "HOSTALIASES", "HOSTCC", "IFS", "INFOPATH", "INPUTRC", "JAVA_HOME", "JAVA_OPTS",
    "JAVA_TOOL_OPTIONS", "JDK_JAVA_OPTIONS", "KUBECONFIG", "KUBE_EDITOR", "LD", "LDFLAGS", "LESS",
    "LESSCLOSE", "LESSHISTFILE", "LESSKEY", "LESSKEYIN", "LESSKEY_CONTENT", "LESSOPEN", "LIBPATH",
    "LOCPATH", "LUA_CPATH", "LUA_INIT", "LUA_PATH", "MAIL", "MAILCAPS", "MAILCHECK", "MAILPATH",
    "MAKEFILES", "MAKEFLAGS", "MANOPT", "MANPATH", "MANROFFOPT", "MAVEN_ARGS", "MAVEN_OPTS",
    "MFLAGS", "MYVIMRC", "NLSPATH", "NM", "NODE", "NODE_EXTRA_CA_CERTS", "NODE_OPTIONS",
    "NODE_PATH", "NODE_REPL_EXTERNAL_MODULE", "NULLCMD", "NVIM_APPNAME", "OBJC", "OLDPWD",
    "OPENSSL_CONF", "OPENSSL_ENGINES", "OPENSSL_MODULES", "PATH", "PATHEXT", "PERLLIB", "PHPRC",
    "PHP_INI_SCAN_DIR", "PKG_CONFIG", "PKG_CONFIG_PATH", "PLUGIN_PATH", "POSIXLY_CORRECT",
    "PROMPT_COMMAND", "PS0", "PS1", "PS2", "PS3", "PS4", "PSQLRC", "PWD", "QT_PLUGIN_PATH",
    "RANLIB", "READNULLCMD", "RES_OPTIONS", "RIPGREP_CONFIG_PATH", "RSYNC_CONNECT_PROG",
    "RSYNC_RSH", "RUSTC", "RUSTC_WORKSPACE_WRAPPER", "RUSTC_WRAPPER", "RUSTDOC", "RUSTDOCFLAGS",
    "RUSTFLAGS", "RUSTUP_TOOLCHAIN", "R_HOME", "R_PROFILE", "R_PROFILE_USER", "SBT_OPTS",
    "SCRIPT_SHELL", "SHELL", "SHELLOPTS", "SSH_ASKPASS", "SSH_AUTH_SOCK", "SSH_SK_PROVIDER",
    "STRIP", "SUDO_ASKPASS", "SYSTEMD_EDITOR", "TAPE", "TAR_OPTIONS", "TCLLIBPATH", "TEMP",
    "TERMCAP", "TERMINFO", "TERMINFO_DIRS", "TEXINPUTS", "TIMEFMT", "TIMEFORMAT", "TMP", "TMPDIR",
    "UNZIP", "VIM", "VIMINIT", "VIMRUNTIME", "VISUAL", "WGETRC", "WINEPREFIX", "XAUTHORITY",
    "XDG_CONFIG_DIRS", "XDG_CONFIG_HOME", "XDG_DATA_DIRS", "XDG_DATA_HOME", "XDG_RUNTIME_DIR",
    "XZ_DEFAULTS", "XZ_OPT", "ZDOTDIR", "ZIP", "ZIPOPT", "histchars",
];

/// How names of families start of which every member can.
#[rustfmt::skip]
const HIJACKING_STARTS: &[&str] = &[
    "BASH_FUNC_", "BUNDLE_", "CARGO_", "COMP_", "DYLD_", "ELECTRON_", "GIT_", "GLIBC_", "LD_", "LUA_CPATH", "LUA_INIT",
    "LUA_PATH", "MALLOC_", "NIX_", "NPM_CONFIG_", "PERL", "PIP_", "PNPM_", "POETRY_", "PYTEST_", "PYTHON", "RUBY",
    "UV_", "YARN_", "npm_config_", "pnpm_config_",
];
/// How they end.
const HIJACKING_ENDS: &[&str] = &["EDITOR", "PAGER", "_BROWSER", "_WRAPPER"];
/// Members of those families that only carry data.
#[rustfmt::skip]
const HARMLESS_IN_FAMILY: &[&str] = &[
    "CARGO_TERM_COLOR", "CARGO_TERM_PROGRESS_WHEN", "CARGO_TERM_QUIET", "CARGO_TERM_VERBOSE",
    "GIT_AUTHOR_DATE", "GIT_AUTHOR_EMAIL", "GIT_AUTHOR_NAME", "GIT_COMMITTER_DATE",
    "GIT_COMMITTER_EMAIL", "GIT_COMMITTER_NAME", "PYTHONHASHSEED", "PYTHONIOENCODING",
];

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn tables_are_sorted_and_apart() {
        for table in [SAFE, HIJACKING, HIJACKING_STARTS, HIJACKING_ENDS, HARMLESS_IN_FAMILY] {
            assert!(table.is_sorted_by(|a, b| a < b), "{table:?}");
        }
        for name in HIJACKING {
            assert!(!SAFE.contains(name), "{name}");
            assert!(!HARMLESS_IN_FAMILY.contains(name), "{name}");
        }
    }

    #[test]
    fn knows_the_two_kinds() {
        for name in ["NODE_ENV", "LC_TIME", "GIT_TERMINAL_PROMPT", "PYTHONUNBUFFERED", "CI"] {
            assert!(safe_variable(name) && !hijacking_variable(name), "{name}");
        }
        for name in [
            "PATH",
            "LD_PRELOAD",
            "LD_LIBRARY_PATH",
            "BASH_ENV",
            "ENV",
            "IFS",
            "PS4",
            "GIT_PAGER",
            "GIT_SSH_COMMAND",
            "PAGER",
            "MANPAGER",
            "EDITOR",
            "NODE_OPTIONS",
            "PYTHONSTARTUP",
            "PERL5OPT",
            "RUBYOPT",
            "npm_config_script_shell",
            "BASH_CMDS",
            "RUSTC_WRAPPER",
            "DYLD_INSERT_LIBRARIES",
            "HOME",
            "LESSOPEN",
            "BASH_FUNC_ls%%",
            "PROMPT_COMMAND",
        ] {
            assert!(!safe_variable(name) && hijacking_variable(name), "{name}");
        }
        for name in
            ["FOO", "PORT", "GIT_AUTHOR_NAME", "LC_MESSAGES", "node_env", "", "ANTHROPIC_API_KEY"]
        {
            assert!(!safe_variable(name) && !hijacking_variable(name), "{name}");
        }
    }
}
