//! Where flows come from: files that are flow logs, and events of other sources.

use std::fs::File;
use std::io;
use std::net::IpAddr;

use makyo_base::{Query as _, Row, sql_text};
use makyo_case::Case;
use makyo_collect::{Collection, SNIFF_BYTES, TextEncoding, read_capped, text_encoding};
use makyo_flow::{Flow, Input, State, flow_format};

/// Artifacts that the engine reads by itself.
pub(crate) fn texts(collection: &Collection) -> Vec<Input<'_>> {
    let mut inputs = Vec::new();
    for one in &collection.artifacts {
        let Ok(mut file) = File::open(&one.location) else { continue };
        let Ok((head, _)) = read_capped(&mut file, SNIFF_BYTES) else { continue };
        if text_encoding(&head) != TextEncoding::Utf8 {
            continue;
        }
        let Some(format) = flow_format(one.artifact.kind, &head) else { continue };
        let open = || {
            let file = File::open(&one.location)?;
            // What was appended since the file was hashed is not of this artifact.
            let whole = io::Read::take(file, one.artifact.size_bytes);
            Ok(Box::new(whole) as Box<dyn io::Read>)
        };
        let name = one.artifact.path.clone();
        inputs.push(Input::Text { name, format, open: Box::new(open) });
    }
    inputs
}

/// Files whose events are flows, with the span of their records' numbers.
const FILES: &str = "
    SELECT file, min(record) AS least, max(record) AS most, count(*) AS flows FROM events
    WHERE class_uid = 4001 AND time IS NOT NULL
      AND src_endpoint_ip IS NOT NULL AND dst_endpoint_ip IS NOT NULL
      AND source NOT LIKE 'windows-%' AND source <> 'generic'
      AND (source NOT LIKE 'zeek-%' OR source = 'zeek-conn')
      AND (source <> 'suricata-eve' OR metadata_event_code = 'flow')
    GROUP BY file ORDER BY file";

/// So many records are asked for at a time.
const PAGE: i64 = 100_000;

/// Flows among the events of files that are not read as text: firewalls' traffic logs.
pub(crate) fn records<'a>(case: &'a Case, taken: &[String]) -> anyhow::Result<Vec<Input<'a>>> {
    let mut inputs = Vec::new();
    for row in case.query(FILES)?.iter() {
        let name = row.string("file");
        let (Some(least), Some(most)) = (row.integer("least"), row.integer("most")) else {
            continue;
        };
        if taken.contains(&name) {
            continue;
        }
        let file = name.clone();
        let pages = move |tell: &mut dyn FnMut(u64, Flow)| {
            let mut from = least;
            while from <= most {
                let to = from.saturating_add(PAGE);
                let rows = case
                    .query(&page(&file, from, to))
                    .map_err(|error| io::Error::other(error.to_string()))?;
                for row in rows.iter() {
                    if let Some((record, flow)) = flow(row) {
                        tell(record, flow);
                    }
                }
                from = to;
            }
            Ok(())
        };
        inputs.push(Input::Records { name, pages: Box::new(pages) });
    }
    Ok(inputs)
}

fn page(file: &str, from: i64, to: i64) -> String {
    format!(
        "SELECT record, CAST(time AS BIGINT) AS at, src_endpoint_ip, src_endpoint_port,
                dst_endpoint_ip, dst_endpoint_port, connection_info_protocol_name AS protocol,
                traffic_bytes_out, traffic_bytes_in, status, activity_id
         FROM events
         WHERE file = {} AND record >= {from} AND record < {to} AND class_uid = 4001
           AND (source <> 'suricata-eve' OR metadata_event_code = 'flow') AND time IS NOT NULL AND src_endpoint_ip IS NOT NULL AND dst_endpoint_ip IS NOT NULL
         ORDER BY record, at",
        sql_text(file)
    )
}

fn flow(row: Row<'_>) -> Option<(u64, Flow)> {
    let address = |column: &str| row.text(column)?.parse::<IpAddr>().ok();
    let port =
        |column: &str| row.integer(column).and_then(|port| u16::try_from(port).ok()).unwrap_or(0);
    let bytes =
        |column: &str| row.integer(column).and_then(|bytes| u64::try_from(bytes).ok()).unwrap_or(0);
    let bytes_in = bytes("traffic_bytes_in");
    let target_port = port("dst_endpoint_port");
    let is_refused = row.integer("activity_id") == Some(5);
    let is_failed = row.text("status") == Some("Failure");
    let state = if is_refused {
        State::Refused
    } else if bytes_in > 0 {
        State::Answered
    } else if is_failed {
        State::Silent
    } else {
        State::Unknown
    };
    let flow = Flow {
        time: row.integer("at")?,
        source: address("src_endpoint_ip")?,
        source_port: port("src_endpoint_port"),
        target: address("dst_endpoint_ip")?,
        target_port,
        protocol: protocol(row.text("protocol").unwrap_or_default(), target_port),
        bytes_out: bytes("traffic_bytes_out"),
        bytes_in,
        state,
        is_reply: false,
    };
    Some((u64::try_from(row.integer("record")?).ok()?, flow))
}

/// The transport under a service that a firewall names; TCP where nothing says otherwise.
fn protocol(name: &str, port: u16) -> u8 {
    let name = name.to_ascii_lowercase();
    if name.starts_with("udp") || name == "17" || name == "quic" {
        17
    } else if name.starts_with("icmp") || name.starts_with("ping") || name == "1" {
        1
    } else if name.starts_with("tcp") || name == "6" {
        6
    } else if matches!(port, 53 | 67 | 123 | 137 | 138 | 161 | 162 | 500 | 514 | 1900 | 4500 | 5353)
    {
        17
    } else {
        6
    }
}
