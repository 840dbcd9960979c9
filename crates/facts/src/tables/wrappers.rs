//! Programs that run other programs, one row a form.
//!
//! Options come from the manual pages of GNU coreutils, findutils, util-linux, sudo, OpenSSH and the
//! other projects; what is not listed is not understood, and then nothing is taken off for certain.

use super::wrappers_grammar::{EVERY_WORD, Grammar, Order, Unlisted};
use crate::Strength;
use portcullis_model::Reason;

/// How what stands after the options and operands of a row is run.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Runs {
    /// A program and its arguments.
    Argv,
    /// As `Argv`, with more arguments from the input.
    Appended,
    /// The words are joined by blanks and given to a shell.
    Joined,
    /// Every word is a script of its own.
    Scripts,
    /// The words are arguments of a shell.
    ShellArguments,
    /// The first word is a package whose program has its name, perhaps with a version.
    Package,
    /// The first word names something that holds a program (`nixpkgs#hello`).
    Installable,
    /// The words say when; what runs comes from the input.
    Input,
}

/// What runs when no word is left for it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Empty {
    /// Nothing.
    Nothing,
    /// A shell that reads its input.
    Shell,
}

/// One form of a program that runs others.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Wrapper {
    /// Its names.
    pub(crate) names: &'static [&'static str],
    /// What stands before the part that runs.
    pub(crate) grammar: Grammar,
    /// How that part runs.
    pub(crate) runs: Runs,
    /// What runs without it.
    pub(crate) empty: Empty,
    /// For which rule classes it is looked through.
    pub(crate) strength: Strength,
    /// What no rule for the inner command can bound.
    pub(crate) reasons: &'static [Reason],
    /// No wildcard rule may allow the full form.
    pub(crate) exact_only: bool,
}

/// A row for a program with these names.
pub(super) const fn row(names: &'static [&'static str]) -> Wrapper {
    Wrapper {
        names,
        grammar: Grammar {
            path: &[],
            globals: "",
            options: "",
            operands: 0,
            order: Order::First,
            unlisted: Unlisted::Unclear,
            assignments: false,
            single_dash: false,
        },
        runs: Runs::Argv,
        empty: Empty::Nothing,
        strength: Strength::DenyAsk,
        reasons: &[],
        exact_only: false,
    }
}

impl Wrapper {
    pub(super) const fn every(mut self) -> Self {
        self.strength = Strength::Every;
        self
    }
    pub(super) const fn exact(mut self) -> Self {
        self.exact_only = true;
        self
    }
    pub(super) const fn path(mut self, path: &'static [&'static [&'static str]]) -> Self {
        self.grammar.path = path;
        self
    }
    pub(super) const fn globals(mut self, globals: &'static str) -> Self {
        self.grammar.globals = globals;
        self
    }
    pub(super) const fn options(mut self, options: &'static str) -> Self {
        self.grammar.options = options;
        self
    }
    pub(super) const fn operands(mut self, operands: usize) -> Self {
        self.grammar.operands = operands;
        self
    }
    /// Every word that is no option is an operand; only option values run.
    pub(super) const fn only_options(mut self) -> Self {
        self.grammar.operands = EVERY_WORD;
        self.grammar.order = Order::Mixed;
        self
    }
    pub(super) const fn mixed(mut self) -> Self {
        self.grammar.order = Order::Mixed;
        self
    }
    /// The program has too many harmless options to list.
    pub(super) const fn lenient(mut self) -> Self {
        self.grammar.unlisted = Unlisted::Flag;
        self
    }
    pub(super) const fn assignments(mut self) -> Self {
        self.grammar.assignments = true;
        self
    }
    pub(super) const fn single_dash(mut self) -> Self {
        self.grammar.single_dash = true;
        self
    }
    pub(super) const fn runs(mut self, runs: Runs) -> Self {
        self.runs = runs;
        self
    }
    pub(super) const fn or_shell(mut self) -> Self {
        self.empty = Empty::Shell;
        self
    }
    pub(super) const fn because(mut self, reasons: &'static [Reason]) -> Self {
        self.reasons = reasons;
        self
    }
}

pub(super) const EXEC: &[Reason] = &[Reason::ExecWrapper];
const PRIVILEGE: &[Reason] = &[Reason::Privilege];
const REMOTE: &[Reason] = &[Reason::Remote];
pub(super) const CONFIG: &[Reason] = &[Reason::ConfigExec];

/// Options of docker and podman that stand before the subcommand.
const DOCKER_GLOBALS: &str = "-H: --host: -c: --context: --config: -D --debug -l: --log-level: \
    --tls --tlscacert: --tlscert: --tlskey: --tlsverify --url: --connection: --identity: --root: \
    --runroot: --storage-driver: --storage-opt: -r --remote --log-opt: --cgroup-manager: \
    --network-cmd-path: --runtime: --tmpdir: --events-backend: --hooks-dir: --module: --syslog \
    --transient-store --noout --help -v --version";
const DOCKER_EXEC: &str = "-d --detach --detach-keys: -e: --env: --env-file: -i --interactive \
    --privileged -t --tty -u: --user: -w: --workdir: -l --latest --preserve-fds: --index: -T \
    --no-TTY --no-tty --dry-run";
const DOCKER_RUN: &str = "-a: --attach: --add-host: --annotation: --blkio-weight: \
    --blkio-weight-device: --cap-add: --cap-drop: --cgroup-parent: --cgroupns: --cidfile: \
    --cpu-count: --cpu-percent: --cpu-period: --cpu-quota: --cpu-rt-period: --cpu-rt-runtime: \
    -c: --cpu-shares: --cpus: --cpuset-cpus: --cpuset-mems: -d --detach --detach-keys: --device: \
    --device-cgroup-rule: --device-read-bps: --device-read-iops: --device-write-bps: \
    --device-write-iops: --disable-content-trust --dns: --dns-opt: --dns-option: --dns-search: \
    --domainname: --entrypoint^ -e: --env: --env-file: --env-host --expose: --gidmap: --gpus: \
    --group-add: --health-cmd$ --health-interval: --health-retries: --health-start-interval: \
    --health-start-period: --health-timeout: --help -h: --hostname: --http-proxy --init -i \
    --interactive --io-maxbandwidth: --io-maxiops: --ip: --ip6: --ipc: --isolation: \
    --kernel-memory: -l: --label: --label-file: --link: --link-local-ip: --log-driver: --log-opt: \
    --mac-address: -m: --memory: --memory-reservation: --memory-swap: --memory-swappiness: \
    --mount: --name: --net: --net-alias: --network: --network-alias: --no-healthcheck \
    --no-hosts --oom-kill-disable --oom-score-adj: --passwd --pid: --pids-limit: --platform: --pod: \
    --privileged -p: --publish: -P --publish-all --pull: --quiet -q --read-only --replace \
    --restart: --rm --runtime: --secret: --security-opt: --shm-size: --sig-proxy --stop-signal: \
    --stop-timeout: --storage-opt: --subuidname: --subgidname: --sysctl: --systemd: --timeout: \
    --tls-verify --tmpfs: -t --tty --tz: --uidmap: --ulimit: --umask: -u: --user: --userns: --uts: \
    -v: --volume: --volume-driver: --volumes-from: -w: --workdir: --no-deps --build --service-ports \
    --use-aliases -T --no-TTY --remove-orphans --quiet-pull --use-api-socket";
const COMPOSE_GLOBALS: &str = "-f: --file: -p: --project-name: --profile: --env-file: \
    --project-directory: --ansi: --progress: --parallel: --compatibility --all-resources --dry-run \
    --verbose -H: --host: -c: --context: --config: -D --debug -l: --log-level: --help -v --version";
const KUBECTL_GLOBALS: &str = "--as: --as-group: --as-uid: --cache-dir: --certificate-authority: \
    --client-certificate: --client-key: --cluster: --context: --disable-compression \
    --insecure-skip-tls-verify --kubeconfig: --log-flush-frequency: --match-server-version -n: \
    --namespace: --password: --profile: --profile-output: --request-timeout: -s: --server: \
    --tls-server-name: --token: --user: --username: -v: --vmodule: --warnings-as-errors -c: \
    --container: -f: --filename: --pod-running-timeout: -q --quiet -i --stdin -t --tty  -h --help \
    --image: --restart: --rm --env: --labels: -l: --port: --command --attach --overrides: \
    --dry-run? --target: --share-processes --copy-to: --custom: --keep-annotations --set-image:";
const SSH: &str = "-4 -6 -A -a -B: -b: -C -c: -D: -E: -e: -F: -f -G. -g -I: -i: -J: -K -k -L: -l: \
    -M -m: -N -n -O: -o= -P: -p: -Q. -q -R: -S: -s -T -t -V. -v -W: -w: -X -x -Y -y";
const SU: &str = "-c$ --command$ --session-command$ -f --fast -g: --group: -G: --supp-group: -l \
    --login - -m -p --preserve-environment -P --pty -T --no-pty -s: --shell: -w: \
    --whitelist-environment: -h. --help. -V. --version.";
const NICE: &str = "-n: --adjustment: -# --help. --version.";
/// Options of our own `run`.
const PORTCULLIS_RUN: &str = "--explain. --report: --require: --ask-hosts: --allow-network: --pass-fd: --max-memory: \
    --max-processes: --max-cpu: --max-file-size: --timeout: --policy: --no-discovery --project-root: \
    --home: --cwd> --mode: --add-dir: --allow: --ask: --deny: --settings: --json --color: -h. --help. \
    -V. --version.";

const TMUX: &str = "-A -a -b -B -C -D -d -E -e: -F: -f: -h -I -k -l: -M -n: -N -O -o -P -p: -r -s: \
    -S -t: -T: -v -w: -x: -X -y: -Z -c:";
const NPM_GLOBALS: &str = "--prefix: -C: -w: --workspace:  --workspaces --silent -s --quiet -q -d \
    --loglevel: --registry: --userconfig: -g --global --location: --include-workspace-root -y --yes";
const PNPM_GLOBALS: &str = "-C: --dir: -w --workspace-root -r --recursive -F: --filter: \
    --filter-prod: --silent -s --color --no-color --reporter: --aggregate-output --stream \
    --use-stderr --ignore-workspace --loglevel: -c --shell-mode& --parallel --no-bail --bail --sort \
    --no-sort --resume-from: --report-summary --package: --allow-build: --if-present --reverse \
    --workspace-concurrency:";
const UV_GLOBALS: &str = "-q --quiet -v --verbose -n --no-cache --cache-dir: --color: --native-tls \
    --offline --allow-insecure-host: --no-progress --directory> --project: --config-file: \
    --no-config -h. --help. -V. --version.";
const UV_RUN: &str = "--active --all-extras --all-groups --all-packages --allow-insecure-host: \
    --build-constraints: -b: --cache-dir: --color: --compile-bytecode -C: --config-setting: \
    --config-file: --default-index: --directory> --dry-run --env-file: --exact --exclude-newer: \
    --extra: -E: --extra-index-url: -f: --find-links: --fork-strategy: --frozen --from: --group: \
    --gui-script --gui -s --script -m. --module. -h. --help. --index: -i: --index-url: \
    --index-strategy: --isolated --keyring-provider: --link-mode: --locked --managed-python \
    --no-active --no-binary --no-binary-package: --no-build --no-build-isolation \
    --no-build-isolation-package: --no-build-package: -n --no-cache --no-config --no-default-groups \
    --no-dev --no-editable --no-env-file --no-extra: --no-group: --no-index --no-managed-python \
    --no-progress --no-project --no-python-downloads --no-sources --no-sync --offline \
    --only-dev --only-group: --package: --prerelease: -p: --python: --project: -q --quiet \
    --refresh --refresh-package: --reinstall --reinstall-package: --resolution: -U --upgrade \
    -P: --upgrade-package: -v --verbose -w: --with: --with-editable: --with-requirements: \
    --overrides: -c: --constraints: --python-platform: --torch-backend: --lfs --env-mode:";
const NIX: &str = "--accept-flake-config --arg: --argstr: --commit-lock-file --debug --debugger \
    --derivation --eval-store: --expr: -f: --file: -i --ignore-environment -I: --impure \
    --include: --inputs-from: --keep: -k: --log-format: --max-jobs: -j: --no-net --no-registries \
    --no-update-lock-file --no-write-lock-file --offline --option: --override-flake: \
    --override-input: --print-build-logs -L --profile: --quiet --recreate-lock-file --redirect: \
    --refresh --repair --reference-lock-file: --output-lock-file: --stdin --unset: -u: \
    --update-input: --verbose -v --extra-experimental-features: --experimental-features: \
    --phase: --build --check --configure --install --unpack -c~ --command~ --help. --version.";
const STRACE: &str = "-A -a: --columns: -b: --detach-on: -C --summary -c --summary-only -D --daemonize? \
    -d --debug -E: --env: -e: --trace: --abbrev: --verbose: --raw: --signal: --status: --read: \
    --write: --fault: --inject: --kvm: --quiet? -F -f --follow-forks  --output-separately -h. \
    --help. -I: --interruptible: -i --instruction-pointer -k --stack-traces? -n --syscall-number \
    -N --arg-names -O: --summary-syscall-overhead: -o| --output| -P: --trace-path: -p: --attach: -q \
    -r --relative-timestamps? -S: --summary-sort-by: -s: --string-limit: -T --syscall-times? -t \
    --absolute-timestamps? -u: --user: -U: --summary-columns: -V. --version. -v --no-abbrev -w \
    --summary-wall-clock -X: --const-print-style: -x --strings-in-hex? -y --decode-fds? \
    --decode-pids: -Y -z --successful-only -Z --failed-only --seccomp-bpf --tips? --always-show-pid \
    --syscall-limit: --argv0:";
const SUDO: &str = "-A --askpass -b --background -B --bell -C: --close-from: -D> --chdir> -E \
    --preserve-env? -e. --edit. -g: --group: -H --set-home -h: --host: --help. -i --login -K. \
    --remove-timestamp. -k --reset-timestamp -l. --list. -n --non-interactive -N --no-update -P \
    --preserve-groups -p: --prompt: -R: --chroot: -r: --role: -S --stdin -s --shell -T: \
    --command-timeout: -t: --type: -U: --other-user: -u: --user: -V. --version. -v. --validate. -a: \
    --auth-type: -c: --login-class:";
const SYSTEMD_RUN: &str = "--scope -u: --unit: -p: --property: --description: --slice: \
    --slice-inherit --expand-environment: -r --remain-after-exit --send-sighup --service-type: --uid: \
    --gid: --nice: --working-directory> --same-dir -d -E: --setenv: -t --pty -P --pipe -q --quiet \
    --on-active: --on-boot: --on-startup: --on-unit-active: --on-unit-inactive: --on-calendar: \
    --on-clock-change --on-timezone-change --path-property: --socket-property: --timer-property: \
    --no-block --wait -G --collect --user --system -H: --host: -M: --machine: --no-ask-password \
    --ignore-failure --background: -S --shell -T --pty-late -v --verbose --json: -C: --capsule: \
    --root-directory: -R --same-root-dir --area: -h. --help. --version.";

const SETARCH: &str = "-B --32bit -F --fdpic-funcptrs -I --short-inode -L --addr-compat-layout -R \
    --addr-no-randomize -S --whole-seconds -T --sticky-timeouts -X --read-implies-exec -Z \
    --mmap-page-zero -3 --3gb --4gb --uname-2.6 -v --verbose -p: --pid: --list. -h. --help. -V. \
    --version. --show?";
/// What `setarch` takes for an architecture, where it is given one.
const ARCHITECTURES: &[&str] = &[
    "aarch64",
    "alpha",
    "arm",
    "armh",
    "armv7b",
    "armv7l",
    "armv8b",
    "armv8l",
    "i386",
    "i486",
    "i586",
    "i686",
    "ia64",
    "linux32",
    "linux64",
    "loongarch64",
    "mips",
    "mips32",
    "mips64",
    "parisc",
    "ppc",
    "ppc32",
    "ppc64",
    "ppc64le",
    "riscv64",
    "s390",
    "s390x",
    "sparc",
    "sparc64",
    "uname26",
    "x86_64",
];

/// Every row; rows of one name stand together, names in order.
pub(crate) const WRAPPERS: &[Wrapper] = &[
    row(&["aa-exec", "coresched", "schedtool", "uclampset"]).lenient().options("-p: --profile: -n: --namespace: \
        -i -d -s: -t: -m: -M: -R -a: -F -B -I -N -D -e~"),
    row(&["abduco", "dtach"]).lenient().operands(1).options("-e: -E -z -r:").because(EXEC),
    row(&["agenix", "sops"]).path(&[&["exec-env", "exec-file"]]).operands(1).runs(Runs::Joined)
        .mixed().because(EXEC),
    row(&["ansible"]).options("-a$ --args$").lenient().only_options().because(REMOTE),
    row(&["anyenv", "goenv", "jenv", "nodenv", "phpenv", "plenv", "pyenv", "rbenv"])
        .path(&[&["exec"]]),
    row(&["apptainer", "singularity"]).path(&[&["exec"]]).lenient().operands(1).because(REMOTE)
        .options("-B: --bind: -H: --home: -W: --workdir: --pwd: --env: --env-file: -S: --scratch: \
            --overlay: -o: --network: --security: --add-caps: --drop-caps: --mount: --fusemount: \
            --app: --hostname: --dns: --apply-cgroups: --cpus: --memory:"),
    row(&["arch", "i386", "i486", "i586", "i686", "linux32", "linux64", "uname26", "x86_64"])
        .options(SETARCH),
    row(&["arch-chroot"]).lenient().options("-u: -r: -N -S").operands(1).because(PRIVILEGE),
    row(&["argv0"]),
    row(&["asdf"]).path(&[&["exec"]]),
    row(&["at"]).options("-V -q: -f@ --file@ -m -M -l. -d. -b -v -t: -c. -r.").lenient()
        .runs(Runs::Input).because(EXEC),
    row(&["authbind", "cpulimit", "daemonize", "eatmydata", "firejail", "nocache", "prlimit",
        "proxychains", "proxychains4", "torify", "torsocks", "tsocks", "umockdev-run",
        "vglrun", "xvfb-run"])
        .lenient().options("-e: -f: -s: -n: -l: -p: -w: -o: -E: -c> -a -t: --error-file: \
            --auth-file: --server-args: --server-num: --xauth-protocol: --depth: --limit: --pid:"),
    row(&["aws-vault"]).path(&[&["exec"]]).lenient().operands(1)
        .options("-d: --duration: --region: --mfa-token: -t:"),
    row(&["batch"]).lenient().runs(Runs::Input).because(EXEC),
    row(&["bazel", "bazelisk"]).lenient().only_options().options("--run_under$ --workspace_status_command$")
        .because(EXEC),
    row(&["bpftrace"]).lenient().only_options().options("-c$ -e: -o: -p: -f:").because(EXEC),
    row(&["bsub"]).single_dash().options("-app: -sla: -a: -C: -D: -F: -G: -L: -S: -b: -t: -E$ -Ep$ -I -Ip -Is -K -B -N -q: -n: -o: -e: -i: -J: -W: -R: -M: -P: -m: -w: -oo: -eo: -cwd> -u: -g: -x")
        .or_shell().because(REMOTE),
    row(&["builtin"]).every(),
    row(&["bun"]).path(&[&["x"]]).options("--bun -p: --package:").lenient().runs(Runs::Package),
    row(&["bundle", "bundler"]).path(&[&["exec"]]).globals("--gemfile: --verbose -V")
        .options("--keep-file-descriptors --gemfile: --verbose -V"),
    row(&["bunx"]).options("--bun -p: --package:").lenient().runs(Runs::Package),
    row(&["busybox", "toybox"]).options("--install. --list. --list-full. --show: --help. -s"),
    row(&["bwrap"]).or_shell().because(EXEC)
        .options("--args: --argv0: --level-prefix --unshare-all --share-net --unshare-user \
            --unshare-user-try --unshare-ipc --unshare-pid --unshare-net --unshare-uts \
            --unshare-cgroup --unshare-cgroup-try --userns: --userns2: --disable-userns \
            --assert-userns-disabled --pidns: --uid: --gid: --hostname: --chdir> --clearenv \
            --unsetenv: --lock-file: --sync-fd: --remount-ro: --exec-label: --file-label: --proc: \
            --dev: --tmpfs: --mqueue: --dir: --seccomp: --add-seccomp-fd: --block-fd: \
            --userns-block-fd: --info-fd: --json-status-fd: --new-session --die-with-parent --as-pid-1 \
            --cap-add: --cap-drop: --perms: --size: --bind; --bind-try; --dev-bind; --dev-bind-try; \
            --ro-bind; --ro-bind-try; --bind-fd; --ro-bind-fd; --symlink; --setenv; --file; \
            --bind-data; --ro-bind-data; --chmod; --overlay-src: --tmp-overlay: --ro-overlay:"),
    row(&["cabal", "dune", "opam"]).path(&[&["exec"]]).lenient()
        .options("--switch: --root: --profile: --color: -j: -w:"),
    row(&["caffeinate"]).options("-d -i -m -s -u -t: -w:"),
    row(&["cage"]).options("-d -m: -s -v"),
    row(&["capsh"]).lenient().runs(Runs::ShellArguments).because(PRIVILEGE),
    row(&["cargo"]).path(&[&["watch"]]).options("-x$ --exec$ -s$ --shell$ -w: --watch: -i: --ignore: \
        -d: --delay: -c --clear -q --quiet -B: --env: -E: --features: --use-shell: -C> --workdir> --why --poll \
        --no-gitignore --no-ignore --no-restart --postpone -N --notify").runs(Runs::Joined).because(EXEC),
    row(&["cargo"]).lenient().only_options().options("--config=").because(EXEC),
    row(&["cargo-watch", "watchexec"]).options("-x$ --exec$ -s$ --shell$ -w: --watch: -e: --exts: \
        -i: --ignore: -c? --clear? -r --restart -d: --debounce: -n -N --notify -p --postpone -q \
        --quiet -C> --workdir> --project-origin: -W: --watch-non-recursive: -f: --filter: \
        --stop-signal: --signal: --on-busy-update: -1 --once -v --verbose -E: --env:")
        .runs(Runs::Joined).because(EXEC),
    row(&["catatonit", "catchsegv", "dumb-init", "nocorrect", "s6-setsid", "tini"])
        .options("-p: -s -v -w -g -c --single-child --verbose -e: -l --rewrite:"),
    row(&["cgexec"]).options("-g: --sticky -h. --help.").operands(0),
    row(&["chamber"]).path(&[&["exec"]]).lenient().only_options().options("--~ -b:"),
    row(&["choom"]).options("-n: --adjust: -p. --pid. -h. --help. -V. --version."),
    row(&["chpst"]).options("-u: -U: -b: -e: -/: -C> -n: -l: -L: -m: -d: \
        -o: -p: -f: -c: -t: -r: -v -P -0 -1 -2").lenient().because(PRIVILEGE),
    row(&["chronic", "ifne"]).options("-v -e -n"),
    row(&["chroot"]).options("--groups: --userspec: --skip-chdir -g: -u: -G: --help. --version.")
        .operands(1).or_shell().because(PRIVILEGE),
    row(&["chrt"]).options("-a --all-tasks -b --batch -d --deadline -D: --sched-deadline: -f --fifo -h. \
        --help. -i --idle -m. --max. -o --other -P: --sched-period: -p. --pid. -r --rr -R \
        --reset-on-fork -T: --sched-runtime: -v --verbose -V. --version. -e --ext").operands(1),
    row(&["clush"]).options("-w: -g: -x: -X: -f: -t: -u: -l: -o: -m: -O: -R:").runs(Runs::Joined)
        .because(REMOTE),
    row(&["cmake"]).path(&[&["-E"], &["env", "time"]]).options("--unset: --modify:").assignments(),
    row(&["command"]).every().options("-p -v. -V."),
    row(&["concurrently"]).options("-n: --names: -c: --prefix-colors: -k --kill-others \
        --kill-others-on-fail -r --raw -s: --success: --no-color --hide: -g --group -t: \
        --timestamp-format: -p: --prefix: -l: --prefix-length: -i --handle-input \
        --default-input-target: --restart-tries: --restart-after: -m: --max-processes: -P \
        --passthrough-arguments --teardown$").runs(Runs::Scripts).because(EXEC),
    row(&["conda", "mamba", "micromamba"]).path(&[&["run"]]).globals("-v -q --no-plugins")
        .options("-n: --name: -p: --prefix: --cwd> -v  --verbose --dev --debug-wrapper-scripts \
            --no-capture-output --live-stream -e: --env: -a: --attach: -d --detach --clean-env"),
    row(&["condor_run"]).options("-a: -u:").because(REMOTE),
    row(&["consul"])
        .path(&[&["watch"]])
        .options("-type: -key: -prefix: -name: -service: -state: -tag: -http-addr: -token: -datacenter: -shell:")
        .single_dash(),
    row(&["corepack"]),
    row(&["cronic"]),
    row(&["crontab"]).options("-u: -e. -l. -r. -i -s -n -T: -V.").runs(Runs::Input).because(EXEC),
    row(&["cross-env"]).assignments(),
    row(&["cross-env-shell"]).assignments().runs(Runs::Joined),
    row(&["ctr"]).path(&[&["run"]]).globals("-n: --namespace: -a: --address: --debug").lenient().operands(2)
        .because(REMOTE),
    row(&["datefudge"]).options("-s --static").operands(1),
    row(&["dbus-launch"]).options("--sh-syntax --csh-syntax --auto-syntax --exit-with-session \
        --exit-with-x11 --autolaunch: --binary-syntax --close-stderr --config-file:"),
    row(&["dbus-run-session"]).options("--config-file: --dbus-daemon:"),
    row(&["devbox"]).path(&[&["run", "shell"]]).globals("-q --quiet").options("-c> --config> -e: \
        --env: --env-file: --environment: --pure -q --quiet -l --list --all-projects --omit-nix-env \
        --recompute --trace"),
    row(&["devcontainer"]).path(&[&["exec"]]).lenient().because(REMOTE)
        .options("--workspace-folder: --container-id: --config: --remote-env: --id-label: \
            --docker-path: --log-level: --override-config: --user-data-folder:"),
    row(&["direnv"]).path(&[&["exec"]]).operands(1),
    row(&["distrobox", "toolbox"]).path(&[&["enter", "run"]]).lenient().because(REMOTE)
        .options("-n: --name: -c: --container: -d: --distro: -r: --release: -e~").or_shell(),
    row(&["doas"]).options("-C: -L. -n -s -u: -a:").or_shell().because(PRIVILEGE),
    row(&["docker", "nerdctl", "podman"]).path(&[&["exec"]]).globals(DOCKER_GLOBALS)
        .options(DOCKER_EXEC).operands(1).because(REMOTE),
    row(&["docker", "nerdctl", "podman"]).path(&[&["container"], &["exec"]]).globals(DOCKER_GLOBALS)
        .options(DOCKER_EXEC).operands(1).because(REMOTE),
    row(&["docker", "nerdctl", "podman"]).path(&[&["run", "create"]]).globals(DOCKER_GLOBALS)
        .options(DOCKER_RUN).operands(1).because(REMOTE),
    row(&["docker", "nerdctl", "podman"]).path(&[&["container"], &["run", "create"]])
        .globals(DOCKER_GLOBALS).options(DOCKER_RUN).operands(1).because(REMOTE),
    row(&["docker", "nerdctl", "podman"]).path(&[&["compose"], &["exec"]]).globals(COMPOSE_GLOBALS)
        .options(DOCKER_EXEC).operands(1).because(REMOTE),
    row(&["docker", "nerdctl", "podman"]).path(&[&["compose"], &["run"]]).globals(COMPOSE_GLOBALS)
        .options(DOCKER_RUN).operands(1).because(REMOTE),
    row(&["docker-compose", "podman-compose"]).path(&[&["exec"]]).globals(COMPOSE_GLOBALS)
        .options(DOCKER_EXEC).operands(1).because(REMOTE),
    row(&["docker-compose", "podman-compose"]).path(&[&["run"]]).globals(COMPOSE_GLOBALS)
        .options(DOCKER_RUN).operands(1).because(REMOTE),
    row(&["doppler", "infisical", "op", "teller"])
        .path(&[&["run", "exec"]]).lenient().mixed().options("--command$ --env-file: -p: --project: \
            -c: --config: --env: --path: --account: --token: -t:"),
    row(&["dotenv", "dotenvx"]).path(&[&["run"]]).globals("-f: --file: -q: --quote: -e: --export:")
        .options("-f: -e: --env: --env-file: -q --quiet --override").lenient(),
    row(&["dotenv", "dotenvx"]).options("-f: -e: -o -c? -v: -p: -q --quiet --env-file:").lenient(),
    row(&["dtruss", "heaptrack", "truss", "uftrace"]).lenient()
        .options("-o: -p: -n: -t: -e: -s: -b: -d: -F: -D:"),
    row(&["entr"]).options("-a -c -d -n -p -r -s& -x: -z").because(EXEC),
    row(&["env"]).options("- -0 --null -a: --argv0: -C> --chdir> -i --ignore-environment -P: -S% \
        --split-string% -u: --unset: -v --debug --block-signal? --default-signal? --ignore-signal? \
        --list-signal-handling --help. --version.").assignments(),
    row(&["env-cmd"]).options("-f: --file: -r: --rc-file: -e: --environments: -x --expand-envs"),
    row(&["envchain"]).lenient().operands(1),
    row(&["envconsul"]).lenient().because(EXEC),
    row(&["envdir"]).operands(1),
    row(&["envuidgid", "setuidgid"]).operands(1).because(PRIVILEGE),
    row(&["exec"]).options("-c -l -a:"),
    row(&["fakechroot", "fakeroot", "fakeroot-ng"]).options("-l: --lib: --faked: -i: -s: -u -b: -c: \
        -e: -d: --unknown-is-real -h. --help. -v. --version.").or_shell(),
    row(&["faketime"]).options("-m -f -p: --exclude-monotonic --disable-monotonic").operands(1),
    row(&["fghack", "pgrphack"]),
    row(&["flatpak"]).path(&[&["run"]]).options("--command^").lenient().operands(1).because(REMOTE),
    row(&["flatpak-spawn"]).options("--host --clear-env --watch-bus --env: --directory> --sandbox \
        --no-network --forward-fd: --latest-version --expose-pids --share-pids --unset-env: \
        --sandbox-expose: --sandbox-expose-ro:").because(EXEC),
    row(&["flock"]).options("-c$ --command$ -E: --conflict-exit-code: -e -x --exclusive -F --no-fork \
        --fcntl --start: --length: -h. --help. -n --nb --nonblock -o --close -s --shared -u --unlock \
        --verbose -V. --version. -w: --timeout: --wait:").operands(1).mixed().exact().because(EXEC),
    row(&["foreman", "hivemind", "honcho", "overmind"]).path(&[&["run"]]).lenient()
        .options("-e: --env: -f: --procfile: -d: --root:"),
    row(&["gamemoderun", "mangohud", "obs-gamecapture", "prime-run", "primusrun", "steam-run"])
        .lenient(),
    row(&["gdb", "lldb", "cgdb", "rust-gdb", "rust-lldb"]).options("-O= --one-line= --one-line-before-file= -ex= -iex= -eval-command= --eval-command= --init-eval-command= \
        -x: --command: -p: --pid: -c: --core: -d: --directory: -args -batch -q -n -nx -nh -quiet \
        -tty: -cd> -symbols: -se: --args --batch --nx -s: -o= -k= -b").single_dash().lenient()
        .because(EXEC),
    row(&["gh"]).path(&[&["codespace", "cs"], &["ssh"]]).options("-c: --codespace: -R: --repo: \
        --config --debug --debug-file: --profile: --repo-owner: --server-port:")
        .runs(Runs::Joined).because(REMOTE),
    row(&["gopass"]).path(&[&["env"]]).lenient().operands(1),
    row(&["gosu", "su-exec"]).operands(1).because(PRIVILEGE),
    row(&["gpg-agent"]).lenient().options("--homedir: --options:").because(EXEC),
    row(&["guix"]).path(&[&["environment", "shell"]]).lenient().only_options().options("--~"),
    row(&["hatch", "pdm", "pipenv", "pixi", "poetry", "rye", "tox"]).path(&[&["run", "exec"]])
        .globals("-C: --directory: -P: --project: -n --no-interaction -q --quiet -v -e: --env: \
            --no-ansi --no-plugins --no-cache --ansi").lenient()
        .options("-e: --environment: -p: --manifest-path: -s: --site-packages: --env: --pyproject:"),
    row(&["heroku"]).path(&[&["run", "run:detached", "ps:exec", "local:run"]]).options("-a: --app: -r: --remote: \
        -s: --size: --type: -e: --env: -x --exit-code --no-tty --no-notify --no-launcher")
        .runs(Runs::Joined).because(REMOTE),
    row(&["horovodrun", "mpiexec", "mpiexec.hydra", "mpiexec.mpich", "mpiexec.openmpi", "mpirun", "mpirun.mpich",
        "mpirun.openmpi", "orterun", "prterun"]).single_dash().options("-n: -np: --np: -c: -N: -H: -host: --host: -hosts: \
        -f: -hostfile: --hostfile: -machinefile: --machinefile: -ppn: -x: -genv; -env; -wdir> -wd> --wdir> \
        --map-by: --bind-to: --rank-by: -mca; --mca; --prefix: -p: --oversubscribe").because(REMOTE),
    row(&["hyperfine"]).options("-w: --warmup: -m: --min-runs: -M: --max-runs: -r: --runs: -s$ --setup$ \
        --reference$ -p$ --prepare$ -C$ --conclude$ -c$ --cleanup$ -P: --parameter-scan: -D: \
        --parameter-step-size: -L: --parameter-list: -S: --shell: -N -i --ignore-failure? --style: \
        --sort: -u: --time-unit: --export-asciidoc: --export-csv: --export-json: \
        --export-markdown: --export-orgmode: --show-output --output: --input: -n: --command-name: \
        --reference-name: -h. --help. -V. --version.").mixed().runs(Runs::Scripts),
    row(&["ionice"]).options("-c: --class: -n: --classdata: -p. --pid. -P. --pgid. -t --ignore -u. \
        --uid. -h. --help. -V. --version.").exact().because(EXEC),
    row(&["ip"]).path(&[&["netns"], &["exec"]]).operands(1).because(PRIVILEGE),
    row(&["ip"]).path(&[&["vrf"], &["exec"]]).operands(1).because(PRIVILEGE),
    row(&["just"]).lenient().only_options().options("--command~ -c~ -f: -d: --justfile: \
        --working-directory> --shell^").because(EXEC),
    row(&["keychain", "ssh-agent"]).options("-a: -c -D -d -E: -k. -O: -P: -s -t:"),
    row(&["ktrace"]).options("-a -C. -c. -d -i -f: -g: -p: -t:"),
    row(&["kubectl", "k3s", "microk8s", "minikube", "oc"]).path(&[&["exec", "debug", "run"]])
        .globals(KUBECTL_GLOBALS).options(KUBECTL_GLOBALS).operands(1).mixed().because(REMOTE),
    row(&["ld.so"]).options("--verify. --list. --inhibit-cache --library-path: --glibc-hwcaps-prepend: \
        --glibc-hwcaps-mask: --inhibit-rpath: --audit: --preload: --argv0: --list-tunables. \
        --list-diagnostics. --help. --version.").because(EXEC),
    row(&["lerna", "nx", "rush"]).path(&[&["exec"]]).lenient(),
    row(&["lima"]).because(REMOTE),
    row(&["logsave"]).options("-a -s -v").operands(1),
    row(&["loop", "repeat", "retry", "timelimit"]).lenient()
        .options("-t: -T: -s: -S: -d: --delay: --times: --tries: --until: -n: --num: -m: --min: --max:"),
    row(&["ltrace"]).options("-a: --align: -A: -b --no-signals -c -C --demangle -D: --debug: -e: -f -F: \
        --config: -h. --help. -i -l: --library: -L -n: --indent: -o| --output| -p: -r -s: -S -t -T \
        -u: -V. --version. -w: --where: -x:"),
    row(&["lxc", "incus"]).path(&[&["exec"]]).operands(1).mixed().because(REMOTE)
        .options("--cwd: --disable-stdin --env: --force-interactive -T --force-noninteractive --group: \
            --mode: -n -t --user:"),
    row(&["lxc-attach", "lxc-execute"]).lenient().options("-n: --name: -P: -f: -o: -l: -a: -e: -s: -v: -u: -g:")
        .or_shell().because(REMOTE),
    row(&["machinectl"]).path(&[&["shell"]]).lenient().operands(1).options("-M: -E: --setenv: --uid:")
        .or_shell().because(REMOTE),
    row(&["mise", "rtx"]).path(&[&["exec", "x"]]).globals("-C> --cd> -E: --env: -j: --jobs: -q --quiet \
        -v --verbose -y --yes --silent --raw").options("--~ -c$ --command$ -C> --cd> -E: --env: -j: \
        --jobs: --raw --no-prepare --fresh-env -q --quiet -v --verbose -y --yes").only_options(),
    row(&["mosh"]).options("--client: --server: --ssh: --port: -p: --predict: -4 -6 -a -n --ssh-pty \
        --no-ssh-pty --init --no-init --local --bind-server: --family: -o").operands(1).because(REMOTE),
    row(&["msgexec", "msgfilter"]).options("-i: --input: -o: --output: -D: --directory:").lenient(),
    row(&["multitime"]).options("-n: -i$ -I: -o$ -O: -q -r$ -s: -l -f: -b:"),
    row(&["newgrp", "sg"]).options("-c$ -").operands(1).runs(Runs::Scripts).or_shell()
        .because(PRIVILEGE),
    row(&["nice"]).every().options(NICE),
    row(&["nix"]).path(&[&["shell", "develop"]]).globals(NIX).options(NIX).only_options().or_shell(),
    row(&["nix"]).path(&[&["run"]]).globals(NIX).options(NIX).runs(Runs::Installable),
    row(&["nix-shell"]).options("--run$ --command$ -p --packages -A: --attr: --arg: --argstr: -E: \
        --expr: --exclude: --pure --keep: -I: -i: --option: -j: --max-jobs:").lenient()
        .only_options().or_shell(),
    row(&["nodemon"]).options("-x$ --exec$ -w: --watch: -e: --ext: -i: --ignore: -d: --delay: -q \
        --quiet -V --verbose -L -C --config: --cwd> -I --signal:").lenient().only_options(),
    row(&["noglob"]).every(),
    row(&["nohup"]).every().options("--help. --version."),
    row(&["npm"]).path(&[&["exec", "x"]]).globals(NPM_GLOBALS).runs(Runs::Package).mixed()
        .options("-y --yes --no -p: --package: -c$ --call$ -w: --workspace:  --workspaces \
            --include-workspace-root --prefix: --silent -s -q --quiet --loglevel: --registry:"),
    row(&["npm", "pnpm", "yarn"]).lenient().only_options().options("--script-shell^ --shell^")
        .because(EXEC),
    row(&["npm"]).path(&[&["explore"]]).operands(1).lenient(),
    row(&["npx"]).runs(Runs::Package).options("-y --yes --no -n --no-install -p: --package: -c$ \
        --call$ -q --quiet -w: --workspace:  --workspaces --include-workspace-root \
        --ignore-existing --cache: --userconfig: --node-arg: --shell-auto-fallback? --prefix: \
        --registry: --loglevel: --silent --prefer-offline --prefer-online --offline -h. --help. -v. \
        --version."),
    row(&["nsenter"]).options("-a --all -t: --target: -m? --mount? -u? --uts? -i? --ipc? -n? --net? \
        -p? --pid? -C? --cgroup? -U? --user? -T? --time? -S: --setuid: -G: --setgid: \
        --preserve-credentials --keep-caps -r? --root? -w? --wd? -W> --wdns> -e --env -F --no-fork \
        -Z --follow-context -c --join-cgroup -N: --net-socket: --user-parent -h. --help. -V. \
        --version.").or_shell().because(PRIVILEGE),
    row(&["numactl"]).options("-a --all -i: --interleave: -w: --weighted-interleave: -p: --preferred: \
        -P: --preferred-many: -m: --membind: -N: --cpunodebind: -C: --physcpubind: -l --localalloc -b \
        --balancing -s. --show. -H. --hardware. --huge -S: --shm: -f: --file: -o: --offset: -L: \
        --length: -M: --shmmode: -t --strict -I: --shmid: -u --touch -T -D --dump -d \
        --dump-nodes"),
    row(&["nvm"]).path(&[&["exec", "run"]]).operands(1).lenient(),
    row(&["onchange"]).lenient().only_options().options("--~ -e: -d: -p:").because(EXEC),
    row(&["optirun"]).options("-v -q --verbose --quiet --silent --debug -b: --bridge: -c: --vgl-compress: -d: --vgl-display: -l: --ldpath: --primus-ldpath: -s: --socket: -C: --config: --vgl-options: --no-xorg"),
    row(&["parallel-ssh", "pdsh", "pssh"]).options("-w: -x: -l: -t: -u: -f: -g: -R: -h: -H: -p: -o: -e: \
        -O= -A -i -v -P -I -b -S").runs(Runs::Joined).because(REMOTE),
    row(&["pee"]).runs(Runs::Scripts),
    row(&["perf"]).path(&[&["record", "stat", "trace", "top", "kvm", "mem", "c2c", "lock", "sched"]])
        .lenient().options("-e: --event: -o: --output: -p: --pid: -t: --tid: -C: --cpu: -F: --freq: \
            -c: --count: -m: --mmap-pages: -r: --repeat: -I: --interval-print: --pre$ --post$ -D: \
            --delay: -u: --uid: -G: --cgroup: -x: --field-separator: --log-fd: -M: --metrics: \
            --call-graph: --clockid: --switch-output: --timeout: --per-socket -s: -j:"),
    row(&["pipx"]).path(&[&["run"]]).globals("-q --quiet -v --verbose --global").runs(Runs::Package)
        .options("--no-cache --path --spec: --python: --pypackages --fetch-missing-python --verbose -v \
            -q --quiet --system-site-packages -i: --index-url: -e --editable --pip-args: --with:"),
    row(&["pkexec"]).options("--disable-internal-agent --user: --keep-cwd --help. --version.")
        .or_shell().because(PRIVILEGE),
    row(&["please"]).options("-u: -g: -d> -t: -r: -e: -a: --user: --group: --dir> --reason:").because(PRIVILEGE),
    row(&["pm2"]).path(&[&["start"]]).runs(Runs::Joined).options("-n: --name: -i: --instances: -o: -e: -l: --cwd> --interpreter^"),
    row(&["pnpm"]).path(&[&["dlx"]]).globals(PNPM_GLOBALS).options(PNPM_GLOBALS).runs(Runs::Package),
    row(&["pnpm"]).path(&[&["exec"]]).globals(PNPM_GLOBALS).options(PNPM_GLOBALS),
    row(&["pnpx"]).options(PNPM_GLOBALS).runs(Runs::Package),
    // The boundary is not the command: what it runs is judged as if it stood alone.
    row(&["poop"]).options("-d: --duration: --color: -f --allow-failures").runs(Runs::Scripts),
    row(&["portcullis"]).path(&[&["run"]]).globals("--json --color:").options(PORTCULLIS_RUN),
    row(&["proot"]).options("-r: --rootfs: -b: --bind: -m: --mount: -q: --qemu: -w> --pwd> --cwd> -v: \
        --verbose: -V. --version. -h. --help. -k: --kernel-release: -0 --root-id -i: --change-id: -p: \
        --port: -n --netcoop -l --link2symlink -R: -S: --kill-on-exit -H -P").or_shell(),
    row(&["qemu-aarch64", "qemu-arm", "qemu-i386", "qemu-riscv64", "qemu-x86_64"])
        .options("-L: -s: -cpu: -E: -U: -0: -r: -B: -R: -d: -D: -p: -g: -singlestep -strace -seed: \
            -plugin: -trace:").single_dash(),
    row(&["qvm-run", "virsh", "vagrant"]).path(&[&["ssh", "qemu-agent-command"]])
        .options("-c$ --command$").lenient().only_options().because(REMOTE),
    row(&["reflex"]).lenient().options("-r: --regex: -R: -g: --glob: -G: -d: --decoration: -c:").because(EXEC),
    row(&["rlwrap"]).lenient().options("-a? -A? -b: -c -C: -D: -e: -f: -F -g: -H: -i -I -l: -m? -M: \
        -n -N -o -O: -p? -P: -q: -r -R -s: -S: -t: -T -U -v. -w: -W -X -z^ --filter^ --file: \
        --history-filename: --histsize: --substitute-prompt: --command-name:"),
    row(&["rr"]).path(&[&["record"]]).lenient().options("-c: -o: -v: -D:"),
    row(&["rsh", "rexec"]).options("-l: -n -d -8 -E -K -L -x -k:").operands(1).runs(Runs::Joined)
        .because(REMOTE),
    row(&["run-one", "run-this-one", "keep-one-running"]),
    row(&["runcon"]).options("-c --compute -t: --type: -u: --user: -r: --role: -l: --range: --help. \
        --version.").operands(1),
    row(&["runuser"]).options(SU).operands(1).mixed().runs(Runs::ShellArguments).or_shell()
        .because(PRIVILEGE),
    row(&["runuser"]).options("-u: --user: -g: --group: -G: --supp-group:").because(PRIVILEGE),
    row(&["rustup"]).path(&[&["run"]]).globals("-v --verbose -q --quiet").options("--install")
        .operands(1),
    row(&["rvm"]).path(&[&["do"]]),
    row(&["s6-applyuidgid", "s6-softlimit"])
        .lenient().options("-u: -g: -G: -m: -d: -s: -l: -o: -p: -f: -c: -r: -t: -a:").because(PRIVILEGE),
    row(&["s6-envdir", "s6-envuidgid", "s6-setlock", "s6-setuidgid"])
        .lenient().options("-u: -g: -G: -t: -m: -d: -o: -f: -c: -a:").operands(1).because(PRIVILEGE),
    row(&["sandbox-exec"]).options(PORTCULLIS_RUN),
    row(&["sbatch", "srun", "salloc"]).lenient().options("-A: -c: -D> -d: -e: -i: -J: -m: -n: -N: -o: -p: \
        -q: -t: -w: -x: --wrap$ --account: --chdir> --job-name: --nodes: --ntasks: --partition: \
        --time: --output: --error: --mem: --gres: --qos: --constraint:").because(REMOTE),
    row(&["screen"]).globals("-S: -p: -d -r: -D -R -x -X -q").path(&[&["stuff", "exec"]])
        .runs(Runs::Joined).because(EXEC),
    row(&["screen"]).options("-4 -6 -a -A -c: -D -d -e: -f -h: -i -l -L -Logfile: -ls. -list. -m -O -p: \
        -q -Q -r -R -s: -S: -t: -T: -U -v. -w. -wipe. -x -X~ -dm -dmS: -DmS: -dRR").single_dash()
        .or_shell().because(EXEC),
    row(&["script"]).options("-a --append -c$ --command$ -B: --log-io: -E: --echo: -e --return -f --flush \
        --force -I: --log-in: -m: --logging-format: -O: --log-out: -o: --output-limit: -q --quiet -t? \
        --timing? -T: --log-timing: -h. --help. -V. --version. -d -F -k -p -r").operands(1).mixed()
        .or_shell(),
    row(&["setarch"]).path(&[ARCHITECTURES]).options(SETARCH),
    row(&["setarch"]).options(SETARCH),
    row(&["setlock"]).options("-n -N -x -X").operands(1),
    row(&["setpriv"]).options("-d. --dump. --clear-groups --groups: --inh-caps: --ambient-caps: \
        --bounding-set: --init-groups --keep-groups --landlock-access: --landlock-rule: --list-caps. \
        --no-new-privs --nnp --rgid: --regid: --egid: --gid: --ruid: --reuid: --euid: --uid: \
        --securebits: --pdeathsig: --ptracer: --selinux-label: --apparmor-profile: --reset-env \
        --seccomp-filter: -h. --help. -V. --version.").because(PRIVILEGE),
    row(&["setsid"]).options("-c --ctty -f --fork -w --wait -h. --help. -V. --version.").exact()
        .because(EXEC),
    row(&["snap"]).path(&[&["run"]]).lenient().options("--command: --shell").because(EXEC),
    row(&["softlimit"]).options("-a: -c: -d: -f: -l: -m: -o: -p: -r: -s: -t:"),
    row(&["ssh", "autossh", "slogin"]).options(SSH).operands(1).mixed().runs(Runs::Joined).or_shell()
        .because(REMOTE),
    row(&["sshpass"]).options("-f: -d: -p: -e -P: -v -h. -V."),
    row(&["stack"]).path(&[&["exec"]]).globals("--resolver: --stack-yaml: --system-ghc --silent -v").lenient()
        .options("--package: --cwd> --rts-options:"),
    row(&["start-stop-daemon"]).options("-S --start -K. --stop. -T. --status. -H. --help. -V. --version. \
        -p: --pidfile: -x^ --exec^ -a^ --startas^ -n: --name: --pid: --ppid: -u: --user: -c: --chuid: \
        -g: --group: -s: --signal: -R: --retry: -t --test -o --oknodo -q --quiet -v --verbose -r: \
        --chroot: -d> --chdir> -N: --nicelevel: -P: --procsched: -I: --iosched: -k: --umask: -b \
        --background -C --no-close -O: --output: -m --make-pidfile --remove-pidfile \
        --notify-await --notify-timeout: -e: --env: -w: --wait: -i --interpreted -1: --stdout: -2: \
        --stderr:").because(EXEC),
    row(&["startx", "xinit"]),
    row(&["stdbuf"]).every().options("-i: --input: -o: --output: -e: --error: --help. --version."),
    row(&["strace"]).options(STRACE),
    row(&["su"]).options(SU).operands(1).mixed().runs(Runs::ShellArguments).or_shell()
        .because(PRIVILEGE),
    row(&["sudo", "sudo-rs"]).options(SUDO).assignments().or_shell().because(PRIVILEGE),
    row(&["summon"]).options("-p: --provider: -f: -e: --environment: -D: --yaml: -i: --ignore: --up"),
    row(&["systemd-cat"]).options("-t: --identifier: -p: --priority: --stderr-priority: \
        --level-prefix: --namespace: -h. --help. --version."),
    row(&["systemd-inhibit"]).options("--what: --who: --why: --mode: --list. --no-pager --no-legend \
        --no-ask-password"),
    row(&["systemd-nspawn"]).lenient().options("-D: --directory: -i: --image: -M: --machine: -u: --user: \
        -E: --setenv: --bind: --bind-ro: --chdir: -b --boot -x -a -U -q -n -S: -Z: -L: -j -p: -P")
        .or_shell().because(PRIVILEGE),
    row(&["systemd-run", "run0"]).options(SYSTEMD_RUN).or_shell().because(EXEC),
    row(&["taskset"]).options("-a --all-tasks -c --cpu-list -p. --pid. -h. --help. -V. --version.")
        .operands(1),
    row(&["time"]).every().options("-p --portability !-a !--append !-f: !--format: !-o: !--output: !-q \
        !--quiet !-v !--verbose !-l !-h -V. --version. --help."),
    row(&["timeout"]).every().options("-f --foreground -k: --kill-after: -p --preserve-status -s: \
        --signal: -v --verbose --help. --version.").operands(1),
    row(&["tmux"]).globals("-2 -C -D -l -N -q -u -U -v -c$ -f: -L: -S: -T:").path(&[&["new", "new-session",
        "neww", "new-window", "splitw", "split-window", "respawnp", "respawn-pane", "respawnw",
        "respawn-window", "run", "run-shell", "if", "if-shell", "pipep", "pipe-pane", "popup",
        "display-popup", "confirm", "confirm-before", "send", "send-keys", "set-hook"]])
        .options(TMUX).runs(Runs::Joined).mixed().because(EXEC),
    row(&["trickle"]).lenient().options("-d: -u: -w: -t: -l: -n: -L: -P:"),
    row(&["tsp", "ts"]).options("-n -f -m -d -D: -L: -N: -E -B -g -r? -w? -k? -T. -C. -K. -V. -h. -S? -l."),
    row(&["ttyrec"]).lenient().only_options().options("-e$"),
    row(&["unbuffer"]).options("-p"),
    row(&["unshare"]).options("-i? --ipc? -m? --mount? -n? --net? -p? --pid? -u? --uts? -U? --user? -C? \
        --cgroup? -T? --time? -f --fork --kill-child? --mount-proc? --mount-binfmt? -r \
        --map-root-user -c --map-current-user --map-auto --map-user: --map-group: --map-users: \
        --map-groups: --map-subids --owner: --propagation: --setgroups: -R: --root: -w> --wd> -S: \
        --setuid: -G: --setgid: --keep-caps --monotonic: --boottime: -l: --load-interp: \
        --forward-signals -h. --help. -V. --version.").or_shell().because(PRIVILEGE),
    row(&["uv"]).path(&[&["run"]]).globals(UV_GLOBALS).options(UV_RUN),
    row(&["uv"]).path(&[&["tool"], &["run"]]).globals(UV_GLOBALS).options(UV_RUN).runs(Runs::Package),
    row(&["uvx"]).options(UV_RUN).runs(Runs::Package),
    row(&["valgrind"]).lenient(),
    row(&["vault-env"]).lenient(),
    row(&["volta", "fnm"]).path(&[&["run", "exec"]]).lenient().options("--using: --node: --npm: --yarn:"),
    row(&["watch"]).options("-b --beep -c --color -C --no-color -d? --differences? -e --errexit -f \
        --follow -g --chgexit -n: --interval: -p --precise -q: --equexit: -r --no-rerun -s: \
        --shotsdir: -t --no-title -w --no-wrap --no-linewrap -x~ --exec~ -h. --help. -v. --version.")
        .runs(Runs::Joined).exact().because(EXEC),
    row(&["winpty", "wine", "wine64", "mono", "box64"]),
    row(&["with-lock-ex"]).options("-w -q -f -l -s -t:").operands(1),
    row(&["wsl"]).options("-d: --distribution: -u: --user: -e~ --exec~ --cd> --shell-type: --system")
        .runs(Runs::Joined).or_shell().because(REMOTE),
    row(&["x-terminal-emulator", "alacritty", "foot", "gnome-terminal", "kitty", "konsole", "rxvt",
        "st", "urxvt", "wezterm", "xfce4-terminal", "xterm"]).lenient().options("-e~ -x~ --command$ \
        -T: -t: --title: --working-directory> --workdir> --hold").single_dash().or_shell()
        .because(EXEC),
    row(&["xargs"]).every().runs(Runs::Appended).options("!-0 !--null !-a: !--arg-file: !-d: \
        !--delimiter: !-E: !-e? !--eof? !-I{ !-i} !--replace} !-L: !-l? !--max-lines? !-n: !--max-args: \
        !-o !--open-tty !-P: !--max-procs: !-p !--interactive !--process-slot-var: !-r \
        !--no-run-if-empty !-S: !-R: !-s: !--max-chars: !--show-limits !-t !--verbose !-x !--exit \
        !-J{ --help. --version."),
    row(&["xe"]).single_dash().options("-0 -a -A: -F -f: -j: -L: -N: -n -q -R -s$ -v -vv -I:").runs(Runs::Appended),
    row(&["yarn"]).path(&[&["dlx"]]).globals("--cwd> -s --silent").options("-p: --package: -q --quiet")
        .runs(Runs::Package),
    row(&["yarn"]).path(&[&["exec"]]).globals("--cwd> -s --silent").options(""),
];

#[cfg(test)]
mod tests {
    use super::super::payloads::{GIT, PAYLOADS};
    use super::*;

    /// Names, where several rows may share them, and the subcommand tell rows apart.
    fn key(row: &Wrapper) -> Vec<&'static str> {
        let path = row.grammar.path.iter().flat_map(|words| words.iter());
        row.names.iter().take(1).chain(path).copied().collect()
    }

    #[test]
    fn rows_stand_in_order() {
        for table in [WRAPPERS, PAYLOADS] {
            let first: Vec<&str> =
                table.iter().filter_map(|row| row.names.first().copied()).collect();
            for pair in first.windows(2) {
                assert!(pair[0] <= pair[1], "{pair:?}");
            }
        }
    }

    #[test]
    fn no_form_is_listed_twice() {
        for table in [WRAPPERS, PAYLOADS, GIT] {
            let mut keys: Vec<_> = table.iter().map(key).collect();
            let count = keys.len();
            keys.sort();
            keys.dedup();
            // `runuser` has two forms that options alone tell apart.
            assert!(count - keys.len() <= usize::from(count == WRAPPERS.len()));
        }
        for row in PAYLOADS {
            for name in row.names {
                let wrapper = WRAPPERS.iter().any(|wrapper| wrapper.names.contains(name));
                assert!(!wrapper, "{name} is in both tables");
            }
        }
    }

    #[test]
    fn names_are_known_to_one_reader_only() {
        let special = ["fd", "fdfind", "find", "git", "parallel", "sem"];
        for row in WRAPPERS.iter().chain(PAYLOADS) {
            assert!(!row.names.is_empty());
            for name in row.names {
                assert!(!special.contains(name), "{name}");
                assert!(super::super::wrappers_shells::shell_name(name).is_none(), "{name}");
                assert_eq!(crate::peel::table_name(name), *name, "the row is never reached");
            }
        }
    }

    #[test]
    fn option_lists_are_well_formed() {
        for row in WRAPPERS.iter().chain(PAYLOADS).chain(GIT) {
            for list in [row.grammar.globals, row.grammar.options] {
                let mut seen = std::collections::BTreeSet::new();
                for token in list.split_ascii_whitespace() {
                    let option = token.trim_start_matches('!');
                    assert!(option.starts_with('-'), "{:?}: {token}", row.names);
                    let name = option.trim_end_matches(|c: char| ":?$>%^|=@{}&~.;*".contains(c));
                    assert!(seen.insert(name.to_owned()), "{:?}: {token} twice", row.names);
                    let long = name.starts_with("--");
                    let short = name.chars().count() <= 2;
                    let single = row.grammar.single_dash || name == "-#";
                    assert!(long || short || single, "{:?}: {token}", row.names);
                }
            }
        }
    }

    #[test]
    fn only_the_plain_wrappers_are_looked_through_by_allow_rules() {
        let every: Vec<&str> = WRAPPERS
            .iter()
            .chain(PAYLOADS)
            .filter(|row| row.strength == Strength::Every)
            .flat_map(|row| row.names.iter().copied())
            .collect();
        assert_eq!(
            every,
            ["builtin", "command", "nice", "noglob", "nohup", "stdbuf", "time", "timeout", "xargs"]
        );
        let exact: Vec<&str> = WRAPPERS
            .iter()
            .filter(|row| row.exact_only)
            .flat_map(|row| row.names.iter().copied())
            .collect();
        assert_eq!(exact, ["flock", "ionice", "setsid", "watch"]);
    }
}
