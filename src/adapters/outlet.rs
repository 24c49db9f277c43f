//! A stream that may stop taking what is written to it. A thread of its own writes, so that whoever has something to say
//! waits no longer than it wants to.

use std::io::{self, ErrorKind, Write};
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, AtomicUsize, Ordering};
use std::sync::mpsc::{self, Receiver, RecvTimeoutError, Sender};
use std::time::Duration;

/// Small enough that a reader who takes anything at all is seen to.
const PIECE: usize = 4096;
/// More is not kept for a reader who has stopped.
const KEPT_MAX: usize = 8 * 1024 * 1024;

/// The way to one stream.
#[derive(Debug)]
pub(crate) struct Outlet {
    texts: Sender<Text>,
    progress: Arc<Progress>,
}

/// What has come of the texts so far, in bytes.
#[derive(Debug, Default)]
struct Progress {
    written: AtomicU64,
    kept: AtomicUsize,
}

#[derive(Debug)]
struct Text {
    bytes: Vec<u8>,
    done: Sender<io::Result<()>>,
}

impl Outlet {
    /// `open` gives the stream to the thread that writes.
    pub(crate) fn open<W: Write>(name: &str, open: impl FnOnce() -> W + Send + 'static) -> Self {
        let (texts, taken) = mpsc::channel();
        let progress = Arc::new(Progress::default());
        let ours = Arc::clone(&progress);
        // Without a thread the channel is closed, and each write fails.
        let _ = std::thread::Builder::new()
            .name(name.to_owned())
            .spawn(move || write_all(&taken, &mut open(), &ours));
        Self { texts, progress }
    }

    /// Comes back when the text is written, when that has failed, or when the reader has taken nothing for `patience`
    /// (`None`: for as long as it takes). What is not written by then is still written if the reader goes on.
    ///
    /// # Errors
    /// That of the stream; `TimedOut` where nobody reads.
    pub(crate) fn write(&self, text: String, patience: Option<Duration>) -> io::Result<()> {
        let waiting = self.progress.kept.fetch_add(text.len(), Ordering::SeqCst);
        if waiting + text.len() > KEPT_MAX && waiting > 0 {
            self.progress.kept.fetch_sub(text.len(), Ordering::SeqCst);
            return Err(nobody_reads());
        }
        let (done, result) = mpsc::channel();
        let bytes = text.into_bytes();
        let gone = |_| io::Error::from(ErrorKind::BrokenPipe);
        self.texts.send(Text { bytes, done }).map_err(gone)?;
        // Whoever kept this one waiting keeps the next one waiting, and has had its time.
        let patience = if waiting > 0 {
            patience.map(|_| Duration::ZERO)
        } else {
            patience
        };
        self.wait(&result, patience)
    }

    /// Gives what is still to be written a last chance.
    pub(crate) fn settle(&self, patience: Duration) {
        if self.progress.kept.load(Ordering::SeqCst) > 0 {
            let (done, result) = mpsc::channel();
            let bytes = Vec::new();
            if self.texts.send(Text { bytes, done }).is_ok() {
                let _ = self.wait(&result, Some(patience));
            }
        }
    }

    fn wait(&self, result: &Receiver<io::Result<()>>, patience: Option<Duration>) -> io::Result<()> {
        let gone = || Err(io::Error::from(ErrorKind::BrokenPipe));
        let Some(patience) = patience else {
            return result.recv().unwrap_or_else(|_| gone());
        };
        loop {
            let before = self.progress.written.load(Ordering::SeqCst);
            match result.recv_timeout(patience) {
                Ok(result) => return result,
                Err(RecvTimeoutError::Disconnected) => return gone(),
                Err(RecvTimeoutError::Timeout) if self.progress.written.load(Ordering::SeqCst) == before => {
                    return Err(nobody_reads());
                }
                Err(RecvTimeoutError::Timeout) => {}
            }
        }
    }
}

fn nobody_reads() -> io::Error {
    io::Error::new(ErrorKind::TimedOut, "nobody reads it")
}

fn write_all(texts: &Receiver<Text>, out: &mut impl Write, progress: &Progress) {
    while let Ok(text) = texts.recv() {
        let written = text.bytes.chunks(PIECE).try_for_each(|piece| {
            out.write_all(piece)?;
            out.flush()?;
            progress.written.fetch_add(piece.len() as u64, Ordering::SeqCst);
            Ok(())
        });
        progress.kept.fetch_sub(text.bytes.len(), Ordering::SeqCst);
        // Whoever has stopped waiting does not want to know.
        let _ = text.done.send(written);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Takes so many bytes, and then holds whoever writes.
    struct Stops(usize, Receiver<()>);

    impl Write for Stops {
        fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
            if self.0 == 0 {
                let _ = self.1.recv();
                self.0 = usize::MAX;
            }
            let taken = bytes.len().min(self.0);
            self.0 -= taken;
            Ok(taken)
        }

        fn flush(&mut self) -> io::Result<()> {
            Ok(())
        }
    }

    #[test]
    fn s08_a_reader_that_stops_costs_its_patience_once_and_gets_the_rest_when_it_goes_on() {
        let (go_on, stopped) = mpsc::channel();
        let outlet = Outlet::open("a pipe", move || Stops(5, stopped));
        let patience = Some(Duration::from_millis(20));
        assert!(outlet.write("12345".into(), patience).is_ok());
        let error = outlet.write("6".into(), patience).expect_err("nobody reads");
        assert_eq!(error.kind(), ErrorKind::TimedOut);
        // As many as come: none is waited for.
        assert!((0..1000).all(|_| outlet.write("7".into(), Some(Duration::from_secs(3600))).is_err()));
        assert!(
            outlet.write("8".repeat(KEPT_MAX), patience).is_err(),
            "there is a limit to what is kept"
        );
        go_on.send(()).expect("a reader");
        outlet.settle(Duration::from_secs(5));
        assert_eq!(outlet.progress.written.load(Ordering::SeqCst), 5 + 1 + 1000);
    }

    #[test]
    fn what_a_stream_refuses_is_told() {
        struct Full;
        impl Write for Full {
            fn write(&mut self, _: &[u8]) -> io::Result<usize> {
                Err(ErrorKind::StorageFull.into())
            }
            fn flush(&mut self) -> io::Result<()> {
                Ok(())
            }
        }
        let outlet = Outlet::open("a full disk", || Full);
        assert_eq!(
            outlet.write("x".into(), None).expect_err("full").kind(),
            ErrorKind::StorageFull
        );
    }
}
