//! `schema`, `completions` and `man`: texts about portcullis itself.

use crate::args::{CommandLine, CompletionsArgs, ManArgs, SchemaArgs};
use crate::console::Reply;
use crate::failure::{Failure, Status};
use clap::CommandFactory as _;
use serde_json::{Value, json};

/// Every format, and its JSON Schema.
pub const SCHEMAS: &[(&str, &str, &str)] = &[
    ("batch-input", "a line into `check --batch`", include_str!("../../schemas/batch-input.json")),
    (
        "batch-output",
        "a line out of `check --batch`",
        include_str!("../../schemas/batch-output.json"),
    ),
    ("hook-input", "what an agent sends to `hook`", include_str!("../../schemas/hook-input.json")),
    ("hook-output", "what `hook` answers", include_str!("../../schemas/hook-output.json")),
    ("log-record", "a line of the decision log", include_str!("../../schemas/log-record.json")),
    (
        "settings",
        "the key `portcullis` of a settings file, and a `portcullis.toml`",
        include_str!("../../schemas/settings.json"),
    ),
];

/// A schema, or the list of formats.
pub(crate) fn schema(args: &SchemaArgs, as_json: bool) -> Result<Reply, Failure> {
    let Some(format) = &args.format else {
        if as_json {
            let formats: Vec<Value> = SCHEMAS
                .iter()
                .map(|(name, what, _)| json!({ "format": name, "what": what }))
                .collect();
            return Ok(Reply::json(&json!({ "formats": formats }), Status::Done));
        }
        let lines: Vec<String> =
            SCHEMAS.iter().map(|(name, what, _)| format!("{name:<14} {what}\n")).collect();
        return Ok(Reply::text(lines.concat(), Status::Done));
    };
    let names: Vec<String> = SCHEMAS.iter().map(|(name, _, _)| format!("`{name}`")).collect();
    SCHEMAS
        .iter()
        .find(|(name, _, _)| name == format)
        .map(|(_, _, text)| Reply::text(*text, Status::Done))
        .ok_or_else(|| {
            Failure::usage(format!("`{format}` is no format"))
                .hint(format!("the formats are {}", names.join(", ")))
        })
}

/// Completions for a shell.
pub(crate) fn completions(args: CompletionsArgs) -> Result<Reply, Failure> {
    let mut bytes = Vec::new();
    clap_complete::generate(args.shell, &mut CommandLine::command(), "portcullis", &mut bytes);
    printed(bytes)
}

/// A manual page.
pub(crate) fn man(args: &ManArgs) -> Result<Reply, Failure> {
    let mut whole = CommandLine::command();
    // So that each page shows the flags that every command takes.
    whole.build();
    let page = match &args.command {
        None => whole,
        Some(name) => {
            let names: Vec<String> = whole
                .get_subcommands()
                .map(|command| format!("`{}`", command.get_name()))
                .collect();
            whole.find_subcommand(name).cloned().ok_or_else(|| {
                Failure::usage(format!("`{name}` is no command"))
                    .hint(format!("the commands are {}", names.join(", ")))
            })?
        }
    };
    let mut bytes = Vec::new();
    clap_mangen::Man::new(page)
        .render(&mut bytes)
        .map_err(|error| Failure::internal(format!("cannot write the page: {error}")))?;
    printed(bytes)
}

fn printed(bytes: Vec<u8>) -> Result<Reply, Failure> {
    String::from_utf8(bytes)
        .map(|text| Reply::text(text, Status::Done))
        .map_err(|error| Failure::internal(format!("the text is not UTF-8: {error}")))
}
