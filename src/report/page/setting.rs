//! How far the run is that a page tells of, and where it happens.

use portzero_core::base::finding::Finding;
use portzero_core::plan::Plan;
use portzero_core::port::RequestCounts;

use crate::app::deploy::ServiceRun;

/// How far the run is.
#[derive(Clone, Copy, Debug)]
pub enum Stage<'a> {
    /// Nothing is changed, and nothing will be.
    Planned(&'a [Plan]),
    /// These plans are being executed.
    Deploying(&'a [Plan]),
    Ended(&'a [ServiceRun], &'a RequestCounts),
    /// It ended before there was a plan.
    Stopped(&'a [Finding]),
    /// The program itself failed.
    Broken(&'a Finding),
}

/// Where the run happens, and for whom.
#[derive(Clone, Debug, Default)]
pub struct Setting {
    pub environment: Option<String>,
    pub region: Option<String>,
    pub is_rehearsal: bool,
    /// What is deployed: the commit's short name and its page.
    pub commit: Option<Link>,
    /// The workflow run.
    pub run: Option<Link>,
    /// What the configuration had to be warned of.
    pub warnings: Vec<Finding>,
    /// The lines of the log.
    pub log: String,
}

#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Link {
    pub label: String,
    pub url: String,
}
