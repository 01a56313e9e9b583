//! Directory audits, as Microsoft Graph gives them.

use serde_json::{Value, json};

use crate::moment::{Moment, utc};
use crate::people::Person;
use crate::random::Random;

/// A change in the directory.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Change<'a> {
    pub(crate) activity: &'a str,
    pub(crate) category: &'a str,
    pub(crate) service: &'a str,
    pub(crate) reason: &'a str,
    pub(crate) actor: &'a Person,
    /// Often missing in the product's own records.
    pub(crate) address: Option<&'a str>,
    pub(crate) target: &'a Person,
    /// Name and new value.
    pub(crate) modified: &'a [(&'a str, &'a str)],
    /// Name and id of an application or device instead of a person.
    pub(crate) object: Option<(&'a str, &'a str, &'a str)>,
}

pub(crate) fn record(change: &Change<'_>, moment: Moment, random: &mut Random) -> String {
    let correlation = random.guid().to_string();
    let modified: Vec<Value> = change
        .modified
        .iter()
        .map(|(name, new)| {
            json!({"displayName": name, "oldValue": null, "newValue": format!("\"{new}\"")})
        })
        .collect();
    let target = match change.object {
        Some((kind, name, id)) => json!({"id": id, "displayName": name, "type": kind,
            "userPrincipalName": null, "groupType": null, "modifiedProperties": modified}),
        None => json!({"id": change.target.object.to_string(), "displayName": null, "type": "User",
            "userPrincipalName": change.target.upn, "groupType": null, "modifiedProperties": modified}),
    };
    json!({
        "id": format!("Directory_{correlation}_{}_{}", random.word(5), random.below(100_000_000)),
        "category": change.category,
        "correlationId": correlation,
        "result": "success",
        "resultReason": change.reason,
        "activityDisplayName": change.activity,
        "activityDateTime": utc(moment),
        "loggedByService": change.service,
        "operationType": "Update",
        "initiatedBy": {"user": {"id": change.actor.object.to_string(), "displayName": null,
            "userPrincipalName": change.actor.upn, "ipAddress": change.address, "roles": []}, "app": null},
        "targetResources": [target],
        "additionalDetails": [],
    })
    .to_string()
}
