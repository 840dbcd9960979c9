//! `install` and `uninstall`.

use crate::args::{Agent, HookLine, InstallArgs, Level, TargetArgs, UninstallArgs};
use crate::console::{Palette, Reply};
use crate::environment;
use crate::failure::{Failure, Status};
use crate::session;
use clap::Parser as _;
use portcullis_host::claude_code::{Event, shown};
use portcullis_host::install::{Change, DiffLine, HookCommand, InstallError, Plan, apply, plan};
use portcullis_model::AbsPath;
use serde_json::json;
use std::ffi::OsString;
use std::path::{Path, PathBuf};

/// Wires the hook in.
pub(crate) fn install(
    args: &InstallArgs,
    as_json: bool,
    palette: Palette,
) -> Result<Reply, Failure> {
    check_hook_flags(&args.hook_flags)?;
    let level = args.target.level.level();
    let program = match &args.program {
        Some(program) => program.clone(),
        // Others share the file: an absolute path of this machine means nothing to them.
        None if level == Level::Project => "portcullis".to_owned(),
        None => own_path()?,
    };
    let change = Change::Install(HookCommand { program, extra: args.hook_flags.clone() });
    run(&args.target, &change, as_json, palette)
}

/// Takes the hook out.
pub(crate) fn uninstall(
    args: &UninstallArgs,
    as_json: bool,
    palette: Palette,
) -> Result<Reply, Failure> {
    run(&args.target, &Change::Uninstall, as_json, palette)
}

/// Flags the hook would refuse would block every call of the agent: refused here instead.
fn check_hook_flags(flags: &[String]) -> Result<(), Failure> {
    let fixed =
        HookCommand { program: String::new(), extra: flags.to_vec() }.args(Event::PreToolUse);
    let line = fixed.into_iter().map(OsString::from);
    HookLine::try_parse_from(line).map(|_line| ()).map_err(|error| crate::usage_failure(&error))
}

fn run(
    target: &TargetArgs,
    change: &Change,
    as_json: bool,
    palette: Palette,
) -> Result<Reply, Failure> {
    let path = settings_file(target)?;
    let plan = plan(&path, change).map_err(|error| failure(&error))?;
    let backup =
        if target.dry_run { None } else { apply(&plan).map_err(|error| failure(&error))? };
    if as_json {
        return Ok(Reply::json(
            &json!({
                "file": plan.path.display().to_string(),
                "changed": !plan.is_done(),
                "dry_run": target.dry_run,
                "backup": backup.map(|backup| backup.display().to_string()),
                "before": plan.before,
                "after": plan.after,
            }),
            Status::Done,
        ));
    }
    let text = text(&plan, change, target.dry_run, backup.as_deref(), palette);
    Ok(Reply::text(text, Status::Done))
}

fn text(
    plan: &Plan,
    change: &Change,
    dry_run: bool,
    backup: Option<&Path>,
    palette: Palette,
) -> String {
    let file = shown(&plan.path.display().to_string());
    let installs = matches!(change, Change::Install(_));
    if plan.is_done() {
        let state = if installs { "already installed" } else { "not installed" };
        return format!("{state} in `{file}`; nothing to do\n");
    }
    let mut out = format!("{}\n", palette.strong(&file));
    for line in plan.diff() {
        let line = match line {
            DiffLine::Same(line) => format!("  {}", shown(&line)),
            DiffLine::Removed(line) => palette.error(&format!("- {}", shown(&line))),
            DiffLine::Added(line) => palette.good(&format!("+ {}", shown(&line))),
        };
        out.extend([line.as_str(), "\n"]);
    }
    out.push('\n');
    if dry_run {
        out.push_str("nothing was changed; leave `--dry-run` out to change it\n");
        return out;
    }
    out.push_str(if plan.after.is_none() {
        "the file held nothing else and was removed\n"
    } else if installs {
        "installed; running sessions of the agent notice by themselves\n"
    } else {
        "uninstalled\n"
    });
    if let Some(backup) = backup {
        out.extend([format!(
            "the text before is kept in `{}`\n",
            shown(&backup.display().to_string())
        )]);
    }
    if installs {
        out.push_str(
            "`portcullis doctor` shows whether it fires; `portcullis uninstall` undoes this\n",
        );
    }
    out
}

/// The settings file of an agent.
pub(crate) fn settings_file(target: &TargetArgs) -> Result<PathBuf, Failure> {
    match target.agent {
        Agent::ClaudeCode => {}
    }
    let current = environment::current_directory().and_then(|path| AbsPath::parse(&path).ok());
    let base = current.unwrap_or_else(AbsPath::root);
    let folder = match target.level.level() {
        Level::User => match environment::value(environment::CLAUDE_CONFIG_DIR) {
            Some(folder) if target.home.is_none() => PathBuf::from(folder),
            Some(_) | None => PathBuf::from(session::home(target.home.as_deref(), &base)?.as_str())
                .join(".claude"),
        },
        Level::Project | Level::Local => {
            let root = match &target.project_root {
                Some(root) => base.join(root).map_err(|_not_absolute| {
                    Failure::usage(format!("`--project-root` names no directory: `{root}`"))
                })?,
                None => base,
            };
            PathBuf::from(root.as_str()).join(".claude")
        }
    };
    Ok(folder.join(match target.level.level() {
        Level::User | Level::Project => "settings.json",
        Level::Local => "settings.local.json",
    }))
}

/// The path under which this program is called. A name found on the search path that leads to it is
/// better than where it leads: package managers replace the target and keep the name.
pub(crate) fn own_path() -> Result<String, Failure> {
    let own = std::env::current_exe().and_then(|path| path.canonicalize()).map_err(|error| {
        Failure::internal(format!("cannot tell where this program is: {}", session::plain(&error)))
            .hint("name it by `--program`")
    })?;
    let search = environment::value(environment::PATH).unwrap_or_default();
    let named = std::env::split_paths(&search)
        .filter(|folder| folder.is_absolute())
        .map(|folder| folder.join("portcullis"))
        .find(|candidate| candidate.canonicalize().is_ok_and(|target| target == own));
    named.unwrap_or(own).into_os_string().into_string().map_err(|path| {
        Failure::internal(format!("the path of this program is not text: `{}`", path.display()))
            .hint("name it by `--program`")
    })
}

fn failure(error: &InstallError) -> Failure {
    let message = match error {
        InstallError::Io { source, .. } => {
            let text = error.to_string();
            let source_text = source.to_string();
            text.replace(&source_text, &session::plain(source))
        }
        InstallError::NotJson { .. }
        | InstallError::Shape { .. }
        | InstallError::Changed { .. } => error.to_string(),
        _ => error.to_string(),
    };
    let failure = match error {
        InstallError::Io { .. } => Failure::internal(message),
        _ => Failure::input(message),
    };
    match error {
        InstallError::NotJson { .. } | InstallError::Shape { .. } => {
            failure.hint("nothing was changed; repair the file and try again")
        }
        InstallError::Changed { .. } => failure.hint("nothing was changed; try again"),
        _ => failure,
    }
}
