//! Writes what fuzzing starts from, taken from the shipped corpora: `seeds FOLDER`.

#![forbid(unsafe_code)]

use portcullis_tests::corpus;
use serde_json::Value;
use std::collections::BTreeSet;
use std::fs;
use std::io::{self, Write};
use std::path::Path;
use std::process::ExitCode;

fn main() -> ExitCode {
    let folder = std::env::args().nth(1);
    let written =
        folder.ok_or_else(|| "usage: seeds FOLDER".to_owned()).and_then(|folder| write(&folder));
    match written {
        Ok(()) => ExitCode::SUCCESS,
        Err(problem) => {
            writeln!(io::stderr(), "seeds: {problem}").ok();
            ExitCode::FAILURE
        }
    }
}

fn write(folder: &str) -> Result<(), String> {
    let mut rules = BTreeSet::new();
    let mut settings = BTreeSet::new();
    let mut commands = BTreeSet::new();
    for name in ["conformance/claude-code", "adversarial.jsonl", "shell_cases.jsonl"] {
        for case in corpus::read::<Value>(&corpus::shipped(name))? {
            let permissions = case.get("permissions").or_else(|| case.get("settings"));
            if let Some(permissions) = permissions {
                settings.insert(format!("{{\"permissions\":{permissions}}}"));
                let lists = permissions.as_object().into_iter().flat_map(serde_json::Map::values);
                let texts = lists.filter_map(Value::as_array).flatten().filter_map(Value::as_str);
                rules.extend(texts.map(str::to_owned));
            }
            for place in ["/tool_input/command", "/input/command", "/input"] {
                commands.extend(case.pointer(place).and_then(Value::as_str).map(str::to_owned));
            }
        }
    }
    let mut hosts = BTreeSet::new();
    let mut heads = BTreeSet::new();
    for case in corpus::read::<Value>(&corpus::shipped("proxy_cases.jsonl"))? {
        for place in ["/request/target", "/request/host", "/request/url"] {
            hosts.extend(case.pointer(place).and_then(Value::as_str).map(str::to_owned));
        }
        let lists = ["/policy/allow", "/policy/deny"].into_iter().filter_map(|at| case.pointer(at));
        let texts = lists.filter_map(Value::as_array).flatten().filter_map(Value::as_str);
        hosts.extend(texts.map(str::to_owned));
        let lines = case.pointer("/request/raw_headers").and_then(Value::as_array);
        let lines = lines.into_iter().flatten().filter_map(Value::as_str);
        let lines: String = lines.flat_map(|line| [line, "\r\n"]).collect();
        heads.insert(format!("POST http://api.example.com/ HTTP/1.1\r\n{lines}\r\n"));
    }
    for (target, texts) in [
        ("rule_text", rules),
        ("settings_layers", settings),
        ("facts", commands),
        ("proxy_authority", hosts.clone()),
        ("proxy_domain_entry", hosts),
        ("proxy_http_head", heads),
    ] {
        let folder = Path::new(folder).join(target);
        fs::create_dir_all(&folder).map_err(|error| error.to_string())?;
        for (index, text) in texts.iter().enumerate() {
            fs::write(folder.join(index.to_string()), text).map_err(|error| error.to_string())?;
        }
    }
    Ok(())
}
