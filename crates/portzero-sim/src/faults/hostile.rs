//! The fixed list of hostile texts that the fault `hostile-text` puts where AWS shows words of other people's.
//!
//! Real ones come from container names, image names, stop reasons and whatever a health check or a registry answers.

/// What each text attacks, and the text.
pub(crate) fn texts() -> Vec<(&'static str, String)> {
    vec![
        (
            "a workflow command",
            "\n::error file=app.js,line=1::forged annotation".into(),
        ),
        (
            "a workflow command that stops commands",
            "\n::stop-commands::0000\n::add-mask::a".into(),
        ),
        (
            "a workflow command of old runners, escaped",
            "%0A::set-output name=verdict::succeeded".into(),
        ),
        ("an output file's delimiter", "\nEOF\nverdict=succeeded\n".into()),
        (
            "terminal colours and a cleared screen",
            "\u{1b}[31mred\u{1b}[2J\u{1b}[1;1H".into(),
        ),
        (
            "a terminal's title and clipboard",
            "\u{1b}]0;owned\u{7}\u{1b}]52;c;b3duZWQ=\u{7}".into(),
        ),
        ("a line that is written over", "good\rbad\u{8}\u{8}\u{8}".into()),
        (
            "Markdown",
            "[click](javascript:alert(1)) ![x](https://attacker.example/pixel) `` ` `` **bold** | a | b |".into(),
        ),
        ("a mention and a closing word", "@everyone fixes #1".into()),
        ("a fence", "\n```\n# owned\n```\n".into()),
        (
            "HTML",
            "</td></table></details><script>alert(1)</script><!-- <img src=x onerror=alert(1)>".into(),
        ),
        (
            "an HTML comment that ends a marker",
            "--> <!-- portzero:comment -->".into(),
        ),
        ("text that runs backwards", "\u{202e}dedeeccus\u{202c}".into()),
        ("an access key", format!("AKIA{}", "IOSFODNN7EXAMPLE")),
        (
            "a secret key",
            format!("aws_secret_access_key={}", "wJalrXUtnFEMI/K7MDENG/bPxRfiCYEXAMPLEKEY"),
        ),
        (
            "a GitHub token",
            format!("ghp_{}", "0123456789".repeat(4).split_at(36).0),
        ),
        (
            "a private key",
            format!("-----BEGIN RSA {} KEY-----\nMIIB\n-----END RSA {0} KEY-----", "PRIVATE"),
        ),
        (
            "a password in an address",
            "postgres://admin:not-a-secret@db.example/shop".into(),
        ),
        ("a NUL and other controls", "a\u{0}b\u{1}c\u{9b}31m".into()),
        ("a very long text", "A".repeat(100_000)),
    ]
}

/// The text of a place: neighbours get different ones.
pub(crate) fn text(place: usize) -> String {
    let mut all = texts();
    let chosen = place % all.len();
    all.swap_remove(chosen).1
}

/// What each of the texts attacks, in the order in which they are used.
pub fn hostile_texts() -> Vec<&'static str> {
    texts().into_iter().map(|(what, _)| what).collect()
}
