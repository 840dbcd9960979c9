use portcullis_model::*;
use portcullis_policy::*;
use std::time::Instant;
fn main() {
    let lines = std::fs::read_to_string("/tmp/b.jsonl").unwrap();
    let cmds: Vec<String> = lines
        .lines()
        .take(384)
        .map(|l| {
            serde_json::from_str::<serde_json::Value>(l).unwrap()["tool_input"]["command"]
                .as_str()
                .unwrap()
                .to_owned()
        })
        .collect();
    let p = |s: &str| AbsPath::parse(s).unwrap();
    let settings = r#"{"permissions":{"allow":["Bash(git *)","Bash(npm *)"],"deny":["Bash(curl *)","Read(.env)"],"ask":["Bash(git push *)"]}}"#;
    let policy = assemble(
        &[Layer::new(Scope::CommandLine, "x", settings, p("/home/dev/proj"))],
        &Place {
            start: p("/home/dev/proj"),
            project_root: p("/home/dev/proj"),
            home: p("/home/dev"),
        },
    );
    let (mut tp, mut tg, mut ta, mut td, mut tall) = (vec![], vec![], vec![], vec![], vec![]);
    let mut disk = portcullis_host::ListedDisk::default();
    disk.add(p("/home/dev/proj/x"), portcullis_host::disk::Entry::File);
    for _ in 0..std::env::var("N").ok().and_then(|n| n.parse().ok()).unwrap_or(20) {
        for c in &cmds {
            let call = ToolCall {
                tool: "Bash".into(),
                input: ToolInput(
                    [("command".to_string(), InputValue::Text(c.clone()))].into_iter().collect(),
                ),
                cwd: p("/home/dev/proj"),
                project_root: p("/home/dev/proj"),
                home: p("/home/dev"),
                mode: Mode::Default,
                additional_directories: vec![],
                sandboxed: None,
                hook_answers: vec![],
                shadowed: vec![],
            };
            let t0 = Instant::now();
            let prog = portcullis_shell::parse(c, &portcullis_shell::Options::default());
            let t1 = Instant::now();
            let facts = portcullis_facts::gather(&call, Some(&prog));
            let t2 = Instant::now();
            let answers = portcullis_facts::Answers::default();
            let t3 = Instant::now();
            let v = portcullis_engine::decide(&policy, &facts, &answers, Default::default());
            let t4 = Instant::now();
            std::hint::black_box(v.decision);
            let t5 = Instant::now();
            let e = portcullis_host::evaluate(&policy, &call, &disk, Default::default());
            std::hint::black_box(e.verdict.decision);
            let t6 = Instant::now();
            tp.push((t1 - t0).as_nanos());
            tg.push((t2 - t1).as_nanos());
            ta.push((t3 - t2).as_nanos());
            td.push((t4 - t3).as_nanos());
            tall.push((t6 - t5).as_nanos());
        }
    }
    for (n, v) in
        [("parse", &mut tp), ("gather", &mut tg), ("decide", &mut td), ("evaluate", &mut tall)]
    {
        v.sort();
        println!("{n} median {} p90 {}", v[v.len() / 2], v[v.len() * 9 / 10]);
    }
}
