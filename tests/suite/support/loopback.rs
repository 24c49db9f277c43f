//! A server on the loopback interface that gives scripted answers, one per connection, and keeps the requests.

use std::collections::VecDeque;
use std::io::{BufRead, BufReader, Read, Write};
use std::net::{TcpListener, TcpStream};
use std::sync::{Arc, Mutex};
use std::thread;

#[derive(Clone, Debug)]
pub enum Answer {
    Http {
        status: u16,
        content_type: &'static str,
        body: String,
    },
    /// An answer that says when it was given: so much later than this machine's clock has it (or earlier).
    Dated { ahead_s: i64, answer: Box<Answer> },
    /// Announces more than it sends.
    Truncated { body: String },
    /// Hangs up after the request.
    Reset,
}

impl Answer {
    pub fn json(body: impl Into<String>) -> Self {
        Self::error(200, body)
    }

    pub fn error(status: u16, body: impl Into<String>) -> Self {
        Self::Http {
            status,
            content_type: "application/x-amz-json-1.1",
            body: body.into(),
        }
    }

    pub fn xml(body: impl Into<String>) -> Self {
        Self::xml_error(200, body)
    }

    pub fn xml_error(status: u16, body: impl Into<String>) -> Self {
        Self::Http {
            status,
            content_type: "text/xml",
            body: body.into(),
        }
    }
}

#[derive(Clone, Debug)]
pub struct Request {
    /// `POST /path?query HTTP/1.1`.
    pub line: String,
    headers: Vec<(String, String)>,
    pub body: String,
}

impl Request {
    pub fn header(&self, name: &str) -> &str {
        self.headers
            .iter()
            .find(|(n, _)| n.eq_ignore_ascii_case(name))
            .map_or("", |(_, value)| value)
    }
}

pub struct Loopback {
    pub url: String,
    requests: Arc<Mutex<Vec<Request>>>,
}

impl Loopback {
    /// Answers in the order given; whoever asks more often is hung up on.
    pub fn answering(answers: impl IntoIterator<Item = Answer>) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").expect("a free port");
        let url = format!("http://{}", listener.local_addr().expect("an address"));
        let requests = Arc::new(Mutex::new(Vec::new()));
        let kept = Arc::clone(&requests);
        let mut answers: VecDeque<Answer> = answers.into_iter().collect();
        thread::spawn(move || {
            for stream in listener.incoming().flatten() {
                let Some(request) = read_request(&stream) else { continue };
                kept.lock().expect("no poison").push(request);
                give(stream, answers.pop_front().unwrap_or(Answer::Reset));
            }
        });
        Self { url, requests }
    }

    pub fn requests(&self) -> Vec<Request> {
        self.requests.lock().expect("no poison").clone()
    }
}

fn read_request(stream: &TcpStream) -> Option<Request> {
    let mut reader = BufReader::new(stream);
    let mut headers = Vec::new();
    let mut first = String::new();
    reader.read_line(&mut first).ok()?;
    loop {
        let mut line = String::new();
        reader.read_line(&mut line).ok()?;
        match line.trim_end().split_once(':') {
            Some((name, value)) => headers.push((name.to_owned(), value.trim().to_owned())),
            None => break,
        }
    }
    let mut request = Request {
        line: first.trim_end().to_owned(),
        headers,
        body: String::new(),
    };
    let length = match request.header("content-length") {
        "" => 0,
        length => length.parse().ok()?,
    };
    let mut body = vec![0; length];
    reader.read_exact(&mut body).ok()?;
    request.body = String::from_utf8(body).ok()?;
    Some(request)
}

/// The client may be gone; that is its business.
fn give(mut stream: TcpStream, answer: Answer) {
    let (date, answer) = match answer {
        Answer::Dated { ahead_s, answer } => (format!("date: {}\r\n", http_date(ahead_s)), *answer),
        answer => (String::new(), answer),
    };
    let (status, content_type, length, body) = match answer {
        Answer::Http {
            status,
            content_type,
            body,
        } => (status, content_type, body.len(), body),
        Answer::Truncated { body } => (200, "application/x-amz-json-1.1", body.len() + 100, body),
        Answer::Reset | Answer::Dated { .. } => return,
    };
    let _ = write!(
        stream,
        "HTTP/1.1 {status} Scripted\r\ncontent-type: {content_type}\r\ncontent-length: {length}\r\n\
         x-amzn-requestid: req-1\r\n{date}connection: close\r\n\r\n{body}"
    );
}

/// The time in the form of a `Date` header.
fn http_date(ahead_s: i64) -> String {
    let at = jiff::Timestamp::now() + jiff::SignedDuration::from_secs(ahead_s);
    at.strftime("%a, %d %b %Y %H:%M:%S GMT").to_string()
}
