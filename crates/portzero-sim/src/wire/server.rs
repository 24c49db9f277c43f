//! The wire behind a loopback port: HTTP/1.1 with keep-alive, on one thread.

use std::cell::RefCell;
use std::io;
use std::net::SocketAddr;
use std::pin::Pin;
use std::rc::Rc;
use std::task::{Context, Poll};
use std::time::Duration;

use http_body_util::{BodyExt, LengthLimitError, Limited};
use hyper::body::{Body, Bytes, Frame, Incoming, SizeHint};
use hyper::server::conn::http1;
use hyper::service::service_fn;
use hyper::{Request, Response};
use hyper_util::rt::{TokioIo, TokioTimer};
use tokio::net::{TcpListener, TcpStream};
use tokio::task::LocalSet;

use super::{Delivery, Exchange, HttpRequest, HttpResponse, TimeSource, Wire, control};
use crate::world::World;

/// The largest request that is read. The largest that AWS takes of ECS is a task definition of 64 KiB; the rest is room
/// for people who try what happens.
const BODY_MAX: usize = 4 * 1024 * 1024;

/// How long a client may take over the head, and over the body, of one request. It is wall-clock time, and only keeps a
/// client that stops in mid-sentence from holding its connection for ever.
const PATIENCE: Duration = Duration::from_secs(30);

/// How long a client waits for an answer where virtual time moves by itself. A client's time-out is a real one, and the
/// answer of a rehearsal never takes real time; so the server hangs up where the client would have.
const CLIENT_PATIENCE: Duration = Duration::from_secs(20);

/// How long the server waits where the process has no room for another connection.
const ROOM_AGAIN: Duration = Duration::from_millis(20);

/// Port 0 takes any free one; the listener's `local_addr` tells which.
pub async fn bind(port: u16) -> io::Result<TcpListener> {
    TcpListener::bind(("127.0.0.1", port)).await
}

/// Answers requests until it is dropped, connections and all; it returns only where the listener fails.
///
/// `time_source` brings the world up to the present ahead of every request, and may be told to go faster; a closure that
/// advances the world will do. `note` hears what the simulator does not model.
/// The runtime needs its time and I/O drivers enabled; `LocalSet` is brought along.
pub async fn serve(
    listener: TcpListener,
    world: Rc<RefCell<World>>,
    time_source: impl TimeSource + 'static,
    note: impl Fn(&str) + 'static,
) -> io::Result<()> {
    let endpoint = Rc::new(Endpoint {
        world,
        time_source,
        note,
        wire: RefCell::new(Wire::new()),
    });
    let connections = LocalSet::new();
    connections
        .run_until(async {
            loop {
                match listener.accept().await {
                    Ok((stream, peer)) => {
                        tokio::task::spawn_local(converse(stream, peer, Rc::clone(&endpoint)));
                    }
                    Err(error) if is_the_clients(&error) => {}
                    // Whoever waits is let in once another connection has ended.
                    Err(error) if is_full(&error) => wait(ROOM_AGAIN).await,
                    Err(error) => return Err(error),
                }
            }
        })
        .await
}

struct Endpoint<T, N> {
    world: Rc<RefCell<World>>,
    time_source: T,
    note: N,
    wire: RefCell<Wire>,
}

impl<T: TimeSource, N: Fn(&str)> Endpoint<T, N> {
    /// One request at a time goes through the world: an answer is made without waiting for anything.
    fn exchange(&self, request: &HttpRequest) -> Exchange {
        let mut world = self.world.borrow_mut();
        self.time_source.tick(&mut world);
        let exchange = self.wire.borrow_mut().exchange(&mut world, &self.time_source, request);
        drop(world);
        if let Some(line) = &exchange.response.note {
            (self.note)(line);
        }
        exchange
    }

    /// Lets the answer be late: in real time where there is such, else by moving the world.
    async fn delay(&self, mut exchange: Exchange) -> Exchange {
        match self.time_source.speed() {
            _ if exchange.late.is_zero() => {}
            Some(factor) => wait(exchange.late.div_f64(factor)).await,
            None => {
                let mut world = self.world.borrow_mut();
                let waits_until = self.time_source.client_waits_until();
                let left = waits_until.map(|until| until.since(world.now()));
                let patience = left.map_or(CLIENT_PATIENCE, |left| left.min(CLIENT_PATIENCE));
                if exchange.late >= patience {
                    exchange.delivery = Delivery::HangUp;
                }
                let to = world.now() + exchange.late.min(patience);
                world.advance(to);
            }
        }
        exchange
    }
}

#[expect(
    clippy::disallowed_methods,
    reason = "late answers of a world whose time is bound to the wall's, and a full table; no virtual time hangs on it"
)]
async fn wait(span: Duration) {
    tokio::time::sleep(span).await;
}

/// A client that hung up before it was accepted says nothing about the listener.
fn is_the_clients(error: &io::Error) -> bool {
    matches!(
        error.kind(),
        io::ErrorKind::ConnectionAborted | io::ErrorKind::ConnectionReset | io::ErrorKind::Interrupted
    )
}

/// EMFILE, ENFILE, and ENOBUFS of Linux, macOS and Windows (as WSAEMFILE and WSAENOBUFS): the standard library has no names for them.
const FULL: [i32; 6] = [24, 23, 105, 55, 10_024, 10_055];

/// The table of open files is full, of this process or of the machine, or the kernel has no memory for a connection.
fn is_full(error: &io::Error) -> bool {
    error.kind() == io::ErrorKind::OutOfMemory || error.raw_os_error().is_some_and(|code| FULL.contains(&code))
}

async fn converse<T: TimeSource, N: Fn(&str)>(stream: TcpStream, peer: SocketAddr, endpoint: Rc<Endpoint<T, N>>) {
    let is_local = peer.ip().is_loopback();
    let service = service_fn(|request| respond(request, is_local, &endpoint));
    // What goes wrong on a connection (a reset, nonsense instead of HTTP) ends that connection and concerns nobody else.
    let _ = http1::Builder::new()
        .timer(TokioTimer::new())
        .header_read_timeout(PATIENCE)
        .serve_connection(TokioIo::new(stream), service)
        .await;
}

/// Ends the connection without an answer: that is how hyper takes a service's error.
#[derive(Debug, thiserror::Error)]
#[error("the connection is closed without an answer, as a fault wants it")]
struct HungUp;

async fn respond<T: TimeSource, N: Fn(&str)>(
    request: Request<Incoming>,
    is_local: bool,
    endpoint: &Endpoint<T, N>,
) -> Result<Response<Piecewise>, HungUp> {
    let request = match read(request).await {
        Ok(request) => request,
        Err(status) => return Ok(empty(status)),
    };
    if !is_local && control::is_meant(&request) {
        return Ok(empty(403));
    }
    // A page in a browser on this machine reaches a loopback port as well as any client does.
    if is_local && let Some(refusal) = control::refuse_strangers(&request) {
        return Ok(write(refusal, false));
    }
    let exchange = endpoint.delay(endpoint.exchange(&request)).await;
    match exchange.delivery {
        Delivery::HangUp => Err(HungUp),
        Delivery::Whole => Ok(write(exchange.response, false)),
        Delivery::Half => Ok(write(exchange.response, true)),
    }
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

fn write(answer: HttpResponse, is_cut: bool) -> Response<Piecewise> {
    let mut builder = Response::builder()
        .status(answer.status)
        .header("content-type", answer.content_type);
    for (name, value) in answer.headers {
        builder = builder.header(name, value);
    }
    // Only a header with a line break in it could fail here, and the wire writes none.
    builder
        .body(Piecewise::new(answer.body, is_cut))
        .unwrap_or_else(|_| empty(500))
}

fn empty(status: u16) -> Response<Piecewise> {
    let mut response = Response::new(Piecewise::new(Vec::new(), false));
    *response.status_mut() = hyper::StatusCode::from_u16(status).unwrap_or(hyper::StatusCode::INTERNAL_SERVER_ERROR);
    response
}

/// A body of one piece, or the half of one: announced in full, and followed by the end of the connection.
struct Piecewise {
    left: Option<Bytes>,
    announced: u64,
    is_cut: bool,
    has_paused: bool,
}

impl Piecewise {
    fn new(body: Vec<u8>, is_cut: bool) -> Self {
        let announced = body.len() as u64;
        let mut left = Bytes::from(body);
        if is_cut {
            left.truncate(left.len() / 2);
        }
        Self {
            left: Some(left).filter(|left| !left.is_empty()),
            announced,
            is_cut,
            has_paused: false,
        }
    }
}

impl Body for Piecewise {
    type Data = Bytes;
    type Error = HungUp;

    fn poll_frame(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<Option<Result<Frame<Bytes>, HungUp>>> {
        match self.left.take() {
            Some(piece) => Poll::Ready(Some(Ok(Frame::data(piece)))),
            None if !self.is_cut => Poll::Ready(None),
            // What was written is sent only where the body pauses.
            None if !self.has_paused => {
                self.has_paused = true;
                context.waker().wake_by_ref();
                Poll::Pending
            }
            None => Poll::Ready(Some(Err(HungUp))),
        }
    }

    fn is_end_stream(&self) -> bool {
        self.left.is_none() && !self.is_cut
    }

    fn size_hint(&self) -> SizeHint {
        if self.is_cut {
            return SizeHint::with_exact(self.announced);
        }
        SizeHint::with_exact(self.left.as_ref().map_or(0, |left| left.len() as u64))
    }
}
