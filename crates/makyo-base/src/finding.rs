//! A finding: one reason for suspicion, with the records behind it.

use crate::artifact::RecordRef;

/// Sigma's level of a rule.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Debug)]
pub enum Level {
    /// Context only.
    Informational,
    /// Weak.
    Low,
    /// Worth a look.
    Medium,
    /// Strong.
    High,
    /// Near proof by itself.
    Critical,
}

impl Level {
    /// All levels, weakest first.
    pub const ALL: [Level; 5] =
        [Level::Informational, Level::Low, Level::Medium, Level::High, Level::Critical];

    /// Sigma's word.
    #[must_use]
    pub fn word(self) -> &'static str {
        match self {
            Level::Informational => "informational",
            Level::Low => "low",
            Level::Medium => "medium",
            Level::High => "high",
            Level::Critical => "critical",
        }
    }

    /// Reads Sigma's word.
    #[must_use]
    pub fn from_word(word: &str) -> Option<Self> {
        Level::ALL.into_iter().find(|level| level.word().eq_ignore_ascii_case(word))
    }
}

/// What made a finding.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Debug)]
pub enum FindingSource {
    /// A Sigma rule.
    Sigma,
    /// A YARA rule.
    Yara,
    /// An indicator of compromise.
    Indicator,
    /// A behaviour that no single record shows.
    Analytic,
}

impl FindingSource {
    /// The word in JSON.
    #[must_use]
    pub fn word(self) -> &'static str {
        match self {
            FindingSource::Sigma => "sigma",
            FindingSource::Yara => "yara",
            FindingSource::Indicator => "indicator",
            FindingSource::Analytic => "analytic",
        }
    }
}

/// The rule or analytic behind a finding.
#[derive(Clone, PartialEq, Eq, PartialOrd, Ord, Debug)]
pub struct RuleRef {
    /// Its id.
    pub id: String,
    /// Its title.
    pub title: String,
    /// Its level.
    pub level: Level,
}

/// What an entity is.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Debug)]
pub enum EntityKind {
    /// A user or service account, canonical.
    Account,
    /// A host, by short name.
    Host,
    /// A network address.
    Address,
    /// A session of a service or appliance.
    Session,
    /// A mail message, by Message-ID.
    Message,
    /// A file, by path or name.
    File,
    /// A file's SHA-256.
    Hash,
    /// A domain name.
    Domain,
}

impl EntityKind {
    /// The word in JSON.
    #[must_use]
    pub fn word(self) -> &'static str {
        match self {
            EntityKind::Account => "account",
            EntityKind::Host => "host",
            EntityKind::Address => "address",
            EntityKind::Session => "session",
            EntityKind::Message => "message",
            EntityKind::File => "file",
            EntityKind::Hash => "hash",
            EntityKind::Domain => "domain",
        }
    }

    /// Reads the word.
    #[must_use]
    pub fn from_word(word: &str) -> Option<Self> {
        use EntityKind::{Account, Address, Domain, File, Hash, Host, Message, Session};
        [Account, Host, Address, Session, Message, File, Hash, Domain]
            .into_iter()
            .find(|kind| kind.word() == word)
    }
}

/// What part an entity plays in a finding.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Debug)]
pub enum Role {
    /// It acted: the account used, the process's user.
    Actor,
    /// It was acted upon.
    Target,
    /// Where it happened.
    Place,
    /// Where it came from.
    Origin,
    /// Where it went to.
    Destination,
    /// The thing itself: message, file, session.
    Object,
}

impl Role {
    /// The word in JSON.
    #[must_use]
    pub fn word(self) -> &'static str {
        match self {
            Role::Actor => "actor",
            Role::Target => "target",
            Role::Place => "place",
            Role::Origin => "origin",
            Role::Destination => "destination",
            Role::Object => "object",
        }
    }

    /// Reads the word.
    #[must_use]
    pub fn from_word(word: &str) -> Option<Self> {
        use Role::{Actor, Destination, Object, Origin, Place, Target};
        [Actor, Target, Place, Origin, Destination, Object].into_iter().find(|r| r.word() == word)
    }
}

/// An entity with its part in a finding.
#[derive(Clone, PartialEq, Eq, PartialOrd, Ord, Hash, Debug)]
pub struct Entity {
    /// Its part.
    pub role: Role,
    /// What it is.
    pub kind: EntityKind,
    /// Its canonical name.
    pub value: String,
}

/// One reason for suspicion.
#[derive(Clone, PartialEq, Debug)]
pub struct Finding {
    /// Content-derived id.
    pub id: String,
    /// When, nanoseconds since the Unix epoch, UTC; none where the record has no time.
    pub time: Option<i64>,
    /// What made it.
    pub source: FindingSource,
    /// Rule or analytic.
    pub rule: RuleRef,
    /// ATT&CK techniques as the rule names them, `T1078.004`.
    pub techniques: Vec<String>,
    /// ATT&CK tactics as the rule names them, `initial-access`.
    pub tactics: Vec<String>,
    /// Entities with their parts, sorted.
    pub entities: Vec<Entity>,
    /// Weight of evidence in decibans against the best benign explanation.
    pub weight_db: f64,
    /// Change or third party of `org.toml` that explains it, if one does.
    pub explained_by: Option<String>,
    /// The records behind it, sorted.
    pub records: Vec<RecordRef>,
    /// One plain sentence.
    pub text: String,
}
