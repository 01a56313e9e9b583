//! What must not be matched, or only with care, whatever a published list says.

use std::collections::{BTreeMap, BTreeSet};
use std::net::IpAddr;

use ipnet::IpNet;
use makyo_base::{AddressScope, address_scope};
use makyo_sigma::{Diagnostic, Node, load_yaml};

use super::value::{IndicatorKind, IndicatorValue};

/// A wider IPv4 network has more tenants than one publisher can have seen.
const V4_PREFIX_MIN: u8 = 16;
/// A wider IPv6 network is a whole provider's.
const V6_PREFIX_MIN: u8 = 32;
/// Endings that only inside names have.
const INSIDE_ENDINGS: &[&str] =
    &["arpa", "corp", "home", "internal", "intranet", "lan", "local", "localdomain", "localhost"];

/// The allow-list and the shared parents.
#[derive(Clone, PartialEq, Eq, Debug, Default)]
pub struct Guards {
    /// Shared parents with their kind: dynamic DNS, hosting, ...
    shared: BTreeMap<String, String>,
    allowed: BTreeSet<IndicatorValue>,
    networks: Vec<IpNet>,
    internal: bool,
}

/// What the guards say of one value.
#[derive(Clone, PartialEq, Eq, Debug)]
pub(super) enum Judgement {
    /// It tells one owner from others.
    Good,
    /// Strangers share it; the value is what may be matched instead.
    Shared(IndicatorValue),
    /// It is not used.
    Refused(String),
}

impl Guards {
    /// Reads `shared-parents.yml` and `allow-list.yml`.
    ///
    /// # Errors
    /// All mistakes of both texts.
    pub fn load(shared_parents: &str, allow_list: &str) -> Result<Self, Vec<Diagnostic>> {
        let mut guards = Guards::default();
        let mut problems = Vec::new();
        let file = "knowledge/shared-parents.yml";
        match load_yaml(shared_parents) {
            Ok(documents) => {
                for (kind, names) in documents.iter().flat_map(Node::entries) {
                    let kind = kind.text().unwrap_or_default();
                    for name in names.items() {
                        match value(IndicatorKind::Domain, name) {
                            Ok(IndicatorValue::Domain(name)) => {
                                guards.shared.insert(name, kind.replace('_', " "));
                            }
                            Ok(_) => {}
                            Err(problem) => problems.push(problem.in_file(file)),
                        }
                    }
                }
            }
            Err(problem) => problems.push(problem.in_file(file)),
        }
        if let Err(found) = guards.merge_allow_list("knowledge/allow-list.yml", allow_list) {
            problems.extend(found);
        }
        if problems.is_empty() { Ok(guards) } else { Err(problems) }
    }

    /// Adds another allow-list, such as the user's own.
    ///
    /// # Errors
    /// All mistakes of the text; its other entries are added all the same.
    pub fn merge_allow_list(&mut self, file: &str, text: &str) -> Result<(), Vec<Diagnostic>> {
        let documents = load_yaml(text).map_err(|problem| vec![problem.in_file(file)])?;
        let mut problems = Vec::new();
        for (name, entries) in documents.iter().flat_map(Node::entries) {
            let word = name.text().unwrap_or_default();
            let kinds: &[IndicatorKind] = match word {
                "addresses" => &[IndicatorKind::Address],
                "domains" => &[IndicatorKind::Domain],
                "email_addresses" => &[IndicatorKind::EmailAddress],
                "file_names" => &[IndicatorKind::FileName],
                "hashes" => &[IndicatorKind::Sha256, IndicatorKind::Sha1, IndicatorKind::Md5],
                "user_agents" => &[IndicatorKind::UserAgent],
                _ => {
                    let message = format!(
                        "unknown key: `{word}`; known: addresses, domains, email_addresses, file_names, hashes, user_agents"
                    );
                    problems.push(Diagnostic::at(name.line, message).in_file(file));
                    continue;
                }
            };
            for entry in entries.items() {
                let found = kinds
                    .iter()
                    .map(|kind| value(*kind, entry))
                    .reduce(|found, next| found.or(next));
                match found {
                    Some(Ok(IndicatorValue::Network(network))) => self.networks.push(network),
                    Some(Ok(value)) => {
                        self.allowed.insert(value);
                    }
                    Some(Err(problem)) => problems.push(problem.in_file(file)),
                    None => {}
                }
            }
        }
        if problems.is_empty() { Ok(()) } else { Err(problems) }
    }

    /// Uses private addresses and inside names too: for an organisation's own list.
    #[must_use]
    pub fn with_internal(mut self) -> Self {
        self.internal = true;
        self
    }

    pub(super) fn judge(&self, value: &IndicatorValue) -> Judgement {
        let refused = |reason: &str| Judgement::Refused(format!("{reason}: `{value}`"));
        if self.allowed.contains(value) {
            return refused("value is on the allow-list");
        }
        match value {
            IndicatorValue::Address(address) => self.judge_address(*address),
            IndicatorValue::Network(network) => self.judge_network(network),
            IndicatorValue::Domain(name) | IndicatorValue::Host(name) => self.judge_domain(name),
            IndicatorValue::Url(key) => {
                let (host, path) = key.split_once('/').unwrap_or((key, ""));
                match (path.is_empty(), host.parse::<IpAddr>()) {
                    (_, Ok(address)) => self.judge_address(address),
                    (true, _) if self.is_allowed_domain(host) => {
                        refused("value is on the allow-list")
                    }
                    // The front page of a shared parent is nobody's own.
                    (true, _) if self.shared.contains_key(host) => Judgement::Shared(value.clone()),
                    _ => Judgement::Good,
                }
            }
            _ => Judgement::Good,
        }
    }

    fn judge_address(&self, address: IpAddr) -> Judgement {
        if self.networks.iter().any(|network| network.contains(&address)) {
            return Judgement::Refused(format!("value is on the allow-list: `{address}`"));
        }
        match address_scope(address) {
            AddressScope::Special => {
                Judgement::Refused(format!("address names no host: `{address}`"))
            }
            AddressScope::Internal if !self.internal => Judgement::Refused(format!(
                "address is private, other hosts have it too: `{address}`"
            )),
            _ => Judgement::Good,
        }
    }

    fn judge_network(&self, network: &IpNet) -> Judgement {
        let least = if matches!(network, IpNet::V4(_)) { V4_PREFIX_MIN } else { V6_PREFIX_MIN };
        if network.prefix_len() < least {
            return Judgement::Refused(format!("network is wider than /{least}: `{network}`"));
        }
        let holds_allowed = self.networks.iter().any(|own| own.contains(network) || network.contains(own))
            || self.allowed.iter().any(|value| matches!(value, IndicatorValue::Address(address) if network.contains(address)));
        if holds_allowed {
            return Judgement::Refused(format!(
                "network holds what is on the allow-list: `{network}`"
            ));
        }
        match self.judge_address(network.addr()) {
            Judgement::Good => self.judge_address(network.broadcast()),
            other => other,
        }
    }

    fn judge_domain(&self, name: &str) -> Judgement {
        if self.shared.contains_key(name) {
            return Judgement::Shared(IndicatorValue::Host(name.to_owned()));
        }
        if self.is_allowed_domain(name) {
            return Judgement::Refused(format!("value is on the allow-list: `{name}`"));
        }
        let suffix = format!(".{name}");
        let above = self.allowed.iter().find(
            |value| matches!(value, IndicatorValue::Domain(allowed) if allowed.ends_with(&suffix)),
        );
        if let Some(above) = above {
            return Judgement::Refused(format!(
                "domain holds what is on the allow-list: `{name}`, `{above}`"
            ));
        }
        let last = name.rsplit('.').next().unwrap_or_default();
        if !self.internal && INSIDE_ENDINGS.contains(&last) {
            return Judgement::Refused(format!("name is an inside one: `{name}`"));
        }
        Judgement::Good
    }

    /// Whether the name or one above it is on the allow-list.
    fn is_allowed_domain(&self, name: &str) -> bool {
        let mut rest = Some(name);
        while let Some(one) = rest {
            if self.allowed.contains(&IndicatorValue::Domain(one.to_owned())) {
                return true;
            }
            rest = one.split_once('.').map(|(_, above)| above);
        }
        false
    }
}

fn value(kind: IndicatorKind, node: &Node) -> Result<IndicatorValue, Diagnostic> {
    IndicatorValue::of_kind(kind, node.text().unwrap_or_default())
        .map_err(|reason| Diagnostic::at(node.line, reason))
}
