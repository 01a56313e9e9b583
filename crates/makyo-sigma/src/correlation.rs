//! Correlations: what several matches say together that none of them says alone.

use makyo_base::{DAY_NS, HOUR_NS, Level, MINUTE_NS, SECOND_NS};

use crate::condition::Condition;
use crate::diagnostic::Diagnostic;
use crate::document::Reference;
use crate::filter::references;
use crate::pattern::{Anchor, Pattern, pieces};
use crate::rule::level;
use crate::yaml::{Node, NodeData};

/// A correlation (Sigma Correlation Rules Specification).
#[derive(Clone, PartialEq, Debug)]
pub struct Correlation {
    /// File that it was read from.
    pub file: String,
    /// Line on which it begins.
    pub line: usize,
    /// Its id; the title's where it has none.
    pub id: String,
    /// Its `name`, by which other correlations may speak of it.
    pub name: Option<String>,
    /// Its title.
    pub title: String,
    /// Its level; none where the rules' own count.
    pub level: Option<Level>,
    /// Its status.
    pub status: String,
    /// Its description.
    pub description: String,
    /// Its tags.
    pub tags: Vec<String>,
    /// Benign explanations that its author names.
    pub false_positives: Vec<String>,
    /// What it looks for.
    pub kind: CorrelationKind,
    /// The rules or correlations whose matches it sees.
    pub rules: Vec<Reference>,
    /// Fields that must be equal among the matches.
    pub group_by: Vec<String>,
    /// Names in `group_by` that stand for another field in each rule.
    pub aliases: Vec<Alias>,
    /// How far apart the first and the last match may be, in nanoseconds.
    pub timespan_ns: i64,
    /// Whether the rules that it names still yield matches of their own.
    pub generate: bool,
    /// SHA-256 of its content.
    pub(crate) digest: [u8; 32],
}

/// A name for a field that is called differently in each rule's records.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Alias {
    /// Line, counted from 1.
    pub line: usize,
    /// The name.
    pub name: String,
    /// For each rule its field.
    pub fields: Vec<(Reference, String)>,
}

/// What a correlation looks for.
#[derive(Clone, PartialEq, Debug)]
pub enum CorrelationKind {
    /// `event_count`: how many matches.
    EventCount(Vec<Bound>),
    /// `value_count`: how many distinct values of these fields.
    ValueCount {
        /// The fields whose values are counted, together where there are several.
        fields: Vec<String>,
        /// What the count must be.
        bounds: Vec<Bound>,
    },
    /// `value_sum`, `value_avg`, `value_median`, `value_percentile`: a measure of one field's
    /// numbers.
    Value {
        /// The measure.
        measure: Measure,
        /// The field.
        field: String,
        /// What the measure must be.
        bounds: Vec<Bound>,
    },
    /// `temporal`: which rules matched, in any order.
    Temporal(Presence),
    /// `temporal_ordered`: all rules matched, in the order in which they are named.
    TemporalOrdered,
}

/// A measure of the numbers in a timespan.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Measure {
    /// Their sum.
    Sum,
    /// Their mean.
    Average,
    /// The number in the middle, or the mean of the two in the middle.
    Median,
    /// The percentile by nearest rank: the least number that so many percent of all numbers, 1 to
    /// 100, do not exceed.
    Percentile(u8),
}

/// Which rules must have matched within a timespan.
#[derive(Clone, PartialEq, Debug)]
pub enum Presence {
    /// So many different ones.
    Count(Vec<Bound>),
    /// An expression over places in the correlation's list of rules.
    Expression(Expression),
}

/// A condition over the rules of a correlation, by their places in its list.
#[derive(Clone, PartialEq, Eq, Debug)]
pub enum Expression {
    /// The rule matched.
    Rule(usize),
    /// All hold.
    And(Vec<Expression>),
    /// One holds.
    Or(Vec<Expression>),
    /// It does not hold.
    Not(Box<Expression>),
    /// So many of these rules matched.
    AtLeast(usize, Vec<usize>),
}

/// How a number is compared.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Comparison {
    /// `gt`.
    Greater,
    /// `gte`.
    GreaterEqual,
    /// `lt`.
    Less,
    /// `lte`.
    LessEqual,
    /// `eq`.
    Equal,
    /// `neq`.
    NotEqual,
}

/// One comparison of a correlation's condition.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Bound {
    /// How it is compared.
    pub comparison: Comparison,
    /// With what.
    pub number: Decimal,
}

/// A number in billionths: sums of it are exact in any order, which sums of floats are not.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Debug, Default)]
pub struct Decimal(pub i128);

impl Decimal {
    /// One.
    pub const ONE: i128 = 1_000_000_000;

    /// Numbers beyond this are none that a log writes; below it, sums of more records than fit on
    /// any disk stay within 128 bits.
    const MAX: f64 = 18_446_744_073_709_551_616.0;

    /// Reads a number, decimal or hexadecimal with `0x`.
    #[must_use]
    pub fn parse(text: &str) -> Option<Self> {
        let text = text.trim();
        if let Ok(whole) = text.parse::<i64>() {
            return Some(Decimal(i128::from(whole) * Self::ONE));
        }
        let number = crate::predicate::number(text).filter(|number| number.abs() <= Self::MAX)?;
        #[allow(clippy::cast_possible_truncation, reason = "within the bound above")]
        let fraction = (number.fract() * 1e9).round() as i128;
        #[allow(clippy::cast_possible_truncation, reason = "within the bound above")]
        let whole = number.trunc() as i128;
        Some(Decimal(whole * Self::ONE + fraction))
    }

    /// A count as a number.
    #[must_use]
    pub fn count(count: usize) -> Self {
        Decimal(i128::try_from(count).unwrap_or_default() * Self::ONE)
    }
}

impl std::fmt::Display for Decimal {
    fn fmt(&self, to: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let sign = if self.0 < 0 { "-" } else { "" };
        let one = Self::ONE.unsigned_abs();
        let (whole, rest) = (self.0.unsigned_abs() / one, self.0.unsigned_abs() % one);
        let fraction = format!(".{rest:09}");
        write!(to, "{sign}{whole}{}", fraction.trim_end_matches('0').trim_end_matches('.'))
    }
}

impl Bound {
    /// Whether a number is within it.
    #[must_use]
    pub fn holds(&self, number: Decimal) -> bool {
        match self.comparison {
            Comparison::Greater => number > self.number,
            Comparison::GreaterEqual => number >= self.number,
            Comparison::Less => number < self.number,
            Comparison::LessEqual => number <= self.number,
            Comparison::Equal => number == self.number,
            Comparison::NotEqual => number != self.number,
        }
    }

    /// Whether a number that can only grow is large enough, or has no least size to reach.
    #[must_use]
    pub fn is_reached(&self, number: Decimal) -> bool {
        match self.comparison {
            Comparison::Greater => number > self.number,
            Comparison::GreaterEqual | Comparison::Equal => number >= self.number,
            Comparison::Less | Comparison::LessEqual | Comparison::NotEqual => true,
        }
    }
}

impl Expression {
    /// Whether it holds where these rules matched.
    pub fn holds(&self, matched: &dyn Fn(usize) -> bool) -> bool {
        match self {
            Expression::Rule(place) => matched(*place),
            Expression::And(list) => list.iter().all(|one| one.holds(matched)),
            Expression::Or(list) => list.iter().any(|one| one.holds(matched)),
            Expression::Not(inner) => !inner.holds(matched),
            Expression::AtLeast(count, places) => {
                places.iter().filter(|place| matched(**place)).count() >= *count
            }
        }
    }

    /// Whether it asks that something did not happen.
    #[must_use]
    pub fn has_not(&self) -> bool {
        match self {
            Expression::Rule(_) | Expression::AtLeast(..) => false,
            Expression::And(list) | Expression::Or(list) => list.iter().any(Expression::has_not),
            Expression::Not(_) => true,
        }
    }
}

/// Collects the mistakes of one document, so that all are told at once.
struct Reader<'a> {
    document: &'a Node,
    block: &'a Node,
    problems: Vec<Diagnostic>,
}

/// Reads a correlation's document.
pub(crate) fn correlation(file: &str, document: &Node) -> Result<Correlation, Vec<Diagnostic>> {
    let nothing = Node { line: document.line, data: NodeData::Map(Vec::new()) };
    let block = document.get("correlation").unwrap_or(&nothing);
    let mut reader = Reader { document, block, problems: Vec::new() };
    let title = document.get_text("title").unwrap_or_default();
    if title.is_empty() {
        reader.tell(document.line, "correlation has no `title`");
    }
    let known = ["type", "rules", "group-by", "aliases", "timespan", "condition", "generate"];
    reader.problems.extend(block.unknown_keys(&known));
    let level = level(document).map_err(|problem| reader.problems.push(problem));
    let rules = reader.rules();
    let kind = reader.kind(&rules);
    let timespan_ns = reader.timespan();
    let aliases = reader.aliases();
    let generate = reader.generate();
    match (kind, timespan_ns, level) {
        (Some(kind), Some(timespan_ns), Ok(level)) if reader.problems.is_empty() => {
            Ok(Correlation {
                file: file.to_owned(),
                line: document.line,
                id: document.get_text("id").unwrap_or(title).to_owned(),
                name: document.get_text("name").map(str::to_owned),
                title: title.to_owned(),
                level,
                status: document.get_text("status").unwrap_or_default().to_owned(),
                description: document.get_text("description").unwrap_or_default().trim().to_owned(),
                tags: document.get_texts("tags"),
                false_positives: document.get_texts("falsepositives"),
                kind,
                rules,
                group_by: block.get_texts("group-by"),
                aliases,
                timespan_ns,
                generate,
                digest: document.digest(),
            })
        }
        _ => Err(reader.problems),
    }
}

impl<'a> Reader<'a> {
    fn tell(&mut self, line: usize, message: impl Into<String>) {
        self.problems.push(Diagnostic::at(line, message));
    }

    fn missing(&mut self, key: &str) {
        self.tell(self.block.line, format!("correlation has no `{key}`"));
    }

    fn rules(&mut self) -> Vec<Reference> {
        let Some(node) = self.block.get("rules").filter(|node| !node.is_null()) else {
            self.missing("rules");
            return Vec::new();
        };
        let rules = references(node).unwrap_or_else(|problem| {
            self.problems.push(problem);
            Vec::new()
        });
        for (index, rule) in rules.iter().enumerate() {
            if rules.iter().take(index).any(|before| before.name == rule.name) {
                self.tell(rule.line, format!("correlation names a rule twice: `{}`", rule.name));
            }
        }
        rules
    }

    fn kind(&mut self, rules: &[Reference]) -> Option<CorrelationKind> {
        let Some(word) = self.block.get_text("type") else {
            self.missing("type");
            return None;
        };
        match word {
            "event_count" => {
                self.refuse_keys(&["field", "percentile"]);
                let bounds = self.bounds(true)?;
                Some(CorrelationKind::EventCount(bounds))
            }
            "value_count" => {
                self.refuse_keys(&["percentile"]);
                let fields = self.fields();
                let bounds = self.bounds(true)?;
                Some(CorrelationKind::ValueCount { fields, bounds })
            }
            "value_sum" => self.value(Some(Measure::Sum)),
            "value_avg" => self.value(Some(Measure::Average)),
            "value_median" => self.value(Some(Measure::Median)),
            "value_percentile" => {
                let measure = self.percentile().map(Measure::Percentile);
                self.value(measure)
            }
            "temporal" => self.presence(rules).map(CorrelationKind::Temporal),
            "temporal_ordered" => self.ordered(rules.len()),
            other => {
                let line = self.block.get("type").map_or(self.block.line, |node| node.line);
                self.tell(line, format!("correlation is of no known type: `{other}`"));
                None
            }
        }
    }

    fn value(&mut self, measure: Option<Measure>) -> Option<CorrelationKind> {
        if !matches!(measure, Some(Measure::Percentile(_))) {
            self.refuse_keys(&["percentile"]);
        }
        let mut fields = self.fields();
        if fields.len() > 1 {
            self.tell(self.block.line, "a measure is of one `field`");
        }
        let bounds = self.bounds(false)?;
        Some(CorrelationKind::Value { measure: measure?, field: fields.pop()?, bounds })
    }

    fn condition(&self) -> Option<&'a Node> {
        self.block.get("condition").filter(|node| !node.is_null())
    }

    fn refuse_keys(&mut self, keys: &[&str]) {
        for key in keys {
            if let Some(node) = self.condition().and_then(|condition| condition.get(key)) {
                self.tell(node.line, format!("condition of this type has no `{key}`"));
            }
        }
    }

    fn fields(&mut self) -> Vec<String> {
        let fields = self.condition().map(|node| node.get_texts("field")).unwrap_or_default();
        if fields.is_empty() {
            self.tell(self.block.line, "condition has no `field`");
        }
        fields
    }

    fn percentile(&mut self) -> Option<u8> {
        let text = self.condition().and_then(|node| node.get_text("percentile"));
        let number = text.and_then(|text| text.parse::<u8>().ok());
        let found = number.filter(|number| (1..=100).contains(number));
        if found.is_none() {
            self.tell(self.block.line, "condition has no `percentile`, a whole number of 1 to 100");
        }
        found
    }

    /// The comparisons of a condition; of a count, they must be ones that some match can meet.
    fn bounds(&mut self, is_count: bool) -> Option<Vec<Bound>> {
        let Some(condition) = self.condition() else {
            self.missing("condition");
            return None;
        };
        if !condition.is_map() {
            self.tell(condition.line, "condition of this type is a mapping such as `gte: 10`");
            return None;
        }
        let mut bounds = Vec::new();
        for (key, value) in condition.entries() {
            let word = key.text().unwrap_or_default();
            let Some(comparison) = comparison(word) else {
                if !matches!(word, "field" | "percentile") {
                    self.tell(key.line, format!("condition has an unknown key: `{word}`"));
                }
                continue;
            };
            match value.text().and_then(Decimal::parse) {
                Some(number) => bounds.push(Bound { comparison, number }),
                None => self.tell(value.line, format!("`{word}` takes a number")),
            }
        }
        if bounds.is_empty() {
            self.tell(
                condition.line,
                "condition has none of `gt`, `gte`, `lt`, `lte`, `eq`, `neq`",
            );
        } else if is_count && !some_count_meets(&bounds) {
            let message = "condition holds for no number of matches; \
                           what did not happen at all has neither a time nor a group";
            self.tell(condition.line, message);
        }
        Some(bounds)
    }

    fn presence(&mut self, rules: &[Reference]) -> Option<Presence> {
        let Some(condition) = self.condition() else {
            return Some(Presence::Count(all_of(rules.len())));
        };
        let Some(text) = condition.text() else {
            self.refuse_keys(&["field", "percentile"]);
            let bounds = self.bounds(true)?;
            if !(1..=rules.len()).any(|count| meets(&bounds, count)) {
                let message = "condition holds for no number of the rules that are named";
                self.tell(condition.line, message);
            }
            return Some(Presence::Count(bounds));
        };
        let parsed = Condition::parse(text, condition.line)
            .and_then(|parsed| expression(&parsed, rules, condition.line));
        let expression = parsed.map_err(|problem| self.problems.push(problem)).ok()?;
        if expression.holds(&|_| false) {
            let message = "condition holds where no rule matched; \
                           what did not happen at all has neither a time nor a group";
            self.tell(condition.line, message);
        }
        Some(Presence::Expression(expression))
    }

    fn ordered(&mut self, count: usize) -> Option<CorrelationKind> {
        let Some(condition) = self.condition() else {
            return Some(CorrelationKind::TemporalOrdered);
        };
        if condition.text().is_some() {
            let message = "an expression gives no order: use `temporal`, or leave `condition` out";
            self.tell(condition.line, message);
            return None;
        }
        let bounds = self.bounds(true)?;
        // Which rules may be missing from an order, the specification does not say.
        if !meets(&bounds, count) || (1..count).any(|fewer| meets(&bounds, fewer)) {
            self.tell(condition.line, "an order is of all its rules: leave `condition` out");
        }
        Some(CorrelationKind::TemporalOrdered)
    }

    fn timespan(&mut self) -> Option<i64> {
        let Some(text) = self.block.get_text("timespan") else {
            self.missing("timespan");
            return None;
        };
        let found = timespan(text);
        if found.is_none() {
            let line = self.block.get("timespan").map_or(self.block.line, |node| node.line);
            let message = format!("timespan is a number and one of s, m, h, d, w, M, y: `{text}`");
            self.tell(line, message);
        }
        found
    }

    fn aliases(&mut self) -> Vec<Alias> {
        let Some(node) = self.block.get("aliases").filter(|node| !node.is_null()) else {
            return Vec::new();
        };
        let mut found = Vec::new();
        for (key, fields) in node.entries() {
            let name = key.text().unwrap_or_default().to_owned();
            let mut alias = Alias { line: key.line, name, fields: Vec::new() };
            for (rule, field) in fields.entries() {
                let reference =
                    Reference { line: rule.line, name: rule.text().unwrap_or_default().to_owned() };
                alias.fields.extend(field.text().map(|field| (reference, field.to_owned())));
            }
            if alias.fields.is_empty() {
                self.tell(key.line, format!("alias names no fields: `{}`", alias.name));
            }
            found.push(alias);
        }
        if found.is_empty() {
            self.tell(node.line, "`aliases` is a mapping of names to rules and their fields");
        }
        found
    }

    /// The specification has `generate` beside `correlation`, older texts have it inside.
    fn generate(&mut self) -> bool {
        let node = self.document.get("generate").or_else(|| self.block.get("generate"));
        let Some(node) = node else { return false };
        node.boolean().unwrap_or_else(|| {
            self.tell(node.line, "`generate` takes true or false");
            false
        })
    }
}

fn comparison(word: &str) -> Option<Comparison> {
    Some(match word {
        "gt" => Comparison::Greater,
        "gte" => Comparison::GreaterEqual,
        "lt" => Comparison::Less,
        "lte" => Comparison::LessEqual,
        "eq" => Comparison::Equal,
        "neq" => Comparison::NotEqual,
        _ => return None,
    })
}

fn all_of(count: usize) -> Vec<Bound> {
    vec![Bound { comparison: Comparison::GreaterEqual, number: Decimal::count(count) }]
}

fn meets(bounds: &[Bound], count: usize) -> bool {
    bounds.iter().all(|bound| bound.holds(Decimal::count(count)))
}

/// Whether a count of one or more can meet all bounds. Between two bounds all counts behave alike,
/// so those next to each bound stand for all.
fn some_count_meets(bounds: &[Bound]) -> bool {
    let near = |bound: &Bound| {
        let whole = bound.number.0.div_euclid(Decimal::ONE);
        (whole - 1..=whole + 2).map(|count| Decimal(count * Decimal::ONE))
    };
    bounds
        .iter()
        .flat_map(near)
        .chain([Decimal::count(1)])
        .filter(|count| *count >= Decimal::count(1))
        .any(|count| bounds.iter().all(|bound| bound.holds(count)))
}

fn expression(
    condition: &Condition,
    rules: &[Reference],
    line: usize,
) -> Result<Expression, Diagnostic> {
    let list = |conditions: &[Condition]| {
        conditions.iter().map(|one| expression(one, rules, line)).collect::<Result<Vec<_>, _>>()
    };
    let unknown = |name: &str| {
        Diagnostic::at(line, format!("condition names a rule that `rules` does not: `{name}`"))
    };
    match condition {
        Condition::Name(name) => {
            let place = rules.iter().position(|rule| rule.name == *name);
            place.map(Expression::Rule).ok_or_else(|| unknown(name))
        }
        Condition::And(conditions) => Ok(Expression::And(list(conditions)?)),
        Condition::Or(conditions) => Ok(Expression::Or(list(conditions)?)),
        Condition::Not(inner) => Ok(Expression::Not(Box::new(expression(inner, rules, line)?))),
        Condition::Of(count, names) => {
            let is_all = names.eq_ignore_ascii_case("them");
            let pattern = Pattern::new(pieces(names), Anchor::Whole, true);
            let places: Vec<usize> = rules
                .iter()
                .enumerate()
                .filter(|(_, rule)| is_all || pattern.fits(&rule.name))
                .map(|(place, _)| place)
                .collect();
            if places.is_empty() {
                return Err(unknown(names));
            }
            Ok(Expression::AtLeast(count.unwrap_or(places.len()), places))
        }
    }
}

/// Reads `10m`. A month and a year are the mean ones of the Gregorian calendar, 30.436875 and
/// 365.2425 days: the specification leaves them open, and a span needs one length.
fn timespan(text: &str) -> Option<i64> {
    const YEAR_NS: i64 = 31_556_952 * SECOND_NS;
    let mut digits = text.trim().chars();
    let unit = match digits.next_back()? {
        's' => SECOND_NS,
        'm' => MINUTE_NS,
        'h' => HOUR_NS,
        'd' => DAY_NS,
        'w' => 7 * DAY_NS,
        'M' => YEAR_NS / 12,
        'y' => YEAR_NS,
        _ => return None,
    };
    let count = digits.as_str();
    if !count.bytes().all(|byte| byte.is_ascii_digit()) {
        return None;
    }
    count.parse::<i64>().ok()?.checked_mul(unit).filter(|span| *span > 0)
}
