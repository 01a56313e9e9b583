//! Lures that must be found, and mail that only looks like one.

use crate::Weights;
use crate::mail::{DriftModel, MailMessage, verdicts};

const DAY: i64 = 24 * 3_600_000_000_000;
const START: i64 = 1_741_000_000_000_000_000;

/// A message as decoding would describe it.
struct Draft {
    from: &'static str,
    to: &'static str,
    at: i64,
    features: Vec<(&'static str, String)>,
    hop: &'static str,
}

impl Draft {
    fn new(from: &'static str, at: i64) -> Self {
        let plain = |text: &str| format!("\"{text}\"");
        let features = vec![
            ("client", plain("microsoft outlook")),
            ("version", plain("Microsoft Outlook 16.0")),
            ("order", plain("aaaa")),
            ("full_order", plain("bbbb")),
            ("spelling", plain("usual")),
            ("zone", plain("+0900")),
            ("id_shape", plain("th2")),
            ("id_domain", plain("institute.example")),
            ("type", plain("text/plain")),
            ("charset", plain("utf-8")),
            ("coding", plain("7bit")),
            ("spf", plain("pass")),
            ("dkim", plain("pass")),
            ("dmarc", plain("pass")),
            ("name", plain(from.split('@').next().unwrap_or_default())),
        ];
        Draft { from, to: "ando@agency.example", at: START + at, features, hop: "198.51.100" }
    }

    fn with(mut self, name: &'static str, value: &str) -> Self {
        self.features.retain(|feature| feature.0 != name);
        self.features.push((name, value.to_owned()));
        self
    }

    /// Another program at another place.
    fn elsewhere(mut self) -> Self {
        self.hop = "192.0.2";
        self.with("client", "\"em client\"")
            .with("version", "\"eM Client/10\"")
            .with("zone", "\"+0800\"")
            .with("order", "\"cccc\"")
            .with("id_shape", "\"h-1\"")
    }

    fn lure(self) -> Self {
        self.with("topics", "[\"taiwan\"]").with("calls", "[\"invitation\"]")
    }

    fn to(mut self, to: &'static str) -> Self {
        self.to = to;
        self
    }

    fn message(&self, number: usize) -> MailMessage {
        let fields: Vec<String> =
            self.features.iter().map(|(name, value)| format!("\"{name}\":{value}")).collect();
        let id = format!("{number}@mail.example");
        let message = MailMessage::new(&id, self.from, self.to, "Study group", self.at);
        let mut message = message.placed("m.mbox", number as u64, self.hop);
        message.take_features(&format!("{{{}}}", fields.join(",")));
        message
    }
}

fn judged(drafts: &[Draft]) -> Vec<(&'static str, f64, Vec<String>)> {
    let messages: Vec<MailMessage> =
        drafts.iter().enumerate().map(|(number, draft)| draft.message(number)).collect();
    let model = DriftModel::built_in().expect("the built-in model");
    let weights =
        Weights::load(include_str!("../../../../knowledge/weights.yml")).expect("weights");
    verdicts(&messages, &["agency.example".to_owned()], &model, &weights)
}

fn last(drafts: &[Draft]) -> (&'static str, f64, Vec<String>) {
    judged(drafts).pop().expect("a message")
}

const FRIEND: &str = "hayashi@institute.example";

fn history(count: i64) -> Vec<Draft> {
    (0..count).map(|day| Draft::new(FRIEND, day * DAY)).collect()
}

#[test]
fn a_friends_account_brings_a_shortcut() {
    let mut drafts = history(20);
    let facts = "[\"shortcut_in_container\",\"double_extension\"]";
    drafts.push(Draft::new(FRIEND, 30 * DAY).elsewhere().lure().with("facts", facts));
    let (verdict, _, reasons) = last(&drafts);
    assert_eq!(verdict, "malicious");
    assert!(reasons.iter().any(|one| one.contains("clock +0800 instead of +0900")), "{reasons:?}");
}

#[test]
fn a_friends_account_brings_a_link_and_its_password() {
    let mut drafts = history(20);
    drafts.push(Draft::new(FRIEND, 26 * DAY).elsewhere().lure());
    drafts.push(
        Draft::new(FRIEND, 30 * DAY)
            .elsewhere()
            .lure()
            .with("shares", "[\"files.share.example\"]")
            .with("file_links", "[\"https://files.share.example/d/panelists.zip\"]")
            .with("password", "true"),
    );
    let all = judged(&drafts);
    assert_eq!(all[21].0, "malicious", "{:?}", all[21]);
    assert_eq!(all[20].0, "suspicious", "the harmless question before it: {:?}", all[20]);
    assert!(all.iter().take(20).all(|one| one.0 == "clean"));
}

#[test]
fn the_same_lure_to_a_fourth_colleague_is_as_malicious_as_the_first() {
    const TO: &[&str] = &["ando@agency.example", "baba@agency.example", "chiba@agency.example"];
    let mut drafts = history(20);
    for (turn, to) in (0..).zip(TO) {
        let at = 30 * DAY + turn * 95_000_000_000;
        let lure = Draft::new(FRIEND, at).elsewhere().lure().to(to);
        let lure = lure.with("shares", "[\"files.share.example\"]");
        let links = "[\"https://files.share.example/d/panelists.zip\"]";
        drafts.push(lure.with("file_links", links).with("password", "true"));
    }
    let all = judged(&drafts);
    let lures: Vec<&str> = all.iter().skip(20).map(|one| one.0).collect();
    assert_eq!(lures, ["malicious"; 3], "{:?}", all.last());
}

#[test]
fn a_thin_history_is_said_to_be_thin() {
    let mut drafts = history(2);
    drafts.push(
        Draft::new(FRIEND, 5 * DAY)
            .elsewhere()
            .with("container", "true")
            .with("facts", "[\"shortcut_in_container\"]"),
    );
    let (verdict, _, reasons) = last(&drafts);
    assert_eq!(verdict, "malicious");
    assert!(reasons.iter().any(|one| one.contains("the history is thin: 2 earlier messages")));
}

#[test]
fn a_stranger_under_a_known_name_or_a_domain_like_a_known_one() {
    for from in ["hayashi@mailbox.example", "hayashi@lnstitute.example"] {
        let mut drafts = history(10);
        let facts = "[\"encrypted\",\"opened_with_password\",\"program_in_container\"]";
        drafts.push(Draft::new(from, 20 * DAY).with("facts", facts).with("container", "true"));
        assert_eq!(last(&drafts).0, "malicious", "{from}");
        drafts.pop();
        drafts.push(Draft::new(from, 20 * DAY));
        assert_eq!(last(&drafts).0, "clean", "without anything to open: {from}");
    }
}

#[test]
fn the_same_object_and_the_same_text_belong_to_the_lure() {
    let hashes = format!("[\"{}\"]", "ab".repeat(32));
    let mut drafts = history(10);
    let bad = "[\"shortcut_in_container\",\"shortcut_starts_interpreter\"]";
    drafts
        .push(Draft::new(FRIEND, 20 * DAY).elsewhere().with("facts", bad).with("hashes", &hashes));
    drafts.push(Draft::new("other@university.example", 21 * DAY).with("hashes", &hashes));
    assert_ne!(last(&drafts).0, "clean");
}

#[test]
fn mail_that_only_looks_like_a_lure_stays_quiet() {
    let newsletter = |day: i64| {
        Draft::new("news@forum.example", day * DAY)
            .lure()
            .with("list", "true")
            .with("shares", "[\"dropbox.com\"]")
            .with("foreign_hosts", "[\"dropbox.com\"]")
    };
    let invitation = || {
        Draft::new("secretariat@society.example", 22 * DAY)
            .lure()
            .with("container", "true")
            .with("kinds", "[\"zip\"]")
            .with("facts", "[\"encrypted\",\"opened_with_password\"]")
    };
    let locked = || {
        Draft::new("secretariat@society.example", 22 * DAY)
            .lure()
            .with("container", "true")
            .with("kinds", "[\"zip\"]")
            .with("facts", "[\"encrypted\"]")
            .with("unread", "true")
    };
    let phone = |from: &'static str, to: &'static str| {
        let mut draft = Draft::new(from, 25 * DAY)
            .elsewhere()
            .to(to)
            .with("client", "\"iphone mail\"")
            .with("zone", "\"+0100\"");
        draft.hop = "203.0.113";
        draft
    };
    let friend_with_archive = || {
        Draft::new(FRIEND, 25 * DAY)
            .lure()
            .with("container", "true")
            .with("kinds", "[\"zip\"]")
            .with("facts", "[\"encrypted\",\"opened_with_password\"]")
    };
    let forwarded = || {
        Draft::new(FRIEND, 25 * DAY).with("kinds", "[\"message\"]").with("subject_answers", "true")
    };
    for (what, draft) in [
        ("a newsletter on the same topic", newsletter(21)),
        ("a real invitation with a locked archive, opened", invitation()),
        ("a real invitation with a locked archive, closed", locked()),
        ("a friend writes from a journey with a telephone", phone(FRIEND, "ando@agency.example")),
        ("a colleague writes from a journey", phone("mori@agency.example", "ando@agency.example")),
        ("a friend sends a locked archive in the usual way", friend_with_archive()),
        ("a forwarded message", forwarded()),
        ("a first contact invites", Draft::new("desk@newspaper.example", 25 * DAY).lure()),
    ] {
        let mut drafts = history(20);
        drafts.extend((0..5).map(|day| Draft::new("mori@agency.example", day * DAY)));
        drafts.sort_by_key(|draft| draft.at);
        drafts.push(draft);
        let (verdict, score, reasons) = last(&drafts);
        assert_eq!(verdict, "clean", "{what}: {score} {reasons:?}");
    }
}

#[test]
fn a_new_machine_that_stays_is_learnt() {
    let mut drafts = history(20);
    drafts.extend((0..20).map(|day| Draft::new(FRIEND, (25 + day) * DAY).elsewhere()));
    drafts.push(
        Draft::new(FRIEND, 50 * DAY)
            .elsewhere()
            .with("container", "true")
            .with("kinds", "[\"zip\"]")
            .with("facts", "[\"encrypted\"]"),
    );
    let all = judged(&drafts);
    assert!(all.iter().all(|one| one.0 == "clean"), "{:?}", all.last());
}

#[test]
fn the_order_of_equal_evidence_does_not_matter() {
    let mut drafts = history(20);
    drafts.push(Draft::new(FRIEND, 30 * DAY).elsewhere().with("facts", "[\"shortcut\"]"));
    let once = judged(&drafts);
    assert_eq!(once, judged(&drafts));
}
