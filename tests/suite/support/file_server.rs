//! Files on the loopback interface, for whoever downloads; it keeps what was asked for.

use std::collections::BTreeMap;
use std::io::{BufRead, BufReader, Write};
use std::net::{TcpListener, TcpStream};
use std::sync::{Arc, Mutex};
use std::thread;

pub struct FileServer {
    pub url: String,
    requests: Arc<Mutex<Vec<String>>>,
}

impl FileServer {
    /// Files by path; any other is a 404.
    pub fn serving(files: BTreeMap<String, Vec<u8>>) -> Self {
        Self::start(move |stream, path| {
            let (status, body) = match files.get(path) {
                Some(body) => ("200 OK", body.as_slice()),
                None => ("404 Not Found", b"".as_slice()),
            };
            let mut stream = stream;
            let length = body.len();
            let _ = write!(
                stream,
                "HTTP/1.1 {status}\r\ncontent-length: {length}\r\nconnection: close\r\n\r\n"
            );
            let _ = stream.write_all(body);
        })
    }

    /// Takes requests and answers none; `asked` hears of each.
    pub fn silent(asked: impl Fn() + Send + 'static) -> Self {
        let held = Mutex::new(Vec::new());
        Self::start(move |stream, _| {
            held.lock().expect("no poison").push(stream);
            asked();
        })
    }

    /// An address at which nobody listens.
    pub fn nobody() -> String {
        let listener = TcpListener::bind("127.0.0.1:0").expect("a free port");
        format!("http://{}", listener.local_addr().expect("an address"))
    }

    fn start(answer: impl Fn(TcpStream, &str) + Send + 'static) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").expect("a free port");
        let url = format!("http://{}", listener.local_addr().expect("an address"));
        let requests = Arc::new(Mutex::new(Vec::new()));
        let kept = Arc::clone(&requests);
        thread::spawn(move || {
            for stream in listener.incoming().flatten() {
                let Some(path) = read_path(&stream) else { continue };
                kept.lock().expect("no poison").push(path.clone());
                answer(stream, &path);
            }
        });
        Self { url, requests }
    }

    pub fn requests(&self) -> Vec<String> {
        self.requests.lock().expect("no poison").clone()
    }
}

fn read_path(stream: &TcpStream) -> Option<String> {
    let mut lines = BufReader::new(stream).lines().map_while(Result::ok);
    let first = lines.next()?;
    lines.find(String::is_empty)?;
    first.split(' ').nth(1).map(str::to_owned)
}
