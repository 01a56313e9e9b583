//! VPN events of an appliance that does not exist and that no source description knows.

use crate::moment::{Moment, local};
use crate::record::vpn::{Fact, Gateway};

/// One line: a time with its offset, the appliance, the part that speaks, a sentence.
pub(crate) fn line(gateway: Gateway, moment: Moment, fact: Fact<'_>) -> String {
    let shown = moment + gateway.ahead;
    let time = local(shown, gateway.offset(moment), "%Y-%m-%dT%H:%M:%S%.3f%:z");
    let text = match fact {
        Fact::Connects(from) => format!("[tnl/peer] peer {from} opened channel"),
        Fact::Authenticates(tunnel) => format!(
            "[tnl/auth] peer {} identity '{}' accepted method=pwd realm={}",
            tunnel.from, tunnel.user, tunnel.group
        ),
        Fact::Fails(user, from) => {
            format!("[tnl/auth] peer {from} identity '{user}' refused reason=credentials")
        }
        Fact::Opens(tunnel) => format!(
            "[tnl/link] link {} established for '{}' peer {} lease {}",
            tunnel.id, tunnel.user, tunnel.from, tunnel.inside
        ),
        Fact::Closes(tunnel, end) => format!(
            "[tnl/link] link {} released for '{}' peer {} lease {} lasted {}s rx {} tx {} cause \"{}\"",
            tunnel.id,
            tunnel.user,
            tunnel.from,
            tunnel.inside,
            end.seconds,
            end.received,
            end.sent,
            end.reason
        ),
        Fact::Lives(load, sessions) => format!("[core] load {load}% sessions {sessions}"),
        Fact::Updates => "[core] catalogue refreshed from update.edgegate.example".to_owned(),
        Fact::Crashes(program, signal) => {
            format!("[core] worker {program}(231) ended by signal {signal}, restarted")
        }
        Fact::Administers(user, from) => {
            format!("[mgmt] operator '{user}' signed in from {from} over https")
        }
        Fact::FailsOver => "[pair] peer unit lost, this unit took over".to_owned(),
    };
    format!("{time} {} {text}", gateway.name)
}
