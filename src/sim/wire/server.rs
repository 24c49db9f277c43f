//! The wire behind a loopback port: HTTP/1.1 with keep-alive, on one thread.

use std::cell::RefCell;
use std::convert::Infallible;
use std::io;
use std::rc::Rc;
use std::time::Duration;

use http_body_util::{BodyExt, Full, LengthLimitError, Limited};
use hyper::body::{Body, Bytes, Incoming};
use hyper::server::conn::http1;
use hyper::service::service_fn;
use hyper::{Request, Response};
use hyper_util::rt::{TokioIo, TokioTimer};
use tokio::net::{TcpListener, TcpStream};
use tokio::task::LocalSet;

use super::{HttpRequest, HttpResponse, Wire};
use crate::sim::world::World;

/// The largest request that is read. The largest that AWS takes of ECS is a task definition of 64 KiB; the rest is room
/// for people who try what happens.
const BODY_MAX: usize = 4 * 1024 * 1024;

/// How long a client may take over the head, and over the body, of one request. It is wall-clock time, and only keeps a
/// client that stops in mid-sentence from holding its connection for ever.
const PATIENCE: Duration = Duration::from_secs(30);

/// Port 0 takes any free one; the listener's `local_addr` tells which.
pub async fn bind(port: u16) -> io::Result<TcpListener> {
    TcpListener::bind(("127.0.0.1", port)).await
}

/// Answers requests until it is dropped, connections and all; it returns only where the listener fails.
///
/// `before_each` runs ahead of every request, to advance virtual time; `note` hears what the simulator does not model.
/// The runtime needs its time and I/O drivers enabled; `LocalSet` is brought along.
pub async fn serve(
    listener: TcpListener,
    world: Rc<RefCell<World>>,
    before_each: impl Fn(&mut World) + 'static,
    note: impl Fn(&str) + 'static,
) -> io::Result<()> {
    let answer = Rc::new(answering(world, before_each, note));
    let connections = LocalSet::new();
    connections
        .run_until(async {
            loop {
                match listener.accept().await {
                    Ok((stream, _)) => {
                        tokio::task::spawn_local(converse(stream, Rc::clone(&answer)));
                    }
                    Err(error) if is_the_clients(&error) => {}
                    Err(error) => return Err(error),
                }
            }
        })
        .await
}

/// One request at a time goes through the world: an answer is made without waiting for anything.
fn answering(
    world: Rc<RefCell<World>>,
    before_each: impl Fn(&mut World),
    note: impl Fn(&str),
) -> impl Fn(&HttpRequest) -> HttpResponse {
    let wire = RefCell::new(Wire::new());
    move |request| {
        let mut world = world.borrow_mut();
        before_each(&mut world);
        let response = wire.borrow_mut().handle(&mut world, request);
        drop(world);
        if let Some(line) = &response.note {
            note(line);
        }
        response
    }
}

/// A client that hung up before it was accepted says nothing about the listener.
fn is_the_clients(error: &io::Error) -> bool {
    matches!(
        error.kind(),
        io::ErrorKind::ConnectionAborted | io::ErrorKind::ConnectionReset | io::ErrorKind::Interrupted
    )
}

async fn converse(stream: TcpStream, answer: Rc<impl Fn(&HttpRequest) -> HttpResponse>) {
    let service = service_fn(|request| respond(request, answer.as_ref()));
    // What goes wrong on a connection (a reset, nonsense instead of HTTP) ends that connection and concerns nobody else.
    let _ = http1::Builder::new()
        .timer(TokioTimer::new())
        .header_read_timeout(PATIENCE)
        .serve_connection(TokioIo::new(stream), service)
        .await;
}

async fn respond(
    request: Request<Incoming>,
    answer: &impl Fn(&HttpRequest) -> HttpResponse,
) -> Result<Response<Full<Bytes>>, Infallible> {
    Ok(match read(request).await {
        Ok(request) => write(answer(&request)),
        Err(status) => empty(status),
    })
}

/// The whole request, or the status that refuses it.
#[expect(
    clippy::disallowed_methods,
    reason = "a guard against stalled clients, in wall-clock time; no virtual time hangs on it"
)]
async fn read(request: Request<Incoming>) -> Result<HttpRequest, u16> {
    let (head, body) = request.into_parts();
    // What is announced as too long need not be waited for.
    if body.size_hint().lower() > BODY_MAX as u64 {
        return Err(413);
    }
    let body = tokio::time::timeout(PATIENCE, Limited::new(body, BODY_MAX).collect())
        .await
        .map_err(|_| 408_u16)?
        .map_err(|error| if error.is::<LengthLimitError>() { 413_u16 } else { 400 })?;
    Ok(HttpRequest {
        method: head.method.to_string(),
        path: head.uri.to_string(),
        headers: head
            .headers
            .iter()
            .map(|(name, value)| (name.to_string(), String::from_utf8_lossy(value.as_bytes()).into_owned()))
            .collect(),
        body: body.to_bytes().to_vec(),
    })
}

fn write(answer: HttpResponse) -> Response<Full<Bytes>> {
    let mut builder = Response::builder()
        .status(answer.status)
        .header("content-type", answer.content_type);
    for (name, value) in answer.headers {
        builder = builder.header(name, value);
    }
    // Only a header with a line break in it could fail here, and the wire writes none.
    builder
        .body(Full::new(Bytes::from(answer.body)))
        .unwrap_or_else(|_| empty(500))
}

fn empty(status: u16) -> Response<Full<Bytes>> {
    let mut response = Response::new(Full::new(Bytes::new()));
    *response.status_mut() = hyper::StatusCode::from_u16(status).unwrap_or(hyper::StatusCode::INTERNAL_SERVER_ERROR);
    response
}
