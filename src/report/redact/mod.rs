//! What must not leave the program: credentials, wherever they turn up, and account ids where strangers read.
//!
//! A CI runner masks what it knows in its log; what is posted to an API, nobody masks but this.

use std::borrow::Cow;
use std::sync::LazyLock;

use portzero_core::values::{HIDDEN as SECRET, NO_SECRET, Values};
use regex_lite::{Captures, Regex};
use serde_json::Value;

use crate::report::text;

/// What stands for an account id: as long as one.
const ACCOUNT: &str = "************";

/// What is hidden from this run's readers. The default hides everything that is shaped like a credential.
#[derive(Clone, Debug, Default)]
pub struct Redaction {
    /// The twelve digits of an AWS account, in ARNs and registry names, and wherever else they stand in the same text.
    pub hides_account_ids: bool,
    /// The values that this run knows: credentials, and what its task definitions give to containers.
    pub known: Values,
}

impl Redaction {
    /// The text without anything that must not be seen. To apply it again changes nothing more.
    pub fn apply(&self, text: &str) -> String {
        let mut hidden = self.pass(text);
        if hidden == text {
            return hidden;
        }
        // What replaced one secret may complete the shape of another. Each further pass leaves fewer characters that are
        // no stars, so that this ends.
        loop {
            let again = self.pass(&hidden);
            if again == hidden {
                return hidden;
            }
            hidden = again;
        }
    }

    /// The text on one line ([`text::clean`]). A secret shows neither as it stands nor once what hid it is gone.
    pub fn line(&self, data: &str) -> String {
        self.after(&self.apply(data), text::clean)
    }

    /// The text as a block of lines ([`text::block`]).
    pub fn block(&self, data: &str) -> String {
        self.after(&self.apply(data), text::block)
    }

    /// What was hidden behind something else shows once that is gone.
    fn after(&self, hidden: &str, change: fn(&str) -> String) -> String {
        let changed = change(hidden);
        if changed == hidden {
            changed
        } else {
            self.apply(&changed)
        }
    }

    /// A text that somebody else will read as it is: it keeps what has no width, unless a secret hides behind it.
    pub fn whole(&self, data: &str) -> String {
        let hidden = self.apply(data);
        let tame = text::block(&hidden);
        let again = self.apply(&tame);
        if again == tame { hidden } else { again }
    }

    /// Each text in a document; its keys are ours.
    pub fn apply_json(&self, document: &mut Value) {
        each_text(document, &|text| self.whole(text));
    }

    /// A document of the user's own, which is handed over on request: only the exact values are hidden.
    pub fn apply_json_known(&self, document: &mut Value) {
        each_text(document, &|text| self.known.hide(text).into_owned());
    }

    fn pass(&self, text: &str) -> String {
        let mut hidden = self.known.hide(text).into_owned();
        for rule in RULES.iter() {
            if let Cow::Owned(changed) = rule.apply(&hidden) {
                hidden = changed;
            }
        }
        if self.hides_account_ids {
            hidden = without_accounts(&hidden);
        }
        hidden
    }
}

fn each_text(document: &mut Value, change: &impl Fn(&str) -> String) {
    match document {
        Value::String(text) => *text = change(text),
        Value::Array(items) => items.iter_mut().for_each(|item| each_text(item, change)),
        Value::Object(members) => members.values_mut().for_each(|member| each_text(member, change)),
        Value::Null | Value::Bool(_) | Value::Number(_) => {}
    }
}

/// One shape of a credential.
struct Rule {
    /// One of these is in every text that it can be in, in lower case: most texts need no closer look.
    hints: &'static [&'static str],
    /// Group 1 is the secret.
    shape: Option<Regex>,
    is_secret: fn(&str) -> bool,
}

impl Rule {
    fn apply<'t>(&self, text: &'t str) -> Cow<'t, str> {
        let Some(shape) = &self.shape else {
            return Cow::Borrowed(text);
        };
        if !self.hints.iter().any(|hint| contains_in_any_case(text, hint)) {
            return Cow::Borrowed(text);
        }
        shape.replace_all(text, |found: &Captures<'_>| {
            let part = |index| found.get(index).map_or(0..0, |part| part.range());
            let (all, secret) = (part(0), part(1));
            if (self.is_secret)(&text[secret.clone()]) {
                format!(
                    "{}{SECRET}{}",
                    &text[all.start..secret.start],
                    &text[secret.end..all.end]
                )
            } else {
                text[all].to_owned()
            }
        })
    }
}

fn contains_in_any_case(text: &str, hint: &str) -> bool {
    let (text, hint) = (text.as_bytes(), hint.as_bytes());
    text.windows(hint.len()).any(|part| part.eq_ignore_ascii_case(hint))
}

/// A value that has a name which says that it is secret. ARNs of secrets are names, too.
fn is_value(value: &str) -> bool {
    // The end of `arn:…:secret:db-AbCdEf:password::` is none.
    value != NO_SECRET && !value.chars().all(|c| c == ':') && !value.trim_start_matches(['"', '\'']).starts_with("arn:")
}

/// Words of prose have no digits, and no capitals but the first: `basic authentication`, `security token included`.
fn is_random(value: &str) -> bool {
    value.bytes().any(|b| b.is_ascii_digit() || b"+/=_".contains(&b))
        || value.bytes().skip(1).any(|b| b.is_ascii_uppercase())
}

type Shape = (&'static [&'static str], &'static str, fn(&str) -> bool);

fn always(_: &str) -> bool {
    true
}

/// The shapes, the wider ones first. Where a value has no shape of its own, a hidden one ends where its stars end.
/// What portzero prints all day is none of them: digests, commits, task ids.
const SHAPES: &[Shape] = &[
    (
        &["private key"],
        r"(-----BEGIN [A-Z0-9 ]*PRIVATE KEY(?: BLOCK)?-----(?:[\s\S]*?-----END [A-Z0-9 ]*PRIVATE KEY(?: BLOCK)?-----|[A-Za-z0-9+/=\s\\⏎]*))",
        always,
    ),
    // A connection string. The name of a user stays, an image's digest has no scheme before it.
    (&["://"], r"://[^\s/:@]*:([^\s/]+)@", always),
    // Presigned requests, also of other clouds.
    (
        &["signature", "x-amz-", "sig=", "accesskeyid="],
        r#"(?i)(?:x-amz-(?:signature|security-token|credential)|[?&;](?:awsaccesskeyid|sig)|\bsignature)=([^&\s"'<>`]+)"#,
        always,
    ),
    (
        &["bearer", "basic"],
        r"(?i)\b(?:bearer|basic)\s+([a-z0-9._~+/=-]{8,})",
        is_random,
    ),
    (
        &["authorization"],
        r#"(?i)\bauthorization["']?\s?[:=]\s?["']?(?:(?:bearer|basic|token|negotiate)\s+)?(\*\*\*|[^\s"'`<>&]+)"#,
        always,
    ),
    (
        &["akia", "asia", "abia", "acca"],
        r"((?:AKIA|ASIA|ABIA|ACCA)[A-Z0-9]{16,})",
        always,
    ),
    (
        &["gh", "glpat-", "npm_", "dckr_pat_", "_live_", "aiza"],
        r"((?:gh[pousr]_|github_pat_|glpat-|dckr_pat_|[sr]k_live_)[A-Za-z0-9_-]{16,}(?:\.[A-Za-z0-9_-]+)*|npm_[A-Za-z0-9]{36}|AIza[A-Za-z0-9_-]{35})",
        always,
    ),
    (
        &["xox", "xapp-", "slack.com"],
        r"((?:xox[a-z]|xapp)-[A-Za-z0-9-]{8,}|hooks\.slack\.com/[A-Za-z]+/[A-Za-z0-9/_-]+)",
        always,
    ),
    // JSON web tokens, and the longer tokens that begin as they do (registry logins).
    (
        &["eyj"],
        r"(eyJ[A-Za-z0-9_-]{8,}(?:\.[A-Za-z0-9_-]*){2,4}|eyJ[A-Za-z0-9+/_-]{100,}={0,2})",
        always,
    ),
    // `DB_PASSWORD=x`, `token = "x"`.
    (
        &["pass", "pwd", "secret", "token", "key", "credential"],
        r#"(?i)(?:password|passwd|passphrase|\bpwd|_pwd|secret|token|api[_-]?key|access[_-]?key|private[_-]?key|credentials?)[a-z0-9_]*["']?(?: = |=)(\*\*\*|"(?:[^"\\]|\\.)*"|'[^']*'|["'`]?[^\s"'`&;<>]+)"#,
        is_value,
    ),
    // `"password": "x"`, `SecretAccessKey: x`: only names that prose puts no colon after.
    (
        &["pass", "secret", "token", "key"],
        r#"(?i)(?:password|passwd|passphrase|secret[_-]?access[_-]?key|session[_-]?token|security[_-]?token|client[_-]?secret|api[_-]?key|private[_-]?key|access[_-]?token|refresh[_-]?token)["']?\s?:\s?(\*\*\*|"(?:[^"\\]|\\.)*"|'[^']*'|["'`]?[^\s"'`&;<>]+)"#,
        is_value,
    ),
    // The same in XML, in tables and in prose.
    (
        &["secret", "token"],
        r"(?i)(?:secret[_ -]?access[_ -]?key|session[_ -]?token|security[_ -]?token)[^a-z0-9/+*]{1,8}([a-z0-9/+=]{16,})",
        is_random,
    ),
];

static RULES: LazyLock<Vec<Rule>> = LazyLock::new(|| {
    let rule = |(hints, shape, is_secret): &Shape| Rule {
        hints,
        // That every shape is understood is tested.
        shape: Regex::new(shape).ok(),
        is_secret: *is_secret,
    };
    SHAPES.iter().map(rule).collect()
});

/// Where twelve digits are an account: in an ARN, a registry's host, a queue's address, before a role, after the word.
const ACCOUNT_PLACES: &str = r#"(?i)(?:\barn:[a-z0-9-]*:[a-z0-9-]*:[a-z0-9-]*:|\baccount(?:s|[ _-]?id)?(?:["'`]?[\s:=]+|[ (])["'`(]?|\.amazonaws\.com/)([0-9]{12})(?:[^0-9]|$)|\b([0-9]{12})(?:\.dkr[.-]ecr|:(?:role|assumed-role|user|root|federated-user)\b)"#;

fn without_accounts(text: &str) -> String {
    static PLACES: LazyLock<Option<Regex>> = LazyLock::new(|| Regex::new(ACCOUNT_PLACES).ok());
    let Some(places) = &*PLACES else {
        return text.to_owned();
    };
    let mut accounts: Vec<&str> = places
        .captures_iter(text)
        .filter_map(|found| found.get(1).or_else(|| found.get(2)))
        .map(|account| account.as_str())
        .collect();
    accounts.sort_unstable();
    accounts.dedup();
    accounts
        .into_iter()
        .fold(text.to_owned(), |text, account| without_account(&text, account))
}

/// Everywhere, but not as a part of a longer number.
fn without_account(text: &str, account: &str) -> String {
    let mut hidden = String::with_capacity(text.len());
    let mut from = 0;
    for (at, _) in text.match_indices(account) {
        let end = at + account.len();
        let is_inside = |c: char| c.is_ascii_digit();
        if !text[..at].ends_with(is_inside) && !text[end..].starts_with(is_inside) {
            hidden.push_str(&text[from..at]);
            hidden.push_str(ACCOUNT);
            from = end;
        }
    }
    hidden.push_str(&text[from..]);
    hidden
}

#[cfg(test)]
mod tests;
