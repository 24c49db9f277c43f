//! Looks for the marks of secrets in what a reader gets, with decoders of its own.

use super::generate::Secret;

/// So many signs of a mark in a row are no coincidence.
const WINDOW: usize = 7;

/// The first secret that a reader can find in the text.
pub fn found<'s>(text: &str, secrets: impl IntoIterator<Item = &'s Secret>) -> Option<&'s Secret> {
    let views = views(text);
    secrets.into_iter().find(|secret| {
        let needles = needles(&secret.mark);
        views
            .iter()
            .any(|view| needles.iter().any(|needle| view.contains(needle.as_str())))
    })
}

fn needles(mark: &str) -> Vec<String> {
    let mut needles: Vec<String> = [0, 3, mark.len() - WINDOW]
        .into_iter()
        .map(|at| mark[at..at + WINDOW].to_owned())
        .collect();
    needles.push(mark[2..10].bytes().map(|byte| format!("{byte:02x}")).collect());
    for before in 0..3 {
        let bits: String = mark.bytes().map(|byte| format!("{byte:08b}")).collect();
        // The first whole sign of six bits, where so many bytes stand before.
        let from = (6 - before * 8 % 6) % 6;
        let signs = bits.as_bytes()[from..].chunks_exact(6).take(10);
        needles.push(signs.map(sign).collect());
    }
    needles
}

fn sign(bits: &[u8]) -> char {
    const SIGNS: &str = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
    let index = bits.iter().fold(0, |sum, bit| sum << 1 | usize::from(bit - b'0'));
    SIGNS.as_bytes().get(index).copied().map_or('?', char::from)
}

/// The text as it stands, as somebody reads it who undoes what surfaces do, and that once more.
fn views(text: &str) -> Vec<String> {
    let mut views = vec![text.to_owned()];
    for _ in 0..3 {
        let next = undone(views.last().map_or("", String::as_str));
        if views.contains(&next) {
            break;
        }
        views.push(next);
    }
    views
}

fn undone(text: &str) -> String {
    let mut out = String::with_capacity(text.len());
    let mut rest = text;
    while let Some(c) = rest.chars().next() {
        rest = &rest[c.len_utf8()..];
        match c {
            '\u{1b}' | '\u{9b}' => {
                let end = rest.find(|c: char| c.is_ascii_alphabetic()).map_or(0, |at| at + 1);
                rest = &rest[end..];
            }
            '%' => match rest.get(..2).and_then(|digits| u8::from_str_radix(digits, 16).ok()) {
                Some(byte) => {
                    out.push(char::from(byte));
                    rest = &rest[2..];
                }
                None => out.push('%'),
            },
            '&' => match rest.strip_prefix('#').and_then(|rest| rest.split_once(';')) {
                Some((digits, after)) if digits.parse::<u32>().is_ok() => {
                    out.extend(digits.parse().ok().and_then(char::from_u32));
                    rest = after;
                }
                _ => out.push('&'),
            },
            '\\' => {
                let unit = rest.strip_prefix(['u', 'U']).and_then(|rest| rest.get(..4));
                if let Some(unit) = unit.and_then(|digits| u32::from_str_radix(digits, 16).ok()) {
                    out.extend(char::from_u32(unit).filter(|c| *c != '\u{200b}'));
                    rest = &rest[5..];
                }
            }
            '\u{200b}' | '\'' | '"' | '`' | '⏎' => {}
            '-' => out.push('+'),
            '_' => out.push('/'),
            c if c.is_whitespace() => {}
            c => out.push(c),
        }
    }
    out
}
