//! Places a command can stand in.

/// How a command is written into a place.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Embedding {
    /// As it is.
    Verbatim,
    /// Between backquotes: bash unescapes once.
    Backquoted,
    /// Between single quotes, as data that is run later.
    SingleQuoted,
}

use Embedding::{Backquoted, SingleQuoted, Verbatim};

/// Places where bash runs the command; `@@` is where it stands.
pub const SURROUNDINGS: &[(Embedding, &str)] = &[
    (Verbatim, "@@"),
    // Lists.
    (Verbatim, "true; @@"),
    (Verbatim, "true && @@"),
    (Verbatim, "false || @@"),
    (Verbatim, "true | @@"),
    (Verbatim, "true |& @@"),
    (Verbatim, "true & @@"),
    (Verbatim, "true\n@@"),
    (Verbatim, "true &&\n\n@@"),
    (Verbatim, "@@; true"),
    (Verbatim, "@@ && true"),
    (Verbatim, "@@ || true"),
    (Verbatim, "@@ | cat"),
    (Verbatim, "@@ |& cat"),
    (Verbatim, "@@ & wait"),
    (Verbatim, "@@\ntrue"),
    (Verbatim, "cd . && @@"),
    (Verbatim, "set -e; @@"),
    (Verbatim, "! @@"),
    (Verbatim, "time @@"),
    // Redirects.
    (Verbatim, "@@ > out 2>&1"),
    (Verbatim, "@@ 2> /dev/null"),
    (Verbatim, "exec 3>&1; @@"),
    // Compound commands.
    (Verbatim, "if true; then @@; fi"),
    (Verbatim, "if @@; then :; fi"),
    (Verbatim, "if false; then :; else @@; fi"),
    (Verbatim, "if false; then :; elif @@; then :; fi"),
    (Verbatim, "while true; do @@; break; done"),
    (Verbatim, "while @@; do break; done"),
    (Verbatim, "until false; do @@; break; done"),
    (Verbatim, "while read l; do @@; done <<< x"),
    (Verbatim, "for i in 1; do @@; done"),
    (Verbatim, "for i in 1 2\ndo\n@@\ndone"),
    (Verbatim, "for ((i = 0; i < 1; i++)); do @@; done"),
    (Verbatim, "for i in $(@@); do :; done"),
    (Verbatim, "case x in x) @@;; esac"),
    (Verbatim, "case x in (y) ;; (*) @@ ;; esac"),
    (Verbatim, "case $(@@) in *) ;; esac"),
    (Verbatim, "select i in a; do @@; break; done <<< 1"),
    (Verbatim, "( @@ )"),
    (Verbatim, "(:; (@@))"),
    (Verbatim, "{ @@; }"),
    (Verbatim, "{ { @@; } > out; } 2>&1"),
    (Verbatim, "f() { @@; }; f"),
    (Verbatim, "function f { @@; }; f"),
    (Verbatim, "f() ( @@ ); f"),
    (Verbatim, "coproc { @@; }; wait"),
    (Verbatim, "coproc NAME { @@; }; wait"),
    // Substitutions.
    (Verbatim, "echo $(@@)"),
    (Verbatim, "echo \"a $(@@) b\""),
    (Verbatim, "echo \"$(echo \"$(@@)\")\""),
    (Backquoted, "echo `@@`"),
    (Verbatim, "x=$(@@)"),
    (Verbatim, "x=\"a$(@@)b\" true"),
    (Verbatim, "export x=$(@@)"),
    (Verbatim, "x=(a $(@@) b)"),
    (Verbatim, "echo ${y:-$(@@)}"),
    (Verbatim, "echo \"${y:-\"$(@@)\"}\""),
    (Verbatim, ": ${y:=$(@@)}"),
    (Verbatim, "echo > $(@@; echo out)"),
    (Verbatim, "echo $(( $(@@ > /dev/null; echo 1) + 1 ))"),
    (Verbatim, "cat <(@@)"),
    (Verbatim, "echo > >(@@)"),
    (Verbatim, "[[ -n $(@@) ]]"),
    (Verbatim, "[[ a == b || $(@@) ]]"),
    (Verbatim, "[ -n \"$(@@)\" ]"),
    (Verbatim, "cat <<OUTER\n$(@@)\nOUTER"),
    (Verbatim, "cat <<OUTER | cat\na $(@@) b\nOUTER"),
    (Verbatim, "cat <<< \"$(@@)\""),
    // After text that is not run.
    (Verbatim, "# comment\n@@"),
    (Verbatim, "true # it's a \"comment\n@@"),
    (Verbatim, "cat <<'OUTER'\nit's $(text\nOUTER\n@@"),
    (Verbatim, "cat <<A <<B\na\nA\nb\nB\n@@"),
    (Verbatim, "cat <<-OUTER\n\ttext\n\tOUTER\n@@"),
    (Verbatim, "echo 'it''s' \"a \\\" b\" $'\\''; @@"),
    (Verbatim, "true x\\\n#y; @@"),
    (Verbatim, "echo \\\\; @@"),
    (
        Verbatim,
        ":;:;:;:;:;:;:;:;:;:;:;:;:;:;:;:;:;:;:;:;:;:;:;:;:;:;:;:;:;:;:;:;:;:;:;:;:;:;:;:;:;:;:;:;:;:;:;:;:;:;:;:;:;:;:;:;@@",
    ),
    // Payloads.
    (SingleQuoted, "eval '@@'"),
    (SingleQuoted, "bash -c '@@'"),
    (SingleQuoted, "trap '@@' EXIT"),
    (SingleQuoted, "timeout 5 bash -c '@@'"),
    (Verbatim, "bash <<'OUTER'\n@@\nOUTER"),
    (Verbatim, "source <(cat <<'OUTER'\n@@\nOUTER\n)"),
];

/// Places bash does not run the command in, this time; it counts all the same.
pub const NOT_TAKEN: &[&str] = &[
    "false && @@",
    "true || @@",
    "if false; then @@; fi",
    "if true; then :; else @@; fi",
    "while false; do @@; done",
    "until true; do @@; done",
    "for i in; do @@; done",
    "case x in y) @@;; esac",
    "[[ a == b ]] && @@",
    "f() { @@; }",
    "function f { @@; }; true",
    "exit; @@",
    "x=1; echo ${x:-$(@@)}",
    "false && { true; (echo $(@@)); }",
    "trap '@@' USR1",
];
