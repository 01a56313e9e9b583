use std::net::IpAddr;

use proptest::prelude::*;

use crate::*;

fn time(text: &str) -> String {
    parse_time(text).map_or_else(|| "nothing".to_owned(), format_time)
}

#[test]
fn times_in_the_forms_that_products_write() {
    for (text, expected) in [
        ("2023-05-29T12:30:51", "2023-05-29T12:30:51Z"),
        ("2023-05-29T12:30:51.1234567Z", "2023-05-29T12:30:51.1234567Z"),
        ("2021-10-19T09:10:35+02:00", "2021-10-19T07:10:35Z"),
        ("2021-10-19 09:10:35 +0900", "2021-10-19T00:10:35Z"),
        ("2019-1-1 08:35:05", "2019-01-01T08:35:05Z"),
        ("2025/03/04 09:12:01", "2025-03-04T09:12:01Z"),
        ("6/13/2022 1:49:50 PM", "2022-06-13T13:49:50Z"),
        ("11/27/2020, 10:09:35.587 PM", "2020-11-27T22:09:35.587Z"),
        ("27/11/2020 22:09:35", "2020-11-27T22:09:35Z"),
        ("11/14/2020 6:21", "2020-11-14T06:21:00Z"),
        ("1741047121000000000", "2025-03-04T00:12:01Z"),
        ("1588205199.82437", "2020-04-30T00:06:39.82437Z"),
        ("1575413096052", "2019-12-03T22:44:56.052Z"),
        ("133800000000000000", "2024-12-30T02:40:00Z"),
        ("/Date(1685363451000)/", "2023-05-29T12:30:51Z"),
        ("Nov 19, 2014 18:21:13", "2014-11-19T18:21:13Z"),
        ("Thu, 22 Aug 2002 18:26:25 +0700", "2002-08-22T11:26:25Z"),
        ("Oct 19 09:10:35", "nothing"),
        ("yesterday", "nothing"),
        ("", "nothing"),
        ("99999999999999999999", "nothing"),
    ] {
        assert_eq!(time(text), expected, "{text}");
    }
}

#[test]
fn a_missing_year_is_the_one_next_to_what_is_known() {
    let near = parse_time("2021-01-02T00:00:00Z");
    let hint = ZoneHint { offset_seconds: Some(0), near };
    let found = parse_time_with("Dec 31 23:59:59", hint).map(|found| format_time(found.0));
    assert_eq!(found.as_deref(), Some("2020-12-31T23:59:59Z"));
}

#[test]
fn a_missing_zone_is_said() {
    assert_eq!(
        parse_time_with("2020-01-01 00:00:00", ZoneHint::default()).map(|f| f.1),
        Some(true)
    );
    let hint = ZoneHint::from_zone("CST(+0800)");
    let found = parse_time_with("2019-01-01 08:35:05", hint);
    assert_eq!(
        found.map(|f| (format_time(f.0), f.1)),
        Some(("2019-01-01T00:35:05Z".into(), false))
    );
}

#[test]
fn addresses_in_the_forms_that_products_write() {
    for (text, address, port) in [
        ("1.2.3.4", Some("1.2.3.4"), None),
        ("1.2.3.4:443", Some("1.2.3.4"), Some(443)),
        ("[1.2.3.4]", Some("1.2.3.4"), None),
        ("[1.2.3.4]:443", Some("1.2.3.4"), Some(443)),
        ("::ffff:1.2.3.4", Some("1.2.3.4"), None),
        ("[::ffff:1.2.3.4]:443", Some("1.2.3.4"), Some(443)),
        ("2001:db8::1", Some("2001:db8::1"), None),
        ("[2001:db8::1]:443", Some("2001:db8::1"), Some(443)),
        ("fe80::1%eth0", Some("fe80::1"), None),
        ("localhost", None, None),
        ("15.20.4129.032", None, None),
        ("NOTANIPV4 (10.9000.0.1)", None, None),
        ("", None, None),
        ("<null>", None, None),
    ] {
        assert_eq!(parse_address(text).map(|a| a.to_string()).as_deref(), address, "{text}");
        assert_eq!(parse_port(text), port, "{text}");
    }
}

#[test]
fn accounts_have_one_name() {
    for (name, domain, expected) in [
        ("Ann@Example.ORG", None, Some("ann@example.org")),
        ("AGENCY\\Svc-Backup", None, Some("agency\\svc-backup")),
        ("Svc-Backup", Some("ad.agency.example"), Some("ad\\svc-backup")),
        ("SYSTEM", Some("NT AUTHORITY"), None),
        ("ANONYMOUS LOGON", Some("NT AUTHORITY"), None),
        ("-", None, None),
        ("mori", None, Some("mori")),
    ] {
        assert_eq!(canonical_account(name, domain).as_deref(), expected, "{name}");
    }
    assert_eq!(canonical_host("FS01.ad.agency.example").as_deref(), Some("fs01"));
    assert_eq!(canonical_host("\\\\10.1.2.3").as_deref(), Some("10.1.2.3"));
}

#[test]
fn paths_reach_pairs_lists_and_dotted_names() {
    let text = r#"{"id.orig_h":"10.0.0.1","Parameters":[{"Name":"ForwardTo","Value":"x@y"}],
        "targetResources":[{"displayName":"App"}],"a":{"b.c":1}}"#;
    let value = parse_json(text).expect("valid");
    let object = value.as_object().expect("object");
    let at = |path: &str| object.path(path).map(to_json);
    assert_eq!(at("id.orig_h").as_deref(), Some("\"10.0.0.1\""));
    assert_eq!(at("Parameters.ForwardTo").as_deref(), Some("\"x@y\""));
    assert_eq!(at("targetResources.0.displayName").as_deref(), Some("\"App\""));
    assert_eq!(at("a.b.c").as_deref(), Some("1"));
    assert_eq!(at("a.x"), None);
}

#[test]
fn every_column_is_found_by_its_path_and_name() {
    for column in ALL_COLUMNS {
        let info = column.info();
        assert_eq!(Column::by_path(info.path), Some(*column));
        assert_eq!(Column::by_name(info.name), Some(*column));
    }
}

#[test]
fn no_column_lies_inside_another() {
    assert_eq!(event_json::clashes(), vec![]);
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(64))]

    #[test]
    fn times_round_trip(seconds in 0i64..4_000_000_000, nanos in 0i64..1_000_000_000) {
        let time = seconds * SECOND_NS + nanos;
        prop_assert_eq!(parse_time(&format_time(time)), Some(time));
    }

    #[test]
    fn no_text_panics(text in "\\PC{0,40}") {
        let _ = parse_time(&text);
        let _ = parse_address(&text);
        let _ = canonical_account(&text, Some(&text));
        let _ = parse_json(&text);
    }

    #[test]
    fn json_round_trips(text in "\\PC{0,40}", number in any::<i64>()) {
        let mut object = Object::default();
        object.push("text", Value::text(text));
        object.push("number", Value::Int(number.into()));
        let written = to_json(&Value::Object(object.clone()));
        prop_assert_eq!(parse_json(&written).expect("our own JSON"), Value::Object(object));
    }

    #[test]
    fn addresses_round_trip(address in any::<IpAddr>(), port in any::<u16>()) {
        let unmapped = parse_address(&address.to_string());
        prop_assert!(unmapped.is_some() );
        let with_port = match address { IpAddr::V4(v4) => format!("{v4}:{port}"), IpAddr::V6(v6) => format!("[{v6}]:{port}") };
        prop_assert_eq!(parse_address(&with_port), unmapped);
        prop_assert_eq!(parse_port(&with_port), Some(port));
    }
}

#[test]
fn a_leap_second_is_the_last_of_its_minute() {
    let fixed = FixedTime::new("%Y-%m-%d %H:%M:%S").expect("a form");
    let read = |text: &str| fixed.read(text, ZoneHint::default()).map(|read| read.0);
    assert_eq!(read("2016-12-31 23:59:60"), read("2016-12-31 23:59:59"));
    assert_eq!(read("2016-12-31 23:59:61"), None);
}

proptest! {
    /// What is read by its places is read alike by the reader of all forms.
    #[test]
    fn times_by_their_places_are_times(
        (year, month, day) in (1700..2250_i32, 0..14_i32, 0..33_i32),
        (hour, minute, second) in (0..25_i32, 0..61_i32, 0..61_i32),
        form in 0..8_usize,
        end in proptest::sample::select(vec![
            "", ".5", ".123456789", "Z", ".25Z", "+09:00", "-0330", ".1+14:00", "+15:00", " UTC", ".", "x", ":",
        ]),
        near in proptest::option::of(0..2_000_000_000_i64),
        offset in proptest::option::of(-43_200..43_200_i32),
    ) {
        const MONTHS: [&str; 14] = [
            "Xxx", "Jan", "feb", "Mar", "APR", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec", "Mai",
        ];
        let name = MONTHS[usize::try_from(month).expect("small")];
        let clock = format!("{hour:02}:{minute:02}:{second:02}");
        let text = match form {
            0 => format!("{year}-{month:02}-{day:02}T{clock}{end}"),
            1 => format!("{year}-{month:02}-{day:02} {clock}{end}"),
            2 => format!("{year}/{month:02}/{day:02} {clock}{end}"),
            3 => format!("{year}/{month:02}-{day:02} {clock}{end}"),
            4 => format!("{name} {day:>2} {clock}{end}"),
            5 => format!("{name} {day:02} {year} {clock}{end}"),
            6 => format!("{name} {day} {clock}{end}"),
            _ => format!("{year}-{month}-{day} {clock}{end}"),
        };
        let hint = ZoneHint { offset_seconds: offset, near: near.map(|near| near * SECOND_NS) };
        let first = *text.as_bytes().first().expect("not empty");
        prop_assert_eq!(parse_time_with(&text, hint), time::any_form(&text, first, hint), "{}", text);
        let fixed = FixedTime::new("%Y-%m-%d %H:%M:%S").expect("a form");
        if form == 1 && end.is_empty() {
            prop_assert_eq!(fixed.read(&text, hint), parse_time_with(&text, hint), "{}", text);
        }
    }
}
