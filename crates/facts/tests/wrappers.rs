//! What is found under programs that run other programs, row by row.
//!
//! Commands are written as words: `'…'` is one known word, `$x` any number of unknown words,
//! `"$x"` exactly one, `a"$x"b` one with known ends.

use portcullis_facts::tables::builtins::{Directory, builtin_effect};
use portcullis_facts::tables::git_options::git_without_globals;
use portcullis_facts::tables::interpreters::interpreter;
use portcullis_facts::{Arg, Inner, Peeled, Strength, peel};
use portcullis_model::Reason;
use proptest::prelude::*;

/// Reads the notation above.
fn words(text: &str) -> Vec<Arg> {
    let mut out = Vec::new();
    let mut rest = text.trim_start();
    while !rest.is_empty() {
        let mut known = String::new();
        let mut split: Option<String> = None;
        let mut many = false;
        while let Some(c) = rest.chars().next().filter(|c| *c != ' ') {
            rest = rest.strip_prefix(c).unwrap_or(rest);
            match c {
                '\'' => {
                    let (word, after) = rest.split_once('\'').unwrap_or((rest, ""));
                    known.push_str(word);
                    rest = after;
                }
                '"' | '$' => {
                    many |= c == '$';
                    if c == '"' {
                        rest = rest.split_once('"').map_or("", |(_, after)| after);
                    } else {
                        rest = rest.trim_start_matches(|c: char| c.is_alphanumeric());
                    }
                    split.get_or_insert_with(|| std::mem::take(&mut known));
                    known.clear();
                }
                c => known.push(c),
            }
        }
        out.push(match split {
            None => Arg::Known(known),
            Some(prefix) if many => Arg::Many { prefix, suffix: known },
            Some(prefix) => Arg::One { prefix, suffix: known },
        });
        rest = rest.trim_start();
    }
    out
}

fn show_word(word: &Arg) -> String {
    match word {
        Arg::Known(text) if text.is_empty() || text.contains(' ') => format!("'{text}'"),
        Arg::Known(text) => text.clone(),
        Arg::One { prefix, suffix } => format!("{prefix}\"$\"{suffix}"),
        Arg::Many { prefix, suffix } => format!("{prefix}${suffix}"),
        Arg::Glob(glob) => format!("glob:{glob}"),
    }
}

fn show_one(inner: &Inner) -> String {
    match inner {
        Inner::Argv(words) => words.iter().map(show_word).collect::<Vec<_>>().join(" "),
        Inner::Script(text) => format!("script {}", show_word(text)),
        Inner::Stdin => "stdin".to_owned(),
        Inner::File(file) => format!("file {}", show_word(file)),
    }
}

fn show_all(inner: &[Inner]) -> String {
    inner.iter().map(show_one).collect::<Vec<_>>().join(" | ")
}

fn show(peeled: Option<&Peeled>) -> String {
    let Some(peeled) = peeled else { return "-".to_owned() };
    let mut out = show_all(&peeled.inner);
    if !peeled.possible.is_empty() {
        out.extend([" ?? ", &show_all(&peeled.possible)]);
    }
    out.trim().to_owned()
}

/// Command, what runs (`??` what may run, `-` nothing).
#[track_caller]
fn check(rows: &[(&str, &str)]) {
    let mut wrong = Vec::new();
    for (command, want) in rows {
        let got = show(peel(&words(command)).as_ref());
        if got != *want {
            wrong.push(format!("{command}\n   want {want}\n   got  {got}"));
        }
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}

#[test]
fn stripped_for_every_class() {
    for (command, want) in [
        ("timeout 30 npm test x", "npm test x"),
        ("timeout -k 5 30 npm test x", "npm test x"),
        ("timeout -k5 30 npm test x", "npm test x"),
        ("timeout --signal=KILL 30 npm test x", "npm test x"),
        ("timeout --sig KILL 30 npm test x", "npm test x"),
        ("timeout --foreground --preserve-status -v 1.5m npm test", "npm test"),
        ("timeout 5\"$X\" npm test", "npm test"),
        ("timeout 5 -- npm test", "npm test"),
        ("time npm test x", "npm test x"),
        ("time -p npm test x", "npm test x"),
        ("nice npm test x", "npm test x"),
        ("nice -10 npm test x", "npm test x"),
        ("nice -n 5 rm z", "rm z"),
        ("nice -n-5 rm z", "rm z"),
        ("nice --adjustment=5 npm test x", "npm test x"),
        ("nohup npm test x", "npm test x"),
        ("nohup -- npm test x", "npm test x"),
        ("stdbuf -o0 -e0 npm test x", "npm test x"),
        ("stdbuf --output=L npm test x", "npm test x"),
        ("command -p npm test x", "npm test x"),
        ("command -- rm z", "rm z"),
        ("builtin npm test x", "npm test x"),
        ("noglob npm test x", "npm test x"),
        ("xargs npm test x", "npm test x $"),
        ("xargs prettier --check", "prettier --check $"),
        ("time nice timeout 5 rm z", "nice timeout 5 rm z"),
        ("timeout 5 rm $X", "rm $"),
        ("timeout 5 \"$X\" y", "\"$\" y"),
    ] {
        let peeled = peel(&words(command)).expect(command);
        assert_eq!(show(Some(&peeled)), want, "{command}");
        assert_eq!(peeled.strength, Strength::Every, "{command}");
        assert!(peeled.obstacles.is_empty() && !peeled.exact_only, "{command}");
    }
}

#[test]
fn known_wrappers_with_flags_that_only_deny_looks_past() {
    for (command, want) in [
        ("xargs -n1 rm", "rm $"),
        ("xargs -0n1 rm -f", "rm -f $"),
        ("xargs -I{} npm test {} x{}y", "npm test \"$\" x\"$\"y"),
        ("xargs -I {} sh -c 'echo {}'", "sh -c echo \"$\""),
        ("xargs --replace rm {}", "rm \"$\""),
        ("xargs -i% rm %", "rm \"$\""),
        ("xargs --max-args=2 rm", "rm $"),
        ("time -o out npm test", "npm test"),
        ("time -v npm test", "npm test"),
        ("/usr/bin/time npm test", "npm test"),
        ("/usr/bin/timeout 5 npm test", "npm test"),
        ("./nice npm test", "npm test"),
        ("timeout 5 NODE_ENV=x npm test", "NODE_ENV=x npm test | npm test"),
    ] {
        let peeled = peel(&words(command)).expect(command);
        assert_eq!(show(Some(&peeled)), want, "{command}");
        assert_eq!(peeled.strength, Strength::DenyAsk, "{command}");
        assert!(peeled.obstacles.is_empty(), "{command}");
    }
}

#[test]
fn unknown_words_leave_every_start_open() {
    check(&[
        ("timeout $T npm test x", "?? $"),
        ("timeout \"$T\" npm test", "?? npm test | test"),
        ("timeout -k $T 5 rm z", "?? $"),
        ("timeout --wat 5 rm z", "?? rm z | z"),
        ("nice \"$N\" rm z", "?? rm z | z | \"$\" rm z"),
        ("env $E rm z", "?? $"),
        ("env A=\"$X\" rm z", "rm z"),
        ("env A=$X rm z", "?? $"),
        ("env \"$X\"=1 rm z", "?? rm z | z | \"$\"=1 rm z"),
        ("sudo -u \"$U\" rm z", "rm z"),
        ("sudo --user=\"$U\" rm z", "rm z"),
        ("sudo -u\"$U\" rm z", "?? rm z | z"),
        ("docker exec \"$C\" npm test", "?? npm test | test"),
        ("docker exec app\"$C\" npm test", "npm test"),
        ("docker $ARGS curl x", "?? $"),
        ("docker ps", "-"),
        ("git status", "-"),
        ("sudo $X", "?? $"),
    ]);
    for command in ["timeout $T rm", "timeout --wat 5 rm z", "env $E rm z", "sudo $X rm"] {
        let peeled = peel(&words(command)).expect(command);
        assert_eq!(peeled.strength, Strength::DenyAsk, "{command}");
        assert!(peeled.obstacles.contains(&Reason::WrapperOption), "{command}");
    }
}

#[test]
fn seen_through_for_deny_and_ask() {
    check(&[
        ("env npm test x", "npm test x"),
        ("env -i npm test x", "npm test x"),
        ("env - npm test x", "npm test x"),
        ("env -u X A=1 B='x y' npm test x", "npm test x"),
        ("env -uX npm test", "npm test"),
        ("env -S 'A=1 rm -f' z", "rm -f z"),
        ("env -S'rm -f' z", "rm -f z"),
        ("env -iS'rm -f' z", "rm -f z"),
        ("env '--split-string=rm \"a b\"' z", "rm 'a b' z"),
        ("env -S 'rm ${X}'", "?? $"),
        ("env -S \"$X\"", "?? $"),
        ("env -C /tmp rm z", "rm z"),
        ("env", "-"),
        ("env A=b", "-"),
        ("sudo -u x npm test x", "npm test x"),
        ("sudo FOO=1 curl x", "curl x"),
        ("sudo -E -- curl x", "curl x"),
        ("sudo -nu root rm z", "rm z"),
        ("sudo -l rm", "-"),
        ("sudo -i", "stdin"),
        ("sudo", "stdin"),
        ("doas -u x rm z", "rm z"),
        ("su -c 'rm z'", "script 'rm z'"),
        ("su root -c 'rm z'", "script 'rm z'"),
        ("su - root -c 'rm z'", "script 'rm z'"),
        ("su root", "stdin"),
        ("su root -- -c 'rm z'", "sh -c 'rm z'"),
        ("runuser -u x -- npm test x", "npm test x"),
        ("runuser -l x -c 'npm test'", "script 'npm test'"),
        ("exec rm z", "rm z"),
        ("exec -a x npm test", "npm test"),
        ("exec", "-"),
        ("command -v rm", "-"),
        ("command -pv rm", "-"),
        ("setsid rm z", "rm z"),
        ("setsid -w rm z", "rm z"),
        ("ionice -c2 npm test", "npm test"),
        ("ionice -c 2 -n 4 npm test", "npm test"),
        ("chrt 1 npm test x", "npm test x"),
        ("chrt -f 10 rm z", "rm z"),
        ("taskset 1 npm test x", "npm test x"),
        ("taskset -c 0-3 rm z", "rm z"),
        ("numactl --cpunodebind=0 rm z", "rm z"),
        ("flock x npm test x", "npm test x"),
        ("flock -n 9 -c 'rm z'", "script 'rm z'"),
        ("flock x -c 'rm z'", "script 'rm z'"),
        ("watch npm test x", "script 'npm test x'"),
        ("watch -n1 'curl http://x'", "script 'curl http://x'"),
        ("watch -x curl http://x", "curl http://x"),
        ("watch -d rm z", "script 'rm z'"),
        ("watch rm \"$X\"", "script rm \"$\" | rm \"$\""),
        ("strace -f -o '|rm z' ls", "script 'rm z' | ls"),
        ("strace -ff -e trace=open ls", "ls"),
        ("ltrace npm test", "npm test"),
        ("unshare -r npm test", "npm test"),
        ("unshare", "stdin"),
        ("nsenter -t 1 -m npm test", "npm test"),
        ("chroot x npm test", "npm test"),
        ("chroot --userspec=a:b x", "stdin"),
        ("script -c 'rm z' out", "script 'rm z'"),
        ("script -qc 'rm z'", "script 'rm z'"),
        ("script out -- rm z", "rm z"),
        ("systemd-run --user -p A=b npm test", "npm test"),
        ("gosu x npm test", "npm test"),
        ("setpriv --reuid=1 npm test", "npm test"),
        ("unbuffer npm test", "npm test"),
        ("caffeinate -i npm test", "npm test"),
        ("fakeroot npm test", "npm test"),
        ("proot -r / npm test", "npm test"),
        ("busybox sh -c 'rm z'", "sh -c 'rm z'"),
        ("toybox rm z", "rm z"),
        ("/lib64/ld-linux-x86-64.so.2 /bin/rm z", "/bin/rm z"),
        ("ld-linux-x86-64.so.2 --library-path x rm z", "rm z"),
        ("rlwrap -a npm test", "npm test"),
        ("valgrind --tool=memcheck npm test", "npm test"),
        ("gdb --args npm test", "npm test"),
        ("gdb -ex 'shell rm z' -batch", "script 'rm z'"),
        ("perf stat -e x npm test", "npm test"),
        ("hyperfine -w 3 'rm z' 'rm y'", "script 'rm z' | script 'rm y'"),
        ("dbus-run-session -- rm z", "rm z"),
        ("xvfb-run -a npm test", "npm test"),
        ("tmux new-session -d -s x 'rm z'", "script 'rm z'"),
        ("tmux send-keys -t x 'rm z' Enter", "script 'rm z Enter'"),
        ("screen -dm rm z", "rm z"),
        ("screen -S x -X stuff 'rm z'", "script 'rm z'"),
        ("ssh-agent rm z", "rm z"),
        ("start-stop-daemon --start --exec /bin/rm -- z", "/bin/rm z"),
        ("bwrap --ro-bind / / --dev /dev npm test", "npm test"),
        ("torsocks npm test", "npm test"),
        ("faketime '2 days ago' npm test", "npm test"),
        ("tini -- npm test", "npm test"),
        ("cgexec -g cpu:x npm test", "npm test"),
        ("expect -c npm test", "-"),
        ("at now npm test x", "stdin"),
        ("at -f x.sh now", "file x.sh"),
        ("batch npm test x", "stdin"),
        ("entr -r npm test", "npm test"),
        ("entr -s 'rm z'", "script 'rm z'"),
    ]);
}

#[test]
fn runners_and_machines() {
    check(&[
        ("npx npm test x", "npm test x"),
        ("npx -y rimraf@5 /", "rimraf /"),
        ("npx @scope/tool@1.2 x", "tool x"),
        ("npx -c 'rm z'", "script 'rm z'"),
        ("npx -p a -p b tool x", "tool x"),
        ("npm exec -- rm z", "rm z"),
        ("npm test", "-"),
        ("pnpm dlx npm test x", "npm test x"),
        ("pnpm --filter x exec rm z", "rm z"),
        ("yarn dlx npm test x", "npm test x"),
        ("bunx npm test x", "npm test x"),
        ("bun x npm test", "npm test"),
        ("uvx ruff==1.0 x", "ruff x"),
        ("uv run npm test x", "npm test x"),
        ("uv run --with x --python 3.12 pytest", "pytest"),
        ("uv tool run black .", "black ."),
        ("uv sync", "-"),
        ("pipx run --spec a b c", "b c"),
        ("poetry run npm test", "npm test"),
        ("conda run -n x npm test", "npm test"),
        ("bundle exec npm test", "npm test"),
        ("rbenv exec npm test", "npm test"),
        ("direnv exec . npm test", "npm test"),
        ("devbox run npm test x", "npm test x"),
        ("mise exec -- npm test x", "npm test x"),
        ("mise x -c 'rm z'", "script 'rm z'"),
        ("nix run nixpkgs#curl -- http://x", "?? curl http://x"),
        ("nix shell nixpkgs#x -c rm z", "rm z"),
        ("nix develop --command rm z", "rm z"),
        ("nix-shell -p x --run 'rm z'", "script 'rm z'"),
        ("docker exec x npm test x", "npm test x"),
        ("docker exec -it -w /x -e A=b app rm z", "rm z"),
        ("docker -H tcp://x exec app rm z", "rm z"),
        ("docker run --rm -v /a:/b img:1 rm z", "rm z"),
        ("docker run --entrypoint rm img z", "rm z"),
        ("docker compose -f x exec app rm z", "rm z"),
        ("podman exec x npm test x", "npm test x"),
        ("kubectl exec x -- npm test x", "npm test x"),
        ("kubectl exec -it x -n y -c z -- rm z", "rm z"),
        ("kubectl -n y exec x -- rm z", "rm z"),
        ("kubectl get pods", "-"),
        ("ssh host npm test x", "script 'npm test x'"),
        ("ssh h 'curl http://x'", "script 'curl http://x'"),
        ("ssh -p 22 u@h -t rm z", "script 'rm z'"),
        ("ssh -o ProxyCommand='rm z' h", "script 'rm z'"),
        ("ssh -oProxyCommand='rm z' h ls", "script 'rm z' | script ls"),
        ("ssh -o StrictHostKeyChecking=no h ls", "script ls"),
        ("ssh host", "stdin"),
    ]);
}

#[test]
fn shells() {
    check(&[
        ("bash -c 'one && rm z'", "script 'one && rm z'"),
        ("sh -c npm test x", "script npm"),
        ("bash -lc 'rm z'", "script 'rm z'"),
        ("bash -O extglob -c 'rm z'", "script 'rm z'"),
        ("bash -euo pipefail -c 'rm z'", "script 'rm z'"),
        ("bash -c -e 'rm z'", "script 'rm z'"),
        ("bash --norc -c 'rm z'", "script 'rm z'"),
        ("bash --rcfile x -i", "file x | stdin"),
        ("bash -c \"$X\"", "script \"$\""),
        ("bash -c $X", "script \"$\""),
        ("bash -c 'rm '\"$X\"", "script rm \"$\""),
        ("bash", "stdin"),
        ("bash -s a b", "stdin"),
        ("bash -", "stdin"),
        ("bash x.sh a", "file x.sh"),
        ("bash -- x.sh", "file x.sh"),
        ("bash \"$X\" y", "file \"$\" ?? script y"),
        ("bash $X", "file $ ?? script \"$\""),
        ("/bin/zsh -c 'rm z'", "script 'rm z'"),
        ("sh -c '\"$@\"' x rm z", "script \"$@\" ?? rm z"),
        ("fish --command='rm z'", "script 'rm z'"),
    ]);
    let has = |command: &str, reason| peel(&words(command)).unwrap().obstacles.contains(&reason);
    assert!(has("bash -O extglob -c x", Reason::WrapperOption));
    assert!(has("bash -lc x", Reason::WrapperOption));
    assert!(!has("bash -c x", Reason::WrapperOption));
    assert!(!has("bash -euo pipefail -c x", Reason::WrapperOption));
    assert!(has("sh -c 'rm $1' _ \"$X\"", Reason::InterpreterDynamic));
    assert!(!has("sh -c 'rm a' _ \"$X\"", Reason::InterpreterDynamic));
    assert!(has("bash", Reason::InterpreterStdin));
}

#[test]
fn placeholders() {
    check(&[
        ("find . -name x -exec rm {} ';'", "rm \"$\""),
        ("find . -exec rm {} +", "rm $"),
        ("find . -exec sh -c 'rm $1' _ {} +", "sh -c 'rm $1' _ $"),
        ("find . -exec cp {} {}.bak ';' -exec rm z ';'", "cp \"$\" \"$\".bak | rm z"),
        ("find . -ok rm {} ';' -o -okdir ls + ';'", "rm \"$\" | ls +"),
        ("find . -exec npm test x", "npm test x"),
        ("find . -type f -delete", ""),
        ("find . -fprintf out %p", ""),
        ("find . -name -delete", "-"),
        ("find . -name \"$X\"", "-"),
        ("find src/\"$X\" -type f", "-"),
        ("find \"$X\" -type f", ""),
        ("find $X -type f", "?? $"),
        ("find . \"$X\" curl x ';'", "?? curl x"),
        ("fd -x rm", "rm \"$\""),
        ("fd foo -e rs -x rm -f {} ';' bar", "rm -f \"$\""),
        ("fd -HX rm {}", "rm $"),
        ("fd foo", "-"),
        ("fd --exec=rm foo", "rm foo \"$\""),
        ("parallel npm test x", "script 'npm test x \"$REPLY\"'"),
        ("parallel ::: 'curl http://x'", "script 'curl http://x'"),
        ("parallel -j4 'rm {}' ::: a b", "script 'rm \"$REPLY\"'"),
        ("parallel rm {1} {2.} ::: a ::: b", "script 'rm \"$REPLY\" \"$REPLY\"'"),
        ("parallel", "stdin"),
        ("parallel :::: file", "script file | stdin"),
    ]);
    for command in
        ["find . -delete", "find . -fls x", "find . -exec a ';'", "find $X", "watch a", "flock a b"]
    {
        assert!(peel(&words(command)).unwrap().exact_only, "{command}");
    }
    assert!(!peel(&words("sudo ls")).unwrap().exact_only);
    assert_eq!(
        peel(&words("find . -execdir rm {} ';'")).unwrap().changes_directory,
        Some(Arg::one())
    );
}

#[test]
fn side_lines() {
    check(&[
        ("tar xf a --to-command='rm z'", "script 'rm z'"),
        ("tar --checkpoint=1 --checkpoint-action=exec='rm z' -cf a b", "script 'rm z'"),
        ("tar -I 'rm z' -xf a", "script 'rm z'"),
        ("tar xzf a.tgz", "-"),
        ("rsync -e 'ssh -p 2' a h:b", "script 'ssh -p 2'"),
        ("rsync -av a b", "-"),
        ("zip -T -TT 'rm z' a b", "script 'rm z'"),
        ("sort --compress-prog=./x a", "./x"),
        ("sort -k 2 a", "-"),
        ("rg --pre ./x foo", "./x"),
        ("rg -e --pre foo", "-"),
        ("man -P 'rm z' ls", "script 'rm z'"),
        ("vim -c ':!rm z' a", "script 'rm z'"),
        ("vim '+!rm z' a", "script 'rm z'"),
        ("less a", "-"),
        ("psql -c '\\! rm z'", "script 'rm z'"),
        ("sqlite3 db '.shell rm z'", "script 'rm z'"),
        ("socat - EXEC:'rm z',pty", "script 'rm z'"),
        ("ncat -e /bin/sh h 1", "script /bin/sh"),
        ("tcpdump -z ./x -w a", "script ./x"),
        ("go test -exec ./x ./...", "script ./x"),
        ("make -f x all", "-"),
        ("scp -S ./x a h:b", "./x"),
        ("git -c alias.x='!curl http://x' x", "script 'curl http://x'"),
        ("git -c alias.x='push --force' x y", "git push --force y"),
        ("git -c core.pager='rm z' log", "script 'rm z'"),
        ("git -c core.fsmonitor=false status", ""),
        ("git -c user.name=x commit", ""),
        ("git bisect run rm z", "rm z"),
        ("git rebase -x 'rm z' HEAD~1", "script 'rm z'"),
        ("git rebase --exec='rm z' HEAD~1", "script 'rm z'"),
        ("git submodule foreach --recursive 'rm z'", "script 'rm z'"),
        ("git grep -O./x foo", "script ./x"),
        ("git ls-remote --upload-pa='touch x' .", "script 'touch x'"),
        ("git ls-remote 'ext::sh -c id'", "script 'sh -c id'"),
        ("git -C d clone -u 'rm z' a", "script 'rm z'"),
        ("git push origin main", "-"),
        ("git commit -m 'rm z'", "-"),
    ]);
}

#[test]
fn says_why() {
    for (command, want) in [
        ("sudo -u root rm z", vec![Reason::Privilege]),
        ("setsid rm z", vec![Reason::ExecWrapper]),
        ("watch -n1 rm z", vec![Reason::ExecWrapper]),
        ("flock f rm z", vec![Reason::ExecWrapper]),
        ("env A=b rm z", vec![]),
        ("env -i PATH=/x rm z", vec![Reason::EnvHijack]),
        ("find . -name x -exec rm {} ';'", vec![]),
        ("git -c core.pager='rm z' log", vec![Reason::ConfigExec]),
        ("docker exec app npm test", vec![Reason::Remote]),
        ("ssh h ls", vec![Reason::Remote]),
        ("npx tool", vec![]),
    ] {
        assert_eq!(peel(&words(command)).unwrap().obstacles, want, "{command}");
    }
    let peeled = peel(&words("env -C /tmp A=b C=\"$X\" rm z")).unwrap();
    assert_eq!(peeled.changes_directory, Some(Arg::Known("/tmp".into())));
    assert_eq!(
        peeled.assigns,
        [("A".to_owned(), Arg::Known("b".into())), ("C".to_owned(), Arg::one())]
    );
}

#[test]
fn interpreters() {
    let seen = |command: &str| match interpreter(&words(command)) {
        None => "-".to_owned(),
        Some(found) => format!("{} {}", found.reason, show_all(&found.possible)).trim().to_owned(),
    };
    for (command, want) in [
        ("python3 -c 'import os; os.system(\"curl x\")'", "interpreter-code script curl x"),
        ("python3 -c 'import os'", "interpreter-code"),
        ("python3 -c 'print(\"curl x\")'", "interpreter-code"),
        (
            "python3.12 -Ic 'subprocess.run([\"curl\",\"x\"])'",
            "interpreter-code script curl | curl x",
        ),
        ("python3 -c 'subprocess.call(\"curl x\", shell=True)'", "interpreter-code script curl x"),
        ("python3 -c \"$X\"", "interpreter-dynamic"),
        ("python3 a.py", "-"),
        ("python3 -m pytest -c x", "-"),
        ("python3 --version", "-"),
        ("python3", "interpreter-stdin"),
        ("python3 -", "interpreter-stdin"),
        ("perl -e 'system(\"curl x\")'", "interpreter-code script curl x"),
        ("perl -e 'system(\"curl\", \"x\")'", "interpreter-code script curl | curl x"),
        ("perl -e 'print `curl x`'", "interpreter-code script curl x"),
        ("perl -e 'exec qw(a); qx{curl x}'", "interpreter-code script curl x"),
        ("perl -MPOSIX -ne 'print'", "interpreter-code"),
        ("perl -e 'open(F, \"curl x|\")'", "interpreter-code script curl x"),
        ("awk 'BEGIN{system(\"curl x\")}'", "interpreter-code script curl x"),
        ("gawk -F: '{print | \"curl x\"}'", "interpreter-code script curl x"),
        ("awk '{\"curl x\" | getline y}'", "interpreter-code script curl x"),
        ("awk -v a=1 '{print $1}' f", "interpreter-code"),
        ("awk -f x y", "-"),
        (
            "node -e 'require(\"child_process\").execSync(\"curl x\")'",
            "interpreter-code script curl x",
        ),
        ("node -e 'cp.spawn(\"curl\", [\"x\"])'", "interpreter-code curl x"),
        ("node --eval='1'", "interpreter-code"),
        ("node a.js", "-"),
        ("ruby -e '`curl x`'", "interpreter-code script curl x"),
        ("ruby -e '%x(curl x)'", "interpreter-code script curl x"),
        ("php -r 'shell_exec(\"curl x\");'", "interpreter-code script curl x"),
        ("lua -e 'os.execute(\"curl x\")'", "interpreter-code script curl x"),
        ("osascript -e 'do shell script \"curl x\"'", "interpreter-code script curl x"),
        ("tclsh -e 'exec curl x'", "interpreter-code script curl x"),
        ("expect -c 'spawn curl x; interact'", "interpreter-code script curl x"),
        ("expect -c npm test x", "interpreter-code"),
        ("deno eval 'x'", "interpreter-code"),
        ("sed -n 1p f", "-"),
        ("sed s/a/b/ f", "-"),
        ("sed '1e curl x' f", "interpreter-code script curl x"),
        ("sed -n -e '1!{e touch pwn' -e '}' f", "interpreter-code script touch pwn"),
        ("sed 's/a/b/w out' f", "interpreter-code"),
        ("sed \"$X\" f", "interpreter-dynamic"),
        ("cat f", "-"),
    ] {
        assert_eq!(seen(command).replace('\'', ""), want, "{command}");
    }
}

#[test]
fn builtins() {
    let seen = |command: &str| {
        let effect = builtin_effect(&words(command));
        let reasons: Vec<_> = effect.reasons.iter().map(|reason| reason.name()).collect();
        format!("{} {}", reasons.join(","), show_all(&effect.payloads)).trim().to_owned()
    };
    for (command, want) in [
        ("eval rm z", "eval-family script 'rm z'"),
        ("eval 'a;' 'rm z'", "eval-family script 'a; rm z'"),
        ("eval \"$x\"", "eval-family script \"$\" | \"$\""),
        ("trap 'rm z' EXIT", "eval-family script 'rm z'"),
        ("trap - EXIT", "eval-family"),
        ("trap", ""),
        (". ./e.sh", "source file ./e.sh"),
        ("source /dev/stdin", "source stdin"),
        ("alias ls=rm a='rm z'", "eval-family script rm | script 'rm z'"),
        ("alias", ""),
        ("shopt -s extglob", "shell-option"),
        ("shopt", ""),
        ("set -euo pipefail", ""),
        ("set -x", ""),
        ("set -o posix", "shell-option"),
        ("set -- a b", ""),
        ("hash -p /tmp/e ls", "shell-option"),
        ("hash -r", ""),
        ("enable -n ls", "shell-option"),
        ("complete -C 'rm z' x", "eval-family script 'rm z'"),
        ("compgen -C 'rm z'", "eval-family script 'rm z'"),
        ("compgen -W 'a b'", "eval-family script a b"),
        ("bind -x '\"a\": rm z'", "shell-option script '\"a\": rm z'"),
        ("mapfile -c1 -C 'rm z' x", "eval-family script 'rm z \"$REPLY\" \"$REPLY\"'"),
        ("mapfile x", ""),
        ("readarray -t 'a[$(rm z)]'", "name-operand,arith-dynamic script '(( a[$(rm z)] ))'"),
        ("read -r x", ""),
        ("read -p 'a? ' x y", ""),
        ("read 'a[$(rm z)]'", "name-operand,arith-dynamic script '(( a[$(rm z)] ))'"),
        ("read \"$x\"", "name-operand"),
        ("printf -v X a", ""),
        ("printf -v 'a[$(x)]' a", "name-operand,arith-dynamic script '(( a[$(x)] ))'"),
        ("printf '%s' 'a[$(x)]'", ""),
        ("unset 'a[`x`]'", "name-operand,arith-dynamic script '(( a[`x`] ))'"),
        ("unset FOO", ""),
        ("test -v 'a[$(rm z)]'", "name-operand,arith-dynamic script '(( a[$(rm z)] ))'"),
        ("[ -v a ]", ""),
        ("[ \"$a\" = b ]", ""),
        ("[ -f x ]", ""),
        ("getopts ab x", ""),
        ("getopts ab 'x[$(y)]'", "name-operand,arith-dynamic script '(( x[$(y)] ))'"),
        ("wait -p x", ""),
        ("wait -p 'x[$(y)]'", "name-operand,arith-dynamic script '(( x[$(y)] ))'"),
        ("let 'a[$(rm z)]'", "arith-dynamic script '(( a[$(rm z)] ))'"),
        ("declare -i r", "declare-attribute"),
        ("declare -n r=x", "declare-attribute"),
        ("declare -x FOO=1", ""),
        ("export FOO=1", ""),
        ("declare -a 'a=($(rm z))'", "name-operand script a=($(rm z))"),
        ("declare 'a[$(x)]=1'", "name-operand,arith-dynamic script '(( a[$(x)]=1 ))'"),
        ("cd sub", ""),
        ("history", ""),
        ("history -w f", "eval-family"),
        ("fc -s", "eval-family"),
        ("echo -v 'a[$(x)]'", ""),
    ] {
        // Words that hold a blank are shown quoted.
        let got = seen(command);
        assert_eq!(got.replace('\'', ""), want.replace('\'', ""), "{command}");
    }
    for (command, want) in [
        ("cd sub", Directory::To(Arg::Known("sub".into()))),
        ("cd -P -- sub", Directory::Unknown),
        ("cd", Directory::Home),
        ("cd -", Directory::Unknown),
        ("cd \"$x\"", Directory::To(Arg::one())),
        ("cd $x", Directory::Unknown),
        ("cd a b", Directory::Unknown),
        ("pushd sub", Directory::To(Arg::Known("sub".into()))),
        ("ls sub", Directory::Stays),
    ] {
        assert_eq!(builtin_effect(&words(command)).directory, want, "{command}");
    }
    assert_eq!(
        builtin_effect(&words("export A=b C")).assigns,
        [("A".to_owned(), Some(Arg::Known("b".into()))), ("C".to_owned(), None)]
    );
}

#[test]
fn git_globals() {
    let seen = |command: &str| {
        let call = git_without_globals(&words(command))?;
        let argv = call.argv.iter().map(show_word).collect::<Vec<_>>().join(" ");
        Some((argv, call.unsafe_globals, call.directory.as_ref().map(show_word)))
    };
    let row = |argv: &str, dangerous, directory: Option<&str>| {
        Some((argv.to_owned(), dangerous, directory.map(str::to_owned)))
    };
    assert_eq!(seen("git push x"), row("git push x", false, None));
    assert_eq!(seen("git -C d -c k=v push"), row("git push", true, Some("d")));
    assert_eq!(seen("git -C d -C e push"), row("git push", false, Some("d/e")));
    assert_eq!(seen("git --no-pager -P push"), row("git push", false, None));
    assert_eq!(seen("git --git-dir=x push"), row("git push", true, None));
    assert_eq!(seen("git --git-dir x push"), row("git push", true, None));
    assert_eq!(seen("git --exec-path=x push"), row("git push", true, None));
    assert_eq!(seen("git --work-tree x push"), row("git push", true, None));
    assert_eq!(seen("git --config-env=a=B push"), row("git push", true, None));
    assert_eq!(seen("git $X push"), row("git $", true, None));
    assert_eq!(seen("git --wat push"), row("git $", true, None));
    assert_eq!(seen("/usr/bin/git -C d push"), row("git push", false, Some("d")));
    assert_eq!(seen("gitk -C d push"), None);
}

fn any_word() -> impl Strategy<Value = Arg> {
    let texts = [
        "env",
        "sudo",
        "timeout",
        "xargs",
        "bash",
        "find",
        "git",
        "docker",
        "exec",
        "nix",
        "parallel",
        "fd",
        "python3",
        "awk",
        "sed",
        "tmux",
        "ssh",
        "npx",
        "5",
        "-c",
        "-S",
        "-exec",
        ";",
        "{}",
        "+",
        "--",
        "-k",
        "--user=x",
        "-n1",
        "A=b",
        "run",
        "rm",
        ":::",
        "-S'env -S x'",
        "env -S 'env -S x'",
        "-x",
        "-",
        "",
        "\u{e9}",
        "-\u{e9}=",
        "'",
        "\\",
        "e",
        "s/a/b/e",
        "-o",
        "|x",
        "declare",
        "read",
        "a[$(x)]",
        "trap",
    ];
    prop_oneof![
        12 => prop::sample::select(texts.to_vec()).prop_map(|text| Arg::Known(text.to_owned())),
        2 => "[ -~]{0,12}".prop_map(Arg::Known),
        1 => prop::sample::select(vec!["", "-", "--user=", "-k", "A=", "env"]).prop_map(|prefix| Arg::One {
            prefix: prefix.to_owned(),
            suffix: String::new(),
        }),
        1 => Just(Arg::many()),
        1 => Just(Arg::Glob("*.x".to_owned())),
    ]
}

/// How long a peeled argv may be compared with what it was peeled from.
fn weight(argv: &[Arg]) -> usize {
    argv.iter().map(|word| 2 + word.prefix().len()).sum()
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(2000))]

    #[test]
    fn everything_is_total(argv in prop::collection::vec(any_word(), 0..14)) {
        let first = peel(&argv);
        prop_assert_eq!(&first, &peel(&argv));
        builtin_effect(&argv);
        interpreter(&argv);
        git_without_globals(&argv);
    }

    #[test]
    fn peeling_ends(argv in prop::collection::vec(any_word(), 0..14)) {
        let mut layer = vec![argv.clone()];
        let mut rounds = 0;
        while !layer.is_empty() {
            rounds += 1;
            prop_assert!(rounds <= 2 * weight(&argv) + 4, "{argv:?}");
            let mut next = Vec::new();
            for argv in &layer {
                for inner in peel(argv).into_iter().flat_map(|peeled| peeled.inner) {
                    if let Inner::Argv(inner) = inner {
                        next.push(inner);
                    }
                }
            }
            next.sort();
            next.dedup();
            layer = next;
        }
    }

    #[test]
    fn a_path_or_a_doubt_never_strengthens(argv in prop::collection::vec(any_word(), 1..10)) {
        if let Some(peeled) = peel(&argv) {
            if peeled.strength == Strength::Every {
                prop_assert!(peeled.possible.is_empty() && peeled.obstacles.is_empty());
            }
            let mut qualified = argv.clone();
            if let Some(Arg::Known(name)) = qualified.first_mut() {
                name.insert_str(0, "/usr/bin/");
                let qualified = peel(&qualified);
                prop_assert_eq!(qualified.map(|found| found.inner), Some(peeled.inner));
            }
        }
    }

    #[test]
    fn plain_wrappers_can_be_nested_in_any_order(
        order in prop::collection::vec(0usize..6, 1..8),
        inner in prop::collection::vec("[a-z]{2,6}", 1..4),
    ) {
        let prefixes = ["timeout 5", "nice -n 3", "nohup", "stdbuf -oL", "command", "noglob"];
        let inner: Vec<Arg> = inner.into_iter().map(|word| Arg::Known(format!("zz{word}"))).collect();
        let mut argv: Vec<Arg> = order.iter().flat_map(|at| words(prefixes[*at])).collect();
        argv.extend(inner.iter().cloned());
        for _ in &order {
            let peeled = peel(&argv).unwrap();
            prop_assert_eq!(peeled.strength, Strength::Every);
            let [Inner::Argv(next)] = peeled.inner.as_slice() else { panic!("{peeled:?}") };
            argv = next.clone();
        }
        prop_assert_eq!(&argv, &inner);
        prop_assert_eq!(peel(&argv), None);
    }
}
