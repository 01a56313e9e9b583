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

use makyo_base::{
    Entity, EntityKind, Finding, FindingSource, Level, Query, QueryError, RecordRef, Role, Rows,
    RuleRef, SqlValue,
};

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

/// What a rule found on the host `h`.
pub(crate) fn by_rule(id: &str, time: i64, record: u64) -> Finding {
    Finding {
        id: id.into(),
        time: Some(time),
        source: FindingSource::Sigma,
        rule: RuleRef { id: "r".into(), title: "t".into(), level: Level::High },
        techniques: vec!["T1059".into()],
        tactics: vec!["execution".into()],
        entities: vec![Entity { role: Role::Place, kind: EntityKind::Host, value: "h".into() }],
        weight_db: 14.0,
        explained_by: None,
        records: vec![RecordRef { file: "f".into(), record }],
        text: "t: on h".into(),
    }
}
