//! A stand-in for GitHub's API on a loopback socket, with a memory: what is posted is listed afterwards.
//!
//! For tests of the library:
//!
//! ```ignore
//! let github = GitHub::start();
//! github.associate("c0ffee", &[Pull::merged(7, "staging", "c0ffee")]);
//! let client = github.client(&clock);              // authenticated, for acme/shop
//! ```
//!
//! For tests of the program, which may speak http to a loopback address:
//!
//! ```ignore
//! program::portzero(folder).envs(github.variables()).env("GITHUB_SHA", "c0ffee")…
//! assert_eq!(github.comments(7).len(), 1);
//! ```
//!
//! What goes wrong is ordered beforehand, per route and in order: `github.fail(Route::CreateComment, Fault::html(502).after())`
//! answers with an HTML page although the comment is there. `github.before(route, |world| …)` runs when such a request comes
//! in, before it is carried out: that is where somebody else's comment appears between a list and a post. Every request is
//! kept, with its headers and its body.

mod http;
mod world;

use std::net::TcpListener;
use std::sync::{Arc, Mutex, MutexGuard};
use std::thread;

use portzero::adapters::github::{Client, Context};

use super::VirtualClock;

pub use http::{Fault, Recorded};
pub use world::{Pull, Route, StoredComment, World};

/// The token that the stand-in takes. It has the form of a job's.
pub const TOKEN: &str = "ghs_standInForTheTokenOfAJob00000000000";
/// Who it belongs to.
pub const LOGIN: &str = "github-actions[bot]";
pub const REPOSITORY: &str = "acme/shop";

pub struct GitHub {
    /// `http://127.0.0.1:PORT`
    pub url: String,
    world: Arc<Mutex<World>>,
}

impl GitHub {
    pub fn start() -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").expect("a free port");
        let url = format!("http://{}", listener.local_addr().expect("an address"));
        let world = Arc::new(Mutex::new(World::new(&url)));
        let served = Arc::clone(&world);
        thread::spawn(move || {
            for stream in listener.incoming().flatten() {
                let world = Arc::clone(&served);
                thread::spawn(move || http::serve(&stream, &world));
            }
        });
        Self { url, world }
    }

    /// What the runner of a job would set, but for the event and the commit.
    pub fn variables(&self) -> Vec<(String, String)> {
        [
            ("GITHUB_ACTIONS", "true"),
            ("GITHUB_REPOSITORY", REPOSITORY),
            ("GITHUB_API_URL", &self.url),
            ("GITHUB_GRAPHQL_URL", &format!("{}/graphql", self.url)),
            ("GITHUB_SERVER_URL", "https://github.com"),
            ("GITHUB_RUN_ID", "1000"),
            ("GITHUB_RUN_ATTEMPT", "1"),
            ("GITHUB_TOKEN", TOKEN),
        ]
        .map(|(name, value)| (name.to_owned(), value.to_owned()))
        .to_vec()
    }

    pub fn context(&self) -> Context {
        let variables = self.variables();
        let lookup = |name: &str| {
            variables
                .iter()
                .find(|(n, _)| n == name)
                .map(|(_, value)| value.clone())
        };
        Context::read(&lookup, None).expect("a repository is named")
    }

    pub fn client<'c>(&self, clock: &'c VirtualClock) -> Client<&'c VirtualClock> {
        Client::open(&self.context(), TOKEN, clock).expect("a token that may go to a loopback address")
    }

    /// The world as it is; hold it only for a moment.
    pub fn world(&self) -> MutexGuard<'_, World> {
        self.world.lock().expect("no poison")
    }

    /// A comment that somebody has written; its id.
    pub fn comment(&self, number: u64, author: &str, body: &str) -> u64 {
        self.world().comment(number, author, body)
    }

    pub fn comments(&self, number: u64) -> Vec<StoredComment> {
        self.world().comments_of(number)
    }

    /// These pull requests are there, and GitHub associates them with the commit.
    pub fn associate(&self, commit: &str, pulls: &[Pull]) {
        self.world().associate(commit, pulls);
    }

    /// The next request of that route that has no fault yet fails so.
    pub fn fail(&self, route: Route, fault: Fault) {
        self.world().fail(route, fault);
    }

    /// Runs once, before the next request of that route is carried out.
    pub fn before(&self, route: Route, hook: impl FnOnce(&mut World) + Send + 'static) {
        self.world().before(route, hook);
    }

    pub fn requests(&self) -> Vec<Recorded> {
        self.world().requests.clone()
    }

    /// How many requests of that route came in.
    pub fn count(&self, route: Route) -> usize {
        self.world()
            .requests
            .iter()
            .filter(|request| request.route == Some(route))
            .count()
    }
}
