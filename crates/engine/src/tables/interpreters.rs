//! Programs that run any code they are given: a prefix rule for one of them allows everything.

/// Whether a program runs code given as an argument or input.
pub fn runs_any_code(name: &str) -> bool {
    let stem = name.trim_end_matches(|c: char| c.is_ascii_digit() || c == '.');
    PROGRAMS.binary_search(&name).is_ok() || PROGRAMS.binary_search(&stem).is_ok()
}

/// Sorted.
const PROGRAMS: &[&str] = &[
    "ash",
    "awk",
    "bash",
    "bun",
    "bunx",
    "busybox",
    "cmd",
    "csh",
    "dash",
    "deno",
    "doas",
    "docker",
    "env",
    "eval",
    "exec",
    "fish",
    "gawk",
    "gdb",
    "irb",
    "java",
    "ksh",
    "lua",
    "make",
    "mawk",
    "nix",
    "node",
    "npx",
    "osascript",
    "parallel",
    "perl",
    "php",
    "pipx",
    "pnpm",
    "podman",
    "powershell",
    "pwsh",
    "py",
    "pypy",
    "python",
    "ruby",
    "sh",
    "source",
    "ssh",
    "su",
    "sudo",
    "tclsh",
    "toybox",
    "tsx",
    "uv",
    "uvx",
    "watch",
    "xargs",
    "yarn",
    "zsh",
];

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn is_sorted() {
        assert!(PROGRAMS.is_sorted());
        assert!(runs_any_code("python3.11"));
        assert!(!runs_any_code("git"));
    }
}
