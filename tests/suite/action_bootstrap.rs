//! How the action comes to its program: only what the table of its own commit vouches for is run, and everything else is
//! one error that says what to do.

use std::collections::BTreeMap;
use std::fs;
use std::os::unix::fs::PermissionsExt;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::sync::mpsc::channel;
use std::time::Duration;

use tempfile::TempDir;

use crate::support::file_server::FileServer;
use crate::support::runner::{Composite, Ended, Job};

const TRIPLES: [(&str, &str, &str); 5] = [
    ("Linux", "X64", "x86_64-unknown-linux-musl"),
    ("Linux", "ARM64", "aarch64-unknown-linux-musl"),
    ("macOS", "X64", "x86_64-apple-darwin"),
    ("macOS", "ARM64", "aarch64-apple-darwin"),
    ("Windows", "X64", "x86_64-pc-windows-msvc"),
];
const VERSION: &str = "1.2.3";
/// Stands in for portzero: says that it runs, as what, and with which inputs.
const PROGRAM: &str = "#!/bin/sh\necho \"ran $0 $* [$PORTZERO_CLUSTER]\"\n";

/// The action as a release would have it, with a server that has its archives.
struct Release {
    folder: TempDir,
    files: BTreeMap<String, Vec<u8>>,
}

impl Release {
    fn new() -> Self {
        let folder = tempfile::tempdir().expect("a folder");
        let ours = Path::new(env!("CARGO_MANIFEST_DIR"));
        fs::create_dir(folder.path().join("action")).expect("a folder");
        for name in ["action.yml", "action/bootstrap.sh"] {
            fs::copy(ours.join(name), folder.path().join(name)).expect("a copy");
        }
        let mut release = Self {
            folder,
            files: BTreeMap::new(),
        };
        release.write("version", VERSION);
        let mut table = "# hash  file\n".to_owned();
        for (_, _, triple) in TRIPLES {
            table.push_str(&release.add(triple));
        }
        release.write("checksums.txt", &table);
        release
    }

    fn write(&self, name: &str, text: &str) {
        fs::write(self.folder.path().join("action").join(name), text).expect("a file");
    }

    /// Changes the table.
    fn edit(&self, change: impl Fn(&str) -> String) {
        let table = fs::read_to_string(self.folder.path().join("action/checksums.txt")).expect("a table");
        self.write("checksums.txt", &change(&table));
    }

    /// Makes an archive, and gives its lines for the table.
    fn add(&mut self, triple: &str) -> String {
        let folder = tempfile::tempdir().expect("a folder");
        let name = format!("portzero-{VERSION}-{triple}");
        let program = if triple.contains("windows") {
            "portzero.exe"
        } else {
            "portzero"
        };
        fs::write(folder.path().join(program), format!("{PROGRAM}# {triple}\n")).expect("a file");
        let archive = folder.path().join(format!("{name}.tar.gz"));
        let tar = Command::new("tar")
            .current_dir(&folder)
            .arg("-czf")
            .args([&archive, Path::new(program)])
            .status();
        assert!(tar.expect("tar runs").success());
        let lines = format!(
            "{}  {name}.tar.gz\n{}  {name}/{program}\n",
            sha256(&archive),
            sha256(&folder.path().join(program))
        );
        let bytes = fs::read(&archive).expect("an archive");
        self.files.insert(format!("/v{VERSION}/{name}.tar.gz"), bytes);
        lines
    }

    fn action(&self) -> Composite {
        Composite::read(self.folder.path())
    }

    fn serve(&self) -> FileServer {
        FileServer::serving(self.files.clone())
    }
}

fn sha256(path: &Path) -> String {
    let (program, first) = if cfg!(target_os = "macos") {
        ("shasum", "-a256")
    } else {
        ("sha256sum", "--")
    };
    let output = Command::new(program).arg(first).arg(path).output().expect("a hash");
    assert!(output.status.success());
    String::from_utf8(output.stdout)
        .expect("text")
        .split(' ')
        .next()
        .expect("a hash")
        .to_owned()
}

fn job(url: &str) -> Job {
    on(Job::default(), "Linux", "X64").with("download-base-url", url)
}

fn on(job: Job, os: &str, arch: &str) -> Job {
    job.variable("RUNNER_OS", os).variable("RUNNER_ARCH", arch)
}

/// Where the program is kept on this runner.
fn kept(job: &Job) -> PathBuf {
    job.path("tools")
        .join("portzero")
        .join(VERSION)
        .join("x86_64-unknown-linux-musl")
}

/// One error with these words, exit code 2, and nothing was run.
fn assert_refused(ended: &Ended, words: &[&str]) {
    assert_eq!(ended.said.code, Some(2), "{ended:#?}");
    assert!(!ended.said.stdout.contains("ran "), "{ended:#?}");
    assert!(ended.outputs.is_empty() && ended.summary.is_empty(), "{ended:#?}");
    let error = ended.error();
    for words in words.iter().chain(&["nothing was deployed"]) {
        assert!(error.contains(words), "`{words}` is missing: {error}");
    }
}

fn assert_ran(ended: &Ended) {
    assert_eq!(ended.said.code, Some(0), "{ended:#?}");
    assert!(ended.said.stdout.starts_with("ran "), "{ended:#?}");
    assert!(ended.said.stdout.contains(" action ["), "{ended:#?}");
}

#[test]
fn the_program_is_fetched_once_and_kept_for_later_steps() {
    let release = Release::new();
    let server = release.serve();
    let job = job(&server.url).with("cluster", "shop");
    for _ in 0..2 {
        let ended = job.run(&release.action());
        assert_ran(&ended);
        assert!(ended.said.stdout.contains("[shop]"), "{ended:#?}");
        assert!(ended.annotations.is_empty(), "{ended:#?}");
    }
    let archive = "/v1.2.3/portzero-1.2.3-x86_64-unknown-linux-musl.tar.gz";
    assert_eq!(server.requests(), [archive], "the second step has it already");
    let names: Vec<_> = fs::read_dir(kept(&job))
        .expect("a cache")
        .map(|e| e.expect("an entry").file_name())
        .collect();
    assert_eq!(names, ["portzero"], "nothing else is left there");
}

#[test]
fn every_platform_gets_its_own_program() {
    let release = Release::new();
    let server = release.serve();
    for (os, arch, triple) in TRIPLES {
        let job = on(Job::default(), os, arch).with("download-base-url", &format!("{}/", server.url));
        let ended = job.run(&release.action());
        assert_ran(&ended);
        assert!(ended.said.stdout.contains(triple), "{ended:#?}");
    }
    assert_eq!(server.requests().len(), TRIPLES.len());
}

#[test]
fn a_runner_that_does_not_say_its_platform_is_asked_itself() {
    let release = Release::new();
    let server = release.serve();
    let ended = Job::default()
        .with("download-base-url", &server.url)
        .run(&release.action());
    assert_ran(&ended);
    let arch = std::env::consts::ARCH;
    assert!(ended.said.stdout.contains(arch), "{ended:#?}");
}

#[test]
fn a_platform_without_a_release_is_refused() {
    let release = Release::new();
    let server = release.serve();
    for (os, arch) in [
        ("Linux", "ARM"),
        ("Linux", "X86"),
        ("Windows", "ARM64"),
        ("FreeBSD", "X64"),
    ] {
        let job = on(Job::default(), os, arch).with("download-base-url", &server.url);
        let said = format!("portzero is not released for {os} on {arch}");
        assert_refused(&job.run(&release.action()), &[&said, "`binary`"]);
    }
    assert_eq!(server.requests(), [""; 0]);
}

#[test]
fn an_archive_that_is_not_the_released_one_is_not_unpacked() {
    let mut release = Release::new();
    for bytes in release.files.values_mut() {
        bytes.push(0);
    }
    let server = release.serve();
    let job = job(&server.url);
    let ended = job.run(&release.action());
    assert_refused(
        &ended,
        &["musl.tar.gz is not what was released", "SHA-256", "Do not run it"],
    );
    assert_eq!(fs::read_dir(kept(&job)).expect("a cache").count(), 0, "nothing is kept");
}

#[test]
fn a_program_that_is_not_the_released_one_is_not_run_though_its_archive_is() {
    let release = Release::new();
    let other = "0".repeat(64);
    release.edit(|table| {
        let replaced = |line: &str| {
            let (_, file) = line.split_once("  ").expect("two columns");
            if file.ends_with("/portzero") {
                format!("{other}  {file}\n")
            } else {
                format!("{line}\n")
            }
        };
        table.lines().map(replaced).collect()
    });
    let server = release.serve();
    let job = job(&server.url);
    assert_refused(&job.run(&release.action()), &["musl/portzero is not what was released"]);
    assert_eq!(fs::read_dir(kept(&job)).expect("a cache").count(), 0, "nothing is kept");
}

#[test]
fn a_version_or_a_platform_without_a_checksum_is_refused() {
    let release = Release::new();
    let server = release.serve();
    for version in ["1.2.4", "latest", "../../x"] {
        let ended = job(&server.url).with("version", version).run(&release.action());
        let said = format!("no checksum of portzero {version}");
        assert_refused(&ended, &[&said, "Leave out the input `version`"]);
    }
    assert_ran(&job(&server.url).with("version", "v1.2.3").run(&release.action()));
    release.edit(|table| {
        table
            .lines()
            .filter(|line| !line.ends_with("/portzero"))
            .map(|l| format!("{l}\n"))
            .collect()
    });
    let ended = job(&server.url).run(&release.action());
    assert_refused(&ended, &["no checksum of portzero 1.2.3 for x86_64-unknown-linux-musl"]);
    assert_eq!(server.requests().len(), 1);
}

#[test]
fn before_the_first_release_the_action_says_so() {
    let release = Release::new();
    release.write("checksums.txt", "# nothing\n\n");
    let ended = job(&FileServer::nobody()).run(&release.action());
    assert_refused(
        &ended,
        &[
            "there is no release of portzero yet",
            "cargo build --release",
            "`binary`",
        ],
    );
}

#[test]
fn a_server_that_is_not_there_or_has_no_such_file_is_told_with_its_address() {
    let release = Release::new();
    let nobody = FileServer::nobody();
    assert_refused(
        &job(&nobody).run(&release.action()),
        &[&nobody, "could not be downloaded", "`download-base-url`"],
    );
    let empty = FileServer::serving(BTreeMap::new());
    assert_refused(&job(&empty.url).run(&release.action()), &[&empty.url, "404"]);
}

#[test]
fn nothing_is_fetched_without_tls_but_from_this_machine() {
    let release = Release::new();
    for url in [
        "http://mirror.example",
        "http://127.0.0.1.mirror.example/x",
        "http://mirror.example?x/127.0.0.1",
        "ftp://127.0.0.1",
        "file:///tmp",
        "x",
    ] {
        assert_refused(&job(url).run(&release.action()), &[url, "is no https address"]);
    }
    let ended = on(Job::default(), "Linux", "X64").run(&release.action());
    assert_refused(&ended, &["does not know where its releases are"]);
}

/// `http://user:word@127.0.0.1:1234`
fn with_a_password(url: &str) -> String {
    url.replacen("http://", "http://robot:s3cretWord@", 1)
}

#[test]
fn s14_a_password_in_the_address_is_used_and_never_printed() {
    let release = Release::new();
    let server = release.serve();
    let ended = job(&with_a_password(&server.url)).run(&release.action());
    assert_ran(&ended);
    assert!(!format!("{ended:?}").contains("s3cretWord"), "{ended:#?}");
    let empty = FileServer::serving(BTreeMap::new());
    for (url, words) in [
        (
            with_a_password(&empty.url),
            vec!["http://***@127.0.0.1", "could not be downloaded"],
        ),
        (
            with_a_password(&FileServer::nobody()),
            vec!["http://***@127.0.0.1", "could not be downloaded"],
        ),
        (
            "http://robot:s3cretWord@mirror.example".to_owned(),
            vec!["http://***@mirror.example", "is no https address"],
        ),
        (
            "robot:s3cretWord@mirror.example".to_owned(),
            vec!["***@mirror.example", "is no https address"],
        ),
        (
            "http://robot:pa/s3cretWord@mirror.example".to_owned(),
            vec!["http://***@mirror.example", "is no https address"],
        ),
        (
            "http://robot:pa@s3cretWord@mirror.example".to_owned(),
            vec!["http://***@mirror.example", "is no https address"],
        ),
    ] {
        let ended = job(&url).run(&release.action());
        assert_refused(&ended, &words);
        let told = format!("{ended:?}");
        assert!(!told.contains("s3cretWord") && !told.contains("robot"), "{told}");
    }
}

/// What stands before an @ is not always a name: these lead elsewhere than to this machine.
#[test]
fn s14_an_address_that_only_ends_like_this_machine_is_not_this_machine() {
    let release = Release::new();
    for host in [
        "mirror.example#",
        "mirror.example?",
        "mirror.example\\",
        "mirror.example/",
    ] {
        let ended = job(&format!("http://{host}@127.0.0.1:9")).run(&release.action());
        assert_refused(&ended, &["is no https address"]);
    }
}

#[test]
fn s14_the_configuration_of_curl_is_not_honoured() {
    let release = Release::new();
    let server = release.serve();
    let job = job(&server.url);
    let home = tempfile::tempdir().expect("a folder");
    // Whatever curl asks for would be asked of nobody then.
    let nobody = FileServer::nobody();
    fs::write(home.path().join(".curlrc"), format!("proxy = {nobody}\n")).expect("a file");
    let folder = home.path().display().to_string();
    let ended = job
        .variable("CURL_HOME", &folder)
        .variable("HOME", &folder)
        .run(&release.action());
    assert_ran(&ended);
}

#[test]
fn s14_without_a_folder_of_the_runner_nobody_can_know_where_the_program_is() {
    let release = Release::new();
    let server = release.serve();
    let shared = tempfile::tempdir().expect("a folder");
    let folder = shared.path().display().to_string();
    let job = job(&server.url)
        .variable("RUNNER_TOOL_CACHE", "")
        .variable("RUNNER_TEMP", "")
        .variable("TMPDIR", &folder);
    for _ in 0..2 {
        assert_ran(&job.run(&release.action()));
    }
    let entries = fs::read_dir(shared.path())
        .expect("a folder")
        .map(|entry| entry.expect("an entry"));
    let kept: Vec<_> = entries
        .filter(|entry| entry.file_name().to_string_lossy().starts_with("portzero."))
        .collect();
    assert_eq!(kept.len(), 2, "each run has its own: {kept:?}");
    for entry in kept {
        let mode = entry.metadata().expect("a folder").permissions().mode();
        assert_eq!(mode & 0o777, 0o700, "{entry:?}");
    }
}

#[test]
fn a_tampered_copy_is_removed_unrun_and_fetched_anew() {
    let release = Release::new();
    let server = release.serve();
    let job = job(&server.url);
    assert_ran(&job.run(&release.action()));
    let copy = kept(&job).join("portzero");
    fs::write(&copy, "#!/bin/sh\necho ran evil\n").expect("a file");
    let ended = job.run(&release.action());
    assert_ran(&ended);
    assert!(!ended.said.stdout.contains("evil"), "{ended:#?}");
    let [warning] = ended.annotations.as_slice() else {
        panic!("{ended:#?}")
    };
    assert_eq!(
        (warning.level.as_str(), warning.title.as_str()),
        ("warning", "portzero")
    );
    assert!(warning.message.contains("removed unrun"), "{warning:?}");
    assert_eq!(server.requests().len(), 2);

    fs::write(&copy, "#!/bin/sh\necho ran evil\n").expect("a file");
    let ended = job
        .with("download-base-url", &FileServer::nobody())
        .run(&release.action());
    assert_eq!(ended.said.code, Some(2), "{ended:#?}");
    assert_eq!(ended.said.stdout, "", "it is not run where no other can be had");
    assert!(!copy.exists());
}

#[test]
fn two_jobs_on_one_machine_may_fetch_it_at_once() {
    let release = Release::new();
    let server = release.serve();
    let (action, tools) = (release.action(), tempfile::tempdir().expect("a folder"));
    let tools = tools.path().display().to_string();
    let jobs = [(); 4].map(|()| job(&server.url).variable("RUNNER_TOOL_CACHE", &tools));
    let started: Vec<_> = jobs.iter().map(|job| job.start(&action)).collect();
    for running in started {
        assert_ran(&running.end(Duration::from_secs(30)));
    }
    let folder = Path::new(&tools).join("portzero/1.2.3/x86_64-unknown-linux-musl");
    assert_eq!(fs::read_dir(folder).expect("a cache").count(), 1, "each has tidied up");
}

#[test]
fn a_run_that_is_cancelled_in_mid_download_ends_and_deploys_nothing() {
    let release = Release::new();
    let (sender, asked) = channel();
    let server = FileServer::silent(move || sender.send(()).expect("somebody listens"));
    let (job, action) = (job(&server.url), release.action());
    let running = job.start(&action);
    asked.recv_timeout(Duration::from_secs(30)).expect("a request");
    running.cancel();
    let ended = running.end(Duration::from_secs(5));
    assert_eq!(ended.said.code, Some(130), "{ended:#?}");
    assert_eq!(ended.said.stdout, "");
    assert_eq!(fs::read_dir(kept(&job)).expect("a cache").count(), 0, "nothing is left");
}

#[test]
fn a_program_that_is_there_already_is_taken_as_it_is() {
    let release = Release::new();
    let job = Job::default()
        .file("tools dir/portzero", PROGRAM)
        .file("plain", PROGRAM);
    let path = job.path("workspace").join("tools dir/portzero");
    for name in ["tools dir/portzero", "plain"] {
        let path = job.path("workspace").join(name);
        fs::set_permissions(path, fs::Permissions::from_mode(0o755)).expect("a mode");
    }
    let job = job.with("binary", "tools dir/portzero");
    assert_ran(&job.run(&release.action()));
    let job = job.with("binary", "plain");
    assert_ran(&job.run(&release.action()));
    let job = job.with("binary", &path.display().to_string());
    assert_ran(&job.run(&release.action()));
    let job = job.with("version", VERSION);
    assert_refused(&job.run(&release.action()), &["`binary` skips the download"]);
}

#[test]
fn a_binary_that_cannot_be_run_is_told_before_anything_is_tried() {
    let release = Release::new();
    let mut job = Job::default()
        .file("data", "no program")
        .file("folder/x", "")
        .file("elf", "\u{7f}ELF\0\0\0\0");
    fs::set_permissions(job.path("workspace").join("elf"), fs::Permissions::from_mode(0o755)).expect("a mode");
    for (name, said) in [
        ("nowhere", "names nowhere, and there is no such file"),
        ("folder", "names folder, which is no file"),
        ("data", "names data, which must not be executed"),
        ("x%\n::error::forged", "there is no such file"),
    ] {
        job = job.with("binary", name);
        assert_refused(&job.run(&release.action()), &[said]);
    }
    job = job.with("binary", "elf");
    assert_refused(
        &job.run(&release.action()),
        &["is there and cannot be run on this machine"],
    );
}

#[test]
fn the_environment_of_the_job_puts_no_code_into_the_script() {
    let release = Release::new();
    let server = release.serve();
    let job = job(&server.url).file("trap.sh", "echo trapped\n");
    let trap = job.path("workspace").join("trap.sh").display().to_string();
    let job = job
        .variable("BASH_ENV", &trap)
        .variable("ENV", &trap)
        .variable("BASH_FUNC_curl%%", "() { echo trapped; }")
        .variable("BASH_FUNC_sha256sum%%", "() { echo trapped; }")
        .variable("SHELLOPTS", "xtrace")
        .variable("CDPATH", "/tmp");
    let ended = job.run(&release.action());
    assert_ran(&ended);
    assert!(!format!("{ended:?}").contains("trapped"), "{ended:#?}");
}
