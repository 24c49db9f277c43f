//! Why a command ends before its work.

use portzero_core::base::finding::Finding;
use portzero_core::rollout::Verdict;

/// Usage, configuration: nothing was tried.
pub(super) const EXIT_USAGE: u8 = 2;

/// Why a command ended before it had begun.
#[derive(Debug)]
pub struct Stop {
    pub code: u8,
    pub findings: Vec<Finding>,
    /// Whether all surfaces but stderr have it.
    pub is_told: bool,
}

impl Stop {
    /// Usage or configuration.
    pub fn usage(findings: Vec<Finding>) -> Self {
        Self {
            code: EXIT_USAGE,
            findings,
            is_told: false,
        }
    }

    /// What the run is about leaves nothing to do, which is no failure.
    pub fn nothing_to_do() -> Self {
        Self {
            code: 0,
            findings: Vec::new(),
            is_told: true,
        }
    }

    /// stdout has lost what was asked for, and all other surfaces have it.
    pub fn lost() -> Self {
        Self {
            code: EXIT_USAGE,
            findings: Vec::new(),
            is_told: true,
        }
    }

    /// Ended before the first change, and told everywhere.
    pub fn told(verdict: Verdict) -> Self {
        Self {
            code: verdict.exit_code(),
            findings: Vec::new(),
            is_told: true,
        }
    }
}

impl From<Finding> for Stop {
    fn from(finding: Finding) -> Self {
        Self::usage(vec![finding])
    }
}
