//! rsigma's evaluator (MIT), linked in: the fastest library of its kind, and an independent
//! opinion on what a rule means.

use rsigma_eval::Engine;
use rsigma_eval::event::JsonEvent;
use rsigma_parser::parse_sigma_yaml;
use serde_json::{Map, Value};

/// One engine for each log source that the records of a Windows event log can serve.
#[derive(Default)]
pub struct Rival {
    engines: Vec<(Option<String>, Option<String>, Engine)>,
}

/// Which log sources a record serves: by channel, then by event id.
const SERVICES: &[(&str, &str)] = &[
    ("Security", "security"),
    ("System", "system"),
    ("Application", "application"),
    ("Microsoft-Windows-Sysmon/Operational", "sysmon"),
    ("Microsoft-Windows-PowerShell/Operational", "powershell"),
    ("Windows PowerShell", "powershell-classic"),
    ("Microsoft-Windows-Windows Defender/Operational", "windefend"),
    ("Microsoft-Windows-TaskScheduler/Operational", "taskscheduler"),
    ("Microsoft-Windows-Bits-Client/Operational", "bits-client"),
    ("Microsoft-Windows-WMI-Activity/Operational", "wmi"),
    (
        "Microsoft-Windows-TerminalServices-LocalSessionManager/Operational",
        "terminalservices-localsessionmanager",
    ),
];

const CATEGORIES: &[(&str, i64, &[&str])] = &[
    ("Microsoft-Windows-Sysmon/Operational", 1, &["process_creation"]),
    ("Security", 4688, &["process_creation"]),
    ("Microsoft-Windows-Sysmon/Operational", 2, &["file_change"]),
    ("Microsoft-Windows-Sysmon/Operational", 3, &["network_connection"]),
    ("Microsoft-Windows-Sysmon/Operational", 5, &["process_termination"]),
    ("Microsoft-Windows-Sysmon/Operational", 6, &["driver_load"]),
    ("Microsoft-Windows-Sysmon/Operational", 7, &["image_load"]),
    ("Microsoft-Windows-Sysmon/Operational", 8, &["create_remote_thread"]),
    ("Microsoft-Windows-Sysmon/Operational", 9, &["raw_access_thread"]),
    ("Microsoft-Windows-Sysmon/Operational", 10, &["process_access"]),
    ("Microsoft-Windows-Sysmon/Operational", 11, &["file_event"]),
    (
        "Microsoft-Windows-Sysmon/Operational",
        12,
        &["registry_event", "registry_add", "registry_delete"],
    ),
    ("Microsoft-Windows-Sysmon/Operational", 13, &["registry_event", "registry_set"]),
    ("Microsoft-Windows-Sysmon/Operational", 14, &["registry_event", "registry_rename"]),
    ("Microsoft-Windows-Sysmon/Operational", 15, &["create_stream_hash"]),
    ("Microsoft-Windows-Sysmon/Operational", 17, &["pipe_created"]),
    ("Microsoft-Windows-Sysmon/Operational", 18, &["pipe_created"]),
    ("Microsoft-Windows-Sysmon/Operational", 22, &["dns_query"]),
    ("Microsoft-Windows-Sysmon/Operational", 23, &["file_delete"]),
    ("Microsoft-Windows-PowerShell/Operational", 4103, &["ps_module"]),
    ("Microsoft-Windows-PowerShell/Operational", 4104, &["ps_script"]),
];

impl Rival {
    /// Loads rule texts; those for other products are left out. How many were loaded.
    pub fn load(&mut self, texts: &[(String, String)]) -> usize {
        let mut loaded = 0;
        for (_, text) in texts {
            let Ok(collection) = parse_sigma_yaml(text) else { continue };
            for rule in &collection.rules {
                if rule.logsource.product.as_deref().is_some_and(|product| product != "windows") {
                    continue;
                }
                let key = (rule.logsource.category.clone(), rule.logsource.service.clone());
                let engine = match self
                    .engines
                    .iter_mut()
                    .position(|known| known.0 == key.0 && known.1 == key.1)
                {
                    Some(place) => self.engines.get_mut(place),
                    None => {
                        self.engines.push((key.0, key.1, Engine::new()));
                        self.engines.last_mut()
                    }
                };
                loaded += usize::from(engine.is_some_and(|it| it.2.add_rule(rule).is_ok()));
            }
        }
        loaded
    }

    /// One record's JSON, from text to the number of rules that it meets.
    pub fn matches(&self, text: &[u8]) -> usize {
        let Ok(value) = serde_json::from_slice::<Value>(text) else { return 0 };
        let flat = flatten(&value);
        let channel = flat.get("Channel").and_then(Value::as_str).unwrap_or_default().to_owned();
        let id = flat.get("EventID").and_then(Value::as_i64).unwrap_or_default();
        let flat = Value::Object(flat);
        let event = JsonEvent::borrow(&flat);
        let service = SERVICES.iter().find(|known| known.0 == channel).map(|known| known.1);
        let categories = CATEGORIES
            .iter()
            .find(|known| known.0 == channel && known.1 == id)
            .map(|known| known.2)
            .unwrap_or_default();
        let mut found = 0;
        for (category, wanted, engine) in &self.engines {
            let fits = match (category, wanted) {
                (Some(category), None) => categories.contains(&category.as_str()),
                (None, Some(wanted)) => service == Some(wanted.as_str()),
                (None, None) => true,
                (Some(category), Some(wanted)) => {
                    categories.contains(&category.as_str()) && service == Some(wanted.as_str())
                }
            };
            if fits {
                found += engine.evaluate(&event).len();
            }
        }
        found
    }
}

/// System, event data and user data side by side, as Sigma names them.
fn flatten(value: &Value) -> Map<String, Value> {
    let mut flat = Map::new();
    let event = value.get("Event").and_then(Value::as_object);
    for part in ["System", "EventData"] {
        let fields = event.and_then(|event| event.get(part)).and_then(Value::as_object);
        for (name, value) in fields.into_iter().flatten() {
            let text = value.get("#text").unwrap_or(value);
            if let Some(attributes) = value.get("#attributes").and_then(Value::as_object) {
                for (attribute, value) in attributes {
                    flat.insert(format!("{name}_{attribute}"), value.clone());
                }
            }
            if !text.is_object() {
                flat.insert(name.clone(), text.clone());
            }
        }
    }
    flat
}

/// Whether one rule holds for one flat record, by rsigma.
///
/// # Errors
/// The rule's mistakes.
pub fn holds(rule: &str, record: &Value) -> Result<bool, String> {
    let collection = parse_sigma_yaml(rule).map_err(|error| error.to_string())?;
    let mut engine = Engine::new();
    engine.add_collection(&collection).map_err(|error| error.to_string())?;
    Ok(!engine.evaluate(&JsonEvent::borrow(record)).is_empty())
}

/// rsigma's engine over some rules, asked for the ids of the rules that hold.
pub struct RivalEngine(Engine);

impl RivalEngine {
    /// Loads rules; texts that rsigma cannot load are left out.
    pub fn new<'t>(texts: impl Iterator<Item = &'t str>) -> Self {
        let mut engine = Engine::new();
        for text in texts {
            if let Ok(collection) = parse_sigma_yaml(text) {
                for rule in &collection.rules {
                    // A rule that does not compile shows as a difference.
                    let _ = engine.add_rule(rule);
                }
            }
        }
        RivalEngine(engine)
    }

    /// The ids of the rules that hold for a flat record.
    #[must_use]
    pub fn ids(&self, record: &Value) -> Vec<String> {
        let results = self.0.evaluate(&JsonEvent::borrow(record));
        results.into_iter().filter_map(|result| result.header.rule_id).collect()
    }
}
