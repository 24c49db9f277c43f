//! The verdict in one line, and where it comes from.

use std::time::Duration;

use portzero_core::base::text::counted;
use portzero_core::base::time::human;
use portzero_core::plan::Plan;
use portzero_core::rollout::Verdict;

use crate::app::deploy::{ServiceRun, causes, overall};
use crate::report::markdown::Markdown;
use crate::report::page::prose::prose;
use crate::report::page::setting::{Link, Setting, Stage};

pub(super) fn render(stage: Stage<'_>, setting: &Setting, md: Markdown<'_>) -> String {
    let place = place(stage, setting);
    let (to, of) = place.map_or_else(Default::default, |name| {
        let name = md.text(&name);
        (format!(" to **{name}**"), format!(" for **{name}**"))
    });
    let to = if setting.is_rehearsal { &of } else { &to };
    let what = if setting.is_rehearsal {
        "Rehearsal"
    } else {
        "Deployment"
    };
    let line = match stage {
        Stage::Planned(plans) if plans.iter().any(Plan::is_refused) => {
            format!("⛔ Plan{of}: refused, nothing was changed")
        }
        Stage::Planned(plans) => format!("📋 Plan{of}: {}", planned(plans, md)),
        Stage::Deploying(plans) => format!("⏳ {what}{to} is on its way: {}", planned(plans, md)),
        Stage::Ended(runs, _) => {
            let verdict = overall(runs);
            let (icon, end) = ending(verdict, runs, md);
            format!("{icon} {what}{to} {end}")
        }
        Stage::Stopped(_) => format!("⛔ {what}{to} did not begin: nothing was changed"),
        Stage::Broken(_) => "💥 portzero itself failed before the end of its run".into(),
    };
    format!("### {line}")
}

/// For those who take no Markdown.
pub(super) fn plain(stage: Stage<'_>, setting: &Setting) -> String {
    let (words, runs) = match stage {
        Stage::Planned(plans) if plans.iter().any(Plan::is_refused) => return "refused, nothing was changed".into(),
        Stage::Planned(plans) | Stage::Deploying(plans) => {
            return format!("{} planned", counted(plans.len(), "service"));
        }
        Stage::Stopped(_) => return "did not begin: nothing was changed".into(),
        Stage::Broken(_) => return "portzero itself failed".into(),
        Stage::Ended(runs, _) => (overall(runs).as_str().replace('-', " "), runs),
    };
    let cause = causes(runs).flat_map(|run| run.findings()).next();
    let cause = cause.map_or_else(String::new, |finding| format!(": {}", finding.summary));
    let rehearsed = if setting.is_rehearsal { "rehearsed: " } else { "" };
    format!("{rehearsed}{words}{cause}")
}

/// The environment, else the cluster where there is but one.
fn place(stage: Stage<'_>, setting: &Setting) -> Option<String> {
    if setting.environment.is_some() {
        return setting.environment.clone();
    }
    let mut clusters: Vec<&str> = match stage {
        Stage::Planned(plans) | Stage::Deploying(plans) => plans.iter().map(|p| p.request.cluster.as_str()).collect(),
        Stage::Ended(runs, _) => runs.iter().map(|r| r.request.cluster.as_str()).collect(),
        Stage::Stopped(_) | Stage::Broken(_) => Vec::new(),
    };
    clusters.sort_unstable();
    clusters.dedup();
    match clusters.as_slice() {
        [] => None,
        [only] => Some((*only).to_owned()),
        many => Some(format!("{} clusters", many.len())),
    }
}

fn planned(plans: &[Plan], md: Markdown<'_>) -> String {
    let longest = plans
        .iter()
        .map(|p| p.forecast.drained.likely)
        .max()
        .unwrap_or_default();
    let what = match plans {
        [only] => md.code(&only.revisions()),
        many => format!("{} services", many.len()),
    };
    format!("{what}, about {}", human(longest))
}

fn ending(verdict: Verdict, runs: &[ServiceRun], md: Markdown<'_>) -> (&'static str, String) {
    let cause = || {
        let first = causes(runs).flat_map(|run| run.findings()).next();
        first.map_or_else(String::new, |finding| format!(": {}", prose(&finding.summary, md)))
    };
    let is_rolled_back = runs.iter().any(|r| r.is_rolled_back());
    match verdict {
        Verdict::Succeeded => ("✅", format!("succeeded: {}", shipped(runs, md))),
        Verdict::NothingToVerify => ("☑️", "changed the service, and there was nothing to verify".into()),
        Verdict::Failed if is_rolled_back => ("↩️", format!("failed and was rolled back{}", cause())),
        Verdict::Failed => ("❌", format!("failed{}", cause())),
        Verdict::Refused => {
            let is_registered = runs.iter().any(|r| r.after.is_some() && r.after != r.before);
            let what = if is_registered { "nothing that runs" } else { "nothing" };
            ("⛔", format!("was refused, {what} was changed{}", cause()))
        }
        Verdict::TimedOut => ("⌛", format!("did not finish in time{}", cause())),
        Verdict::Superseded => ("⏭️", format!("was superseded{}", cause())),
        Verdict::CouldNotObserve => ("❔", format!("could not be observed to its end{}", cause())),
        Verdict::Interrupted => ("✋", format!("was no longer followed{}", cause())),
    }
}

fn shipped(runs: &[ServiceRun], md: Markdown<'_>) -> String {
    let took = runs.iter().map(|r| r.duration).sum::<Duration>();
    let what = match runs {
        [only] => only.after.as_ref().map_or_else(String::new, |arn| md.code(arn.short())),
        many => format!("{} services", many.len()),
    };
    format!("{what} in {}", human(took))
}

/// Who says this, about what.
pub(super) fn footer(setting: &Setting, md: Markdown<'_>) -> String {
    let mut parts = vec![format!("portzero {}", env!("CARGO_PKG_VERSION"))];
    let linked = |what: &str, link: &Link| format!("{what} {}", md.link(&link.label, &link.url));
    parts.extend(setting.commit.iter().map(|link| linked("commit", link)));
    parts.extend(setting.run.iter().map(|link| linked("run", link)));
    parts.extend(setting.region.iter().map(|region| md.text(region)));
    if setting.is_rehearsal {
        parts.push("rehearsed on the simulator: AWS was not touched".into());
    }
    format!("<sub>{}</sub>", parts.join(" · "))
}
