//! What a file is whose bytes are no text.

/// What a file is, and what to do with it, by its first bytes. `None` where they say nothing.
pub fn not_text(bytes: &[u8]) -> Option<(&'static str, &'static str)> {
    const UNPACK: &str = "unpack it, and name the file that was in it";
    const NOT_THIS: &str = "name the text file that was meant";
    let kinds: [(&[u8], &str, &str); 9] = [
        (
            b"\xFF\xFE",
            "UTF-16 text, which PowerShell's `>` writes",
            "save it as UTF-8",
        ),
        (b"\xFE\xFF", "UTF-16 text", "save it as UTF-8"),
        (b"\x1F\x8B", "a gzip archive", UNPACK),
        (b"PK\x03\x04", "a zip archive", UNPACK),
        (b"\x28\xB5\x2F\xFD", "a zstd archive", UNPACK),
        (b"\x89PNG", "a picture", NOT_THIS),
        (b"%PDF", "a PDF document", NOT_THIS),
        (b"\x7FELF", "a program", NOT_THIS),
        (b"SQLite format 3", "a database", NOT_THIS),
    ];
    let known = kinds.iter().find(|(start, ..)| bytes.starts_with(start));
    let known = known.map(|(_, what, hint)| (*what, *hint));
    known.or_else(|| is_utf16(bytes).then_some(("UTF-16 text without a byte order mark", "save it as UTF-8")))
}

/// Every second byte is zero: Latin text in UTF-16.
fn is_utf16(bytes: &[u8]) -> bool {
    let start = &bytes[..bytes.len().min(64)];
    let zeros = |from: usize| start.iter().skip(from).step_by(2).filter(|byte| **byte == 0).count();
    start.len() >= 4 && (zeros(1) * 2 == start.len() && zeros(0) == 0 || zeros(0) * 2 == start.len() && zeros(1) == 0)
}
