//! How the time of an audit and of a difference grows with the number of rules.
//!
//! `cargo run --release -p portcullis-tests --bin audit-curve -- docs/audit-growth.svg` prints the table
//! and writes the curve that `docs/audit.md` shows.

#![forbid(unsafe_code)]
#![expect(clippy::print_stdout, reason = "the table is what this is for")]

use portcullis_audit::{Limits, Stage, Subject, audit, diff};
use portcullis_model::AbsPath;
use portcullis_policy::Policy;
use portcullis_tests::wide_policies::policy;
use std::io;
use std::time::Duration;

fn main() -> io::Result<()> {
    let names = ["audit", "the same twice", "one more rule", "all rules changed"];
    println!("| rules | {} |", names.join(" | "));
    println!("|---:|---:|---:|---:|---:|");
    let mut curves = names.map(|name| (name, Vec::new()));
    for count in COUNTS {
        let (old, more, new) = (policy(count, 0), policy(count + 1, 0), policy(count, 1));
        let times = [
            median(&|| {
                std::hint::black_box(look(&old));
            })?,
            median(&|| compare(&old, &old))?,
            median(&|| compare(&old, &more))?,
            median(&|| compare(&old, &new))?,
        ];
        for ((_, curve), time) in curves.iter_mut().zip(times) {
            curve.push((count, time.as_secs_f64() * 1e3));
        }
        let cells = times.map(|time| format!("{:.1} ms", time.as_secs_f64() * 1e3));
        println!("| {count} | {} |", cells.join(" | "));
    }
    match std::env::args().nth(1) {
        Some(file) => std::fs::write(file, drawn(&curves)),
        None => Ok(()),
    }
}

fn stage() -> Stage {
    Stage { project: AbsPath::root(), home: AbsPath::root(), mode: None }
}

fn look(policy: &Policy) -> usize {
    let subject = Subject { policy, stage: &stage(), looks_secret: &|_| false };
    audit(subject, &Limits::default()).findings.len()
}

fn compare(old: &Policy, new: &Policy) {
    std::hint::black_box(diff(old, new, &stage(), &Limits::default()).flips.len());
}

/// The middle of seven runs.
fn median(run: &dyn Fn()) -> io::Result<Duration> {
    let mut times = Vec::new();
    for _ in 0..7 {
        let start = on_processor()?;
        run();
        times.push(on_processor()?.saturating_sub(start));
    }
    times.sort();
    Ok(times.get(times.len() / 2).copied().unwrap_or_default())
}

/// The time this thread was on a processor: what other programs take does not count.
fn on_processor() -> io::Result<Duration> {
    // The kernel brings the number up to date when the thread steps aside.
    std::thread::yield_now();
    let text = std::fs::read_to_string("/proc/thread-self/schedstat")?;
    let nanos = text.split(' ').next().and_then(|word| word.parse().ok());
    nanos.map(Duration::from_nanos).ok_or_else(|| io::Error::other("schedstat holds no number"))
}

/// The curves, both axes logarithmic.
fn drawn(curves: &[(&str, Vec<(usize, f64)>)]) -> String {
    let x = |count: f64| 60.0 + (count / 10.0).log10() * 150.0;
    let y = |millis: f64| 280.0 - (millis.max(0.01) / 0.01).log10() * 44.0;
    let mut out = String::from(HEAD);
    for (millis, label) in
        [(0.1, "0.1 ms"), (1.0, "1 ms"), (10.0, "10 ms"), (100.0, "100 ms"), (1e3, "1 s")]
    {
        let at = y(millis);
        out.extend([
            format!("<path class=\"grid\" d=\"M60 {at:.1}H510\"/>"),
            format!("<text x=\"54\" y=\"{:.1}\" text-anchor=\"end\">{label}</text>\n", at + 4.0),
        ]);
    }
    for count in [10, 100, 1_000, 10_000] {
        let at = x(f64::from(count));
        out.extend([format!(
            "<text x=\"{at:.1}\" y=\"298\" text-anchor=\"middle\">{count} rules</text>\n"
        )]);
    }
    for (index, (name, curve)) in curves.iter().enumerate() {
        let mut path = String::new();
        for (count, millis) in curve {
            let count = u32::try_from(*count).unwrap_or(u32::MAX);
            let step = if path.is_empty() { 'M' } else { 'L' };
            path.extend([format!("{step}{:.1} {:.1}", x(f64::from(count)), y(*millis))]);
        }
        let end = curve.last().map_or(0.0, |(_, millis)| y(*millis));
        out.extend([
            format!("<path class=\"line c{index}\" d=\"{path}\"/>"),
            format!("<text class=\"c{index}\" x=\"516\" y=\"{:.1}\">{name}</text>\n", end + 4.0),
        ]);
    }
    out.push_str("</svg>\n");
    out
}

const COUNTS: [usize; 7] = [10, 30, 100, 300, 1_000, 3_000, 10_000];

const HEAD: &str = r#"<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 640 306" font-family="sans-serif" font-size="12">
<style>
text { fill: #57606a } .grid { stroke: #d0d7de; fill: none } .line { fill: none; stroke-width: 2 }
.line.c0 { stroke: #0969da } .line.c1 { stroke: #6e7781 } .line.c2 { stroke: #1a7f37 } .line.c3 { stroke: #bc4c00 }
text.c0 { fill: #0969da } text.c1 { fill: #6e7781 } text.c2 { fill: #1a7f37 } text.c3 { fill: #bc4c00 }
@media (prefers-color-scheme: dark) { text { fill: #8b949e } .grid { stroke: #30363d } }
</style>
"#;
