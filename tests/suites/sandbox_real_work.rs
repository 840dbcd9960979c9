//! What people do all day works behind the boundary as it does outside: a matrix.

#![expect(clippy::unwrap_used, reason = "a test fails by panicking")]

use portcullis_tests::bash::find_program;
use portcullis_tests::escapes::{Identity, fixture};
use portcullis_tests::sandboxed;
use std::fs;
use std::os::unix::fs::PermissionsExt;
use std::os::unix::net::UnixListener;
use std::path::{Path, PathBuf};
use std::process::Command;

/// A name, the programs it needs, and what is done. It prints what matters, and nothing that changes
/// from run to run. `$TMPDIR` is fresh both times.
const WORK: &[(&str, &[&str], &str)] = &[
    (
        "git clone",
        &["git"],
        "git clone -q . $TMPDIR/c && cd $TMPDIR/c && git log --format=%s && ls",
    ),
    (
        "git commit",
        &["git"],
        "echo a > a && git add a && git commit -qm a && git log --format=%s && git status --short",
    ),
    (
        "git merge",
        &["git"],
        "git checkout -qb b && echo b > b && git add b && git commit -qm b && git checkout -q main && echo c > c && git add c && git commit -qm c && git merge -q --no-edit b && git log --format=%s && ls",
    ),
    (
        "git merge conflict",
        &["git"],
        "git checkout -qb b && echo b > ok.txt && git commit -qam b && git checkout -q main && echo c > ok.txt && git commit -qam c; git merge b > /dev/null; echo $?; git merge --abort; git status --short",
    ),
    (
        "git rebase",
        &["git"],
        "git checkout -qb b && echo b > b && git add b && git commit -qm b && git checkout -q main && echo c > c && git add c && git commit -qm c && git checkout -q b && git rebase -q main && git log --format=%s",
    ),
    (
        "git worktree",
        &["git"],
        "git worktree add -q $TMPDIR/w -b side && cd $TMPDIR/w && echo n > n && git add n && git commit -qm n && git log --format=%s && cd $OLDPWD && git log --format=%s side && git worktree remove $TMPDIR/w && git worktree list | wc -l",
    ),
    (
        "git submodule",
        &["git"],
        "git clone -q . $TMPDIR/part && git clone -q . $TMPDIR/whole && cd $TMPDIR/whole && git -c protocol.file.allow=always submodule --quiet add $TMPDIR/part part && git commit -qm part && git submodule status | cut -c43- && ls part",
    ),
    (
        "git stash",
        &["git"],
        "echo x >> ok.txt && git stash -q && cat ok.txt && git stash pop -q && cat ok.txt && git stash list",
    ),
    (
        "git gc",
        &["git"],
        "for i in 1 2 3 4 5; do echo $i > n && git add n && git commit -qm $i; done; git gc -q && git fsck 2>&1 | grep -v dangling; git log --format=%s",
    ),
    (
        "git tag, branch, reset, reflog",
        &["git"],
        "git tag v1 && git branch -q x && echo z > z && git add z && git commit -qm z && git reset -q --hard v1 && git reflog | wc -l && git tag && git branch",
    ),
    (
        "git fetch and push",
        &["git"],
        "git clone -q --bare . $TMPDIR/o.git && git clone -q $TMPDIR/o.git $TMPDIR/c && cd $TMPDIR/c && echo p > p && git add p && git commit -qm p && git push -q origin HEAD && git fetch -q && git -C $TMPDIR/o.git log --format=%s",
    ),
    (
        "git bisect",
        &["git"],
        "for i in 1 2 3 4 5 6; do echo $i > n && git add n && git commit -qm $i; done; git bisect start -q HEAD HEAD~5 > /dev/null && git bisect run sh -c 'test $(cat n) -lt 4' | grep 'first bad' | cut -d' ' -f2-; git bisect reset -q 2> /dev/null; git log -1 --format=%s",
    ),
    (
        "cargo build and test",
        &["cc", "cargo"],
        "export CARGO_HOME=$TMPDIR/cargo; mkdir -p $TMPDIR/k/src && cd $TMPDIR/k && printf '[package]\\nname = \"k\"\\nversion = \"0.1.0\"\\nedition = \"2021\"\\n' > Cargo.toml && printf 'pub fn two() -> u32 { 2 }\\n#[test]\\nfn t() { assert_eq!(two(), 2) }\\n#[test]\\nfn f() { std::fs::write(std::env::temp_dir().join(\"x\"), \"y\").unwrap() }\\n' > src/lib.rs && cargo build -q --offline && cargo test -q --offline 2>&1 | grep 'test result' | sed 's/finished.*//' | head -1",
    ),
    (
        "npm install and node test",
        &["node", "npm"],
        "export npm_config_cache=$TMPDIR/npm npm_config_update_notifier=false; mkdir -p $TMPDIR/lib $TMPDIR/app && cd $TMPDIR/lib && echo '{\"name\":\"lib\",\"version\":\"1.0.0\",\"main\":\"i.js\"}' > package.json && echo 'module.exports = 42' > i.js && npm pack --silent && cd ../app && echo '{\"name\":\"app\",\"version\":\"1.0.0\"}' > package.json && npm install --silent --offline --no-audit --no-fund ../lib/lib-1.0.0.tgz && ls node_modules && printf 'const t = require(\"node:test\");const a = require(\"assert\");t(\"x\", () => a.equal(require(\"lib\"), 42));t(\"fs\", () => require(\"fs\").writeFileSync(require(\"os\").tmpdir()+\"/n\", \"1\"));' > x.test.js && node --test 2>&1 | grep -E '^. (pass|fail) '",
    ),
    (
        "node server and client",
        &["node", "ip"],
        "node -e 'const h=require(\"http\");const s=h.createServer((q,r)=>r.end(\"served\")).listen(0,\"127.0.0.1\",()=>h.get({port:s.address().port,host:\"127.0.0.1\"},r=>{r.on(\"data\",d=>console.log(String(d)));r.on(\"end\",()=>s.close())}))'",
    ),
    (
        "node child and worker",
        &["node"],
        "node -e 'const{Worker}=require(\"worker_threads\");const c=require(\"child_process\");console.log(c.execSync(\"echo child\").toString().trim());new Worker(\"require(\\\"worker_threads\\\").parentPort.postMessage(7)\",{eval:true}).on(\"message\",console.log)'",
    ),
    (
        "python venv and unittest",
        &["python3"],
        "python3 -m venv --without-pip $TMPDIR/v && cd $TMPDIR && printf 'import unittest, tempfile, sys\\nclass T(unittest.TestCase):\\n  def test_a(self):\\n    with tempfile.NamedTemporaryFile() as f: f.write(b\"x\")\\n  def test_b(self): self.assertTrue(sys.prefix.endswith(\"/v\"))\\n' > test_x.py && v/bin/python -m unittest 2>&1 | grep -E '^(OK|FAILED|Ran)' | sed 's/ in .*//'",
    ),
    (
        "python pytest",
        &["pytest"],
        "cd $TMPDIR && printf 'def test_a(tmp_path):\\n  (tmp_path / \"x\").write_text(\"y\")\\n' > test_x.py && pytest -q -p no:cacheprovider 2>&1 | tail -1 | sed 's/ in .*//'",
    ),
    (
        "python multiprocessing",
        &["python3"],
        "cat > $TMPDIR/m.py <<'E'\nimport multiprocessing as m\ndef f(x): return x * x\nif __name__ == '__main__':\n  with m.Pool(3) as p: print(p.map(f, range(5)))\n  q = m.Queue(); q.put(1); print(q.get())\nE\npython3 $TMPDIR/m.py",
    ),
    (
        "python asyncio subprocess",
        &["python3"],
        "python3 -c 'import asyncio\nasync def f():\n  p = await asyncio.create_subprocess_exec(\"echo\", \"hi\", stdout=asyncio.subprocess.PIPE)\n  print((await p.communicate())[0])\nasyncio.run(f())'",
    ),
    (
        "python sqlite",
        &["python3"],
        "python3 -c 'import sqlite3\nd = sqlite3.connect(\"t.db\"); d.execute(\"pragma journal_mode=wal\"); d.execute(\"create table t(a)\"); d.execute(\"insert into t values(1)\"); d.commit(); print(d.execute(\"select * from t\").fetchall())' && ls t.db",
    ),
    (
        "make",
        &["make"],
        "make && printf 'a: b\\n\\tcp b a\\nb:\\n\\techo b > b\\n' > m.mk && make -j4 -f m.mk && cat a",
    ),
    (
        "gcc",
        &["gcc"],
        "gcc -O1 -o prog src/main.c && ./prog; echo $?; gcc -c nothing.c 2>&1 | head -1",
    ),
    (
        "vim in ex mode",
        &["vim"],
        "vim -es -u NONE -c '%s/fine/edited/' -c wq ok.txt; echo $?; cat ok.txt",
    ),
    ("perl in place", &["perl"], "perl -pi -e 's/fine/finer/' ok.txt && cat ok.txt"),
    ("sed in place", &["sed"], "sed -i s/fine/best/ ok.txt && cat ok.txt && stat -c %a ok.txt"),
    (
        "tar and gzip",
        &["tar", "gzip"],
        "tar czf $TMPDIR/x.tgz src Makefile && mkdir u && tar xzf $TMPDIR/x.tgz -C u && find u | sort",
    ),
    (
        "find, xargs, rm",
        &["find", "xargs"],
        "mkdir -p d/e && touch d/e/1 d/2 && find d -type f -print0 | xargs -0 -P2 -n1 rm && find d | sort && rm -r d && ls -d d 2>/dev/null; echo $?",
    ),
    (
        "rename, chmod, links",
        &["mv"],
        "mkdir q && echo 1 > q/a && mv q r && chmod 750 r/a && stat -c %a r/a && ln r/a r/b && ln -s a r/c && cat r/c && stat -c %h r/a && mv r/a r/z && cp -a r s && ls s",
    ),
    (
        "here documents and substitution",
        &["bash"],
        "cat <<< here && diff <(echo 1) <(echo 2); cat <(echo p) && coproc cat; echo co >&${COPROC[1]}; read x <&${COPROC[0]}; echo $x",
    ),
    (
        "job control and traps",
        &["bash"],
        "set -m; sleep 9 & kill %1; wait %1; echo $?; trap 'echo bye' EXIT; (exit 3); echo $?",
    ),
    ("named pipe", &["mkfifo"], "mkfifo p && (echo through > p &) && cat p && rm p"),
    (
        "background server on a unix socket",
        &["python3"],
        "python3 -c 'import socket,threading\ns=socket.socket(socket.AF_UNIX);s.bind(\"s.sock\");s.listen()\nt=threading.Thread(target=lambda:s.accept()[0].send(b\"hi\"));t.start()\nc=socket.socket(socket.AF_UNIX);c.connect(\"s.sock\");print(c.recv(9))' && rm s.sock",
    ),
    (
        "locks",
        &["flock"],
        "flock l echo locked && python3 -c 'import fcntl;f=open(\"l\",\"w\");fcntl.lockf(f,fcntl.LOCK_EX);print(1)'",
    ),
    (
        "file watching",
        &["python3"],
        "python3 -c 'import ctypes,os\nl=ctypes.CDLL(None);i=l.inotify_init1(0);print(l.inotify_add_watch(i,b\".\",0x100));open(\"w\",\"w\").close();print(len(os.read(i,99))>0)'",
    ),
    (
        "tmux-less terminal",
        &["script"],
        "script -qec 'stty size; tty > /dev/null && echo terminal' /dev/null < /dev/null | tr -d '\\r' | tail -1",
    ),
    (
        "interactive shell",
        &["script"],
        "printf 'PS1=\\nsleep 0.2 &\\nfg\\necho an$((6*7))swer\\nexit 3\\n' | script -qec 'bash --norc -i' /dev/null > $TMPDIR/said; echo ${PIPESTATUS[1]}; tr -d '\\r' < $TMPDIR/said | grep -o an42swer",
    ),
    (
        "gdb of an own process",
        &["gdb", "gcc"],
        "gcc -g -o prog src/main.c && gdb -batch -ex run -ex bt prog 2>&1 | grep -c 'exited normally'",
    ),
];

/// What git does with a file that may not be read: a name, what the host does before, and the work.
///
/// The host's part runs as root in the project. Outside the same files belong to root and have no mode.
const HIDDEN: &[(&str, &str, &str)] = &[
    (
        "a tracked file, unchanged",
        "",
        "echo x >> ok.txt; git status --short; git stash; git status --short; git stash pop; echo $?; cat ok.txt",
    ),
    (
        "a tracked file, unchanged, and all else committed",
        "",
        "echo x >> ok.txt; git commit -am x; echo $?; git show --stat --format=%s; git checkout -q HEAD~1; echo $?; git status --short",
    ),
    (
        "an ignored file",
        "mkdir i && echo PCSECRET > i/.env && chown 4321:4321 i && echo i/.env > .git/info/exclude",
        "echo x >> ok.txt; git add -A; git stash -u; echo $?; git stash pop; echo $?; git clean -n; git status --short",
    ),
    (
        "an untracked file",
        "mkdir n && echo PCSECRET > n/.env && chown 4321:4321 n",
        "echo x >> ok.txt; git status --short; git stash; echo $?; git stash pop; git add -A; echo $?; git stash -u; echo $?",
    ),
    (
        "a tracked file, changed",
        "echo more >> .env",
        "git status --short; git diff; echo $?; git add .env; echo $?; git commit -am x; echo $?; git stash; echo $?",
    ),
    (
        "a tracked folder",
        "",
        "echo x >> ok.txt; git status --short; git commit -qam x; echo $?; git show --stat --format=%s",
    ),
];

/// What does not work inside because it writes protected names, with what it says.
const REFUSED: &[(&str, &str, &str)] = &[
    ("git init in the project", "git init -q new", "new/.git/hooks/: Permission denied"),
    ("git clone into the project", "git clone -q . new", "new/.git/hooks/: Permission denied"),
    (
        "git submodule add in the project",
        "git -c protocol.file.allow=always submodule --quiet add ./ part",
        "part/.git' for writing: Permission denied",
    ),
    (
        "git config",
        "git config user.name x",
        "could not write config file .git/config: Permission denied",
    ),
    (
        "git push -u",
        // It complains and succeeds, for it has pushed.
        "git clone -q --bare . $TMPDIR/o.git && git push -q -u $TMPDIR/o.git HEAD:new && git -C $TMPDIR/o.git log -1 --format=%s new && git config branch.main.merge > /dev/null",
        "could not write config file .git/config: Permission denied",
    ),
    ("git remote add", "git remote add o /x", "could not set 'remote.o.url' to '/x'"),
    (
        "git branch -m",
        "git branch -q x && git branch -m x y",
        "branch is renamed, but update of config-file failed",
    ),
    ("a hook", "echo 'exit 1' > .git/hooks/pre-commit", ".git/hooks/pre-commit: Permission denied"),
];

#[test]
fn real_work_goes_as_it_does_outside() {
    let toolchain = toolchain();
    sandboxed::test_showing(
        "real_work_goes_as_it_does_outside",
        std::slice::from_ref(&toolchain),
        || {
            // Inside the sandbox loopback is there; outside this machine has to be told.
            fixture::plant(Identity::User).unwrap();
            let mut loopback =
                sandboxed::bare(Identity::Root, &["ip", "link", "set", "lo", "up"]).unwrap();
            assert!(find("ip").is_none() || loopback.output().unwrap().status.success());
            let mut wrong = Vec::new();
            for identity in [Identity::User, Identity::Root] {
                for (name, needs, script) in WORK {
                    if let Some(missing) = needs.iter().find(|need| find(need).is_none()) {
                        println!("SKIP {name}: {missing} is not installed");
                        continue;
                    }
                    let plant = || ordinary_project(identity);
                    let outside = attempt(identity, plant, script, false);
                    let inside = attempt(identity, plant, script, true);
                    let same = outside.0 == inside.0;
                    println!(
                        "| {name} | {} | {} |",
                        identity.word(),
                        if same { "same" } else { "DIFFERS" }
                    );
                    if !same {
                        wrong.push(format!(
                            "{name} as {}:\n  outside {}\n  inside  {}\n  complaints {}",
                            identity.word(),
                            outside.0,
                            inside.0,
                            inside.1
                        ));
                    }
                    // What does not even work outside shows nothing.
                    if !outside.0.contains("status: 0") && !script.contains("exit") {
                        wrong.push(format!("{name} does not work outside: {outside:?}"));
                    }
                }
            }
            assert!(wrong.is_empty(), "{}", wrong.join("\n"));
        },
    )
    .unwrap();
}

#[test]
fn git_takes_a_hidden_file_for_an_unreadable_one() {
    sandboxed::test("git_takes_a_hidden_file_for_an_unreadable_one", || {
        let user = Identity::User;
        let mut wrong = Vec::new();
        for (name, before, script) in HIDDEN {
            // Names of commits differ from run to run.
            let script = format!("{{ {script}; }} 2>&1 | sed 's/[0-9a-f]\\{{7,40\\}}/NAME/g'");
            let hide = r"find . -name .git -prune -o \( -name .env -o -path ./secrets \) \
                -exec chown root:root {} + -exec chmod 0 {} +";
            // What may not be read is tracked here.
            let before = format!("git add secrets\ngit commit -qm secrets\n{before}");
            let hidden = format!("{before}\n{hide}");
            let outside = attempt(user, || by_host(user, &hidden), &script, false);
            let inside = attempt(user, || by_host(user, &before), &script, true);
            let same = outside.0 == inside.0;
            println!("| git and {name} | {} |", if same { "same" } else { "DIFFERS" });
            if !same {
                wrong.push(format!(
                    "{name}:\n  outside {}\n  inside  {}\n  complaints {}",
                    outside.0, inside.0, inside.1
                ));
            }
        }
        assert!(wrong.is_empty(), "{}", wrong.join("\n"));
    })
    .unwrap();
}

#[test]
fn what_writes_protected_names_is_refused_and_says_so() {
    sandboxed::test("what_writes_protected_names_is_refused_and_says_so", || {
        let mut wrong = Vec::new();
        for identity in [Identity::User, Identity::Root] {
            for (name, script, message) in REFUSED {
                let plant = || ordinary_project(identity);
                let outside = attempt(identity, plant, script, false);
                assert!(outside.0.ends_with("status: 0"), "{name}: {outside:?}");
                let (told, complaints) = attempt(identity, plant, script, true);
                let status = told.ends_with("status: 0");
                let denial = complaints
                    .lines()
                    .any(|line| line.starts_with("portcullis: denied ") && line.contains("/.git"));
                if status || !denial || !complaints.contains(message) {
                    wrong.push(format!("{name}: {told}\n{complaints}"));
                }
                println!("| {name} | {} | {message} |", identity.word());
            }
        }
        assert!(wrong.is_empty(), "{}", wrong.join("\n"));
    })
    .unwrap();
}

#[test]
fn what_cannot_work_says_so_at_once() {
    sandboxed::test("what_cannot_work_says_so_at_once", || {
        fixture::plant(Identity::User).unwrap();
        let _server = UnixListener::bind("/run/docker.sock").unwrap();
        fs::set_permissions("/run/docker.sock", fs::Permissions::from_mode(0o777)).unwrap();
        let engine = "import socket; socket.socket(socket.AF_UNIX).connect('/run/docker.sock')";
        let commands: [&[&str]; 2] =
            [&["python3", "-c", engine], &["timeout", "20", "docker", "ps"]];
        for words in commands {
            if words.contains(&"docker") && find("docker").is_none() {
                println!("SKIP docker: it is not installed");
                continue;
            }
            let output = sandboxed::behind(Identity::User, &[], words).unwrap().output().unwrap();
            let complaint = String::from_utf8_lossy(&output.stderr);
            assert!(output.status.code() == Some(1), "{}: {complaint}", output.status);
            assert!(complaint.to_lowercase().contains("permission denied"), "{complaint}");
            assert!(
                complaint.contains("portcullis: denied connect")
                    && complaint.contains("docker.sock"),
                "{complaint}"
            );
            println!("| {} and the engine's socket | permission denied |", words[0]);
        }
    })
    .unwrap();
}

/// What it printed and how it ended, and its complaints.
fn attempt(
    identity: Identity,
    before: impl FnOnce(),
    script: &str,
    inside: bool,
) -> (String, String) {
    fixture::plant(identity).unwrap();
    before();
    let scratch = Path::new("/home/scratch");
    fs::create_dir(scratch).unwrap();
    fs::set_permissions(scratch, fs::Permissions::from_mode(0o777)).unwrap();
    let words = ["/bin/bash", "-c", script];
    let mut command: Command = if inside {
        sandboxed::behind(identity, &[], &words).unwrap()
    } else {
        sandboxed::bare(identity, &words).unwrap()
    };
    command.env("TMPDIR", scratch);
    command.env("PATH", format!("{}:{}", toolchain().join("bin").display(), sandboxed::PATH));
    let output = command.output().unwrap();
    let text = String::from_utf8_lossy(&output.stdout).into_owned();
    let told = format!("{text:?} status: {}", output.status.code().unwrap_or(-1));
    (told, String::from_utf8_lossy(&output.stderr).into_owned())
}

/// A project as most are: what may not be read is not tracked, or is one file among many.
fn ordinary_project(identity: Identity) {
    by_host(identity, "echo secrets > .git/info/exclude");
}

/// What the host does in the project, after which git has seen what there is.
fn by_host(identity: Identity, script: &str) {
    // A file as young as the index is read again, to be sure.
    let script = format!(
        "set -e; git() {{ command git -c safe.directory='*' \"$@\"; }}
        find . -name .git -prune -o -type f -exec touch -d @1000000000 {{}} +
        mkdir -p .git/info
        {script}
        git update-index -q --refresh || true
        chown -R {0}:{0} .git",
        identity.number()
    );
    let mut host = sandboxed::bare(Identity::Root, &["/bin/sh", "-c", &script]).unwrap();
    let output = host.output().unwrap();
    assert!(output.status.success(), "{output:?}");
}

/// Where the compiler that builds this is installed.
fn toolchain() -> PathBuf {
    Path::new(env!("CARGO")).parent().and_then(Path::parent).unwrap().to_owned()
}

fn find(program: &str) -> Option<PathBuf> {
    let places = [PathBuf::from("/usr/local/bin"), toolchain().join("bin")];
    find_program(program)
        .or_else(|| places.iter().map(|place| place.join(program)).find(|path| path.is_file()))
}
