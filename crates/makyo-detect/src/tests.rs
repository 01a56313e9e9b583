mod correlation;
mod edge;
mod hosts;
mod indicators;
mod logins;
mod mail;
mod merge;
mod posing;
mod sessions;
mod tunnels;

use makyo_base::{Query, QueryError, Rows, SqlValue};

use crate::{Guards, Weights};

/// A case that gives the same rows whatever it is asked.
pub(crate) struct Canned(pub(crate) Rows);

impl Query for Canned {
    fn query(&self, _sql: &str) -> Result<Rows, QueryError> {
        Ok(self.0.clone())
    }
}

pub(crate) fn text(text: &str) -> SqlValue {
    SqlValue::Text(text.to_owned())
}

pub(crate) fn weights() -> Weights {
    let path = concat!(env!("CARGO_MANIFEST_DIR"), "/../../knowledge/weights.yml");
    Weights::load(&std::fs::read_to_string(path).expect("weights")).expect("in order")
}

pub(crate) fn guards() -> Guards {
    let read = |name: &str| {
        let path = format!("{}/../../knowledge/{name}", env!("CARGO_MANIFEST_DIR"));
        std::fs::read_to_string(path).expect("knowledge")
    };
    Guards::load(&read("shared-parents.yml"), &read("allow-list.yml")).expect("in order")
}
