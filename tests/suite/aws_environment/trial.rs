//! One run of the program with settings of its own, and a server that says of each request how it came.

use std::collections::BTreeMap;
use std::io::{BufRead, BufReader, Read, Write};
use std::net::{TcpListener, TcpStream};
use std::sync::{Arc, Mutex};

use tempfile::TempDir;

use crate::support::program::{Said, Simulator, portzero, said};

/// What the server gives out under `/creds`, as a process would, and for a role.
pub const CREDENTIALS: &str = r#"{"Version":1,"AccessKeyId":"AKIDGIVEN","SecretAccessKey":"s","Token":"t","SessionToken":"t","Expiration":"2999-01-01T00:00:00Z","Code":"Success"}"#;

/// Everything that AWS is to these tests: it gives credentials, and denies all else.
pub struct Server {
    pub address: String,
    seen: Arc<Mutex<Vec<String>>>,
}

impl Server {
    pub fn start() -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").expect("a free port");
        let address = listener.local_addr().expect("an address").to_string();
        let seen = Arc::new(Mutex::new(Vec::new()));
        let kept = Arc::clone(&seen);
        std::thread::spawn(move || {
            for stream in listener.incoming().flatten() {
                let kept = Arc::clone(&kept);
                std::thread::spawn(move || serve(&stream, &kept));
            }
        });
        Self { address, seen }
    }

    pub fn seen(&self) -> String {
        self.seen.lock().expect("no poison").join("\n")
    }
}

fn serve(stream: &TcpStream, seen: &Mutex<Vec<String>>) {
    let mut reader = BufReader::new(stream);
    let mut head = String::new();
    while reader.read_line(&mut head).is_ok_and(|read| read > 2) {}
    let lower = head.to_ascii_lowercase();
    let length = lower.lines().find_map(|line| line.strip_prefix("content-length: "));
    let mut body = vec![0; length.and_then(|text| text.trim().parse().ok()).unwrap_or(0)];
    if reader.read_exact(&mut body).is_err() || head.is_empty() {
        return;
    }
    let request = format!("{head}{}", String::from_utf8_lossy(&body));
    seen.lock().expect("no poison").push(request.clone());
    let (status, answer) = answer(&request);
    let mut stream = stream;
    let _ = write!(
        stream,
        "HTTP/1.1 {status} Scripted\r\ncontent-length: {}\r\nx-aws-ec2-metadata-token-ttl-seconds: 600\r\nconnection: close\r\n\r\n{answer}",
        answer.len()
    );
}

fn answer(request: &str) -> (u16, String) {
    let line = request.lines().next().unwrap_or_default();
    if line.contains("/creds") || line.contains("/security-credentials/a-role") {
        return (200, CREDENTIALS.into());
    }
    if line.contains("/latest/api/token") {
        return (200, "a-token".into());
    }
    if line.contains("/security-credentials") {
        return (200, "a-role".into());
    }
    if line.contains("/placement/region") {
        return (200, "eu-west-1".into());
    }
    for action in ["AssumeRoleWithWebIdentity", "AssumeRole"] {
        if request.contains(&format!("Action={action}&")) {
            return (200, assumed(action));
        }
    }
    (400, r#"{"__type":"AccessDeniedException","message":"denied"}"#.into())
}

fn assumed(action: &str) -> String {
    format!(
        "<{action}Response><{action}Result><Credentials><AccessKeyId>AKIDGIVEN</AccessKeyId><SecretAccessKey>s\
         </SecretAccessKey><SessionToken>t</SessionToken><Expiration>2999-01-01T00:00:00Z</Expiration></Credentials>\
         <AssumedRoleUser><AssumedRoleId>x:y</AssumedRoleId><Arn>arn:aws:sts::111122223333:assumed-role/r/s</Arn>\
         </AssumedRoleUser></{action}Result></{action}Response>"
    )
}

/// One run of `portzero plan` with settings of its own.
pub struct Trial {
    pub folder: TempDir,
    pub server: Server,
    pub variables: BTreeMap<String, String>,
}

impl Trial {
    /// Region, keys and address by variables, as in CI.
    pub fn new() -> Self {
        let server = Server::start();
        let variables = [
            ("AWS_REGION", "eu-west-1".to_owned()),
            ("AWS_ACCESS_KEY_ID", "AKIDVARIABLE".to_owned()),
            ("AWS_SECRET_ACCESS_KEY", "s".to_owned()),
            ("AWS_ENDPOINT_URL", format!("http://{}", server.address)),
        ];
        Self {
            folder: tempfile::tempdir().expect("a folder"),
            server,
            variables: variables.map(|(name, value)| (name.to_owned(), value)).into(),
        }
    }

    /// Region and address by variables, and credentials by what follows.
    pub fn keyless() -> Self {
        Self::new()
            .without("AWS_ACCESS_KEY_ID")
            .without("AWS_SECRET_ACCESS_KEY")
    }

    /// `SERVER` in the value is the server's address, `HOME` the folder.
    pub fn with(mut self, name: &str, value: &str) -> Self {
        let value = self.filled(value);
        self.variables.insert(name.into(), value);
        self
    }

    pub fn without(mut self, name: &str) -> Self {
        self.variables.remove(name);
        self
    }

    pub fn file(self, name: &str, text: &str) -> Self {
        let path = self.folder.path().join(name);
        std::fs::create_dir_all(path.parent().expect("a folder")).expect("a folder");
        std::fs::write(path, self.filled(text)).expect("a file");
        self
    }

    /// A profile in `~/.aws/config`, which `AWS_PROFILE` names.
    pub fn profile(self, text: &str) -> Self {
        let text = format!("[profile mine]\n{text}\n");
        self.file(".aws/config", &text).with("AWS_PROFILE", "mine")
    }

    pub fn filled(&self, text: &str) -> String {
        text.replace("SERVER", &self.server.address)
            .replace("HOME", &self.folder.path().display().to_string())
    }

    pub fn said(&self) -> Said {
        let mut command = portzero(self.folder.path());
        said(
            command
                .args("plan --cluster c --service w".split(' '))
                .envs(&self.variables),
        )
    }

    /// What the server has seen of the run.
    #[track_caller]
    pub fn sees(&self, words: &[&str]) {
        let said = self.said();
        let seen = self.server.seen();
        for words in words {
            assert!(seen.contains(words), "`{words}` is missing in\n{seen}\n{said:#?}");
        }
    }

    /// The same requests as without the setting.
    #[track_caller]
    pub fn changes_nothing(&self) {
        let said = self.said();
        let seen = self.server.seen();
        assert!(
            seen.contains("/eu-west-1/ecs/") && said.stderr.contains("denied"),
            "{seen}\n{said:#?}"
        );
        let trace = ["Credential=AKIDVARIABLE", "Credential=AKIDFILE"];
        assert!(trace.iter().any(|key| seen.contains(key)), "{seen}");
        assert!(seen.contains("portzero-"), "{seen}");
    }

    #[track_caller]
    pub fn refused(&self, words: &[&str]) {
        let said = self.said();
        assert_eq!(said.code, Some(2), "{said:#?}");
        for words in words {
            assert!(said.stderr.contains(words), "`{words}` is missing: {said:#?}");
        }
        assert_eq!(said.stderr.matches("hint: ").count(), 1, "one next step: {said:#?}");
        assert_eq!(self.server.seen(), "", "nothing was asked");
    }
}

/// Through a proxy, the real addresses can be seen without being called.
pub fn proxied() -> Trial {
    Trial::new()
        .without("AWS_ENDPOINT_URL")
        .with("HTTPS_PROXY", "http://SERVER")
}

/// Two addresses for one plan: the simulator answers for ECS, and the server hears what is asked of another service.
pub fn beside_the_simulator(settings: impl Fn(Trial, &str) -> Trial) -> Trial {
    let simulator = Simulator::at_speed("1x");
    let trial = settings(Trial::new().without("AWS_ENDPOINT_URL"), simulator.endpoint());
    let mut command = portzero(trial.folder.path());
    let words = "status --cluster demo --service web";
    let said = said(command.args(words.split(' ')).envs(&trial.variables));
    assert!(!trial.server.seen().is_empty(), "{said:#?}");
    trial
}
