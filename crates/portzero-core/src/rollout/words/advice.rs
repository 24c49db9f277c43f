//! Advice that is given in several places, and taken back in one: where the run itself has done what it advises.

/// Begins the advice to go back.
pub const GO_BACK: &str = "to end that, go back to what ran";
/// Begins the advice to follow the rollout again.
pub const WAIT_ON: &str = "wait on";
/// Begins the advice to wait longer.
pub const WAIT_LONGER: &str = "set a longer `--timeout`";

/// Whether the hint advises to go back, or to go on waiting.
pub fn is_of_what_goes_on(hint: &str) -> bool {
    [GO_BACK, WAIT_ON, WAIT_LONGER]
        .iter()
        .any(|advice| hint.starts_with(advice))
}
