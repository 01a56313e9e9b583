//! The unified audit log: one JSON object a line, as the records' `AuditData`.

use serde_json::{Value, json};

use crate::act::{Context, Token};
use crate::mail::Mail;
use crate::moment::{Moment, utc_bare};
use crate::people::{DOMAIN, Person};
use crate::random::{Guid, Random};

const TENANT: &str = "5b1f7a60-93c4-4d0e-8f2b-66c1d1a0e711";
/// The storage of the tenant's sites.
pub(crate) const SITES: &str = "https://agency.sharepoint.example/sites";

/// How mail is read: the client's words in the record.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(crate) enum Client {
    Web,
    Desktop,
    Telephone,
    /// The provider's own machinery.
    Background,
    Imap,
    /// An application with its id.
    App(&'static str),
}

impl Client {
    fn info(self) -> &'static str {
        match self {
            Client::Web => "Client=OWA;Action=ViaProxy",
            Client::Desktop => "Client=MSExchangeRPC",
            Client::Telephone => "Client=OutlookService;Outlook-iOS/2.0;",
            Client::Background => "Client=REST;Client=RESTSystem;",
            Client::Imap => "Client=POP3/IMAP4;Protocol=IMAP4",
            Client::App(_) => "Client=REST;;",
        }
    }

    fn app(self) -> &'static str {
        match self {
            Client::Web => "9199bf20-a13f-4107-85dc-02114787ef48",
            Client::Desktop => "d3590ed6-52b3-4102-aeff-aad2292ab01c",
            Client::Telephone => "27922004-5251-4030-b22d-91ecd9a37ea4",
            Client::Background => "00000002-0000-0ff1-ce00-000000000000",
            Client::Imap => "",
            Client::App(id) => id,
        }
    }
}

/// Who acts, on which token, from where.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Act<'a> {
    pub(crate) person: &'a Person,
    pub(crate) context: &'a Context,
    pub(crate) token: Option<&'a Token>,
    pub(crate) moment: Moment,
}

fn access(token: Option<&Token>) -> Value {
    token.map_or_else(
        || json!({"IssuedAtTime": "1601-01-01T00:00:00", "UniqueTokenId": ""}),
        |token| {
            json!({"AADSessionId": token.session, "ClientAppId": token.app, "IssuedAtTime": utc_bare(token.issued),
                   "UniqueTokenId": token.unique, "APIId": ""})
        },
    )
}

/// The user's name as the record writes it; some services write capitals.
fn spelling(person: &Person, random: &mut Random) -> String {
    if random.chance(0.06) { person.upn.to_uppercase() } else { person.upn.clone() }
}

fn head(act: &Act<'_>, operation: &str, kind: u32, workload: &str, random: &mut Random) -> Value {
    json!({
        "CreationTime": utc_bare(act.moment),
        "Id": random.guid().to_string(),
        "Operation": operation,
        "OrganizationId": TENANT,
        "RecordType": kind,
        "UserKey": act.person.puid,
        "UserType": 0,
        "Version": 1,
        "UserId": spelling(act.person, random),
        "Workload": workload,
    })
}

fn with(mut record: Value, more: Value) -> Value {
    if let (Some(record), Value::Object(more)) = (record.as_object_mut(), more) {
        record.extend(more);
    }
    record
}

/// A sign-in that worked, or not: `error` is its number.
pub(crate) fn logged_in(
    act: &Act<'_>,
    sign_in: Guid,
    correlation: Guid,
    session: &str,
    error: u32,
    random: &mut Random,
) -> String {
    let operation = if error == 0 { "UserLoggedIn" } else { "UserLoginFailed" };
    let device = &act.context.device;
    let mut properties = vec![
        json!({"Name": "OS", "Value": device.system}),
        json!({"Name": "BrowserType", "Value": act.context.browser.split(' ').next()}),
        json!({"Name": "SessionId", "Value": session}),
    ];
    if !device.id.is_empty() {
        properties.push(json!({"Name": "Id", "Value": device.id}));
        properties.push(json!({"Name": "DisplayName", "Value": device.name}));
        properties.push(json!({"Name": "TrustType", "Value": "2"}));
    }
    with(
        head(act, operation, 15, "AzureActiveDirectory", random),
        json!({
            "ClientIP": act.context.place.address,
            "ActorIpAddress": act.context.place.address,
            "ResultStatus": "Success",
            "ObjectId": "00000002-0000-0ff1-ce00-000000000000",
            "UserKey": act.person.object.to_string(),
            "ErrorNumber": error.to_string(),
            "LogonError": if error == 50_126 { json!("InvalidUserNameOrPassword") } else { Value::Null },
            "ExtendedProperties": [{"Name": "ResultStatusDetail", "Value": "Success"},
                {"Name": "UserAgent", "Value": act.context.agent}, {"Name": "RequestType", "Value": "OAuth2:Authorize"}],
            "DeviceProperties": properties,
            "Actor": [{"ID": act.person.object.to_string(), "Type": 0}, {"ID": act.person.upn, "Type": 5}],
            "InterSystemsId": correlation.to_string(),
            "IntraSystemId": sign_in.to_string(),
        }),
    )
    .to_string()
}

fn exchange(act: &Act<'_>, owner: &Person, client: Client) -> Value {
    let logon = if act.person.index == owner.index { 0 } else { 2 };
    json!({
        "ResultStatus": "Succeeded",
        "ExternalAccess": false,
        "ClientIPAddress": act.context.place.address,
        "ClientInfoString": client.info(),
        "ClientAppId": client.app(),
        "InternalLogonType": 0,
        "LogonType": logon,
        "LogonUserSid": act.person.sid,
        "MailboxGuid": owner.mailbox.to_string(),
        "MailboxOwnerSid": owner.sid,
        "MailboxOwnerUPN": owner.upn,
        "OrganizationName": "agency.onmicrosoft.example",
        "OriginatingServer": "TYXPR01MB0001 (15.20.9203.007)\r\n",
        "SessionId": act.token.map(|token| token.session.clone()),
        "AppAccessContext": access(act.token),
    })
}

/// Mails opened, all within two minutes.
pub(crate) fn bind(
    act: &Act<'_>,
    owner: &Person,
    client: Client,
    items: &[&Mail],
    is_throttled: bool,
    random: &mut Random,
) -> String {
    let list: Vec<Value> = items
        .iter()
        .map(|mail| json!({"InternetMessageId": mail.id, "SizeInBytes": mail.size}))
        .collect();
    let record =
        with(head(act, "MailItemsAccessed", 50, "Exchange", random), exchange(act, owner, client));
    with(
        record,
        json!({
            "OperationProperties": [{"Name": "MailAccessType", "Value": "Bind"},
                {"Name": "IsThrottled", "Value": if is_throttled { "True" } else { "False" }}],
            "Folders": [{"FolderItems": list, "Id": "LgAAAAB1", "Path": "\\Inbox"}],
            "OperationCount": items.len(),
        }),
    )
    .to_string()
}

/// A folder fetched as a whole.
pub(crate) fn sync(act: &Act<'_>, owner: &Person, folder: &str, random: &mut Random) -> String {
    let record = with(
        head(act, "MailItemsAccessed", 2, "Exchange", random),
        exchange(act, owner, Client::Desktop),
    );
    with(
        record,
        json!({
            "OperationProperties": [{"Name": "MailAccessType", "Value": "Sync"},
                {"Name": "IsThrottled", "Value": "False"}],
            "Item": {"Id": "LgAAAAC4", "ParentFolder": {"Id": "LgAAAAC4", "Name": folder, "Path": format!("\\{folder}")}},
            "OperationCount": 1,
        }),
    )
    .to_string()
}

/// A mail sent.
pub(crate) fn send(
    act: &Act<'_>,
    client: Client,
    mail: &Mail,
    subject: &str,
    random: &mut Random,
) -> String {
    let record = with(head(act, "Send", 2, "Exchange", random), exchange(act, act.person, client));
    with(
        record,
        json!({
            "Item": {"Id": "Unknown", "InternetMessageId": mail.id, "SizeInBytes": mail.size, "Subject": subject,
                "ParentFolder": {"Id": "LgAAAAD2", "Path": "\\Drafts"}},
        }),
    )
    .to_string()
}

/// Something done with a file: the operation in the product's word.
pub(crate) fn file(
    act: &Act<'_>,
    operation: &str,
    site: &str,
    path: &str,
    random: &mut Random,
) -> String {
    let name = path.rsplit('/').next().unwrap_or(path);
    let kind = if operation.starts_with("FileSync") { 14 } else { 6 };
    with(
        head(
            act,
            operation,
            kind,
            if site == "personal" { "OneDrive" } else { "SharePoint" },
            random,
        ),
        json!({
            "UserKey": format!("i:0h.f|membership|{}@live.example", act.person.puid.to_lowercase()),
            "ClientIP": act.context.place.address,
            "CorrelationId": random.guid().to_string(),
            "EventSource": "SharePoint",
            "ItemType": "File",
            "UserAgent": act.context.agent,
            "ObjectId": format!("{SITES}/{site}/{path}"),
            "SiteUrl": format!("{SITES}/{site}/"),
            "SourceFileName": name,
            "SourceFileExtension": name.rsplit('.').next(),
            "SourceRelativeUrl": path.strip_suffix(name).map(|folder| folder.trim_end_matches('/')),
            "ApplicationDisplayName": act.token.map(|token| token.app_name),
            "DeviceId": Some(&act.context.device.id).filter(|id| !id.is_empty()),
            "AppAccessContext": access(act.token),
        }),
    )
    .to_string()
}

/// A cmdlet or a directory change with its parameters.
pub(crate) fn setting(
    act: &Act<'_>,
    operation: &str,
    object: &str,
    parameters: &[(&str, &str)],
    random: &mut Random,
) -> String {
    let list: Vec<Value> =
        parameters.iter().map(|(name, value)| json!({"Name": name, "Value": value})).collect();
    with(
        head(act, operation, 1, "Exchange", random),
        json!({
            "ResultStatus": "True",
            "ClientIP": format!("{}:{}", bracketed(&act.context.place.address), 40_000 + random.below(20_000)),
            "ObjectId": object,
            "OrganizationName": format!("{DOMAIN} tenant"),
            "Parameters": list,
            "SessionId": act.token.map(|token| token.session.clone()),
            "AppAccessContext": access(act.token),
        }),
    )
    .to_string()
}

/// A change in the directory as the audit log repeats it.
pub(crate) fn directory(
    act: &Act<'_>,
    operation: &str,
    object: &str,
    modified: &[(&str, &str)],
    random: &mut Random,
) -> String {
    let list: Vec<Value> = modified
        .iter()
        .map(|(name, new)| json!({"Name": name, "NewValue": new, "OldValue": ""}))
        .collect();
    with(
        head(act, operation, 8, "AzureActiveDirectory", random),
        json!({
            "ResultStatus": "Success",
            "ObjectId": object,
            "UserKey": act.person.puid,
            "Actor": [{"ID": act.person.upn, "Type": 5}, {"ID": act.person.object.to_string(), "Type": 2}],
            "Target": [{"ID": object, "Type": 1}],
            "ModifiedProperties": list,
            "ExtendedProperties": [{"Name": "additionalDetails", "Value": "{}"}],
        }),
    )
    .to_string()
}

fn bracketed(address: &str) -> String {
    if address.contains(':') { format!("[{address}]") } else { address.to_owned() }
}
