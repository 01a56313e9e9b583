//! The judgement in words. Likelihood and confidence never share a sentence, and every sentence that
//! claims something names the items that it rests on.

use super::{Hypothesis, Judgement, NONE};
use crate::incident::Class;
use crate::weights::AttributeWeights;
use crate::words::{Words, words};

/// So many items are named in the text; the list has all.
const NAMED_MAX: usize = 4;

fn leader(judgement: &Judgement) -> Option<&Hypothesis> {
    judgement.hypotheses.iter().find(|one| !one.classes.is_empty())
}

/// Whether a group leads, also over "none of them".
fn group_leads(judgement: &Judgement) -> bool {
    judgement.hypotheses.first().is_some_and(|first| !first.classes.is_empty())
}

fn word(one: &Hypothesis, judgement: &Judgement) -> Words {
    words(one.probability, judgement.cap.limit <= 0.55 && one.owner.is_some())
}

fn rests_on(one: &Hypothesis) -> String {
    let named: Vec<String> = one
        .evidence
        .iter()
        // When a group was active is weighed, and is no reason to name it.
        .filter(|item| item.weight_db > 0.0 && item.independence_group != "period")
        .take(NAMED_MAX)
        .map(|item| format!("{} ({:+.1} dB)", item.item, item.weight_db))
        .collect();
    if named.is_empty() { "nothing".to_owned() } else { named.join(", ") }
}

fn percent(share: f64) -> String {
    format!("{:.0} %", share * 100.0)
}

/// Droppings of single items that change the leader.
fn flips(judgement: &Judgement) -> Vec<&str> {
    let first = judgement.hypotheses.first().map(|one| one.name.as_str()).unwrap_or_default();
    judgement
        .sensitivity
        .iter()
        .filter(|one| !one.drop.starts_with("class: ") && !one.drop.starts_with("source: "))
        .filter(|one| one.leader != first)
        .map(|one| one.drop.as_str())
        .take(NAMED_MAX)
        .collect()
}

pub(super) fn english(judgement: &Judgement, numbers: &AttributeWeights) -> String {
    let mut text: Vec<String> = Vec::new();
    let [claims, right] = numbers.past_claims;
    if let Some(group) = leader(judgement) {
        if judgement.cap.is_soft && !judgement.cap.support.is_empty() {
            text.push(format!(
                "Only targets and methods support {}, namely {}. Of {claims:.0} comparable past claims {right:.0} were right; therefore no more than a roughly even chance is stated, and nobody is named.",
                group.name, rests_on(group)
            ));
        } else if group_leads(judgement) {
            text.push(format!(
                "It is {} that this was the group tracked as {} ({}, {} to {}). This rests on {}.",
                chance(word(group, judgement)),
                group.name,
                percent(group.probability),
                percent(group.low),
                percent(group.high),
                rests_on(group)
            ));
        }
        if !group_leads(judgement) {
            let open = judgement.hypotheses.iter().find(|one| one.name == NONE);
            text.push(format!(
                "No known group explains the evidence better than one that the knowledge does not have ({}); the nearest is {} ({}), by {}.",
                percent(open.map_or(0.0, |one| one.probability)),
                group.name,
                percent(group.probability),
                rests_on(group)
            ));
        } else if let Some(second) = judgement.hypotheses.get(1) {
            text.push(format!(
                "The next best explanation is {} ({}).",
                second.name,
                percent(second.probability)
            ));
        }
        if let Some(owner) = &group.owner {
            text.push(format!("{} is {owner}.", group.name));
        }
    } else {
        text.push("Nothing in the evidence is known of any group.".to_owned());
    }
    text.push(format!(
        "Confidence is {}: {}.",
        judgement.confidence.words().en,
        judgement.cap.reason
    ));
    let flips = flips(judgement);
    text.push(if flips.is_empty() {
        "No single item changes the leading explanation if it is false.".to_owned()
    } else {
        format!(
            "The leading explanation changes if any one of these is false: {}.",
            flips.join(", ")
        )
    });
    text.push("Whether a state is responsible is not judged.".to_owned());
    text.join(" ")
}

fn chance(word: Words) -> String {
    match word.en {
        "roughly even chance" | "almost no chance" => format!("a matter of {}", word.en),
        other => other.to_owned(),
    }
}

pub(super) fn japanese(judgement: &Judgement, numbers: &AttributeWeights) -> String {
    let mut text: Vec<String> = Vec::new();
    let [claims, right] = numbers.past_claims;
    if let Some(group) = leader(judgement) {
        if judgement.cap.is_soft && !judgement.cap.support.is_empty() {
            text.push(format!(
                "{}を示すのは攻撃対象と手口のみである(根拠: {})。同種の根拠による過去の判定{claims:.0}件のうち正解は{right:.0}件にとどまるため、五分五分を超える評価は行わず、特定の集団を名指ししない。",
                group.name, rests_on(group)
            ));
        } else if group_leads(judgement) {
            text.push(format!(
                "本件が{}として追跡される集団による{}(推定{}、幅{}~{})。根拠: {}。",
                group.name,
                likelihood(word(group, judgement)),
                percent(group.probability),
                percent(group.low),
                percent(group.high),
                rests_on(group)
            ));
        }
        if !group_leads(judgement) {
            let open = judgement.hypotheses.iter().find(|one| one.name == NONE);
            text.push(format!(
                "既知の集団よりも、知識にない集団とみるほうが妥当である({})。最も近いのは{}({}、根拠: {})。",
                percent(open.map_or(0.0, |one| one.probability)),
                group.name,
                percent(group.probability),
                rests_on(group)
            ));
        } else if let Some(second) = judgement.hypotheses.get(1) {
            let name = if second.name == NONE { "知識にない集団" } else { &second.name };
            text.push(format!("次点の説明は{name}({})。", percent(second.probability)));
        }
    } else {
        text.push("証拠のうち、既知の集団について知られているものはない。".to_owned());
    }
    let support: Vec<&str> = judgement.cap.support.iter().map(|class| class_ja(*class)).collect();
    text.push(format!(
        "確信度は{}(支持する区分: {})。",
        judgement.confidence.words().ja,
        if support.is_empty() { "なし".to_owned() } else { support.join("、") }
    ));
    let flips = flips(judgement);
    text.push(if flips.is_empty() {
        "単独で誤りであっても結論を変える項目はない。".to_owned()
    } else {
        format!("次のいずれか一つが誤りなら結論は変わる: {}。", flips.join("、"))
    });
    text.push("国家の責任については判断しない。".to_owned());
    text.concat()
}

/// `ほぼ確実である` follows a noun with another particle.
fn likelihood(word: Words) -> String {
    match word.ja.strip_prefix("可能性") {
        Some(rest) => format!("可能性{rest}"),
        None => format!("ことは{}", word.ja),
    }
}

fn class_ja(class: Class) -> &'static str {
    match class {
        Class::Targets => "攻撃対象",
        Class::Methods => "手口",
        Class::Infrastructure => "攻撃インフラ",
        Class::Code => "マルウェア",
        Class::Behaviour => "運用者の行動",
        Class::Other => "その他",
    }
}
