//! Encodings, as other programs write them. None of this is the code that hides values.

pub type Encoding = (&'static str, fn(&str, &mut fastrand::Rng) -> String);

pub const ALL: [Encoding; 21] = [
    ("as it is", |text, _| text.to_owned()),
    ("trimmed", |text, _| text.trim().to_owned()),
    ("JSON", |text, _| json(text)),
    ("JSON in ASCII", |text, _| json_ascii(text)),
    ("JSON in JSON", |text, _| json(&json(text))),
    ("percent", |text, _| percent(text, false)),
    ("percent, every sign", |text, _| percent(text, true)),
    ("form", |text, _| percent(text, false).replace("%20", "+")),
    ("percent of JSON", |text, _| percent(&json(text), false)),
    ("HTML", |text, _| html(text)),
    ("HTML, every sign", |text, _| {
        text.chars().map(|c| format!("&#{};", u32::from(c))).collect()
    }),
    ("HTML of JSON", |text, _| html(&json(text))),
    ("shell", |text, _| format!("'{}'", text.replace('\'', "'\\''"))),
    ("shell, backslashes", |text, _| backslashes(text)),
    ("shell, octal", |text, _| octal(text)),
    ("base64", |text, rng| base64(text, rng, *b"+/")),
    ("base64 for URLs", |text, rng| base64(text, rng, *b"-_")),
    ("hexadecimal", |text, _| {
        text.bytes().map(|byte| format!("{byte:02x}")).collect()
    }),
    ("no width", |text, rng| between(text, rng, "\u{200b}")),
    ("escape sequences", |text, rng| between(text, rng, "\u{1b}[1m")),
    ("wrapped", |text, rng| between(text, rng, "\n")),
];

fn json(text: &str) -> String {
    let quoted = serde_json::Value::from(text).to_string();
    quoted[1..quoted.len() - 1].to_owned()
}

fn json_ascii(text: &str) -> String {
    let mut units = [0; 2];
    let mut out = String::new();
    for c in json(text).chars() {
        if c.is_ascii() && !matches!(c, '<' | '>' | '&' | '/') {
            out.push(c);
        } else if c == '/' {
            out.push_str("\\/");
        } else {
            c.encode_utf16(&mut units)
                .iter()
                .for_each(|unit| out.push_str(&format!("\\u{unit:04X}")));
        }
    }
    out
}

fn percent(text: &str, is_every: bool) -> String {
    let is_kept = |byte: u8| !is_every && (byte.is_ascii_alphanumeric() || b"-_.~".contains(&byte));
    text.bytes().fold(String::new(), |mut out, byte| {
        if is_kept(byte) {
            out.push(char::from(byte));
        } else {
            out.push_str(&format!("%{byte:02X}"));
        }
        out
    })
}

fn html(text: &str) -> String {
    text.chars().fold(String::new(), |mut out, c| {
        match c {
            '<' => out.push_str("&lt;"),
            '>' => out.push_str("&gt;"),
            '&' => out.push_str("&amp;"),
            '"' => out.push_str("&quot;"),
            '\'' => out.push_str("&#39;"),
            c => out.push(c),
        }
        out
    })
}

fn backslashes(text: &str) -> String {
    text.chars().fold(String::new(), |mut out, c| {
        if !c.is_alphanumeric() {
            out.push('\\');
        }
        out.push(c);
        out
    })
}

fn octal(text: &str) -> String {
    text.bytes().fold(String::new(), |mut out, byte| {
        match byte {
            b'\\' | b'\'' => out.extend(['\\', char::from(byte)]),
            0x20..=0x7e => out.push(char::from(byte)),
            byte => out.push_str(&format!("\\{byte:03o}")),
        }
        out
    })
}

/// Of the text within another one, so that it begins at any of three places.
fn base64(text: &str, rng: &mut fastrand::Rng, last: [u8; 2]) -> String {
    let around = ["", "u", "u:", "user:"];
    let whole = format!(
        "{}{text}{}",
        rng.choice(around).unwrap_or(""),
        rng.choice(around).unwrap_or("")
    );
    let bits: String = whole.bytes().map(|byte| format!("{byte:08b}")).collect();
    let mut out = String::new();
    for six in bits.as_bytes().chunks(6) {
        let six = six.iter().chain(b"00000").take(6);
        let index = six.fold(0_u8, |sum, bit| sum << 1 | (bit - b'0'));
        out.push(char::from(match index {
            0..=25 => b'A' + index,
            26..=51 => b'a' + index - 26,
            52..=61 => b'0' + index - 52,
            index => last[usize::from(index - 62)],
        }));
    }
    out.push_str(&"=".repeat((3 - whole.len() % 3) % 3));
    out
}

fn between(text: &str, rng: &mut fastrand::Rng, what: &str) -> String {
    let every = rng.usize(1..4);
    text.chars().enumerate().fold(String::new(), |mut out, (at, c)| {
        if at > 0 && at % every == 0 {
            out.push_str(what);
        }
        out.push(c);
        out
    })
}
