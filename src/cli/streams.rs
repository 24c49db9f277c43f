//! What is printed, on streams that may be full or gone.

use std::io::{ErrorKind, Write as _};

use crate::cli::Stop;

/// Words for people, on stderr. Where nobody can hear them, the work goes on.
pub fn tell(text: &str) {
    let mut out = std::io::stderr().lock();
    let _ = writeln!(out, "{text}");
    let _ = out.flush();
}

/// What was asked for, on stdout. A reader who has seen enough (`| head`) is none the worse for it.
///
/// # Errors
/// The text is lost, for example on a full device; stderr has been told.
pub fn hand_over(text: &str) -> Result<(), Stop> {
    let mut out = std::io::stdout().lock();
    match writeln!(out, "{}", text.trim_end()).and_then(|()| out.flush()) {
        Err(error) if error.kind() != ErrorKind::BrokenPipe => {
            tell(&format!("error: stdout does not take what was asked for: {error}"));
            Err(Stop::usage(Vec::new()))
        }
        _ => Ok(()),
    }
}
