//! Commands end inside as they do outside, and leave nothing behind.

#![expect(clippy::unwrap_used, clippy::print_stderr, reason = "a test fails by panicking")]

use portcullis_model::AbsPath;
use portcullis_profile::{
    Access, Effect, FileRule, Hidden, Limits, NetworkAccess, Origin, Reach, SandboxProfile,
    Standing, VariableRule,
};
use portcullis_sandbox::{
    Backend, Capabilities, End, Finished, Listener, Request, TEMPORARY, Transport, prepare,
    probe_now,
};
use std::fs;
use std::io::{Read, Write};
use std::net::{TcpListener, TcpStream};
use std::os::fd::{AsRawFd, OwnedFd};
use std::os::unix::fs::{MetadataExt, PermissionsExt};
use std::os::unix::process::ExitStatusExt;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, OnceLock};
use std::time::{Duration, Instant};

fn capabilities() -> &'static Capabilities {
    static FOUND: OnceLock<Capabilities> = OnceLock::new();
    FOUND.get_or_init(probe_now)
}

/// The backends that can be tried here; a missing one is told.
fn backends() -> Vec<Backend> {
    let mut usable = Vec::new();
    for (backend, obstacle) in &capabilities().backends {
        match obstacle {
            None => usable.push(*backend),
            Some(why) => eprintln!("SKIP {}: {why}", backend.word()),
        }
    }
    assert!(!usable.is_empty(), "no backend works here");
    usable
}

fn rule(access: Access, effect: Effect, path: &Path) -> FileRule {
    FileRule {
        access,
        effect,
        reach: Reach::Path(AbsPath::parse(path.to_str().unwrap()).unwrap()),
        standing: Standing::Ordinary,
        origin: Origin::BuiltIn("a test"),
    }
}

/// A directory to work in, and what may be written being that.
struct World {
    directory: tempfile::TempDir,
    profile: SandboxProfile,
    environment: Vec<(String, String)>,
    backend: Backend,
}

impl World {
    fn new(backend: Backend) -> Self {
        let directory = tempfile::tempdir().unwrap();
        let mut profile = SandboxProfile::default();
        let writable = rule(Access::Write, Effect::Allow, directory.path());
        profile.files.rules.push(writable);
        let environment = vec![("PATH".to_owned(), "/usr/bin:/bin".to_owned())];
        Self { directory, profile, environment, backend }
    }

    fn path(&self, name: &str) -> PathBuf {
        self.directory.path().join(name)
    }

    fn deny(&mut self, access: Access, name: &str) {
        let denied = rule(access, Effect::Deny, &self.path(name));
        self.profile.files.rules.push(denied);
    }

    fn request(&self, program: &str, arguments: &[&str]) -> Request {
        let cwd = AbsPath::parse(self.directory.path().to_str().unwrap()).unwrap();
        let environment = self.environment.iter();
        let environment = environment.map(|(name, value)| (name.into(), value.into())).collect();
        let mut request = Request::new(self.profile.clone(), program, cwd, environment);
        request.arguments = arguments.iter().map(Into::into).collect();
        request.weakest = Backend::LandlockOnly;
        request
    }

    fn run(&self, program: &str, arguments: &[&str]) -> Finished {
        let capabilities = capabilities().clone().weakened_to(self.backend);
        let plan = prepare(self.request(program, arguments), &capabilities).unwrap();
        assert_eq!(plan.enforcement().backend, self.backend);
        plan.launch().unwrap().wait().unwrap()
    }

    /// Runs a script and gives what it left in the file `out`.
    fn shell(&self, script: &str) -> String {
        fs::write(self.path("out"), "").unwrap();
        self.run("bash", &["-c", &format!("exec >out 2>&1; {script}")]);
        fs::read_to_string(self.path("out")).unwrap()
    }
}

#[test]
fn a_command_ends_inside_as_outside() {
    for backend in backends() {
        let world = World::new(backend);
        for (script, end) in [
            ("exit 0", End::Exited(0)),
            ("exit 1", End::Exited(1)),
            ("exit 37", End::Exited(37)),
            ("exit 124", End::Exited(124)),
            ("exit 125", End::Exited(125)),
            ("exit 126", End::Exited(126)),
            ("exit 127", End::Exited(127)),
            ("exit 255", End::Exited(255)),
            ("kill -TERM $$", End::Signalled(15)),
            ("kill -KILL $$", End::Signalled(9)),
            ("kill -INT $$", End::Signalled(2)),
            ("kill -HUP $$", End::Signalled(1)),
            ("kill -SEGV $$", End::Signalled(11)),
            ("kill -ABRT $$", End::Signalled(6)),
            ("kill -USR1 $$", End::Signalled(10)),
            ("kill -PIPE $$", End::Signalled(13)),
        ] {
            let finished = world.run("bash", &["-c", script]);
            assert_eq!(finished.end, end, "{script} on {}", backend.word());
        }
        fs::write(world.path("plain"), "x").unwrap();
        let plain = world.path("plain");
        fs::set_permissions(&plain, fs::Permissions::from_mode(0o644)).unwrap();
        for (program, end) in [
            ("no-such-program", End::NotFound),
            ("/no/such/program", End::NotFound),
            ("", End::NotFound),
            ("./plain", End::NotExecutable),
            ("/", End::NotExecutable),
        ] {
            assert_eq!(world.run(program, &[]).end, end, "`{program}` on {}", backend.word());
        }
    }
}

#[test]
fn a_text_without_interpreter_line_is_run_by_a_shell() {
    let world = World::new(backends()[0]);
    fs::write(world.path("script"), "exit $(($1 + 1))\n").unwrap();
    fs::set_permissions(world.path("script"), fs::Permissions::from_mode(0o755)).unwrap();
    assert_eq!(world.run("./script", &["41"]).end, End::Exited(42));
}

#[test]
fn a_command_has_no_powers_and_is_not_the_first_process() {
    for backend in backends() {
        let world = World::new(backend);
        let status = world.shell("cat /proc/self/status; echo pid $$");
        for line in [
            "CapInh:\t0000000000000000",
            "CapPrm:\t0000000000000000",
            "CapEff:\t0000000000000000",
            "CapAmb:\t0000000000000000",
            "NoNewPrivs:\t1",
            "Seccomp:\t2",
        ] {
            assert!(status.contains(line), "{line} on {}:\n{status}", backend.word());
        }
        if backend == Backend::Full {
            assert!(status.contains("CapBnd:\t0000000000000000"), "{status}");
            assert!(status.contains("pid 2\n"), "{status}");
        }
        assert!(!status.contains("pid 1\n"), "{status}");
    }
}

#[test]
fn users_and_groups_keep_their_numbers() {
    for backend in backends() {
        let world = World::new(backend);
        let own = fs::metadata(world.directory.path()).unwrap();
        let text = world.shell("id -u; id -g; touch mine; stat -c %u:%g mine");
        let (user, group) = (own.uid(), own.gid());
        assert_eq!(text, format!("{user}\n{group}\n{user}:{group}\n"), "{}", backend.word());
    }
}

#[test]
fn the_temporary_directory_exists_is_private_and_goes_away() {
    for backend in backends() {
        let world = World::new(backend);
        let script = "stat -c %a $TMPDIR; echo $TMPDIR; f=$(mktemp) && echo made; \
                      printf 'exit 7' > $TMPDIR/x; chmod +x $TMPDIR/x 2>&1; sh $TMPDIR/x; echo $?";
        let text = world.shell(script);
        let lines: Vec<&str> = text.lines().collect();
        assert_eq!((lines[0], lines[2], lines[3]), ("700", "made", "7"), "{text}");
        assert!(!Path::new(lines[1]).exists(), "{} is left behind", lines[1]);
        if backend != Backend::LandlockOnly {
            assert_eq!(lines[1], TEMPORARY);
        }
    }
}

#[test]
fn rules_nest() {
    for backend in backends() {
        let mut world = World::new(backend);
        for dir in ["deny/a/ok/no", "ro/rw"] {
            fs::create_dir_all(world.path(dir)).unwrap();
        }
        for file in ["deny/x", "deny/a/ok/f", "deny/a/ok/no/y", "ro/f", "secret"] {
            fs::write(world.path(file), "content\n").unwrap();
        }
        world.deny(Access::Read, "deny");
        let reopened = rule(Access::Read, Effect::Allow, &world.path("deny/a/ok"));
        world.profile.files.rules.push(reopened);
        world.deny(Access::Read, "deny/a/ok/no");
        world.deny(Access::Write, "ro");
        world.deny(Access::Read, "secret");
        let read = |name: &str| world.shell(&format!("cat {name}"));
        assert_eq!(read("deny/a/ok/f"), "content\n", "{}", backend.word());
        for name in ["deny/x", "deny/a/ok/no/y", "secret", "./ro/../secret"] {
            assert!(!read(name).contains("content"), "{name} on {}", backend.word());
        }
        assert!(read("secret").contains("Permission denied"), "{}", backend.word());
        let write = |name: &str| {
            world.shell(&format!("(echo changed > {name}) && echo yes"));
            fs::read_to_string(world.path(name)).is_ok_and(|text| text == "changed\n")
        };
        for name in ["ro/f", "ro/new", "ro/rw/new", "deny/new", "deny/a/new", "secret"] {
            assert!(!write(name), "{name} was written on {}", backend.word());
        }
        assert!(write("free"), "{}", backend.word());
        let outside = tempfile::tempdir().unwrap();
        let victim = outside.path().join("f");
        world.shell(&format!("echo x > {}", victim.display()));
        assert!(!victim.exists(), "{}", backend.word());
    }
}

#[test]
fn what_is_protected_keeps_its_place() {
    for backend in backends() {
        let mut world = World::new(backend);
        fs::create_dir_all(world.path(".git/hooks")).unwrap();
        world.deny(Access::Write, ".git/hooks");
        world.shell(
            "mv .git other; mkdir -p .git/hooks; echo x > .git/hooks/pre-commit; \
             mkdir -p y/hooks; echo x > y/hooks/pre-commit; mv -T y/hooks .git/hooks; \
             rmdir .git/hooks; ln -s ../y/hooks .git/hooks; echo x > .git/hooks/pre-commit",
        );
        assert!(world.path(".git/hooks").is_dir(), "{}", backend.word());
        assert!(!world.path(".git/hooks/pre-commit").exists(), "{}", backend.word());
    }
}

/// What the host does between the look at the files and the mounts, and the names that stay denied.
const OVERTAKING: &[(&str, &str)] = &[
    ("as it was found", "true"),
    ("gone", "mv secrets ../gone; mv one.txt ../gone.txt"),
    (
        "of another kind",
        "mv secrets ../dir; mv one.txt ../file; cp ../file/deep secrets 2> /dev/null || echo SECRET > secrets; mkdir one.txt; echo SECRET > one.txt/deep",
    ),
    (
        "links elsewhere",
        "mv secrets ../dir; ln -s ../dir secrets; mv one.txt ../file; ln -s ../file one.txt",
    ),
    (
        "saved anew",
        "mv one.txt x; echo SECRET > one.txt; mv secrets y; mkdir secrets; echo SECRET > secrets/deep",
    ),
    ("frozen ones saved anew", "cp kept x; mv x kept; mv still z; mkdir still"),
    ("writable ones gone", "mv ../free ../was"),
    ("writable ones links elsewhere", "mv ../free ../was; ln -s outside ../free"),
];

#[test]
fn what_the_host_does_during_the_set_up_opens_nothing() {
    for backend in backends() {
        for (what, change) in OVERTAKING {
            let around = tempfile::tempdir().unwrap();
            let mut world = World::new(backend);
            let inside = around.path().join("project");
            fs::create_dir_all(inside.join("secrets")).unwrap();
            fs::create_dir_all(inside.join("still")).unwrap();
            let free = around.path().join("free");
            fs::create_dir(&free).unwrap();
            fs::create_dir(around.path().join("outside")).unwrap();
            for file in ["secrets/deep", "one.txt", "kept"] {
                fs::write(inside.join(file), "SECRET\n").unwrap();
            }
            let rules = &mut world.profile.files.rules;
            rules.extend([
                rule(Access::Write, Effect::Allow, &free),
                rule(Access::Read, Effect::Deny, &inside.join("secrets")),
                rule(Access::Read, Effect::Deny, &inside.join("one.txt")),
                rule(Access::Write, Effect::Allow, &inside),
                rule(Access::Write, Effect::Deny, &inside.join("kept")),
                rule(Access::Write, Effect::Deny, &inside.join("still")),
            ]);
            let script = format!(
                "cd {}; cat secrets secrets/deep one.txt one.txt/deep; echo changed > kept; \
                 echo x > still/new; echo x > ../free/new; echo fine > fine",
                inside.display()
            );
            let out = world.path("out");
            let script = format!("exec > {} 2>&1; {script}", out.display());
            let capabilities = capabilities().clone().weakened_to(backend);
            let plan = prepare(world.request("bash", &["-c", &script]), &capabilities).unwrap();
            let bash = Command::new("bash").args(["-c", change]).current_dir(&inside).status();
            assert!(bash.unwrap().success(), "{what}");
            let finished = plan.launch().unwrap_or_else(|failure| panic!("{what}: {failure}"));
            let finished = finished.wait().unwrap();
            let case = format!("{what} on {}", backend.word());
            let said = fs::read_to_string(&out).unwrap();
            assert_eq!(finished.end, End::Exited(0), "{case}: {said}");
            assert!(!said.contains("SECRET"), "{case}: {said}");
            assert!(inside.join("fine").exists(), "{case}: {said}");
            assert_eq!(fs::read_to_string(inside.join("kept")).unwrap(), "SECRET\n", "{case}");
            assert!(!inside.join("still/new").exists(), "{case}");
            assert!(!around.path().join("outside/new").exists(), "{case}: {said}");
        }
    }
}

#[test]
fn a_host_that_never_rests_is_survived_or_named() {
    for backend in backends() {
        let mut world = World::new(backend);
        fs::create_dir(world.path("secrets")).unwrap();
        fs::write(world.path("secrets/deep"), "SECRET\n").unwrap();
        world.deny(Access::Read, "secrets");
        let mover = Mover::start(world.path("secrets"), world.path("other"));
        let capabilities = capabilities().clone().weakened_to(backend);
        let (mut started, mut named) = (0, 0);
        for _ in 0..25 {
            let script = "for i in 1 2 3 4 5 6 7 8 9; do cat secrets/deep; done > out";
            let request = world.request("sh", &["-c", script]);
            match prepare(request, &capabilities).unwrap().launch() {
                Ok(running) => {
                    let finished = running.wait().unwrap();
                    started += 1;
                    let said = fs::read_to_string(world.path("out")).unwrap();
                    assert_eq!(said, "", "on {}: {finished:?}", backend.word());
                }
                Err(failure) => {
                    named += 1;
                    let text = failure.to_string();
                    assert!(text.contains("secrets` was moved or replaced"), "{text}");
                }
            }
        }
        drop(mover);
        assert!(started >= 15, "{started} started, {named} given up on {}", backend.word());
    }
}

/// A host that moves a directory away and back until it is dropped.
struct Mover {
    over: Arc<AtomicBool>,
    thread: Option<std::thread::JoinHandle<()>>,
}

impl Mover {
    fn start(here: PathBuf, there: PathBuf) -> Self {
        let over = Arc::new(AtomicBool::new(false));
        let stop = Arc::clone(&over);
        let thread = std::thread::spawn(move || {
            while !stop.load(Ordering::Relaxed) {
                fs::rename(&here, &there).unwrap();
                std::thread::sleep(Duration::from_micros(300));
                fs::rename(&there, &here).unwrap();
                std::thread::sleep(Duration::from_micros(300));
            }
        });
        Self { over, thread: Some(thread) }
    }
}

impl Drop for Mover {
    fn drop(&mut self) {
        self.over.store(true, Ordering::Relaxed);
        self.thread.take().unwrap().join().unwrap();
    }
}

#[test]
fn variables_are_scrubbed_everywhere() {
    for backend in backends() {
        let mut world = World::new(backend);
        let hide = |name: &str, hidden| VariableRule {
            name: name.to_owned(),
            hidden,
            origin: Origin::BuiltIn("a test"),
        };
        world.profile.environment.rules =
            vec![hide("GONE_*", Hidden::Unset), hide("MASKED", Hidden::Sentinel)];
        for (name, value) in
            [("GONE_A", "pcsecret-1"), ("MASKED", "pcsecret-2-pcsecret-2"), ("KEPT", "plain")]
        {
            world.environment.push((name.to_owned(), value.to_owned()));
        }
        let text = world.shell(
            "env; for f in /proc/[0-9]*/environ /proc/[0-9]*/cmdline; do tr '\\0' '\\n' < $f; done",
        );
        assert!(text.contains("KEPT=plain"), "{text}");
        assert!(!text.contains("pcsecret"), "{} shows a secret", backend.word());
        assert!(!text.contains("GONE_A"), "{}", backend.word());
    }
}

#[test]
fn only_declared_descriptors_are_passed_on() {
    let world = World::new(backends()[0]);
    let text =
        world.shell("ls -l /proc/self/fd | grep -c -- '->'; ls /proc/self/fd | sort -n | head -4");
    // 0, 1, 2, and the directory that is being listed.
    assert!(text.starts_with("4\n"), "{text}");
    let file = fs::File::open("/proc/version").unwrap();
    let mut request =
        world.request("bash", &["-c", "cat <&$0 > out", &file.as_raw_fd().to_string()]);
    request.descriptors.push(file.as_raw_fd());
    let finished = prepare(request, capabilities()).unwrap().launch().unwrap().wait().unwrap();
    assert_eq!(finished.end, End::Exited(0));
    assert!(fs::read_to_string(world.path("out")).unwrap().contains("Linux"));
    let directory = fs::File::open("/").unwrap();
    let mut request = world.request("true", &[]);
    request.descriptors.push(directory.as_raw_fd());
    let refused = prepare(request, capabilities()).unwrap_err();
    assert!(refused.to_string().contains("is a directory"), "{refused}");
}

#[test]
fn limits_hold() {
    for backend in backends() {
        let mut world = World::new(backend);
        world.profile.limits = Limits { file_size: Some(4096), ..Limits::default() };
        let end = world.run("bash", &["-c", "head -c 10000 /dev/zero > big"]).end;
        assert_ne!(end, End::Exited(0));
        assert_eq!(fs::metadata(world.path("big")).unwrap().len(), 4096);
        world.profile.limits = Limits { wall_seconds: Some(1), ..Limits::default() };
        let start = Instant::now();
        assert_eq!(world.run("sleep", &["30"]).end, End::TimedOut);
        assert!(start.elapsed() < Duration::from_secs(20));
    }
}

#[test]
fn listeners_are_opened_inside_and_served_outside() {
    let backend = backends()[0];
    if backend == Backend::LandlockOnly {
        eprintln!("SKIP: no own network here");
        return;
    }
    let world = World::new(backend);
    let mut request = world.request(
        "bash",
        &["-c", "exec 3<>/dev/tcp/198.18.7.9/4443; echo hello >&3; head -1 <&3 > out"],
    );
    request
        .listeners
        .push(Listener { address: "0.0.0.0:4443".parse().unwrap(), transport: Transport::Tcp });
    let mut running = prepare(request, capabilities()).unwrap().launch().unwrap();
    let listener: OwnedFd = running.take_listeners().remove(0);
    let (mut stream, _) = TcpListener::from(listener).accept().unwrap();
    // Whoever was asked for is still known.
    assert_eq!(stream.local_addr().unwrap(), "198.18.7.9:4443".parse().unwrap());
    let mut line = [0; 6];
    stream.read_exact(&mut line).unwrap();
    stream.write_all(b"world\n").unwrap();
    assert_eq!(running.wait().unwrap().end, End::Exited(0));
    assert_eq!(&line, b"hello\n");
    assert_eq!(fs::read_to_string(world.path("out")).unwrap(), "world\n");
}

#[test]
fn the_network_outside_is_out_of_reach_unless_asked_for() {
    for backend in backends() {
        let mut world = World::new(backend);
        let outside = TcpListener::bind("127.0.0.1:0").unwrap();
        let port = outside.local_addr().unwrap().port();
        TcpStream::connect(("127.0.0.1", port)).unwrap();
        let script = format!("(exec 3<>/dev/tcp/127.0.0.1/{port}) && echo reached");
        assert!(!world.shell(&script).contains("reached"), "{}", backend.word());
        world.profile.network = NetworkAccess::Host;
        assert!(world.shell(&script).contains("reached"), "{}", backend.word());
    }
}

#[test]
fn a_weaker_backend_has_to_be_named() {
    let world = World::new(Backend::Full);
    let weakened = capabilities().clone().weakened_to(Backend::LandlockOnly);
    let mut request = world.request("true", &[]);
    request.weakest = Backend::Full;
    let refused = prepare(request, &weakened).unwrap_err();
    assert!(!refused.to_string().contains('\n'), "{refused}");
    let mut request = world.request("true", &[]);
    request.weakest = Backend::SharedProc;
    assert!(prepare(request, &weakened).is_err());
}

#[test]
fn bad_requests_say_what_is_wrong_in_one_line() {
    let world = World::new(backends()[0]);
    let mut request = world.request("true", &[]);
    request.cwd = AbsPath::parse("/no/such/directory").unwrap();
    let failure =
        prepare(request, capabilities()).and_then(|plan| plan.launch()?.wait()).unwrap_err();
    assert!(failure.to_string().starts_with("cannot enter `/no/such/directory`"), "{failure}");
    let mut world = World::new(backends()[0]);
    world.profile.files.rules.push(rule(Access::Read, Effect::Deny, Path::new("/")));
    if backends()[0] != Backend::LandlockOnly {
        let failure = prepare(world.request("true", &[]), capabilities()).unwrap_err();
        assert!(failure.to_string().contains("deny the directories below"), "{failure}");
    }
}

#[test]
fn eight_runs_in_one_directory_do_not_disturb_each_other() {
    let mut world = World::new(backends()[0]);
    fs::create_dir_all(world.path(".git/hooks")).unwrap();
    world.deny(Access::Write, ".git/hooks");
    world.deny(Access::Write, "absent");
    let world = &world;
    std::thread::scope(|scope| {
        for number in 0..8 {
            scope.spawn(move || {
                let script = format!("echo {number} > f{number}; ! touch absent .git/hooks/x");
                let finished = world.run("bash", &["-c", &script]);
                assert_eq!(finished.end, End::Exited(0), "run {number}");
            });
        }
    });
    let mut names: Vec<String> = fs::read_dir(world.directory.path())
        .unwrap()
        .map(|entry| entry.unwrap().file_name().into_string().unwrap())
        .collect();
    names.sort();
    assert_eq!(names, [".git", "f0", "f1", "f2", "f3", "f4", "f5", "f6", "f7"]);
    assert!(fs::read_dir(world.path(".git/hooks")).unwrap().next().is_none());
}

/// The program of the examples, which `cargo test` builds beside the tests.
fn runner() -> Command {
    let own = std::env::current_exe().unwrap();
    let path = own.parent().unwrap().parent().unwrap().join("examples/run");
    assert!(path.exists(), "{} is not built", path.display());
    Command::new(path)
}

fn wait_until(what: &str, mut holds: impl FnMut() -> bool) {
    let start = Instant::now();
    while !holds() {
        assert!(start.elapsed() < Duration::from_secs(20), "{what} did not happen");
        std::thread::sleep(Duration::from_millis(5));
    }
}

fn is_alive(mark: &str) -> bool {
    fs::read_dir("/proc").unwrap().flatten().any(|entry| {
        let line = fs::read(entry.path().join("cmdline")).unwrap_or_default();
        let own = entry.file_name().to_str() == Some(&std::process::id().to_string());
        !own && line.windows(mark.len()).any(|part| part == mark.as_bytes())
    })
}

#[test]
fn signals_and_ends_are_relayed_by_the_launcher() {
    for (script, code, signal) in [
        ("exit 3", Some(3), None),
        ("kill -TERM $$", None, Some(15)),
        ("kill -SEGV $$", None, Some(11)),
    ] {
        let status = runner().args(["bash", "-c", script]).status().unwrap();
        assert_eq!((status.code(), status.signal()), (code, signal), "{script}");
        assert!(!status.core_dumped());
    }
    assert_eq!(runner().arg("no-such-program").status().unwrap().code(), Some(127));
    assert_eq!(runner().arg("/etc/passwd").status().unwrap().code(), Some(126));
    let mut child = runner()
        .args([
            "bash",
            "-c",
            "trap 'echo got; exit 9' TERM; echo ready; while :; do sleep 0.05; done",
        ])
        .stdout(Stdio::piped())
        .spawn()
        .unwrap();
    let mut out = child.stdout.take().unwrap();
    let mut ready = [0; 6];
    out.read_exact(&mut ready).unwrap();
    send(&child, "TERM");
    let mut rest = String::new();
    out.read_to_string(&mut rest).unwrap();
    assert_eq!((child.wait().unwrap().code(), rest.as_str()), (Some(9), "got\n"));
}

fn send(child: &Child, signal: &str) {
    let pid = child.id().to_string();
    assert!(Command::new("kill").args(["-s", signal, &pid]).status().unwrap().success());
}

#[test]
fn the_launcher_stops_and_goes_on_with_its_command() {
    let mut child = runner().args(["bash", "-c", "kill -STOP $$; exit 5"]).spawn().unwrap();
    let state = |pid: u32| {
        let text = fs::read_to_string(format!("/proc/{pid}/stat")).unwrap_or_default();
        text.rsplit_once(") ").is_some_and(|(_, rest)| rest.starts_with('T'))
    };
    wait_until("the launcher stopping", || state(child.id()));
    send(&child, "CONT");
    assert_eq!(child.wait().unwrap().code(), Some(5));
}

#[test]
fn killing_the_launcher_kills_everything_at_once() {
    for signal in ["KILL", "TERM", "HUP"] {
        let mark = format!("{}.{}", 1_000_000 + std::process::id(), signal.len());
        let mut child = runner()
            .args(["bash", "-c", &format!("setsid sleep {mark} & sleep {mark}; true")])
            .spawn()
            .unwrap();
        wait_until("the start", || is_alive(&mark));
        send(&child, signal);
        child.wait().unwrap();
        wait_until("the end of everything inside", || !is_alive(&mark));
    }
}

#[test]
fn what_is_left_in_the_background_ends_with_the_command() {
    let mark = format!("{}.7", 1_000_000 + std::process::id());
    let script = format!("setsid sleep {mark} & (sleep {mark} &) ; exit 0");
    assert_eq!(runner().args(["bash", "-c", &script]).status().unwrap().code(), Some(0));
    wait_until("the end of the background", || !is_alive(&mark));
}

#[test]
fn pipes_carry_everything_and_closed_input_is_no_trouble() {
    const SIZE: usize = 64 << 20;
    let mut child =
        runner().args(["cat"]).stdin(Stdio::piped()).stdout(Stdio::piped()).spawn().unwrap();
    let mut into = child.stdin.take().unwrap();
    let writer = std::thread::spawn(move || into.write_all(&vec![7_u8; SIZE]).unwrap());
    let mut got = Vec::new();
    child.stdout.take().unwrap().read_to_end(&mut got).unwrap();
    writer.join().unwrap();
    assert_eq!((got.len(), got.iter().all(|byte| *byte == 7)), (SIZE, true));
    assert!(child.wait().unwrap().success());
    // What is closed outside is closed inside: `cat` has nothing to read from, and says so.
    let path = runner().get_program().to_owned();
    for (script, status) in
        [("exec \"$0\" cat <&- >/dev/null 2>&1", 1), ("exec \"$0\" true <&-", 0)]
    {
        let closed = Command::new("bash").args(["-c", script]).arg(&path).status().unwrap();
        assert_eq!(closed.code(), Some(status), "{script}");
    }
}

/// Names, kinds, modes, sizes and contents of everything below.
fn picture(of: &Path) -> Vec<String> {
    let mut lines = Vec::new();
    let mut left = vec![of.to_owned()];
    while let Some(path) = left.pop() {
        let status = fs::symlink_metadata(&path).unwrap();
        let content = if status.is_file() { fs::read(&path).unwrap() } else { Vec::new() };
        lines.push(format!("{} {:o} {} {content:?}", path.display(), status.mode(), status.uid()));
        if status.is_dir() {
            left.extend(fs::read_dir(&path).unwrap().map(|entry| entry.unwrap().path()));
        }
    }
    lines.sort();
    lines
}

#[cfg(feature = "fault-injection")]
#[test]
fn killing_any_of_ours_at_any_stage_leaves_nothing_behind() {
    let world = World::new(backends()[0]);
    fs::create_dir_all(world.path(".git/hooks")).unwrap();
    fs::write(world.path("f"), "x").unwrap();
    let before = picture(world.directory.path());
    for stage in [
        "Forked",
        "Namespaces",
        "Identity",
        "Init",
        "Network",
        "View",
        "Proc",
        "Privileges",
        "Landlock",
        "Target",
        "TargetSetUp",
    ] {
        for victim in ["launcher", "children"] {
            let mut child = runner()
                .current_dir(world.directory.path())
                .args(["--pause-at", stage, "--write", ".", "--deny-write", ".git/hooks"])
                .args(["--deny-write", "absent", "--deny-read", "also-absent", "touch", "f"])
                .spawn()
                .unwrap();
            let list = format!("/proc/{0}/task/{0}/children", child.id());
            let children = || fs::read_to_string(&list).unwrap_or_default();
            wait_until("the fork", || !children().trim().is_empty());
            std::thread::sleep(Duration::from_millis(150));
            assert!(child.try_wait().unwrap().is_none(), "{stage} is not waited at");
            let family = children();
            let family: Vec<&str> = family.split_whitespace().collect();
            if victim == "launcher" {
                send(&child, "KILL");
            } else {
                for pid in &family {
                    let _gone = Command::new("kill").args(["-KILL", pid]).status();
                }
            }
            let status = child.wait().unwrap();
            assert!(!status.success(), "{stage}, {victim}");
            for pid in family {
                wait_until(&format!("the end of all after {stage}, {victim}"), || {
                    let state = fs::read_to_string(format!("/proc/{pid}/stat")).unwrap_or_default();
                    state.is_empty() || state.contains(") Z")
                });
            }
            assert_eq!(picture(world.directory.path()), before, "{stage}, {victim}");
        }
    }
}

/// Keeps the helpers honest: a picture sees a change.
#[test]
fn a_picture_sees_what_changes() {
    let world = World::new(Backend::Full);
    let before = picture(world.directory.path());
    fs::write(world.path("new"), "").unwrap();
    assert_ne!(picture(world.directory.path()), before);
}
