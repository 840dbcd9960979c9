//! The audit as one HTML page: no script, nothing fetched, everything escaped.
//!
//! SECURITY: rule texts and recorded commands are written by others. The page forbids scripts and
//! loads by its own policy, and every text goes through [`escaped`].

use super::escaped;
use super::svg;
use crate::replayed::{Hits, Replayed};
use portcullis_audit::{Audit, Difference, Finding, Fix, Suggestions};
use portcullis_host::log::mask;
use portcullis_model::{Decision, RuleRef};
use portcullis_policy::{Layer, Policy, Severity};
use std::collections::BTreeMap;

/// Everything the page shows; what is not there is left out.
#[derive(Clone, Copy, Debug)]
pub struct Page<'a> {
    /// What the page is about, in a few words.
    pub title: &'a str,
    /// The day.
    pub day: &'a str,
    /// The audit.
    pub audit: &'a Audit,
    /// Its findings that are open.
    pub findings: &'a [&'a Finding],
    /// The policy.
    pub policy: &'a Policy,
    /// Its layers.
    pub layers: &'a [Layer],
    /// The difference to another policy.
    pub difference: Option<&'a Difference>,
    /// The history under the policy.
    pub replayed: &'a [Replayed<'a>],
    /// How often rules decided.
    pub hits: &'a BTreeMap<RuleRef, Hits>,
    /// What could be allowed.
    pub suggestions: Option<&'a Suggestions>,
}

/// The page.
pub fn page(page: &Page<'_>) -> String {
    let mut body = String::new();
    body.push_str(&summary(page));
    body.push_str(&findings(page));
    body.push_str(&figure(
        "How denies hold",
        "Each row is a deny rule, each column another way to write what it denies. Every cell was put to the evaluator.",
        &svg::heat(&page.audit.robustness),
    ));
    if let Some(difference) = page.difference {
        body.push_str(&figure(
            "What changed",
            "Calls found that change their verdict: before in rows, after in columns. Above the diagonal is stricter, below it looser.",
            &svg::matrix(difference),
        ));
        body.push_str(&changes(difference));
    }
    body.push_str(&figure(
        "Where commands go",
        "Recorded calls by program, subcommand and verdict; width is how often they were made.",
        &svg::icicle(page.replayed),
    ));
    if let Some(suggestions) = page.suggestions {
        body.push_str(&figure(
            "Prompts against rules",
            "Prompts that are left with each further proposed rule. A ring marks a rule that runs code of the project or reaches the net.",
            &svg::friction(suggestions),
        ));
    }
    body.push_str(&figure(
        "When rules decided",
        "From the first to the last recorded call that each rule decided; rules that decided nothing stand at the end.",
        &svg::timeline(page.policy, page.hits, page.replayed),
    ));
    body.push_str(&figure(
        "Where rules come from",
        "The layers, highest first, with the rules of each that count.",
        &svg::layers(page.layers, page.policy),
    ));
    format!(
        "<!doctype html>\n<html lang=\"en\">\n<head>\n<meta charset=\"utf-8\">\n<meta http-equiv=\"Content-Security-Policy\" content=\"default-src 'none'; style-src 'unsafe-inline'; base-uri 'none'; form-action 'none'\">\n<meta name=\"viewport\" content=\"width=device-width, initial-scale=1\">\n<meta name=\"color-scheme\" content=\"light dark\">\n<title>{}</title>\n<style>{STYLE}</style>\n</head>\n<body>\n<main>\n{body}</main>\n<footer>portcullis {} \u{b7} {}</footer>\n</body>\n</html>\n",
        escaped(page.title),
        env!("CARGO_PKG_VERSION"),
        escaped(page.day)
    )
}

fn summary(page: &Page<'_>) -> String {
    let count =
        |severity| page.findings.iter().filter(|finding| finding.severity == severity).count();
    let trials: usize = page.audit.robustness.iter().map(|rule| rule.trials.len()).sum();
    let through: usize = page
        .audit
        .robustness
        .iter()
        .map(|rule| {
            let [_, _, allowed] = rule.counts();
            allowed
        })
        .sum();
    let calls: u64 = page.replayed.iter().map(|each| each.entry.count).sum();
    let asked: u64 = page
        .replayed
        .iter()
        .filter(|each| each.now == Decision::Ask)
        .map(|each| each.entry.count)
        .sum();
    let mut tiles = vec![
        (page.audit.rules.to_string(), "rules", ""),
        (count(Severity::Error).to_string(), "errors", "deny"),
        (count(Severity::Warning).to_string(), "warnings", "ask"),
        (count(Severity::Note).to_string(), "notes", ""),
    ];
    if trials > 0 {
        let class = if through == 0 { "allow" } else { "deny" };
        tiles.push((format!("{through} / {trials}"), "ways around denies let through", class));
    }
    if calls > 0 {
        tiles.push((format!("{asked} / {calls}"), "recorded calls that ask", ""));
    }
    let tiles: Vec<String> = tiles
        .into_iter()
        .map(|(number, word, class)| {
            format!("<div class=\"tile {class}\"><b>{number}</b><span>{word}</span></div>")
        })
        .collect();
    format!("<h1>{}</h1>\n<div class=\"tiles\">{}</div>\n", escaped(page.title), tiles.concat())
}

fn findings(page: &Page<'_>) -> String {
    if page.findings.is_empty() {
        return "<h2>Findings</h2>\n<p>Nothing found.</p>\n".to_owned();
    }
    let mut ordered: Vec<&&Finding> = page.findings.iter().collect();
    ordered.sort_by_key(|finding| (std::cmp::Reverse(finding.severity), finding.kind.id));
    let rows: String = ordered.into_iter().map(|finding| row(finding)).collect();
    format!("<h2>Findings</h2>\n<div class=\"findings\">\n{rows}</div>\n")
}

fn row(finding: &Finding) -> String {
    let severity = finding.severity.word();
    let source = &finding.source;
    let mut detail = format!("<p>{}</p>", escaped(finding.kind.meaning));
    for related in &finding.related {
        let at = escaped(&related.source.to_string());
        detail.extend([format!("<p class=\"see\">see {} at {at}</p>", escaped(&related.note))]);
    }
    for witness in &finding.witnesses {
        let word = witness.decision.word();
        let call = escaped(&mask(&witness.question.display()));
        detail.extend([format!("<p><i class=\"{word}\">{word}</i> <code>{call}</code></p>")]);
    }
    if !finding.hint.is_empty() {
        detail.extend([format!("<p class=\"hint\">{}</p>", escaped(&finding.hint))]);
    }
    match &finding.fix {
        Some(Fix::Remove) => detail
            .push_str("<p class=\"hint\"><code>--fix</code> takes it out; no verdict changes</p>"),
        Some(Fix::Replace(rule)) => {
            detail.extend([format!("<p class=\"hint\">write <code>{}</code></p>", escaped(rule))]);
        }
        None => {}
    }
    format!(
        "<details><summary><i class=\"{severity}\">{severity}</i> <b>{}</b> {} <span>{}:{}</span></summary><div>{detail}<p class=\"see\">{}</p></div></details>\n",
        finding.kind.id,
        escaped(&mask(&finding.message)),
        escaped(source.file.rsplit('/').next().unwrap_or(&source.file)),
        source.line,
        finding.evidence.word(),
    )
}

fn changes(difference: &Difference) -> String {
    let mut out = String::new();
    for flip in &difference.flips {
        let (from, to) = (flip.cell.from.word(), flip.cell.to.word());
        let calls: Vec<String> = flip
            .changes
            .iter()
            .map(|change| {
                format!(
                    "<li><code>{}</code> <span>{}</span></li>",
                    escaped(&mask(&change.question.display())),
                    escaped(&mask(&change.after))
                )
            })
            .collect();
        let calls = calls.concat();
        out.extend([format!(
            "<h3><i class=\"{from}\">{from}</i> \u{2192} <i class=\"{to}\">{to}</i></h3><ul>{calls}</ul>\n"
        )]);
    }
    for change in &difference.settings {
        out.extend([format!(
            "<p><code>{}</code>: {} \u{2192} {} ({})</p>\n",
            escaped(change.key),
            escaped(&change.before),
            escaped(&change.after),
            change.direction.word()
        )]);
    }
    out
}

/// A drawing with its words; nothing where there is nothing to draw.
fn figure(title: &str, caption: &str, drawing: &str) -> String {
    if drawing.is_empty() {
        return String::new();
    }
    format!("<h2>{title}</h2>\n<figure>{drawing}<figcaption>{caption}</figcaption></figure>\n")
}

const STYLE: &str = "
:root{--ink:#1b1f24;--soft:#59636e;--line:#d1d9e0;--paper:#fff;--raised:#f6f8fa;--allow:#1a7f37;--ask:#9a6700;--deny:#cf222e;--allow-fill:#9fd8ad;--ask-fill:#f2d58a;--deny-fill:#f0a3a0}
@media (prefers-color-scheme:dark){:root{--ink:#e6edf3;--soft:#9198a1;--line:#3d444d;--paper:#0d1117;--raised:#161b22;--allow:#3fb950;--ask:#d29922;--deny:#f85149;--allow-fill:#1c6b33;--ask-fill:#7d5d10;--deny-fill:#96302b}}
*{box-sizing:border-box}
body{margin:0;background:var(--paper);color:var(--ink);font:15px/1.5 system-ui,sans-serif}
main{max-width:1080px;margin:0 auto;padding:24px 20px}
h1{font-size:26px;margin:0 0 16px}h2{font-size:19px;margin:36px 0 10px}h3{font-size:15px;margin:16px 0 4px}
.tiles{display:flex;flex-wrap:wrap;gap:12px}
.tile{background:var(--raised);border:1px solid var(--line);border-radius:8px;padding:10px 16px;min-width:110px}
.tile b{display:block;font-size:22px}.tile span{color:var(--soft);font-size:13px}
.tile.deny b{color:var(--deny)}.tile.ask b{color:var(--ask)}.tile.allow b{color:var(--allow)}
details{border:1px solid var(--line);border-top:0;background:var(--paper)}
.findings details:first-child{border-top:1px solid var(--line)}
summary{cursor:pointer;padding:7px 12px;overflow-wrap:anywhere}summary span{color:var(--soft);font-size:13px}
details>div{padding:2px 16px 8px 30px;background:var(--raised)}details p{margin:5px 0;overflow-wrap:anywhere}
code{font:13px/1.4 ui-monospace,monospace;background:var(--raised);border-radius:4px;padding:1px 4px;white-space:pre-wrap}
i{font-style:normal;font-size:12px;font-weight:600;border-radius:10px;padding:1px 8px;border:1px solid currentColor}
i.error,i.deny{color:var(--deny)}i.warning,i.ask{color:var(--ask)}i.note{color:var(--soft)}i.allow{color:var(--allow)}
.see,.hint,figcaption,li span{color:var(--soft);font-size:13px}
figure{margin:0;overflow-x:auto}figcaption{margin-top:6px}
svg{display:block;max-width:100%;height:auto;font:12px system-ui,sans-serif}
svg text{fill:var(--ink)}svg .soft{fill:var(--soft)}svg .line{stroke:var(--line);fill:none}svg .ink{stroke:var(--ink);fill:none;stroke-width:1.5}
svg .allow{fill:var(--allow-fill)}svg .ask{fill:var(--ask-fill)}svg .deny{fill:var(--deny-fill)}svg .none{fill:var(--raised)}
svg rect{stroke:var(--paper);stroke-width:1}
footer{max-width:1080px;margin:0 auto;padding:0 20px 24px;color:var(--soft);font-size:13px}
@media print{body{font-size:11px}main{max-width:none;padding:0}figure,details{break-inside:avoid}h2{break-after:avoid}summary{list-style:none}}
";
