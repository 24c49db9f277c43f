//! Files that may be no files: pipes that nobody writes to or reads from, links to nowhere, disks that are full.

use std::fs;
use std::io::{self, ErrorKind, Read, Write};
use std::path::{Path, PathBuf};
use std::sync::mpsc::{self, Sender};
use std::time::Duration;

/// Whoever writes to a pipe has opened it by then, or will not.
const OPENS_WITHIN: Duration = Duration::from_secs(2);
/// For the next piece out of a pipe: a program that asks a person for a password may be behind it.
const NEXT_WITHIN: Duration = Duration::from_secs(60);
/// A local disk takes a report within milliseconds, and one on a network within a second.
const WRITES_WITHIN: Duration = Duration::from_secs(2);
const PIECE: usize = 64 * 1024;
/// More links in a row are a circle.
const LINKS_MAX: usize = 16;

/// The whole file, or a little more than `max` bytes of it.
///
/// # Errors
/// What the system says, or that nothing comes.
pub(crate) fn read(path: &Path, max: u64) -> io::Result<Vec<u8>> {
    let kind = fs::metadata(path)?.file_type();
    if kind.is_file() || kind.is_dir() {
        let mut bytes = Vec::new();
        fs::File::open(path)?.take(max + 1).read_to_end(&mut bytes)?;
        return Ok(bytes);
    }
    let (pieces, taken) = mpsc::channel();
    let ours = path.to_owned();
    std::thread::Builder::new().spawn(move || {
        if let Err(error) = pump(&ours, &pieces) {
            let _ = pieces.send(Err(error));
        }
    })?;
    let late = |words: &'static str| move |_| io::Error::new(ErrorKind::TimedOut, words);
    let opened = taken.recv_timeout(OPENS_WITHIN);
    let mut bytes = opened.map_err(late("it is a pipe that nobody writes to"))??;
    while u64::try_from(bytes.len()).is_ok_and(|size| size <= max) {
        let piece = taken.recv_timeout(NEXT_WITHIN);
        let piece = piece.map_err(late("it is a pipe, and nothing comes out of it"))??;
        if piece.is_empty() {
            break;
        }
        bytes.extend(piece);
    }
    Ok(bytes)
}

/// An empty piece once the file is open, and one at its end.
fn pump(path: &Path, pieces: &Sender<io::Result<Vec<u8>>>) -> io::Result<()> {
    let mut file = fs::File::open(path)?;
    let mut size = 0;
    let mut piece = vec![0; PIECE];
    loop {
        if pieces.send(Ok(piece[..size].to_vec())).is_err() {
            // Enough was read.
            return Ok(());
        }
        size = file.read(&mut piece)?;
        if size == 0 {
            let _ = pieces.send(Ok(Vec::new()));
            return Ok(());
        }
    }
}

/// Writes the whole text or nothing: beside the file first, and then in its place. A link is followed, also one to a file
/// that is not there yet; the answer is where it has led in that case.
///
/// # Errors
/// What the system says, or that nobody takes the text.
pub(crate) fn write(path: &Path, text: String) -> io::Result<Option<PathBuf>> {
    let place = followed(path)?;
    let is_new = place != path && !place.exists();
    let told = is_new.then(|| place.clone());
    let (done, result) = mpsc::channel();
    std::thread::Builder::new().spawn(move || {
        let _ = done.send(put(&place, text.as_bytes()));
    })?;
    let late = |_| io::Error::new(ErrorKind::TimedOut, "nobody takes it");
    result.recv_timeout(WRITES_WITHIN).map_err(late)?.map(|()| told)
}

/// Where the links lead.
pub(crate) fn followed(path: &Path) -> io::Result<PathBuf> {
    let mut place = path.to_owned();
    for _ in 0..LINKS_MAX {
        match fs::read_link(&place) {
            Ok(to) => place = place.parent().unwrap_or(Path::new("")).join(to),
            Err(_) => return Ok(place),
        }
    }
    Err(io::Error::other("its links lead in a circle"))
}

fn put(place: &Path, bytes: &[u8]) -> io::Result<()> {
    let known = fs::metadata(place);
    if known.as_ref().is_ok_and(|known| !known.is_file()) {
        // A pipe or a device has no place beside it that could become it.
        return fs::write(place, bytes);
    }
    let name = place.file_name().unwrap_or_default().to_string_lossy();
    let beside = place.with_file_name(format!(".{name}.{}.part", std::process::id()));
    let written = put_beside(&beside, bytes, known.ok().map(|known| known.permissions()));
    let moved = written.and_then(|()| fs::rename(&beside, place));
    if let Err(error) = moved {
        let _ = fs::remove_file(&beside);
        // A folder that takes no new file, or a file that is mounted by itself, may still take the text.
        return match error.kind() {
            ErrorKind::PermissionDenied | ErrorKind::ReadOnlyFilesystem | ErrorKind::ResourceBusy => {
                fs::write(place, bytes)
            }
            _ => Err(error),
        };
    }
    Ok(())
}

fn put_beside(beside: &Path, bytes: &[u8], permissions: Option<fs::Permissions>) -> io::Result<()> {
    let mut file = fs::OpenOptions::new().write(true).create_new(true).open(beside)?;
    file.write_all(bytes)?;
    if let Some(permissions) = permissions {
        fs::set_permissions(beside, permissions)?;
    }
    // A network's disk says only here that it is full.
    file.sync_all()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn s13_a_file_is_replaced_as_a_whole_and_nothing_is_left_beside_it() {
        let folder = tempfile::tempdir().expect("a folder");
        let path = folder.path().join("report.json");
        fs::write(&path, "an older and longer report").expect("written");
        assert_eq!(write(&path, "new".into()).expect("written"), None);
        assert_eq!(fs::read_to_string(&path).expect("a report"), "new");
        assert_eq!(fs::read_dir(folder.path()).expect("a folder").count(), 1);
        let nowhere = folder.path().join("no/such/folder/report.json");
        assert_eq!(
            write(&nowhere, "new".into()).expect_err("no folder").kind(),
            ErrorKind::NotFound
        );
    }

    #[cfg(unix)]
    #[test]
    fn s13_a_link_to_a_file_that_is_not_there_stays_and_its_file_is_made() {
        let folder = tempfile::tempdir().expect("a folder");
        let (link, target) = (folder.path().join("latest"), folder.path().join("2026.json"));
        std::os::unix::fs::symlink("2026.json", &link).expect("a link");
        assert_eq!(write(&link, "one".into()).expect("written"), Some(target.clone()));
        assert_eq!(write(&link, "two".into()).expect("written"), None);
        assert!(fs::symlink_metadata(&link).expect("a link").is_symlink());
        assert_eq!(fs::read_to_string(&target).expect("a report"), "two");
        let circle = folder.path().join("circle");
        std::os::unix::fs::symlink("circle", &circle).expect("a link");
        assert!(write(&circle, "x".into()).is_err());
    }

    #[cfg(target_os = "linux")]
    #[test]
    fn s13_a_full_disk_takes_nothing() {
        let error = write(Path::new("/dev/full"), "x".into()).expect_err("full");
        assert_eq!(error.kind(), ErrorKind::StorageFull);
    }

    #[cfg(unix)]
    #[test]
    fn s13_a_pipe_without_another_end_holds_nobody() {
        let folder = tempfile::tempdir().expect("a folder");
        let [from, to] = ["from", "to"].map(|name| folder.path().join(name));
        let made = std::process::Command::new("mkfifo").args([&from, &to]).status();
        assert!(made.expect("mkfifo").success());
        assert_eq!(read(&from, 10).expect_err("no writer").kind(), ErrorKind::TimedOut);
        let writing = write(&to, "x".into());
        assert_eq!(writing.expect_err("no reader").kind(), ErrorKind::TimedOut);
    }
}
