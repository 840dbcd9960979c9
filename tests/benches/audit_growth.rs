//! How an audit and a difference grow with the number of rules: `cargo bench -p portcullis-tests --bench
//! audit_growth` prints the table and the curve that `docs/audit.md` shows.

#![expect(
    clippy::unwrap_used,
    clippy::print_stdout,
    reason = "a bench fails by panicking and prints"
)]

use portcullis_audit::{Limits, Stage, Subject, audit, diff};
use portcullis_model::AbsPath;
use portcullis_tests::wide_policies::policy;
use std::time::Duration;

fn main() {
    let root = AbsPath::parse("/p").unwrap();
    let stage = Stage { project: root, home: AbsPath::parse("/h").unwrap(), mode: None };
    let limits = Limits::default();
    println!("| rules | audit | the same twice | one more rule | all rules changed |");
    println!("|---:|---:|---:|---:|---:|");
    let mut curves: [Vec<f64>; 2] = [Vec::new(), Vec::new()];
    for count in [10, 30, 100, 300, 1_000, 3_000, 10_000] {
        let (old, more, new) = (policy(count, 0), policy(count + 1, 0), policy(count, 1));
        let whole = median(|| {
            audit(Subject { policy: &old, stage: &stage, looks_secret: &|_| false }, &limits);
        });
        let times = [&old, &more, &new].map(|other| {
            median(|| {
                diff(&old, other, &stage, &limits);
            })
        });
        curves[0].push(whole.as_secs_f64());
        curves[1].push(times[2].as_secs_f64());
        let [same, one, all] = times.map(|time| format!("{:.1} ms", time.as_secs_f64() * 1e3));
        println!("| {count} | {:.1} ms | {same} | {one} | {all} |", whole.as_secs_f64() * 1e3);
    }
    for (name, curve) in ["audit", "all rules changed"].iter().zip(&curves) {
        println!("\n{name}, from 10 to 10,000 rules, a column a step, a row a factor of two:");
        let least = curve.iter().copied().fold(f64::MAX, f64::min);
        let heights: Vec<f64> = curve.iter().map(|time| (time / least).log2()).collect();
        let top = heights.iter().copied().fold(0.0, f64::max).ceil();
        let mut row = top;
        while row >= 0.0 {
            let marks: String = heights
                .iter()
                .map(|height| if (height - row).abs() <= 0.5 { "   *" } else { "    " })
                .collect();
            println!("{:>9.1} ms {marks}", least * row.exp2() * 1e3);
            row -= 1.0;
        }
    }
}

/// The middle of five runs.
fn median(mut run: impl FnMut()) -> Duration {
    let mut times: Vec<Duration> = (0..5)
        .map(|_| {
            let start = on_processor();
            run();
            on_processor().saturating_sub(start)
        })
        .collect();
    times.sort();
    times.swap_remove(times.len() / 2)
}

/// The time this thread was on a processor: what other programs take does not count.
fn on_processor() -> Duration {
    let text = std::fs::read_to_string("/proc/thread-self/schedstat").unwrap();
    Duration::from_nanos(text.split(' ').next().unwrap().parse().unwrap())
}
