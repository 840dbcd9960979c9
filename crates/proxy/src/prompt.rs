//! Asking on the launcher's own terminal, where there is one and no control channel.

use crate::ask::{Answer, Decide, Pending, Question};
use portcullis_rules::HostName;
use std::fmt;
use std::io::{self, BufRead as _, BufReader, Read, Write};
use std::sync::mpsc;
use std::thread;
use tokio::sync::oneshot;

/// A prompt on a terminal; one question at a time.
#[derive(Clone)]
pub struct TerminalPrompt(mpsc::Sender<(Question, oneshot::Sender<Answer>)>);

impl TerminalPrompt {
    /// Prompts on a terminal.
    pub fn start(
        input: impl Read + Send + 'static,
        mut output: impl Write + Send + 'static,
    ) -> io::Result<Self> {
        let (ask, questions) = mpsc::channel::<(Question, oneshot::Sender<Answer>)>();
        thread::Builder::new().name("prompt".to_owned()).spawn(move || {
            let mut input = BufReader::new(input);
            for (question, tell) in questions {
                // It timed out while others were asked about.
                if tell.is_closed() {
                    continue;
                }
                // SECURITY: the line that is read belongs to the question that was shown, also if
                // that one is not waited for any more; it must not answer the next.
                let answer = put(&question, &mut input, &mut output).unwrap_or(Answer::Unclear);
                tell.send(answer).ok();
            }
        })?;
        Ok(Self(ask))
    }
}

impl Decide for TerminalPrompt {
    fn decide(&self, question: Question) -> Pending<Answer> {
        let (tell, answer) = oneshot::channel();
        let asked = self.0.send((question, tell));
        Box::pin(async move {
            match asked {
                Ok(()) => answer.await.unwrap_or(Answer::Unclear),
                Err(_) => Answer::Unclear,
            }
        })
    }
}

impl fmt::Debug for TerminalPrompt {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("TerminalPrompt").finish_non_exhaustive()
    }
}

fn put(
    question: &Question,
    input: &mut BufReader<impl Read>,
    output: &mut impl Write,
) -> io::Result<Answer> {
    // The host is ASCII that was checked, so that a name cannot draw on the terminal.
    let to = &question.destination;
    let unicode = to.host.name().and_then(HostName::unicode);
    let unicode = unicode.filter(|name| name.chars().all(is_plain)).unwrap_or_default();
    let by = question
        .command
        .as_deref()
        .map_or(String::new(), |command| format!(" for {}", command.escape_debug()));
    write!(
        output,
        "portcullis: allow {to}{}{unicode}{by}? [y] this session, [N] no: ",
        if unicode.is_empty() { "" } else { " " }
    )?;
    output.flush()?;
    let mut line = String::new();
    input.by_ref().take(LINE).read_line(&mut line)?;
    Ok(match line.trim().to_ascii_lowercase().as_str() {
        "y" | "yes" => Answer::Allow,
        "" | "n" | "no" => Answer::Deny,
        _ => Answer::Unclear,
    })
}

/// SECURITY: no joiners, controls or symbols, and nothing that is written from right to left, for these
/// could hide or move what stands beside them.
fn is_plain(c: char) -> bool {
    let turns = matches!(
        c,
        '\u{590}'..='\u{8ff}'
            | '\u{fb1d}'..='\u{fdff}'
            | '\u{fe70}'..='\u{feff}'
            | '\u{10800}'..='\u{10fff}'
            | '\u{1e800}'..='\u{1efff}'
    );
    (c.is_alphanumeric() && !turns) || c == '-' || c == '.'
}

const LINE: u64 = 256;

#[cfg(test)]
mod tests {
    use super::*;
    use crate::Destination;
    use portcullis_rules::Host;
    use std::num::NonZeroU16;

    fn shown(host: &str) -> String {
        let host = Host::parse(host.as_bytes()).unwrap();
        let question = Question {
            destination: Destination { host, port: NonZeroU16::new(443).unwrap() },
            via: "connect",
            sandbox: "test".to_owned(),
            command: None,
        };
        let mut output = Vec::new();
        put(&question, &mut BufReader::new(&b"n\n"[..]), &mut output).unwrap();
        String::from_utf8(output).unwrap()
    }

    #[test]
    fn shows_international_names_as_people_write_them() {
        let name = "xn--mnchen-3ya.a-b.example";
        assert!(shown(name).contains(&format!("allow {name}:443 m\u{fc}nchen.a-b.example?")));
        assert!(shown("api.example").contains("allow api.example:443?"));
        // A heart, which is a valid name to many, and three Hebrew letters.
        for host in ["xn--g6h.example", "xn--4dbcd.example"] {
            let name = Host::parse(host.as_bytes()).unwrap();
            assert!(name.name().and_then(HostName::unicode).is_some(), "{host} is plain");
            assert!(shown(host).is_ascii(), "{}", shown(host));
        }
    }
}
