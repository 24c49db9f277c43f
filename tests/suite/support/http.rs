//! One HTTP request over a socket of its own, byte for byte, with what came back of it.

use std::io::{Read, Write};
use std::net::TcpStream;
use std::time::Duration;

use serde_json::Value;

#[derive(Clone, Debug)]
pub struct Answer {
    pub status: u16,
    pub head: String,
    pub body: Vec<u8>,
}

impl Answer {
    pub fn json(&self) -> Value {
        serde_json::from_slice(&self.body).unwrap_or_else(|error| panic!("{error}: {self:?}"))
    }

    pub fn text(&self) -> String {
        String::from_utf8_lossy(&self.body).into_owned()
    }

    /// The length that was announced.
    pub fn announced(&self) -> usize {
        let head = self.head.to_ascii_lowercase();
        let line = head.lines().find_map(|line| line.strip_prefix("content-length: "));
        line.expect("a length").trim().parse().expect("a number")
    }
}

/// `None` where the server hangs up without an answer. The host header is the address unless another is given.
pub fn ask(url: &str, method: &str, path: &str, headers: &[(&str, &str)], body: &str) -> Option<Answer> {
    let address = url.trim_start_matches("http://");
    let mut stream = TcpStream::connect(address).expect("a connection");
    stream.set_read_timeout(Some(Duration::from_secs(20))).expect("a limit");
    let mut request = format!(
        "{method} {path} HTTP/1.1\r\nconnection: close\r\ncontent-length: {}\r\n",
        body.len()
    );
    if !headers.iter().any(|(name, _)| name.eq_ignore_ascii_case("host")) {
        request += &format!("host: {address}\r\n");
    }
    for (name, value) in headers {
        request += &format!("{name}: {value}\r\n");
    }
    stream
        .write_all(format!("{request}\r\n{body}").as_bytes())
        .expect("sent");
    let mut received = Vec::new();
    // A connection that is reset has said all that it will say.
    let _ = stream.read_to_end(&mut received);
    let end = received.windows(4).position(|bytes| bytes == b"\r\n\r\n")?;
    let head = String::from_utf8_lossy(&received[..end]).into_owned();
    let status = head
        .split(' ')
        .nth(1)
        .and_then(|code| code.parse().ok())
        .expect("a status");
    Some(Answer {
        status,
        head,
        body: received[end + 4..].to_vec(),
    })
}

/// One call of ECS.
pub fn ecs(url: &str, operation: &str, body: &str) -> Option<Answer> {
    let target = format!("AmazonEC2ContainerServiceV20141113.{operation}");
    let headers = [
        ("x-amz-target", target.as_str()),
        ("content-type", "application/x-amz-json-1.1"),
    ];
    ask(url, "POST", "/", &headers, body)
}

/// One call of Elastic Load Balancing, version 2.
pub fn elb(url: &str, action: &str) -> Option<Answer> {
    let body = format!("Action={action}&Version=2015-12-01");
    ask(
        url,
        "POST",
        "/",
        &[("content-type", "application/x-www-form-urlencoded")],
        &body,
    )
}

/// One of the simulator's own routes; the answer must be a good one.
pub fn control(url: &str, method: &str, route: &str, body: &str) -> Value {
    let answer = ask(url, method, &format!("/_portzero/{route}"), &[], body).expect("an answer");
    assert!(answer.status < 300, "{method} {route}: {}", answer.text());
    answer.json()
}
