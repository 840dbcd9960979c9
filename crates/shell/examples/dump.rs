//! Prints what the reader sees in the text on standard input.
#![expect(clippy::print_stdout, reason = "printing is what it is for")]

use portcullis_shell::{Options, SecondReader, parse};
use std::io::Read as _;

fn main() -> std::io::Result<()> {
    let mut text = String::new();
    std::io::stdin().read_to_string(&mut text)?;
    let strict = std::env::args().any(|argument| argument == "--strict-reader-only");
    let second_reader = if strict { SecondReader::Skipped } else { SecondReader::Agrees };
    println!("{:#?}", parse(&text, &Options { second_reader }));
    Ok(())
}
