//! JSON Lines in, JSON Lines out: one answer a line, each as soon as its line is there.

use portcullis_host::batch::{MAX_LINE, Unread};
use std::io::{self, BufRead, Read as _, Write};

/// Which side of a conversation ended it before its end.
#[derive(Debug)]
pub(crate) enum Broken {
    /// Nothing more can be read.
    Input(io::Error),
    /// Nothing more can be written.
    Output(io::Error),
}

/// Answers every line until the input ends. What cannot be handed to `answer` is answered here.
pub(crate) fn converse(
    input: &mut impl BufRead,
    output: &mut impl Write,
    mut answer: impl FnMut(&str) -> String,
) -> Result<(), Broken> {
    // One byte more than a line may have tells a longer one.
    let most = u64::try_from(MAX_LINE).map_or(u64::MAX, |most| most + 2);
    loop {
        let mut line = Vec::new();
        let read = input.by_ref().take(most).read_until(b'\n', &mut line).map_err(Broken::Input)?;
        if read == 0 {
            return Ok(());
        }
        // One line, one answer: what is left of a line that is too long is not another line.
        let is_cut = !line.ends_with(b"\n") && u64::try_from(read).is_ok_and(|read| read == most);
        if is_cut {
            input.skip_until(b'\n').map_err(Broken::Input)?;
        }
        let mut said = match std::str::from_utf8(&line) {
            _ if is_cut => Unread::too_long().json().to_string(),
            Ok(line) if line.trim().is_empty() => continue,
            Ok(line) => answer(line.trim_end_matches(['\n', '\r'])),
            Err(error) => {
                let at = error.valid_up_to();
                let unread = Unread::new("not-utf8", format!("the line is not UTF-8 at byte {at}"));
                unread.json().to_string()
            }
        };
        said.push('\n');
        output.write_all(said.as_bytes()).and_then(|()| output.flush()).map_err(Broken::Output)?;
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn answers(input: &[u8]) -> String {
        let mut output = Vec::new();
        let mut number = 0;
        converse(&mut &*input, &mut output, |line| {
            number += 1;
            format!("{number} {}", line.len())
        })
        .unwrap();
        String::from_utf8(output).unwrap()
    }

    #[test]
    fn one_line_is_one_answer_whatever_it_holds() {
        assert_eq!(answers(b""), "");
        assert_eq!(answers(b"a\r\n\n  \nbcd"), "1 1\n2 3\n");
        let most = vec![b'x'; MAX_LINE];
        assert_eq!(answers(&[&most, &b"\n"[..], b"y\n"].concat()), format!("1 {MAX_LINE}\n2 1\n"));
        let long = answers(&[&most, &most[..], &most, b"\ny\n"].concat());
        assert_eq!(long.lines().count(), 2, "{long}");
        assert!(long.contains("too-long") && long.ends_with("\n1 1\n"), "{long}");
        let not_text = answers(b"a\xffb\nc\n");
        assert!(not_text.contains("not UTF-8 at byte 1") && not_text.ends_with("\n1 1\n"));
    }
}
