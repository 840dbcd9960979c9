//! What fuzzing once found, and a little of what it would try next.

use portcullis_tests::choices::Choices;
use portcullis_tests::{environment, fuzzing};
use std::collections::BTreeMap;
use std::fs;
use std::path::Path;

#[test]
fn what_was_found_stays_mended() {
    let crashes = Path::new(env!("CARGO_MANIFEST_DIR")).join("../fuzz/crashes");
    for entry in fs::read_dir(crashes).unwrap() {
        let folder = entry.unwrap().path();
        if !folder.is_dir() {
            continue;
        }
        let name = folder.file_name().unwrap().to_str().unwrap();
        let target = fuzzing::TARGETS.iter().find(|(known, _)| *known == name);
        let (_, target) = target.unwrap_or_else(|| panic!("fuzz/crashes/{name} is no target"));
        for finding in fs::read_dir(&folder).unwrap() {
            let path = finding.unwrap().path();
            let held = target(&fs::read(&path).unwrap());
            assert_eq!(held, Ok(()), "{}", path.display());
        }
    }
}

#[test]
fn every_target_holds_on_arbitrary_bytes() {
    let mut choices = Choices::Seeded(environment::seed(5));
    let mut broken = BTreeMap::new();
    for _ in 0..environment::cases() {
        let length = choices.below(200);
        let bytes: Vec<u8> = (0..length).map(|_| choices.below(256).to_le_bytes()[0]).collect();
        for (name, target) in fuzzing::TARGETS {
            // Decisions have a suite of their own that tries more.
            if *name != "decide"
                && let Err(problem) = target(&bytes)
            {
                broken.entry(*name).or_insert(problem);
            }
        }
    }
    assert!(broken.is_empty(), "{broken:#?}");
}

#[test]
fn every_target_is_built_and_seeded() {
    let fuzz = Path::new(env!("CARGO_MANIFEST_DIR")).join("../fuzz");
    let manifest = fs::read_to_string(fuzz.join("Cargo.toml")).unwrap();
    for (name, _) in fuzzing::TARGETS {
        assert!(
            manifest.contains(&format!("name = \"{name}\"")),
            "{name} is not in fuzz/Cargo.toml"
        );
        let text = fs::read_to_string(fuzz.join(format!("targets/{name}.rs"))).unwrap();
        assert!(
            text.contains(&format!("fuzzing::{name}")),
            "targets/{name}.rs runs something else"
        );
    }
}
