//! Any text as rules, filters and correlations, and as values of placeholders: mistakes are
//! diagnostics, never a panic.
#![no_main]

use libfuzzer_sys::fuzz_target;
use makyo_detect::Correlations;
use makyo_sigma::{Placeholders, apply_filters, load_documents, load_rules};

fuzz_target!(|text: &str| {
    let _ = load_rules("fuzz.yml", text);
    let placeholders = Placeholders::load("fuzz.yml", text).unwrap_or_default();
    let (mut documents, _) = load_documents("fuzz.yml", text, &placeholders);
    let _ = documents.drop_duplicates();
    let _ = apply_filters(&mut documents.rules, &documents.filters);
    let _ = Correlations::compile(&documents.rules, documents.correlations);
});
