//! Runs cases, counts what passed, and keeps what did not with both views.

use crate::parallel;
use std::collections::BTreeMap;
use std::fmt::Write as _;

/// One line of a corpus.
pub trait Case: Sync {
    /// How many run at a time; as many as there are cores where this is `None`.
    const AT_A_TIME: Option<usize> = None;
    /// Its name in its corpus.
    fn id(&self) -> &str;
    /// The group it is counted in.
    fn suite(&self) -> &str;
    /// Asks the evaluator and compares.
    fn judge(&self) -> Result<(), Miss>;
}

/// How an answer fell short of its case.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Miss {
    /// What the case wants, and why.
    pub expected: String,
    /// What the evaluator said, in one word; deviations name it.
    pub ours: String,
    /// The reasons the evaluator gave.
    pub detail: String,
    /// What was asked.
    pub call: String,
}

/// Runs every case; a miss that a deviation names with the same answer is counted apart.
pub fn run<C: Case>(cases: &[C], deviations: &Deviations) -> Tally {
    let judge = |case: &C| case.judge().err();
    let misses = match C::AT_A_TIME {
        Some(threads) => parallel::map_on(threads, cases, judge),
        None => parallel::map(cases, judge),
    };
    let mut tally = Tally::default();
    for (case, miss) in cases.iter().zip(misses) {
        let suite = tally.suites.entry(case.suite().to_owned()).or_default();
        suite.total += 1;
        let named = deviations.0.get(case.id());
        match (miss, named) {
            (None, None) => suite.passed += 1,
            (None, Some(_)) => {
                suite.passed += 1;
                tally.stale.push(case.id().to_owned());
            }
            (Some(miss), Some(ours)) if miss.ours == *ours => suite.deviating += 1,
            (Some(miss), _) => tally.failures.push(Failure {
                id: case.id().to_owned(),
                suite: case.suite().to_owned(),
                miss,
            }),
        }
    }
    tally
}

/// The outcome of a run.
#[derive(Clone, Debug, Default)]
pub struct Tally {
    /// Counts by suite.
    pub suites: BTreeMap<String, Count>,
    /// Every miss, in corpus order.
    pub failures: Vec<Failure>,
    /// Deviations that are listed but do not deviate any more.
    pub stale: Vec<String>,
}

/// Counts of one suite.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Count {
    /// Cases that got the answer they want.
    pub passed: usize,
    /// Cases that got the answer a deviation names.
    pub deviating: usize,
    /// All cases.
    pub total: usize,
}

impl Count {
    /// The share that passed or deviates on purpose.
    pub fn percent(self) -> f64 {
        percent(self.passed + self.deviating, self.total)
    }
}

/// A share in percent; of nothing it is 0, so that an empty suite passes nothing.
pub fn percent(part: usize, whole: usize) -> f64 {
    let count = |number| f64::from(u32::try_from(number).unwrap_or(u32::MAX));
    if whole == 0 { 0.0 } else { count(part) * 100.0 / count(whole) }
}

/// A case that missed.
#[derive(Clone, Debug)]
pub struct Failure {
    /// Its name.
    pub id: String,
    /// The suite it is counted in.
    pub suite: String,
    /// How it missed.
    pub miss: Miss,
}

impl Failure {
    /// Both views, for a person.
    pub fn describe(&self) -> String {
        let Self { id, suite, miss: Miss { expected, ours, detail, call } } = self;
        format!(
            "{id} ({suite})\n  call      {call}\n  expected  {expected}\n  ours      {ours}: {detail}\n"
        )
    }
}

impl Tally {
    /// All suites together.
    pub fn total(&self) -> Count {
        self.suites.values().fold(Count::default(), |sum, each| Count {
            passed: sum.passed + each.passed,
            deviating: sum.deviating + each.deviating,
            total: sum.total + each.total,
        })
    }

    /// One line a suite.
    pub fn table(&self) -> String {
        let mut out = String::new();
        for (name, count) in &self.suites {
            let good = count.passed + count.deviating;
            // Writing to a string cannot fail.
            let _infallible =
                writeln!(out, "{name:<24} {good:>6}/{:<6} {:>6.2} %", count.total, count.percent());
        }
        out
    }

    /// The closing line: `N passed, N failed`, deviations in between where there are any.
    pub fn summary(&self) -> String {
        let Count { passed, deviating, .. } = self.total();
        let failed = self.failures.len();
        if deviating == 0 {
            format!("{passed} passed, {failed} failed")
        } else {
            format!("{passed} passed, {deviating} deviating on purpose, {failed} failed")
        }
    }
}

/// Cases whose answer differs on purpose: the answer we give, by case.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Deviations(BTreeMap<String, String>);

impl Deviations {
    /// Reads the table of a deviations page: rows of the form `` | `id` | ours | reason | ``.
    ///
    /// A row without an answer or without a reason is an error: a deviation nobody explains is a
    /// failure somebody hid.
    pub fn parse(page: &str) -> Result<Self, String> {
        let mut deviations = BTreeMap::new();
        for row in page.lines().filter(|line| line.trim_start().starts_with("| `")) {
            let mut cells = row.split('|').map(str::trim).skip(1);
            let id = cells.next().unwrap_or_default().trim_matches('`');
            let ours = cells.next().unwrap_or_default();
            let reason = cells.next().unwrap_or_default();
            if id.is_empty() || ours.is_empty() || reason.is_empty() {
                return Err(format!("a deviation needs an id, an answer and a reason: {row}"));
            }
            if deviations.insert(id.to_owned(), ours.to_owned()).is_some() {
                return Err(format!("`{id}` is listed twice"));
            }
        }
        Ok(Self(deviations))
    }

    /// How many there are.
    pub fn len(&self) -> usize {
        self.0.len()
    }

    /// Whether there are none.
    pub fn is_empty(&self) -> bool {
        self.0.is_empty()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    struct Fixed(&'static str, Option<&'static str>);

    impl Case for Fixed {
        fn id(&self) -> &str {
            self.0
        }

        fn suite(&self) -> &'static str {
            "all"
        }

        fn judge(&self) -> Result<(), Miss> {
            self.1.map_or(Ok(()), |ours| {
                let [expected, detail, call] = [const { String::new() }; 3];
                Err(Miss { expected, ours: ours.to_owned(), detail, call })
            })
        }
    }

    #[test]
    fn counts_deviations_apart_and_only_with_the_answer_they_name() {
        let deviations =
            Deviations::parse("| id | ours | reason |\n|---|---|---|\n| `b` | ask | safer |\n| `c` | ask | safer |\n| `d` | ask | safer |")
                .unwrap();
        let cases = [
            Fixed("a", None),
            Fixed("b", Some("ask")),
            Fixed("c", Some("allow")),
            Fixed("d", None),
        ];
        let tally = run(&cases, &deviations);
        assert_eq!(tally.total(), Count { passed: 2, deviating: 1, total: 4 });
        assert_eq!(tally.failures.iter().map(|each| each.id.as_str()).collect::<Vec<_>>(), ["c"]);
        assert_eq!(tally.stale, ["d"]);
        assert_eq!(tally.summary(), "2 passed, 1 deviating on purpose, 1 failed");
    }

    #[test]
    fn refuses_a_deviation_without_a_reason() {
        assert!(Deviations::parse("| `b` | ask | |").is_err());
        assert!(Deviations::parse("| `b` | ask | x |\n| `b` | deny | x |").is_err());
    }
}
