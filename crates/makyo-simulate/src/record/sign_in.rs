//! Sign-ins, as Microsoft Graph gives them.

use serde_json::{Value, json};

use crate::act::Context;
use crate::moment::{Moment, utc};
use crate::people::Person;
use crate::random::Guid;

/// An application as sign-ins name it: id, name, resource.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(crate) struct App {
    pub(crate) id: &'static str,
    pub(crate) name: &'static str,
    pub(crate) resource: &'static str,
    pub(crate) resource_id: &'static str,
}

const EXCHANGE: &str = "00000002-0000-0ff1-ce00-000000000000";
const SHAREPOINT: &str = "00000003-0000-0ff1-ce00-000000000000";

const fn app(
    id: &'static str,
    name: &'static str,
    resource: &'static str,
    resource_id: &'static str,
) -> App {
    App { id, name, resource, resource_id }
}

/// Outlook on the web.
pub(crate) const WEB_MAIL: App = app(
    "9199bf20-a13f-4107-85dc-02114787ef48",
    "One Outlook Web",
    "Office 365 Exchange Online",
    EXCHANGE,
);
/// The portal.
pub(crate) const PORTAL: App = app(
    "4765445b-32c6-49b0-83e6-1d93765276ca",
    "OfficeHome",
    "OfficeHome",
    "4765445b-32c6-49b0-83e6-1d93765276ca",
);
/// Outlook and the other programs on a computer.
pub(crate) const OFFICE: App = app(
    "d3590ed6-52b3-4102-aeff-aad2292ab01c",
    "Microsoft Office",
    "Office 365 Exchange Online",
    EXCHANGE,
);
/// Teams on a computer.
pub(crate) const TEAMS: App = app(
    "1fec8e78-bce4-4aaf-ab1b-5451cc387264",
    "Microsoft Teams",
    "Microsoft Teams Services",
    "cc15fd57-2c6c-4117-a88c-83b1d56b4bbe",
);
/// Outlook on a telephone.
pub(crate) const MOBILE: App = app(
    "27922004-5251-4030-b22d-91ecd9a37ea4",
    "Outlook Mobile",
    "Office 365 Exchange Online",
    EXCHANGE,
);
/// Files in the browser.
pub(crate) const FILES: App =
    app(SHAREPOINT, "Office 365 SharePoint Online", "Office 365 SharePoint Online", SHAREPOINT);
/// The sync program.
pub(crate) const SYNC: App = app(
    "ab9b8c07-8f02-4f72-87fa-80105867a763",
    "OneDrive SyncEngine",
    "Office 365 SharePoint Online",
    SHAREPOINT,
);
/// Device registration and single sign-on.
pub(crate) const BROKER: App = app(
    "29d9ed98-a469-4536-ade2-f981bc1d605e",
    "Microsoft Authentication Broker",
    "Office 365 Exchange Online",
    EXCHANGE,
);
/// Mail by old protocols.
pub(crate) const LEGACY: App =
    app(EXCHANGE, "Office 365 Exchange Online", "Office 365 Exchange Online", EXCHANGE);
/// A service that renews its users' tokens itself: its records show where the user signed in to it.
pub(crate) const SERVICE: App = app(
    "6f1d0c3a-71b0-4d64-9a0e-5c2f4b8e7d03",
    "Meeting Planner",
    "Microsoft Graph",
    "00000003-0000-0000-c000-000000000000",
);
/// The command line for administrators.
pub(crate) const GRAPH_SHELL: App = app(
    "14d82eec-204b-4c2f-b7e8-296a70dab67e",
    "Microsoft Graph Command Line Tools",
    "Microsoft Graph",
    "00000003-0000-0000-c000-000000000000",
);

/// What one sign-in was.
#[derive(Clone, Debug)]
pub(crate) struct SignIn<'a> {
    pub(crate) id: Guid,
    pub(crate) correlation: Guid,
    pub(crate) session: String,
    pub(crate) app: App,
    pub(crate) context: &'a Context,
    pub(crate) is_interactive: bool,
    pub(crate) is_mfa: bool,
    /// 0 is success.
    pub(crate) code: u32,
    /// `none`, `deviceCode`, `ropc`.
    pub(crate) protocol: &'static str,
    pub(crate) client: &'static str,
}

fn reason(code: u32) -> &'static str {
    match code {
        0 => "Other.",
        50_126 => "Error validating credentials due to invalid username or password.",
        50_053 => {
            "The account is locked, you've tried to sign in too many times with an incorrect user ID or password."
        }
        50_055 => "The password is expired.",
        50_034 => "The user account does not exist in the directory.",
        50_057 => "The user account is disabled.",
        50_058 => "Session information is not sufficient for single-sign-on.",
        50_074 => "Strong Authentication is required.",
        50_076 => {
            "Due to a configuration change made by your administrator, or because you moved to a new location, you must use multi-factor authentication to access the resource."
        }
        50_140 => {
            "This error occurred due to 'Keep me signed in' interrupt when the user was signing-in."
        }
        500_121 => "Authentication failed during strong authentication request.",
        53_003 => {
            "Access has been blocked by Conditional Access policies. The access policy does not allow token issuance."
        }
        700_082 => "The refresh token has expired due to inactivity.",
        _ => "Other error.",
    }
}

fn details(sign_in: &SignIn<'_>) -> Value {
    match sign_in.code {
        0 if sign_in.is_mfa && sign_in.is_interactive => "MFA completed in Azure AD".into(),
        0 if sign_in.is_mfa => "MFA requirement satisfied by claim in the token".into(),
        500_121 => "MFA denied; user did not respond to mobile app notification".into(),
        _ => Value::Null,
    }
}

/// One sign-in of a person.
pub(crate) fn record(person: &Person, sign_in: &SignIn<'_>, moment: Moment) -> String {
    let context = sign_in.context;
    let device = &context.device;
    let is_known = !device.id.is_empty();
    let managed =
        if is_known { Value::Bool(device.trust.starts_with("Hybrid")) } else { Value::Null };
    let kind = if sign_in.is_interactive { "interactiveUser" } else { "nonInteractiveUser" };
    let requirement =
        if sign_in.is_mfa { "multiFactorAuthentication" } else { "singleFactorAuthentication" };
    let state = match sign_in.code {
        0 => "success",
        53_003 => "failure",
        _ => "notApplied",
    };
    json!({
        "id": sign_in.id.to_string(),
        "createdDateTime": utc(moment),
        "userDisplayName": person.name,
        "userPrincipalName": person.upn,
        "userId": person.object.to_string(),
        "appId": sign_in.app.id,
        "appDisplayName": sign_in.app.name,
        "ipAddress": context.place.address,
        "ipAddressFromResourceProvider": null,
        "clientAppUsed": sign_in.client,
        "userAgent": context.agent,
        "correlationId": sign_in.correlation.to_string(),
        "conditionalAccessStatus": state,
        "isInteractive": sign_in.is_interactive,
        "signInEventTypes": [kind],
        "incomingTokenType": if sign_in.is_interactive { "none" } else { "refreshToken" },
        "originalTransferMethod": if sign_in.protocol == "deviceCode" { "deviceCodeFlow" } else { "none" },
        "authenticationProtocol": sign_in.protocol,
        "authenticationRequirement": requirement,
        "uniqueTokenIdentifier": sign_in.id.token(),
        "sessionId": sign_in.session,
        "autonomousSystemNumber": context.place.network,
        "resourceDisplayName": sign_in.app.resource,
        "resourceId": sign_in.app.resource_id,
        "riskLevelDuringSignIn": "none",
        "riskState": "none",
        "userType": "member",
        "crossTenantAccessType": "none",
        "status": {"errorCode": sign_in.code, "failureReason": reason(sign_in.code), "additionalDetails": details(sign_in)},
        "deviceDetail": {
            "deviceId": device.id, "displayName": device.name, "operatingSystem": device.system,
            "browser": context.browser, "isCompliant": managed, "isManaged": managed,
            "trustType": if device.trust.is_empty() { Value::Null } else { device.trust.into() },
        },
        "location": {"city": context.place.city, "state": "", "countryOrRegion": context.place.country, "geoCoordinates": {}},
    })
    .to_string()
}
