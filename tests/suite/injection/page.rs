//! How GitHub reads Markdown: comrak, whose original is GitHub's own parser, with GitHub's extensions, and what GitHub looks for
//! in the finished text.

use comrak::nodes::NodeValue;
use comrak::{Arena, Options, parse_document};

/// A page as its reader sees it.
#[derive(Debug, Default, PartialEq, Eq)]
pub struct Page {
    /// Every element in order, without the text in them.
    pub elements: Vec<String>,
    /// All that is shown.
    pub text: String,
    /// What of that GitHub would search for references.
    searched: String,
    pub html: Vec<String>,
    pub links: Vec<String>,
}

/// Breaks words invisibly.
pub const BREAK: char = '\u{200b}';

pub fn read(markdown: &str) -> Page {
    let mut options = Options::default();
    let extension = &mut options.extension;
    extension.autolink = true;
    extension.table = true;
    extension.strikethrough = true;
    extension.tasklist = true;
    extension.footnotes = true;
    extension.alerts = true;
    extension.math_dollars = true;
    extension.math_code = true;
    let arena = Arena::new();
    let mut page = Page::default();
    let mut is_code = false;
    for node in parse_document(&arena, markdown, &options).descendants() {
        let element = match &node.data().value {
            NodeValue::Text(text) => {
                page.text.push_str(text);
                if !is_code {
                    page.searched.push_str(text);
                }
                continue;
            }
            NodeValue::Code(code) => {
                page.text.push_str(&code.literal);
                "code".to_owned()
            }
            NodeValue::CodeBlock(block) => {
                page.text.push_str(&block.literal);
                format!("block of {}", block.info)
            }
            // A code span by another name.
            NodeValue::HtmlInline(html) if html == "<code>" => {
                is_code = true;
                "code".to_owned()
            }
            NodeValue::HtmlInline(html) if html == "</code>" => {
                is_code = false;
                continue;
            }
            NodeValue::HtmlInline(html) => {
                page.html.push(html.clone());
                "html".to_owned()
            }
            NodeValue::HtmlBlock(html) => {
                page.html.push(html.literal.clone());
                "html block".to_owned()
            }
            NodeValue::Link(link) | NodeValue::Image(link) => {
                page.links.push(link.url.clone());
                "link".to_owned()
            }
            NodeValue::SoftBreak | NodeValue::LineBreak => {
                page.text.push('\n');
                "break".to_owned()
            }
            other => format!("{other:?}").split(['(', '{', ' ']).next().unwrap().to_owned(),
        };
        // References do not reach over the end of an element.
        page.searched.push('\n');
        page.elements.push(element);
    }
    page
}

impl Page {
    /// What GitHub would turn into a link or a notification.
    pub fn references(&self) -> Vec<String> {
        let shapes = r"(?i)@[a-z0-9_]|#[0-9]|\bgh-[0-9]|\b[0-9a-f]{40}\b|[a-z]://|\bwww\.[a-z]";
        let shapes = regex_lite::Regex::new(shapes).unwrap();
        shapes
            .find_iter(&self.searched)
            .map(|found| found.as_str().to_owned())
            .collect()
    }

    /// Without what breaks words invisibly.
    pub fn visible(&self) -> String {
        self.text.replace(BREAK, "")
    }
}

#[test]
fn the_reader_sees_what_github_would_make_of_it() {
    for (markdown, element) in [
        ("www.evil.example", "link"),
        ("a@b.example", "link"),
        ("a\n===", "Heading"),
        ("a | b\n--|--\nc | d", "Table"),
        ("$x$", "Math"),
        ("x <b>", "html"),
        ("> [!NOTE]\n> x", "Alert"),
    ] {
        let page = read(markdown);
        assert!(page.elements.iter().any(|e| e == element), "{markdown}: {page:?}");
    }
    for reference in ["@octocat", "#1", "&#64;octocat", "GH-1", "\\#1"] {
        assert_eq!(read(reference).references().len(), 1, "{reference}");
    }
    assert!(read("`@octocat` <code>#1</code>").references().is_empty());
}
