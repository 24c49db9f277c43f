//! placeholder
pub struct RunEvent;
