//! Variables whose value is run, holds options, or names what is loaded.

use crate::runs::{Runner, loader_of};

/// Variables whose value bash itself runs, as a file or as commands: any command may follow.
pub(crate) fn runs_what_it_names(name: &str) -> bool {
    matches!(
        name,
        "BASH_ENV"
            | "ENV"
            | "PROMPT_COMMAND"
            | "PS0"
            | "PS1"
            | "PS2"
            | "PS4"
            | "BASH_CMDS"
            | "BASH_ALIASES"
    ) || name.starts_with("BASH_FUNC_")
        || name.starts_with("GIT_CONFIG_")
        || matches!(
            name,
            "TAR_OPTIONS"
                | "MAKEFLAGS"
                | "GNUMAKEFLAGS"
                | "VIMINIT"
                | "EXINIT"
                | "FZF_DEFAULT_COMMAND"
                | "RSYNC_CONNECT_PROG"
                | "PERL5OPT"
                | "RUBYOPT"
        )
}

/// Variables whose value a program runs as a command.
pub(crate) fn holds_a_command(name: &str) -> bool {
    name.ends_with("PAGER")
        || name.ends_with("EDITOR")
        || name.ends_with("ASKPASS")
        || matches!(
            name,
            "VISUAL"
                | "BROWSER"
                | "FCEDIT"
                | "LESSOPEN"
                | "LESSCLOSE"
                | "GIT_SSH"
                | "GIT_SSH_COMMAND"
                | "GIT_EXTERNAL_DIFF"
                | "GIT_PROXY_COMMAND"
                | "RSYNC_RSH"
                | "CVS_RSH"
                | "SHELL"
                | "MAKE"
                | "CC"
                | "CXX"
                | "CPP"
                | "LD"
                | "AR"
                | "LESSEDIT"
                | "ACLOCAL"
                | "AUTOCONF"
                | "AUTOHEADER"
                | "AUTOM4TE"
                | "AUTOMAKE"
                | "CXXCPP"
                | "HGMERGE"
                | "LEX"
                | "LIBTOOL"
                | "M4"
                | "NM"
                | "RANLIB"
                | "STRIP"
                | "YACC"
        )
        || COMMAND_ENDS.iter().any(|end| name.to_ascii_uppercase().ends_with(end))
}

/// How the names of variables end whose value is a command.
const COMMAND_ENDS: &[&str] = &[
    "_CMD",
    "_COMMAND",
    "_BROWSER",
    "_DIFF",
    "_EXEC",
    "_HOOK",
    "_LAUNCHER",
    "_LINKER",
    "_RUNNER",
    "_SHELL",
    "_SSH",
    "_WRAPPER",
    "RUSTC",
    "RUSTDOC",
    "_CC",
    "_CXX",
    "_AR",
];

/// Variables whose value is read as options, some of which take a command.
pub(crate) fn holds_options(name: &str) -> bool {
    matches!(
        name,
        "GOFLAGS"
            | "RUSTFLAGS"
            | "RUSTDOCFLAGS"
            | "LESS"
            | "JAVA_TOOL_OPTIONS"
            | "JDK_JAVA_OPTIONS"
            | "JAVA_OPTS"
            | "MAVEN_OPTS"
            | "GRADLE_OPTS"
            | "FZF_DEFAULT_OPTS"
            | "SSH_OPTIONS"
            | "MANOPT"
            | "TOX_OVERRIDE"
            | "WGETRC"
    )
}

/// Variables that name files or directories from which a program loads what it runs.
pub(crate) fn loads_what_it_names(name: &str) -> Option<Runner> {
    match name {
        "PYTHONPATH" | "PYTHONHOME" => loader_of("python"),
        "NODE_PATH" => loader_of("node"),
        "PERL5LIB" | "PERLLIB" => loader_of("perl"),
        "RUBYLIB" => loader_of("ruby"),
        "LUA_PATH" => loader_of("lua"),
        "PYTHONSTARTUP" => Some(Runner::Code("python".to_owned())),
        "NODE_OPTIONS" => Some(Runner::Code("node".to_owned())),
        "MAKEFILES"
        | "BASH_ENV"
        | "ENV"
        | "GIT_CONFIG_GLOBAL"
        | "GIT_CONFIG_SYSTEM"
        | "GIT_CONFIG"
        | "VIMINIT"
        | "MYVIMRC"
        | "EXINIT"
        | "INPUTRC"
        | "PSQLRC"
        | "SQLITERC"
        | "R_PROFILE"
        | "R_PROFILE_USER"
        | "LUA_INIT"
        | "WGETRC"
        | "OPENSSL_CONF"
        | "LESSKEY"
        | "LESSKEYIN"
        | "BUNDLE_GEMFILE"
        | "RIPGREP_CONFIG_PATH"
        | "PERL5OPT"
        | "RUBYOPT"
        | "LD_PRELOAD"
        | "LD_AUDIT"
        | "JAVA_TOOL_OPTIONS"
        | "DOCKER_BUILDKIT_CONFIG" => Some(Runner::Other),
        "GIT_EXEC_PATH"
        | "GIT_TEMPLATE_DIR"
        | "GIT_DIR"
        | "COMPILER_PATH"
        | "GCC_EXEC_PREFIX"
        | "LD_LIBRARY_PATH"
        | "VIMRUNTIME"
        | "EMACSLOADPATH"
        | "TCLLIBPATH"
        | "CLASSPATH"
        | "AWKPATH"
        | "ZDOTDIR"
        | "CURL_HOME"
        | "BASH_LOADABLES_PATH"
        | "PERL5DB" => Some(Runner::Below),
        _ => None,
    }
}
