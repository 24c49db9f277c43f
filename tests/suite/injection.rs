//! Hostile text on every surface, judged by readers that are not portzero: the runner's parsers, and GitHub's of Markdown.

mod corpus;
pub mod page;
mod program;

use portzero::report::annotation::Annotation;
use portzero::report::markdown::Markdown;
use portzero::report::redact::Redaction;
use portzero::report::{annotation, env_file, text};
use portzero_core::base::finding::{Location, Severity};
use serde_json::{Value, json};

use crate::support::runner_files;

fn redaction() -> Redaction {
    Redaction {
        hides_account_ids: false,
        known: [corpus::KNOWN].into_iter().collect(),
    }
}

/// Nothing that moves a cursor, hides or turns text, or begins a line of its own.
#[track_caller]
fn assert_tame(shown: &str, is_line: bool) {
    let is_wild = |c: char| {
        c.is_control() && !(c == '\t' || c == '\n' && !is_line)
            || matches!(c, '\u{2028}' | '\u{2029}' | '\u{200b}'..='\u{200f}' | '\u{202a}'..='\u{202e}' | '\u{2060}'..='\u{206f}'
                | '\u{ad}' | '\u{feff}' | '\u{e0000}'..='\u{e007f}')
    };
    assert!(!shown.contains(is_wild), "{shown:?}");
}

#[test]
fn the_corpus_is_worth_its_name() {
    let texts = corpus::texts();
    assert!(texts.len() >= 100, "{}", texts.len());
    let commands = texts
        .iter()
        .filter(|text| !runner_files::commands(text).is_empty())
        .count();
    assert!(commands >= 20, "{commands} of them are commands as they stand");
    let benign = page::read("word").elements;
    let active = texts.iter().filter(|text| {
        let page = page::read(text);
        page.elements != benign || !page.references().is_empty()
    });
    assert!(active.count() >= 50);
}

#[test]
fn no_line_of_a_log_is_a_command() {
    for data in corpus::texts() {
        let clean = text::clean(&data);
        assert_tame(&clean, true);
        for block in [
            data.clone(),
            clean.clone(),
            format!("{clean}\n"),
            format!("  12s  web  {data}\n{data}"),
        ] {
            let log = text::log(&block);
            assert_eq!(runner_files::commands(&log), [], "{data:?} -> {log:?}");
            assert_tame(&log, false);
            assert_eq!(text::log(&log), log, "once is enough");
        }
    }
}

#[test]
fn no_document_is_a_command_and_each_says_what_it_said() {
    for data in corpus::texts() {
        let value = json!({ "services": [{ "name": data, (data.as_str()): 1.5 }] });
        for document in [value.to_string(), format!("{value:#}")] {
            let inert = text::json(&document);
            assert_eq!(runner_files::commands(&inert), [], "{inert}");
            assert_tame(&inert, false);
            assert_eq!(serde_json::from_str::<Value>(&inert).unwrap(), value);
        }
    }
}

#[test]
fn an_annotation_is_one_command_with_our_properties() {
    for data in corpus::texts() {
        let location = Location {
            file: data.clone(),
            line: 3,
            column: 7,
        };
        let annotation = Annotation {
            severity: Severity::Error,
            title: data.clone(),
            message: data.clone(),
            location: Some(location),
        };
        let commands = annotation::commands(&[annotation], &redaction());
        let [line] = commands.as_slice() else {
            panic!("{commands:?}")
        };
        let read = runner_files::commands(line);
        let [command] = read.as_slice() else {
            panic!("{data:?} -> {line}: {read:?}")
        };
        assert_eq!(command.name, "error");
        let shown = text::clean(&data);
        let is_shown = !shown.trim().is_empty();
        let expected: Vec<&str> = if is_shown {
            vec!["col", "file", "line", "title"]
        } else {
            vec![]
        };
        assert_eq!(command.properties.keys().collect::<Vec<_>>(), expected, "{line}");
        if is_shown {
            assert_eq!(
                (command.properties["line"].as_str(), command.properties["col"].as_str()),
                ("3", "7")
            );
            assert_eq!(command.properties["file"].trim(), shown.replace("##[", "# #[").trim());
            let title = &command.properties["title"];
            assert!(title.replace("# #[", "##[").chars().count() <= 120, "{title}");
        }
        assert!(command.data.encode_utf16().count() <= 4_096);
        assert_tame(&command.data, false);
        assert_eq!(
            runner_files::commands(&command.data),
            [],
            "not even if it were printed as it is"
        );
    }
}

#[test]
fn an_output_comes_back_as_it_was_given_and_alone() {
    let delimiter = env_file::delimiter([7; 16]);
    for data in corpus::texts() {
        let pairs = [("first", data.clone()), ("second", "x".to_owned())];
        let file = env_file::entries(&pairs, &delimiter).unwrap();
        let value = data.replace("\r\n", "\n").replace('\r', "\n").replace('\0', "");
        let expected = [("first".to_owned(), value), ("second".to_owned(), "x".to_owned())];
        assert_eq!(runner_files::entries(&file).unwrap(), expected, "{data:?}");
        if let Ok(file) = env_file::entries(&[(data.as_str(), "x".to_owned())], &delimiter) {
            assert_eq!(runner_files::entries(&file).unwrap(), [(data, "x".to_owned())]);
        }
        let held = format!("a\n{delimiter}\nevil=1");
        assert!(env_file::entries(&[("first", held)], &delimiter).is_err());
    }
}

/// Where our pages have data, with a stand-in for it.
const PLACES: [&str; 9] = [
    "before DATA after",
    "DATA",
    "words\nDATA\nwords",
    "- DATA\n- x",
    "1. DATA",
    "## DATA",
    "> DATA",
    "| a | b |\n|---|---|\n| DATA | x |\n| y | DATA |",
    "**DATA**: *DATA*",
];

/// On every place the page has the elements that it has with a harmless word, shows the data, and refers to nobody.
#[track_caller]
fn assert_inert(written: &str, harmless: &str, shown: &str) {
    for place in PLACES {
        if shown.is_empty() {
            continue;
        }
        let page = page::read(&place.replace("DATA", written));
        let expected = page::read(&place.replace("DATA", harmless));
        assert_eq!(page.elements, expected.elements, "{place}: {written}");
        assert!(
            page.visible().contains(shown),
            "{place}: {written}: {:?} is not {shown:?}",
            page.visible()
        );
        assert_eq!(page.references(), [""; 0], "{place}: {written}");
    }
}

#[test]
fn text_in_markdown_is_text() {
    let redaction = redaction();
    let markdown = Markdown::new(&redaction);
    for data in corpus::texts() {
        let written = markdown.text(&data);
        assert_inert(&written, "word", redaction.line(&data).trim());
        assert!(!written.contains(['<', '>', '\n']), "{written}");
    }
}

#[test]
fn code_in_markdown_is_that_code() {
    let redaction = redaction();
    let markdown = Markdown::new(&redaction);
    for data in corpus::texts() {
        assert_inert(&markdown.code(&data), "`word`", &redaction.line(&data));
    }
}

#[test]
fn a_fence_holds_all_and_nothing_else() {
    let redaction = redaction();
    let markdown = Markdown::new(&redaction);
    for data in corpus::texts() {
        let page = page::read(&format!("a\n\n{}\nb", markdown.fence("text", &data)));
        assert_eq!(
            page.elements,
            ["Document", "Paragraph", "block of text", "Paragraph"],
            "{data:?}"
        );
        let expected = format!("a{}\nb", redaction.block(&data).trim_end_matches('\n'));
        assert_eq!(page.text, expected);
    }
}

#[test]
fn s07_a_finished_page_on_a_stream_is_still_that_page_and_no_command() {
    let redaction = redaction();
    let markdown = Markdown::new(&redaction);
    for data in corpus::texts() {
        let written = format!(
            "# {}\n\n{} {}\n\n{}",
            markdown.text(&data),
            markdown.text(&data),
            markdown.code(&data),
            markdown.fence("text", &data)
        );
        let printed = text::page(&written);
        assert_eq!(runner_files::commands(&printed), [], "{data:?} -> {printed:?}");
        let (before, after) = (page::read(&written), page::read(&printed));
        assert_eq!(after.elements, before.elements, "{data:?}");
        assert_eq!(after.references(), [""; 0], "{data:?} -> {printed:?}");
        assert_eq!(
            printed.matches(page::BREAK).count(),
            written.matches(page::BREAK).count()
        );
        assert_eq!(text::page(&printed), printed, "once is enough");
    }
}

#[test]
fn a_link_leads_where_we_say_and_to_the_web_alone() {
    let redaction = redaction();
    let markdown = Markdown::new(&redaction);
    for data in corpus::texts() {
        let page = page::read(&format!("a {} b", markdown.link(&data, "https://github.com/o/r")));
        assert_eq!(page.links, ["https://github.com/o/r"], "{data:?}: {page:?}");
        assert_eq!(page.elements, ["Document", "Paragraph", "link"]);
        for url in [data.clone(), format!("https://host/{data}")] {
            let page = page::read(&format!("a {} b", markdown.link("label", &url)));
            assert!(page.elements.len() <= 3 && page.html.is_empty(), "{url:?}: {page:?}");
            assert_eq!(page.text, "a label b");
            assert!(
                page.links.iter().all(|link| link.to_lowercase().starts_with("http")),
                "{page:?}"
            );
        }
    }
}

#[test]
fn a_comment_ends_where_we_end_it_and_reads_back() {
    let redaction = redaction();
    let markdown = Markdown::new(&redaction);
    for data in corpus::texts() {
        let value = json!({ "key": data, "n": -1, (data.as_str()): [data] });
        let written = markdown.comment_json(&value);
        assert!(!written.contains("--") && !written.contains(['<', '>']), "{written}");
        let comment = format!("<!-- portzero:meta {written} -->\n");
        let page = page::read(&format!("{comment}\nafter"));
        assert_eq!((page.elements.len(), page.html.as_slice()), (3, &[comment][..]));
        assert_eq!(serde_json::from_str::<Value>(&written).unwrap(), value);
    }
}

#[test]
fn what_unfolds_is_only_what_we_fold() {
    let redaction = redaction();
    let markdown = Markdown::new(&redaction);
    for data in corpus::texts() {
        let written = markdown.details(&data, &markdown.text(&data));
        let page = page::read(&written);
        assert_eq!(page.html.len(), 2, "{written}");
        let summary = page.html[0].strip_prefix("<details><summary>").unwrap();
        let summary = summary.strip_suffix("</summary>\n").unwrap();
        assert!(!summary.contains(['<', '>']), "{summary}");
    }
}

#[test]
fn a_name_in_a_diagram_is_a_name() {
    let redaction = redaction();
    let markdown = Markdown::new(&redaction);
    for data in corpus::texts() {
        let label = markdown.mermaid(&data);
        assert!((1..=60).contains(&label.chars().count()), "{label}");
        let is_safe = |c: char| c.is_alphanumeric() || " ._/+-".contains(c);
        assert!(label.chars().all(is_safe) && !label.contains("--"), "{label}");
        let words = r"(?i)^(click|section|title|end|gantt|dateformat|axisformat|todaymarker|call|href)\b|^[0-9]{4}-";
        assert!(!regex_lite::Regex::new(words).unwrap().is_match(&label), "{label}");
    }
}

#[test]
fn a_summary_that_is_cut_is_still_one_page() {
    let redaction = redaction();
    let markdown = Markdown::new(&redaction);
    let mut pages = String::from("# Title\n\n");
    for data in corpus::texts().iter().filter(|text| text.len() < 500) {
        pages.push_str(&format!("- {}\n\n", markdown.text(data)));
        pages.push_str(&markdown.details(data, &markdown.fence("text", data)));
        pages.push('\n');
    }
    for bytes_max in (100..pages.len()).step_by(97) {
        let cut = env_file::summary(&pages, bytes_max);
        assert!(cut.len() <= bytes_max);
        let page = page::read(&cut);
        assert_eq!(
            page.elements[page.elements.len() - 2..],
            ["Paragraph", "Emph"],
            "{bytes_max}: {cut}"
        );
        let (opened, closed): (usize, usize) = page.html.iter().fold((0, 0), |(a, b), html| {
            (
                a + html.matches("<details>").count(),
                b + html.matches("</details>").count(),
            )
        });
        assert_eq!(opened, closed, "{cut}");
    }
}

#[test]
fn no_surface_shows_a_secret() {
    let redaction = redaction();
    let markdown = Markdown::new(&redaction);
    for (data, secret) in corpus::SECRETS {
        let annotation = Annotation {
            severity: Severity::Warning,
            title: (*data).to_owned(),
            message: (*data).to_owned(),
            location: None,
        };
        let mut document = json!([{ "a": data }]);
        redaction.apply_json(&mut document);
        let outputs = [
            text::log(&redaction.block(data)),
            annotation::commands(&[annotation], &redaction).concat(),
            text::json(&document.to_string()),
            markdown.text(data),
            markdown.code(data),
            markdown.fence("text", data),
            markdown.link(data, &format!("https://host/{data}")),
            markdown.details(data, ""),
            markdown.comment_json(&json!({ "a": data })),
            markdown.mermaid(data),
        ];
        for surface in outputs {
            let seen = surface.replace(['\u{200b}', '\\'], "");
            assert!(!seen.contains(secret), "{data}: {seen}");
        }
    }
}
