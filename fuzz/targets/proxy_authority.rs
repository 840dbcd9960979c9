#![no_main]

libfuzzer_sys::fuzz_target!(|data: &[u8]| {
    if let Err(broken) = portcullis_tests::fuzzing::proxy_authority(data) {
        panic!("{broken}");
    }
});
