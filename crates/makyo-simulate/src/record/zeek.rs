//! Connections and name look-ups, as Zeek's tab-separated logs have them.

use std::fmt::Write as _;

use crate::moment::Moment;
use crate::random::Random;

/// The head of `conn.log`.
pub(crate) const CONN: &str = "#separator \\x09\n#set_separator\t,\n#empty_field\t(empty)\n#unset_field\t-\n#path\tconn\n#fields\tts\tuid\tid.orig_h\tid.orig_p\tid.resp_h\tid.resp_p\tproto\tservice\tduration\torig_bytes\tresp_bytes\tconn_state\tlocal_orig\tlocal_resp\tmissed_bytes\thistory\torig_pkts\torig_ip_bytes\tresp_pkts\tresp_ip_bytes\ttunnel_parents\n#types\ttime\tstring\taddr\tport\taddr\tport\tenum\tstring\tinterval\tcount\tcount\tstring\tbool\tbool\tcount\tstring\tcount\tcount\tcount\tcount\tset[string]\n";

/// The head of `dns.log`.
pub(crate) const DNS: &str = "#separator \\x09\n#set_separator\t,\n#empty_field\t(empty)\n#unset_field\t-\n#path\tdns\n#fields\tts\tuid\tid.orig_h\tid.orig_p\tid.resp_h\tid.resp_p\tproto\ttrans_id\trtt\tquery\tqclass\tqclass_name\tqtype\tqtype_name\trcode\trcode_name\tAA\tTC\tRD\tRA\tZ\tanswers\tTTLs\trejected\n#types\ttime\tstring\taddr\tport\taddr\tport\tenum\tcount\tinterval\tstring\tcount\tstring\tcount\tstring\tcount\tstring\tbool\tbool\tbool\tbool\tcount\tvector[string]\tvector[interval]\tbool\n";

/// A connection.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Flow<'a> {
    pub(crate) from: &'a str,
    pub(crate) to: &'a str,
    pub(crate) port: u16,
    pub(crate) service: &'a str,
    /// Milliseconds.
    pub(crate) lasts: i64,
    pub(crate) sent: u64,
    pub(crate) received: u64,
}

fn stamp(moment: Moment, random: &mut Random) -> String {
    format!("{}.{:03}{:03}", moment / 1000, moment % 1000, random.below(1000))
}

fn is_local(address: &str) -> char {
    if address.starts_with("10.") { 'T' } else { 'F' }
}

/// A line of `conn.log`.
pub(crate) fn connection(flow: &Flow<'_>, moment: Moment, random: &mut Random) -> String {
    let mut line = format!("{}\tC{}", stamp(moment, random), random.word(17));
    let packets = (flow.sent / 900 + 4, flow.received / 1300 + 3);
    let _ = write!(
        line,
        "\t{}\t{}\t{}\t{}\ttcp\t{}\t{}.{:03}{:03}\t{}\t{}\tSF\t{}\t{}\t0\tShADadFf\t{}\t{}\t{}\t{}\t-",
        flow.from,
        49_152 + random.below(16_000),
        flow.to,
        flow.port,
        flow.service,
        flow.lasts / 1000,
        flow.lasts % 1000,
        random.below(1000),
        flow.sent,
        flow.received,
        is_local(flow.from),
        is_local(flow.to),
        packets.0,
        flow.sent + packets.0 * 40,
        packets.1,
        flow.received + packets.1 * 40,
    );
    line
}

/// A line of `dns.log`.
pub(crate) fn lookup(
    from: &str,
    name: &str,
    answer: &str,
    moment: Moment,
    random: &mut Random,
) -> String {
    let (code, word) = if answer == "-" { (3, "NXDOMAIN") } else { (0, "NOERROR") };
    format!(
        "{}\tC{}\t{from}\t{}\t10.20.0.10\t53\tudp\t{}\t0.00{}\t{name}\t1\tC_INTERNET\t1\tA\t{code}\t{word}\tF\tF\tT\tT\t0\t{answer}\t{}\tF",
        stamp(moment, random),
        random.word(17),
        49_152 + random.below(16_000),
        random.below(65_000),
        1 + random.below(9000),
        if answer == "-" { "-" } else { "300.000000" },
    )
}
