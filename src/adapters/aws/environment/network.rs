//! The HTTP client of all calls to AWS: it trusts and goes by proxy as the environment asks for, says which host does not
//! answer, and does not keep silent for long.

use std::collections::BTreeSet;
use std::error::Error;
use std::fmt;
use std::future::Future;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use aws_smithy_http_client::proxy::ProxyConfig;
use aws_smithy_http_client::tls::rustls_provider::CryptoMode;
use aws_smithy_http_client::tls::{Provider, TlsContext};
use aws_smithy_http_client::{Builder, Connector};
use aws_smithy_runtime_api::client::http::{
    HttpClient, HttpConnector, HttpConnectorFuture, HttpConnectorSettings, SharedHttpClient, SharedHttpConnector,
};
use aws_smithy_runtime_api::client::orchestrator::{HttpRequest, HttpResponse};
use aws_smithy_runtime_api::client::result::ConnectorError;
use aws_smithy_runtime_api::client::runtime_components::RuntimeComponents;
use aws_smithy_types::body::SdkBody;
use aws_smithy_types::byte_stream::ByteStream;
use portzero_core::base::finding::Finding;

use super::proxy::Proxies;
use super::{Environment, SharedConfig};

/// AWS answers within a second. Whoever watches has a right to know what is waited for.
const SILENCE: Duration = Duration::from_secs(3);

/// The longest answers are ten services with a hundred events each and a hundred tasks: two megabytes at most.
const ANSWER_MAX: usize = 16 * 1024 * 1024;

/// The way to AWS.
#[derive(Clone, Debug)]
pub(crate) struct Network {
    proxies: Proxies,
    trust: Option<TlsContext>,
    /// Hears once of each host that does not answer.
    on_silence: Option<fn(&str)>,
}

impl Network {
    /// # Errors
    /// A finding where a proxy or a file of certificates is named that is none.
    pub(crate) fn of(environment: &Environment, shared: &SharedConfig) -> Result<Self, Box<Finding>> {
        Ok(Self {
            proxies: Proxies::of(environment)?,
            trust: shared.trust(environment)?,
            on_silence: None,
        })
    }

    pub(crate) fn telling(self, on_silence: Option<fn(&str)>) -> Self {
        Self { on_silence, ..self }
    }

    pub(crate) fn client(self) -> SharedHttpClient {
        let with_tls = |proxy: ProxyConfig| {
            let trust = self.trust.clone();
            Builder::new().build_with_connector_fn(move |settings, components| {
                tls_connector(&proxy, trust.as_ref(), settings, components)
            })
        };
        // The way to a proxy may be encrypted where that to the address is not.
        let http = if self.proxies.http.is_disabled() {
            Builder::new().build_http()
        } else {
            with_tls(self.proxies.http.clone())
        };
        SharedHttpClient::new(Client {
            https: with_tls(self.proxies.https.clone()),
            http,
            silence: Silence {
                told: Arc::default(),
                tell: self.on_silence,
            },
        })
    }
}

/// The certificates of the system are read with the first one, which takes longer than a call on this machine.
fn tls_connector(
    proxy: &ProxyConfig,
    trust: Option<&TlsContext>,
    settings: Option<&HttpConnectorSettings>,
    components: Option<&RuntimeComponents>,
) -> Connector {
    let mut builder = Connector::builder()
        .proxy_config(proxy.clone())
        .tls_provider(Provider::Rustls(CryptoMode::AwsLc));
    builder.set_connector_settings(settings.cloned());
    builder.set_sleep_impl(components.and_then(RuntimeComponents::sleep_impl));
    if let Some(trust) = trust {
        builder.set_tls_context(trust.clone());
    }
    builder.build()
}

#[derive(Clone, Debug)]
struct Client {
    https: SharedHttpClient,
    http: SharedHttpClient,
    silence: Silence,
}

impl HttpClient for Client {
    fn http_connector(&self, settings: &HttpConnectorSettings, components: &RuntimeComponents) -> SharedHttpConnector {
        SharedHttpConnector::new(Way {
            client: self.clone(),
            settings: settings.clone(),
            components: components.clone(),
        })
    }
}

#[derive(Debug)]
struct Way {
    client: Client,
    settings: HttpConnectorSettings,
    components: RuntimeComponents,
}

impl HttpConnector for Way {
    fn call(&self, request: HttpRequest) -> HttpConnectorFuture {
        let place = place(request.uri(), request.headers().get("authorization"));
        // Only that of the address's own scheme is made.
        let client = if request.uri().starts_with("https:") {
            &self.client.https
        } else {
            &self.client.http
        };
        let connector = client.http_connector(&self.settings, &self.components);
        let answer = connector.call(request);
        let silence = self.client.silence.clone();
        HttpConnectorFuture::new(async move {
            let answer = silence.watch(&place, answer).await;
            let whole = match answer {
                Ok(answer) => whole(answer).await,
                Err(error) => Err(error),
            };
            whole.map_err(|error| at(place, error))
        })
    }
}

/// The answer with its body, which is read here because the SDK would read on for as long as bytes come.
async fn whole(mut answer: HttpResponse) -> Result<HttpResponse, ConnectorError> {
    let mut body = ByteStream::new(answer.take_body());
    let mut bytes = Vec::new();
    while let Some(piece) = body.next().await {
        bytes.extend_from_slice(&piece.map_err(|error| ConnectorError::io(Box::new(error)))?);
        if bytes.len() > ANSWER_MAX {
            let why = format!(
                "it has more than {} MiB, which no answer of AWS has",
                ANSWER_MAX / 1024 / 1024
            );
            return Err(ConnectorError::other(why.into(), None));
        }
    }
    *answer.body_mut() = SdkBody::from(bytes);
    Ok(answer)
}

/// `ecs.eu-west-1.amazonaws.com`; with the region that the request is signed for, where the name does not tell it.
fn place(uri: &str, authorization: Option<&str>) -> String {
    let host = uri.split("://").nth(1).unwrap_or(uri);
    let host = host.split(['/', '?']).next().unwrap_or(host);
    let scope = authorization.and_then(|text| text.split_once("Credential="));
    match scope.and_then(|(_, scope)| scope.split('/').nth(2)) {
        Some(region) if !host.contains(region) => format!("{host} (region {region})"),
        _ => host.to_owned(),
    }
}

/// Where a call went that came to nothing.
#[derive(Debug)]
pub(crate) struct At {
    pub(crate) place: String,
    pub(crate) is_timeout: bool,
    source: Box<dyn Error + Send + Sync>,
}

impl fmt::Display for At {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "the call to {}", self.place)
    }
}

impl Error for At {
    fn source(&self) -> Option<&(dyn Error + 'static)> {
        Some(self.source.as_ref())
    }
}

/// The same kind of failure, with the place.
fn at(place: String, error: ConnectorError) -> ConnectorError {
    let (is_timeout, is_io, is_user, other) = (error.is_timeout(), error.is_io(), error.is_user(), error.as_other());
    let source = Box::new(At {
        place,
        is_timeout,
        source: error.into_source(),
    });
    match (is_timeout, is_io, is_user) {
        (true, ..) => ConnectorError::timeout(source),
        (_, true, _) => ConnectorError::io(source),
        (.., true) => ConnectorError::user(source),
        _ => ConnectorError::other(source, other),
    }
}

/// Tells of each host once that it does not answer.
#[derive(Clone, Debug)]
struct Silence {
    told: Arc<Mutex<BTreeSet<String>>>,
    tell: Option<fn(&str)>,
}

impl Silence {
    #[allow(
        clippy::disallowed_methods,
        reason = "the silence of a network is real, whatever the run's clock shows"
    )]
    async fn watch<T>(&self, place: &str, answer: impl Future<Output = T>) -> T {
        let Some(tell) = self.tell else { return answer.await };
        tokio::pin!(answer);
        tokio::select! {
            biased;
            answer = &mut answer => return answer,
            () = tokio::time::sleep(SILENCE) => {}
        }
        if self
            .told
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
            .insert(place.to_owned())
        {
            tell(&format!(
                "connecting to {place} … no answer for {} seconds",
                SILENCE.as_secs()
            ));
        }
        answer.await
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_place_has_its_region() {
        let signed = Some("AWS4-HMAC-SHA256 Credential=AKID/20260101/eu-west-1/ecs/aws4_request, SignedHeaders=host");
        assert_eq!(
            place("https://ecs.eu-west-1.amazonaws.com/", signed),
            "ecs.eu-west-1.amazonaws.com"
        );
        assert_eq!(
            place("http://127.0.0.1:4566/x?y", signed),
            "127.0.0.1:4566 (region eu-west-1)"
        );
        assert_eq!(place("http://169.254.169.254/latest", None), "169.254.169.254");
    }
}
