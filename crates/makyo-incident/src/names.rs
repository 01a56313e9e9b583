//! One name for one person across the cloud, the directory and the VPN.

use std::collections::{BTreeMap, BTreeSet};

use makyo_base::Organisation;

/// Resolves account names that were seen to the one that answers use: the user principal name
/// where one is known.
#[derive(Debug, Default)]
pub(crate) struct Names {
    to: BTreeMap<String, String>,
}

/// A user principal name under which an object of the cloud's directory was seen.
#[derive(Debug)]
pub(crate) struct Known {
    /// Object id or PUID, lower case.
    pub(crate) id: String,
    pub(crate) name: String,
    pub(crate) last: i64,
}

/// One person is renamed now and then; what has more names is no person.
const NAMES_MAX: usize = 3;

/// Earlier names, each with the one that its owner has now.
fn renamed<'a>(known: impl Iterator<Item = &'a Known>) -> BTreeMap<String, String> {
    let mut by_id: BTreeMap<&str, BTreeSet<(i64, &str)>> = BTreeMap::new();
    let mut ids: BTreeMap<(&str, usize), BTreeSet<&str>> = BTreeMap::new();
    for one in known.filter(|one| is_identifier(&one.id) || is_puid(&one.id)) {
        by_id.entry(&one.id).or_default().insert((one.last, &one.name));
        // Object ids and PUIDs are told apart by their length.
        ids.entry((&one.name, one.id.len())).or_default().insert(&one.id);
    }
    // A name that was given to somebody else after its owner had left is two people's.
    let is_one_persons = |name: &str| {
        let of_name = ids.range((name, 0)..=(name, usize::MAX));
        of_name.clone().all(|one| one.1.len() == 1)
    };
    let mut to = BTreeMap::new();
    for names in by_id.values().filter(|names| (2..=NAMES_MAX).contains(&names.len())) {
        let Some((_, now)) = names.last() else { continue };
        if !names.iter().all(|one| is_one_persons(one.1)) {
            continue;
        }
        for (_, name) in names.iter().filter(|one| one.1 != *now) {
            to.insert((*name).to_owned(), (*now).to_owned());
        }
    }
    to
}

impl Names {
    /// Learns the names: names that one object of the cloud's directory had one after another are
    /// the last of them; `agency\ando` and the VPN's `ando` are `ando@agency.example` if that user
    /// principal name was seen in an own domain, and no other one has the same local part. Without
    /// one a bare name of `tunnelled`, those that have VPN tunnels, is `agency\svc` if only one of the
    /// domains that the organisation names has such an account; a device's own `admin` is nobody's.
    pub(crate) fn learn(
        seen: &BTreeSet<String>,
        known: &[Known],
        tunnelled: &BTreeSet<String>,
        organisation: &Organisation,
    ) -> Self {
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
        let is_own_directory =
            |domain: &str| organisation.ad_domains.is_empty() || organisation.has_directory(domain);
        let mut directory: BTreeMap<&str, Vec<&String>> = BTreeMap::new();
        for account in seen.iter().filter(|one| makyo_base::is_directory_account(one)) {
            if let Some((domain, local)) = account.split_once('\\')
                && organisation.has_directory(domain)
            {
                directory.entry(local).or_default().push(account);
            }
        }
        let known = known
            .iter()
            .filter(|one| one.name.split_once('@').is_some_and(|(_, domain)| is_own(domain)));
        let renamed = renamed(known);
        let mut to = BTreeMap::new();
        for account in seen {
            if account.contains('@') {
                continue;
            }
            let (domain, local) = account.split_once('\\').unwrap_or(("", account));
            let of_directory = directory.get(local).map(Vec::as_slice);
            if (domain.is_empty() || is_own_directory(domain))
                && let Some([principal]) = principals.get(local).map(Vec::as_slice)
            {
                let now = renamed.get(principal.as_str()).unwrap_or(principal);
                to.insert(account.clone(), (*now).clone());
            } else if let (true, Some([one])) = (tunnelled.contains(account), of_directory) {
                to.insert(account.clone(), (*one).clone());
            }
        }
        to.extend(renamed);
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

/// The passport id of a user, as mailboxes name it.
fn is_puid(id: &str) -> bool {
    id.len() == 16 && id.starts_with("1003") && id.chars().all(|letter| letter.is_ascii_hexdigit())
}

fn is_identifier(account: &str) -> bool {
    account.len() >= 32 && account.chars().all(|letter| letter.is_ascii_hexdigit() || letter == '-')
        || account.starts_with("s-1-")
        || account.chars().all(|letter| letter.is_ascii_digit())
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use super::{Known, Names};
    use makyo_base::Organisation;

    const ID: &str = "6dbfd566-a649-4d4a-b185-3f925a8a4a5a";
    const OTHER: &str = "f3b61cfd-6201-47a5-bd97-a7957ccb1a5f";

    fn known(id: &str, name: &str, last: i64) -> Known {
        Known { id: id.into(), name: name.into(), last }
    }

    fn names(known: &[Known]) -> Names {
        let bare = ["mori".to_owned(), "agency\\mori".to_owned()];
        let seen = known.iter().map(|one| one.name.clone()).chain(bare).collect();
        Names::learn(&seen, known, &BTreeSet::new(), &Organisation::default())
    }

    #[test]
    fn who_married_is_one_account() {
        let found = names(&[
            known(ID, "mori@agency.example", 1),
            known(ID, "hayashi@agency.example", 2),
            known("10032002d1b3a041", "mori@agency.example", 1),
            known("10032002d1b3a041", "hayashi@agency.example", 2),
        ]);
        assert_eq!(found.resolve("mori@agency.example"), "hayashi@agency.example");
        assert_eq!(found.resolve("agency\\mori"), "hayashi@agency.example");
        assert_eq!(found.resolve("hayashi@agency.example"), "hayashi@agency.example");
    }

    #[test]
    fn a_name_that_a_successor_was_given_joins_nobody() {
        let found = names(&[
            known(ID, "info@agency.example", 1),
            known(ID, "mori@agency.example", 2),
            known(OTHER, "info@agency.example", 3),
        ]);
        assert_eq!(found.resolve("info@agency.example"), "info@agency.example");
    }

    #[test]
    fn a_bare_name_is_the_directorys_where_it_has_tunnels_and_the_domain_is_known() {
        let of = |text: &[&str]| text.iter().map(|one| (*one).to_owned()).collect();
        let seen = of(&["vendor-rs", "corp\\vendor-rs", "admin", "corp\\admin", "srv9\\vendor-rs"]);
        let organisation =
            Organisation { ad_domains: vec!["corp".into()], ..Organisation::default() };
        let names = Names::learn(&seen, &[], &of(&["vendor-rs"]), &organisation);
        assert_eq!(names.resolve("vendor-rs"), "corp\\vendor-rs");
        assert_eq!(names.resolve("admin"), "admin", "a device's own");
        let unknown = Names::learn(&seen, &[], &of(&["vendor-rs"]), &Organisation::default());
        assert_eq!(unknown.resolve("vendor-rs"), "vendor-rs");
    }

    #[test]
    fn what_has_many_names_is_no_person() {
        let all: Vec<Known> =
            (0..5).map(|at| known(ID, &format!("user{at}@agency.example"), at)).collect();
        assert_eq!(names(&all).resolve("user0@agency.example"), "user0@agency.example");
    }
}
