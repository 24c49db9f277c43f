//! What a new task begins with.

use crate::model::container::Needs;

/// What is asked of a new task.
pub(crate) struct NewTask<'a> {
    /// Empty for tasks of no service.
    pub service: &'a str,
    pub started_by: &'a str,
    /// ARN.
    pub task_definition: &'a str,
    pub launch_type: &'a str,
    pub needs: &'a Needs,
}
