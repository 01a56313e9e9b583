//! `org.toml`: unknown keys are errors that name the line.

use std::fs;
use std::net::IpAddr;
use std::path::Path;

use anyhow::{Context as _, anyhow, bail};
use ipnet::IpNet;
use makyo_base::{Asset, Change, Network, Organisation, ThirdParty, parse_time};
use serde::Deserialize;

#[derive(Debug, Default, Deserialize)]
#[serde(deny_unknown_fields)]
struct File {
    organisation: Option<Own>,
    network: Option<Nets>,
    #[serde(default)]
    third_party: Vec<Party>,
    #[serde(default)]
    change: Vec<Planned>,
    #[serde(default)]
    asset: Vec<Precious>,
}

#[derive(Debug, Default, Deserialize)]
#[serde(deny_unknown_fields, default)]
struct Own {
    name: String,
    domains: Vec<String>,
    ad_domains: Vec<String>,
    accounts: Option<u64>,
    timezone: Option<String>,
    working_hours: Option<String>,
    working_days: Vec<String>,
    very_important: Vec<String>,
}

#[derive(Debug, Default, Deserialize)]
#[serde(deny_unknown_fields, default)]
struct Nets {
    egress: Vec<String>,
    internal: Vec<String>,
    vpn_pools: Vec<String>,
    appliances: Vec<String>,
    scanners: Vec<String>,
}

#[derive(Debug, Default, Deserialize)]
#[serde(deny_unknown_fields, default)]
struct Party {
    name: String,
    access: String,
    app_id: Option<String>,
    addresses: Vec<String>,
    accounts: Vec<String>,
    hours: Option<String>,
    from: Option<String>,
    to: Option<String>,
}

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct Planned {
    ticket: String,
    what: String,
    from: String,
    to: String,
}

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct Precious {
    name: String,
    #[serde(rename = "match")]
    matches: Vec<String>,
}

/// Reads the file, or gives an organisation of which nothing is known.
pub(crate) fn load(path: Option<&Path>) -> anyhow::Result<(Organisation, String)> {
    let Some(path) = path else { return Ok((Organisation::default(), String::new())) };
    let text =
        fs::read_to_string(path).with_context(|| format!("cannot read `{}`", path.display()))?;
    let organisation = parse(&text).with_context(|| format!("in `{}`", path.display()))?;
    Ok((organisation, text))
}

fn parse(text: &str) -> anyhow::Result<Organisation> {
    let file: File = toml::from_str(text).map_err(|error| anyhow!("{error}"))?;
    let own = file.organisation.unwrap_or_default();
    let nets = file.network.unwrap_or_default();
    let lower = |list: Vec<String>| list.into_iter().map(|one| one.to_lowercase()).collect();
    Ok(Organisation {
        name: own.name,
        domains: lower(own.domains),
        ad_domains: lower(own.ad_domains),
        accounts: own.accounts,
        timezone: own.timezone,
        working_hours: own.working_hours,
        working_days: own.working_days,
        very_important: lower(own.very_important),
        network: Network {
            egress: networks("egress", &nets.egress)?,
            internal: networks("internal", &nets.internal)?,
            vpn_pools: networks("vpn_pools", &nets.vpn_pools)?,
            appliances: networks("appliances", &nets.appliances)?,
            scanners: networks("scanners", &nets.scanners)?,
        },
        third_parties: file
            .third_party
            .into_iter()
            .map(third_party)
            .collect::<anyhow::Result<_>>()?,
        changes: file.change.into_iter().map(change).collect::<anyhow::Result<_>>()?,
        assets: file.asset.into_iter().map(asset).collect::<anyhow::Result<_>>()?,
    })
}

fn networks(key: &str, list: &[String]) -> anyhow::Result<Vec<IpNet>> {
    list.iter()
        .map(|text| {
            let net = text.parse::<IpNet>().or_else(|_| text.parse::<IpAddr>().map(IpNet::from));
            net.map_err(|_| anyhow!("`{key}` takes addresses and networks: `{text}`"))
        })
        .collect()
}

fn when(key: &str, text: &str) -> anyhow::Result<i64> {
    parse_time(text)
        .ok_or_else(|| anyhow!("`{key}` takes a time like 2025-03-03T00:00:00Z: `{text}`"))
}

fn third_party(party: Party) -> anyhow::Result<ThirdParty> {
    Ok(ThirdParty {
        addresses: networks("addresses", &party.addresses)?,
        from: party.from.as_deref().map(|text| when("from", text)).transpose()?,
        to: party.to.as_deref().map(|text| when("to", text)).transpose()?,
        name: party.name,
        access: party.access,
        app_id: party.app_id,
        accounts: party.accounts,
        hours: party.hours,
    })
}

fn change(change: Planned) -> anyhow::Result<Change> {
    let (from, to) = (when("from", &change.from)?, when("to", &change.to)?);
    if to < from {
        bail!("change `{}` ends before it begins", change.ticket);
    }
    Ok(Change { ticket: change.ticket, what: change.what, from, to })
}

fn asset(asset: Precious) -> anyhow::Result<Asset> {
    for pattern in &asset.matches {
        if !["sharepoint:", "smb:", "mailbox:"].iter().any(|kind| pattern.starts_with(kind)) {
            bail!(
                "asset `{}`: a pattern starts with sharepoint:, smb: or mailbox: `{pattern}`",
                asset.name
            );
        }
    }
    Ok(Asset { name: asset.name, matches: asset.matches })
}

/// Short names of the Windows directory, the first one leading.
pub(crate) fn directory(organisation: &Organisation) -> Vec<String> {
    organisation
        .ad_domains
        .iter()
        .filter_map(|domain| domain.split('.').next())
        .map(str::to_owned)
        .collect()
}
