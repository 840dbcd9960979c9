//! Runs a command under the notify filter and a supervisor in this process, without any namespace.

use portcullis_model::AbsPath;
use portcullis_profile::{
    Access, CompiledFiles, Component, Effect, FileRule, Files, Origin, PathGlob, Reach, Sockets,
    Standing,
};
use portcullis_sandbox::supervisor::{
    AbstractSockets, Denial, Guards, Supervisor, Surroundings, Terminals, filter, report,
};
use portcullis_sandbox::sys::notify;
use rustix::fs::{CWD, Mode, OFlags, openat};
use rustix::net::{AddressFamily, SocketFlags, SocketType, socketpair};
use std::borrow::Cow;
use std::path::Path;
use std::process::{Command, Output, Stdio};
use std::thread;

pub(crate) const CREATE: Guards =
    Guards { create: true, read: false, metadata: false, sockets: false };
pub(crate) const READ: Guards = Guards { read: true, ..CREATE };
pub(crate) const SOCKETS: Guards = Guards { sockets: true, ..CREATE };

/// The rules and guards of one run.
pub(crate) struct World {
    pub(crate) guards: Guards,
    pub(crate) rules: Vec<FileRule>,
    pub(crate) sockets: Vec<FileRule>,
}

impl World {
    /// Everything below `root` may be written.
    pub(crate) fn writing(root: &Path, guards: Guards) -> Self {
        let root = Reach::Path(path(root));
        Self { guards, rules: vec![rule(Access::Write, Effect::Allow, root)], sockets: Vec::new() }
    }

    pub(crate) fn deny(mut self, access: Access, reach: Reach) -> Self {
        self.rules.push(rule(access, Effect::Deny, reach));
        self
    }

    /// Runs a command to its end; what it printed, and what was denied.
    pub(crate) fn run(self, command: &mut Command) -> (Output, Vec<Denial>) {
        let program = filter::program(self.guards).unwrap();
        let (ours, theirs) =
            socketpair(AddressFamily::UNIX, SocketType::STREAM, SocketFlags::CLOEXEC, None)
                .unwrap();
        notify::install_on_exec(command, program, theirs);
        let (writer, reader) = report::channel().unwrap();
        let supervisor = thread::spawn(move || {
            let listener = notify::take(&ours).unwrap();
            let flags = OFlags::PATH | OFlags::CLOEXEC;
            let proc = openat(CWD, "/proc", flags, Mode::empty()).unwrap();
            let files = Files { disabled: None, rules: self.rules };
            let supervisor = Supervisor {
                listener,
                proc,
                files: CompiledFiles::new(files),
                sockets: Sockets { all: None, allowed: self.sockets },
                reports: writer,
                surroundings: Surroundings {
                    abstract_sockets: AbstractSockets::Shared,
                    nested: false,
                    terminals: Terminals::Own,
                },
            };
            supervisor.run().unwrap();
        });
        command.stdin(Stdio::null()).stdout(Stdio::piped()).stderr(Stdio::piped());
        let output = command.spawn().unwrap().wait_with_output().unwrap();
        supervisor.join().unwrap();
        (output, std::iter::from_fn(|| reader.next_report()).collect())
    }

    /// Runs a script; what it printed, and what was denied.
    pub(crate) fn shell(self, directory: &Path, script: &str) -> (String, Vec<Denial>) {
        let mut command = Command::new("/bin/bash");
        command.args(["--norc", "-c", script]).current_dir(directory).env_clear();
        command.env("PATH", "/usr/bin:/bin").env("LC_ALL", "C");
        let (output, denials) = self.run(&mut command);
        let mut text = String::from_utf8_lossy(&output.stdout).into_owned();
        text.push_str(&String::from_utf8_lossy(&output.stderr));
        (text, denials)
    }
}

pub(crate) fn path(path: &Path) -> AbsPath {
    AbsPath::parse(path.to_str().unwrap()).unwrap()
}

pub(crate) fn rule(access: Access, effect: Effect, reach: Reach) -> FileRule {
    let origin = Origin::BuiltIn("a test");
    FileRule { access, effect, reach, standing: Standing::Ordinary, origin }
}

/// `BELOW/**/NAMES…`
pub(crate) fn anywhere(below: &Path, names: &[&'static str]) -> Reach {
    let mut components = vec![Component::AnyDepth];
    components.extend(names.iter().map(|name| Component::Name(Cow::Borrowed(*name))));
    Reach::Pattern(PathGlob { below: path(below), components: components.into(), any_case: true })
}

/// Whether this process runs `test` and nothing else; where it does not, one is started that does.
///
/// A supervisor is a process that never forks. Here the other tests do, and until their child executes it
/// holds every descriptor of this process: a FIFO then has a reader that nobody knows of, a writer does not
/// wait for the real one, and what it wrote is gone when the child executes.
pub(crate) fn is_alone(test: &str) -> bool {
    if std::env::var_os(ALONE).is_some() {
        return true;
    }
    let mut again = Command::new(std::env::current_exe().unwrap());
    let output = again.args(["--exact", test, "--nocapture"]).env(ALONE, "1").output().unwrap();
    let text = String::from_utf8_lossy(&output.stdout);
    let errors = String::from_utf8_lossy(&output.stderr);
    assert!(output.status.success() && text.contains("1 passed"), "{text}{errors}");
    false
}

const ALONE: &str = "PORTCULLIS_TEST_ALONE";

/// How often a race is tried: `PORTCULLIS_FULL=1` asks for the full number.
pub(crate) fn rounds(full: u32) -> u32 {
    let everything = std::env::var("PORTCULLIS_FULL").is_ok_and(|value| value == "1");
    if everything { full } else { full / 10 }
}
