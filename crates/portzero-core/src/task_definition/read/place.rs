//! Where the keys and values of a document stand in its file.

use std::collections::HashMap;

use crate::base::position::Position;
use crate::task_definition::path::Step;

/// The place of one value, of its key where it has one, and of everything below it.
#[derive(Clone, Debug, Default)]
pub(crate) struct Place {
    pub key: Option<Position>,
    pub value: Position,
    pub members: HashMap<String, Place>,
    pub items: Vec<Place>,
}

impl Place {
    pub(crate) fn find(&self, path: &[Step]) -> Option<&Place> {
        path.iter().try_fold(self, |place, step| match step {
            Step::Key(key) => place.members.get(key.as_str()),
            Step::Index(index) => place.items.get(*index),
        })
    }
}
