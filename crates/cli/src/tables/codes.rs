//! The pages of stable codes, shown by `portcullis explain CODE`.

use crate::codes::{Page, Topic};

const fn verdict(
    code: &'static str,
    meaning: &'static str,
    example: &'static str,
    cure: &'static str,
) -> Page {
    Page { code, topic: Topic::Verdict, meaning, example, cure }
}

const fn command(
    code: &'static str,
    meaning: &'static str,
    example: &'static str,
    cure: &'static str,
) -> Page {
    Page { code, topic: Topic::Command, meaning, example, cure }
}

/// Every page.
pub(crate) const PAGES: &[Page] = &[
    verdict(
        "rule",
        "a rule of the settings decided: deny rules come first, then ask rules, then allow rules",
        "deny `Bash(git push *)` decides `git push origin main` whatever allow rules say",
        "narrow or remove the rule at the place that is named",
    ),
    verdict(
        "no-rule",
        "no rule covers this part of the call, so its tool and the mode decide: ask",
        "`make -j4` with no rule for `make`",
        "allow the narrowest prefix that is needed, such as `Bash(make test *)`",
    ),
    verdict(
        "read-only",
        "the command is known to change nothing, in the form it is written in",
        "`git log --oneline -5`",
        "nothing is needed; a deny or ask rule for the command would hold all the same",
    ),
    verdict(
        "working-directory",
        "the path is inside the working directories",
        "reading `src/main.rs` of the project",
        "nothing is needed; a Read or Edit deny rule for the path would hold all the same",
    ),
    verdict(
        "outside-working-directory",
        "the path is outside the working directories, and no Read or Edit rule covers it",
        "`cat /etc/hosts` in a project below the home directory",
        "allow the path by a `Read(…)` or `Edit(…)` rule, or add its directory to `permissions.additionalDirectories`",
    ),
    verdict(
        "protected-path",
        "the path configures programs that run later, so no rule approves a write in advance",
        "`echo x >> .bashrc`, or an edit of `.git/hooks/pre-commit`",
        "approve the write when it is asked for, or make it yourself",
    ),
    verdict(
        "critical-removal",
        "the removal could take the system, the home directory or the whole project with it",
        "`rm -rf ~`, `rm -rf \"$DIR\"/*`",
        "name what should go more closely; no rule and no hook approves this in advance",
    ),
    verdict(
        "preapproved-host",
        "the host is on the shipped list of documentation sites, which need no rule",
        "fetching `https://docs.rs/serde`",
        "nothing is needed; deny `WebFetch(domain:…)` to keep a host out",
    ),
    verdict(
        "sandboxed",
        "the command would run inside the sandbox, which bounds what it can do",
        "`make` with `sandbox.enabled` and `autoAllowBashIfSandboxed`",
        "deny and ask rules with content still hold; set `autoAllowBashIfSandboxed` to false to be asked",
    ),
    verdict(
        "mode",
        "the permission mode of the session decided",
        "an edit in mode `plan`, or an unmatched call in mode `dontAsk`",
        "switch the mode, or add a rule that decides before the mode does",
    ),
    verdict(
        "hook",
        "another hook of the host answered for the same call",
        "a PreToolUse hook of a plugin that said `deny`",
        "look at the hooks of the host; answers combine as deny, defer, ask, allow",
    ),
    verdict(
        "broken-policy",
        "a settings source is broken; what it grants is gone, and calls it might forbid ask",
        "`.claude/settings.json` with a missing comma",
        "repair the place that is named; `portcullis doctor` shows it with a caret",
    ),
    verdict(
        "bug",
        "something inside portcullis went wrong; such a verdict is never looser than ask",
        "an impossible state while matching a path",
        "please report the call and the version",
    ),
    command(
        "syntax-error",
        "bash stops at the error, but has by then run the lines before it",
        "`echo a; )`",
        "write the command so that bash accepts it as a whole",
    ),
    command(
        "unterminated",
        "what follows the open quote or block is not known to be text or command",
        "`echo \"a; rm x`",
        "close the quote, substitution, here-document or block",
    ),
    command(
        "too-long",
        "text beyond the limit is not read, so nothing can be said about it",
        "a command with a megabyte of data in it",
        "put the data into a file and name the file",
    ),
    command(
        "too-deep",
        "the nesting of substitutions and groups exceeds what is read",
        "`$($($($(…))))` many levels deep",
        "split the command into several calls",
    ),
    command(
        "parse-budget",
        "reading took longer than one call may cost",
        "thousands of unclosed brackets",
        "split the command into several calls",
    ),
    command(
        "control-char",
        "a control character outside quotes is read differently by terminals, editors and bash",
        "a carriage return between two words",
        "remove the character, or put it into `$'…'`",
    ),
    command(
        "confusable-space",
        "the character looks like a blank or like nothing, and bash reads it as part of a word",
        "a no-break space between `rm` and its operand",
        "use plain blanks, and quote other characters",
    ),
    command(
        "escaped-blank",
        "a blank inside a command name makes one word look like two",
        "`git\\ push`",
        "write the name without blanks",
    ),
    command(
        "reader-disagreement",
        "two independent readers found different words or commands, so neither is trusted",
        "syntax that bash versions read differently",
        "write the command in a simpler way",
    ),
    command(
        "unsupported-syntax",
        "the strict reader does not model this syntax, and does not guess",
        "`case` patterns with extended globs switched on halfway",
        "write the command in a simpler way",
    ),
    command(
        "dynamic-command-name",
        "the program that will run is not in the text, so every command rule might match it",
        "`$EDITOR file`, `\"$(which make)\" all`",
        "name the program in the command",
    ),
    command(
        "dynamic-redirect",
        "the file that will be written is not in the text",
        "`make > \"$LOG\"`",
        "name the file in the command",
    ),
    command(
        "net-redirect",
        "bash itself opens the connection, past every rule about programs",
        "`exec 3<>/dev/tcp/host/80`",
        "use a program, which rules can name",
    ),
    command(
        "exec-redirect",
        "`exec` with a redirect changes where every later command reads or writes",
        "`exec > out.log; make`",
        "redirect the commands one by one",
    ),
    command(
        "arith-dynamic",
        "bash evaluates names inside arithmetic, and a value may hold a command substitution",
        "`(( a[$i] ))`, `[[ $x -eq 1 ]]`",
        "use literal numbers, or `test` with quoted values",
    ),
    command(
        "name-operand",
        "a builtin takes the operand as a variable name and evaluates its subscript",
        "`unset \"$name\"`, `printf -v 'a[$(id)]' x`",
        "give a plain variable name",
    ),
    command(
        "declare-attribute",
        "an attribute makes later assignments be evaluated",
        "`declare -i n; n='a[$(id)]'`",
        "assign without attributes",
    ),
    command(
        "indirect-expansion",
        "which variable is read depends on the value of another",
        "`echo ${!name}`",
        "name the variable",
    ),
    command(
        "prompt-transform",
        "a prompt expansion runs command substitutions in the value",
        "`echo ${x@P}`",
        "print the value without `@P`",
    ),
    command(
        "function-definition",
        "a function gives a name another meaning for what follows",
        "`git() { rm -rf x; }; git status`",
        "call programs directly",
    ),
    command(
        "shadowed",
        "the shell of the host already has an alias or function of that name",
        "`ls` where `ls` is an alias",
        "write `command ls`, or the full path",
    ),
    command(
        "coproc",
        "a coprocess runs beside what follows and trades data with it",
        "`coproc cat`",
        "use a pipe",
    ),
    command(
        "shell-option",
        "the option changes how the rest of the text is read or what globs match",
        "`shopt -s extglob`",
        "leave shell options alone",
    ),
    command(
        "env-hijack",
        "the variable decides which program runs or what it loads first",
        "`PATH=. make`, `LD_PRELOAD=x.so ls`",
        "leave the assignment out, or allow the exact command with it",
    ),
    command(
        "eval-family",
        "the text is run as a command, and it is not known in full",
        "`eval \"$line\"`",
        "write the command itself",
    ),
    command(
        "source",
        "commands in another file run as if they stood here",
        "`source env.sh`",
        "allow the exact command if the file is trusted",
    ),
    command(
        "cwd-unknown",
        "relative paths that follow cannot be resolved",
        "`cd \"$DIR\" && rm x`",
        "name the directory, or use absolute paths",
    ),
    command(
        "wrapper-option",
        "an option of the wrapping program may change what it runs or how",
        "`nice --unknown make`",
        "use the options the manual page names, or leave the wrapper out",
    ),
    command(
        "exec-wrapper",
        "what the program runs depends on its input or on files",
        "`xargs -a list sh`, `find . -exec $x {} +`",
        "write the command itself",
    ),
    command(
        "interpreter-code",
        "the argument is a program in another language, which rules cannot look into",
        "`python3 -c 'import os; os.remove(\"x\")'`",
        "put the code into a file that can be reviewed, and run the file",
    ),
    command(
        "interpreter-stdin",
        "a shell or interpreter runs whatever arrives on its input",
        "`curl https://x | sh`",
        "save the script, look at it, and run the file",
    ),
    command(
        "interpreter-dynamic",
        "the code that will be run is not in the text",
        "`bash -c \"$CODE\"`",
        "write the command itself",
    ),
    command(
        "config-exec",
        "the option sets configuration that names a program to run",
        "`git -c core.pager=./x log`, `ssh -o ProxyCommand=…`",
        "leave the option out, or allow the exact command with it",
    ),
    command(
        "remote",
        "the command runs on another machine or in a container, where local paths mean nothing",
        "`ssh host rm x`, `docker run image sh`",
        "allow the exact command",
    ),
    command(
        "privilege",
        "the command runs as another user, whom file permissions may not stop",
        "`sudo make install`",
        "run it yourself, or allow the exact command",
    ),
];
