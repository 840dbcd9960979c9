//! Times two commands from spawn to exit, in turn: `spawn-times PAIRS INPUT COMMAND… -- COMMAND…`.

#![forbid(unsafe_code)]

use std::fs::File;
use std::io::{self, Write};
use std::process::{Command, ExitCode, Stdio};
use std::time::Instant;

/// Runs before the ones that count, while caches fill.
const WARM_UP: usize = 20;

fn main() -> ExitCode {
    match measure(&std::env::args().skip(1).collect::<Vec<_>>()) {
        Ok(()) => ExitCode::SUCCESS,
        Err(problem) => {
            writeln!(io::stderr(), "spawn-times: {problem}").ok();
            ExitCode::FAILURE
        }
    }
}

fn measure(arguments: &[String]) -> Result<(), String> {
    let [pairs, input, commands @ ..] = arguments else {
        return Err("usage: spawn-times PAIRS INPUT COMMAND... -- COMMAND...".to_owned());
    };
    let pairs: usize = pairs.parse().map_err(|error| format!("`{pairs}`: {error}"))?;
    let mut parts = commands.splitn(2, |word| word == "--");
    let (Some(base), Some(measured)) = (parts.next(), parts.next()) else {
        return Err("two commands are needed, with `--` between them".to_owned());
    };
    let mut times = [Vec::new(), Vec::new()];
    for round in 0..pairs + WARM_UP {
        for (command, times) in [base, measured].iter().zip(&mut times) {
            let elapsed = time(command, input).map_err(|error| format!("{command:?}: {error}"))?;
            if round >= WARM_UP {
                times.push(elapsed);
            }
        }
    }
    let mut out = io::stdout().lock();
    for (command, times) in [base, measured].iter().zip(&mut times) {
        times.sort_by(f64::total_cmp);
        let [lower, median, upper] = [5, 50, 95].map(|percent| quantile(times, percent));
        let name = command.first().map_or("", String::as_str);
        writeln!(out, "{name:<28} median {median:.3} ms, 5 % {lower:.3}, 95 % {upper:.3}")
            .map_err(|error| error.to_string())?;
    }
    let [base, measured] = times.map(|times| quantile(&times, 50));
    writeln!(out, "difference of medians        {:.3} ms", measured - base)
        .map_err(|error| error.to_string())
}

/// Milliseconds from before the start of a command to its end.
fn time(command: &[String], input: &str) -> io::Result<f64> {
    let (program, arguments) =
        command.split_first().ok_or_else(|| io::Error::other("no program"))?;
    let input = File::open(input)?;
    let mut command = Command::new(program);
    command.args(arguments).stdin(input).stdout(Stdio::null()).stderr(Stdio::null());
    let started = Instant::now();
    command.status()?;
    Ok(started.elapsed().as_secs_f64() * 1_000.0)
}

fn quantile(sorted: &[f64], percent: usize) -> f64 {
    let index = sorted.len().saturating_sub(1) * percent / 100;
    sorted.get(index).copied().unwrap_or(f64::NAN)
}
