//! The same options give the same bytes.

use std::collections::BTreeMap;
use std::fs;
use std::path::{Path, PathBuf};

use crate::people::people;
use crate::{Options, Scenario, simulate};

fn written(scenario: Scenario, seed: u64, days: i64) -> tempfile::TempDir {
    let folder = tempfile::tempdir().expect("folder");
    let out = folder.path().to_owned();
    simulate(&Options { scenario, seed, scale: 0.05, days, out }).expect("simulated");
    folder
}

fn files(folder: &Path) -> BTreeMap<PathBuf, Vec<u8>> {
    let mut found = BTreeMap::new();
    let mut open = vec![folder.to_owned()];
    while let Some(next) = open.pop() {
        for entry in fs::read_dir(&next).expect("folder").flatten() {
            let path = entry.path();
            if path.is_dir() {
                open.push(path);
            } else {
                let name = path.strip_prefix(folder).expect("inside").to_owned();
                found.insert(name, fs::read(&path).expect("bytes"));
            }
        }
    }
    found
}

#[test]
fn two_runs_give_the_same_bytes_and_another_seed_others() {
    let (first, second) = (written(Scenario::Agency, 3, 20), written(Scenario::Agency, 3, 20));
    let other = written(Scenario::Agency, 4, 20);
    assert!(files(first.path()) == files(second.path()));
    assert!(files(first.path()) != files(other.path()));
}

#[test]
fn names_of_accounts_are_not_used_twice() {
    let all = people(1, 6_000);
    let names: std::collections::BTreeSet<&str> =
        all.iter().map(|person| person.upn.as_str()).collect();
    assert_eq!(names.len(), all.len());
}
