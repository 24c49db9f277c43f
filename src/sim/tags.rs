//! Tags of what the account holds.

use serde_json::Value;

use super::world::World;

impl World {
    /// The tags of a resource, `{key, value}` each, in the order in which they came.
    pub fn tags_of(&self, arn: &str) -> &[Value] {
        if let Some(definition) = arn
            .contains(":task-definition/")
            .then(|| self.definition(arn))
            .flatten()
        {
            return &definition.tags;
        }
        self.account.tags.get(arn).map(Vec::as_slice).unwrap_or_default()
    }
}
