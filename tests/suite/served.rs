//! A simulator behind a port, and how its HTTP server takes what no AWS client sends.

use std::cell::RefCell;
use std::io::{Read, Write};
use std::net::TcpStream;
use std::rc::Rc;
use std::sync::mpsc;
use std::time::Instant;

use portzero_sim::scenario::Scenario;
use portzero_sim::wire::server;
use portzero_sim::world::World;

use super::wire::SCENARIO;

/// Serves a world whose time runs `speed` times as fast as the wall's, until the test process ends. Gives its URL.
pub fn serve(scenario: &'static str, speed: u32) -> String {
    let (send, receive) = mpsc::channel();
    std::thread::spawn(move || {
        let runtime = tokio::runtime::Builder::new_current_thread()
            .enable_all()
            .build()
            .expect("a runtime");
        runtime.block_on(async move {
            let scenario = Scenario::read(scenario, "clients.yml").expect("a scenario");
            let world = World::new(&scenario).expect("a world");
            let (start, begun) = (world.now(), Instant::now());
            let listener = server::bind(0).await.expect("a port");
            let address = listener.local_addr().expect("an address");
            send.send(format!("http://{address}")).expect("the test waits");
            let tick = move |world: &mut World| world.advance(start + begun.elapsed() * speed);
            let note = |line: &str| eprintln!("{line}");
            server::serve(listener, Rc::new(RefCell::new(world)), tick, note).await
        })
    });
    receive.recv().expect("the server starts")
}

fn connect(url: &str) -> TcpStream {
    let stream = TcpStream::connect(url.trim_start_matches("http://")).expect("a connection");
    stream
        .set_read_timeout(Some(std::time::Duration::from_secs(20)))
        .expect("a limit");
    stream
}

/// Sends the bytes, and reads until the server closes the connection.
fn exchange(url: &str, sent: &[u8]) -> String {
    let mut stream = connect(url);
    stream.write_all(sent).expect("sent");
    let mut received = Vec::new();
    stream.read_to_end(&mut received).expect("an end");
    String::from_utf8_lossy(&received).into_owned()
}

fn list_clusters(connection: &str) -> String {
    format!(
        "POST / HTTP/1.1\r\nhost: localhost\r\nx-amz-target: AmazonEC2ContainerServiceV20141113.ListClusters\r\n\
         content-type: application/x-amz-json-1.1\r\ncontent-length: 2\r\nconnection: {connection}\r\n\r\n{{}}"
    )
}

#[test]
fn one_connection_carries_many_requests() {
    let url = serve(SCENARIO, 1);
    let received = exchange(&url, (list_clusters("keep-alive") + &list_clusters("close")).as_bytes());
    assert_eq!(received.matches("HTTP/1.1 200 OK").count(), 2, "{received}");
    assert_eq!(received.matches(r#"{"clusterArns":["#).count(), 2, "{received}");
    assert_eq!(received.matches("x-amzn-requestid: ").count(), 2, "{received}");
}

#[test]
fn nonsense_ends_its_own_connection_and_no_other() {
    let url = serve(SCENARIO, 1);
    let received = exchange(&url, b"\x16\x03\x01 this is no HTTP\r\n\r\n");
    assert!(!received.contains("200 OK"), "{received}");
    assert!(exchange(&url, list_clusters("close").as_bytes()).contains("200 OK"));
}

#[test]
fn a_body_beyond_the_limit_is_refused_before_it_is_sent() {
    let url = serve(SCENARIO, 1);
    let received = exchange(
        &url,
        b"POST / HTTP/1.1\r\nhost: localhost\r\ncontent-length: 4194305\r\n\r\n",
    );
    assert!(received.starts_with("HTTP/1.1 413 "), "{received}");
}
