//! One name for one person across the cloud, the directory and the VPN.

use std::collections::{BTreeMap, BTreeSet};

use makyo_base::Organisation;

/// Resolves account names that were seen to the one that answers use: the user principal name
/// where one is known.
#[derive(Debug, Default)]
pub(crate) struct Names {
    to: BTreeMap<String, String>,
}

impl Names {
    /// Learns the names: `agency\ando` and the VPN's `ando` are `ando@agency.example` if that user
    /// principal name was seen in an own domain, and no other one has the same local part.
    pub(crate) fn learn(seen: &BTreeSet<String>, organisation: &Organisation) -> Self {
        let is_own = |domain: &str| {
            organisation.domains.is_empty() || organisation.domains.iter().any(|own| own == domain)
        };
        let mut principals: BTreeMap<&str, Vec<&String>> = BTreeMap::new();
        for account in seen {
            if let Some((local, domain)) = account.split_once('@')
                && is_own(domain)
            {
                principals.entry(local).or_default().push(account);
            }
        }
        let mut to = BTreeMap::new();
        for account in seen {
            if account.contains('@') {
                continue;
            }
            let (domain, local) = account.split_once('\\').unwrap_or(("", account));
            let known_domain = domain.is_empty()
                || organisation.ad_domains.is_empty()
                || organisation.ad_domains.iter().any(|own| own.split('.').next() == Some(domain));
            if let (true, Some([principal])) =
                (known_domain, principals.get(local).map(Vec::as_slice))
            {
                to.insert(account.clone(), (*principal).clone());
            }
        }
        Names { to }
    }

    /// The name that answers use.
    pub(crate) fn resolve(&self, account: &str) -> String {
        self.to.get(account).cloned().unwrap_or_else(|| account.to_owned())
    }
}

/// Whether the name is an account of the organisation and not a stranger's, a program's or a
/// computer's.
pub(crate) fn is_own_account(account: &str, organisation: &Organisation) -> bool {
    if account.ends_with('$') || account.starts_with("serviceprincipal_") {
        return false;
    }
    match account.split_once('@') {
        Some((local, domain)) => {
            let is_known = organisation.domains.is_empty()
                || organisation.domains.iter().any(|own| own == domain);
            is_known
                && !local.is_empty()
                && !matches!(domain, "sharepoint" | "system" | "localhost")
        }
        // Bare identifiers are ids of programs and objects.
        None => account.contains('\\') || !is_identifier(account),
    }
}

fn is_identifier(account: &str) -> bool {
    account.len() >= 32 && account.chars().all(|letter| letter.is_ascii_hexdigit() || letter == '-')
        || account.starts_with("s-1-")
        || account.chars().all(|letter| letter.is_ascii_digit())
}
