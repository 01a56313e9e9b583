//! Targeted mail: lures that come from real, taken-over accounts of people whom the recipient knows.
//!
//! That a message passes every check of its address says that it came through its sender's account,
//! and nothing of who wrote it. So each message is put against the past of its sender (program,
//! clock, network, form), of its recipients (who is known here, what was said) and against what it
//! brings. What belongs together counts together, and how a message is written accuses nobody
//! without something to open.

pub(crate) mod evidence;
pub(crate) mod judge;
pub(crate) mod message;
pub(crate) mod model;
pub(crate) mod profile;
pub(crate) mod scale;
pub(crate) mod wave;

use makyo_base::{Finding, Level, Organisation, Places, Query, QueryError};

use self::judge::{Judgement, Mailbox, Verdict};
use self::message::MailMessage;
use self::model::DriftModel;
use self::scale::MailScale;
use super::Analytic;
use crate::weights::Weights;

pub(super) const ANALYTIC: Analytic = Analytic {
    id: "targeted_mail",
    title: "Targeted mail",
    level: Level::High,
    techniques: &["T1566"],
    tactics: &["initial-access"],
    run,
};

pub(super) const ATTACHMENT: Analytic = Analytic {
    id: "mail_attachment",
    title: "An attachment that does what documents do not",
    level: Level::High,
    techniques: &["T1566.001"],
    tactics: &["initial-access"],
    run: nothing,
};

pub(super) const TAKEN_OVER: Analytic = Analytic {
    id: "mail_sender_taken_over",
    title: "The account of a correspondent is probably used by somebody else",
    level: Level::Medium,
    techniques: &["T1586.002"],
    tactics: &["resource-development"],
    run: nothing,
};

pub(super) const OPENED: Analytic = Analytic {
    id: "mail_reached_host",
    title: "A host shows what a message brought",
    level: Level::High,
    techniques: &["T1204"],
    tactics: &["execution"],
    run: nothing,
};

/// The other findings are made with the first one's.
fn nothing(
    _: &Analytic,
    _: &dyn Query,
    _: &Organisation,
    _: &Weights,
    _places: &dyn Places,
    _found: &[Finding],
) -> Result<Vec<Finding>, QueryError> {
    Ok(Vec::new())
}

const SQL: &str = "
    SELECT coalesce(email_from, '') AS sender, coalesce(email_to, '') AS recipients,
           coalesce(email_message_uid, '') AS message, coalesce(email_subject, '') AS subject,
           coalesce(src_endpoint_ip, '') AS hop, makyo_features AS features,
           CAST(time AS BIGINT) AS at, file, record
    FROM events WHERE makyo_features IS NOT NULL AND time IS NOT NULL AND email_from IS NOT NULL
    ORDER BY at, file, record";

fn messages(query: &dyn Query) -> Result<Vec<MailMessage>, QueryError> {
    let rows = query.query(SQL)?;
    let mut found = Vec::new();
    for row in rows.iter() {
        let place = row.reference();
        let text = |column: &str| row.text(column).unwrap_or_default();
        let at = row.integer("at").unwrap_or_default();
        let hop = network(text("hop"));
        let message = MailMessage::new(
            text("message"),
            text("sender"),
            text("recipients"),
            text("subject"),
            at,
        );
        let mut message = message.placed(&place.file, place.record, &hop);
        message.take_features(row.text("features").unwrap_or_default());
        found.push(message);
    }
    Ok(found)
}

/// The /24 or /48 of an address: hosts of one network are one place.
fn network(address: &str) -> String {
    let separator = if address.contains(':') { ':' } else { '.' };
    address.split(separator).take(3).collect::<Vec<_>>().join(&separator.to_string())
}

fn run(
    _: &Analytic,
    query: &dyn Query,
    organisation: &Organisation,
    weights: &Weights,
    _places: &dyn Places,
    _found: &[Finding],
) -> Result<Vec<Finding>, QueryError> {
    let scale = weights.mail();
    let all = messages(query)?;
    // The built-in model is read by a test; without one nobody drifts.
    let model = DriftModel::built_in().unwrap_or_default();
    let mut made = judge_all(&all, &organisation.domains, &model, scale);
    evidence::outcomes(query, &all, &mut made, scale)?;
    evidence::findings(query, &all, &made, scale)
}

/// Judges messages in the order in which they came, then what belongs to the same lure.
pub(crate) fn judge_all(
    all: &[MailMessage],
    own_domains: &[String],
    model: &DriftModel,
    scale: &MailScale,
) -> Vec<Judgement> {
    let mut mailbox = Mailbox::new(own_domains, all);
    let mut made: Vec<Judgement> = Vec::with_capacity(all.len());
    for message in all {
        let judgement = mailbox.judge(message, model, scale);
        mailbox.remember(message, &judgement);
        made.push(judgement);
    }
    wave::join(all, &mut made, scale);
    made
}

/// Verdict and reasons of each message, for those who measure.
#[must_use]
pub fn verdicts(
    all: &[MailMessage],
    own_domains: &[String],
    model: &DriftModel,
    weights: &Weights,
) -> Vec<(&'static str, f64, Vec<String>)> {
    let scale = weights.mail();
    let made = judge_all(all, own_domains, model, scale);
    made.iter()
        .map(|one| {
            let word = match one.verdict(scale) {
                Verdict::Malicious => "malicious",
                Verdict::Suspicious => "suspicious",
                Verdict::Clean => "clean",
            };
            (word, one.weight(scale), one.reasons())
        })
        .collect()
}
