//! From a seed to secrets, in every place of a task definition, of a configuration and of what AWS and containers say.

use serde_json::{Value, json};

use super::encode;

/// Something that nobody may see. The mark is a part of it that no encoding of letters changes.
#[derive(Clone, Debug)]
pub struct Secret {
    pub value: String,
    pub mark: String,
}

#[derive(Clone, Debug)]
pub struct Case {
    pub before: Value,
    pub after: Value,
    /// Values of containers, of the definition that ran and of the new one.
    pub given: Vec<Secret>,
    /// What stands in commands, labels, options, tags and under misspelt keys.
    pub written: Vec<Secret>,
    /// What a configuration took from the environment of the process.
    pub inherited: Secret,
    /// A credential of the run.
    pub credential: Secret,
    /// What AWS or a container said, with values in it, and how they are encoded there.
    pub said: Vec<(String, &'static str)>,
    /// The beginning of an answer that was cut off.
    pub body: String,
    /// What a text has from the configuration.
    pub configured: String,
}

const AWKWARD: [&str; 30] = [
    "\"", "'", "\\", "%", "&", "<", ">", "+", " ", "/", "=", "`", "$", ";", "|", ":", "@", "#", "*", "_", "~", "ä",
    "😀", "\t", "{", "}", "(", "!", "%41", "\\n",
];

pub fn case(seed: u64) -> Case {
    let rng = &mut fastrand::Rng::with_seed(seed);
    let given: Vec<Secret> = (0..4).map(|_| secret(rng)).collect();
    let written: Vec<Secret> = (0..9).map(|_| secret(rng)).collect();
    let (inherited, credential) = (secret(rng), plain(rng));
    let before = definition(&given[..2], &written[..1], 41);
    let after = definition(&given[2..], &written[1..], 42);
    let said = (0..4)
        .map(|_| {
            let one = rng.usize(0..given.len() + 1);
            said(given.get(one).unwrap_or(&credential), rng)
        })
        .collect();
    let body = after.to_string().chars().take(rng.usize(150..600)).collect();
    let configured = format!("the cluster `{}` is not there", inherited.value);
    Case {
        before,
        after,
        given,
        written,
        inherited,
        credential,
        said,
        body,
        configured,
    }
}

fn mark(rng: &mut fastrand::Rng) -> String {
    let mut mark: String = (0..11).map(|_| rng.alphanumeric()).collect();
    mark.push(char::from(b'0' + rng.u8(0..10)));
    mark
}

fn plain(rng: &mut fastrand::Rng) -> Secret {
    let mark = mark(rng);
    Secret {
        value: mark.clone(),
        mark,
    }
}

fn secret(rng: &mut fastrand::Rng) -> Secret {
    let mark = mark(rng);
    let value = match rng.u8(0..6) {
        0 => mark.clone(),
        1 => format!("postgres://shop:{mark}@db.internal:5432/shop"),
        2 => format!("-----BEGIN-----\n{mark}\nlast line of it\n"),
        3 => format!("  {mark} {}  ", awkward(rng)),
        _ => format!("{}{mark}{}", awkward(rng), awkward(rng)),
    };
    Secret { value, mark }
}

fn awkward(rng: &mut fastrand::Rng) -> String {
    (0..rng.usize(1..5)).filter_map(|_| rng.choice(AWKWARD)).collect()
}

fn definition(given: &[Secret], written: &[Secret], tag: u32) -> Value {
    let word = |at: usize| {
        written
            .get(at % written.len())
            .map_or("", |secret| secret.value.as_str())
    };
    json!({
        "family": "web", "tags": [{"key": "team", "value": word(0)}], "taskRoleArm": word(1),
        "volumes": [{"name": "data", "dockerVolumeConfiguration": {"driverOpts": {"o": word(2)}, "labels": {"l": word(3)}}}],
        "containerDefinitions": [{
            "name": "web", "image": format!("example/web:{tag}"), "cpu": 256, "memory": tag,
            "environment": [
                {"name": "GREETING", "value": given[0].value}, {"name": "DB_PASSWORD", "value": given[1].value},
                {"name": "SLIP", "vaule": word(4)},
            ],
            "command": ["serve", "-p", word(5)], "entryPoint": ["sh", "-c", format!("exec app {}", word(6))],
            "healthCheck": {"command": ["CMD-SHELL", format!("curl -u x:{} localhost", word(7))]},
            "dockerLabels": {"traefik": word(0)},
            "logConfiguration": {"logDriver": "splunk", "options": {"splunk-source": word(1)}},
        }]
    })
}

fn said(secret: &Secret, rng: &mut fastrand::Rng) -> (String, &'static str) {
    let part = match rng.u8(0..4) {
        // A part that is hidden for itself: a line, or the password of an address.
        0 if secret.value.contains('\n') || secret.value.starts_with("postgres://") => secret.mark.as_str(),
        _ => secret.value.as_str(),
    };
    let (name, encode) = encode::ALL[rng.usize(0..encode::ALL.len())];
    let mut encoded = encode(part, rng);
    let mut how = name;
    if part == secret.mark && rng.u8(0..8) == 0 {
        encoded = format!("{}…", &part[..10]);
        how = "cut";
    }
    let before = [
        "",
        " ",
        "x=",
        "\"",
        "`",
        "(",
        "{\"value\":\"",
        "⏎ ",
        "<b>",
        "\n",
        "::error::",
        "::",
    ];
    let after = ["", " ", "\"", "`", ")", "\"}", "</b>", "\n", ", and more", "…"];
    let filler = match rng.u8(0..10) {
        // Where it is cut, a value may be.
        0 => "x ".repeat(rng.usize(980..1_010)),
        _ => "ResourceInitializationError: unable to start: ".to_owned(),
    };
    let text = format!(
        "{filler}{}{encoded}{}",
        rng.choice(before).unwrap_or(""),
        rng.choice(after).unwrap_or("")
    );
    (text, how)
}
