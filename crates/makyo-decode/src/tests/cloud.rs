//! Records of Microsoft 365 and Entra that mislead: each trap has a test.

use makyo_base::DefectKind;
use proptest::prelude::*;
use serde_json::Value;

use super::{events, sources};

/// One audit record with other or more fields.
fn audit(fields: &str) -> String {
    let fields = if fields.is_empty() { String::new() } else { format!(",{fields}") };
    format!(
        r#"{{"CreationTime":"2026-02-03T04:05:06","Id":"00000000-0000-4000-8000-000000000001","RecordType":50,"Workload":"Exchange"{fields}}}"#
    )
}

fn event(text: &str) -> Value {
    let found = events(sources(), text);
    assert_eq!(found.lines.len(), 1, "{:?}", found.defects);
    serde_json::from_str(&found.lines[0]).expect("an event")
}

fn at<'a>(event: &'a Value, path: &str) -> &'a Value {
    path.split('.').fold(event, |value, name| &value[name])
}

#[test]
fn an_address_is_read_in_every_form_it_is_written() {
    for (written, address, port) in [
        ("192.0.2.4", Some("192.0.2.4"), None),
        ("192.0.2.4:50123", Some("192.0.2.4"), Some(50123)),
        ("[192.0.2.4]", Some("192.0.2.4"), None),
        ("[192.0.2.4]:50123", Some("192.0.2.4"), Some(50123)),
        ("::ffff:192.0.2.4", Some("192.0.2.4"), None),
        ("[::ffff:192.0.2.4]:443", Some("192.0.2.4"), Some(443)),
        ("2001:db8::4", Some("2001:db8::4"), None),
        ("[2001:db8::4]", Some("2001:db8::4"), None),
        ("[2001:db8::4]:443", Some("2001:db8::4"), Some(443)),
        // The last group of an address is no port.
        ("2001:db8::5012", Some("2001:db8::5012"), None),
        ("localhost", None, None),
        ("localhost:443", None, Some(443)),
        ("NOTANIPV4 (10.9000.0.1)", None, None),
        ("VI1PR04MB5056 (15.20.4129.032)", None, None),
        ("", None, None),
        ("<null>", None, None),
    ] {
        let found = event(&audit(&format!(
            r#""Operation":"MailItemsAccessed","UserId":"ann@agency.example","ClientIPAddress":"{written}""#
        )));
        assert_eq!(at(&found, "src_endpoint.ip").as_str(), address, "{written}");
        assert_eq!(at(&found, "src_endpoint.port").as_i64(), port, "{written}");
    }
}

#[test]
fn an_outcome_is_what_the_operation_says_and_not_the_result() {
    let failed = event(&audit(
        r#""Operation":"UserLoginFailed","UserId":"ann@agency.example","ResultStatus":"Success","ErrorNumber":"50126""#,
    ));
    assert_eq!(at(&failed, "status"), "Failure");
    assert_eq!(at(&failed, "status_code"), "50126");
    let passed = event(&audit(
        r#""Operation":"UserLoggedIn","UserId":"ann@agency.example","ResultStatus":"Failed""#,
    ));
    assert_eq!(at(&passed, "status"), "Success");
}

#[test]
fn one_person_is_one_account_however_the_name_is_written() {
    for written in ["ann@agency.example", "ANN@Agency.Example", "Ann@AGENCY.example"] {
        let found = event(&audit(&format!(
            r#""Operation":"FileAccessed","UserId":"{written}","ObjectId":"https://agency.example/a""#
        )));
        assert_eq!(at(&found, "makyo.account"), "ann@agency.example", "{written}");
    }
    for nobody in ["Not Available", "", "NOT-FOUND"] {
        let found = event(&audit(&format!(r#""Operation":"FileAccessed","UserId":"{nobody}""#)));
        assert_eq!(at(&found, "makyo.account").as_str(), None, "{nobody}");
    }
}

#[test]
fn a_session_is_found_wherever_a_service_writes_it() {
    for fields in [
        r#""SessionId":"s-0001""#,
        r#""AppAccessContext":{"AADSessionId":"s-0001"}"#,
        r#""DeviceProperties":[{"Name":"OS","Value":"Windows 10"},{"Name":"SessionId","Value":"s-0001"}]"#,
        // One that is there and empty is none.
        r#""SessionId":"","AppAccessContext":{"AADSessionId":"s-0001"}"#,
    ] {
        let found = event(&audit(&format!(
            r#""Operation":"UserLoggedIn","UserId":"ann@agency.example",{fields}"#
        )));
        assert_eq!(at(&found, "actor.session.uid"), "s-0001", "{fields}");
    }
}

#[test]
fn bags_of_names_and_values_are_read_in_every_form() {
    let pairs = r#"[{"Name":"Name","Value":"."},{"Name":"MoveToFolder","Value":"RSS Feeds"}]"#;
    let as_text = pairs.replace('"', "\\\"");
    for bag in [pairs.to_owned(), format!("\"{as_text}\"")] {
        let found = event(&audit(&format!(
            r#""Operation":"New-InboxRule","UserId":"ann@agency.example","Parameters":{bag}"#
        )));
        assert_eq!(at(&found, "resource.name"), ".", "{bag}");
        assert_eq!(at(&found, "makyo.access"), "modify", "{bag}");
    }
}

#[test]
fn a_bind_and_a_folder_that_is_copied_whole_are_told_apart() {
    let access = |kind: &str| {
        format!(
            r#""Operation":"MailItemsAccessed","UserId":"ann@agency.example","MailboxOwnerUPN":"ann@agency.example","OperationProperties":[{{"Name":"MailAccessType","Value":"{kind}"}},{{"Name":"IsThrottled","Value":"False"}}]"#
        )
    };
    assert_eq!(at(&event(&audit(&access("Bind"))), "makyo.access"), "bind");
    assert_eq!(at(&event(&audit(&access("Sync"))), "makyo.access"), "sync");
}

#[test]
fn a_throttled_mailbox_is_told_whether_the_flag_is_text_or_not() {
    for (flag, is_throttled) in
        [("\"True\"", Some(true)), ("true", Some(true)), ("\"False\"", Some(false))]
    {
        let found = event(&audit(&format!(
            r#""Operation":"MailItemsAccessed","UserId":"ann@agency.example","OperationProperties":[{{"Name":"MailAccessType","Value":"Bind"}},{{"Name":"IsThrottled","Value":{flag}}}]"#
        )));
        let told = at(&found, "makyo.is_throttled").as_bool();
        assert_eq!(told.unwrap_or(false), is_throttled.unwrap_or(false), "{flag}");
    }
}

#[test]
fn what_is_there_a_hundred_times_is_one_event_by_its_id() {
    let record = audit(r#""Operation":"FileAccessed","UserId":"ann@agency.example""#);
    let found = events(sources(), &vec![record; 100].join("\n"));
    assert_eq!(found.lines.len(), 100);
    let uid = |line: &String| {
        at(&serde_json::from_str::<Value>(line).expect("json"), "metadata.uid").to_string()
    };
    let uids: std::collections::BTreeSet<String> = found.lines.iter().map(uid).collect();
    assert_eq!(uids.len(), 1);
}

#[test]
fn the_records_own_time_counts_and_not_the_local_one_outside() {
    let inner =
        audit(r#""Operation":"FileAccessed","UserId":"ann@agency.example""#).replace('"', "\"\"");
    for outer in ["03.02.2026 13:05:06", "2/3/2026 1:05:06 PM", "2026/02/03 13:05:06"] {
        let text = format!(
            "RecordId,CreationDate,RecordType,Operation,UserId,AuditData\n1,{outer},50,FileAccessed,ann@agency.example,\"{inner}\"\n"
        );
        assert_eq!(at(&event(&text), "time"), "2026-02-03T04:05:06Z", "{outer}");
    }
}

#[test]
fn a_record_that_was_cut_is_said_and_the_next_is_read() {
    let whole = audit(r#""Operation":"FileAccessed","UserId":"ann@agency.example""#);
    let cut = &whole.as_bytes()[..whole.len() - 20];
    let cut = String::from_utf8_lossy(cut);
    let found = events(sources(), &format!("{cut}\n{whole}\n"));
    assert_eq!(found.lines.len(), 1);
    assert!(!found.defects.is_empty());
    assert!(found.defects.iter().all(|one| one.kind != DefectKind::Limit));
}

#[test]
fn interrupted_sign_ins_are_no_failures() {
    let sign_in = |code: i64| {
        format!(
            r#"{{"id":"00000000-0000-4000-8000-00000000000a","createdDateTime":"2026-02-03T04:05:06Z","userPrincipalName":"Ann@agency.example","userId":"11111111-0000-4000-8000-000000000001","appId":"a","appDisplayName":"Mail","ipAddress":"192.0.2.4","clientAppUsed":"Browser","correlationId":"c","isInteractive":true,"status":{{"errorCode":{code}}},"resourceDisplayName":"x"}}"#
        )
    };
    assert_eq!(at(&event(&sign_in(0)), "status"), "Success");
    assert_eq!(at(&event(&sign_in(50126)), "status"), "Failure");
    for code in [50058, 50140, 50074, 65001] {
        let found = event(&sign_in(code));
        assert!(
            at(&found, "status") != "Failure" && at(&found, "status") != "Success",
            "{code}: {found}"
        );
    }
}

proptest! {
    #[test]
    fn no_value_of_a_field_panics(
        name in "(ClientIP|UserId|CreationTime|Operation|OperationProperties|Folders|Parameters|SessionId)",
        value in "(null|true|-1|1e400|\"[\\x20-\\x21\\x23-\\x5b\\x5d-\\x7e\u{3042}]{0,40}\"|\\[\\]|\\{\\}|\\[\\{\\}\\]|\\[null,1,\"x\"\\])",
    ) {
        events(sources(), &audit(&format!(r#""UserId":"ann@agency.example","{name}":{value}"#)));
    }
}
