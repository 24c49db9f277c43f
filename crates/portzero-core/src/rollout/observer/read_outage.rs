//! A spell in which the world cannot be read: how long it is borne, and what is said where it does not end.

use std::time::Duration;

use crate::aws_model::api_error::{ApiError, ApiErrorKind};
use crate::aws_model::failed_call;
use crate::aws_model::service::{Deployment, Service};
use crate::base::finding::{Code, Finding};
use crate::base::text::plural;
use crate::base::time::{Moment, human};
use crate::rollout::event::RolloutEvent;
use crate::rollout::scope::Scope;
use crate::rollout::timeouts;
use crate::rollout::words::advice::wait_longer;
use crate::rollout::words::last_look::LastLook;

/// A time in which nothing can be read.
#[derive(Clone, Debug)]
pub struct ReadOutage {
    /// When it began.
    pub since: Moment,
    /// Looks in a row without an answer.
    pub misses: u32,
    /// When it was last said, and of which trouble.
    said: Option<(Moment, Trouble)>,
    /// Since when every answer was one that does not pass by itself.
    denied_since: Option<Moment>,
}

/// What one failed read has in common with the next one of the same trouble; their request ids differ.
type Trouble = (ApiErrorKind, Option<String>, Option<u16>);

/// What one more miss means for who cannot see.
#[derive(Clone, Debug, PartialEq)]
pub enum Tolerance {
    /// It is not due to be told.
    Silently,
    /// It is due to be told.
    Telling(RolloutEvent),
    /// Nothing more is to be expected, or there is no more time.
    NoLonger,
}

/// What is to be said of a miss.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum News {
    /// It begins, or it has become another trouble.
    Trouble,
    /// It goes on as before.
    StillBlind,
}

impl ReadOutage {
    /// It begins with the first look that fails.
    pub fn begin(now: Moment) -> Self {
        Self {
            since: now,
            misses: 0,
            said: None,
            denied_since: None,
        }
    }

    /// One more look without an answer, which is borne until the deadline at the latest.
    pub fn tolerate(&mut self, error: &ApiError, now: Moment, deadline: Moment) -> Tolerance {
        self.miss(error, now);
        let left = self.left(now).min(deadline.since(now));
        if left.is_zero() {
            return Tolerance::NoLonger;
        }
        let Some(news) = self.news(error, now) else {
            return Tolerance::Silently;
        };
        Tolerance::Telling(RolloutEvent::ReadOutage {
            misses: self.misses,
            blind_for: now.since(self.since),
            left,
            error: (news == News::Trouble).then(|| error.clone()),
        })
    }

    fn miss(&mut self, error: &ApiError, now: Moment) {
        self.misses += 1;
        self.denied_since = if passes(error.kind) {
            None
        } else {
            self.denied_since.or(Some(now))
        };
    }

    /// What is due to be said. A trouble is told when it begins; after that the count is enough.
    fn news(&mut self, error: &ApiError, now: Moment) -> Option<News> {
        let trouble = (error.kind, error.code.clone(), error.status);
        let news = match &self.said {
            None => News::Trouble,
            Some((at, _)) if now.since(*at) < timeouts::HEARTBEAT => return None,
            Some((_, said)) if *said == trouble => News::StillBlind,
            Some(_) => News::Trouble,
        };
        self.said = Some((now, trouble));
        Some(news)
    }

    /// For how long it is still borne; zero: no further look can be expected to get an answer.
    pub fn left(&self, now: Moment) -> Duration {
        let in_all = timeouts::BLIND_MAX.saturating_sub(now.since(self.since));
        let denied = self
            .denied_since
            .map(|since| timeouts::DENIED_MAX.saturating_sub(now.since(since)));
        denied.map_or(in_all, |denied| denied.min(in_all))
    }

    /// `since 12:00:30: 8 reads in a row in 1m`.
    pub fn spell(&self, now: Moment) -> String {
        let reads = if self.misses == 1 { "read" } else { "reads in a row" };
        let (since, span) = (self.since, human(now.since(self.since)));
        format!("since {since}: {} {reads} in {span}", self.misses)
    }
}

/// Whether the trouble may be over by itself. Credentials do not come back, a clock does not set itself.
fn passes(kind: ApiErrorKind) -> bool {
    !matches!(
        kind,
        ApiErrorKind::Denied | ApiErrorKind::Credentials | ApiErrorKind::ClockSkew
    )
}

/// The last look that was answered.
#[derive(Clone, Copy, Debug)]
pub(crate) struct LastSeen<'a> {
    pub look: &'a LastLook,
    /// `None`: there was none since the update.
    pub at: Option<Moment>,
}

/// A poll that the run's time does not suffice for.
#[derive(Clone, Debug)]
pub struct Unfinished {
    /// When it began.
    pub begun: Moment,
    /// The service, where DescribeServices was answered in it.
    pub service: Option<Box<Service>>,
}

impl LastSeen<'_> {
    fn words(&self, scope: &Scope) -> String {
        let revision = scope.task_definition.short();
        match self.at {
            Some(at) => format!("{revision} {}, at {at}", self.look.progress()),
            None => "nothing since the update".to_owned(),
        }
    }
}

/// The time was over in the middle of a poll, and the one before it is too old to go by, or there was none.
pub(crate) fn out_of_time(scope: &Scope, poll: &Unfinished, last: LastSeen, now: Moment) -> Finding {
    let (service, budget) = (&scope.service, human(scope.wait_budget));
    let mut finding = Finding::error(
        Code::CouldNotObserve,
        format!("the rollout of `{service}` could not be followed to its end: AWS answers too slowly for {budget}"),
    )
    .evidence("poll", format!("not complete after {}", human(now.since(poll.begun))))
    .evidence("last seen", last.words(scope));
    if let Some(row) = poll.service.as_ref().map(|shown| shown.deployment(&scope.deployment)) {
        finding = finding.evidence("ecs", by_count(row, scope));
    }
    finding
        .state("ECS goes on with the rollout without this run; how it ends is not known")
        .hint(format!("look again: {}", scope.observe_command()))
        .hint(wait_longer(""))
}

/// What DescribeServices alone says of our deployment.
fn by_count(row: Option<&Deployment>, scope: &Scope) -> String {
    let revision = scope.task_definition.short();
    let Some(row) = row else {
        return format!("{} is not listed", scope.deployment);
    };
    let state = row.rollout_state.as_ref().map(|state| format!(", {}", state.as_str()));
    format!(
        "{revision} {} of {} {} running by its count{}; nothing else was read",
        row.running_count,
        row.desired_count,
        plural(row.desired_count, "task"),
        state.unwrap_or_default()
    )
}

pub(crate) fn could_not_observe(
    scope: &Scope,
    error: &ApiError,
    blind: &ReadOutage,
    last: LastSeen,
    now: Moment,
) -> Finding {
    let mut finding = Finding::error(
        Code::CouldNotObserve,
        format!(
            "the rollout of `{}` could not be followed to its end: {}",
            scope.service,
            why(error.kind)
        ),
    )
    .evidence("error", error.to_string())
    .evidence("blind", blind.spell(now))
    .evidence("last seen", last.words(scope));
    if !last.look.waiting.is_empty() {
        finding = finding.evidence("waiting", last.look.waiting_line());
    }
    if let Some(id) = &error.request_id {
        finding = finding.evidence("request", id.clone());
    }
    finding = finding
        .state("ECS goes on with the rollout without this run; how it ends is not known")
        .hint(format!("{}: {}", look_again(error.kind), scope.observe_command()));
    match cure(error) {
        Some(cure) => finding.hint(cure),
        None => finding,
    }
}

/// Completes `… could not be seen: `.
pub fn why(kind: ApiErrorKind) -> &'static str {
    match kind {
        ApiErrorKind::Credentials => "AWS no longer accepts the credentials",
        ApiErrorKind::Denied => "the credentials may no longer read it",
        ApiErrorKind::ClockSkew => "the clock of this machine is wrong",
        ApiErrorKind::Throttled => "AWS throttled what had to be read",
        _ => "AWS could not be read",
    }
}

fn look_again(kind: ApiErrorKind) -> &'static str {
    match kind {
        ApiErrorKind::Credentials => "look again with new credentials",
        _ => "look again",
    }
}

/// What helps against the trouble itself.
pub fn cure(error: &ApiError) -> Option<String> {
    match error.kind {
        // Who assumes the role here has renewed its credentials already.
        ApiErrorKind::Credentials if error.action.starts_with("sts:") => None,
        ApiErrorKind::Credentials => {
            Some("next time, in GitHub Actions, `--role-to-assume` lets portzero renew its credentials".into())
        }
        _ => failed_call::hints(error).into_iter().next(),
    }
}

#[cfg(test)]
mod tests {

    use super::*;

    fn at(seconds: i64) -> Moment {
        Moment::from_millis(seconds * 1000)
    }

    fn error(kind: ApiErrorKind) -> ApiError {
        ApiError {
            kind,
            action: "ecs:DescribeServices",
            resource: None,
            code: None,
            message: "no answer in time".into(),
            request_id: None,
            status: None,
        }
    }

    #[test]
    fn an_outage_is_borne_for_minutes_and_a_denial_for_seconds() {
        let mut blind = ReadOutage::begin(at(0));
        blind.miss(&error(ApiErrorKind::Transient), at(0));
        assert_eq!(blind.left(at(10)), timeouts::BLIND_MAX - Duration::from_secs(10));
        blind.miss(&error(ApiErrorKind::Credentials), at(20));
        assert_eq!(blind.left(at(25)), timeouts::DENIED_MAX - Duration::from_secs(5));
        blind.miss(&error(ApiErrorKind::Throttled), at(30));
        assert_eq!(blind.left(at(30)), timeouts::BLIND_MAX - Duration::from_secs(30));
        blind.miss(&error(ApiErrorKind::ClockSkew), at(290));
        assert_eq!(
            blind.left(at(295)),
            Duration::from_secs(5),
            "no longer than blind in all"
        );
    }

    #[test]
    fn it_is_borne_until_the_deadline_at_the_latest() {
        let mut blind = ReadOutage::begin(at(0));
        let throttled = error(ApiErrorKind::Throttled);
        let told = blind.tolerate(&throttled, at(0), at(20));
        let Tolerance::Telling(RolloutEvent::ReadOutage { left, .. }) = told else {
            panic!("{told:?}");
        };
        assert_eq!(left, Duration::from_secs(20));
        assert_eq!(blind.tolerate(&throttled, at(19), at(20)), Tolerance::Silently);
        assert_eq!(blind.tolerate(&throttled, at(20), at(20)), Tolerance::NoLonger);
        assert_eq!(
            blind.spell(at(20)),
            "since 1970-01-01T00:00:00.000Z: 3 reads in a row in 20s"
        );
    }

    #[test]
    fn a_trouble_is_told_once_and_then_counted() {
        let mut blind = ReadOutage::begin(at(0));
        let throttled = error(ApiErrorKind::Throttled);
        assert_eq!(blind.news(&throttled, at(0)), Some(News::Trouble));
        assert_eq!(blind.news(&throttled, at(29)), None);
        assert_eq!(blind.news(&throttled, at(30)), Some(News::StillBlind));
        assert_eq!(blind.news(&error(ApiErrorKind::Transient), at(60)), Some(News::Trouble));
    }

    #[test]
    fn credentials_that_end_in_mid_wait_leave_ecs_at_work_and_say_how_to_look_again() {
        let scope = Scope {
            cluster: "staging".into(),
            deployment: "ecs-svc/1".into(),
            ..Scope::plain()
        };
        let told = |error: &ApiError| {
            let mut blind = ReadOutage::begin(at(0));
            blind.miss(error, at(0));
            let (look, at) = (&LastLook::default(), None);
            could_not_observe(
                &scope,
                error,
                &blind,
                LastSeen { look, at },
                Moment::from_millis(30_000),
            )
        };
        let mut expired = error(ApiErrorKind::Credentials);
        let found = told(&expired);
        assert!(
            found
                .state
                .is_some_and(|state| state.starts_with("ECS goes on with the rollout"))
        );
        assert_eq!(
            found.hints[0],
            "look again with new credentials: portzero observe --cluster staging --service web --deployment ecs-svc/1"
        );
        assert!(found.hints[1].contains("--role-to-assume"));
        assert!(
            found
                .evidence
                .contains(&("last seen".into(), "nothing since the update".into()))
        );
        // Who renews them already needs no such advice.
        expired.action = "sts:AssumeRoleWithWebIdentity";
        assert_eq!(told(&expired).hints.len(), 1);
    }
    #[test]
    fn why_nothing_could_be_read_is_told_by_the_kind_of_the_last_error() {
        use ApiErrorKind::{ClockSkew, Credentials, Denied, Throttled, Transient};
        let told = [Credentials, Denied, ClockSkew, Throttled, Transient].map(why);
        let parts = [
            "the credentials",
            "may no longer",
            "the clock",
            "throttled",
            "could not be read",
        ];
        for (words, part) in told.iter().zip(parts) {
            assert!(words.contains(part), "{words:?} and {part:?}");
        }
    }
}
