//! `policy init`: a shipped policy for this project, and what it means.

use crate::args::InitArgs;
use crate::console::{Palette, Reply};
use crate::failure::{Failure, Status};
use crate::report::finding::one_line;
use crate::session::{Surroundings, plain};
use crate::tables::policies::{POLICIES, Shipped};
use portcullis_audit::{Meaning, Stage, meaning};
use portcullis_model::{AbsPath, Scope};
use portcullis_policy::{Layer, Place, assemble};
use serde_json::{Value, json};
use std::fs;
use std::io::Write as _;
use std::path::Path;

/// Writes a shipped policy, or lists them.
pub(crate) fn init(args: &InitArgs, as_json: bool, palette: Palette) -> Result<Reply, Failure> {
    let Some(name) = &args.name else { return Ok(list(as_json, palette)) };
    let Some(shipped) = POLICIES.iter().find(|policy| policy.name == name) else {
        let names: Vec<&str> = POLICIES.iter().map(|policy| policy.name).collect();
        let hint = portcullis_rules::did_you_mean(name, &names).map_or_else(
            || format!("the policies are {}", names.join(", ")),
            |near| format!("did you mean `{near}`?"),
        );
        return Err(Failure::usage(format!("there is no policy `{name}`")).hint(hint));
    };
    let surroundings = Surroundings::of_process(&crate::args::PolicyArgs {
        project_root: args.project_root.clone(),
        home: args.home.clone(),
        ..crate::args::PolicyArgs::default()
    })?;
    let file = match &args.output {
        Some(file) => surroundings
            .cwd
            .join(file)
            .map_err(|_nul| Failure::usage(format!("`--output` names no file: `{file}`")))?,
        None => below(&surroundings.project_root, ".claude/settings.json"),
    };
    let tests = file.parent().map(|folder| below(&folder, "policy.test.toml"));
    let mut written = Vec::new();
    if !args.dry_run {
        fresh(&file, shipped.settings)?;
        written.push(file);
        // Tests of one's own stay.
        if let Some(tests) = tests.filter(|tests| !Path::new(tests.as_str()).exists()) {
            fresh(&tests, shipped.tests)?;
            written.push(tests);
        }
    }
    let means = means(shipped, &surroundings);
    if as_json {
        let means: Vec<Value> = means
            .iter()
            .map(|each| {
                json!({
                    "what": each.what,
                    "call": each.question.display(),
                    "decision": each.decision.word(),
                    "reason": each.verdict.reason,
                })
            })
            .collect();
        let written: Vec<&str> = written.iter().map(AbsPath::as_str).collect();
        let value = json!({ "policy": shipped.name, "written": written, "means": means });
        return Ok(Reply::json(&value, Status::Done));
    }
    let mut out = format!("{}\n\n", palette.strong(shipped.title()));
    for each in &means {
        let word = palette.decision(each.decision, &format!("{:<6}", each.decision.word()));
        out.extend([format!(
            "{word} {:<38} {}\n",
            each.what,
            palette.dim(&one_line(&each.question.display()))
        )]);
    }
    out.push('\n');
    for file in &written {
        out.extend([format!("wrote {file}\n")]);
    }
    if written.is_empty() {
        out.push_str("nothing is written: `--dry-run`\n");
    } else {
        out.push_str("check it with `portcullis test`, change it, and see what changed with `portcullis diff --git HEAD`\n");
    }
    Ok(Reply::text(out, Status::Done))
}

fn list(as_json: bool, palette: Palette) -> Reply {
    if as_json {
        let all: Vec<Value> = POLICIES
            .iter()
            .map(|policy| json!({ "name": policy.name, "title": policy.title() }))
            .collect();
        return Reply::json(&json!({ "policies": all }), Status::Done);
    }
    let lines: Vec<String> = POLICIES
        .iter()
        .map(|policy| {
            format!("{} {}\n", palette.strong(&format!("{:<20}", policy.name)), policy.title())
        })
        .collect();
    Reply::text(lines.concat(), Status::Done)
}

/// What a policy means for commands of a working day.
fn means(shipped: &Shipped, surroundings: &Surroundings) -> Vec<Meaning> {
    let place = Place {
        start: surroundings.project_root.clone(),
        project_root: surroundings.project_root.clone(),
        home: surroundings.home.clone(),
    };
    let layer = Layer::new(
        Scope::Project,
        shipped.name,
        shipped.settings,
        surroundings.project_root.clone(),
    );
    let policy = assemble(&[layer], &place);
    let stage = Stage { project: place.project_root, home: place.home, mode: None };
    meaning(&policy, &stage)
}

/// Writes a file that must not be there.
fn fresh(file: &AbsPath, text: &str) -> Result<(), Failure> {
    let path = Path::new(file.as_str());
    let made = path
        .parent()
        .map_or(Ok(()), fs::create_dir_all)
        .and_then(|()| fs::OpenOptions::new().write(true).create_new(true).open(path))
        .and_then(|mut new| new.write_all(text.as_bytes()));
    made.map_err(|error| {
        if error.kind() == std::io::ErrorKind::AlreadyExists {
            Failure::input(format!("`{file}` is there already"))
                .hint("name another file by `--output`, or see the policy with `--dry-run`")
        } else {
            Failure::internal(format!("cannot write `{file}`: {}", plain(&error)))
        }
    })
}

fn below(directory: &AbsPath, name: &str) -> AbsPath {
    directory.join(name).unwrap_or_else(|_nul| directory.clone())
}
