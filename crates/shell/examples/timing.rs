//! Measures how long reading takes, for texts of three sizes.
#![expect(clippy::print_stdout, reason = "printing is what it is for")]
#![expect(clippy::disallowed_methods, reason = "a measurement reads the clock")]

use portcullis_shell::{Options, SecondReader, parse};
use std::time::{Duration, Instant};

fn median(text: &str, options: Options) -> Duration {
    let mut batches: Vec<Duration> = (0..15)
        .map(|_| {
            let start = Instant::now();
            for _ in 0..200 {
                std::hint::black_box(parse(std::hint::black_box(text), &options));
            }
            start.elapsed() / 200
        })
        .collect();
    batches.sort();
    batches.get(batches.len() / 2).copied().unwrap_or_default()
}

fn main() {
    let line = "cd \"$HOME/src\" && cargo test --all 2>&1 | grep -v 'ok$' | head -n 20 > out.txt\n";
    let document = "cat <<'EOF' > notes.md\nSome text that nobody runs, $HOME included.\nEOF\n";
    let texts = [
        ("30 bytes", "git commit -m 'fix the parser'".to_owned()),
        ("200 bytes", format!("{line}{line}git add -A && git status --short;")),
        ("2,000 bytes", format!("{}{}", line.repeat(20), document.repeat(5))),
    ];
    for (name, text) in texts {
        let strict = median(&text, Options { second_reader: SecondReader::Skipped });
        let both = median(&text, Options::default());
        println!("{name} ({}): strict reader {strict:?}, both {both:?}", text.len());
    }
}
