//! What a message quotes of a body that is not AWS's.

/// As much of a foreign text (an HTML page, a proxy's excuse) as a message quotes.
const QUOTE_LENGTH: usize = 160;

/// A body that is not the API's, in one line.
pub(super) fn quoted(status: u16, body: &[u8]) -> String {
    let text = String::from_utf8_lossy(body);
    if let Some(title) = html_title(&text) {
        return format!("HTTP status {status} with a page that is not AWS's: `{title}`");
    }
    // What begins as AWS's answers and our requests do may hold what nobody may see.
    let is_document = text.trim_start().starts_with(['{', '[', '"']);
    if is_document && matches!(status, 200..=299) {
        return "the answer cannot be read: it is no answer of this operation in AWS's model".to_owned();
    }
    if is_document {
        return format!("HTTP status {status} with a document that is no error of AWS's form");
    }
    let line: String = text.split_whitespace().collect::<Vec<_>>().join(" ");
    let start = beginning(&line);
    match (start.is_empty(), status) {
        (true, 200..=299) => "the answer is empty".to_owned(),
        (true, _) => format!("HTTP status {status} without a message"),
        (false, 200..=299) => format!("the answer cannot be read: `{start}`"),
        (false, _) => format!("HTTP status {status}, which says `{start}`"),
    }
}

/// It says that it is cut, for a value that it cuts is to be known by its beginning.
fn beginning(text: &str) -> String {
    match text.char_indices().nth(QUOTE_LENGTH) {
        Some((end, _)) => format!("{}…", &text[..end]),
        None => text.to_owned(),
    }
}

/// The title of a page: that of a proxy, a firewall, a sign-in.
fn html_title(text: &str) -> Option<String> {
    // Lower case in ASCII keeps every place where it is.
    let lower = text.to_ascii_lowercase();
    let is_page = ["<html", "<!doctype html"]
        .iter()
        .any(|tag| lower.trim_start().starts_with(tag));
    let from = lower.find("<title>").filter(|_| is_page)? + "<title>".len();
    let length = lower[from..].find("</title>")?;
    let words: Vec<&str> = text[from..from + length].split_whitespace().collect();
    let title = beginning(&words.join(" "));
    (!title.is_empty()).then_some(title)
}
