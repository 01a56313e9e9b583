//! What readers have in common: a draft is judged, dated and kept, or refused and named.

use makyo_base::{DAY_NS, parse_time, short_id};
use makyo_sigma::Diagnostic;

use super::guards::{Guards, Judgement};
use super::value::{IndicatorKind, IndicatorValue};
use super::{Indicator, Intel};

/// No infrastructure is held for longer; a longer window is a slip, or a publisher's "for ever".
const WINDOW_NS_MAX: i64 = 10 * 366 * DAY_NS;

/// Each of these alone is an indicator; within one, all values and the port are needed.
pub(super) type Alternatives = Vec<(Vec<IndicatorValue>, Option<u16>)>;

/// An indicator as a reader found it.
#[derive(Clone, Default, Debug)]
pub(super) struct Draft {
    pub(super) id: String,
    pub(super) title: String,
    pub(super) source: String,
    pub(super) alternatives: Alternatives,
    pub(super) from: String,
    pub(super) until: String,
    pub(super) confidence: Option<u8>,
    pub(super) labels: Vec<String>,
    pub(super) tactics: Vec<String>,
    pub(super) line: usize,
}

/// A file on its way in.
pub(super) struct Reading<'g> {
    pub(super) file: String,
    guards: &'g Guards,
    intel: Intel,
}

impl<'g> Reading<'g> {
    pub(super) fn new(file: &str, guards: &'g Guards) -> Self {
        Reading { file: file.to_owned(), guards, intel: Intel::default() }
    }

    pub(super) fn finish(mut self) -> Intel {
        self.intel.indicators.sort();
        self.intel.indicators.dedup();
        self.intel
    }

    /// Says that something is not used.
    pub(super) fn refuse(&mut self, line: usize, reason: String) {
        self.intel.problems.push(Diagnostic::at(line, reason).in_file(&self.file));
    }

    /// Keeps a draft as far as the guards let it.
    pub(super) fn keep(&mut self, draft: Draft) {
        let (from, until) = self.window(&draft);
        let techniques = techniques(&draft.labels);
        for (mut values, port) in draft.alternatives.iter().cloned() {
            let mut refused = Vec::new();
            let (mut is_good, mut is_shared) = (false, false);
            for value in &mut values {
                match self.guards.judge(value) {
                    Judgement::Good => is_good = true,
                    Judgement::Shared(as_host) => {
                        *value = as_host;
                        is_shared = true;
                    }
                    Judgement::Refused(reason) => refused.push(reason),
                }
            }
            // A value that is too common alone does no harm beside one that is not.
            if !is_good && !is_shared {
                let what = self.named(&draft);
                self.refuse(draft.line, format!("{what} is refused: {}", refused.join("; ")));
                continue;
            }
            values.sort();
            values.dedup();
            let shown: Vec<String> = values.iter().map(ToString::to_string).collect();
            let id = if draft.id.is_empty() {
                short_id("indicator", &[&draft.source, &shown.join(" "), &self.file])
            } else {
                draft.id.clone()
            };
            let title = if draft.title.is_empty() { shown.join(" ") } else { draft.title.clone() };
            self.intel.indicators.push(Indicator {
                id,
                values,
                port,
                title,
                source: if draft.source.is_empty() {
                    self.file.clone()
                } else {
                    draft.source.clone()
                },
                from,
                until,
                confidence: draft.confidence,
                labels: draft.labels.clone(),
                techniques: techniques.clone(),
                tactics: draft.tactics.clone(),
                shared: !is_good,
                file: self.file.clone(),
                line: draft.line,
            });
        }
    }

    fn named(&self, draft: &Draft) -> String {
        match (&draft.id, draft.alternatives.first().and_then(|one| one.0.first())) {
            (id, _) if !id.is_empty() => format!("indicator `{id}`"),
            (_, Some(value)) => format!("indicator `{value}`"),
            _ => "indicator".to_owned(),
        }
    }

    /// The window of a draft. A window that cannot be is dropped and said: the thing itself was
    /// seen, only when is not known.
    fn window(&mut self, draft: &Draft) -> (Option<i64>, Option<i64>) {
        let what = self.named(draft);
        let expires =
            draft.alternatives.iter().flat_map(|one| &one.0).any(|value| value.kind().expires());
        let mut doubt = |reason: String| {
            if expires {
                let message = format!("{what} is used as undated: {reason}");
                self.intel.problems.push(Diagnostic::at(draft.line, message).in_file(&self.file));
            }
            (None, None)
        };
        let mut times = [None, None];
        for (time, text) in times.iter_mut().zip([draft.from.trim(), draft.until.trim()]) {
            if text.is_empty() {
                continue;
            }
            *time = parse_time(text);
            if time.is_none() {
                return doubt(format!("its date cannot be read: `{text}`"));
            }
        }
        let [from, until] = times;
        if let (Some(from), Some(until)) = (from, until) {
            if until < from {
                return doubt(format!("it ends before it begins: `{}`", draft.until));
            }
            if until - from > WINDOW_NS_MAX {
                return doubt(format!("its window is longer than ten years: `{}`", draft.until));
            }
        }
        (from, until)
    }
}

/// The kind behind a word for it in any of the usual vocabularies.
pub(super) fn kind_of_word(word: &str) -> Option<IndicatorKind> {
    let word: String = word
        .chars()
        .filter(char::is_ascii_alphanumeric)
        .map(|letter| letter.to_ascii_lowercase())
        .collect();
    Some(match word.as_str() {
        "sha256" | "filehashsha256" | "hashsha256" => IndicatorKind::Sha256,
        "sha1" | "filehashsha1" | "hashsha1" => IndicatorKind::Sha1,
        "md5" | "filehashmd5" | "hashmd5" => IndicatorKind::Md5,
        "url" | "uri" | "link" => IndicatorKind::Url,
        "domain" | "domainname" | "hostname" | "host" | "fqdn" => IndicatorKind::Domain,
        "ip" | "ipv4" | "ipv6" | "ipaddress" | "address" | "ipv4addr" | "ipv6addr" | "ipsrc"
        | "ipdst" | "ipaddr" | "cidr" | "network" | "netblock" | "iprange" | "ipv4address"
        | "ipv6address" => IndicatorKind::Address,
        "emailaddress" | "email" | "emailsrc" | "emaildst" | "emailsender" | "sender"
        | "emailaddr" => IndicatorKind::EmailAddress,
        "emailsubject" | "subject" => IndicatorKind::EmailSubject,
        "filename" | "file" => IndicatorKind::FileName,
        "useragent" => IndicatorKind::UserAgent,
        _ => return None,
    })
}

/// ATT&CK techniques that labels name: `T1566.001`.
fn techniques(labels: &[String]) -> Vec<String> {
    let mut found = Vec::new();
    for word in labels.iter().flat_map(|label| {
        label.split(|letter: char| !letter.is_ascii_alphanumeric() && letter != '.')
    }) {
        let word = word.to_ascii_uppercase();
        let digits = |text: &str, count: usize| {
            text.len() == count && text.bytes().all(|byte| byte.is_ascii_digit())
        };
        let Some(number) = word.strip_prefix('T') else { continue };
        let is_technique = match number.split_once('.') {
            Some((main, sub)) => digits(main, 4) && digits(sub, 3),
            None => digits(number, 4),
        };
        if is_technique {
            found.push(word);
        }
    }
    found.sort();
    found.dedup();
    found
}
