//! The nouns and the seams of makyo.
//!
//! Everything that crosses from one stage to the next is declared here, and nothing else is:
//! no input or output, no async, no engine. Stages depend on this crate and not on each other.

mod account;
mod artifact;
mod digest;
mod event;
mod event_json;
mod finding;
mod json;
mod missing;
mod net;
mod organisation;
mod outline;
mod place;
mod query;
mod seam;
mod time;
mod value;

pub use account::{canonical_account, canonical_host, is_directory_account};
pub use artifact::{Artifact, ArtifactId, ArtifactKind, Defect, DefectKind, Position, RecordRef};
pub use digest::{Sha256Writer, hex, sha256, short_id};
pub use event::{
    ALL_COLUMNS, CLASSES, COLUMNS, Cell, ClassInfo, Column, ColumnInfo, ColumnType, Event, Item,
    activity, class,
};
pub use event_json::{event_object, nest};
pub use finding::{Entity, EntityKind, Finding, FindingSource, Level, Role, RuleRef};
pub use json::{parse_json, to_json, write_json};
pub use missing::{Missing, missing_records};
pub use net::{AddressScope, address_network, address_scope, parse_address, parse_port};
pub use organisation::{Asset, Change, Network, Organisation, ThirdParty};
pub use outline::{Layout, Leaf, LeafKind, Outline, unescape, unescape_into};
pub use place::{AddressClass, NoPlaces, Places};
pub use query::{Query, QueryError, Row, Rows, SqlValue, sql_text};
pub use seam::{Content, Decoded, Holder, RecordSink, Stop};
pub use time::{
    DAY_NS, FixedTime, HOUR_NS, MINUTE_NS, SECOND_NS, ZoneHint, format_time, local_minute,
    minutes_of_day, parse_time, parse_time_with,
};
pub use value::{Object, Value};

#[cfg(test)]
mod tests;
