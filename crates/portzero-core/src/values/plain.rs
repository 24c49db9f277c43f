//! A text without its encodings: percent signs, entities, backslashes and quotes, what has no width, blanks and line
//! ends. A value is looked for in there, so that no list of encodings has to be complete, or in the right order.

/// Encodings may stand in each other; a document in a document in a log line has three.
const ROUNDS_MAX: usize = 6;
/// The longest entity that is read: `&#x10ffff;`.
const ENTITY_MAX: usize = 10;

/// One sign, and where the text has it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Sign {
    pub c: char,
    pub start: usize,
    pub end: usize,
}

/// The signs that are left of a text where nothing is decoded: a value may look as if it were encoded, and be wrapped.
pub(super) fn bare(text: &str) -> Vec<Sign> {
    let mut signs = visible(text);
    signs.retain(|sign| !is_nothing(sign.c));
    signs
}

/// The signs that are left of a text where everything is decoded. `None`: it is the same as [`bare`].
pub(super) fn plain(text: &str) -> Option<Vec<Sign>> {
    let mut signs = decoded(&visible(text))?;
    for _ in 1..ROUNDS_MAX {
        match decoded(&signs) {
            Some(further) => signs = further,
            None => break,
        }
    }
    signs.retain(|sign| !is_nothing(sign.c));
    Some(signs)
}

fn visible(text: &str) -> Vec<Sign> {
    let mut signs: Vec<Sign> = Vec::with_capacity(text.len());
    let mut colour_ends = 0;
    for (start, c) in text.char_indices().filter(|(_, c)| !is_invisible(*c)) {
        if start < colour_ends {
            continue;
        }
        if matches!(c, '\u{1b}' | '\u{9b}') {
            colour_ends = start + control_sequence(&text[start..]);
        }
        let end = start + c.len_utf8();
        signs.push(Sign { c, start, end });
    }
    signs
}

/// The length of what colours a terminal: `ESC [ 31 m`. One that has no end is none.
fn control_sequence(text: &str) -> usize {
    let rest = text.strip_prefix("\u{1b}[").or_else(|| text.strip_prefix('\u{9b}'));
    let last = rest.map(|rest| rest.trim_start_matches(|c| matches!(c, ' '..='?')));
    match last.and_then(|last| last.strip_prefix(|c| matches!(c, '@'..='~'))) {
        Some(after) => text.len() - after.len(),
        None => 0,
    }
}

/// What stands between the signs of a value where it is quoted, wrapped or written in a form.
fn is_nothing(c: char) -> bool {
    c.is_whitespace() || c.is_control() || is_invisible(c) || matches!(c, '\\' | '\'' | '"' | '`' | '+' | '⏎')
}

/// One layer of encoding taken away; `None` where there is none.
fn decoded(signs: &[Sign]) -> Option<Vec<Sign>> {
    signs.iter().position(|sign| matches!(sign.c, '%' | '&' | '\\'))?;
    let mut out = Vec::with_capacity(signs.len());
    let mut has_changed = false;
    let mut at = 0;
    while at < signs.len() {
        let rest = &signs[at..];
        let read = match rest[0].c {
            '%' => bytes(rest, percent),
            '&' => entity(rest),
            '\\' => escape(rest),
            _ => None,
        };
        let (c, length) = read.unwrap_or((rest[0].c, 1));
        has_changed |= read.is_some();
        out.push(Sign {
            c,
            start: rest[0].start,
            end: rest[length - 1].end,
        });
        at += length;
    }
    has_changed.then_some(out)
}

/// A character that is written byte by byte.
fn bytes(signs: &[Sign], byte: fn(&[Sign]) -> Option<(u8, usize)>) -> Option<(char, usize)> {
    let (first, mut length) = byte(signs)?;
    let more = match first {
        0xc0..=0xdf => 1,
        0xe0..=0xef => 2,
        0xf0..=0xf7 => 3,
        _ => 0,
    };
    let mut all = vec![first];
    for _ in 0..more {
        let (next, signs_read) = byte(signs.get(length..)?)?;
        all.push(next);
        length += signs_read;
    }
    let c = std::str::from_utf8(&all).ok()?.chars().next()?;
    Some((c, length))
}

fn number(signs: &[Sign], radix: u32) -> Option<u32> {
    signs.iter().try_fold(0_u32, |sum, sign| {
        sum.checked_mul(radix)?.checked_add(sign.c.to_digit(radix)?)
    })
}

fn percent(signs: &[Sign]) -> Option<(u8, usize)> {
    let digits = signs.get(1..3).filter(|_| signs[0].c == '%')?;
    Some((u8::try_from(number(digits, 16)?).ok()?, 3))
}

/// `\x41`, and `\101` as shells write it.
fn escaped_byte(signs: &[Sign]) -> Option<(u8, usize)> {
    let kind = signs.get(1).filter(|_| signs[0].c == '\\')?;
    let value = if kind.c == 'x' {
        number(signs.get(2..4)?, 16)?
    } else {
        number(signs.get(1..4)?, 8)?
    };
    Some((u8::try_from(value).ok()?, 4))
}

fn entity(signs: &[Sign]) -> Option<(char, usize)> {
    let end = signs.iter().take(ENTITY_MAX).position(|sign| sign.c == ';')?;
    let name: String = signs[1..end].iter().map(|sign| sign.c).collect();
    let c = match name.as_str() {
        "lt" => '<',
        "gt" => '>',
        "amp" => '&',
        "quot" => '"',
        "apos" => '\'',
        "nbsp" => ' ',
        other => {
            let digits = other.strip_prefix('#')?;
            let code = match digits.strip_prefix(['x', 'X']) {
                Some(hex) => u32::from_str_radix(hex, 16),
                None => digits.parse(),
            };
            char::from_u32(code.ok()?)?
        }
    };
    Some((c, end + 1))
}

fn escape(signs: &[Sign]) -> Option<(char, usize)> {
    if let Some(read) = bytes(signs, escaped_byte).or_else(|| unicode(signs)) {
        return Some(read);
    }
    let c = signs.get(1)?.c;
    Some((
        if matches!(c, 'n' | 'r' | 't' | 'b' | 'f') {
            ' '
        } else {
            c
        },
        2,
    ))
}

/// `\u00e4`, also as a pair, and `\u{e4}`.
fn unicode(signs: &[Sign]) -> Option<(char, usize)> {
    let unit = |signs: &[Sign]| {
        let is_one = signs.first()?.c == '\\' && signs.get(1)?.c == 'u';
        number(signs.get(2..6).filter(|_| is_one)?, 16)
    };
    if signs.get(1)?.c == 'u' && signs.get(2).is_some_and(|sign| sign.c == '{') {
        let end = signs.iter().take(ENTITY_MAX).position(|sign| sign.c == '}')?;
        return Some((char::from_u32(number(&signs[3..end], 16)?)?, end + 1));
    }
    let first = unit(signs)?;
    if let Some(c) = char::from_u32(first) {
        return Some((c, 6));
    }
    let second = unit(signs.get(6..)?)?;
    let c = char::decode_utf16([first, second].map(|unit| u16::try_from(unit).unwrap_or_default())).next()?;
    Some((c.ok()?, 12))
}

/// Without a width, or turning the direction of what follows: such a character hides text, or hides a command from us.
pub fn is_invisible(c: char) -> bool {
    matches!(c,
        '\u{ad}' | '\u{34f}' | '\u{61c}' | '\u{115f}' | '\u{1160}' | '\u{17b4}' | '\u{17b5}' | '\u{180b}'..='\u{180f}'
        | '\u{200b}'..='\u{200f}' | '\u{202a}'..='\u{202e}' | '\u{2060}'..='\u{206f}' | '\u{3164}' | '\u{feff}'
        | '\u{ffa0}' | '\u{fff0}'..='\u{fffb}' | '\u{1d173}'..='\u{1d17a}' | '\u{e0000}'..='\u{e0fff}')
}
