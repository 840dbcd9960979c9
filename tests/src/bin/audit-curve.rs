//! Prints how the time of an audit and of a difference grows with the number of rules.
//!
//! `cargo run --release -p portcullis-tests --bin audit-curve`; bars are on a logarithmic scale.

#![forbid(unsafe_code)]
#![expect(clippy::print_stdout, reason = "the table is what this is for")]

use portcullis_audit::{Limits, Stage, Subject, audit, diff};
use portcullis_model::AbsPath;
use portcullis_tests::wide_policies::policy;
use std::time::{Duration, Instant};

fn main() {
    let stage = Stage { project: AbsPath::root(), home: AbsPath::root(), mode: None };
    println!("{:>7}  {:<18}{:>12}", "rules", "", "median of 5");
    for count in [10, 30, 100, 300, 1_000, 3_000, 10_000] {
        let (old, more, other) = (policy(count, 0), policy(count + 1, 0), policy(count, 1));
        let limits = Limits::default();
        show(count, "audit", &|| {
            let subject = Subject { policy: &old, stage: &stage, looks_secret: &|_| false };
            audit(subject, &limits).findings.len()
        });
        show(count, "diff, one rule", &|| diff(&old, &more, &stage, &limits).flips.len());
        show(count, "diff, every rule", &|| diff(&old, &other, &stage, &limits).flips.len());
    }
}

fn show(count: usize, what: &str, work: &dyn Fn() -> usize) {
    let mut times: Vec<Duration> = (0..5)
        .map(|_| {
            let started = Instant::now();
            std::hint::black_box(work());
            started.elapsed()
        })
        .collect();
    times.sort();
    let median = times.get(2).copied().unwrap_or_default();
    // Four columns for each factor of ten above ten microseconds.
    let micros = u32::try_from(median.as_micros()).unwrap_or(u32::MAX).max(10);
    let columns = (f64::from(micros) / 10.0).log10() * 6.0;
    let bar: String = (0_u32..60).take_while(|at| f64::from(*at) < columns).map(|_| '#').collect();
    println!("{count:>7}  {what:<18}{:>9.2} ms  {bar}", median.as_secs_f64() * 1000.0);
}
