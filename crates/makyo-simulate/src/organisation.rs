//! The organisation's own facts as a file, and what of it the intruder could reach.

use std::fmt::Write as _;

use crate::people::Person;
use crate::scenario::Scenario;

/// `org.toml`.
pub(crate) fn org_toml(scenario: Scenario, people: &[Person]) -> String {
    let mut text = String::from(
        r#"# Synthetic: an organisation that does not exist.
[organisation]
name = "Example agency"
domains = ["agency.example"]
ad_domains = ["AGENCY", "ad.agency.example"]
"#,
    );
    let _ = writeln!(text, "accounts = {}", people.len());
    text.push_str(
        r#"timezone = "Asia/Tokyo"
working_hours = "07:30-20:00"
working_days = ["Mon", "Tue", "Wed", "Thu", "Fri"]
very_important = ["president@agency.example"]

[network]
egress = ["203.0.113.10", "203.0.113.11", "203.0.113.20", "203.0.113.40"]
internal = ["10.20.0.0/14", "10.60.0.0/16", "10.70.0.0/16"]
vpn_pools = ["10.99.0.0/16"]
appliances = ["203.0.113.1", "203.0.113.41", "10.20.0.1"]
scanners = ["10.20.5.9"]

[[third_party]]
name = "Example Remote Support"
access = "remote support"
addresses = ["198.51.100.7"]
accounts = ["vendor-rs"]
hours = "09:00-18:00"

[[third_party]]
name = "Example Mail Movers"
access = "application"
app_id = "3d2f6c1e-5b7a-4c55-9b0e-10d5a7c1e201"
addresses = ["192.0.2.190"]
from = "2025-10-10T00:00:00Z"
to = "2025-10-11T23:59:59Z"

[[change]]
ticket = "CHG-2025-104"
what = "failover test of vpn-gw1"
from = "2025-10-21T02:00:00Z"
to = "2025-10-21T03:00:00Z"

[[asset]]
name = "launch vehicle designs"
match = ["sharepoint:/sites/launch/**", "smb:\\\\fs01\\launch\\**"]

[[asset]]
name = "satellite operations"
match = ["sharepoint:/sites/satops/**"]

[[asset]]
name = "medical files of crews"
match = ["smb:\\\\fs01\\medical\\**"]

[[asset]]
name = "bids"
match = ["smb:\\\\fs02\\bids\\**"]

[[asset]]
name = "board mail"
match = ["mailbox:president@agency.example"]
"#,
    );
    if scenario == Scenario::ChipMaker {
        text.push_str(
            "\n[[asset]]\nname = \"plant\"\nmatch = [\"smb:\\\\\\\\hist01\\\\recipes\\\\**\"]\n",
        );
    }
    text
}
