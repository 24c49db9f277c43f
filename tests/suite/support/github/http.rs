//! The wire: one request per connection.

use std::io::{BufRead, BufReader, Read, Write};
use std::net::TcpStream;
use std::sync::Mutex;

use serde_json::{Value, json};

use super::TOKEN;
use super::world::{Route, World};

/// A request as it came in.
#[derive(Clone, Debug)]
pub struct Recorded {
    pub method: String,
    /// With the query.
    pub path: String,
    pub headers: Vec<(String, String)>,
    pub body: String,
    /// `None` where GitHub has no such route.
    pub route: Option<Route>,
}

impl Recorded {
    pub fn header(&self, name: &str) -> Vec<&str> {
        let named = |(n, _): &&(String, String)| n.eq_ignore_ascii_case(name);
        self.headers
            .iter()
            .filter(named)
            .map(|(_, value)| value.as_str())
            .collect()
    }

    pub fn json(&self) -> Value {
        serde_json::from_str(&self.body).unwrap_or(Value::Null)
    }
}

#[derive(Clone, Debug)]
pub struct Response {
    pub status: u16,
    pub headers: Vec<(&'static str, String)>,
    pub body: String,
}

impl Response {
    pub fn json(status: u16, body: &Value) -> Self {
        Self {
            status,
            headers: vec![("content-type", "application/json; charset=utf-8".to_owned())],
            body: body.to_string(),
        }
    }

    pub fn message(status: u16, message: &str) -> Self {
        let body = json!({"message": message, "documentation_url": "https://docs.github.com/rest", "status": status.to_string()});
        Self::json(status, &body)
    }
}

/// What the client gets.
pub enum Answer {
    Response(Response),
    HangUp,
    Silence,
}

/// How a request goes wrong.
#[derive(Clone, Debug)]
pub struct Fault {
    /// `None` hangs up.
    pub response: Option<Response>,
    /// Before it hangs up, it waits for the client to do so.
    pub is_silent: bool,
    /// Whether what was asked for is done all the same.
    pub takes_effect: bool,
}

impl Fault {
    pub fn answer(status: u16, message: &str) -> Self {
        Self::with(Response::message(status, message))
    }

    /// The answer to a token without the permission.
    pub fn integration() -> Self {
        Self::answer(403, "Resource not accessible by integration")
    }

    pub fn html(status: u16) -> Self {
        let mut response = Response::message(status, "");
        response.headers = vec![("content-type", "text/html".to_owned())];
        response.body =
            "<html><title>Unicorn!</title><body>This page is taking too long to load.</body></html>".to_owned();
        Self::with(response)
    }

    pub fn hang_up() -> Self {
        Self {
            response: None,
            is_silent: false,
            takes_effect: false,
        }
    }

    pub fn silence() -> Self {
        Self {
            is_silent: true,
            ..Self::hang_up()
        }
    }

    pub fn redirect(to: &str) -> Self {
        let mut response = Response::message(302, "Found");
        response.headers.push(("location", to.to_owned()));
        Self::with(response)
    }

    pub fn limited(retry_after_seconds: u64) -> Self {
        let mut response = Response::message(403, "You have exceeded a secondary rate limit.");
        response.headers.push(("retry-after", retry_after_seconds.to_string()));
        Self::with(response)
    }

    /// The same, but after what was asked for was done.
    pub fn after(mut self) -> Self {
        self.takes_effect = true;
        self
    }

    pub fn with(response: Response) -> Self {
        Self {
            response: Some(response),
            is_silent: false,
            takes_effect: false,
        }
    }
}

pub fn serve(stream: &TcpStream, world: &Mutex<World>) {
    let Some(mut request) = read(stream) else { return };
    let mut world = world.lock().expect("no poison");
    request.route = Route::of(&request.method, &request.path);
    world.requests.push(request.clone());
    let answer = match request.route {
        None => Answer::Response(Response::message(404, "Not Found")),
        Some(_) if request.header("authorization") != [format!("Bearer {TOKEN}")] => {
            Answer::Response(Response::message(401, "Bad credentials"))
        }
        Some(route) => world.answer(route, &request),
    };
    drop(world);
    match answer {
        Answer::Response(response) => write(stream, &response),
        Answer::HangUp => {}
        // The client hangs up when its patience ends.
        Answer::Silence => drop({ stream }.read(&mut [0])),
    }
}

fn read(stream: &TcpStream) -> Option<Recorded> {
    let mut reader = BufReader::new(stream);
    let mut line = String::new();
    reader.read_line(&mut line).ok()?;
    let mut words = line.split_whitespace();
    let (method, path) = (words.next()?.to_owned(), words.next()?.to_owned());
    let mut headers = Vec::new();
    loop {
        let mut line = String::new();
        reader.read_line(&mut line).ok()?;
        match line.trim_end().split_once(':') {
            Some((name, value)) => headers.push((name.to_owned(), value.trim().to_owned())),
            None => break,
        }
    }
    let mut request = Recorded {
        method,
        path,
        headers,
        body: String::new(),
        route: None,
    };
    if request.header("transfer-encoding").contains(&"chunked") {
        request.body = read_chunks(&mut reader)?;
    } else if let Some(length) = request.header("content-length").first() {
        let mut body = vec![0; length.parse().ok()?];
        reader.read_exact(&mut body).ok()?;
        request.body = String::from_utf8(body).ok()?;
    }
    Some(request)
}

fn read_chunks(reader: &mut impl BufRead) -> Option<String> {
    let mut body = Vec::new();
    loop {
        let mut size = String::new();
        reader.read_line(&mut size).ok()?;
        let size = usize::from_str_radix(size.trim(), 16).ok()?;
        let mut chunk = vec![0; size + 2];
        reader.read_exact(&mut chunk).ok()?;
        if size == 0 {
            return String::from_utf8(body).ok();
        }
        body.extend_from_slice(&chunk[..size]);
    }
}

/// The client may be gone; that is its business.
fn write(mut stream: &TcpStream, response: &Response) {
    let mut head = format!("HTTP/1.1 {} Stand-in\r\nconnection: close\r\n", response.status);
    for (name, value) in &response.headers {
        head.push_str(&format!("{name}: {value}\r\n"));
    }
    // A 204 has no body, and must not announce one.
    if response.status != 204 {
        head.push_str(&format!("content-length: {}\r\n", response.body.len()));
    }
    let _ = write!(stream, "{head}\r\n{}", response.body);
}
