//! Runs that speak at the same time, one request of theirs after the other in every order that chance finds.

use std::cell::{Cell, RefCell};
use std::future::Future;
use std::pin::{Pin, pin};
use std::task::{Context, Poll, Waker};
use std::time::Duration;

use portzero::app::announce;
use portzero_core::base::time::Moment;
use portzero_core::port::{ApiError, ApiErrorKind, ApiResult, PullRequests};
use portzero_core::pull_request::sticky::Step;
use portzero_core::pull_request::{
    Comment, CommitStatus, DeploymentStatus, NewDeployment, PullRequest, RecordedDeployment, sticky,
};
use proptest::prelude::*;

use crate::github::mark;
use crate::support::VirtualClock;
use crate::support::github::LOGIN;

/// Runs sleep on one clock, so it must last for all of them.
const BUDGET: Duration = Duration::from_secs(3600);

/// A conversation without a wire. Each call gives the others a turn before it takes effect, and another before it answers.
#[derive(Default)]
struct Conversation {
    comments: RefCell<Vec<Comment>>,
    last_id: Cell<u64>,
    /// What becomes of the next answers to a creation.
    fates: RefCell<Vec<Fate>>,
}

#[derive(Clone, Copy, Debug)]
enum Fate {
    Answered,
    LostAfterwards,
    LostBefore,
}

impl Conversation {
    fn add(&self, author: &str, body: &str) -> Comment {
        self.last_id.set(self.last_id.get() + 1);
        let comment = Comment {
            id: self.last_id.get(),
            author: Some(author.to_owned()),
            body: body.to_owned(),
            url: String::new(),
        };
        self.comments.borrow_mut().push(comment.clone());
        comment
    }

    fn rewrite(&self, id: u64, body: &str) -> Option<Comment> {
        let mut comments = self.comments.borrow_mut();
        let comment = comments.iter_mut().find(|comment| comment.id == id)?;
        comment.body = body.to_owned();
        Some(comment.clone())
    }

    /// What portzero has written.
    fn own(&self) -> Vec<Comment> {
        let own = |comment: &&Comment| comment.author.as_deref() == Some(LOGIN);
        self.comments.borrow().iter().filter(own).cloned().collect()
    }
}

/// Lets the others go first, once.
async fn turn() {
    let mut has_waited = false;
    std::future::poll_fn(|_| match std::mem::replace(&mut has_waited, true) {
        true => Poll::Ready(()),
        false => Poll::Pending,
    })
    .await;
}

fn failure(kind: ApiErrorKind) -> ApiError {
    ApiError {
        kind,
        action: "github:test",
        resource: None,
        code: None,
        message: String::new(),
        request_id: None,
        status: None,
    }
}

impl PullRequests for Conversation {
    fn give_up_at(&self, _: Moment) {}

    async fn own_login(&self) -> ApiResult<String> {
        Ok(LOGIN.to_owned())
    }

    async fn comments(&self, _: u64) -> ApiResult<Vec<Comment>> {
        turn().await;
        let comments = self.comments.borrow().clone();
        turn().await;
        Ok(comments)
    }

    async fn create_comment(&self, _: u64, body: &str) -> ApiResult<Comment> {
        turn().await;
        let fate = self.fates.borrow_mut().pop().unwrap_or(Fate::Answered);
        let created = match fate {
            Fate::LostBefore => Err(failure(ApiErrorKind::Transient)),
            Fate::LostAfterwards => {
                self.add(LOGIN, body);
                Err(failure(ApiErrorKind::Transient))
            }
            Fate::Answered => Ok(self.add(LOGIN, body)),
        };
        turn().await;
        created
    }

    async fn edit_comment(&self, id: u64, body: &str) -> ApiResult<Comment> {
        turn().await;
        let edited = self.rewrite(id, body);
        turn().await;
        edited.ok_or_else(|| failure(ApiErrorKind::NotFound))
    }

    async fn delete_comment(&self, id: u64) -> ApiResult<()> {
        turn().await;
        self.comments.borrow_mut().retain(|comment| comment.id != id);
        turn().await;
        Ok(())
    }

    async fn pull_requests_of(&self, _: &str) -> ApiResult<Vec<PullRequest>> {
        Err(failure(ApiErrorKind::Unsupported))
    }

    async fn pull_request(&self, _: u64) -> ApiResult<PullRequest> {
        Err(failure(ApiErrorKind::Unsupported))
    }

    async fn deployments(&self, _: &str, _: &str) -> ApiResult<Vec<RecordedDeployment>> {
        Err(failure(ApiErrorKind::Unsupported))
    }

    async fn create_deployment(&self, _: &NewDeployment) -> ApiResult<RecordedDeployment> {
        Err(failure(ApiErrorKind::Unsupported))
    }

    async fn set_deployment_status(&self, _: u64, _: &DeploymentStatus) -> ApiResult<()> {
        Err(failure(ApiErrorKind::Unsupported))
    }

    async fn set_commit_status(&self, _: &str, _: &CommitStatus) -> ApiResult<()> {
        Err(failure(ApiErrorKind::Unsupported))
    }
}

/// Runs 1 to `runs` speak, in the order of the turns that chance gives them.
fn speak(conversation: &Conversation, runs: u64, turns: &[usize]) {
    let clock = VirtualClock::default();
    let clock = &&clock;
    let speech = |run_id: u64| async move {
        let mark = mark("staging", run_id);
        let placed = announce::comment(conversation, clock, 7, &mark, "hello", BUDGET).await;
        placed.expect("two lost answers are survived");
    };
    let mut speeches: Vec<Pin<Box<dyn Future<Output = ()> + '_>>> = Vec::new();
    speeches.extend((1..=runs).map(|run_id| Box::pin(speech(run_id)) as Pin<Box<dyn Future<Output = ()> + '_>>));
    let mut context = Context::from_waker(Waker::noop());
    // When chance has said its part, they take turns to the end.
    for chosen in turns.iter().copied().chain(std::iter::repeat(0)) {
        if speeches.is_empty() {
            return;
        }
        let chosen = chosen % speeches.len();
        let speech = pin!(&mut speeches[chosen]);
        if speech.poll(&mut context).is_ready() {
            drop(speeches.remove(chosen));
        }
    }
}

fn fate() -> impl Strategy<Value = Fate> {
    prop_oneof![
        3 => Just(Fate::Answered),
        1 => Just(Fate::LostAfterwards),
        1 => Just(Fate::LostBefore),
    ]
}

proptest! {
    // Few of the orders in which two runs can take turns are interesting.
    #![proptest_config(ProptestConfig::with_cases(ProptestConfig::default().cases.max(2000)))]

    #[test]
    fn two_runs_leave_one_comment_of_the_newer(
        turns in proptest::collection::vec(0..2usize, 0..60),
        fates in proptest::collection::vec(fate(), 0..3),
    ) {
        let conversation = Conversation { fates: RefCell::new(fates), ..Conversation::default() };
        speak(&conversation, 2, &turns);
        let bodies: Vec<String> = conversation.own().into_iter().map(|comment| comment.body).collect();
        prop_assert_eq!(bodies, [mark("staging", 2).around("hello")]);
    }

    #[test]
    fn any_number_of_runs_leaves_one_comment_and_strangers_theirs(
        runs in 1..5u64,
        turns in proptest::collection::vec(0..4usize, 0..120),
        doubles in 0..3usize,
    ) {
        let conversation = Conversation::default();
        let forged = mark("staging", 1).around("mine");
        conversation.add("mallory", &forged);
        for _ in 0..doubles {
            conversation.add(LOGIN, &mark("staging", 0).around("old"));
        }
        speak(&conversation, runs, &turns);
        let own = conversation.own();
        prop_assert_eq!(own.len(), 1, "{:?}", own);
        prop_assert_eq!(&conversation.comments.borrow()[0].body, &forged);
        // And a later run edits it.
        let later = mark("staging", 9);
        let decision = sticky::decide(&own, LOGIN, &later, &later.around("hello"));
        prop_assert!(matches!(decision.step, Step::Edit(_)));
    }
}
