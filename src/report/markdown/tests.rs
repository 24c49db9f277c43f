//! The exact forms; what a parser makes of them is shown in tests/suite/injection.rs.

use serde_json::json;

use super::Markdown;
use crate::report::redact::Redaction;

fn with<T>(work: impl Fn(Markdown<'_>) -> T) -> T {
    work(Markdown::new(&Redaction::default()))
}

fn text(data: &str) -> String {
    with(|markdown| markdown.text(data))
}

fn code(data: &str) -> String {
    with(|markdown| markdown.code(data))
}

#[test]
fn plain_words_stay_plain() {
    assert_eq!(
        text("web:42 is healthy, 2/2 targets - 1.5 s"),
        "web:42 is healthy, 2/2 targets - 1.5 s"
    );
}

#[test]
fn signs_are_escaped_and_references_are_broken() {
    for (data, expected) in [
        ("*a* _b_ [c](d) ~e~ `f`", r"\*a\* \_b\_ \[c\]\(d\) \~e\~ \`f\`"),
        ("<b>&amp;|", "&lt;b&gt;&amp;amp;&#124;"),
        ("@octocat a@b.c", "\\@\u{200b}octocat a@\u{200b}b.c"),
        (
            "#1 GH-2 gh-3 o/r#4",
            "\\#\u{200b}1 GH-\u{200b}2 gh-\u{200b}3 o/r\\#\u{200b}4",
        ),
        ("https://x.y WWW.x.y", "https:\u{200b}//x.y WWW\u{200b}.x.y"),
        ("- a", r"\- a"),
        ("1. a", r"1\. a"),
        ("==", r"\=="),
        ("  a\n# b  ", "a ⏎ \\# b"),
        ("token=abc", "token=\\*\\*\\*"),
    ] {
        assert_eq!(text(data), expected);
    }
    let commit = "90ae400f3c1d2e4b5a69788796a5b4c3d2e1f001";
    assert_eq!(text(commit), format!("{}\u{200b}{}", &commit[..20], &commit[20..]));
    for id in [&commit[..32], &commit.repeat(2)[..64]] {
        assert_eq!(text(id), id, "no commit");
    }
}

#[test]
fn a_code_span_is_longer_than_what_it_holds() {
    for (data, expected) in [
        ("a", "`a`"),
        ("a`b", "``a`b``"),
        ("`a``", "``` `a`` ```"),
        (" a", "`  a `"),
        ("  ", "`  `"),
        ("", "<code></code>"),
        ("a|`b", "<code>a&#124;&#96;b</code>"),
        ("<!-- @x #1", "`<!-- @x #1`"),
    ] {
        assert_eq!(code(data), expected);
    }
}

#[test]
fn a_fence_is_longer_than_what_it_holds() {
    let fence = |language: &str, data: &str| with(|markdown| markdown.fence(language, data));
    assert_eq!(fence("text", "a\nb\n"), "```text\na\nb\n```\n");
    assert_eq!(fence("a`\nb", "x\n````\n"), "`````ab\nx\n````\n`````\n");
}

#[test]
fn only_the_web_is_linked_to() {
    let link = |label: &str, url: &str| with(|markdown| markdown.link(label, url));
    assert_eq!(
        link("run [1]", "https://h/a?b=1&c=(2)"),
        r"[run \[1\]](https://h/a?b=1&amp;c=%282%29)"
    );
    assert_eq!(
        link("x", "HTTP://h/a b\"%41%zz<>ä"),
        "[x](http://h/a%20b%22%41%25zz%3C%3E%C3%A4)"
    );
    for url in [
        "javascript:alert(1)",
        "//h",
        "https://",
        "https:// h",
        "https://h\n\n<b>",
        "data:x",
    ] {
        assert_eq!(link("x", url), "x", "{url}");
    }
}

#[test]
fn what_unfolds_has_an_inert_summary() {
    let details = with(|markdown| markdown.details("<b>*x*</b> @me", "\nbody\n"));
    assert_eq!(
        details,
        "<details><summary>&lt;b&gt;&#42;x&#42;&lt;&#47;b&gt; &#64;\u{200b}me</summary>\n\nbody\n\n</details>\n"
    );
}

#[test]
fn json_in_a_comment_cannot_end_it() {
    let value = json!({"key": "a-->b<!--\"\\", "n": -1.5e-3, "t": "token=abc"});
    let text = with(|markdown| markdown.comment_json(&value));
    assert!(!text.contains("--") && !text.contains('>'), "{text}");
    let read: serde_json::Value = serde_json::from_str(&text).unwrap();
    assert_eq!(read, json!({"key": "a-->b<!--\"\\", "n": -1.5e-3, "t": "token=***"}));
}

#[test]
fn a_name_in_a_diagram_is_a_name() {
    let mermaid = |data: &str| with(|markdown| markdown.mermaid(data));
    for (data, expected) in [
        ("web:42 (new)", "web 42 new"),
        ("%%{init: {'theme':'x'}}%%", "_init theme x"),
        ("click a href \"x\"", "_click a href x"),
        ("Section-b", "_Section-b"),
        ("2026-01-01", "_2026-01-01"),
        ("a --> b", "a - b"),
        ("#;`", "-"),
        ("sectional", "sectional"),
    ] {
        assert_eq!(mermaid(data), expected);
    }
    assert_eq!(mermaid(&"ä".repeat(100)).chars().count(), 60);
}
