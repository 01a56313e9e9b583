//! The event: one record in OCSF 1.x terms, as a row of a fixed set of columns.
//!
//! The columns are declared once, in [`COLUMNS`]; the Parquet schema, the nested JSON of
//! `makyo events`, the check of source descriptions and the reference page all follow from it.
//! A column is named like its OCSF path with `_` for `.`, so that SQL needs no quotes.

use std::borrow::Cow;

use crate::value::Value;

/// What a column holds.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum ColumnType {
    /// UTF-8 text.
    Text,
    /// Signed 64-bit number.
    Integer,
    /// True or false.
    Boolean,
    /// Nanoseconds since the Unix epoch, UTC.
    Time,
}

/// One promoted column of the event schema.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct ColumnInfo {
    /// OCSF path, or a path under `makyo.` where OCSF has no word.
    pub path: &'static str,
    /// Name in tables and SQL.
    pub name: &'static str,
    /// Type of its values.
    pub kind: ColumnType,
    /// One line for people.
    pub about: &'static str,
}

macro_rules! columns {
    ($($variant:ident $path:literal $name:literal $kind:ident $about:literal;)*) => {
        /// A promoted column, as an index into [`COLUMNS`].
        #[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Debug)]
        #[allow(missing_docs, reason = "each variant is documented by its `about` line")]
        pub enum Column { $($variant),* }

        /// All promoted columns, in the order of the schema.
        pub const COLUMNS: &[ColumnInfo] = &[
            $(ColumnInfo { path: $path, name: $name, kind: ColumnType::$kind, about: $about }),*
        ];

        /// All columns as values, in the order of [`COLUMNS`].
        pub const ALL_COLUMNS: &[Column] = &[$(Column::$variant),*];
    };
}

columns! {
    Time "time" "time" Time "when it happened, UTC";
    LoggedTime "metadata.logged_time" "metadata_logged_time" Time "when the product wrote it down, if that differs";
    Source "metadata.log_name" "source" Text "id of the source description that read it";
    Product "metadata.product.name" "metadata_product_name" Text "product";
    Vendor "metadata.product.vendor_name" "metadata_product_vendor_name" Text "vendor";
    Uid "metadata.uid" "metadata_uid" Text "the record's own id";
    CorrelationUid "metadata.correlation_uid" "metadata_correlation_uid" Text "id that ties records of one action";
    EventCode "metadata.event_code" "metadata_event_code" Text "the vendor's code or operation";
    LogProvider "metadata.log_provider" "metadata_log_provider" Text "log channel, table or facility";
    ClassUid "class_uid" "class_uid" Integer "OCSF class";
    ClassName "class_name" "class_name" Text "OCSF class in words";
    ActivityId "activity_id" "activity_id" Integer "OCSF activity";
    ActivityName "activity_name" "activity_name" Text "OCSF activity in words";
    Severity "severity" "severity" Text "severity as the product says it";
    Status "status" "status" Text "Success, Failure or Unknown";
    StatusCode "status_code" "status_code" Text "the product's result code";
    StatusDetail "status_detail" "status_detail" Text "the product's reason";
    Message "message" "message" Text "the product's own sentence";
    ActorUserName "actor.user.name" "actor_user_name" Text "who did it: name as logged";
    ActorUserUid "actor.user.uid" "actor_user_uid" Text "who did it: object id or SID";
    ActorUserDomain "actor.user.domain" "actor_user_domain" Text "who did it: domain";
    ActorUserType "actor.user.type" "actor_user_type" Text "who did it: kind of account";
    ActorAppName "actor.app_name" "actor_app_name" Text "application that acted";
    ActorAppUid "actor.app_uid" "actor_app_uid" Text "id of the application that acted";
    ActorSessionUid "actor.session.uid" "actor_session_uid" Text "session in which it was done";
    ActorTokenUid "actor.session.token_uid" "actor_token_uid" Text "token with which it was done";
    ActorProcessPath "actor.process.path" "actor_process_path" Text "process that did it, or parent";
    ActorProcessCmdLine "actor.process.cmd_line" "actor_process_cmd_line" Text "its command line";
    ActorProcessPid "actor.process.pid" "actor_process_pid" Integer "its process id";
    UserName "user.name" "user_name" Text "account acted upon: name as logged";
    UserUid "user.uid" "user_uid" Text "account acted upon: object id or SID";
    UserDomain "user.domain" "user_domain" Text "account acted upon: domain";
    DeviceHostname "device.hostname" "device_hostname" Text "host that the record is about";
    DeviceUid "device.uid" "device_uid" Text "its id";
    DeviceIp "device.ip" "device_ip" Text "its address";
    DeviceOs "device.os.name" "device_os_name" Text "its operating system";
    DeviceManaged "device.is_managed" "device_is_managed" Boolean "whether the organisation manages it";
    SrcIp "src_endpoint.ip" "src_endpoint_ip" Text "address it came from";
    SrcPort "src_endpoint.port" "src_endpoint_port" Integer "port it came from";
    SrcHostname "src_endpoint.hostname" "src_endpoint_hostname" Text "name of the host that it came from";
    SrcCountry "src_endpoint.location.country" "src_endpoint_country" Text "country as the product says it";
    SrcAsn "src_endpoint.autonomous_system.number" "src_endpoint_asn" Integer "network number as the product says it";
    DstIp "dst_endpoint.ip" "dst_endpoint_ip" Text "address it went to";
    DstPort "dst_endpoint.port" "dst_endpoint_port" Integer "port it went to";
    DstHostname "dst_endpoint.hostname" "dst_endpoint_hostname" Text "name of the host that it went to";
    TunnelIp "tunnel_interface.ip" "tunnel_interface_ip" Text "inside address that a VPN session was given";
    ProtocolName "connection_info.protocol_name" "connection_info_protocol_name" Text "transport or application protocol";
    BytesIn "traffic.bytes_in" "traffic_bytes_in" Integer "bytes towards the source";
    BytesOut "traffic.bytes_out" "traffic_bytes_out" Integer "bytes from the source";
    Duration "duration" "duration" Integer "milliseconds";
    UserAgent "http_request.user_agent" "http_request_user_agent" Text "client as it names itself";
    HttpMethod "http_request.http_method" "http_request_http_method" Text "HTTP method";
    Url "http_request.url.url_string" "url_string" Text "address of the resource asked for";
    HttpStatus "http_response.code" "http_response_code" Integer "HTTP status";
    LogonType "logon_type" "logon_type" Text "Windows logon type or kind of sign-in";
    AuthProtocol "auth_protocol" "auth_protocol" Text "authentication protocol";
    IsMfa "is_mfa" "is_mfa" Boolean "whether a second factor was used";
    ProcessPath "process.file.path" "process_path" Text "program started or acted upon";
    ProcessCmdLine "process.cmd_line" "process_cmd_line" Text "its command line";
    ProcessPid "process.pid" "process_pid" Integer "its process id";
    ProcessUid "process.uid" "process_uid" Text "its id across the host's life";
    FileName "file.name" "file_name" Text "file";
    FilePath "file.path" "file_path" Text "file with its folder or site";
    FileHash "file.hashes.sha256" "file_hash_sha256" Text "SHA-256 of the file";
    FileSize "file.size" "file_size" Integer "bytes";
    RegistryPath "reg_key.path" "reg_key_path" Text "registry key or value";
    RegistryData "reg_value.data" "reg_value_data" Text "registry data";
    ServiceName "service.name" "service_name" Text "service";
    JobName "job.name" "job_name" Text "scheduled task";
    JobCmdLine "job.cmd_line" "job_cmd_line" Text "what the task or service runs";
    QueryHostname "query.hostname" "query_hostname" Text "name asked of the DNS";
    Answers "answers" "answers" Text "what the DNS answered";
    TlsSni "tls.sni" "tls_sni" Text "server name asked for in TLS";
    EmailFrom "email.from" "email_from" Text "sender's address";
    EmailTo "email.to" "email_to" Text "recipients' addresses, separated by a comma and a blank";
    EmailSubject "email.subject" "email_subject" Text "subject";
    EmailMessageUid "email.message_uid" "email_message_uid" Text "Message-ID, without brackets";
    ResourceType "resource.type" "resource_type" Text "kind of thing acted upon: mailbox, site, application, rule, policy, share";
    ResourceName "resource.name" "resource_name" Text "thing acted upon";
    ResourceUid "resource.uid" "resource_uid" Text "its id";
    Owner "resource.owner.name" "resource_owner_name" Text "whose it is (mailbox owner)";
    AccessType "makyo.access" "makyo_access" Text "bind, sync, view, preview, download, upload, send, search, share, create, modify, delete";
    ClientInfo "makyo.client_info" "makyo_client_info" Text "client application as the service sees it";
    ItemCount "count" "item_count" Integer "items that an aggregate record stands for";
    Throttled "makyo.is_throttled" "makyo_is_throttled" Boolean "the service stopped writing such records for a day";
    Features "makyo.features" "makyo_features" Text "what a message shows of its writer, relation and content, as JSON; computed";
    Account "makyo.account" "account" Text "the account in its canonical form; computed";
    UserAccount "makyo.user_account" "user_account" Text "the account acted upon in its canonical form; computed";
    Host "makyo.host" "host" Text "the host's short name in lower case; computed";
}

impl Column {
    /// The column's declaration.
    #[must_use]
    pub fn info(self) -> &'static ColumnInfo {
        // The enum and the table are written by one macro, so the index exists.
        &COLUMNS[self as usize]
    }

    /// Finds a column by its OCSF path.
    #[must_use]
    pub fn by_path(path: &str) -> Option<Self> {
        COLUMNS.iter().position(|column| column.path == path).map(|index| ALL_COLUMNS[index])
    }

    /// Finds a column by its name in tables.
    #[must_use]
    pub fn by_name(name: &str) -> Option<Self> {
        COLUMNS.iter().position(|column| column.name == name).map(|index| ALL_COLUMNS[index])
    }
}

/// An OCSF class: snake-case name, uid, caption, and its activities with their ids.
pub type ClassInfo = (&'static str, i64, &'static str, &'static [(&'static str, i64)]);

/// OCSF classes that makyo emits.
pub const CLASSES: &[ClassInfo] = &[
    ("base_event", 0, "Base Event", &[("other", 99)]),
    (
        "file_activity",
        1001,
        "File System Activity",
        &[
            ("create", 1),
            ("read", 2),
            ("update", 3),
            ("delete", 4),
            ("rename", 5),
            ("set_attributes", 6),
            ("open", 14),
        ],
    ),
    ("kernel_extension", 1002, "Kernel Extension Activity", &[("load", 1), ("unload", 2)]),
    ("memory_activity", 1004, "Memory Activity", &[("read", 4), ("write", 5)]),
    ("module_activity", 1005, "Module Activity", &[("load", 1), ("unload", 2)]),
    (
        "scheduled_job_activity",
        1006,
        "Scheduled Job Activity",
        &[("create", 1), ("update", 2), ("delete", 3), ("enable", 4), ("disable", 5), ("start", 6)],
    ),
    (
        "process_activity",
        1007,
        "Process Activity",
        &[("launch", 1), ("terminate", 2), ("open", 3), ("inject", 4), ("set_user_id", 5)],
    ),
    (
        "event_log_activity",
        1008,
        "Event Log Activity",
        &[
            ("clear", 1),
            ("delete", 2),
            ("export", 3),
            ("archive", 4),
            ("rotate", 5),
            ("start", 6),
            ("stop", 7),
            ("restart", 8),
            ("enable", 9),
            ("disable", 10),
        ],
    ),
    ("script_activity", 1009, "Script Activity", &[("execute", 1)]),
    (
        "registry_key_activity",
        201_001,
        "Registry Key Activity",
        &[("create", 1), ("read", 2), ("modify", 3), ("delete", 4), ("rename", 5)],
    ),
    (
        "registry_value_activity",
        201_002,
        "Registry Value Activity",
        &[("get", 1), ("set", 2), ("modify", 3), ("delete", 4)],
    ),
    (
        "windows_service_activity",
        201_004,
        "Windows Service Activity",
        &[("create", 1), ("reconfigure", 2), ("start", 3), ("stop", 4), ("delete", 7)],
    ),
    ("detection_finding", 2004, "Detection Finding", &[("create", 1), ("update", 2), ("close", 3)]),
    (
        "account_change",
        3001,
        "Account Change",
        &[
            ("create", 1),
            ("enable", 2),
            ("password_change", 3),
            ("password_reset", 4),
            ("disable", 5),
            ("delete", 6),
            ("attach_policy", 7),
            ("detach_policy", 8),
            ("lock", 9),
            ("mfa_factor_enable", 10),
            ("mfa_factor_disable", 11),
            ("unlock", 12),
        ],
    ),
    (
        "authentication",
        3002,
        "Authentication",
        &[
            ("logon", 1),
            ("logoff", 2),
            ("ticket", 3),
            ("service_ticket", 4),
            ("ticket_renew", 5),
            ("preauth", 6),
        ],
    ),
    (
        "authorize_session",
        3003,
        "Authorize Session",
        &[("assign_privileges", 1), ("assign_groups", 2)],
    ),
    (
        "entity_management",
        3004,
        "Entity Management",
        &[
            ("create", 1),
            ("read", 2),
            ("update", 3),
            ("delete", 4),
            ("move", 5),
            ("enroll", 6),
            ("unenroll", 7),
            ("enable", 8),
            ("disable", 9),
        ],
    ),
    (
        "user_access",
        3005,
        "User Access Management",
        &[("assign_privileges", 1), ("revoke_privileges", 2)],
    ),
    (
        "group_management",
        3006,
        "Group Management",
        &[
            ("assign_privileges", 1),
            ("revoke_privileges", 2),
            ("add_user", 3),
            ("remove_user", 4),
            ("delete", 5),
            ("create", 6),
        ],
    ),
    (
        "network_activity",
        4001,
        "Network Activity",
        &[
            ("open", 1),
            ("close", 2),
            ("reset", 3),
            ("fail", 4),
            ("refuse", 5),
            ("traffic", 6),
            ("listen", 7),
        ],
    ),
    (
        "http_activity",
        4002,
        "HTTP Activity",
        &[
            ("connect", 1),
            ("delete", 2),
            ("get", 3),
            ("head", 4),
            ("options", 5),
            ("post", 6),
            ("put", 7),
            ("other", 99),
        ],
    ),
    ("dns_activity", 4003, "DNS Activity", &[("query", 1), ("response", 2), ("traffic", 6)]),
    (
        "dhcp_activity",
        4004,
        "DHCP Activity",
        &[("discover", 1), ("offer", 2), ("request", 3), ("ack", 5), ("release", 7)],
    ),
    (
        "rdp_activity",
        4005,
        "RDP Activity",
        &[("initial_request", 1), ("connect_response", 4), ("disconnect", 6)],
    ),
    (
        "smb_activity",
        4006,
        "SMB Activity",
        &[("file_supersede", 1), ("file_open", 2), ("file_create", 3)],
    ),
    ("ssh_activity", 4007, "SSH Activity", &[("open", 1), ("close", 2), ("fail", 4)]),
    (
        "email_activity",
        4009,
        "Email Activity",
        &[("send", 1), ("receive", 2), ("scan", 3), ("trace", 4)],
    ),
    ("tunnel_activity", 4014, "Tunnel Activity", &[("open", 1), ("close", 2), ("renew", 3)]),
    ("device_config_state_change", 5019, "Device Config State Change", &[("log", 1)]),
    (
        "web_resources_activity",
        6001,
        "Web Resources Activity",
        &[
            ("create", 1),
            ("read", 2),
            ("update", 3),
            ("delete", 4),
            ("search", 5),
            ("import", 6),
            ("export", 7),
            ("share", 8),
        ],
    ),
    (
        "application_lifecycle",
        6002,
        "Application Lifecycle",
        &[
            ("install", 1),
            ("remove", 2),
            ("start", 3),
            ("stop", 4),
            ("restart", 5),
            ("enable", 6),
            ("disable", 7),
            ("update", 8),
        ],
    ),
    (
        "api_activity",
        6003,
        "API Activity",
        &[("create", 1), ("read", 2), ("update", 3), ("delete", 4), ("other", 99)],
    ),
    (
        "datastore_activity",
        6005,
        "Datastore Activity",
        &[
            ("read", 1),
            ("update", 2),
            ("connect", 3),
            ("query", 4),
            ("write", 5),
            ("create", 6),
            ("delete", 7),
        ],
    ),
    (
        "file_hosting",
        6006,
        "File Hosting Activity",
        &[
            ("upload", 1),
            ("download", 2),
            ("update", 3),
            ("delete", 4),
            ("rename", 5),
            ("copy", 6),
            ("move", 7),
            ("restore", 8),
            ("preview", 9),
            ("lock", 10),
            ("unlock", 11),
            ("share", 12),
            ("unshare", 13),
            ("open", 14),
            ("sync", 15),
            ("unsync", 16),
            ("access_check", 17),
        ],
    ),
];

/// Looks an OCSF class up by its snake-case name: uid and caption.
#[must_use]
pub fn class(name: &str) -> Option<(i64, &'static str)> {
    CLASSES.iter().find(|class| class.0 == name).map(|class| (class.1, class.2))
}

/// Looks an activity of a class up by its snake-case name.
#[must_use]
pub fn activity(class: &str, name: &str) -> Option<i64> {
    let class = CLASSES.iter().find(|entry| entry.0 == class)?;
    class.3.iter().find(|entry| entry.0 == name).map(|entry| entry.1)
}

/// One item of an aggregate record, such as a message of a mail-access record.
#[derive(Clone, PartialEq, Debug, Default)]
pub struct Item<'a> {
    /// What it is: `message`, `file`, `attachment`.
    pub kind: Cow<'a, str>,
    /// Its own id (Message-ID, item id).
    pub uid: Cow<'a, str>,
    /// Its name, where the record gives one.
    pub name: Cow<'a, str>,
    /// The folder or other thing it lies in.
    pub parent: Cow<'a, str>,
    /// Size in bytes, where the record gives one.
    pub size: Option<i64>,
}

/// One value of a column.
#[derive(Clone, PartialEq, Debug)]
pub enum Cell<'a> {
    /// Text.
    Text(Cow<'a, str>),
    /// Number.
    Integer(i64),
    /// Truth value.
    Boolean(bool),
    /// Nanoseconds since the Unix epoch, UTC.
    Time(i64),
}

/// A record in OCSF terms.
#[derive(Clone, PartialEq, Debug, Default)]
pub struct Event<'a> {
    /// The promoted columns that have a value, sorted by column, each at most once.
    pub cells: Vec<(Column, Cell<'a>)>,
    /// What the record says beyond the columns, under its own names.
    pub unmapped: Vec<(Cow<'a, str>, Value<'a>)>,
    /// Child items of an aggregate record.
    pub items: Vec<Item<'a>>,
    /// 128-bit identity of the record, the same wherever it was exported.
    pub identity: [u8; 16],
    /// Whether roles were inferred because no source description knows the product.
    pub inferred: bool,
    /// Whether UTC was assumed because the record names no zone.
    pub time_zone_assumed: bool,
}

impl<'a> Event<'a> {
    /// The value of a column.
    #[must_use]
    pub fn cell(&self, column: Column) -> Option<&Cell<'a>> {
        let index = self.cells.binary_search_by_key(&column, |cell| cell.0).ok()?;
        self.cells.get(index).map(|cell| &cell.1)
    }

    /// The text of a column, if it has text.
    #[must_use]
    pub fn text(&self, column: Column) -> Option<&str> {
        match self.cell(column) {
            Some(Cell::Text(text)) => Some(text),
            _ => None,
        }
    }

    /// The event's time, nanoseconds since the Unix epoch.
    #[must_use]
    pub fn time(&self) -> Option<i64> {
        match self.cell(Column::Time) {
            Some(Cell::Time(time)) => Some(*time),
            _ => None,
        }
    }

    /// Puts a value into a column, in place of an earlier one.
    pub fn put(&mut self, column: Column, cell: Cell<'a>) {
        if self.cells.last().is_none_or(|last| last.0 < column) {
            self.cells.push((column, cell));
            return;
        }
        match self.cells.binary_search_by_key(&column, |entry| entry.0) {
            Ok(index) => self.cells[index].1 = cell,
            Err(index) => self.cells.insert(index, (column, cell)),
        }
    }
}
