//! The ports straight on the world, without a wire: for property tests and rehearsals. The API itself may misbehave
//! here, as AWS's does: throttle, fail for a moment, answer with what was true some seconds ago, list in any order.

mod balancing;
mod ecs;
#[cfg(test)]
mod tests;
mod translate;

pub use translate::{moment, time};

use std::cell::{Cell, Ref, RefCell, RefMut};
use std::collections::VecDeque;
use std::ops::Deref;
use std::rc::Rc;
use std::time::Duration;

use portzero_core::aws_model::service::Service;
use portzero_core::aws_model::target::TargetHealth;
use portzero_core::aws_model::task::Task;
use portzero_core::base::id::{ClusterName, TargetGroupArn};
use portzero_core::base::time::{Moment, Timestamp};
use portzero_core::port::{ApiError, ApiErrorKind, ApiResult, Clock};
use portzero_sim::model::refusal::Refusal;
use portzero_sim::model::state;
use portzero_sim::model::state::Account;
use portzero_sim::world::World;

/// How the API itself misbehaves. Shares are between 0 and 1; all are 0 by default.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub struct Misbehaviour {
    pub throttled: f64,
    pub transient: f64,
    /// Answers to reads that are up to `staleness` old. UpdateService's own answer never is.
    pub stale: f64,
    pub staleness: Duration,
    /// For how long DescribeServices does not list a deployment that was just made.
    pub unlisted_for: Duration,
    /// Lists come in any order (but for events, which AWS does order).
    pub permuted: bool,
    /// Something in a list of tasks or targets comes twice, as where it moves from page to page meanwhile.
    pub repeated: bool,
    /// Connections that end without an answer.
    pub reset: f64,
    /// Actions that the credentials may not do, for good.
    pub denied: &'static [&'static str],
}

impl Misbehaviour {
    /// Not everything can be read, or not at once, or not as it is.
    pub fn is_reading_impaired(&self) -> bool {
        let shares = [self.throttled, self.transient, self.stale, self.reset];
        shares.iter().any(|share| *share > 0.0) || !self.unlisted_for.is_zero() || !self.denied.is_empty()
    }
}

/// An answer as it was given, for whoever wants to know what a caller could have seen.
#[derive(Clone, Debug)]
pub enum Answer {
    Services,
    Tasks(Vec<Task>),
    Targets(TargetGroupArn, Vec<TargetHealth>),
    Failed(ApiErrorKind),
}

/// The account as an answer shows it.
enum Seen<'a> {
    Now(Ref<'a, World>),
    Then(Rc<Account>),
}

impl Deref for Seen<'_> {
    type Target = Account;

    fn deref(&self) -> &Account {
        match self {
            Self::Now(world) => world.account(),
            Self::Then(account) => account,
        }
    }
}

/// Whether an answer is a read (which may be stale) or changes something.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Access {
    Read,
    Change,
}

type Past = VecDeque<(portzero_sim::Timestamp, Rc<Account>)>;

/// The ports' implementation. Clones share the world, the misbehaviour and its random numbers.
#[derive(Clone)]
pub struct InProcessAws {
    world: Rc<RefCell<World>>,
    /// What the caller's clock showed at the begin, and what time that was in the world.
    begun: (Timestamp, portzero_sim::Timestamp),
    misbehaviour: Rc<Cell<Misbehaviour>>,
    rng: Rc<RefCell<fastrand::Rng>>,
    /// The account as it was at the last reads and sleeps, oldest first.
    past: Rc<RefCell<Past>>,
    /// That of the last of them, and how many things had happened; `None` after a call that changed something.
    moment: Rc<Cell<Option<(portzero_sim::Timestamp, u64)>>>,
    /// When each deployment was first answered by UpdateService: (id, moment).
    made: Rc<RefCell<Vec<(String, portzero_sim::Timestamp)>>>,
    requests: Rc<Cell<u64>>,
    /// `None`: nobody wants them.
    answers: Rc<RefCell<Option<Vec<Answer>>>>,
}

impl InProcessAws {
    pub fn new(world: World) -> Self {
        Self::sharing(Rc::new(RefCell::new(world)))
    }

    /// On a world that others hold too.
    pub fn sharing(world: Rc<RefCell<World>>) -> Self {
        let begun = (translate::time(world.borrow().callers_time()), world.borrow().now());
        Self {
            world,
            begun,
            misbehaviour: Rc::default(),
            rng: Rc::new(RefCell::new(fastrand::Rng::with_seed(0))),
            past: Rc::default(),
            moment: Rc::default(),
            made: Rc::default(),
            requests: Rc::default(),
            answers: Rc::default(),
        }
    }

    /// The API misbehaves from now on, in an order that the seed decides.
    pub fn misbehaving(self, misbehaviour: Misbehaviour, seed: u64) -> Self {
        self.misbehaviour.set(misbehaviour);
        *self.rng.borrow_mut() = fastrand::Rng::with_seed(seed);
        self
    }

    /// Changes the misbehaviour in mid-run; `Misbehaviour::default()` ends it.
    pub fn set_misbehaviour(&self, misbehaviour: Misbehaviour) {
        self.misbehaviour.set(misbehaviour);
    }

    pub fn world(&self) -> Rc<RefCell<World>> {
        Rc::clone(&self.world)
    }

    /// A clock that moves when somebody sleeps on it, and the world with it.
    pub fn clock(&self) -> VirtualClock {
        VirtualClock { direct: self.clone() }
    }

    /// How many requests have been answered, failed ones included.
    pub fn requests(&self) -> u64 {
        self.requests.get()
    }

    /// What has been answered since this was asked last; the first question begins the record.
    pub fn take_answers(&self) -> Vec<Answer> {
        self.answers.borrow_mut().replace(Vec::new()).unwrap_or_default()
    }

    fn note(&self, answer: impl FnOnce() -> Answer) {
        if let Some(answers) = self.answers.borrow_mut().as_mut() {
            answers.push(answer());
        }
    }

    fn chance(&self, share: f64) -> bool {
        share > 0.0 && self.rng.borrow_mut().f64() < share
    }

    /// Lets one request through, or fails it as the misbehaviour has it.
    fn admit(&self, action: &'static str) -> ApiResult<()> {
        self.requests.set(self.requests.get() + 1);
        self.try_to_admit(action)
            .inspect_err(|error| self.note(|| Answer::Failed(error.kind)))
    }

    /// A call that came through and has no answer: the look that made it is none.
    fn failed(&self, error: ApiError) -> ApiError {
        self.note(|| Answer::Failed(error.kind));
        error
    }

    fn try_to_admit(&self, action: &'static str) -> ApiResult<()> {
        let misbehaviour = self.misbehaviour.get();
        let failed = |kind, code: &str, message: &str, status| {
            let refusal = Refusal {
                code: code.into(),
                message: message.into(),
                status,
            };
            Err(ApiError {
                kind,
                ..translate::error(action, None, refusal)
            })
        };
        if misbehaviour.denied.contains(&action) {
            let words = format!("User is not authorized to perform: {action}");
            return failed(ApiErrorKind::Denied, "AccessDeniedException", &words, 400);
        }
        if self.chance(misbehaviour.reset) {
            return Err(ApiError {
                kind: ApiErrorKind::Transient,
                action,
                resource: None,
                code: None,
                message: "connection closed before message completed".into(),
                request_id: None,
                status: None,
            });
        }
        if self.chance(misbehaviour.throttled) {
            return failed(ApiErrorKind::Throttled, "ThrottlingException", "Rate exceeded", 400);
        }
        if self.chance(misbehaviour.transient) {
            return failed(
                ApiErrorKind::Transient,
                "ServerException",
                "Service Unavailable. Please try again later.",
                500,
            );
        }
        Ok(())
    }

    /// What a read sees: the account as it is, or as it was some seconds ago.
    fn seen(&self, access: Access) -> Seen<'_> {
        let world = self.world.borrow();
        let misbehaviour = self.misbehaviour.get();
        if misbehaviour.stale <= 0.0 {
            return Seen::Now(world);
        }
        let now = world.now();
        let moment = (now, world.events_happened());
        let mut past = self.past.borrow_mut();
        // A look makes many calls at one moment, and a copy of the account for each would be most of its time.
        let still = past
            .back()
            .filter(|_| self.moment.replace(Some(moment)) == Some(moment));
        let fresh = still.map_or_else(|| Rc::new(world.account().clone()), |(_, last)| Rc::clone(last));
        past.push_back((now, Rc::clone(&fresh)));
        while past
            .front()
            .is_some_and(|(at, _)| now.since(*at) > misbehaviour.staleness)
        {
            past.pop_front();
        }
        if access == Access::Read && self.chance(misbehaviour.stale) {
            let place = self.rng.borrow_mut().usize(..past.len());
            return Seen::Then(past.get(place).map_or(fresh, |(_, account)| Rc::clone(account)));
        }
        Seen::Then(fresh)
    }

    /// The world, for a call that changes it.
    fn change(&self) -> RefMut<'_, World> {
        self.moment.set(None);
        self.world.borrow_mut()
    }

    fn remember(&self) {
        if self.misbehaviour.get().stale > 0.0 {
            self.seen(Access::Change);
        }
    }

    fn permute<T>(&self, list: &mut [T]) {
        if self.misbehaviour.get().permuted {
            self.rng.borrow_mut().shuffle(list);
        }
    }

    /// A list of tasks or targets, as a caller gets it who turns its pages.
    fn listed<T: Clone>(&self, list: &mut Vec<T>) {
        if self.misbehaviour.get().repeated && !list.is_empty() {
            let twice = self.rng.borrow_mut().usize(..list.len());
            list.push(list[twice].clone());
        }
        self.permute(list);
    }

    fn is_listed(&self, deployment: &str) -> bool {
        let hidden_for = self.misbehaviour.get().unlisted_for;
        let now = self.world.borrow().now();
        !self
            .made
            .borrow()
            .iter()
            .any(|(id, at)| id == deployment && now.since(*at) < hidden_for)
    }

    fn cluster<'a>(
        &self,
        account: &'a Account,
        action: &'static str,
        name: &ClusterName,
    ) -> ApiResult<&'a state::Cluster> {
        let found = account
            .clusters
            .get(name.as_str())
            .filter(|cluster| cluster.status == "ACTIVE");
        found.ok_or_else(|| {
            let refusal = Refusal::new("ClusterNotFoundException", "Cluster not found.");
            translate::error(action, Some(name.as_str()), refusal)
        })
    }

    /// The service as one answer shows it, a deployment that is too new to be listed left out.
    fn shown(&self, cluster: &state::Cluster, service: &state::Service) -> Service {
        let mut shown = translate::service(cluster, service);
        if shown.deployments.iter().any(|d| !self.is_listed(d.id.as_str())) {
            shown.deployments.retain(|d| self.is_listed(d.id.as_str()));
            if let Some(before) = shown.deployments.first_mut() {
                before.status = "PRIMARY".into();
                shown.task_definition = Some(before.task_definition.clone());
            }
        }
        self.permute(&mut shown.deployments);
        shown
    }
}

/// The world's own time. Sleeping advances it.
#[derive(Clone)]
pub struct VirtualClock {
    direct: InProcessAws,
}

impl Clock for VirtualClock {
    fn now(&self) -> Moment {
        let (shown, begun) = self.direct.begun;
        Moment::after(shown, self.direct.world.borrow().now().since(begun))
    }

    async fn sleep(&self, span: Duration) {
        self.direct.remember();
        let until = self.direct.world.borrow().now() + span;
        self.direct.world.borrow_mut().advance(until);
    }
}
