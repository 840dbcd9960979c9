//! What fuzzing once found, and a little of what it would try next.

use portcullis_tests::choices::Choices;
use portcullis_tests::proxy::hello::Hello;
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
fn readers_of_the_proxy_hold_on_what_is_nearly_right() {
    let mut choices = Choices::Seeded(environment::seed(7));
    let hello = Hello::to("api.example.com").bytes();
    let of_hello: &[&[u8]] = &[&hello, b"\x15\x03\x01\0\x02\x01\x5a"];
    let mut broken = BTreeMap::new();
    for _ in 0..environment::cases() {
        for (name, seeds, pieces) in [
            ("proxy_authority", HOSTS, IN_HOSTS),
            ("proxy_domain_entry", HOSTS, IN_HOSTS),
            ("proxy_http_head", HEADS, IN_HEADS),
            ("proxy_socks", SOCKS, IN_BINARY),
            ("proxy_hello", of_hello, IN_BINARY),
        ] {
            let bytes = nearly(seeds, pieces, &mut choices);
            let target = fuzzing::TARGETS.iter().find(|(known, _)| *known == name).unwrap().1;
            if let Err(problem) = target(&bytes) {
                broken.entry(name).or_insert(problem);
            }
        }
    }
    assert!(broken.is_empty(), "{broken:#?}");
}

/// One of the seeds with a few things wrong.
fn nearly(seeds: &[&[u8]], pieces: &[&[u8]], choices: &mut Choices<'_>) -> Vec<u8> {
    let mut bytes = choices.pick(seeds).to_vec();
    for _ in 0..choices.below(4) {
        let at = choices.below(bytes.len() + 1);
        let piece = *choices.pick(pieces);
        match choices.below(4) {
            0 => drop(bytes.splice(at..at, piece.iter().copied())),
            1 => drop(bytes.splice(at..bytes.len().min(at + piece.len()), piece.iter().copied())),
            2 => drop(bytes.drain(at..bytes.len().min(at + 1 + choices.below(4)))),
            _ => bytes.extend(bytes.clone().iter().skip(at).take(8)),
        }
    }
    bytes
}

const HOSTS: &[&[u8]] = &[
    b"api.example.com:443",
    b"API.Example.Com.:80",
    b"[::ffff:10.0.0.1]:80",
    b"[2001:db8::1]:443",
    b"0x7f.1:80",
    b"0177.0.0.1",
    b"2130706433:443",
    b"xn--bcher-kva.example:1",
    b"http://api.example.com:80/p?q",
    b"a_b.-x-.example:8080",
    b"*.example.com:443",
];

const IN_HOSTS: &[&[u8]] = &[
    b".",
    b":",
    b"[",
    b"]",
    b"%",
    b"@",
    b"0x",
    b"0",
    b"08",
    b"255",
    b"256",
    b"xn--",
    b"-",
    b"_",
    b"*",
    b"#",
    b"\\",
    b"/",
    b"?",
    b"\t",
    b"\0",
    b"\r\n",
    b" ",
    b"..",
    b"1e1",
    b":80",
    b"::",
    b"ffff:",
    b"//",
    b"+",
    "\u{ff0e}".as_bytes(),
    "\u{130}".as_bytes(),
    "\u{df}".as_bytes(),
    "\u{ad}".as_bytes(),
    b"\xff",
];

const HEADS: &[&[u8]] = &[
    b"GET http://api.example.com/p HTTP/1.1\r\nHost: x\r\nConnection: close, X-A\r\nX-A: 1\r\n\r\n",
    b"POST http://api.example.com/ HTTP/1.1\r\nHost: x\r\nContent-Length: 5\r\n\r\nhello",
    b"POST http://api.example.com/ HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n",
    b"CONNECT api.example.com:443 HTTP/1.0\r\n\r\n",
    b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok",
];

const IN_HEADS: &[&[u8]] = &[
    b"\r\n",
    b"\n",
    b"\r",
    b" ",
    b"\t",
    b":",
    b",",
    b"\0",
    b"\x0b",
    b"\xff",
    b"0",
    b"5",
    b"+",
    b"-",
    b"Host: y\r\n",
    b"Content-Length: 6\r\n",
    b"Transfer-Encoding: chunked\r\n",
    b"Upgrade: h2c\r\n",
    b"Connection: Host, Content-Length\r\n",
    b"Proxy-Authorization: x\r\n",
    b"HTTP/1.1",
    b"chunked",
];

const SOCKS: &[&[u8]] = &[
    b"\x05\x01\x00\x03\x0fapi.example.com\x01\xbb",
    b"\x05\x01\x00\x01\x0a\x09\x08\x07\x01\xbb",
    b"\x05\x01\x00\x04\0\0\0\0\0\0\0\0\0\0\xff\xff\x0a\x09\x08\x07\x01\xbb",
];

const IN_BINARY: &[&[u8]] = &[
    b"\0",
    b"\x01",
    b"\x03",
    b"\x04",
    b"\x05",
    b"\x10",
    b"\x16",
    b"\xff",
    b".",
    b"\0\0",
    b"\x16\x03\x01\0\x01",
];

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
