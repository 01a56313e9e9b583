//! What a DHCP server says of whose an inside address was.

use std::fs;

use makyo_base::Value;

use crate::{makyo, show, stderr, text};

#[test]
fn a_lease_says_which_computer_had_an_address() {
    let folder = tempfile::tempdir().expect("folder");
    fs::create_dir(folder.path().join("e")).expect("folder");
    let lease = "\t\tMicrosoft DHCP Service Activity Log\n\nID,Date,Time,Description,IP Address,Host Name,MAC Address,User Name\n\
         10,05/12/25,00:00:10,Assign,10.20.1.44,HOST7.corp.example,005300AABBCC,,1,0,,,,,,,,,0\n\
         15,05/12/25,00:00:12,NACK,10.20.1.45,HOST7.corp.example,005300AABBCC,,1,0,,,,,,,,,0\n";
    let cleared = "{\"Channel\":\"Security\",\"Computer\":\"host7.corp.example\",\"EventID\":1102,\"EventRecordID\":5,\"TimeCreated\":\"2025-05-12T03:00:00Z\",\"SubjectUserName\":\"svc-b\",\"SubjectDomainName\":\"CORP\"}\n";
    fs::write(folder.path().join("e/DhcpSrvLog-Mon.log"), lease).expect("written");
    fs::write(folder.path().join("e/security.jsonl"), cleared).expect("written");
    let run = makyo(folder.path(), &["investigate", "e", "--case", "c", "--no-progress"]);
    assert!(run.status.success(), "{}", stderr(&run));
    let hosts = show(folder.path(), "hosts", "c");
    let host = hosts.iter().find(|row| text(row, "host") == "host7").expect("host7");
    assert_eq!(host.get("addresses"), Some(&Value::List(vec![Value::Str("10.20.1.44".into())])));
}
