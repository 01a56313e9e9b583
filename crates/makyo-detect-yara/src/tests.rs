mod pages;
mod rules;
mod scan;

use std::path::{Path, PathBuf};
use std::time::Duration;

use crate::{YaraProblem, YaraRules};

pub(crate) const PATIENCE: Duration = Duration::from_secs(30);

pub(crate) fn root() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("../..")
}

pub(crate) fn compile(texts: &[&str]) -> (YaraRules, Vec<YaraProblem>) {
    let files: Vec<(String, String)> =
        (1..).zip(texts).map(|(number, text)| (format!("{number}.yar"), (*text).into())).collect();
    YaraRules::compile(&files)
}

/// Names of the rules that fit.
pub(crate) fn fits(rules: &YaraRules, bytes: &[u8]) -> Vec<String> {
    let found = rules.scan(bytes, PATIENCE).expect("in time");
    found.into_iter().map(|one| one.rule.name).collect()
}
