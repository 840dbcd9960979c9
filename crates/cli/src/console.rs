//! What a command leaves behind, and in which colours.

use crate::environment;
use crate::failure::{Failure, Status};
use anstyle::{AnsiColor, Style};
use portcullis_host::claude_code::shown;
use portcullis_model::Decision;
use serde_json::{Value, json};
use std::io::{self, IsTerminal as _, Write as _};

/// The output of a command.
#[must_use = "a reply is only seen when it is written"]
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Reply {
    /// The standard output.
    pub stdout: String,
    /// The error output.
    pub stderr: String,
    /// The exit status.
    pub status: Status,
}

impl Reply {
    /// Text for a person.
    pub fn text(stdout: impl Into<String>, status: Status) -> Self {
        Self { stdout: stdout.into(), stderr: String::new(), status }
    }

    /// One JSON value on one line.
    pub fn json(value: &Value, status: Status) -> Self {
        Self::text(format!("{value}\n"), status)
    }

    /// A failure, as text on the error output or as JSON on the standard output.
    pub fn failure(failure: &Failure, as_json: bool, palette: Palette) -> Self {
        let message = shown(&failure.message);
        if as_json {
            let error = json!({
                "code": failure.status.word(),
                "message": message,
                "hint": failure.hint,
            });
            return Self::json(&json!({ "error": error }), failure.status);
        }
        let mut text = format!("{} {message}\n", palette.error("error:"));
        if let Some(hint) = &failure.hint {
            text.extend([format!("{} {}\n", palette.dim("hint:"), shown(hint))]);
        }
        Self { stdout: String::new(), stderr: text, status: failure.status }
    }

    /// Writes both outputs; a closed output is the reader's choice and no error of ours.
    pub fn write(&self) -> Status {
        let written = io::stdout()
            .write_all(self.stdout.as_bytes())
            .and_then(|()| io::stdout().flush())
            .and_then(|()| io::stderr().write_all(self.stderr.as_bytes()));
        match written {
            Ok(()) => self.status,
            Err(error) if error.kind() == io::ErrorKind::BrokenPipe => self.status,
            Err(_) => Status::Internal,
        }
    }
}

/// When to use colour.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, clap::ValueEnum)]
pub enum ColorChoice {
    /// On a terminal, unless `NO_COLOR` is set.
    #[default]
    Auto,
    /// Also into files and pipes.
    Always,
    /// Nowhere.
    Never,
}

/// Either colours or none.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Palette {
    coloured: bool,
}

impl Palette {
    /// No colours.
    pub const PLAIN: Self = Self { coloured: false };

    /// Colours.
    pub const COLOURED: Self = Self { coloured: true };

    /// What fits the standard output.
    pub fn detect(choice: ColorChoice) -> Self {
        let coloured = match choice {
            ColorChoice::Always => true,
            ColorChoice::Never => false,
            ColorChoice::Auto => {
                environment::value(environment::NO_COLOR).is_none()
                    && environment::value(environment::TERM).is_none_or(|term| term != "dumb")
                    && io::stdout().is_terminal()
            }
        };
        Self { coloured }
    }

    /// Text in a style.
    pub fn paint(self, style: Style, text: &str) -> String {
        if self.coloured && !text.is_empty() {
            format!("{style}{text}{style:#}")
        } else {
            text.to_owned()
        }
    }

    /// A decision's colour: red, yellow, green.
    pub fn decision(self, decision: Decision, text: &str) -> String {
        let color = match decision {
            Decision::Deny => AnsiColor::Red,
            Decision::Ask => AnsiColor::Yellow,
            Decision::Allow => AnsiColor::Green,
        };
        self.paint(color.on_default().bold(), text)
    }

    /// Something wrong.
    pub fn error(self, text: &str) -> String {
        self.paint(AnsiColor::Red.on_default().bold(), text)
    }

    /// Something doubtful.
    pub fn warning(self, text: &str) -> String {
        self.paint(AnsiColor::Yellow.on_default().bold(), text)
    }

    /// Something good or new.
    pub fn good(self, text: &str) -> String {
        self.paint(AnsiColor::Green.on_default(), text)
    }

    /// A heading.
    pub fn strong(self, text: &str) -> String {
        self.paint(Style::new().bold(), text)
    }

    /// What may be skipped.
    pub fn dim(self, text: &str) -> String {
        self.paint(Style::new().dimmed(), text)
    }
}
