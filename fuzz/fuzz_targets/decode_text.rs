//! Any text through recognition and its format: no panic, no hang.
#![no_main]

use libfuzzer_sys::fuzz_target;
use makyo_decode::{DecodeOptions, Sources, TextEvents, decode_text};

fuzz_target!(|text: &str| {
    let mut out = TextEvents::default();
    let _ = decode_text("fuzz", text, &Sources::default(), &DecodeOptions::default(), &mut out);
});
