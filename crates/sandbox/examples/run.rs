//! Runs a command in a boundary given by flags, for experiments and tests.
//!
//! `run [--write PATH] [--deny-write PATH] [--deny-read PATH] [--allow-read PATH] [--host-network]
//! [--backend NAME] [--capabilities] [--explain] [--env NAME=VALUE] [--pause-at STAGE] [--] PROGRAM [ARGUMENT…]`

#![expect(clippy::print_stderr, clippy::print_stdout, reason = "a program for people")]

use portcullis_model::AbsPath;
use portcullis_profile::{
    Access, Effect, FileRule, NetworkAccess, Origin, Reach, SandboxProfile, Standing,
};
use portcullis_sandbox::{Backend, Request, SignalRelay, prepare, probe, probe_now};
use std::error::Error;

fn main() {
    if let Err(error) = run() {
        eprintln!("run: {error}");
        std::process::exit(125);
    }
}

fn run() -> Result<(), Box<dyn Error>> {
    let mut arguments = std::env::args_os().skip(1);
    let mut profile = SandboxProfile::default();
    let mut explain = false;
    let mut backend = None;
    let mut pause = None;
    let cwd = std::env::current_dir()?;
    let cwd = AbsPath::parse(cwd.to_str().ok_or("the working directory has no readable name")?)?;
    let mut environment: Vec<_> = std::env::vars_os().collect();
    let program = loop {
        let Some(argument) = arguments.next() else { return Err("no command".into()) };
        let mut value = || {
            let value = arguments.next().ok_or("a value is missing")?;
            value.into_string().ok().ok_or("a value is not text")
        };
        let mut rule = |access, effect, path: String| -> Result<(), Box<dyn Error>> {
            profile.files.rules.push(FileRule {
                access,
                effect,
                reach: Reach::Path(cwd.join(&path)?),
                standing: Standing::Ordinary,
                origin: Origin::BuiltIn("a flag"),
            });
            Ok(())
        };
        match argument.to_str() {
            Some("--write") => rule(Access::Write, Effect::Allow, value()?)?,
            Some("--deny-write") => rule(Access::Write, Effect::Deny, value()?)?,
            Some("--deny-read") => rule(Access::Read, Effect::Deny, value()?)?,
            Some("--allow-read") => rule(Access::Read, Effect::Allow, value()?)?,
            Some("--host-network") => profile.network = NetworkAccess::Host,
            Some("--backend") => {
                let word = value()?;
                let known = Backend::ALL.into_iter().find(|backend| backend.word() == word);
                backend = Some(known.ok_or("there is no such backend")?);
            }
            Some("--capabilities") => {
                println!("{:#?}", probe_now());
                return Ok(());
            }
            Some("--explain") => explain = true,
            Some("--pause-at") => pause = Some(value()?),
            Some("--env") => {
                let text = value()?;
                let (name, value) = text.split_once('=').ok_or("no `=` in a variable")?;
                environment.push((name.into(), value.into()));
            }
            Some("--") => break arguments.next().ok_or("no command")?,
            _ => break argument,
        }
    };
    let mut request = Request::new(profile, program, cwd, environment);
    request.arguments = arguments.collect();
    request.signals = SignalRelay::Relay;
    request.weakest = backend.unwrap_or(Backend::Full);
    let capabilities = backend.map_or_else(probe, |backend| probe_now().weakened_to(backend));
    #[cfg_attr(not(feature = "fault-injection"), expect(unused_mut, reason = "for pausing"))]
    let mut plan = prepare(request, &capabilities)?;
    if explain {
        plan.explain().iter().for_each(|line| println!("{line}"));
        return Ok(());
    }
    #[cfg(feature = "fault-injection")]
    if let Some(stage) = &pause {
        plan.pause_at(stage)?;
    }
    if cfg!(not(feature = "fault-injection")) && pause.is_some() {
        return Err("pausing needs the feature `fault-injection`".into());
    }
    let finished = plan.launch()?.wait()?;
    for report in &finished.reports {
        eprintln!("run: {report}");
    }
    finished.end.relay()
}
