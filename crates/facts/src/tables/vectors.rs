//! What programs can be made to do beside what they are for.
//!
//! One row is a beginning of a command line and texts that may follow it; what a row claims is that a
//! program started like this runs code, writes files or reaches hosts of the caller's choice. An allow
//! rule has the reach if the evaluator allows one of the texts. From the manual pages of the programs;
//! the public `GTFOBins` list names most of them too.

use crate::{Arg, peel};

/// How far a program reaches.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Reach {
    /// It runs any code, given as an argument, a file or input.
    Code,
    /// It runs code that files of the project hold.
    Project,
    /// It writes files that are not judged as edits.
    Write,
    /// It sends to any host.
    Network,
}

/// One row.
#[derive(Clone, Copy, Debug)]
pub struct Vector {
    /// How the command line starts.
    pub head: &'static str,
    /// What may follow; empty for nothing.
    pub tails: &'static [&'static str],
    /// What comes of it.
    pub reach: Reach,
    /// How.
    pub why: &'static str,
    /// Files of the project that say what runs.
    pub files: &'static [&'static str],
}

impl Vector {
    /// Whether it runs the words that follow, wherever they begin.
    pub fn carries(&self) -> bool {
        self.why == ANY || self.why.starts_with("it runs commands in")
    }

    /// Whether one of its command lines starts with these words, wherever its options stand.
    fn goes_on_from(&self, words: &[&str]) -> bool {
        let same_program = |word: &&str| {
            self.head
                .strip_prefix(*word)
                .is_some_and(|rest| matches!(rest.as_bytes(), [] | [b' ', ..]))
        };
        if !words.first().is_none_or(same_program) {
            return false;
        }
        self.tails.iter().any(|tail| {
            let head = self.head.split(' ').count();
            let line: Vec<&str> = self.head.split(' ').chain(tail.split(' ')).collect();
            let shared = line.iter().zip(words).take_while(|(own, other)| own == other).count();
            // Options go anywhere after the words that the row names. Those that git and cargo take
            // before their subcommand are another matter: what may follow it has rows of its own.
            let option = line.get(head).is_some_and(|word| word.starts_with('-'));
            let first = matches!(self.head, "git" | "cargo");
            shared == words.len() || (shared >= head && option && !first)
        })
    }

    /// Whether its first operand is a file of code.
    pub fn takes_script(&self) -> bool {
        self.why == SCRIPT
    }
}

/// Whether a command line that starts with these words may go on so that it runs code of the caller's
/// choice, as far as a row or a wrapper knows.
pub fn may_run_code(words: &[&str]) -> bool {
    let known = |row: &&Vector| row.reach == Reach::Code;
    VECTORS.iter().filter(known).any(|row| row.goes_on_from(words)) || {
        let mut argv: Vec<Arg> = words.iter().map(|word| Arg::Known((*word).to_owned())).collect();
        // What a wrapper needs before the program that it runs: a host, a container, a number.
        (0..3).any(|_| {
            argv.push(Arg::Known("x".to_owned()));
            peel(&argv).is_some()
        })
    }
}

const fn code(head: &'static str, tails: &'static [&'static str], why: &'static str) -> Vector {
    Vector { head, tails, reach: Reach::Code, why, files: &[] }
}

const fn project(
    head: &'static str,
    tails: &'static [&'static str],
    why: &'static str,
    files: &'static [&'static str],
) -> Vector {
    Vector { head, tails, reach: Reach::Project, why, files }
}

const fn write(head: &'static str, tails: &'static [&'static str], why: &'static str) -> Vector {
    Vector { head, tails, reach: Reach::Write, why, files: &[] }
}

const fn network(head: &'static str, tails: &'static [&'static str], why: &'static str) -> Vector {
    Vector { head, tails, reach: Reach::Network, why, files: &[] }
}

const SCRIPT: &str = "it runs what it is given";
const ANY: &str = "it runs the command that follows";
const PACKAGE: &str = "it fetches a package and runs it";

/// Every row.
pub const VECTORS: &[Vector] = &[
    // Interpreters.
    code("bash", &["-c id", "x.sh"], SCRIPT),
    code("sh", &["-c id", "x.sh"], SCRIPT),
    code("dash", &["-c id"], SCRIPT),
    code("zsh", &["-c id"], SCRIPT),
    code("fish", &["-c id"], SCRIPT),
    code("ksh", &["-c id"], SCRIPT),
    code("python", &["-c pass", "x.py", "-m timeit x"], SCRIPT),
    code("python3", &["-c pass", "x.py", "-m timeit x"], SCRIPT),
    code("node", &["-e 0", "x.js"], SCRIPT),
    code("deno", &["eval 0", "run -A x.ts"], SCRIPT),
    code("bun", &["-e 0", "run x.ts"], SCRIPT),
    code("ruby", &["-e 0", "x.rb"], SCRIPT),
    code("perl", &["-e 0", "x.pl"], SCRIPT),
    code("php", &["-r 0\\;", "x.php"], SCRIPT),
    code("lua", &["-e x=0", "x.lua"], SCRIPT),
    code("Rscript", &["-e 0"], SCRIPT),
    code("julia", &["-e 0"], SCRIPT),
    code("osascript", &["-e x"], SCRIPT),
    code("tclsh", &["x.tcl"], SCRIPT),
    code("tsx", &["x.ts"], SCRIPT),
    code("ts-node", &["x.ts"], SCRIPT),
    code("java", &["-jar x.jar", "X.java"], SCRIPT),
    code("awk", &["BEGIN\\{system\\(\\\"id\\\"\\)\\}"], "its `system` runs a command"),
    code("gawk", &["BEGIN\\{system\\(\\\"id\\\"\\)\\}"], "its `system` runs a command"),
    code("eval", &["id"], ANY),
    code("source", &["x.sh"], SCRIPT),
    code("expect", &["-c id"], SCRIPT),
    code("sqlite3", &["x.db .shell\\ id"], "`.shell` runs a command"),
    code("psql", &["-c \\\\!\\ id"], "`\\!` runs a command"),
    code("gdb", &["-ex shell\\ id"], "`shell` runs a command"),
    code("vim", &["-c \\!id"], "`:!` runs a command"),
    code("vi", &["-c \\!id"], "`:!` runs a command"),
    code("ed", &["x"], "`!` runs a command"),
    code("emacs", &["--eval x"], SCRIPT),
    code("less", &["x"], "`!` runs a command"),
    code("man", &["-P id x", "-H x"], "its pager is a command"),
    // Programs that start another.
    code("env", &["id", "x"], ANY),
    code("sudo", &["id"], ANY),
    code("doas", &["id"], ANY),
    code("su", &["-c id"], ANY),
    code("xargs", &["id", "-n1 id"], ANY),
    code("timeout", &["5 id"], ANY),
    code("nohup", &["id"], ANY),
    code("nice", &["id"], ANY),
    code("command", &["id"], ANY),
    code("time", &["id"], ANY),
    code("exec", &["id"], ANY),
    code("setsid", &["id"], ANY),
    code("parallel", &["id ::: x"], ANY),
    code("watch", &["id"], ANY),
    code("entr", &["id"], ANY),
    code("script", &["-c id"], ANY),
    code("strace", &["id", "-o \\|id true"], ANY),
    code("ltrace", &["id"], ANY),
    code("unshare", &["id"], ANY),
    code("nsenter", &["-t 1 id"], ANY),
    code("chroot", &["/ id"], ANY),
    code("systemd-run", &["id"], ANY),
    code("at", &["now"], "it runs what it reads, later"),
    code("crontab", &["x"], "it installs commands to run later"),
    code("tmux", &["new-session id", "send-keys id"], ANY),
    code("screen", &["-dm id"], ANY),
    code("ssh", &["x id", "-o ProxyCommand=id x"], "it runs commands, here or there"),
    code("busybox", &["sh -c id"], ANY),
    code("flock", &["x id"], ANY),
    // Runners of packages and containers.
    code("npx", &["x"], PACKAGE),
    code("bunx", &["x"], PACKAGE),
    code("uvx", &["x"], PACKAGE),
    code("uv run", &["x"], ANY),
    code("uv tool run", &["x"], PACKAGE),
    code("pipx", &["run x"], PACKAGE),
    code("pnpm", &["dlx x", "exec id"], PACKAGE),
    code("yarn", &["dlx x", "exec id"], PACKAGE),
    code("npm", &["exec x", "x x"], PACKAGE),
    code("poetry run", &["id"], ANY),
    code("pipenv run", &["id"], ANY),
    code("bundle exec", &["id"], ANY),
    code("direnv exec", &[". id"], ANY),
    code("mise exec", &["-- id"], ANY),
    code("nix", &["run x", "shell x -c id"], ANY),
    code("docker", &["run x", "exec x id", "build ."], "it runs commands with the daemon's rights"),
    code("docker compose", &["run x", "exec x id", "up"], "it runs commands in containers"),
    code("docker exec", &["x id"], "it runs commands in a container"),
    code("docker compose exec", &["x id"], "it runs commands in a container"),
    code("podman", &["run x", "exec x id"], "it runs commands in containers"),
    code("kubectl", &["exec x -- id", "run x --image=x"], "it runs commands in a cluster"),
    code("npm install", &["x"], PACKAGE),
    code("npm i", &["x"], PACKAGE),
    code("npm add", &["x"], PACKAGE),
    code("pnpm add", &["x"], PACKAGE),
    code("yarn add", &["x"], PACKAGE),
    code("bun add", &["x"], PACKAGE),
    code("pip install", &["x"], PACKAGE),
    code("pip3 install", &["x"], PACKAGE),
    code("uv pip install", &["x"], PACKAGE),
    code("poetry add", &["x"], PACKAGE),
    code("gem install", &["x"], PACKAGE),
    // Options that run something.
    code(
        "find",
        &[". -exec id \\;", ". -execdir id \\;", ". -ok id \\;"],
        "`-exec` runs a command",
    ),
    code("fd", &["-x id", ". -X id"], "`-x` runs a command"),
    code("rg", &["--pre id x"], "`--pre` runs a command for each file"),
    code("sed", &["1e x", "-n 1e x", "s/x/id/e x"], "`e` runs a command"),
    code(
        "tar",
        &[
            "--to-command=id -xf x",
            "-cf x . --checkpoint=1 --checkpoint-action=exec=id",
            "-I id -cf x .",
        ],
        "options of it run commands",
    ),
    code("rsync", &["-e id x y:", "--rsync-path=id x y:"], "`-e` runs a command"),
    code("zip", &["x y -T -TT id"], "`-TT` runs a command"),
    code(
        "git",
        &[
            "-c core.pager=id log",
            "-c alias.x=\\!id x",
            "--exec-path=x log",
            "bisect run id",
            "rebase -x id",
            "submodule foreach id",
            "grep -Oid x",
            "difftool -x id",
            "-c core.sshCommand=id fetch",
        ],
        "options and configuration of it run commands",
    ),
    code("git rebase", &["-x id", "--exec id"], "`-x` runs a command"),
    code("git bisect", &["run id"], "`run` runs a command"),
    code("git submodule", &["foreach id"], "`foreach` runs a command"),
    code("git grep", &["-Oid x", "--open-files-in-pager=id x"], "`-O` runs a command"),
    code("git difftool", &["-x id", "-y -x id"], "`-x` runs a command"),
    code("git clone", &["-u id . x", "-c core.sshCommand=id x"], "options of it run commands"),
    code("git fetch", &["--upload-pack=id ."], "`--upload-pack` runs a command"),
    code("git pull", &["--upload-pack=id ."], "`--upload-pack` runs a command"),
    code("git push", &["--receive-pack=id ."], "`--receive-pack` runs a command"),
    code("git ls-remote", &["--upload-pack=id ."], "`--upload-pack` runs a command"),
    code("git archive", &["--remote=. --exec=id HEAD"], "`--exec` runs a command"),
    code(
        "git config",
        &["core.pager id", "alias.x \\!id", "core.hooksPath x"],
        "configuration of git runs commands",
    ),
    code("git -c", &["core.pager=id log"], "configuration of git runs commands"),
    code(
        "make",
        &["--eval=x:\\;id", "-f x", "SHELL=x"],
        "options and variables of it run commands",
    ),
    code(
        "cargo",
        &["--config target.x.runner=\\'id\\' run", "run", "install x"],
        "it runs what it builds, and any program by configuration",
    ),
    code("go", &["run x", "generate", "test -exec id"], "it runs what it builds"),
    code("go test", &["-exec id", "-toolexec id"], "`-exec` runs a command"),
    code("go build", &["-toolexec id"], "`-toolexec` runs a command"),
    code("go vet", &["-vettool=x"], "`-vettool` runs a program"),
    code("go run", &["x.go", "x@latest"], SCRIPT),
    code("go generate", &["./..."], "it runs commands in comments"),
    code("go install", &["x@latest"], PACKAGE),
    code("tcpdump", &["-z id -G1 -w x"], "`-z` runs a command"),
    code("openssl", &["engine -t x", "req -engine x"], "engines are code"),
    code(
        "gh",
        &["alias set x \\!id", "extension install x"],
        "aliases and extensions of it run commands",
    ),
    code("gh alias", &["set x \\!id"], "aliases of it run commands"),
    code("gh extension", &["install x", "exec x"], PACKAGE),
    code("helm", &["install x y --post-renderer id"], "`--post-renderer` runs a command"),
    code("ansible", &["all -m shell -a id"], ANY),
    code("kubectl exec", &["x -- id"], "it runs commands in a cluster"),
    code("cmake", &["-P x", "-E env id"], SCRIPT),
    code("mvn", &["exec:exec -Dexec.executable=id"], "plugins of it run commands"),
    code("jupyter", &["nbconvert --execute x"], SCRIPT),
    code("papermill", &["x y"], SCRIPT),
    code("spark-submit", &["x.py"], SCRIPT),
    code("cargo test", &["--config build.rustc-wrapper=\\'id\\'"], "`--config` names any program"),
    code("cargo build", &["--config build.rustc-wrapper=\\'id\\'"], "`--config` names any program"),
    code("cargo check", &["--config build.rustc-wrapper=\\'id\\'"], "`--config` names any program"),
    code(
        "cargo clippy",
        &["--config build.rustc-wrapper=\\'id\\'"],
        "`--config` names any program",
    ),
    code("cargo tree", &["--config build.rustc=\\'id\\'"], "`--config` names any program"),
    code("npm test", &["--script-shell=id"], "`--script-shell` names any program"),
    code("npm run", &["x --script-shell=id"], "`--script-shell` names any program"),
    code("go list", &["-export -toolexec id ."], "`-toolexec` runs a command"),
    code("mypy", &["--python-executable id ."], "`--python-executable` runs a program"),
    // Whatever the project says.
    project("make", &["x", ""], "it runs what `Makefile` says", &["Makefile"]),
    project("just", &["x", ""], "it runs what `justfile` says", &["justfile"]),
    project("task", &["x"], "it runs what `Taskfile.yml` says", &["Taskfile.yml"]),
    project("npm run", &["x"], "it runs what `package.json` says", &["package.json"]),
    project("npm test", &["", "-- x"], "it runs what `package.json` says", &["package.json"]),
    project("npm start", &[""], "it runs what `package.json` says", &["package.json"]),
    project("npm install", &["", "x"], "install scripts run", &["package.json"]),
    project("npm ci", &[""], "install scripts run", &["package.json"]),
    project("yarn", &["x", "run x"], "it runs what `package.json` says", &["package.json"]),
    project(
        "pnpm",
        &["run x", "test", "install"],
        "it runs what `package.json` says",
        &["package.json"],
    ),
    project("pnpm run", &["x"], "it runs what `package.json` says", &["package.json"]),
    project("pnpm test", &["", "x"], "it runs what `package.json` says", &["package.json"]),
    project("bun run", &["x"], "it runs what `package.json` says", &["package.json"]),
    project("bun test", &["", "x"], "it runs the tests", &["x.test.ts"]),
    project("vitest", &["", "run"], "it runs the tests", &["vitest.config.ts"]),
    project("jest", &["", "x"], "it runs the tests", &["jest.config.js"]),
    project("eslint", &["", "."], "its configuration is code", &["eslint.config.js"]),
    project("tsc", &["-p x"], "it builds what `tsconfig.json` says", &[]),
    project("cargo test", &["", "x"], "it runs build scripts and tests", &["build.rs"]),
    project("cargo build", &["", "--release"], "it runs build scripts", &["build.rs"]),
    project("cargo check", &["", "x"], "it runs build scripts and macros", &["build.rs"]),
    project("cargo clippy", &["", "x"], "it runs build scripts and macros", &["build.rs"]),
    project("cargo run", &["", "x"], "it runs the program", &["src/main.rs"]),
    project("cargo bench", &["", "x"], "it runs build scripts and benches", &["build.rs"]),
    project("cargo nextest", &["run"], "it runs build scripts and tests", &["build.rs"]),
    project("go test", &["", "./..."], "it runs the tests", &["x_test.go"]),
    project("pytest", &["", "x"], "it runs the tests and `conftest.py`", &["conftest.py"]),
    project(
        "python -m pytest",
        &["", "x"],
        "it runs the tests and `conftest.py`",
        &["conftest.py"],
    ),
    project(
        "python3 -m pytest",
        &["", "x"],
        "it runs the tests and `conftest.py`",
        &["conftest.py"],
    ),
    project("uv run pytest", &["", "x"], "it runs the tests and `conftest.py`", &["conftest.py"]),
    project("tox", &["", "-e x"], "it runs what `tox.ini` says", &["tox.ini"]),
    project("nox", &["", "-s x"], "it runs `noxfile.py`", &["noxfile.py"]),
    project("mypy", &["", "."], "plugins of it are code", &["mypy.ini"]),
    project("pip install", &[".", "-e ."], "it runs the build of the package", &["setup.py"]),
    project("pip3 install", &[".", "-e ."], "it runs the build of the package", &["setup.py"]),
    project("rake", &["", "x"], "it runs the `Rakefile`", &["Rakefile"]),
    project("bundle install", &[""], "extensions are built", &["Gemfile"]),
    project("gradle", &["x", ""], "it runs `build.gradle`", &["build.gradle"]),
    project("./gradlew", &["x", ""], "it runs `build.gradle`", &["build.gradle"]),
    project("mvn", &["x", "test"], "it runs what `pom.xml` says", &["pom.xml"]),
    project("terraform", &["apply", "plan"], "it runs providers and provisioners", &["main.tf"]),
    project("git commit", &["", "-m x"], "hooks of the repository run", &[]),
    project("pre-commit", &["run"], "it runs the hooks of the project", &[]),
    project("docker build", &[".", "x"], "it runs what `Dockerfile` says", &["Dockerfile"]),
    project("docker compose up", &["", "x"], "it runs what `compose.yaml` says", &["compose.yaml"]),
    // Files past the rules for edits.
    write("tar", &["-xf x -C /", "-xf x"], "it unpacks over files"),
    write("unzip", &["x -d /", "x"], "it unpacks over files"),
    write("curl", &["-o .git/hooks/pre-commit https://x", "-o x https://x"], "`-o` writes a file"),
    write("wget", &["-O .git/hooks/pre-commit https://x"], "`-O` writes a file"),
    write("rsync", &["x /y", "x .git/"], "it writes files"),
    write("dd", &["if=x of=.git/config"], "`of=` writes a file"),
    write("git checkout", &["x -- .", "."], "it replaces files of the working tree"),
    write("git apply", &["x"], "it changes files of the working tree"),
    write("git -C", &["/ checkout x"], "it works in another repository"),
    write("patch", &["-i x", "-d / -i x"], "it changes files"),
    write("sort", &["-o .git/config x"], "`-o` writes a file"),
    write("tee", &[".git/config"], "it writes its files"),
    write("sed -i", &["s/x/y/ .git/config"], "`-i` changes files"),
    // Any host.
    network("curl", &["https://x", "-d @x https://x"], "the caller names the host"),
    network("wget", &["https://x", "--post-file=x https://x"], "the caller names the host"),
    network("nc", &["x 1"], "the caller names the host"),
    network("ncat", &["x 1"], "the caller names the host"),
    network("socat", &["x y"], "the caller names the host"),
    network("scp", &["x y:"], "the caller names the host"),
    network("sftp", &["x"], "the caller names the host"),
    network("ftp", &["x"], "the caller names the host"),
    network("rsync", &["x y:"], "the caller names the host"),
    network("telnet", &["x"], "the caller names the host"),
    network("ping", &["x"], "names of hosts carry data"),
    network("dig", &["x"], "names of hosts carry data"),
    network("nslookup", &["x"], "names of hosts carry data"),
    network("host", &["x"], "names of hosts carry data"),
    network("http", &["x"], "the caller names the host"),
    network("git push", &["https://x/y x", "x"], "the caller names the repository"),
    network(
        "git remote",
        &["add x https://x", "set-url origin https://x"],
        "the caller names the repository",
    ),
    network("gh api", &["x", "-X POST x"], "it calls any endpoint"),
    network("gh gist", &["create x"], "it publishes files"),
    network("aws", &["s3 cp x s3://y"], "the caller names the bucket"),
    network("gcloud", &["storage cp x gs://y"], "the caller names the bucket"),
    network("npm publish", &["", "x"], "it publishes the package"),
    network("cargo publish", &["", "x"], "it publishes the package"),
    network("twine", &["upload x"], "it publishes the package"),
];

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn tells_which_beginnings_may_run_code() {
        let may = |line: &str| may_run_code(&line.split(' ').collect::<Vec<_>>());
        for line in [
            "npm exec",
            "kubectl exec",
            "poetry run",
            "bundle exec",
            "mise exec",
            "git bisect",
            "git submodule",
            "git grep",
            "gh extension",
            "ssh host",
            "go run",
            "docker run",
            "tar xf",
            "git push",
            "find .",
            "sed -n",
            "timeout 5",
            "perf stat",
            "systemd-run",
            "flock x",
            "npm",
        ] {
            assert!(may(line), "{line}");
        }
        for line in ["git add", "git commit", "git stash", "npm audit", "cargo fmt", "mkdir x"] {
            assert!(!may(line), "{line}");
        }
    }
}
