//! Finds out what this kernel and host can enforce, by doing it.
//!
//! Reading switches is not enough: where `AppArmor` restricts user namespaces, one can be made and then
//! does nothing. So every backend is tried with a command that does not exist: if all that fails is
//! finding the command, everything before it worked. What was found is kept until the next boot.

use crate::temporary::Temporary;
use crate::{Backend, Capabilities, End, Failure, Request, prepare, sys};
use portcullis_model::AbsPath;
use portcullis_profile::SandboxProfile;
use rustix::fs::{CWD, FileType, Mode, OFlags};
use std::fmt::Write as _;
use std::io::Read as _;
use std::os::fd::OwnedFd;
use std::path::{Path, PathBuf};
use std::{env, fs};

/// Finds out what this kernel and host can enforce, or remembers it.
pub fn probe() -> Capabilities {
    let Some(memory) = Memory::of_this_boot() else { return probe_now() };
    if let Some(known) = memory.recall() {
        return known;
    }
    let found = probe_now();
    memory.keep(&found);
    found
}

/// Finds out what this kernel and host can enforce, whatever was found before.
pub fn probe_now() -> Capabilities {
    let landlock = sys::landlock_version();
    let mut found = Capabilities { backends: Vec::new(), landlock, supervision: true };
    for backend in Backend::ALL {
        let outcome = if landlock == 0 {
            Err(Failure::new("Landlock is not there")
                .cured_by("use Linux 5.13 or later with `landlock` among `lsm=`"))
        } else {
            attempt(backend, landlock)
        };
        if let Err(failure) = &outcome {
            found.supervision &= !failure.to_string().contains("supervised");
        }
        found.backends.push((backend, outcome.err().map(|failure| failure.to_string())));
    }
    found
}

fn attempt(backend: Backend, landlock: u32) -> Result<(), Failure> {
    let alone = Capabilities { backends: vec![(backend, None)], landlock, supervision: true };
    let mut request = Request::new(SandboxProfile::default(), "", AbsPath::root(), Vec::new());
    request.weakest = backend;
    let mut plan = prepare(request, &alone)?;
    // A trial puts nothing on the host, so nothing of it can be left there.
    plan.temporary = Temporary::inside();
    plan.basis.temporary = None;
    plan.layout = plan.basis.lay_out(&plan.files, &plan.profile)?;
    match plan.launch()?.wait()?.end {
        End::NotFound => Ok(()),
        End::Exited(_) | End::Signalled(_) | End::NotExecutable | End::TimedOut => {
            Err(Failure::new("a trial ended in an unexpected way"))
        }
    }
}

/// Where findings are kept. Losing or forging them can make a run be refused, never be weaker: a run
/// asks for what it needs, and builds it anew.
struct Memory {
    file: PathBuf,
    /// What the findings hold for.
    heading: String,
}

impl Memory {
    fn of_this_boot() -> Option<Self> {
        let boot = fs::read_to_string("/proc/sys/kernel/random/boot_id").ok()?;
        // Whether namespaces may be made depends on the binary too: AppArmor goes by its path.
        let program = env::current_exe().ok()?;
        let namespace = fs::read_link("/proc/self/ns/user").ok()?;
        let user = rustix::process::geteuid().as_raw();
        let heading = format!(
            "{} {} {user} {} {}",
            env!("CARGO_PKG_VERSION"),
            boot.trim(),
            namespace.display(),
            program.display().to_string().escape_debug()
        );
        Some(Self { file: directory()?.join("capabilities"), heading })
    }

    fn recall(&self) -> Option<Capabilities> {
        let flags = OFlags::RDONLY | OFlags::NOFOLLOW | OFlags::CLOEXEC | OFlags::NONBLOCK;
        let file = rustix::fs::openat(CWD, &self.file, flags, Mode::empty()).ok()?;
        if !is_ours(&file, FileType::RegularFile) {
            return None;
        }
        let mut text = String::new();
        fs::File::from(file).take(LONGEST).read_to_string(&mut text).ok()?;
        let mut lines = text.lines();
        if lines.next()? != self.heading {
            return None;
        }
        let landlock = lines.next()?.parse().ok()?;
        let supervision = lines.next()? == "supervision";
        let mut backends = Vec::new();
        for backend in Backend::ALL {
            let mut parts = lines.next()?.split('\t');
            if parts.next()? != backend.word() {
                return None;
            }
            backends.push((backend, parts.next().map(str::to_owned)));
        }
        Some(Capabilities { backends, landlock, supervision })
    }

    fn keep(&self, found: &Capabilities) {
        let supervision = if found.supervision { "supervision" } else { "none" };
        let mut text = format!("{}\n{}\n{supervision}\n", self.heading, found.landlock);
        for (backend, obstacle) in &found.backends {
            text.push_str(backend.word());
            if let Some(obstacle) = obstacle {
                let _infallible = write!(text, "\t{obstacle}");
            }
            text.push('\n');
        }
        // What cannot be kept is found again.
        let _lost = self.replace(text.as_bytes());
    }

    fn replace(&self, content: &[u8]) -> Option<()> {
        let directory = self.file.parent()?;
        let made = rustix::fs::mkdir(directory, Mode::RWXU);
        if made.is_err() && made != Err(rustix::io::Errno::EXIST) {
            return None;
        }
        let flags = OFlags::DIRECTORY | OFlags::NOFOLLOW | OFlags::CLOEXEC;
        let opened = rustix::fs::openat(CWD, directory, flags, Mode::empty()).ok()?;
        if !is_ours(&opened, FileType::Directory) {
            return None;
        }
        let fresh = format!("capabilities.{}", std::process::id());
        let flags = OFlags::CREATE | OFlags::EXCL | OFlags::WRONLY | OFlags::CLOEXEC;
        let file =
            rustix::fs::openat(&opened, fresh.as_str(), flags, Mode::RUSR | Mode::WUSR).ok()?;
        let written = rustix::io::write(&file, content);
        let moved = if written == Ok(content.len()) {
            rustix::fs::renameat(&opened, fresh.as_str(), &opened, "capabilities")
        } else {
            Err(rustix::io::Errno::IO)
        };
        if moved.is_err() {
            let _left = rustix::fs::unlinkat(&opened, fresh.as_str(), rustix::fs::AtFlags::empty());
        }
        moved.ok()
    }
}

/// The user's runtime directory, which is emptied at logout, or else their cache.
fn directory() -> Option<PathBuf> {
    let absolute = |name: &str| {
        env::var_os(name).map(PathBuf::from).filter(|path| path.is_absolute() && path.is_dir())
    };
    let home = || absolute("HOME").map(|home| home.join(".cache")).filter(|path| path.is_dir());
    let base = absolute("XDG_RUNTIME_DIR").or_else(|| absolute("XDG_CACHE_HOME")).or_else(home)?;
    Some(base.join(Path::new("portcullis")))
}

/// Whether nobody else can have written it.
fn is_ours(file: &OwnedFd, kind: FileType) -> bool {
    rustix::fs::fstat(file).is_ok_and(|status| {
        FileType::from_raw_mode(status.st_mode) == kind
            && status.st_uid == rustix::process::geteuid().as_raw()
            && status.st_mode & 0o022 == 0
    })
}

/// More than findings ever are.
const LONGEST: u64 = 16 * 1024;
