//! Any text as a rule: mistakes are diagnostics, never a panic.
#![no_main]

use libfuzzer_sys::fuzz_target;
use makyo_sigma::load_rules;

fuzz_target!(|text: &str| {
    let _ = load_rules("fuzz.yml", text);
});
