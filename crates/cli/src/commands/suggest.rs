//! `suggest`: rules from history.

use super::audit::stage;
use super::replay::paths;
use crate::args::SuggestArgs;
use crate::console::{Palette, Reply};
use crate::failure::{Failure, Status};
use crate::history::History;
use crate::replayed::recorded;
use crate::report::finding::one_line;
use crate::session::{Session, Surroundings};
use portcullis_audit::{Suggestions, Wishes, suggest};
use portcullis_host::claude_code::shown;
use portcullis_host::log::mask;
use serde_json::{Value, json};

/// Proposes allow rules that spare prompts and let nothing else run.
pub(crate) fn run(args: &SuggestArgs, as_json: bool, palette: Palette) -> Result<Reply, Failure> {
    let surroundings = Surroundings::of_process(&args.policy)?;
    let session = Session::open(&args.policy, surroundings)?;
    let paths = paths(&args.files, &session)?;
    let history = History::collect(&paths, args.state.as_deref())?;
    let wishes = Wishes { sessions: args.min_sessions, prompts: args.min_prompts, rules: args.top };
    let found = suggest(&session.policy, &stage(&session), &recorded(&history, &session), wishes);
    let mut reply = if as_json {
        Reply::json(&to_json(&found), Status::Done)
    } else {
        Reply::text(text(&found, palette), Status::Done)
    };
    for problem in &history.problems {
        reply.stderr.extend([format!("{} {}\n", palette.warning("warning:"), shown(problem))]);
    }
    Ok(reply)
}

fn text(found: &Suggestions, palette: Palette) -> String {
    if found.proposals.is_empty() {
        let mut out = format!("no rule to propose: {} prompts in the history\n", found.before);
        out.push_str(&refused(found, palette));
        return out;
    }
    let mut out =
        format!("{} prompts in the history, {} with these rules\n\n", found.before, found.after);
    for proposal in &found.proposals {
        let example = one_line(&mask(&proposal.example.display()));
        out.extend([format!(
            "{} {}\n  spares {} prompts of {} sessions, such as {example}\n",
            palette.good("allow"),
            shown(&proposal.rule),
            proposal.prompts,
            proposal.sessions
        )]);
        for note in &proposal.notes {
            out.extend([format!("  {} {}\n", palette.dim("note:"), shown(&note.message))]);
        }
    }
    out.push_str(&refused(found, palette));
    let rules: Vec<&str> = found.proposals.iter().map(|proposal| proposal.rule.as_str()).collect();
    let snippet = json!({ "permissions": { "allow": rules } });
    out.extend([format!("\n{snippet:#}\n")]);
    out
}

fn refused(found: &Suggestions, palette: Palette) -> String {
    let mut out = String::new();
    for refused in &found.refused {
        out.extend([format!(
            "{} {} ({} prompts): {}\n",
            palette.warning("not proposed"),
            shown(&refused.rule),
            refused.prompts,
            shown(&refused.why)
        )]);
    }
    if out.is_empty() { out } else { format!("\n{out}") }
}

fn to_json(found: &Suggestions) -> Value {
    let proposals: Vec<Value> = found
        .proposals
        .iter()
        .map(|proposal| {
            json!({
                "rule": proposal.rule,
                "prompts": proposal.prompts,
                "sessions": proposal.sessions,
                "example": mask(&proposal.example.display()),
                "notes": proposal.notes.iter().map(crate::report::json::finding).collect::<Vec<_>>(),
            })
        })
        .collect();
    let refused: Vec<Value> = found
        .refused
        .iter()
        .map(|refused| json!({ "rule": refused.rule, "prompts": refused.prompts, "why": refused.why }))
        .collect();
    json!({
        "schema_version": crate::report::json::SCHEMA_VERSION,
        "before": found.before,
        "after": found.after,
        "proposals": proposals,
        "refused": refused,
    })
}
