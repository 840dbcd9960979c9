//! What has to hold for every policy and every call. Each property takes choices, so that property
//! tests and fuzz targets run the same.

use crate::choices::Choices;
use crate::evaluate::{self, Answer};
use crate::samples::{self, PREFIXES, Rules, WRAPPERS};
use serde_json::{Value, json};

/// A property: an error says what broke it.
pub type Property = fn(&mut Choices<'_>) -> Result<(), String>;

/// All of them, by name.
pub const ALL: &[(&str, Property)] = &[
    ("adding a deny or ask rule never weakens", adding_a_restriction),
    ("adding a restricting layer never weakens", adding_a_layer),
    ("an answer of another hook that restricts never weakens", adding_a_hook_answer),
    ("a wrapper never weakens", adding_a_wrapper),
    ("an environment prefix never weakens", adding_a_prefix),
    ("a further command never weakens", adding_a_command),
    ("the order of rules is irrelevant", shuffling_rules),
    ("spellings of one argv agree", respelling),
    ("deciding is total and deterministic", deciding_twice),
    ("whatever a line holds, it is answered", answering_anything),
    ("every named rule matches by itself", isolating_rules),
];

fn adding_a_restriction(choices: &mut Choices<'_>) -> Result<(), String> {
    let call = samples::call(choices);
    let rules = samples::rules(choices);
    let mut stricter = rules.clone();
    let added = samples::rule(choices);
    if choices.one_in(2) {
        stricter.deny.push(added);
    } else {
        stricter.ask.push(added);
    }
    let scope = samples::layer(choices, &Value::Null);
    let place = |rules: &Rules| samples::with_field(&scope, "settings", rules.settings());
    not_weaker(
        &samples::with_layers(&call, &[place(&rules)]),
        &samples::with_layers(&call, &[place(&stricter)]),
    )
}

fn adding_a_layer(choices: &mut Choices<'_>) -> Result<(), String> {
    let call = samples::call(choices);
    let rules = samples::rules(choices);
    let mut layers = vec![samples::layer(choices, &rules.settings())];
    let before = samples::with_layers(&call, &layers);
    let added = Rules { allow: Vec::new(), ..samples::rules(choices) };
    let settings = match choices.below(4) {
        0 => json!({ "permissions": { "disableBypassPermissionsMode": "disable" } }),
        // A layer that cannot be read fails closed.
        1 => json!({ "permissions": { "deny": "not a list" } }),
        _ => added.settings(),
    };
    layers.push(samples::layer(choices, &settings));
    not_weaker(&before, &samples::with_layers(&call, &layers))
}

fn adding_a_hook_answer(choices: &mut Choices<'_>) -> Result<(), String> {
    let call = any_call_with_layers(choices);
    let before = choices.some(&["allow", "ask", "deny"], 2);
    let mut after = before.clone();
    after.push(choices.text(&["ask", "deny"]));
    not_weaker(
        &samples::with_field(&call, "hook_answers", json!(before)),
        &samples::with_field(&call, "hook_answers", json!(after)),
    )
}

fn adding_a_wrapper(choices: &mut Choices<'_>) -> Result<(), String> {
    let wrapper = choices.text(WRAPPERS);
    adding_in_front(choices, wrapper)
}

fn adding_a_prefix(choices: &mut Choices<'_>) -> Result<(), String> {
    let prefix = choices.text(PREFIXES);
    adding_in_front(choices, prefix)
}

/// What stands in front may be covered by an allow rule of its own; of those there are none here.
fn adding_in_front(choices: &mut Choices<'_>, front: &str) -> Result<(), String> {
    let words = samples::argv(choices);
    let command = samples::spell(choices, &words);
    let mut rules = samples::rules(choices);
    rules.allow =
        (0..choices.below(4)).map(|_| samples::allow_of_plain_commands(choices)).collect();
    let call = samples::bash_call(choices, &command);
    let call = samples::with_layers(&call, &[samples::layer(choices, &rules.settings())]);
    not_weaker(&call, &samples::with_command(&call, &format!("{front}{command}")))
}

fn adding_a_command(choices: &mut Choices<'_>) -> Result<(), String> {
    let words = samples::argv(choices);
    let command = samples::spell(choices, &words);
    let rules = samples::rules(choices);
    let call = samples::bash_call(choices, &command);
    let call = samples::with_layers(&call, &[samples::layer(choices, &rules.settings())]);
    let more = samples::argv(choices);
    let more = samples::spell(choices, &more);
    let join = choices.text(&["; ", " && ", " || ", " | ", "\n", " & "]);
    let joined = if choices.one_in(2) {
        format!("{command}{join}{more}")
    } else {
        format!("{more}{join}{command}")
    };
    not_weaker(&call, &samples::with_command(&call, &joined))
}

fn shuffling_rules(choices: &mut Choices<'_>) -> Result<(), String> {
    let call = samples::call(choices);
    let rules = samples::rules(choices);
    let mut shuffled = rules.clone();
    for class in [&mut shuffled.allow, &mut shuffled.ask, &mut shuffled.deny] {
        for at in 1..class.len() {
            class.swap(at, choices.below(at + 1));
        }
    }
    let scope = samples::layer(choices, &Value::Null);
    let place = |rules: &Rules| samples::with_field(&scope, "settings", rules.settings());
    agree(
        &samples::with_layers(&call, &[place(&rules)]),
        &samples::with_layers(&call, &[place(&shuffled)]),
    )
}

fn respelling(choices: &mut Choices<'_>) -> Result<(), String> {
    let words = samples::argv(choices);
    let first = samples::spell(choices, &words);
    let second = samples::spell(choices, &words);
    let call = samples::bash_call(choices, &first);
    let rules = samples::rules(choices);
    let call = samples::with_layers(&call, &[samples::layer(choices, &rules.settings())]);
    let other = samples::with_command(&call, &second);
    // Some spellings may cost a prompt, but never save one.
    match (is_costly(&call, &first)?, is_costly(&other, &second)?) {
        (false, false) => agree(&call, &other),
        (false, true) => not_weaker(&call, &other),
        (true, false) => not_weaker(&other, &call),
        (true, true) => Ok(()),
    }
}

/// The second reader misreads some spellings, and nothing is read-only that `$'…'` spells.
fn is_costly(call: &Value, command: &str) -> Result<bool, String> {
    let answer = evaluate::ask_with_facts(call)?;
    let disagreement = answer.unanalyzable.iter().any(|reason| reason == "reader-disagreement");
    Ok(disagreement || command.contains("$'"))
}

fn deciding_twice(choices: &mut Choices<'_>) -> Result<(), String> {
    let call = any_call_with_layers(choices);
    let ask = || -> Result<Value, String> {
        let line = evaluate::answer_line(&call.to_string(), true);
        let mut answer: Value = serde_json::from_str(&line).map_err(|error| error.to_string())?;
        if let Some(fields) = answer.as_object_mut() {
            fields.remove("micros");
        }
        Ok(answer)
    };
    let (first, second) = (ask()?, ask()?);
    if first.get("decision").is_none() {
        return Err(format!("{call} gets no decision: {first}"));
    }
    if first == second { Ok(()) } else { Err(format!("{call} gets\n{first}\nand\n{second}")) }
}

fn answering_anything(choices: &mut Choices<'_>) -> Result<(), String> {
    let mut line: Vec<char> = any_call_with_layers(choices).to_string().chars().collect();
    for _ in 0..choices.below(4) {
        let at = choices.below(line.len() + 1);
        match choices.below(3) {
            0 => line.truncate(at),
            1 => {
                let noise =
                    choices.text(&["\"", "{", "]", ",", "null", "\\u0000", "1e999", "\u{202e}"]);
                line.splice(at..at, noise.chars());
            }
            _ => drop(line.drain(at..(at + 1).min(line.len()))),
        }
    }
    let line: String = line.into_iter().collect();
    let answer = evaluate::answer_line(&line, true);
    let value: Value =
        serde_json::from_str(&answer).map_err(|error| format!("{error}: {answer}"))?;
    if answer.contains('\n') || value.get("decision").is_none() == value.get("error").is_none() {
        return Err(format!("{line} is answered {answer}"));
    }
    Ok(())
}

/// A rule that is named as what decided must decide the same by itself.
fn isolating_rules(choices: &mut Choices<'_>) -> Result<(), String> {
    let call = samples::call(choices);
    let rules = samples::rules(choices);
    let scope = samples::layer(choices, &Value::Null);
    let place = |rules: &Rules| samples::with_field(&scope, "settings", rules.settings());
    let answer = ask(&samples::with_layers(&call, &[place(&rules)]))?;
    for (decision, class, rule) in answer.deciding_rules() {
        let mut alone = Rules::default();
        match class.as_str() {
            "allow" => alone.allow.push(rule.clone()),
            "ask" => alone.ask.push(rule.clone()),
            _ => alone.deny.push(rule.clone()),
        }
        let call = samples::with_layers(&call, &[place(&alone)]);
        let again = ask(&call)?;
        if !again.deciding_rules().contains(&(decision, class.clone(), rule.clone())) {
            return Err(format!(
                "{class} rule `{rule}` decided {decision} among {rules:?}, but not alone in {call}: {}",
                again.describe()
            ));
        }
    }
    Ok(())
}

fn any_call_with_layers(choices: &mut Choices<'_>) -> Value {
    let call = samples::call(choices);
    let mut layers = Vec::new();
    for _ in 0..choices.below(3) {
        let rules = samples::rules(choices);
        layers.push(samples::layer(choices, &rules.settings()));
    }
    samples::with_layers(&call, &layers)
}

fn ask(call: &Value) -> Result<Answer, String> {
    evaluate::ask(call).map_err(|error| format!("{call}: {error}"))
}

fn not_weaker(before: &Value, after: &Value) -> Result<(), String> {
    let (first, second) = (ask(before)?, ask(after)?);
    // An ask of a person is not weaker than one of the classifier, nor the other way round.
    if second.decision >= first.decision {
        return Ok(());
    }
    Err(format!(
        "{} becomes {}\nbefore {before}\n  {}\nafter {after}\n  {}",
        first.decision,
        second.decision,
        first.describe(),
        second.describe()
    ))
}

fn agree(one: &Value, other: &Value) -> Result<(), String> {
    let (first, second) = (ask(one)?, ask(other)?);
    let view = |answer: &Answer| (answer.decision, answer.route.clone(), answer.removes_tool);
    if view(&first) == view(&second) {
        return Ok(());
    }
    Err(format!("{one}\n  {}\n{other}\n  {}", first.describe(), second.describe()))
}

/// Tries the property that the first choice picks on the others.
pub fn one_holds(choices: &mut Choices<'_>) -> Result<(), String> {
    let (name, property) = choices.pick(ALL);
    property(choices).map_err(|broken| format!("{name}: {broken}"))
}
