//! What one line of a session names and its later lines need: some products write the user, the
//! client's address and the leased address in lines of their own, tied by the session's number.

use makyo_base::{Object, Value};
use rustc_hash::FxHashMap;

use crate::source::Carry;

/// So many sessions are remembered at least; twice as many at most.
const SESSIONS_MAX: usize = 65_536;

/// Fields of the sessions of one artifact, by what ties their lines.
#[derive(Debug, Default)]
pub(crate) struct Carried {
    /// Sessions that were met lately.
    young: FxHashMap<String, Vec<Option<String>>>,
    /// Those before: forgotten when the young ones are many.
    old: FxHashMap<String, Vec<Option<String>>>,
}

impl Carried {
    /// Keeps what a record names, and gives it what its session named before.
    pub(crate) fn complete(&mut self, carry: &Carry, native: &mut Object<'_>) {
        let mut key = String::new();
        for field in &carry.by {
            let value = native.path(field).filter(|value| !value.is_blank());
            match value.and_then(Value::as_text) {
                Some(text) => key.push_str(&text),
                // Without its number a line belongs to no session.
                None if key.is_empty() => return,
                None => {}
            }
            key.push('\0');
        }
        if !self.young.contains_key(&key) {
            if self.young.len() >= SESSIONS_MAX {
                self.old = std::mem::take(&mut self.young);
            }
            let known = self.old.remove(&key);
            self.young.insert(key.clone(), known.unwrap_or_else(|| vec![None; carry.fields.len()]));
        }
        let Some(known) = self.young.get_mut(&key) else { return };
        for (field, slot) in carry.fields.iter().zip(known) {
            let own = native.path(field).filter(|value| !value.is_blank());
            match own.and_then(Value::as_text).map(|text| text.into_owned()) {
                Some(text) => *slot = Some(text),
                None => {
                    if let Some(text) = slot {
                        native.push_new(field.clone(), Value::text(text.clone()));
                    }
                }
            }
        }
    }
}
