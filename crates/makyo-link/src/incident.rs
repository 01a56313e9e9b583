//! What is known of one incident: items of evidence, each with class, source and root.

/// What an item of evidence says something about. After MICTIC (Steffens, *Attribution of Advanced
/// Persistent Threats*, 2020) and the Diamond Model.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Debug)]
pub enum Class {
    /// What the intruder wanted: sector, country, theme of a lure.
    Targets,
    /// What the intruder did: techniques, flaws, ways in.
    Methods,
    /// What the intruder rented or took over: addresses, domains, certificates.
    Infrastructure,
    /// What the intruder compiled: samples, families, configurations.
    Code,
    /// What the intruder is: hours, keyboard, typing habits.
    Behaviour,
    /// What others established: courts, confessions, human sources.
    Other,
}

impl Class {
    /// All, in the order in which they are told.
    pub const ALL: [Class; 6] = [
        Class::Targets,
        Class::Methods,
        Class::Infrastructure,
        Class::Code,
        Class::Behaviour,
        Class::Other,
    ];

    /// The word in tables, JSON and `knowledge/judgement.yml`.
    #[must_use]
    pub fn word(self) -> &'static str {
        match self {
            Class::Targets => "targets",
            Class::Methods => "methods",
            Class::Infrastructure => "infrastructure",
            Class::Code => "code",
            Class::Behaviour => "behaviour",
            Class::Other => "other",
        }
    }

    /// Reads the word.
    #[must_use]
    pub fn parse(word: &str) -> Option<Self> {
        Class::ALL.into_iter().find(|class| class.word() == word)
    }

    /// Whether anybody can show it by wanting the same or reading the same reports.
    #[must_use]
    pub fn is_soft(self) -> bool {
        matches!(self, Class::Targets | Class::Methods)
    }
}

/// Who says so, on the Admiralty scale (NATO AJP-2.1).
#[derive(Clone, PartialEq, Eq, PartialOrd, Ord, Debug)]
pub struct Source {
    /// A name: a producer of a bundle, or a case.
    pub name: String,
    /// Reliability `A` to `F`.
    pub reliability: char,
    /// Credibility 1 to 6.
    pub credibility: u8,
}

impl Source {
    /// What a victim's own logs are: first-hand, and as good as the logs.
    #[must_use]
    pub fn own(name: &str) -> Self {
        Source { name: name.to_owned(), reliability: 'A', credibility: 2 }
    }

    /// What somebody else wrote down, not yet rated: usually reliable, possibly true.
    #[must_use]
    pub fn reported(name: &str) -> Self {
        Source { name: name.to_owned(), reliability: 'B', credibility: 3 }
    }
}

/// One thing that was seen.
#[derive(Clone, PartialEq, Eq, PartialOrd, Ord, Debug)]
pub struct Item {
    /// A kind of `knowledge/judgement.yml`, such as `domain`; it decides the class.
    pub kind: String,
    /// In canonical form: lower case where case means nothing.
    pub value: String,
    /// Items with one root are one witness: two facts read off one sample, an address and its name.
    pub root: String,
    /// Who says so.
    pub source: Source,
}

/// One incident.
#[derive(Clone, PartialEq, Debug, Default)]
pub struct Incident {
    /// As its source names it.
    pub id: String,
    /// First and last activity in nanoseconds since 1970.
    pub time: Option<(i64, i64)>,
    /// What was seen, sorted, each kind and value once.
    pub items: Vec<Item>,
    /// The hour, in UTC, around which the intruder's working day lies.
    pub working_hour: Option<f64>,
}

impl Incident {
    /// Sorted, and each kind and value once: the best source speaks.
    #[must_use]
    pub fn normal(mut self) -> Self {
        self.items.sort_by(|a, b| {
            (&a.kind, &a.value, a.source.reliability, a.source.credibility, a).cmp(&(
                &b.kind,
                &b.value,
                b.source.reliability,
                b.source.credibility,
                b,
            ))
        });
        self.items.dedup_by(|later, first| later.kind == first.kind && later.value == first.value);
        self
    }
}
