//! Reads that a verdict can do without: how often each is tried, and when it is given up. A necessary read is never given up
//! here: its failures are the observer's to tolerate.

use portzero_core::aws_model::api_error::{ApiError, ApiErrorKind};
use portzero_core::port::{ApiResult, Clock};

use crate::app::survey::calls::{THROTTLED_TRIES, patiently};

/// While a rollout is followed: so many in a row may be an outage that passes, and while the read may come back, its word on
/// success is worth waiting for. Nothing else waits for it meanwhile.
const MISSES_MAX: u32 = 10;
/// In a survey somebody waits for the answer: two more tries, after two and four seconds, outlast a blip and no outage.
const SURVEY_MISSES_MAX: u32 = 2;

/// What is at stake while an optional read fails.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Patience {
    /// A rollout is followed, and there will be another poll.
    #[default]
    Following,
    /// Nothing is known yet, and whoever asks tries again.
    Survey,
    /// It is the last poll of a run.
    Last,
}

/// One optional read, from one poll to the next.
#[derive(Debug, Default)]
pub(super) struct OptionalRead {
    misses: u32,
    pub is_given_up: bool,
}

/// What a failure of it means.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Miss {
    /// It may be answered the next time.
    MayPass,
    /// It is not tried again.
    GivenUp,
    /// It says nothing of this read alone: no read is answered like this.
    OfEveryRead,
}

impl OptionalRead {
    pub(super) fn answered(&mut self) {
        self.misses = 0;
    }

    pub(super) fn miss(&mut self, error: &ApiError, patience: Patience) -> Miss {
        // That something is gone is an answer, and the observer's to judge.
        let is_of_every_read = matches!(
            error.kind,
            ApiErrorKind::Credentials | ApiErrorKind::ClockSkew | ApiErrorKind::NotFound
        );
        if is_of_every_read {
            return Miss::OfEveryRead;
        }
        self.misses += 1;
        let most = match patience {
            Patience::Following => MISSES_MAX,
            Patience::Survey if error.status.is_none() => 0,
            Patience::Survey if error.kind == ApiErrorKind::Throttled => THROTTLED_TRIES,
            Patience::Survey => SURVEY_MISSES_MAX,
            Patience::Last => 0,
        };
        self.is_given_up = !error.is_passing() || self.misses > most;
        if self.is_given_up { Miss::GivenUp } else { Miss::MayPass }
    }
}

/// What an optional read shows in a survey; `None` where it was given up, which `not_checked` says.
pub(super) async fn optionally<T>(
    clock: &impl Clock,
    not_checked: &mut Vec<ApiError>,
    mut call: impl AsyncFnMut() -> ApiResult<T>,
) -> ApiResult<Option<T>> {
    let mut read = OptionalRead::default();
    let tried = async || match call().await {
        Ok(shown) => Ok(Some(shown)),
        Err(error) if read.miss(&error, Patience::Survey) == Miss::GivenUp => {
            not_checked.push(error);
            Ok(None)
        }
        Err(error) => Err(error),
    };
    patiently(clock, tried).await
}

#[cfg(test)]
mod tests {
    use super::*;

    fn error(kind: ApiErrorKind, status: Option<u16>) -> ApiError {
        ApiError {
            kind,
            action: "ecs:ListServiceDeployments",
            resource: None,
            code: None,
            message: "no".into(),
            request_id: None,
            status,
        }
    }

    /// The failure in a row that ends it, of thirty.
    fn given_up_at(kind: ApiErrorKind, status: Option<u16>, patience: Patience) -> Option<u32> {
        let mut read = OptionalRead::default();
        (1..=30).find(|_| read.miss(&error(kind, status), patience) == Miss::GivenUp)
    }

    #[test]
    fn what_may_pass_is_tried_again_for_as_long_as_somebody_can_wait() {
        use ApiErrorKind::{Throttled, Transient};
        use Patience::{Following, Last, Survey};
        assert_eq!(given_up_at(Transient, Some(500), Following), Some(11));
        assert_eq!(given_up_at(Transient, Some(500), Survey), Some(3));
        assert_eq!(given_up_at(Throttled, Some(400), Survey), Some(25));
        assert_eq!(given_up_at(Transient, None, Survey), Some(1), "nothing answers at all");
        assert_eq!(given_up_at(Throttled, Some(400), Last), Some(1));
    }

    #[test]
    fn what_does_not_pass_ends_at_once_and_credentials_are_another_matter() {
        use ApiErrorKind::{ClockSkew, Credentials, Denied, NotFound, Refused, Unsupported};
        for kind in [Denied, Refused, Unsupported] {
            assert_eq!(given_up_at(kind, Some(400), Patience::Following), Some(1), "{kind:?}");
        }
        for kind in [ClockSkew, Credentials, NotFound] {
            assert_eq!(given_up_at(kind, Some(400), Patience::Last), None, "{kind:?}");
        }
    }

    #[test]
    fn an_answer_begins_the_count_anew() {
        let mut read = OptionalRead::default();
        let failed = error(ApiErrorKind::Transient, Some(500));
        for _ in 0..3 {
            for _ in 0..MISSES_MAX {
                assert_eq!(read.miss(&failed, Patience::Following), Miss::MayPass);
            }
            read.answered();
        }
    }
}
