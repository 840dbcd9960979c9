//! `check` and `explain`.

use super::{decide, logged};
use crate::args::{CheckArgs, ExplainArgs, PolicyArgs};
use crate::call::{self, Asked};
use crate::codes;
use crate::console::{Palette, Reply};
use crate::failure::{Failure, Status};
use crate::render::verdict::{self, Detail};
use crate::session::{Session, Surroundings, plain};
use crate::standin;
use portcullis_host::claude_code::MAX_PAYLOAD;
use portcullis_model::ToolCall;
use serde_json::{Value, json};
use std::io::{self, BufRead as _, Read as _, Write as _};
use std::time::Instant;

/// The verdict for one call, or for each line of a batch.
pub(crate) fn check(args: &CheckArgs, as_json: bool, palette: Palette) -> Result<Reply, Failure> {
    if args.batch {
        return batch(&args.policy);
    }
    let started = Instant::now();
    let (session, call) = ask(&args.call, &args.policy)?;
    let decided = decide(&session, &call, false);
    let status = Status::from(decided.verdict.decision);
    let mut reply = if as_json {
        let mut value = standin::verdict_json(&decided.verdict);
        if args.facts
            && let Some(fields) = value.as_object_mut()
        {
            fields.insert("facts".to_owned(), decided.facts.clone());
        }
        Reply::json(&value, status)
    } else {
        let mut text = shown(&session, &call, &decided.verdict, Detail::Brief, palette);
        if args.facts {
            let facts = serde_json::to_string_pretty(&decided.facts).unwrap_or_default();
            text.push_str(&format!("\n{}\n{facts}\n", palette.strong("facts")));
        }
        Reply::text(text, status)
    };
    if let Some(log) = logged(args.log.as_deref(), &session)? {
        let log = decided.log(&log, "check", &session, &call, started);
        if let Err(failure) = log {
            reply.stderr = Reply::failure(&failure, false, palette).stderr;
        }
    }
    Ok(reply)
}

/// Everything behind a verdict, or the page of a code.
pub(crate) fn explain(
    args: &ExplainArgs,
    as_json: bool,
    palette: Palette,
) -> Result<Reply, Failure> {
    if args.codes {
        return Ok(if as_json {
            let pages: Vec<Value> = codes::pages().iter().map(page_json).collect();
            Reply::json(&json!({ "codes": pages }), Status::Done)
        } else {
            Reply::text(codes::list_text(palette), Status::Done)
        });
    }
    if let [word] = args.call.as_slice()
        && let Some(page) = codes::page(word)
    {
        return Ok(if as_json {
            Reply::json(&page_json(&page), Status::Done)
        } else {
            Reply::text(codes::page_text(&page, palette), Status::Done)
        });
    }
    let (session, call) = ask(&args.call, &args.policy)?;
    let decided = decide(&session, &call, true);
    let status = Status::from(decided.verdict.decision);
    Ok(if as_json {
        let mut value = standin::verdict_json(&decided.verdict);
        if let Some(fields) = value.as_object_mut() {
            fields.insert("facts".to_owned(), decided.facts.clone());
        }
        Reply::json(&value, status)
    } else {
        Reply::text(shown(&session, &call, &decided.verdict, Detail::Full, palette), status)
    })
}

fn page_json(page: &codes::Page) -> Value {
    json!({
        "code": page.code,
        "meaning": page.meaning,
        "example": page.example,
        "cure": page.cure,
    })
}

fn shown(
    session: &Session,
    call: &ToolCall,
    verdict: &portcullis_model::Verdict,
    detail: Detail,
    palette: Palette,
) -> String {
    let field = crate::tables::tools::tool(&call.tool).map_or("", |tool| tool.field);
    let asked = verdict::Asked {
        tool: &call.tool,
        text: call.input.text(field).unwrap_or(""),
        home: session.surroundings.home.as_str(),
    };
    verdict::verdict(verdict, asked, detail, palette)
}

/// Reads the call from the words of the command line, and opens the policy it is judged by.
fn ask(words: &[String], args: &PolicyArgs) -> Result<(Session, ToolCall), Failure> {
    let surroundings = Surroundings::of_process(args)?;
    let from_stdin;
    let words = match words {
        [word] if word == "-" => {
            from_stdin = [read_stdin()?];
            &from_stdin[..]
        }
        words => words,
    };
    let asked = call::read(words, &surroundings.cwd, &surroundings.home)?;
    let session = Session::open(args, surroundings)?;
    let call = match asked {
        Asked::Tool { tool, input } => ToolCall {
            tool,
            input,
            cwd: session.surroundings.cwd.clone(),
            project_root: session.surroundings.project_root.clone(),
            home: session.surroundings.home.clone(),
            mode: session.mode,
            additional_directories: session.add_dirs.clone(),
            sandboxed: None,
            hook_answers: Vec::new(),
            shadowed: Vec::new(),
        },
        Asked::Object(_) => return Err(Failure::internal("not yet")),
    };
    Ok((session, call))
}

fn read_stdin() -> Result<String, Failure> {
    let mut text = String::new();
    let most = u64::try_from(MAX_PAYLOAD).unwrap_or(u64::MAX);
    io::stdin()
        .lock()
        .take(most + 1)
        .read_to_string(&mut text)
        .map_err(|error| Failure::input(format!("cannot read the standard input: {}", plain(&error))))?;
    if text.len() > MAX_PAYLOAD {
        return Err(Failure::input(format!("the standard input is larger than {MAX_PAYLOAD} bytes")));
    }
    Ok(text)
}

/// One answer a line, each as soon as its line is there.
fn batch(args: &PolicyArgs) -> Result<Reply, Failure> {
    let surroundings = Surroundings::of_process(args)?;
    let session = Session::open(args, surroundings)?;
    let _ = &session;
    let mut input = io::stdin().lock();
    let mut output = io::stdout().lock();
    loop {
        let mut line = Vec::new();
        let most = u64::try_from(MAX_PAYLOAD).unwrap_or(u64::MAX);
        let read = input
            .by_ref()
            .take(most)
            .read_until(b'\n', &mut line)
            .map_err(|error| Failure::input(format!("cannot read the standard input: {}", plain(&error))))?;
        if read == 0 {
            return Ok(Reply::text("", Status::Done));
        }
        let line = String::from_utf8_lossy(&line);
        if line.trim().is_empty() {
            continue;
        }
        let answer = standin::batch_answer(line.trim_end_matches('\n'));
        let written = output.write_all(answer.as_bytes()).and_then(|()| output.write_all(b"\n")).and_then(|()| output.flush());
        match written {
            Ok(()) => {}
            Err(error) if error.kind() == io::ErrorKind::BrokenPipe => {
                return Ok(Reply::text("", Status::Done));
            }
            Err(error) => {
                return Err(Failure::internal(format!("cannot write the answer: {}", plain(&error))));
            }
        }
    }
}
