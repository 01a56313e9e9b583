//! Everything that detects, loaded, and put to one artifact: rules, correlations, indicators, YARA
//! rules.

use std::path::Path;
use std::sync::OnceLock;
use std::time::Duration;

use makyo_base::{
    Artifact, ArtifactKind, Content, Decoded, Defect, DefectKind, Finding, Level, Position,
};
use makyo_decode::Sources;
use makyo_detect::{
    CorrelationHit, Correlations, DetectState, IndicatorSet, Match, RuleSet, Weights, entities_of,
    field_text, reference,
};
use makyo_detect_yara::{YaraError, YaraMatch, YaraRules};

use crate::data::{self, Cost, DataFile, IntelFiles, Problem, Rules};

/// Own rules need milliseconds; what takes so long is a rule that runs away, and one file must not
/// hold up the evidence of a whole network.
const YARA_PATIENCE: Duration = Duration::from_secs(30);

/// What detects.
#[derive(Debug)]
pub(crate) struct Detection {
    pub(crate) rules: RuleSet,
    pub(crate) correlations: Correlations,
    pub(crate) indicators: IndicatorSet,
    pub(crate) weights: Weights,
    pub(crate) problems: Vec<Problem>,
    yara: Yara,
}

/// YARA rules are compiled when the first content is there: most evidence has none.
#[derive(Debug, Default)]
struct Yara {
    files: Vec<DataFile>,
    compiled: OnceLock<(YaraRules, Vec<Problem>)>,
}

impl Yara {
    fn compiled(&self) -> &(YaraRules, Vec<Problem>) {
        self.compiled.get_or_init(|| {
            let (rules, problems) = YaraRules::compile(&self.files);
            let problems = problems.into_iter().map(|one| Problem {
                file: one.file,
                line: one.line,
                cost: Cost::Rule,
                reason: one.reason,
            });
            (rules, problems.collect())
        })
    }
}

impl Detection {
    /// Loads all of it. `is_own` says that some rules are the user's: then YARA rules are compiled
    /// at once, because mistakes are told before the work begins.
    pub(crate) fn load(
        read: Rules,
        is_own: bool,
        intel: IntelFiles,
        sources: &Sources,
    ) -> anyhow::Result<Self> {
        let mut problems = read.problems;
        let rules = data::rule_set(read.rules, sources);
        let (correlations, wrong) = Correlations::compile(rules.rules(), read.correlations);
        problems.extend(wrong.into_iter().map(|one| Problem::of(Cost::Correlation, one)));
        let yara = Yara { files: read.yara, compiled: OnceLock::new() };
        if is_own && !yara.files.is_empty() {
            problems.extend(yara.compiled().1.iter().cloned());
        }
        problems.sort();
        problems.dedup();
        data::tell_refused_indicators(&intel.problems);
        let indicators = IndicatorSet::compile(intel.indicators);
        let weights = data::weights()?;
        Ok(Detection { rules, correlations, indicators, weights, problems, yara })
    }

    /// The YARA rules, compiled.
    pub(crate) fn yara_rules(&self) -> &YaraRules {
        &self.yara.compiled().0
    }

    pub(crate) fn has_yara(&self) -> bool {
        !self.yara.files.is_empty()
    }

    /// Whether there is anything that could match.
    pub(crate) fn is_empty(&self) -> bool {
        self.rules.rules().is_empty() && !self.has_yara() && self.indicators.is_empty()
    }
}

/// What one thread keeps between records.
#[derive(Debug)]
pub(crate) struct Detector<'a> {
    pub(crate) with: &'a Detection,
    pub(crate) state: DetectState,
    /// Matches of rules that correlations name, in records without a time.
    pub(crate) untimed: u64,
    /// Indicators that events would meet but for the time in which they hold.
    pub(crate) expired: u64,
}

impl<'a> Detector<'a> {
    pub(crate) fn new(with: &'a Detection) -> Self {
        Detector { with, state: DetectState::default(), untimed: 0, expired: 0 }
    }

    /// The rules that a record meets, those that serve correlations alone among them.
    pub(crate) fn matches(&mut self, record: &Decoded<'_>) -> Vec<Match<'a>> {
        let mut found = Vec::new();
        self.with.rules.matches(&mut self.state, record, &mut |hit| found.push(hit));
        found
    }

    /// What correlations see of a match.
    pub(crate) fn hits(&mut self, found: &Match<'_>, record: &Decoded<'_>) -> Vec<CorrelationHit> {
        let wanted = self.with.correlations.wanted(found.index);
        if wanted.is_empty() {
            return Vec::new();
        }
        let Some(time) = record.event.time() else {
            self.untimed += wanted.len() as u64;
            return Vec::new();
        };
        let mut names: Vec<&str> = wanted
            .iter()
            .flat_map(|one| one.group_by.iter().chain(&one.fields))
            .map(String::as_str)
            .collect();
        names.sort_unstable();
        names.dedup();
        let texts: Vec<(&str, String)> = names
            .into_iter()
            .map(|name| {
                let value = self.with.rules.field_of(&mut self.state, found.index, record, name);
                (name, value.map(field_text).unwrap_or_default())
            })
            .collect();
        let field = |name: &str| {
            texts.iter().find(|pair| pair.0 == name).map(|pair| pair.1.clone()).unwrap_or_default()
        };
        let entities = entities_of(&record.event);
        wanted
            .iter()
            .map(|one| {
                let (identity, place) = (record.event.identity, reference(record));
                one.hit(time, identity, place, entities.clone(), &field)
            })
            .collect()
    }

    /// The indicators that a record meets, with their publishers' labels.
    pub(crate) fn indicators(&mut self, record: &Decoded<'_>) -> Vec<(Finding, &'a [String])> {
        let mut found = Vec::new();
        let with = self.with;
        self.expired += with.indicators.matches_record(record, &mut |one| {
            found.push((one.finding(record, &with.weights), one.indicator.labels.as_slice()));
        });
        found
    }

    /// The YARA rules that an attachment meets; what was not looked at is a defect.
    pub(crate) fn content(
        &self,
        content: &Content<'_>,
    ) -> (Vec<(Finding, YaraMatch)>, Vec<Defect>) {
        if !self.with.has_yara() {
            return (Vec::new(), Vec::new());
        }
        let rules = self.with.yara_rules();
        match rules.scan_named(content.name, content.bytes, YARA_PATIENCE) {
            Ok(found) => {
                let finding = |one: &YaraMatch| one.finding(content, self.weight(one.rule.level));
                (found.into_iter().map(|one| (finding(&one), one)).collect(), Vec::new())
            }
            Err(error) => (
                Vec::new(),
                vec![error.defect(&content.artifact.path, content.position, content.name)],
            ),
        }
    }

    /// The same for a whole file, if it is of no format that is read as records.
    pub(crate) fn file(
        &self,
        artifact: &Artifact,
        location: &Path,
    ) -> (Vec<(Finding, YaraMatch)>, Vec<Defect>) {
        if !self.with.has_yara() || artifact.kind != ArtifactKind::Unknown {
            return (Vec::new(), Vec::new());
        }
        let rules = self.with.yara_rules();
        let whole = |error: &YaraError| error.defect(&artifact.path, Position::Whole, "");
        match rules.scan_file_named(location, &artifact.path, YARA_PATIENCE) {
            Ok(scan) => {
                let defect = scan.unscanned().map(|detail| Defect {
                    file: artifact.path.clone(),
                    position: Position::Whole,
                    kind: DefectKind::Limit,
                    detail,
                });
                let finding =
                    |one: &YaraMatch| one.file_finding(artifact, self.weight(one.rule.level));
                let found = scan.matches.into_iter().map(|one| (finding(&one), one)).collect();
                (found, defect.into_iter().collect())
            }
            Err(error) => (Vec::new(), vec![whole(&error)]),
        }
    }

    fn weight(&self, level: Level) -> f64 {
        self.with.weights.level(level)
    }
}
