//! Linking and judging, tried on small invented things.

mod hostile;
mod judging;
mod linking;
mod organisations;
mod properties;
mod reading;
mod real;

use std::path::{Path, PathBuf};

use crate::incident::{Incident, Item, Source};
use crate::read::{Reading, Shared, read_incidents};
use crate::weights::Weights;

pub(crate) fn weights() -> Weights {
    Weights::load(include_str!("../../../knowledge/judgement.yml")).expect("weights")
}

pub(crate) fn shared() -> Shared {
    Shared::load(include_str!("../../../knowledge/shared-parents.yml")).expect("parents")
}

pub(crate) fn fixture(name: &str) -> String {
    let path: PathBuf =
        Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/fixtures").join(format!("{name}.json"));
    std::fs::read_to_string(path).expect("fixture")
}

pub(crate) fn read(name: &str) -> Reading {
    read_incidents(name, &fixture(name), &shared())
}

pub(crate) fn incident(id: &str, items: &[(&str, &str)]) -> Incident {
    let items = items.iter().map(|(kind, value)| Item {
        kind: (*kind).to_owned(),
        value: (*value).to_owned(),
        root: String::new(),
        source: Source::own(id),
    });
    Incident { id: id.to_owned(), items: items.collect(), ..Incident::default() }.normal()
}
