//! Both views of every probe, in a throw-away machine.

use super::expectation::{self, Expectation, Patience};
use super::host::Host;
use super::options::{Backend, Options, Volume};
use super::report::{self, Finding, Report, View};
use super::spawn;
use super::{Probe, world};
use crate::corpus;
use crate::tables::escapes::{self as tables, Lacking, Where, cannot_leak};
use std::fs;
use std::io;
use std::path::{Path, PathBuf};
use std::process::{Command, ExitStatus};
use std::time::{Duration, Instant};

/// The program to sandbox with, where nothing else is said: the one built beside this program.
const PORTCULLIS: &str = "portcullis";
/// How it is asked to.
const RUN: &str = "run --";
/// What it is asked for where a fork bomb is behind it. There is room for everything else.
const BOUND: [&str; 2] = ["--max-processes", "300"];
/// Parts of `/proc` that containers cover, and that nobody here reads; not every kernel has each.
const COVERED: [&str; 5] =
    ["/proc/kcore", "/proc/keys", "/proc/timer_list", "/proc/sysrq-trigger", "/proc/softirqs"];
/// How often a probe is run as it is, until it leaks.
const CHANCES: u32 = 3;
/// How long the host may take to start a process while a probe eats what it can.
const RESPONSIVE: Duration = Duration::from_secs(5);

/// Starts this same program again inside a throw-away machine.
pub fn outside(options: &Options, words: &[String]) -> io::Result<ExitStatus> {
    let this = std::env::current_exe()?;
    let beside = this.parent().unwrap_or(Path::new("/")).to_owned();
    let mut command = vec![this.display().to_string(), "escapes".to_owned()];
    command.extend(["--inside".to_owned(), world::HELPERS.to_owned()]);
    if options.with.is_empty() {
        let with = format!("{} {RUN}", beside.join(PORTCULLIS).display());
        command.extend(["--with".to_owned(), with]);
    }
    for word in words {
        // The machine inside starts in another directory.
        let file = options.files.iter().find(|file| file.as_os_str() == word.as_str());
        let whole = file.map(|file| file.canonicalize()).transpose()?;
        command.push(whole.map_or_else(|| word.clone(), |path| path.display().to_string()));
    }
    let mut show = vec![beside];
    for path in options.files.iter().chain(&options.show) {
        show.push(path.canonicalize()?);
    }
    if let Some(program) = options.with.first().map(PathBuf::from)
        && program.is_absolute()
        && !program.starts_with("/usr")
    {
        show.push(program);
    }
    show.sort();
    show.dedup();
    world::run(&command, &show)
}

/// Runs the probes. This process has to be the first one of a throw-away machine.
pub fn inside(options: &Options) -> io::Result<Report> {
    let host = Host::start()?;
    let mut probes = Vec::new();
    for file in &options.files {
        probes.extend(corpus::read::<Probe>(file).map_err(io::Error::other)?);
    }
    probes.retain(|probe| options.class.as_ref().is_none_or(|class| *class == probe.class));
    probes.retain(|probe| options.only.as_ref().is_none_or(|id| *id == probe.id));
    let mut findings = Vec::new();
    for identity in &options.identities {
        for probe in &probes {
            let finding = Finding {
                probe: probe.clone(),
                identity: *identity,
                expectation: expectation::of(probe),
                bare: None,
                shown: options.shown,
                inside: None,
            };
            findings.push(finding);
        }
    }
    for finding in &mut findings {
        if finding.expectation != Expectation::Bounded && !options.shown {
            finding.bare = Some(seen(finding, &host)?);
        }
    }
    if !options.baseline {
        let boundary = Boundary { behind: &options.with, machine: options.backend };
        // A fork bomb is nowhere without a bound.
        let bounded = |it: &&mut Finding| report::is_bounded(it.expectation, it.identity);
        for finding in findings.iter_mut().filter(bounded) {
            finding.inside = Some(view(finding, Some(&boundary), &host)?);
            if options.volume == Volume::Everything {
                finding.print()?;
            }
        }
    }
    Ok(Report { findings, baseline: options.baseline })
}

/// A probe as it is. One that has to leak is given more than one chance: a race may be lost, and a probe
/// that waits for a fixed time may wait too short where the machine is busy.
fn seen(finding: &Finding, host: &Host) -> io::Result<View> {
    let known = cannot_leak(&finding.probe.id, Where::of(finding.identity)).is_some();
    let mut view = view(finding, None, host)?;
    for _ in 1..CHANCES {
        if view.leaked || known || !finding.expectation.is_about_leaking() {
            break;
        }
        view = self::view(finding, None, host)?;
    }
    Ok(view)
}

/// What a probe is put behind, and on which machine.
struct Boundary<'b> {
    behind: &'b [String],
    machine: Backend,
}

fn view(finding: &Finding, boundary: Option<&Boundary<'_>>, host: &Host) -> io::Result<View> {
    let Finding { probe, identity, expectation, .. } = finding;
    let victim = Host::prepare(*identity)?;
    let mut behind = boundary.map_or_else(Vec::new, |boundary| boundary.behind.to_vec());
    if *expectation == Expectation::Bounded {
        let end = behind.len().saturating_sub(1);
        behind.splice(end..end, BOUND.map(str::to_owned));
    }
    let behind = &behind[..];
    if let Some(boundary) = boundary {
        // Only now: planting anew gives back what was taken away.
        take_away(boundary.machine)?;
    }
    let script = expectation.script(&probe.script);
    let watch = (*expectation == Expectation::Bounded).then(|| std::thread::spawn(slowest_start));
    let patience = match &finding.bare {
        Some(bare) if !behind.is_empty() => Patience::AsLongAs(bare.took),
        _ if behind.is_empty() => Patience::UntilSeen,
        _ => Patience::AsLongAs(Duration::ZERO),
    };
    let started = Instant::now();
    let outcome = spawn::probe(&script, behind, *identity, host, &victim)?;
    let leaked = expectation.leaked(&outcome, &victim, patience);
    let took = started.elapsed();
    let mut complaint = expectation.complaint(&outcome, leaked);
    let mut lacking = None;
    if let (Some(boundary), Some(_)) = (boundary, &complaint) {
        let says = |words: &str| -> io::Result<bool> {
            let Some((end, before)) = behind.split_last() else { return Ok(false) };
            let explain = [before, &["--explain".to_owned(), end.clone()]].concat();
            let said = spawn::probe(&script, &explain, *identity, host, &victim)?;
            Ok(said.stdout.contains(words))
        };
        if let Expectation::ContainedOrWarned(words) = expectation
            && says(words)?
        {
            complaint = None;
        }
        match tables::lacking(&probe.id, boundary.machine, Where::of(*identity)) {
            Some(Lacking::Told(words)) if says(words)? => lacking = Some(words),
            Some(Lacking::Cannot(reason)) => lacking = Some(reason),
            Some(Lacking::Told(_)) | None => {}
        }
    }
    if let Some(slowest) = watch.and_then(|watch| watch.join().ok())
        && slowest > RESPONSIVE
    {
        complaint = Some(format!("the host took {slowest:?} to start a process"));
    }
    victim.end()?;
    host.sweep()?;
    Ok(View { outcome, leaked, took, complaint, lacking })
}

/// The longest it took to start a process, in the time a fork bomb burns.
fn slowest_start() -> Duration {
    let watched = Instant::now();
    let mut slowest = Duration::ZERO;
    while watched.elapsed() < Duration::from_secs(4) {
        let started = Instant::now();
        if Command::new("/bin/true").status().is_err() {
            return Duration::MAX;
        }
        slowest = slowest.max(started.elapsed());
    }
    slowest
}

/// Takes from the machine what a weaker one does not have. Planting anew gives namespaces back.
pub fn take_away(backend: Backend) -> io::Result<()> {
    match backend {
        Backend::Full => Ok(()),
        Backend::LandlockOnly => fs::write("/proc/sys/user/max_user_namespaces", "0\n"),
        Backend::SharedProc => {
            // What is mounted over a part of /proc may not be uncovered by mounting it again, whichever
            // part it is.
            for part in COVERED.iter().filter(|part| Path::new(part).exists()) {
                if !Path::new(part).is_file() {
                    // Covered before.
                    return Ok(());
                }
                let mut mount = Command::new("mount");
                if mount.args(["--bind", "/dev/null", part]).status()?.success() {
                    return Ok(());
                }
            }
            Err(io::Error::other("no part of /proc can be covered"))
        }
    }
}
