//! `check` and `explain`.

use super::{logged, write_log};
use crate::args::{CheckArgs, ExplainArgs, PolicyArgs};
use crate::call::{self, Asked};
use crate::codes;
use crate::console::{Palette, Reply};
use crate::failure::{Failure, Status};
use crate::lines::{Broken, converse};
use crate::render::verdict::{self, Detail};
use crate::session::{Session, Surroundings, plain};
use portcullis_host::batch::{self, Defaults, Request};
use portcullis_host::claude_code::MAX_PAYLOAD;
use portcullis_host::settings::Policies;
use portcullis_host::{Disk, EvaluateOptions, Evaluation, ListedDisk, RealDisk, evaluate, wire};
use portcullis_model::ToolCall;
use serde_json::{Value, json};
use std::io::{self, Read as _};
use std::time::Instant;

/// The verdict for one call, or for each line of a batch.
pub(crate) fn check(args: &CheckArgs, as_json: bool, palette: Palette) -> Result<Reply, Failure> {
    if args.batch {
        return batch(args);
    }
    let started = Instant::now();
    let question = Question::read(&args.call, &args.policy)?;
    let evaluation = question.evaluate(false);
    let mut reply = if as_json {
        Question::json(&evaluation, args.facts)
    } else {
        question.text(&evaluation, Detail::Brief, args.facts, palette)
    };
    if let Some(log) = logged(args.log.as_deref(), &question.session)? {
        let log = write_log(
            &log,
            "check",
            &question.session.layers,
            &question.call,
            &evaluation,
            started,
        );
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
    let question = Question::read(&args.call, &args.policy)?;
    let evaluation = question.evaluate(true);
    Ok(if as_json {
        Question::json(&evaluation, true)
    } else {
        question.text(&evaluation, Detail::Full, false, palette)
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

/// A call, and everything it is judged by.
struct Question {
    session: Session,
    call: ToolCall,
    listed: Option<ListedDisk>,
}

impl Question {
    /// Reads the call from the words of the command line, and opens the policy it is judged by.
    fn read(words: &[String], args: &PolicyArgs) -> Result<Self, Failure> {
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
        let mut session = Session::open(args, surroundings)?;
        match asked {
            Asked::Tool { tool, input } => {
                let call = ToolCall {
                    tool,
                    input,
                    cwd: session.surroundings.cwd.clone(),
                    project_root: session.surroundings.project_root.clone(),
                    home: session.surroundings.home.clone(),
                    mode: session.mode,
                    additional_directories: Vec::new(),
                    sandboxed: None,
                    hook_answers: Vec::new(),
                    shadowed: Vec::new(),
                };
                Ok(Self { session, call, listed: None })
            }
            Asked::Object(text) => {
                let defaults = defaults(&session, args, false);
                let mut policies = Policies::once(session.options.clone());
                let request = Request::read(&text, &defaults, &mut policies)
                    .map_err(|unread| Failure::input(unread.message))?;
                session.layers.clone_from(&request.known.layers);
                session.policy = request.known.policy.clone();
                Ok(Self { session, call: request.call, listed: request.listed })
            }
        }
    }

    fn evaluate(&self, near_misses: bool) -> Evaluation {
        let disk: &dyn Disk = match &self.listed {
            Some(listed) => listed,
            None => &RealDisk,
        };
        evaluate(
            &self.session.policy,
            &self.call,
            disk,
            EvaluateOptions { near_misses, ..EvaluateOptions::default() },
        )
    }

    fn json(evaluation: &Evaluation, with_facts: bool) -> Reply {
        let mut fields = wire::verdict_json(&evaluation.verdict, &evaluation.facts);
        if with_facts {
            fields.extend(wire::facts_json(&evaluation.facts));
        }
        Reply::json(&Value::Object(fields), evaluation.verdict.decision.into())
    }

    fn text(
        &self,
        evaluation: &Evaluation,
        detail: Detail,
        with_facts: bool,
        palette: Palette,
    ) -> Reply {
        let asked = verdict::Asked {
            tool: &self.call.tool,
            text: crate::tables::tools::tool(&self.call.tool)
                .and_then(|tool| self.call.input.text(tool.field))
                .unwrap_or(""),
            home: self.call.home.as_str(),
        };
        let mut text = verdict::verdict(&evaluation.verdict, asked, detail, palette);
        if with_facts {
            let facts = Value::Object(wire::facts_json(&evaluation.facts));
            text.extend([format!("\n{}\n{facts:#}\n", palette.strong("facts"))]);
        }
        Reply::text(text, evaluation.verdict.decision.into())
    }
}

/// What a line means that does not say otherwise.
pub(crate) fn defaults(session: &Session, args: &PolicyArgs, facts: bool) -> Defaults {
    let surroundings = &session.surroundings;
    Defaults {
        cwd: surroundings.cwd.clone(),
        project_root: args.project_root.as_ref().map(|_| surroundings.project_root.clone()),
        home: surroundings.home.clone(),
        mode: args.mode.as_ref().map(|_| session.mode),
        facts,
        near_misses: false,
    }
}

fn read_stdin() -> Result<String, Failure> {
    let mut text = String::new();
    let most = u64::try_from(MAX_PAYLOAD).unwrap_or(u64::MAX);
    io::stdin().lock().take(most + 1).read_to_string(&mut text).map_err(|error| {
        Failure::input(format!("cannot read the standard input: {}", plain(&error)))
    })?;
    if text.len() > MAX_PAYLOAD {
        return Err(Failure::input(format!(
            "the standard input is larger than {MAX_PAYLOAD} bytes"
        )));
    }
    Ok(text)
}

/// One answer a line, each as soon as its line is there.
fn batch(args: &CheckArgs) -> Result<Reply, Failure> {
    let surroundings = Surroundings::of_process(&args.policy)?;
    let session = Session::open(&args.policy, surroundings)?;
    let defaults = defaults(&session, &args.policy, args.facts);
    let mut policies = Policies::once(session.options);
    let answer = |line: &str| batch::answer(line, &defaults, &mut policies);
    match converse(&mut io::stdin().lock(), &mut io::stdout().lock(), answer) {
        Ok(()) => Ok(Reply::text("", Status::Done)),
        Err(Broken::Input(error)) => {
            Err(Failure::input(format!("cannot read the standard input: {}", plain(&error))))
        }
        Err(Broken::Output(error)) if error.kind() == io::ErrorKind::BrokenPipe => {
            Ok(Reply::text("", Status::Done))
        }
        Err(Broken::Output(error)) => {
            Err(Failure::internal(format!("cannot write the answer: {}", plain(&error))))
        }
    }
}
