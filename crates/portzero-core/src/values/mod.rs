//! Exact values that must not be shown, and where a text has them: as they are, cut, split over lines, or encoded.
//!
//! * `plain`: a text without its encodings, so that one comparison finds a value in all of them
//! * `source`: which values a task definition has, and which of its words everybody may read

mod plain;
mod source;

use std::borrow::Cow;
use std::collections::HashMap;
use std::fmt;

pub use plain::is_invisible;
use plain::{Sign, bare, plain};
pub use source::{is_harmless, is_telling};

/// What stands for a value.
pub const HIDDEN: &str = "***";
/// A shorter value is a word of everyday use, and hiding that makes text unreadable and hides nothing.
pub const CHARS_MIN: usize = 8;
/// Without blanks, quotes and the like, so much of a value must be left to be looked for in encoded text.
const SIGNS_MIN: usize = 6;
/// So many signs of a value that was cut off are no coincidence.
const CUT_MIN: usize = 6;
/// `%F0%9F%98%` is what a cut leaves of an encoded sign at most.
const CUT_PIECE_MAX: usize = 20;
/// What the simulator is to be given for a key: whoever follows its instructions has it in the environment.
pub const NO_SECRET: &str = "portzero";
/// A form is looked up by so many of its first signs.
const KEY: usize = 4;

/// Values to hide. They do not show in debug output.
#[derive(Clone, Default)]
pub struct Values {
    kept: Vec<Kept>,
    /// Words that are shown elsewhere anyway: names, images, the region.
    public: Vec<String>,
    forms: HashMap<[char; KEY], Vec<Vec<char>>>,
    /// Those that are nothing but signs that encodings add.
    raw: Vec<String>,
}

#[derive(Clone, PartialEq, Eq)]
struct Kept {
    value: String,
    /// Hidden even where it is the name of something.
    is_always: bool,
}

impl fmt::Debug for Values {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} values to hide", self.kept.len())
    }
}

impl Values {
    /// Adds a credential, which is hidden wherever it stands.
    pub fn add(&mut self, secret: &str) {
        self.keep(secret, true);
    }

    /// Adds the value of a variable. Under a name that does not say that it is secret, an ordinary word stays, and so
    /// does what is the name of something.
    pub fn add_variable(&mut self, name: &str, value: &str) {
        if source::is_telling(name) {
            self.keep(value, true);
        } else if !source::is_ordinary(value) {
            self.keep(value, false);
        }
    }

    /// Adds what a text took from the environment of this process. Anybody who writes the text can name a variable, so
    /// only the variable's own name can say that it is harmless.
    pub fn add_inherited(&mut self, name: &str, value: &str) {
        if source::is_telling(name) || !source::is_harmless(name) && !source::is_ordinary(value) {
            self.keep(value, true);
        }
    }

    /// Adds the environment of a task definition, and its names to the words that stay.
    pub fn add_definition(&mut self, document: &serde_json::Value) {
        source::names(document).into_iter().for_each(|name| self.allow(name));
        for (name, value) in source::variables(document) {
            self.add_variable(name, value);
        }
    }

    /// As [`Values::add_definition`], ordinary words included: for what a container printed itself.
    pub fn of_log(document: &serde_json::Value) -> Self {
        let mut values = Self::default();
        source::variables(document).for_each(|(_, value)| values.add(value));
        values
    }

    /// A word that is shown elsewhere: a value that is a part of it is no secret, unless its name says so.
    pub fn allow(&mut self, word: &str) {
        if word.chars().count() < CHARS_MIN || self.public.iter().any(|known| known == word) {
            return;
        }
        self.public.push(word.to_owned());
        if self
            .kept
            .iter()
            .any(|kept| !kept.is_always && word.contains(&kept.value))
        {
            self.kept.retain(|kept| kept.is_always || !word.contains(&kept.value));
            self.index();
        }
    }

    /// Whether there is nothing to hide.
    pub fn is_empty(&self) -> bool {
        self.kept.is_empty()
    }

    fn keep(&mut self, secret: &str, is_always: bool) {
        for part in source::parts(secret) {
            let kept = Kept {
                value: part.to_owned(),
                is_always,
            };
            let is_shown = !is_always && self.public.iter().any(|word| word.contains(part));
            if part.chars().count() < CHARS_MIN
                || part == NO_SECRET
                || part.chars().all(|c| c == '*')
                || is_shown
                || self.kept.contains(&kept)
            {
                continue;
            }
            self.enter(part);
            self.kept.push(kept);
        }
    }

    fn index(&mut self) {
        self.forms.clear();
        self.raw.clear();
        for kept in std::mem::take(&mut self.kept) {
            self.enter(&kept.value);
            self.kept.push(kept);
        }
    }

    fn enter(&mut self, value: &str) {
        if bare(value).len() < SIGNS_MIN {
            self.raw.push(value.to_owned());
        }
        for form in forms(value) {
            let Some(key) = form.first_chunk::<KEY>() else { continue };
            let same = self.forms.entry(*key).or_default();
            if !same.contains(&form) {
                same.push(form);
                same.sort_by_key(|form| std::cmp::Reverse(form.len()));
            }
        }
    }

    /// The text without the values, in whatever form it has them.
    pub fn hide<'t>(&self, text: &'t str) -> Cow<'t, str> {
        if self.kept.is_empty() || text.is_empty() {
            return Cow::Borrowed(text);
        }
        let mut found: Vec<(usize, usize)> = Vec::new();
        for raw in &self.raw {
            found.extend(text.match_indices(raw.as_str()).map(|(at, part)| (at, at + part.len())));
        }
        self.find(&bare(text), &mut found);
        if let Some(signs) = plain(text) {
            self.find(&signs, &mut found);
        }
        if found.is_empty() {
            return Cow::Borrowed(text);
        }
        Cow::Owned(without(text, found))
    }

    fn find(&self, signs: &[Sign], found: &mut Vec<(usize, usize)>) {
        let mut at = 0;
        while at < signs.len() {
            match self.length_at(&signs[at..]) {
                Some(length) => {
                    found.push((signs[at].start, signs[at + length - 1].end));
                    at += length;
                }
                None => at += 1,
            }
        }
    }

    /// How many signs at the beginning are a value, or the beginning of one that was cut off.
    fn length_at(&self, signs: &[Sign]) -> Option<usize> {
        let first = signs.first_chunk::<KEY>()?;
        let forms = self.forms.get(&first.map(|sign| sign.c))?;
        forms.iter().find_map(|form| {
            let same = form.iter().zip(signs).take_while(|(c, sign)| **c == sign.c).count();
            if same == form.len() {
                return Some(same);
            }
            // What stands between is a piece of an encoded sign.
            let rest = signs[same..].iter().take(CUT_PIECE_MAX);
            let cut = rest
                .take_while(|sign| sign.c.is_ascii() || sign.c == '…')
                .position(|sign| sign.c == '…');
            cut.filter(|_| same >= CUT_MIN).map(|piece| same + piece)
        })
    }
}

impl<S: AsRef<str>> FromIterator<S> for Values {
    fn from_iter<I: IntoIterator<Item = S>>(secrets: I) -> Self {
        let mut values = Self::default();
        secrets.into_iter().for_each(|secret| values.add(secret.as_ref()));
        values
    }
}

/// The text with stars in place of the ranges, which may overlap.
fn without(text: &str, mut found: Vec<(usize, usize)>) -> String {
    found.sort_unstable();
    let mut hidden = String::with_capacity(text.len());
    let mut from = 0;
    let mut ranges = found.into_iter().peekable();
    while let Some((start, mut end)) = ranges.next() {
        while let Some((_, further)) = ranges.next_if(|(next, _)| *next < end) {
            end = end.max(further);
        }
        hidden.push_str(&text[from..start]);
        hidden.push_str(HIDDEN);
        from = end;
    }
    hidden.push_str(&text[from..]);
    hidden
}

/// What a value looks like once a text's encodings are gone: itself, base64 wherever it begins, and hexadecimal.
fn forms(value: &str) -> Vec<Vec<char>> {
    let mut texts = vec![value.to_owned()];
    for before in 0..3 {
        let encoded = base64(value.as_bytes(), before);
        texts.push(encoded.replace('+', "-").replace('/', "_"));
        texts.push(encoded);
    }
    let hex: String = value.bytes().map(|byte| format!("{byte:02x}")).collect();
    texts.push(hex.to_uppercase());
    texts.push(hex);
    let all = texts.iter().map(|text| bare(text)).chain(plain(value));
    let forms = all.map(|signs| signs.iter().map(|sign| sign.c).collect());
    forms.filter(|form: &Vec<char>| form.len() >= SIGNS_MIN).collect()
}

/// The signs that are the same whatever stands around the bytes, `before` of them in front.
fn base64(bytes: &[u8], before: usize) -> String {
    const ALPHABET: &[u8; 64] = b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
    let bytes: Vec<u8> = std::iter::repeat_n(0, before).chain(bytes.iter().copied()).collect();
    let mut encoded = String::new();
    for chunk in bytes.chunks(3) {
        let at = |index: usize| u32::from(chunk.get(index).copied().unwrap_or(0));
        let bits = at(0) << 16 | at(1) << 8 | at(2);
        for index in 0..chunk.len() * 8 / 6 {
            let six = bits >> (18 - 6 * index) & 0x3f;
            encoded.push(char::from(ALPHABET[six as usize]));
        }
    }
    encoded.split_off((before * 8).div_ceil(6))
}

#[cfg(test)]
mod tests;
