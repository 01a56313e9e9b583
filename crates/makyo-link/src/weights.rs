//! The numbers of `knowledge/judgement.yml`.

use std::collections::BTreeMap;

use makyo_sigma::{Diagnostic, Node, load_yaml};

use crate::attribute::{Model, Sort};
use crate::incident::Class;

/// How one kind of evidence behaves.
#[derive(Clone, PartialEq, Debug)]
pub struct Kind {
    /// The name, such as `domain`.
    pub name: String,
    /// What it says something about.
    pub class: Class,
    /// Concentration of an operator's values: small where one operator keeps to few values.
    pub concentration: f64,
    /// How often an unrelated incident shows a value that was seen once, in pseudo-counts.
    pub unseen: f64,
    /// How many values of the kind the world is taken to have shown before the first incident.
    pub world: f64,
    /// The usual share of one value of the kind, for corpora too small to measure it.
    pub prevalence: f64,
    /// Share of the weight that counts: what looks like several witnesses is often one.
    pub temper: f64,
    /// The most that one incident's items of this kind can weigh, because they can be imitated.
    pub ceiling_db: f64,
    /// The most that sharing nothing of this kind can weigh against: new values are normal.
    pub floor_db: f64,
    /// How the incidents of one set count for prevalence: 0 as one, 1 each.
    pub spread: f64,
    /// Whether one shared value is an artefact that few can have by chance.
    pub is_specific: bool,
}

/// All numbers.
#[derive(Clone, PartialEq, Debug)]
pub struct Weights {
    /// Sorted by name.
    pub kinds: Vec<Kind>,
    /// How linking weighs.
    pub link: LinkWeights,
    /// Techniques that ATT&CK renumbered: from the old to the new number.
    pub renumbered: BTreeMap<String, String>,
    /// How hypotheses are weighed.
    pub attribute: AttributeWeights,
}

/// Numbers of judging who it was.
#[derive(Clone, PartialEq, Debug)]
pub struct AttributeWeights {
    /// The fitted model.
    pub model: Model,
    /// Priors for a group that the knowledge does not have; the middle one is reported, the others
    /// bound the interval.
    pub prior_none: [f64; 3],
    /// Priors for an imitation, likewise.
    pub imitation: [f64; 3],
    /// How easily what a class shows is imitated.
    pub forgeable: BTreeMap<Class, f64>,
    /// Greatest probabilities that are reported, from targets and methods alone to three classes.
    pub caps: [f64; 4],
    /// From where on a class supports a hypothesis, in decibans.
    pub support_db: f64,
    /// From where on a class contradicts it.
    pub veto_db: f64,
    /// How many past claims from targets and methods alone there were, and how many were right.
    pub past_claims: [f64; 2],
}

/// Numbers of linking.
#[derive(Clone, PartialEq, Debug)]
pub struct LinkWeights {
    /// What evidence must exceed before two incidents are one operator's, in decibans.
    pub threshold_db: f64,
    /// How much the size of a campaign speaks for one more member; 1 would be the Chinese
    /// restaurant process.
    pub size_temper: f64,
    /// Standard deviation of an operator's working hour, in hours.
    pub hours_deviation: f64,
    /// Chance that an operator's hour is not its usual one.
    pub hours_strays: f64,
    /// What two sets of three incidents and more must share beside targets and methods before they
    /// are one, in decibans.
    pub hard_db: f64,
    /// What all the rest of an incident must weigh for one hand with a published campaign before one
    /// artefact brings it in, in decibans.
    pub member_db: f64,
    /// From so many incidents on prevalence is measured alone.
    pub few_incidents: f64,
    /// How many values are added to a corpus of none.
    pub few_world: f64,
}

impl Weights {
    /// Reads the file.
    ///
    /// # Errors
    /// The first mistake.
    pub fn load(text: &str) -> Result<Self, Diagnostic> {
        let documents = load_yaml(text)?;
        let root = documents.first().ok_or_else(|| Diagnostic::at(1, "file is empty"))?;
        let mut kinds = Vec::new();
        for (name, node) in root.get("kinds").map(Node::entries).unwrap_or_default() {
            kinds.push(kind(name.text().unwrap_or_default(), node)?);
        }
        kinds.sort_by(|a, b| a.name.cmp(&b.name));
        let link = root.get("link").ok_or_else(|| missing(root, "link"))?;
        let renumbered = root.get("renumbered").map(Node::entries).unwrap_or_default();
        Ok(Weights {
            kinds,
            renumbered: renumbered
                .iter()
                .filter_map(|(old, new)| Some((old.text()?.to_owned(), new.text()?.to_owned())))
                .collect(),
            attribute: attribute(root.get("attribute").ok_or_else(|| missing(root, "attribute"))?)?,
            link: LinkWeights {
                threshold_db: number(link, "threshold_db")?,
                size_temper: number(link, "size_temper")?,
                hours_deviation: number(link, "hours_deviation")?,
                hours_strays: number(link, "hours_strays")?,
                hard_db: number(link, "hard_db")?,
                member_db: number(link, "member_db")?,
                few_incidents: number(link, "few_incidents")?,
                few_world: number(link, "few_world")?,
            },
        })
    }

    /// Where a kind stands.
    #[must_use]
    pub fn position(&self, name: &str) -> Option<usize> {
        self.kinds.binary_search_by(|kind| kind.name.as_str().cmp(name)).ok()
    }
}

fn missing(node: &Node, name: &str) -> Diagnostic {
    Diagnostic::at(node.line, format!("number is missing or no number: `{name}`"))
}

fn number(node: &Node, name: &str) -> Result<f64, Diagnostic> {
    node.get(name)
        .and_then(Node::text)
        .and_then(|text| text.parse::<f64>().ok())
        .filter(|number| number.is_finite())
        .ok_or_else(|| missing(node, name))
}

fn kind(name: &str, node: &Node) -> Result<Kind, Diagnostic> {
    let class = node.get("class").and_then(Node::text).and_then(Class::parse);
    Ok(Kind {
        name: name.to_owned(),
        class: class.ok_or_else(|| missing(node, "class"))?,
        concentration: number(node, "concentration")?,
        unseen: number(node, "unseen")?,
        world: number(node, "world")?,
        prevalence: number(node, "prevalence")?,
        temper: number(node, "temper")?,
        ceiling_db: number(node, "ceiling_db")?,
        floor_db: number(node, "floor_db")?,
        spread: number(node, "spread")?,
        is_specific: node.get("specific").and_then(Node::text) == Some("true"),
    })
}

fn numbers<const N: usize>(node: &Node, name: &str) -> Result<[f64; N], Diagnostic> {
    let found: Option<Vec<f64>> = node
        .get(name)
        .map(Node::items)
        .unwrap_or_default()
        .into_iter()
        .map(|one| one.text()?.parse::<f64>().ok().filter(|number| number.is_finite()))
        .collect();
    found.and_then(|found| <[f64; N]>::try_from(found).ok()).ok_or_else(|| missing(node, name))
}

fn attribute(node: &Node) -> Result<AttributeWeights, Diagnostic> {
    let sorts = node.get("coefficients").ok_or_else(|| missing(node, "coefficients"))?;
    let forgeable = node.get("forgeable").ok_or_else(|| missing(node, "forgeable"))?;
    Ok(AttributeWeights {
        model: Model {
            lambda: number(node, "lambda")?,
            alpha: number(node, "alpha")?,
            rho: number(node, "rho")?,
            sorts: Sort::ALL
                .into_iter()
                .map(|sort| Ok((sort, numbers(sorts, sort.word())?)))
                .collect::<Result<_, Diagnostic>>()?,
            none: numbers(node, "none")?,
        },
        prior_none: numbers(node, "prior_none")?,
        imitation: numbers(node, "imitation")?,
        forgeable: Class::ALL
            .into_iter()
            .map(|class| Ok((class, number(forgeable, class.word())?)))
            .collect::<Result<_, Diagnostic>>()?,
        caps: numbers(node, "caps")?,
        support_db: number(node, "support_db")?,
        veto_db: number(node, "veto_db")?,
        past_claims: numbers(node, "past_claims")?,
    })
}
