//! Indicators compiled into tables, and events put to them.

use std::net::IpAddr;

use ipnet::IpNet;
use makyo_base::{
    Cell, Column, Decoded, Entity, EntityKind, Event, Finding, FindingSource, Object, Role,
    RuleRef, Value, hex, parse_address, short_id,
};

use super::table::{Backwards, Table, folded, mix, wide};
use super::value::{
    IndicatorKind, IndicatorValue, Observed, UrlParts, bare_host, base_name, hash, url_parts,
};
use super::{Indicator, WINDOW_MARGIN_NS};
use crate::ruleset::{entities_of, reference, sentence};
use crate::weights::Weights;

/// IPv4 addresses stand at `::ffff:0:0` in the one table of addresses.
const V4_SHIFT: u8 = 96;
const V4_START: u128 = 0xffff << 32;

/// Compiled indicators.
#[derive(Debug, Default)]
pub struct IndicatorSet {
    indicators: Vec<Indicator>,
    /// Distinct first values; the tables give places in here.
    keys: Vec<IndicatorValue>,
    /// The indicators of each key, as a range of `by_key`.
    ranges: Vec<(u32, u32)>,
    by_key: Vec<u32>,
    addresses: Table,
    networks: Table,
    /// Prefix lengths that networks have, as of 128 bits, each with its mask.
    prefixes: Vec<(u8, u128)>,
    hashes: Table,
    domains: Table,
    texts: [Table; 5],
}

/// How an indicator stands to the event's time.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Standing {
    /// Its window holds the event, or it names what never changes hands.
    Inside,
    /// It says nothing of time, or the event has none.
    Undated,
}

/// An indicator that an event meets.
#[derive(Clone, Copy, Debug)]
pub struct IndicatorMatch<'a> {
    /// The indicator.
    pub indicator: &'a Indicator,
    /// How it stands to the event's time.
    pub standing: Standing,
}

impl IndicatorSet {
    /// Compiles indicators; their order does not matter.
    #[must_use]
    pub fn compile(mut indicators: Vec<Indicator>) -> Self {
        indicators.retain(|indicator| !indicator.values.is_empty());
        indicators.sort();
        indicators.dedup();
        let mut leads: Vec<(IndicatorValue, u32)> = indicators
            .iter()
            .zip(0_u32..)
            .filter_map(|(indicator, index)| Some((indicator.values.first()?.clone(), index)))
            .collect();
        leads.sort();
        let mut set = IndicatorSet { indicators, ..IndicatorSet::default() };
        for (value, index) in leads {
            let end = set.by_key.len() as u32 + 1;
            set.by_key.push(index);
            if set.keys.last() == Some(&value) {
                if let Some(range) = set.ranges.last_mut() {
                    range.1 = end;
                }
            } else {
                set.keys.push(value);
                set.ranges.push((end - 1, end));
            }
        }
        set.fill();
        set
    }

    fn fill(&mut self) {
        let mut addresses = Vec::new();
        let mut networks = Vec::new();
        let mut hashes = Vec::new();
        let mut domains = Vec::new();
        let mut texts: [Vec<(u64, u32)>; 5] = Default::default();
        for (key, number) in self.keys.iter().zip(0_u32..) {
            match key {
                IndicatorValue::Address(address) => {
                    addresses.push((wide(number_of(*address)), number));
                }
                IndicatorValue::Network(network) => {
                    let (start, prefix) = wide_network(network);
                    self.prefixes.push((prefix, mask(prefix)));
                    networks.push((network_hash(start, prefix), number));
                }
                IndicatorValue::Sha256(bytes) => hashes.push((hash_of_bytes(bytes), number)),
                IndicatorValue::Sha1(bytes) => hashes.push((hash_of_bytes(bytes), number)),
                IndicatorValue::Md5(bytes) => hashes.push((hash_of_bytes(bytes), number)),
                IndicatorValue::Domain(name) | IndicatorValue::Host(name) => {
                    domains.push((folded(name), number));
                }
                IndicatorValue::Url(text)
                | IndicatorValue::EmailAddress(text)
                | IndicatorValue::EmailSubject(text)
                | IndicatorValue::FileName(text)
                | IndicatorValue::UserAgent(text) => {
                    if let Some(list) = text_place(key.kind()).and_then(|at| texts.get_mut(at)) {
                        list.push((folded(text), number));
                    }
                }
            }
        }
        self.prefixes.sort_unstable();
        self.prefixes.dedup();
        self.addresses = Table::build(addresses);
        self.networks = Table::build(networks);
        self.hashes = Table::build(hashes);
        self.domains = Table::build(domains);
        self.texts = texts.map(Table::build);
    }

    /// The indicators, sorted by id.
    #[must_use]
    pub fn indicators(&self) -> &[Indicator] {
        &self.indicators
    }

    /// Whether there is nothing to look for.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.indicators.is_empty()
    }

    /// Tells the indicators whose first value this is, each once, in no particular order. Their
    /// other values and the time are not looked at.
    pub fn names<'s>(&'s self, observed: Observed<'_>, tell: &mut dyn FnMut(&'s Indicator)) {
        self.find(observed, &mut |index| {
            if let Some(indicator) = self.indicators.get(index as usize) {
                tell(indicator);
            }
        });
    }

    fn find(&self, observed: Observed<'_>, tell: &mut dyn FnMut(u32)) {
        match observed {
            Observed::Address(address) => self.find_address(address, tell),
            Observed::Host(host) => self.find_host(host, true, tell),
            Observed::MailDomain(host) => self.find_host(host, false, tell),
            Observed::Hash(bytes) => {
                self.check(&self.hashes, hash_of_bytes(bytes), observed, tell);
            }
            Observed::Url(_) if !self.holds(IndicatorKind::Url) => {}
            Observed::Url(url) => {
                let table = text_place(IndicatorKind::Url).and_then(|at| self.texts.get(at));
                if let (Some(table), Some(parts)) = (table, url_parts(url)) {
                    self.check(table, hash_of_url(&parts), observed, tell);
                }
            }
            Observed::FileName(text) => {
                self.find_text(IndicatorKind::FileName, text, observed, tell);
            }
            Observed::EmailAddress(text) => {
                self.find_text(IndicatorKind::EmailAddress, text, observed, tell);
            }
            Observed::EmailSubject(text) => {
                self.find_text(IndicatorKind::EmailSubject, text, observed, tell);
            }
            Observed::UserAgent(text) => {
                self.find_text(IndicatorKind::UserAgent, text, observed, tell);
            }
        }
    }

    fn holds(&self, kind: IndicatorKind) -> bool {
        text_place(kind).and_then(|at| self.texts.get(at)).is_some_and(|table| !table.is_empty())
    }

    /// Tells what stands under a hash, if the value itself is the same.
    #[inline]
    fn check(&self, table: &Table, hash: u64, observed: Observed<'_>, tell: &mut dyn FnMut(u32)) {
        if table.may_hold(hash) {
            self.check_behind(table, hash, observed, tell);
        }
    }

    #[cold]
    fn check_behind(
        &self,
        table: &Table,
        hash: u64,
        observed: Observed<'_>,
        tell: &mut dyn FnMut(u32),
    ) {
        for number in table.find(hash) {
            if self.keys.get(number as usize).is_some_and(|key| key.covers(observed)) {
                self.tell_key(number, tell);
            }
        }
    }

    fn tell_key(&self, number: u32, tell: &mut dyn FnMut(u32)) {
        let Some((start, end)) = self.ranges.get(number as usize) else { return };
        for index in self.by_key.get(*start as usize..*end as usize).unwrap_or_default() {
            tell(*index);
        }
    }

    fn find_address(&self, address: IpAddr, tell: &mut dyn FnMut(u32)) {
        let number = number_of(address);
        self.check(&self.addresses, wide(number), Observed::Address(address), tell);
        for (prefix, mask) in &self.prefixes {
            let masked = number & mask;
            for key in self.networks.find(network_hash(masked, *prefix)) {
                let is_it = matches!(self.keys.get(key as usize),
                    Some(IndicatorValue::Network(network)) if wide_network(network) == (masked, *prefix));
                if is_it {
                    self.tell_key(key, tell);
                }
            }
        }
    }

    /// One pass from the end of the name; at each dot the name above is asked for.
    fn find_host(&self, host: &str, with_exact: bool, tell: &mut dyn FnMut(u32)) {
        if self.domains.is_empty() {
            return;
        }
        let host = bare_host(host);
        let observed = if with_exact { Observed::Host(host) } else { Observed::MailDomain(host) };
        let mut hash = Backwards::new();
        for (at, byte) in host.bytes().enumerate().rev() {
            if byte == b'.' && self.domains.may_hold(hash.value()) {
                for number in self.domains.find(hash.value()) {
                    let is_it = matches!(self.keys.get(number as usize),
                        Some(IndicatorValue::Domain(name)) if host.get(at + 1..).is_some_and(|above| above.eq_ignore_ascii_case(name)));
                    if is_it {
                        self.tell_key(number, tell);
                    }
                }
            }
            hash.push(byte);
        }
        self.check(&self.domains, hash.value(), observed, tell);
    }

    fn find_text(
        &self,
        kind: IndicatorKind,
        text: &str,
        observed: Observed<'_>,
        tell: &mut dyn FnMut(u32),
    ) {
        let Some(table) = text_place(kind).and_then(|at| self.texts.get(at)) else { return };
        if table.is_empty() {
            return;
        }
        // Only letters of ASCII are folded while hashing.
        if text.is_ascii() {
            self.check(table, folded(text), observed, tell);
        } else {
            self.check(table, folded(&text.to_lowercase()), observed, tell);
        }
    }

    /// Tells every indicator that the event meets, each once, in the order of ids, and gives the
    /// number of those it would meet but for their window.
    pub fn matches<'s>(
        &'s self,
        event: &Event<'_>,
        tell: &mut dyn FnMut(IndicatorMatch<'s>),
    ) -> u64 {
        self.matches_all(event, None, tell)
    }

    /// As [`IndicatorSet::matches`], and over what the record says beyond the columns: hashes of
    /// other kinds and the links of a message.
    pub fn matches_record<'s>(
        &'s self,
        record: &Decoded<'_>,
        tell: &mut dyn FnMut(IndicatorMatch<'s>),
    ) -> u64 {
        self.matches_all(&record.event, Some(record.native), tell)
    }

    fn matches_all<'s>(
        &'s self,
        event: &Event<'_>,
        native: Option<&Object<'_>>,
        tell: &mut dyn FnMut(IndicatorMatch<'s>),
    ) -> u64 {
        if self.is_empty() {
            return 0;
        }
        let mut found: Vec<u32> = Vec::new();
        observe(event, native, &mut |observed| self.find(observed, &mut |index| found.push(index)));
        found.sort_unstable();
        found.dedup();
        let mut expired = 0;
        // An indicator with alternatives stands here once for each.
        let mut told: Option<(&str, &str)> = None;
        for indicator in found.into_iter().filter_map(|index| self.indicators.get(index as usize)) {
            let name = (indicator.id.as_str(), indicator.file.as_str());
            if told == Some(name) || !is_whole(indicator, event, native) {
                continue;
            }
            match standing(indicator, event.time()) {
                Some(standing) => {
                    told = Some(name);
                    tell(IndicatorMatch { indicator, standing });
                }
                None => expired += 1,
            }
        }
        expired
    }
}

/// Whether the values after the first, and the port, stand in the event too.
fn is_whole(indicator: &Indicator, event: &Event<'_>, native: Option<&Object<'_>>) -> bool {
    let is_port = indicator.port.is_none_or(|port| {
        [Column::DstPort, Column::SrcPort]
            .iter()
            .any(|column| event.cell(*column) == Some(&Cell::Integer(port.into())))
    });
    is_port
        && indicator.values.iter().skip(1).all(|value| {
            let mut is_there = false;
            observe(event, native, &mut |observed| is_there |= value.covers(observed));
            is_there
        })
}

fn standing(indicator: &Indicator, time: Option<i64>) -> Option<Standing> {
    if !indicator.kind().expires() {
        return Some(Standing::Inside);
    }
    if indicator.from.is_none() && indicator.until.is_none() {
        let is_undated = indicator.is_undated();
        return Some(if is_undated { Standing::Undated } else { Standing::Inside });
    }
    let Some(time) = time else { return Some(Standing::Undated) };
    let is_after = indicator.from.is_none_or(|from| time >= from.saturating_sub(WINDOW_MARGIN_NS));
    let is_before =
        indicator.until.is_none_or(|until| time <= until.saturating_add(WINDOW_MARGIN_NS));
    (is_after && is_before).then_some(Standing::Inside)
}

/// Shows the values of an event that indicators speak of.
fn observe(event: &Event<'_>, native: Option<&Object<'_>>, see: &mut dyn FnMut(Observed<'_>)) {
    for (column, cell) in &event.cells {
        let Cell::Text(text) = cell else { continue };
        let text: &str = text;
        match column {
            Column::SrcIp | Column::DstIp | Column::DeviceIp | Column::TunnelIp => {
                see_end(text, see);
            }
            Column::SrcHostname | Column::DstHostname | Column::QueryHostname | Column::TlsSni => {
                see_end(text, see)
            }
            Column::Answers => {
                for answer in text.split([',', ';', ' ']).filter(|answer| !answer.is_empty()) {
                    see_end(answer, see);
                }
            }
            Column::Url => see_url(text, see),
            Column::FileHash => see_hashes(text, see),
            Column::FilePath | Column::ProcessPath | Column::ActorProcessPath => {
                see(Observed::FileName(base_name(text)));
            }
            Column::FileName => {
                see(Observed::FileName(base_name(text)));
                // Attachments stand in one cell.
                if text.contains(", ") {
                    for name in text.split(", ") {
                        see(Observed::FileName(base_name(name)));
                    }
                }
            }
            Column::EmailFrom | Column::EmailTo => {
                for address in text.split(", ") {
                    see(Observed::EmailAddress(address));
                    if let Some((_, domain)) = address.rsplit_once('@') {
                        see(Observed::MailDomain(domain));
                    }
                }
            }
            Column::EmailSubject => see(Observed::EmailSubject(text.trim())),
            Column::UserAgent | Column::ClientInfo => see(Observed::UserAgent(text.trim())),
            _ => {}
        }
    }
    if let Some(native) = native {
        observe_native(native, see);
    }
}

/// What a record says beyond the columns: all of Sysmon's hashes, and a message's links.
fn observe_native(native: &Object<'_>, see: &mut dyn FnMut(Observed<'_>)) {
    for (name, value) in &native.0 {
        match (name.as_ref(), value) {
            ("Hashes" | "Hash", Value::Str(text)) => see_hashes(text, see),
            ("url", Value::List(list)) => {
                for url in list.iter().filter_map(Value::as_str) {
                    see_url(url, see);
                }
            }
            ("EventData", Value::Object(inner)) => observe_native(inner, see),
            _ => {}
        }
    }
}

fn see_end(text: &str, see: &mut dyn FnMut(Observed<'_>)) {
    let may_be_address =
        text.as_bytes().first().is_some_and(u8::is_ascii_digit) || text.contains(':');
    match may_be_address.then(|| parse_address(text)).flatten() {
        Some(address) => see(Observed::Address(address)),
        None => see(Observed::Host(text)),
    }
}

fn see_url(text: &str, see: &mut dyn FnMut(Observed<'_>)) {
    see(Observed::Url(text));
    // A path alone, as web servers log it, names no host.
    if let Some(parts) = url_parts(text).filter(|_| !text.starts_with('/')) {
        see_end(parts.host, see);
    }
}

/// `HEX`, `SHA256=HEX,MD5=HEX`, `HEX, HEX`.
fn see_hashes(text: &str, see: &mut dyn FnMut(Observed<'_>)) {
    for word in text.split([',', ' ', '=', ';']) {
        match hash(word) {
            Some(IndicatorValue::Sha256(bytes)) => see(Observed::Hash(&bytes)),
            Some(IndicatorValue::Sha1(bytes)) => see(Observed::Hash(&bytes)),
            Some(IndicatorValue::Md5(bytes)) => see(Observed::Hash(&bytes)),
            _ => {}
        }
    }
}

fn text_place(kind: IndicatorKind) -> Option<usize> {
    Some(match kind {
        IndicatorKind::Url => 0,
        IndicatorKind::EmailAddress => 1,
        IndicatorKind::EmailSubject => 2,
        IndicatorKind::FileName => 3,
        IndicatorKind::UserAgent => 4,
        _ => return None,
    })
}

#[inline]
fn number_of(address: IpAddr) -> u128 {
    match address {
        IpAddr::V4(v4) => V4_START | u128::from(u32::from(v4)),
        IpAddr::V6(v6) => u128::from(v6),
    }
}

fn wide_network(network: &IpNet) -> (u128, u8) {
    let shift = if matches!(network, IpNet::V4(_)) { V4_SHIFT } else { 0 };
    (number_of(network.network()), network.prefix_len() + shift)
}

fn mask(prefix: u8) -> u128 {
    u128::MAX.checked_shl(128 - u32::from(prefix.min(128))).unwrap_or_default()
}

#[inline]
fn network_hash(start: u128, prefix: u8) -> u64 {
    mix(wide(start).wrapping_add(u64::from(prefix)))
}

/// The hash of [`super::value::url_key`], without making the key: nearly no URL is an indicator.
fn hash_of_url(parts: &UrlParts<'_>) -> u64 {
    let mut hash = Backwards::new();
    let mut push = |text: &str| text.bytes().rev().for_each(|byte| hash.push(byte));
    push(parts.rest);
    if !parts.rest.starts_with('/') {
        push("/");
    }
    if let Some(port) = parts.port {
        push(&port.to_string());
        push(":");
    }
    push(bare_host(parts.host));
    hash.value()
}

fn hash_of_bytes(bytes: &[u8]) -> u64 {
    // The first bytes of a digest are as good as all of them; the value is compared anyway.
    let mut first = [0; 16];
    for (to, from) in first.iter_mut().zip(bytes) {
        *to = *from;
    }
    wide(u128::from_le_bytes(first) ^ bytes.len() as u128)
}

impl IndicatorMatch<'_> {
    /// The finding of this match.
    #[must_use]
    pub fn finding(&self, record: &Decoded<'_>, weights: &Weights) -> Finding {
        let indicator = self.indicator;
        let weight_db = self.weight_db(weights);
        let mut entities = entities_of(&record.event);
        let known = entities.clone();
        entities.extend(indicator.values.iter().filter_map(entity).filter(|entity| {
            // The event gives most of them a better role already.
            !known.iter().any(|own| own.kind == entity.kind && own.value == entity.value)
        }));
        entities.sort();
        entities.dedup();
        Finding {
            id: short_id("finding", &[&indicator.id, &hex(&record.event.identity)]),
            time: record.event.time(),
            source: FindingSource::Indicator,
            rule: RuleRef {
                id: indicator.id.clone(),
                title: indicator.title.clone(),
                level: weights.level_of(weight_db),
            },
            techniques: indicator.techniques.clone(),
            tactics: indicator.tactics.clone(),
            weight_db,
            explained_by: None,
            records: vec![reference(record)],
            text: sentence(&self.says(), &entities),
            entities,
        }
    }

    /// Decibans: by kind, less where it is undated, shared, or its publisher unsure.
    #[must_use]
    pub fn weight_db(&self, weights: &Weights) -> f64 {
        let indicator = self.indicator;
        let mut weight = weights.indicator(indicator.kind().word());
        if self.standing == Standing::Undated {
            weight -= weights.indicator("undated");
        }
        if indicator.shared {
            weight -= weights.indicator("shared");
        }
        if indicator.confidence.is_some_and(|confidence| confidence < 50) {
            weight -= weights.indicator("unsure");
        }
        weight.max(0.0)
    }

    fn says(&self) -> String {
        let indicator = self.indicator;
        let shown: Vec<String> =
            indicator.values.iter().map(|value| format!("`{value}`")).collect();
        let shown = shown.join(" with ");
        let kind = indicator.kind().word().replace('_', " ");
        let mut text = format!("{kind} {shown} is an indicator of {}", indicator.source);
        if indicator.title != shown.replace('`', "") {
            text = format!("{text}, {}", indicator.title);
        }
        if self.standing == Standing::Undated && indicator.kind().changes_hands() {
            text.push_str(", which does not say when it held");
        }
        if indicator.shared {
            text.push_str("; strangers share the name");
        }
        text
    }
}

fn entity(value: &IndicatorValue) -> Option<Entity> {
    let (role, kind) = match value {
        IndicatorValue::Sha256(_) | IndicatorValue::Sha1(_) | IndicatorValue::Md5(_) => {
            (Role::Object, EntityKind::Hash)
        }
        IndicatorValue::Domain(_) | IndicatorValue::Host(_) => {
            (Role::Destination, EntityKind::Domain)
        }
        IndicatorValue::Address(_) => (Role::Destination, EntityKind::Address),
        IndicatorValue::FileName(_) => (Role::Object, EntityKind::File),
        // No kind of entity, or one that the event names itself.
        _ => return None,
    };
    Some(Entity { role, kind, value: value.to_string() })
}
