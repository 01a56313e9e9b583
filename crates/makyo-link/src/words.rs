//! Words of likelihood, after Intelligence Community Directive 203 (2015), English and Japanese.

/// A word in both languages; the Japanese one as a predicate.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Words {
    /// `likely`.
    pub en: &'static str,
    /// `可能性が高い`.
    pub ja: &'static str,
}

/// Upper ends of the bands, which are half open, and their words.
const BANDS: &[(f64, Words)] = &[
    (0.05, Words { en: "almost no chance", ja: "ほぼあり得ない" }),
    (0.20, Words { en: "very unlikely", ja: "可能性は非常に低い" }),
    (0.45, Words { en: "unlikely", ja: "可能性は低い" }),
    (0.55, Words { en: "roughly even chance", ja: "可能性は五分五分である" }),
    (0.80, Words { en: "likely", ja: "可能性が高い" }),
    (0.95, Words { en: "very likely", ja: "可能性が非常に高い" }),
    (1.01, Words { en: "almost certain", ja: "ほぼ確実である" }),
];

/// The word for a probability. What is capped at .55 stays a roughly even chance.
#[must_use]
pub fn words(probability: f64, is_capped: bool) -> Words {
    let told = if is_capped { probability.min(0.5499) } else { probability };
    let found = BANDS.iter().find(|band| told < band.0);
    found.or(BANDS.last()).map_or(Words { en: "unknown", ja: "不明" }, |band| band.1)
}

/// The Japanese of an English word of likelihood.
#[must_use]
pub fn japanese(english: &str) -> &'static str {
    BANDS.iter().find(|band| band.1.en == english).map_or("不明", |band| band.1.ja)
}

/// Confidence is a level and never shares a sentence with a likelihood.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Debug)]
pub enum Confidence {
    /// Little, or of one sort.
    Low,
    /// Two sorts, or one strong.
    Moderate,
    /// Several independent sorts and sources.
    High,
}

impl Confidence {
    /// The word.
    #[must_use]
    pub fn words(self) -> Words {
        match self {
            Confidence::Low => Words { en: "low", ja: "低" },
            Confidence::Moderate => Words { en: "moderate", ja: "中" },
            Confidence::High => Words { en: "high", ja: "高" },
        }
    }

    /// One level down.
    #[must_use]
    pub fn lower(self) -> Self {
        if self == Confidence::High { Confidence::Moderate } else { Confidence::Low }
    }
}
