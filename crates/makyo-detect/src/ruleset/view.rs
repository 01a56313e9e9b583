//! What a rule sees of a record, asked after it matched.

use makyo_base::{Decoded, Object, Value};
use makyo_sigma::Fields;

use super::{Aliased, DetectState, Route, RuleSet, aliased};

/// A record under the field names of a rule, by one of the log sources through which the record
/// comes to it.
pub struct RuleView<'v>(Aliased<'v, 'v>);

impl Fields for RuleView<'_> {
    fn field(&self, name: &str) -> Option<&Value<'_>> {
        self.0.field(name)
    }

    fn whole(&self) -> &Object<'_> {
        self.0.whole()
    }
}

impl std::fmt::Debug for RuleView<'_> {
    fn fmt(&self, to: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        to.debug_struct("RuleView").field("fields", &self.0.fields).finish_non_exhaustive()
    }
}

impl RuleSet {
    /// The record as the rule of this index sees it, once for each log source that fits.
    #[must_use]
    pub fn views<'v>(
        &'v self,
        state: &mut DetectState,
        index: usize,
        record: &Decoded<'v>,
    ) -> Vec<RuleView<'v>> {
        let Some(source) = self.sources.get(record.source) else { return Vec::new() };
        let native: &'v Object<'v> = record.native;
        let fits = |route: &&Route, state: &mut DetectState| {
            let when = route.when.as_ref();
            when.is_none_or(|when| when.is_match(&mut state.scratch, native))
        };
        source
            .routes
            .iter()
            .filter(|route| route.rules.binary_search(&index).is_ok())
            .filter(|route| fits(route, state))
            .map(|route| RuleView(Aliased { record: native, fields: &route.fields }))
            .collect()
    }

    /// A field of a record that the rule of this index meets, under the rule's own name for it.
    #[must_use]
    pub fn field_of<'v>(
        &'v self,
        state: &mut DetectState,
        index: usize,
        record: &Decoded<'v>,
        name: &str,
    ) -> Option<&'v Value<'v>> {
        let views = self.views(state, index, record);
        views.into_iter().find_map(|view| aliased(view.0.record, view.0.fields, name))
    }
}
