//! Stands between the program and a server, passes on what is said, and misbehaves at one operation.

use std::io::{Read, Write};
use std::net::{TcpListener, TcpStream};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::sync::mpsc;
use std::time::Duration;

/// What comes in place of an answer.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Mode {
    /// Nothing, and the connection stays open.
    Silent,
    /// A byte now and then, without an end.
    Drips,
    /// As many bytes as are taken, without an end.
    Floods,
    /// A list whose token is always the same one.
    SameToken,
    /// A list whose token is always another one.
    NewTokens,
    /// The connection is closed.
    Closes,
    /// It is closed within the head.
    HalfAHead,
    /// It is closed within the body.
    HalfABody,
    /// The announced length is that of a part.
    TooShort,
    /// A success without a word.
    Empty,
    /// It does not speak HTTP.
    NoHttp,
}

/// From when on it misbehaves.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Since {
    Start,
    /// The service has been updated.
    Update,
}

#[derive(Debug)]
pub struct StandIn {
    pub url: String,
    pub has_updated: Arc<AtomicBool>,
}

#[derive(Clone, Copy, Debug)]
pub struct Strike {
    /// The name of one of AWS's, or nothing for whatever is no operation of AWS.
    pub operation: &'static str,
    pub mode: Mode,
    pub since: Since,
}

/// `None`: it passes on everything.
pub fn between(upstream: &str, strike: Option<Strike>) -> StandIn {
    let listener = TcpListener::bind("127.0.0.1:0").expect("a port");
    let url = format!("http://{}", listener.local_addr().expect("an address"));
    let upstream = upstream.trim_start_matches("http://").to_owned();
    let has_updated = Arc::new(AtomicBool::new(false));
    let updated = Arc::clone(&has_updated);
    std::thread::spawn(move || {
        for stream in listener.incoming().map_while(Result::ok) {
            let (upstream, updated) = (upstream.clone(), Arc::clone(&updated));
            // A connection that breaks is the program's business.
            std::thread::spawn(move || {
                let _ = converse(stream, &upstream, strike, &updated);
            });
        }
    });
    StandIn { url, has_updated }
}

fn converse(
    mut client: TcpStream,
    upstream: &str,
    strike: Option<Strike>,
    updated: &AtomicBool,
) -> std::io::Result<()> {
    let (head, body) = request(&mut client)?;
    let operation = operation(&head, &body);
    let is_on = |strike: &Strike| strike.since == Since::Start || updated.load(Ordering::SeqCst);
    let strike = strike.filter(|strike| strike.operation == operation && is_on(strike));
    // What changes something is done, and only its answer is lost.
    let is_read = operation.is_empty() || operation.starts_with("Describe") || operation.starts_with("List");
    let mut answer = Vec::new();
    if strike.is_none() || !is_read {
        let mut server = TcpStream::connect(upstream)?;
        let closing = head.replacen("\r\n", "\r\nconnection: close\r\n", 1);
        server.write_all(closing.as_bytes())?;
        server.write_all(&body)?;
        server.read_to_end(&mut answer)?;
    }
    match strike {
        Some(strike) => misbehave(&mut client, strike.mode)?,
        None => client.write_all(&answer)?,
    }
    if operation == "UpdateService" {
        updated.store(true, Ordering::SeqCst);
    }
    Ok(())
}

fn request(client: &mut TcpStream) -> std::io::Result<(String, Vec<u8>)> {
    let (mut bytes, mut piece) = (Vec::new(), [0; 4096]);
    loop {
        let end = bytes.windows(4).position(|four| four == b"\r\n\r\n").map(|at| at + 4);
        if let Some(end) = end {
            let head = String::from_utf8_lossy(&bytes[..end]).into_owned();
            let length = head
                .lines()
                .filter_map(|line| line.split_once(':'))
                .find(|(name, _)| name.eq_ignore_ascii_case("content-length"))
                .and_then(|(_, length)| length.trim().parse().ok())
                .unwrap_or(0);
            if bytes.len() >= end + length {
                return Ok((head, bytes[end..end + length].to_vec()));
            }
        }
        match client.read(&mut piece)? {
            0 => return Err(std::io::ErrorKind::UnexpectedEof.into()),
            size => bytes.extend_from_slice(&piece[..size]),
        }
    }
}

fn operation(head: &str, body: &[u8]) -> String {
    let target = head
        .lines()
        .find(|line| line.to_ascii_lowercase().starts_with("x-amz-target:"));
    if let Some((_, name)) = target.and_then(|line| line.rsplit_once('.')) {
        return name.trim().to_owned();
    }
    let form = String::from_utf8_lossy(body);
    let action = form.split('&').find_map(|pair| pair.strip_prefix("Action="));
    action.unwrap_or_default().to_owned()
}

const CHUNKED: &[u8] =
    b"HTTP/1.1 200 OK\r\ncontent-type: application/x-amz-json-1.1\r\ntransfer-encoding: chunked\r\n\r\n";

fn misbehave(client: &mut TcpStream, mode: Mode) -> std::io::Result<()> {
    static PAGES: AtomicU64 = AtomicU64::new(0);
    let list = |token: &str| {
        let body = format!(
            r#"{{"taskArns":[],"containerInstanceArns":[],"taskDefinitionArns":[],"serviceArns":[],"nextToken":"{token}"}}"#
        );
        announced(body.len(), &body)
    };
    match mode {
        Mode::Silent => {
            // Until the program hangs up.
            client.read_to_end(&mut Vec::new())?;
        }
        Mode::Drips => {
            client.write_all(CHUNKED)?;
            let (_open, never) = mpsc::channel::<()>();
            loop {
                client.write_all(b"1\r\n \r\n")?;
                let _ = never.recv_timeout(Duration::from_millis(100));
            }
        }
        Mode::Floods => {
            client.write_all(CHUNKED)?;
            let chunk = [b"10000\r\n".as_slice(), &[b' '; 0x10000], b"\r\n"].concat();
            loop {
                client.write_all(&chunk)?;
            }
        }
        Mode::SameToken => client.write_all(list("again").as_bytes())?,
        Mode::NewTokens => {
            let page = PAGES.fetch_add(1, Ordering::SeqCst);
            client.write_all(list(&page.to_string()).as_bytes())?;
        }
        Mode::Closes => {}
        Mode::HalfAHead => client.write_all(b"HTTP/1.1 200 OK\r\ncontent-ty")?,
        Mode::HalfABody => client.write_all(announced(1000, "{\"services\": [").as_bytes())?,
        Mode::TooShort => client.write_all(announced(5, "{\"services\": []}").as_bytes())?,
        Mode::Empty => client.write_all(announced(0, "").as_bytes())?,
        Mode::NoHttp => client.write_all(b"SSH-2.0-OpenSSH_9.9\r\n")?,
    }
    Ok(())
}

fn announced(length: usize, body: &str) -> String {
    format!(
        "HTTP/1.1 200 OK\r\ncontent-type: application/x-amz-json-1.1\r\nconnection: close\r\ncontent-length: \
         {length}\r\n\r\n{body}"
    )
}
