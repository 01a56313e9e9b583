//! Windows events as JSON, in the form of an event's XML.

use serde_json::{Value, json};

use crate::moment::{Moment, utc_micro};
use crate::people::AD;
use crate::random::Random;

const AUDITING: &str = "54849625-5478-4994-A5BA-3E3B0328C30D";
const REALM: &str = "ad.agency.example";

/// Whose logon it is.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Who<'a> {
    pub(crate) sam: &'a str,
    pub(crate) sid: &'a str,
    pub(crate) logon: u64,
}

struct Head {
    id: u32,
    task: u32,
    is_success: bool,
}

fn event(host: &str, moment: Moment, head: &Head, data: Value, random: &mut Random) -> String {
    let keywords = if head.is_success { "0x8020000000000000" } else { "0x8010000000000000" };
    let micro = i64::try_from(random.below(1000)).unwrap_or(0);
    let when = utc_micro(moment).replace("000Z", &format!("{micro:03}Z"));
    json!({"Event": {
        "#attributes": {"xmlns": "http://schemas.microsoft.com/win/2004/08/events/event"},
        "System": {
            "Provider": {"#attributes": {"Name": "Microsoft-Windows-Security-Auditing", "Guid": AUDITING}},
            "EventID": head.id, "Version": 2, "Level": 0, "Task": head.task, "Opcode": 0, "Keywords": keywords,
            "TimeCreated": {"#attributes": {"SystemTime": when}},
            "EventRecordID": 0, "Correlation": null,
            "Execution": {"#attributes": {"ProcessID": 764, "ThreadID": 800 + random.below(9000)}},
            "Channel": "Security", "Computer": format!("{host}.{REALM}"), "Security": null,
        },
        "EventData": data,
    }})
    .to_string()
}

/// How somebody came in.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Logon<'a> {
    /// 2 at the keyboard, 3 by the network, 10 by remote desktop ...
    pub(crate) kind: u32,
    pub(crate) from: &'a str,
    pub(crate) workstation: &'a str,
    pub(crate) is_ntlm: bool,
}

pub(crate) fn logon(
    host: &str,
    moment: Moment,
    who: &Who<'_>,
    logon: &Logon<'_>,
    random: &mut Random,
) -> String {
    let package = if logon.is_ntlm { "NTLM" } else { "Kerberos" };
    let process = match (logon.kind, logon.is_ntlm) {
        (2 | 10, _) => "User32 ",
        (_, true) => "NtLmSsp ",
        _ => "Kerberos",
    };
    // A session at a screen names the computer whose screen it is.
    let own = host.to_uppercase();
    let workstation = if matches!(logon.kind, 2 | 10) { &own } else { logon.workstation };
    let data = json!({
        "SubjectUserSid": "S-1-0-0", "SubjectUserName": "-", "SubjectDomainName": "-", "SubjectLogonId": "0x0",
        "TargetUserSid": who.sid, "TargetUserName": who.sam, "TargetDomainName": AD,
        "TargetLogonId": format!("{:#x}", who.logon), "LogonType": logon.kind, "LogonProcessName": process,
        "AuthenticationPackageName": if logon.kind == 2 { "Negotiate" } else { package },
        "WorkstationName": workstation, "LogonGuid": "00000000-0000-0000-0000-000000000000",
        "TransmittedServices": "-", "LmPackageName": if logon.is_ntlm { "NTLM V2" } else { "-" },
        "KeyLength": if logon.is_ntlm { 128 } else { 0 }, "ProcessId": "0x0", "ProcessName": "-",
        "IpAddress": logon.from, "IpPort": (49_152 + random.below(16_000)).to_string(),
        "ImpersonationLevel": "%%1833", "ElevatedToken": "%%1842",
    });
    event(host, moment, &Head { id: 4624, task: 12_544, is_success: true }, data, random)
}

pub(crate) fn logon_fails(
    host: &str,
    moment: Moment,
    user: &str,
    logon: &Logon<'_>,
    random: &mut Random,
) -> String {
    let data = json!({
        "SubjectUserSid": "S-1-0-0", "SubjectUserName": "-", "SubjectDomainName": "-", "SubjectLogonId": "0x0",
        "TargetUserSid": "S-1-0-0", "TargetUserName": user, "TargetDomainName": AD,
        "Status": "0xc000006d", "FailureReason": "%%2313", "SubStatus": "0xc000006a", "LogonType": logon.kind,
        "LogonProcessName": "NtLmSsp ", "AuthenticationPackageName": "NTLM", "WorkstationName": logon.workstation,
        "TransmittedServices": "-", "LmPackageName": "-", "KeyLength": 0, "ProcessId": "0x0", "ProcessName": "-",
        "IpAddress": logon.from, "IpPort": (49_152 + random.below(16_000)).to_string(),
    });
    event(host, moment, &Head { id: 4625, task: 12_544, is_success: false }, data, random)
}

/// Special rights for a new logon.
pub(crate) fn privileges(host: &str, moment: Moment, who: &Who<'_>, random: &mut Random) -> String {
    let data = json!({
        "SubjectUserSid": who.sid, "SubjectUserName": who.sam, "SubjectDomainName": AD,
        "SubjectLogonId": format!("{:#x}", who.logon),
        "PrivilegeList": "SeBackupPrivilege\n\t\t\tSeRestorePrivilege\n\t\t\tSeDebugPrivilege",
    });
    event(host, moment, &Head { id: 4672, task: 12_548, is_success: true }, data, random)
}

/// Another's credentials used towards a server.
pub(crate) fn explicit_credentials(
    host: &str,
    moment: Moment,
    who: &Who<'_>,
    other: &str,
    server: &str,
    random: &mut Random,
) -> String {
    let data = json!({
        "SubjectUserSid": who.sid, "SubjectUserName": who.sam, "SubjectDomainName": AD,
        "SubjectLogonId": format!("{:#x}", who.logon), "LogonGuid": "00000000-0000-0000-0000-000000000000",
        "TargetUserName": other, "TargetDomainName": AD, "TargetServerName": format!("{server}.{REALM}"),
        "TargetInfo": format!("{server}.{REALM}"), "ProcessId": "0x4",
        "ProcessName": "C:\\Windows\\System32\\svchost.exe", "IpAddress": "-", "IpPort": "-",
    });
    event(host, moment, &Head { id: 4648, task: 12_544, is_success: true }, data, random)
}

/// A program started.
pub(crate) fn process(
    host: &str,
    moment: Moment,
    who: &Who<'_>,
    command: (&str, &str, &str),
    random: &mut Random,
) -> String {
    let (image, line, parent) = command;
    let data = json!({
        "SubjectUserSid": who.sid, "SubjectUserName": who.sam, "SubjectDomainName": AD,
        "SubjectLogonId": format!("{:#x}", who.logon), "NewProcessId": format!("{:#x}", 900 + random.below(30_000)),
        "NewProcessName": image, "TokenElevationType": "%%1936",
        "ProcessId": format!("{:#x}", 900 + random.below(30_000)), "CommandLine": line,
        "TargetUserSid": "S-1-0-0", "TargetUserName": "-", "TargetDomainName": "-", "TargetLogonId": "0x0",
        "ParentProcessName": parent, "MandatoryLabel": "S-1-16-12288",
    });
    event(host, moment, &Head { id: 4688, task: 13_312, is_success: true }, data, random)
}

/// A service was installed: its name and its program.
pub(crate) fn service(
    host: &str,
    moment: Moment,
    who: &Who<'_>,
    (name, program): (&str, &str),
    random: &mut Random,
) -> String {
    let data = json!({
        "SubjectUserSid": who.sid, "SubjectUserName": who.sam, "SubjectDomainName": AD,
        "SubjectLogonId": format!("{:#x}", who.logon), "ServiceName": name, "ServiceFileName": program,
        "ServiceType": "0x10", "ServiceStartType": "3", "ServiceAccount": "LocalSystem",
        "ClientProcessStartKey": "5348024557502812", "ClientProcessId": "716", "ParentProcessId": "612",
    });
    event(host, moment, &Head { id: 4697, task: 12_289, is_success: true }, data, random)
}

/// A task was planned: what it starts, and with what.
pub(crate) fn task(
    host: &str,
    moment: Moment,
    who: &Who<'_>,
    name: &str,
    (command, arguments): (&str, &str),
    random: &mut Random,
) -> String {
    let content = format!(
        "<?xml version=\"1.0\" encoding=\"UTF-16\"?>\r\n<Task version=\"1.2\" xmlns=\"http://schemas.microsoft.com/windows/2004/02/mit/task\">\r\n  <Triggers><TimeTrigger><Repetition><Interval>PT1H</Interval></Repetition><Enabled>true</Enabled></TimeTrigger></Triggers>\r\n  <Settings><Hidden>true</Hidden></Settings>\r\n  <Actions Context=\"Author\"><Exec><Command>{command}</Command><Arguments>{arguments}</Arguments></Exec></Actions>\r\n</Task>"
    );
    let data = json!({
        "SubjectUserSid": who.sid, "SubjectUserName": who.sam, "SubjectDomainName": AD,
        "SubjectLogonId": format!("{:#x}", who.logon), "TaskName": name, "TaskContent": content,
        "ClientProcessId": 4412, "ParentProcessId": 712, "RpcCallClientLocality": "0",
        "FQDN": format!("{host}.{REALM}"),
    });
    event(host, moment, &Head { id: 4698, task: 12_804, is_success: true }, data, random)
}

/// A ticket for a service; for `krbtgt` the first ticket of the day.
pub(crate) fn ticket(
    host: &str,
    moment: Moment,
    who: &Who<'_>,
    service: &str,
    from: &str,
    random: &mut Random,
) -> String {
    let is_first = service == "krbtgt";
    let user = if is_first { who.sam.to_owned() } else { format!("{}@AD.AGENCY.EXAMPLE", who.sam) };
    let data = json!({
        "TargetUserName": user, "TargetDomainName": if is_first { AD } else { "AD.AGENCY.EXAMPLE" },
        "TargetSid": who.sid, "ServiceName": service, "TicketOptions": "0x40810010", "Status": "0x0",
        "TicketEncryptionType": "0x12", "PreAuthType": "2", "IpAddress": format!("::ffff:{from}"),
        "IpPort": (49_152 + random.below(16_000)).to_string(),
    });
    let (id, task) = if is_first { (4768, 14_339) } else { (4769, 14_337) };
    event(host, moment, &Head { id, task, is_success: true }, data, random)
}

/// A password tested the old way.
pub(crate) fn validates(
    host: &str,
    moment: Moment,
    user: &str,
    workstation: &str,
    is_success: bool,
    random: &mut Random,
) -> String {
    let data = json!({
        "PackageName": "MICROSOFT_AUTHENTICATION_PACKAGE_V1_0", "TargetUserName": user,
        "Workstation": workstation, "Status": if is_success { "0x0" } else { "0xc000006a" },
    });
    event(host, moment, &Head { id: 4776, task: 14_336, is_success }, data, random)
}

/// A share, or with `file` a file in it, was opened.
pub(crate) fn share(
    host: &str,
    moment: Moment,
    who: &Who<'_>,
    place: (&str, &str, Option<&str>),
    random: &mut Random,
) -> String {
    let (from, share, file) = place;
    let local = match share {
        "ADMIN$" => "\\??\\C:\\Windows".to_owned(),
        "IPC$" => String::new(),
        share => format!("\\??\\D:\\{share}"),
    };
    let mut data = json!({
        "SubjectUserSid": who.sid, "SubjectUserName": who.sam, "SubjectDomainName": AD,
        "SubjectLogonId": format!("{:#x}", who.logon), "ObjectType": "File", "IpAddress": from,
        "IpPort": (49_152 + random.below(16_000)).to_string(), "ShareName": format!("\\\\*\\{share}"),
        "ShareLocalPath": local,
    });
    let more = match file {
        Some(file) => json!({"RelativeTargetName": file, "AccessMask": "0x120089",
            "AccessList": "%%1538\n\t\t\t\t%%1541\n\t\t\t\t%%4416\n\t\t\t\t", "AccessReason": "-"}),
        None => json!({"AccessMask": "0x1", "AccessList": "%%4416\n\t\t\t\t"}),
    };
    if let (Some(data), Value::Object(more)) = (data.as_object_mut(), more) {
        data.extend(more);
    }
    let (id, task) = if file.is_some() { (5145, 12_811) } else { (5140, 12_808) };
    event(host, moment, &Head { id, task, is_success: true }, data, random)
}

/// The security log was cleared.
pub(crate) fn cleared(host: &str, moment: Moment, who: &Who<'_>) -> String {
    json!({"Event": {
        "#attributes": {"xmlns": "http://schemas.microsoft.com/win/2004/08/events/event"},
        "System": {
            "Provider": {"#attributes": {"Name": "Microsoft-Windows-Eventlog", "Guid": "fc65ddd8-d6ef-4962-83d5-6e5cfe9ce148"}},
            "EventID": 1102, "Version": 0, "Level": 4, "Task": 104, "Opcode": 0, "Keywords": "0x4020000000000000",
            "TimeCreated": {"#attributes": {"SystemTime": utc_micro(moment)}},
            "EventRecordID": 0, "Correlation": null,
            "Execution": {"#attributes": {"ProcessID": 1204, "ThreadID": 4410}},
            "Channel": "Security", "Computer": format!("{host}.{REALM}"), "Security": null,
        },
        "UserData": {"LogFileCleared": {
            "#attributes": {"xmlns": "http://manifests.microsoft.com/win/2004/08/windows/eventlog"},
            "SubjectUserSid": who.sid, "SubjectUserName": who.sam, "SubjectDomainName": AD,
            "SubjectLogonId": format!("{:#x}", who.logon)}},
    }})
    .to_string()
}

/// The database engine tells of a database: 326 attached, 327 detached, 325 made, 216 moved.
pub(crate) fn database(host: &str, moment: Moment, id: u32, data: &[&str]) -> String {
    json!({"Event": {
        "#attributes": {"xmlns": "http://schemas.microsoft.com/win/2004/08/events/event"},
        "System": {
            "Provider": {"#attributes": {"Name": "ESENT"}},
            "EventID": {"#attributes": {"Qualifiers": 0}, "#text": id},
            "Version": 0, "Level": 4, "Task": 1, "Opcode": 0, "Keywords": "0x80000000000000",
            "TimeCreated": {"#attributes": {"SystemTime": utc_micro(moment)}},
            "EventRecordID": 0, "Correlation": null,
            "Execution": {"#attributes": {"ProcessID": 2912, "ThreadID": 2514}},
            "Channel": "Application", "Computer": format!("{host}.{REALM}"), "Security": null,
        },
        "EventData": {"Data": {"#text": data}, "Binary": null},
    }})
    .to_string()
}
