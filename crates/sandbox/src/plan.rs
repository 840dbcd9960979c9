//! How the boundary of a request is built here.

use crate::environment::{self, Variables};
use crate::filter::{self, Choice, Internet};
use crate::layout::{Basis, Layout};
use crate::report::Collector;
use crate::supervisor::Guards;
use crate::sys::{self, ExecArguments, Supervision, Target, arguments_and_variables};
use crate::temporary::Temporary;
use crate::{Backend, Capabilities, Enforcement, Failure, Request, SignalRelay, TEMPORARY, Writes};
use portcullis_model::AbsPath;
use portcullis_profile::{
    Access, CompiledFiles, Effect, FileRule, Limits, NetworkAccess, Origin, Reach, SandboxProfile,
    Standing,
};
use rustix::fs::FileType;
use rustix::io::Errno;
use rustix::process::{Resource, Rlimit};
use std::ffi::{CString, OsString};
use std::os::fd::{OwnedFd, RawFd};
use std::os::unix::ffi::OsStringExt;
use std::time::Duration;

/// How a boundary is built; what `--explain` prints.
#[must_use = "a plan runs nothing until it is launched"]
#[derive(Debug)]
pub struct Plan {
    pub(crate) enforcement: Enforcement,
    pub(crate) files: CompiledFiles,
    pub(crate) profile: SandboxProfile,
    pub(crate) cwd: AbsPath,
    pub(crate) basis: Basis,
    pub(crate) layout: Layout,
    pub(crate) supervision: Option<Supervision>,
    pub(crate) target: Target,
    pub(crate) signals: SignalRelay,
    pub(crate) visible_memory: [(usize, usize); 2],
    pub(crate) sentinels: Vec<(OsString, OsString)>,
    pub(crate) temporary: Temporary,
    pub(crate) wall: Option<Duration>,
    pub(crate) collector: Collector,
    pub(crate) pause_at: u32,
}

/// Works out how the boundary of a request is built here. Nothing is started or changed.
pub fn prepare(request: Request, capabilities: &Capabilities) -> Result<Plan, Failure> {
    let Request { mut profile, program, arguments, cwd, environment, .. } = request;
    let backend = choose(capabilities, &profile, request.weakest)?;
    // SECURITY: the kernel never counts the processes of root: the limit would be there and hold nothing.
    if profile.limits.processes.is_some() && rustix::process::getuid().is_root() {
        return Err(Failure::new("a limit on processes does not hold for root")
            .cured_by("run it as another user, or in a control group with `pids.max`"));
    }
    let descriptors = Descriptors::look(&request.descriptors)?;
    let own_view = backend != Backend::LandlockOnly;
    if request.writes == Writes::Listed && (!own_view || profile.files.disabled.is_some()) {
        return Err(Failure::new("a dry run needs a view of the files of its own")
            .cured_by("leave the isolation of files on, and run at a level that has namespaces"));
    }
    allow_own_files(&mut profile.files.rules, own_view);
    let temporary = if own_view {
        Temporary::inside()
    } else {
        Temporary::on_the_host(&mut profile.files.rules)?
    };
    let files = CompiledFiles::new(profile.files.clone());
    let variables = environment::build(environment, &profile.environment, &cwd, temporary.path())?;
    let collector = Collector::new(&profile, &command_text(&program, &arguments), request.reports);
    let target = target(&program, arguments, &cwd, &variables, &profile, backend, &descriptors)?;
    let basis = Basis {
        backend,
        temporary: (!own_view).then(|| temporary.path().clone()),
        landlock: capabilities.landlock,
        descriptors,
        listeners: request.listeners,
        writes: request.writes,
    };
    let layout = basis.lay_out(&files, &profile)?;
    Ok(Plan {
        enforcement: capabilities.enforcement(backend, &profile),
        supervision: crate::supervisor::filter::program(guards(&files, &profile, backend))
            .map(|filter| Supervision { filter }),
        files,
        cwd,
        basis,
        layout,
        target,
        signals: request.signals,
        visible_memory: arguments_and_variables(),
        sentinels: variables.sentinels,
        temporary,
        wall: profile.limits.wall_seconds.map(Duration::from_secs),
        profile,
        collector,
        pause_at: 0,
    })
}

impl Plan {
    /// What will be enforced.
    pub fn enforcement(&self) -> &Enforcement {
        &self.enforcement
    }

    /// What the kernel will hold, path by path, for people.
    pub fn explain(&self) -> Vec<String> {
        self.layout.explanation.iter().map(|explained| explained.text(&self.files)).collect()
    }

    /// The variables that stand in for hidden ones, by name.
    pub fn sentinels(&self) -> &[(OsString, OsString)] {
        &self.sentinels
    }

    /// Waits to be killed when the set-up has come to a stage.
    #[cfg(feature = "fault-injection")]
    pub fn pause_at(&mut self, stage: &str) -> Result<(), Failure> {
        let stage = sys::Stage::ALL.into_iter().find(|known| format!("{known:?}") == stage);
        let stage = stage.ok_or_else(|| Failure::new("there is no such stage"))?;
        self.pause_at = stage as u32;
        Ok(())
    }
}

/// What is made for the run may be written, whatever the profile says.
fn allow_own_files(rules: &mut Vec<FileRule>, own_view: bool) {
    let places: &[&str] = if own_view { &[TEMPORARY, "/dev/shm"] } else { &[TEMPORARY] };
    for place in places.iter().filter_map(|place| AbsPath::parse(place).ok()) {
        rules.push(FileRule {
            access: Access::Write,
            effect: Effect::Allow,
            reach: Reach::Path(place),
            standing: Standing::Absolute,
            origin: Origin::BuiltIn("the private memory files of this run"),
        });
    }
}

/// The strongest backend there is, if it is strong enough.
fn choose(
    capabilities: &Capabilities,
    profile: &SandboxProfile,
    weakest: Backend,
) -> Result<Backend, Failure> {
    let weakest = if profile.shared_proc.is_some() && weakest == Backend::Full {
        Backend::SharedProc
    } else {
        weakest
    };
    let best = capabilities.best();
    match best {
        Some(best) if best <= weakest => Ok(best),
        _ => Err(capabilities.obstacle(weakest)),
    }
}

/// What is known of the descriptors that are passed on.
#[derive(Debug)]
pub(crate) struct Descriptors {
    declared: Vec<RawFd>,
    /// Those of 0, 1 and 2 that the caller left closed.
    unopened: Vec<u32>,
    pub(crate) terminals: Vec<RawFd>,
    pub(crate) terminal: Option<AbsPath>,
}

impl Descriptors {
    fn look(declared: &[RawFd]) -> Result<Self, Failure> {
        let mut found = Self {
            declared: declared.to_vec(),
            unopened: Vec::new(),
            terminals: Vec::new(),
            terminal: None,
        };
        found.declared.retain(|number| *number > 2);
        found.declared.sort_unstable();
        found.declared.dedup();
        for number in (0..=2).chain(found.declared.clone()) {
            let path = format!("/proc/self/fd/{number}");
            let Ok(status) = rustix::fs::stat(path.as_str()) else {
                if number > 2 {
                    return Err(Failure::new(format!("descriptor {number} is not open")));
                }
                continue;
            };
            match FileType::from_raw_mode(status.st_mode) {
                // SECURITY: everything below a directory can be opened through it, past every mount.
                FileType::Directory => {
                    return Err(Failure::new(format!("descriptor {number} is a directory"))
                        .cured_by("redirect it from or to a file"));
                }
                // The standard library put it there.
                FileType::CharacterDevice if status.st_rdev == NULL && sys::was_closed(number) => {
                    found.unopened.extend(u32::try_from(number));
                }
                FileType::CharacterDevice => {
                    let name = rustix::fs::readlink(path.as_str(), Vec::new()).unwrap_or_default();
                    let name = name.to_str().unwrap_or_default().to_owned();
                    if name.starts_with("/dev/pts/") || name.starts_with("/dev/tty") {
                        found.terminals.push(number);
                        found.terminal = found.terminal.or_else(|| AbsPath::parse(&name).ok());
                    }
                }
                FileType::RegularFile
                | FileType::Symlink
                | FileType::Fifo
                | FileType::Socket
                | FileType::BlockDevice
                | FileType::Unknown => {}
            }
        }
        Ok(found)
    }

    /// The ranges between what stays open.
    fn closed(&self) -> Vec<(u32, u32)> {
        let mut ranges: Vec<_> = self.unopened.iter().map(|number| (*number, *number)).collect();
        let mut first = 3;
        for number in self.declared.iter().filter_map(|number| u32::try_from(*number).ok()) {
            if number > first {
                ranges.push((first, number - 1));
            }
            first = number.saturating_add(1);
        }
        ranges.push((first, u32::MAX));
        ranges
    }
}

/// `/dev/null`, major 1, minor 3.
const NULL: u64 = (1 << 8) | 3;

/// What has to be judged by name, call by call.
fn guards(files: &CompiledFiles, profile: &SandboxProfile, backend: Backend) -> Guards {
    let enabled = profile.files.disabled.is_none();
    let rule = |access, effect| {
        move |rule: &&FileRule| enabled && rule.access == access && rule.effect == effect
    };
    let rules = &profile.files.rules;
    let writable = rules.iter().any(|r| rule(Access::Write, Effect::Allow)(&r));
    // What a pattern protects may stand in a place that can be written, where no mount keeps it.
    let by_pattern = rules
        .iter()
        .filter(rule(Access::Write, Effect::Deny))
        .any(|rule| !matches!(rule.reach, Reach::Path(_)));
    Guards {
        create: writable,
        // Terminals are opened by whoever owns them, and none of them is under a mount there.
        read: enabled && (files.needs_read_guard() || backend == Backend::LandlockOnly),
        metadata: (writable && by_pattern) || (enabled && backend == Backend::LandlockOnly),
        sockets: profile.sockets.all.is_none(),
    }
}

fn target(
    program: &OsString,
    arguments: Vec<OsString>,
    cwd: &AbsPath,
    variables: &Variables,
    profile: &SandboxProfile,
    backend: Backend,
    descriptors: &Descriptors,
) -> Result<Target, Failure> {
    let name = program.clone().into_vec();
    let text = |bytes: Vec<u8>| {
        let wrong = || Failure::new("an argument has a NUL byte in it");
        CString::new(bytes).ok().ok_or_else(wrong)
    };
    let candidates = if name.is_empty() {
        Vec::new()
    } else if name.contains(&b'/') {
        vec![text(name.clone())?]
    } else {
        // execvp(3): an empty part means the working directory.
        let places = variables.path.split(|byte| *byte == b':');
        let joined = places.map(|dir| {
            let mut path = if dir.is_empty() { b".".to_vec() } else { dir.to_vec() };
            path.push(b'/');
            path.extend(&name);
            text(path)
        });
        possible(joined.collect::<Result<_, _>>()?)
    };
    let mut strings = vec![text(name)?];
    for argument in arguments {
        strings.push(text(argument.into_vec())?);
    }
    let among_others = backend == Backend::LandlockOnly;
    let internet = match (&profile.network, backend) {
        (NetworkAccess::Host, _) | (_, Backend::Full | Backend::SharedProc) => Internet::Open,
        (_, Backend::LandlockOnly) => Internet::Closed,
    };
    let choice = Choice { nested: profile.nested.is_some(), internet, among_others };
    Ok(Target {
        cwd: text(cwd.as_str().into())?,
        candidates,
        arguments: ExecArguments::new(strings),
        variables: ExecArguments::new(variables.strings.clone()),
        limits: limits(&profile.limits, backend),
        closed: descriptors.closed(),
        passed: descriptors.declared.clone(),
        signals: sys::block_signals(&[]),
        filter: filter::program(choice)?,
    })
}

/// The places where the program can be, of those where it may be: a name that does not exist outside does
/// not exist inside, and trying each of them in there takes the supervisor.
fn possible(candidates: Vec<CString>) -> Vec<CString> {
    let made_up = |path: &[u8]| path.starts_with(b"/proc/") || path.starts_with(b"/dev/");
    let missing = |path: &CString| {
        // What is relative, is so to where the command starts.
        path.as_bytes().starts_with(b"/")
            && !made_up(path.as_bytes())
            && matches!(rustix::fs::stat(path.as_c_str()), Err(Errno::NOENT | Errno::NOTDIR))
    };
    let found: Vec<CString> = candidates.iter().filter(|path| !missing(path)).cloned().collect();
    if found.is_empty() { candidates } else { found }
}

fn limits(limits: &Limits, backend: Backend) -> Vec<(Resource, Rlimit)> {
    // Init and the supervisor count among the processes of the user inside.
    let ours = if backend == Backend::LandlockOnly { 0 } else { 2 };
    let wanted = [
        (Resource::As, limits.memory),
        (Resource::Nproc, limits.processes.map(|count| count.saturating_add(ours))),
        (Resource::Cpu, limits.cpu_seconds),
        (Resource::Fsize, limits.file_size),
        // What a core would hold is nobody's business outside, and a handler of cores runs outside.
        (Resource::Core, Some(0)),
    ];
    let given = wanted.into_iter().filter_map(|(resource, limit)| Some((resource, limit?)));
    given
        .map(|(resource, limit)| {
            // More than the caller may have cannot be asked for.
            let most = rustix::process::getrlimit(resource).maximum;
            let limit = most.map_or(limit, |most| most.min(limit));
            (resource, Rlimit { current: Some(limit), maximum: Some(limit) })
        })
        .collect()
}

fn command_text(program: &OsString, arguments: &[OsString]) -> String {
    let words = std::iter::once(program).chain(arguments);
    words.map(|word| word.to_string_lossy()).collect::<Vec<_>>().join(" ")
}

/// A descriptor of the launcher that tells those below when it dies.
pub(crate) fn own_handle() -> Result<OwnedFd, Failure> {
    let own = rustix::process::getpid();
    rustix::process::pidfd_open(own, rustix::process::PidfdFlags::empty())
        .map_err(|errno| Failure::new(format!("cannot watch the launcher: {errno}")))
}
