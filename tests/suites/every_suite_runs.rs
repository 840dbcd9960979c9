//! A suite that is not registered would be forgotten in silence.

use std::fs;
use std::path::Path;

#[test]
fn every_file_in_suites_is_registered() {
    let package = Path::new(env!("CARGO_MANIFEST_DIR"));
    let manifest = fs::read_to_string(package.join("Cargo.toml")).unwrap();
    for entry in fs::read_dir(package.join("suites")).unwrap() {
        let entry = entry.unwrap();
        let name = entry.file_name().into_string().unwrap();
        if entry.path().is_dir() {
            continue;
        }
        assert!(
            manifest.contains(&format!("path = \"suites/{name}\"")),
            "suites/{name} is not registered in tests/Cargo.toml, so it never runs"
        );
    }
}
