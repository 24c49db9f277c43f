//! Which values a task definition has, and which of its words everybody may read.

use serde_json::Value;

/// The longest word that a sentence of ours or of AWS's may have.
const WORD_CHARS_MAX: usize = 15;

/// Whether a name says that its value is a credential.
pub fn is_telling(name: &str) -> bool {
    let name: String = name.to_lowercase().chars().filter(|c| !"-_.".contains(*c)).collect();
    [
        "password",
        "passwd",
        "passphrase",
        "secret",
        "token",
        "apikey",
        "accesskey",
        "privatekey",
        "credential",
        "signingkey",
        "encryptionkey",
    ]
    .iter()
    .any(|word| name.contains(word))
}

/// Whether a name says that its value is none: what a build or a deployment is called.
pub fn is_harmless(name: &str) -> bool {
    const WORDS: [&str; 18] = [
        "TAG",
        "IMAGE",
        "SHA",
        "COMMIT",
        "VERSION",
        "REVISION",
        "BRANCH",
        "REF",
        "REGION",
        "CLUSTER",
        "ENVIRONMENT",
        "ENV",
        "SERVICE",
        "STAGE",
        "FAMILY",
        "ACCOUNT",
        "REGISTRY",
        "REPOSITORY",
    ];
    let name = name.to_ascii_uppercase();
    !is_telling(&name) && name.split('_').any(|word| WORDS.contains(&word))
}

/// A number, a region, or a word of prose: to hide it would make every sentence that has it unreadable.
pub(super) fn is_ordinary(value: &str) -> bool {
    let value = value.trim();
    let is_number = value.bytes().all(|b| b.is_ascii_digit() || b == b'.');
    let is_word = value.bytes().all(|b| b.is_ascii_lowercase()) && value.len() <= WORD_CHARS_MAX;
    is_number || is_word || is_region(value)
}

/// `us-east-1`, `us-gov-west-1`
fn is_region(value: &str) -> bool {
    let parts: Vec<&str> = value.split('-').collect();
    let Some((number, words)) = parts.split_last() else {
        return false;
    };
    matches!(words.len(), 2 | 3)
        && number.len() == 1
        && number.bytes().all(|b| b.is_ascii_digit())
        && words[0].len() == 2
        && words
            .iter()
            .all(|word| !word.is_empty() && word.len() <= 9 && word.bytes().all(|b| b.is_ascii_lowercase()))
}

/// The names and values of all containers' environment variables.
pub(super) fn variables(document: &Value) -> impl Iterator<Item = (&str, &str)> {
    let containers = document.get("containerDefinitions").and_then(Value::as_array);
    let variables = containers
        .into_iter()
        .flatten()
        .filter_map(|container| container.get("environment")?.as_array());
    variables.flatten().filter_map(|variable| {
        let name = variable.get("name").and_then(Value::as_str).unwrap_or_default();
        Some((name, variable.get("value")?.as_str()?))
    })
}

/// What a plan shows of a definition by its nature: families, containers, images, roles, where logs go.
pub(super) fn names(document: &Value) -> Vec<&str> {
    const OF_DOCUMENT: [&str; 4] = ["family", "taskRoleArn", "executionRoleArn", "taskDefinitionArn"];
    let mut names: Vec<&str> = OF_DOCUMENT
        .iter()
        .filter_map(|key| document.get(key)?.as_str())
        .collect();
    let containers = document.get("containerDefinitions").and_then(Value::as_array);
    for container in containers.into_iter().flatten() {
        names.extend(["name", "image"].iter().filter_map(|key| container.get(key)?.as_str()));
        let options = container.get("logConfiguration").and_then(|log| log.get("options"));
        let logs = ["awslogs-group", "awslogs-stream-prefix"].iter();
        names.extend(logs.filter_map(|key| options?.get(key)?.as_str()));
    }
    names
}

/// A value as a whole, each of its lines, and the password of an address.
pub(super) fn parts(value: &str) -> Vec<&str> {
    let whole = value.trim();
    let mut parts = vec![whole];
    if whole.contains(['\n', '\r']) {
        parts.extend(whole.split(['\n', '\r']).map(str::trim));
    }
    parts.extend(password(whole));
    parts
}

/// `scheme://user:PASSWORD@host`
fn password(value: &str) -> Option<&str> {
    let (_, rest) = value.split_once("://")?;
    let (user, _) = rest.rsplit_once('@')?;
    Some(user.split_once(':')?.1)
}
