//! How the clients are set up: from what the environment offers, or from nothing but what is passed in.

use std::fmt;
use std::sync::{Mutex, PoisonError};
use std::time::{Duration, SystemTime, UNIX_EPOCH};

use aws_config::identity::IdentityCache;
use aws_config::retry::RetryConfig;
use aws_config::timeout::TimeoutConfig;
use aws_config::{AppName, BehaviorVersion, Region, SdkConfig};
use aws_credential_types::Credentials;
use aws_credential_types::provider::{ProvideCredentials, SharedCredentialsProvider, future};
use aws_types::sdk_config::TimeSource;
use portzero_core::base::finding::{Code, Finding};
use portzero_core::port::{ApiResult, Clock, RequestCounts};

use super::budget::Budget;
use super::environment::{Environment, Network, SharedConfig, check_region};
use super::tolerant::TolerantReading;
use super::web_identity::{CurrentCredentials, RoleSession, WebIdentity};
use crate::adapters::clock::SystemClock;

/// A region name is needed to sign, so a stand-in for AWS gets one where none is given.
const STAND_IN_REGION: &str = "us-east-1";

/// A connection that is not made by then will not be made: AWS answers within milliseconds.
const CONNECT_TIMEOUT: Duration = Duration::from_secs(5);
/// From the first byte sent to the last one read. DescribeServices with ten services and a thousand events takes one
/// or two seconds; a call that hangs must not eat the run's wait budget.
const ATTEMPT_TIMEOUT: Duration = Duration::from_secs(20);
/// By then the answer has begun: whoever gives up here still knows which host did not answer.
const ANSWER_TIMEOUT: Duration = Duration::from_secs(19);

/// The verdict is known when the lines are asked for, and a person waits for it: whatever takes longer is done without.
const LOGS_ATTEMPT_TIMEOUT: Duration = Duration::from_secs(2);

type Refused = Box<Finding>;

/// Where and as whom to call.
#[derive(Clone, Debug, Default)]
pub struct ConnectionOptions {
    /// Wins over `AWS_REGION` and the profile.
    pub region: Option<String>,
    /// One address for every service. `None` leaves it to the environment (`AWS_ENDPOINT_URL…`) and then to AWS.
    pub endpoint_url: Option<String>,
    /// With credentials given, nothing else is consulted: no environment, no profile, no instance metadata.
    pub credentials: Option<StaticCredentials>,
    /// The role to assume with the token of the workflow run, in place of the environment's credentials.
    pub web_identity: Option<WebIdentity>,
    /// The variables that AWS's tools read.
    pub environment: Environment,
    /// Hears of a host that does not answer for a while.
    pub on_silence: Option<fn(&str)>,
    /// Hears of everything that must not be shown.
    pub on_secret: Secrets,
    /// Makes the jitter between retries repeatable.
    pub seed: u64,
}

/// Who hears of what must not be shown: before anybody can speak of it.
#[derive(Clone, Copy, Debug, Default)]
pub struct Secrets {
    /// Of credentials, of whatever origin.
    pub credential: Option<fn(&str)>,
    /// Of task definitions, with the values that they give to containers.
    pub definition: Option<fn(&serde_json::Value)>,
}

/// Credentials, which are told of before they are used.
#[derive(Debug)]
struct Heard {
    source: SharedCredentialsProvider,
    tell: fn(&str),
}

impl ProvideCredentials for Heard {
    fn provide_credentials<'a>(&'a self) -> future::ProvideCredentials<'a>
    where
        Self: 'a,
    {
        future::ProvideCredentials::new(async {
            let credentials = self.source.provide_credentials().await?;
            (self.tell)(credentials.secret_access_key());
            credentials.session_token().into_iter().for_each(self.tell);
            Ok(credentials)
        })
    }

    fn fallback_on_interrupt(&self) -> Option<Credentials> {
        self.source.fallback_on_interrupt()
    }
}

/// A key pair that is known beforehand, for example the meaningless one for the simulator.
#[derive(Clone, PartialEq, Eq)]
pub struct StaticCredentials {
    access_key_id: String,
    secret_access_key: String,
}

impl StaticCredentials {
    pub fn new(access_key_id: impl Into<String>, secret_access_key: impl Into<String>) -> Self {
        Self {
            access_key_id: access_key_id.into(),
            secret_access_key: secret_access_key.into(),
        }
    }

    /// For stand-ins that want a signature and do not check it.
    pub fn dummy() -> Self {
        Self::new("portzero", "portzero")
    }
}

impl fmt::Debug for StaticCredentials {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("StaticCredentials").finish_non_exhaustive()
    }
}

/// The clients of one run, with what they share: the clock that retries wait on, and the count of requests.
#[derive(Debug)]
pub struct Connection<C> {
    pub(super) ecs: aws_sdk_ecs::Client,
    pub(super) balancing: aws_sdk_elasticloadbalancingv2::Client,
    pub(super) logs: aws_sdk_cloudwatchlogs::Client,
    pub(super) classic_balancing: aws_sdk_elasticloadbalancing::Client,
    pub(super) sts: aws_sdk_sts::Client,
    pub(super) clock: C,
    pub(super) on_secret: Secrets,
    role: Option<RoleSession>,
    region: Option<String>,
    endpoint_url: Option<String>,
    /// Why the profile that the environment names gives no credentials, should there be none.
    without_credentials: Option<String>,
    counts: Mutex<RequestCounts>,
    jitter: Mutex<fastrand::Rng>,
    budget: Mutex<Budget>,
}

impl<C: Clock> Connection<C> {
    /// Sends no request for an operation; where the environment is consulted, the region may be asked of the
    /// instance's metadata service. Credentials are looked up by the first call, or by [`Connection::sign_in`].
    ///
    /// # Errors
    /// A finding where no region is known, or where the environment names what is not there or cannot be used.
    pub async fn open(options: ConnectionOptions, clock: C) -> Result<Self, Refused> {
        let current = CurrentCredentials::default();
        let mut without_credentials = None;
        let config = match &options.credentials {
            Some(credentials) => isolated(&options, credentials),
            None => {
                let own = options.web_identity.is_some().then(|| current.clone());
                let (environment, shared) = surroundings(&options).await?;
                let config = from_environment(&options, &environment, &shared, own).await?;
                if config.region().is_none() {
                    return Err(Box::new(no_region(shared.without_region(&environment))));
                }
                without_credentials = shared.without_credentials(&environment);
                config
            }
        };
        Ok(Self {
            ecs: ecs_client(&config),
            balancing: aws_sdk_elasticloadbalancingv2::Client::new(&config),
            logs: logs_client(&config),
            classic_balancing: aws_sdk_elasticloadbalancing::Client::new(&config),
            sts: aws_sdk_sts::Client::new(&config),
            clock,
            on_secret: options.on_secret,
            region: config.region().map(ToString::to_string),
            endpoint_url: config.endpoint_url().map(str::to_owned),
            without_credentials: without_credentials.filter(|_| options.web_identity.is_none()),
            role: options
                .web_identity
                .filter(|_| options.credentials.is_none())
                .map(|wanted| RoleSession::new(wanted, &config, current)),
            counts: Mutex::default(),
            jitter: Mutex::new(fastrand::Rng::with_seed(options.seed)),
            budget: Mutex::default(),
        })
    }

    /// Assumes the role, where there is one to assume, so that whatever is wrong with that is told before anything else.
    /// Later calls renew the credentials in time.
    ///
    /// # Errors
    /// A finding that says what to change. Nothing has been changed.
    pub async fn sign_in(&self) -> Result<(), Box<Finding>> {
        let Some(role) = &self.role else { return Ok(()) };
        let ensured = role.ensure(&self.clock, || self.count_exchange()).await;
        ensured.map_err(|refused| Box::new(refused.finding()))
    }

    /// Good credentials for the next call, where it is on us to see to that.
    pub(super) async fn ensure_credentials(&self) -> ApiResult<()> {
        let Some(role) = &self.role else { return Ok(()) };
        let ensured = role.ensure(&self.clock, || self.count_exchange()).await;
        ensured.map_err(|refused| refused.api_error())
    }

    /// Whether other credentials can be had than those that AWS has just taken for expired.
    pub(super) async fn gives_up_credentials(&self) -> bool {
        match &self.role {
            Some(role) => {
                role.give_up_current().await;
                true
            }
            None => false,
        }
    }

    fn count_exchange(&self) {
        self.count(|counts| *counts.by_action.entry("AssumeRoleWithWebIdentity".into()).or_default() += 1);
    }

    /// What has been sent so far, retries included.
    pub fn request_counts(&self) -> RequestCounts {
        self.counts.lock().unwrap_or_else(PoisonError::into_inner).clone()
    }

    pub fn region(&self) -> Option<&str> {
        self.region.as_deref()
    }

    /// The one address that every call goes to, where it is not AWS's own.
    pub fn endpoint_url(&self) -> Option<&str> {
        self.endpoint_url.as_deref()
    }

    /// Why the profile that the environment names gives no credentials. The SDK says only that nothing was found.
    pub(super) async fn missing_profile(&self) -> Option<String> {
        self.without_credentials.clone()
    }

    pub(super) fn count(&self, add: impl FnOnce(&mut RequestCounts)) {
        add(&mut self.counts.lock().unwrap_or_else(PoisonError::into_inner));
    }

    pub(super) fn budget<T>(&self, act: impl FnOnce(&mut Budget) -> T) -> T {
        act(&mut self.budget.lock().unwrap_or_else(PoisonError::into_inner))
    }

    /// A number from 0 to 1.
    pub(super) fn chance(&self) -> f64 {
        self.jitter.lock().unwrap_or_else(PoisonError::into_inner).f64()
    }
}

/// What requests are signed by, and what the ends of credentials are held against: a step of the machine's clock in
/// mid-run must neither make AWS refuse a signature nor keep credentials that have ended.
#[derive(Debug)]
struct RunTime;

impl TimeSource for RunTime {
    fn now(&self) -> SystemTime {
        let millis = SystemClock.now().wall().as_millis();
        UNIX_EPOCH + Duration::from_millis(u64::try_from(millis).unwrap_or_default())
    }
}

/// The SDK's defaults minus its retries: they would wait on the real clock and replay writes.
fn isolated(options: &ConnectionOptions, credentials: &StaticCredentials) -> SdkConfig {
    let region = options.region.clone().unwrap_or_else(|| STAND_IN_REGION.to_owned());
    let credentials = Credentials::new(
        &credentials.access_key_id,
        &credentials.secret_access_key,
        None,
        None,
        "portzero",
    );
    let mut config = SdkConfig::builder()
        .behavior_version(BehaviorVersion::latest())
        .region(Region::new(region))
        .credentials_provider(SharedCredentialsProvider::new(credentials))
        .retry_config(RetryConfig::disabled())
        .time_source(RunTime)
        .timeout_config(timeouts());
    config.set_endpoint_url(options.endpoint_url.clone());
    config.set_app_name(app_name());
    config.build()
}

/// What this machine says about AWS, looked at before the first call.
async fn surroundings(options: &ConnectionOptions) -> Result<(Environment, SharedConfig), Refused> {
    if let Some(region) = &options.region {
        check_region("`--region`, PORTZERO_REGION or `region:` of the configuration", region)?;
    }
    let mut environment = options.environment.clone();
    environment.check()?;
    let shared = SharedConfig::load(&environment).await?;
    if options.web_identity.is_none() {
        // With a role of the run's own, no profile is asked for credentials.
        shared.check(&environment)?;
    }
    shared.add_endpoints(&mut environment)?;
    Ok((environment, shared))
}

async fn from_environment(
    options: &ConnectionOptions,
    environment: &Environment,
    shared: &SharedConfig,
    credentials: Option<CurrentCredentials>,
) -> Result<SdkConfig, Refused> {
    let network = Network::of(environment, shared)?.telling(options.on_silence);
    let mut loader = aws_config::defaults(BehaviorVersion::latest())
        .env(environment.env())
        .http_client(network.client())
        .retry_config(RetryConfig::disabled())
        .time_source(RunTime)
        .timeout_config(timeouts().to_builder().read_timeout(ANSWER_TIMEOUT).build());
    if let Some(region) = &options.region {
        loader = loader.region(Region::new(region.clone()));
    }
    if let Some(url) = &options.endpoint_url {
        loader = loader.endpoint_url(url);
    }
    if let Some(name) = app_name() {
        loader = loader.app_name(name);
    }
    if let Some(current) = credentials {
        // They are renewed here, between calls; a cache would go on with the old ones.
        loader = loader
            .credentials_provider(current)
            .identity_cache(IdentityCache::no_cache());
    }
    let config = loader.load().await;
    Ok(match (config.credentials_provider(), options.on_secret.credential) {
        (Some(source), Some(tell)) => config
            .to_builder()
            .credentials_provider(SharedCredentialsProvider::new(Heard { source, tell }))
            .build(),
        _ => config,
    })
}

/// What CloudTrail shows as the caller's program.
fn app_name() -> Option<AppName> {
    AppName::new(concat!("portzero-", env!("CARGO_PKG_VERSION"))).ok()
}

fn timeouts() -> TimeoutConfig {
    TimeoutConfig::builder()
        .connect_timeout(CONNECT_TIMEOUT)
        .operation_attempt_timeout(ATTEMPT_TIMEOUT)
        .build()
}

fn no_region(of_profile: Option<String>) -> Finding {
    let mut finding = Finding::error(Code::Config, "no AWS region is known");
    finding.evidence.extend(of_profile.map(|why| ("profile".into(), why)));
    finding
        .evidence(
            "tried",
            "--region, `region:` in the configuration, AWS_REGION, AWS_DEFAULT_REGION, the AWS profile, instance metadata",
        )
        .hint("set `region:` in portzero.yml, or pass --region")
}

/// The client of ECS, whose answers are JSON: what it cannot read at first is read once more.
fn ecs_client(config: &SdkConfig) -> aws_sdk_ecs::Client {
    let config = aws_sdk_ecs::config::Builder::from(config).interceptor(TolerantReading);
    aws_sdk_ecs::Client::from_conf(config.build())
}

/// The client of CloudWatch Logs, which gives up earlier than the others.
fn logs_client(config: &SdkConfig) -> aws_sdk_cloudwatchlogs::Client {
    let timeouts = TimeoutConfig::builder()
        .connect_timeout(LOGS_ATTEMPT_TIMEOUT)
        .operation_attempt_timeout(LOGS_ATTEMPT_TIMEOUT)
        .build();
    aws_sdk_cloudwatchlogs::Client::from_conf(
        aws_sdk_cloudwatchlogs::config::Builder::from(config)
            .timeout_config(timeouts)
            .build(),
    )
}
