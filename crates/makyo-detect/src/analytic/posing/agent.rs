//! Families of clients and systems: what stays when a browser is updated.

/// The system that a client or a device names; empty if none is named.
pub(super) fn os_family(text: &str) -> &'static str {
    /// In this order, because an Android names Linux too and an iPhone Mac OS.
    const FAMILIES: &[(&str, &str)] = &[
        ("windows", "windows"),
        ("iphone", "ios"),
        ("ipad", "ios"),
        ("ios", "ios"),
        ("android", "android"),
        ("cros", "chromeos"),
        ("mac", "macos"),
        ("linux", "linux"),
    ];
    let lower = text.to_ascii_lowercase();
    let words = || lower.split(|letter: char| !letter.is_ascii_alphanumeric());
    let family = FAMILIES.iter().find(|family| words().any(|word| word.starts_with(family.0)));
    family.map_or("", |family| family.1)
}

/// Whether people sit at such a system; telephones are carried, and programs name none.
pub(super) fn is_computer(os: &str) -> bool {
    !matches!(os, "" | "ios" | "android")
}

/// The browser or program; `tool` for what people do not read their mail with.
pub(super) fn browser_family(agent: &str) -> &'static str {
    const FAMILIES: &[(&str, &str)] = &[
        ("python-requests", "tool"),
        ("python-urllib", "tool"),
        ("aiohttp", "tool"),
        ("axios", "tool"),
        ("undici", "tool"),
        ("node-fetch", "tool"),
        ("go-http-client", "tool"),
        ("curl/", "tool"),
        ("wget/", "tool"),
        ("fasthttp", "tool"),
        ("aadinternals", "tool"),
        ("azurehound", "tool"),
        ("roadtools", "tool"),
        ("rclone", "tool"),
        ("bav2ropc", "legacy"),
        ("headlesschrome", "tool"),
        ("teams", "teams"),
        ("outlook", "outlook"),
        ("onedrive", "onedrive"),
        ("microsoft office", "office"),
        ("edg/", "edge"),
        ("edga/", "edge"),
        ("edgios/", "edge"),
        ("edge/", "edge"),
        ("opr/", "opera"),
        ("firefox/", "firefox"),
        ("fxios/", "firefox"),
        ("crios/", "chrome"),
        ("chrome/", "chrome"),
        ("trident/", "explorer"),
        ("safari/", "safari"),
    ];
    family(agent, FAMILIES)
}

fn family(text: &str, families: &[(&str, &'static str)]) -> &'static str {
    let lower = text.to_ascii_lowercase();
    families.iter().find(|family| lower.contains(family.0)).map_or("", |family| family.1)
}

/// A client in words, for people; as it names itself where nothing of that is known.
pub(super) fn in_words(agent: &str) -> String {
    match (browser_family(agent), os_family(agent)) {
        ("" | "tool", _) => format!("`{agent}`"),
        (browser, "") => browser.to_owned(),
        (browser, os) => format!("{browser} on {os}"),
    }
}

/// The client without its version numbers, so that an update is no new client.
pub(super) fn without_versions(agent: &str) -> String {
    agent.chars().filter(|letter| !letter.is_ascii_digit() && *letter != '.').collect()
}
