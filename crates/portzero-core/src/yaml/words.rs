//! What is wrong with the form of a YAML text, in words for who wrote it. The parser's own words are of use to those who
//! write parsers.

use granit_parser::ErrorKind;

use crate::base::position::Position;

/// A mistake in the form of a text.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Mistake {
    /// In the words of a sentence about the file.
    pub said: String,
    /// What to write instead, where that is clear.
    pub hint: Option<String>,
}

const QUOTES: &str = "write the value in quotes";

/// Says what is wrong at the place. `text` is all of the file: the line itself shows what was meant.
pub(super) fn mistake(kind: &ErrorKind, at: Position, text: &str) -> Mistake {
    let line = text.lines().nth(at.line.saturating_sub(1)).unwrap_or_default();
    let indent: String = line.chars().take_while(|c| c.is_whitespace()).collect();
    if indent.contains('\t') {
        return hinted("the line is indented with a tab", "indent it with spaces");
    }
    match kind {
        ErrorKind::TabNotAllowed
        | ErrorKind::TabInBlockIndentation
        | ErrorKind::TabInIndentation
        | ErrorKind::TabAtBlockScalarStart => hinted("a tab stands where YAML wants spaces", "put spaces in its place"),
        ErrorKind::UnexpectedCharacter { character } => hinted(
            format!("no value begins with `{character}` unless it is in quotes"),
            QUOTES,
        ),
        ErrorKind::UnknownAnchor => {
            let alias = word_at(line, at.column);
            let name = alias.trim_start_matches('*');
            hinted(
                format!("`{alias}` names an anchor, and there is none above"),
                format!("write `&{name}` before the value that is meant, further up in the file"),
            )
        }
        ErrorKind::ExpectedBlockMappingKey | ErrorKind::ExpectedBlockSequenceEntry | ErrorKind::InvalidIndentation => {
            hinted(
                "the indentation of this line fits none of the lines above",
                "begin it in the same column as the keys that it belongs with",
            )
        }
        ErrorKind::InvalidSimpleKey | ErrorKind::MappingValueNotAllowed => key_in_a_value(line),
        ErrorKind::SimpleKeyExpected => plain("the line is neither `KEY: VALUE` nor an item of a list"),
        ErrorKind::ExpectedDocumentStart => plain("a value has ended before this line, and something else follows"),
        ErrorKind::BlockSequenceEntryNotAllowed | ErrorKind::BlockEntryInFlowCollection => hinted(
            "an item of a list (`- `) cannot begin here",
            "put it in a line of its own, below its key",
        ),
        ErrorKind::UnexpectedEof | ErrorKind::UnexpectedEofBlockMapping | ErrorKind::UnexpectedEofBlockSequence => {
            plain("the file ends in the middle of a value")
        }
        ErrorKind::CommentNotSeparated => {
            hinted("a `#` stands directly behind a value", "put a blank before the comment")
        }
        ErrorKind::BomInsideDocument => plain("a byte order mark stands in the middle of the file"),
        ErrorKind::InvalidBlockScalarIndent
        | ErrorKind::InvalidBlockScalarHeader
        | ErrorKind::ZeroBlockScalarIndent => hinted(
            "a block of text (`|` or `>`) is not indented evenly",
            "indent its lines like the first one",
        ),
        ErrorKind::InvalidColonPlacement
        | ErrorKind::MappingKeyNotAllowed
        | ErrorKind::InvalidMappingValueWhitespace => hinted("a `:` stands where no key is", QUOTES),
        ErrorKind::PlainScalarStartsWithDashFlowIndicator | ErrorKind::UnexpectedEndOfPlainScalar => {
            hinted("a value cannot begin like this unless it is in quotes", QUOTES)
        }
        other => brackets(other)
            .or_else(|| quotes(other))
            .unwrap_or_else(|| plain("it cannot be read on from here")),
    }
}

fn brackets(kind: &ErrorKind) -> Option<Mistake> {
    Some(match kind {
        ErrorKind::UnclosedFlowCollection { open } => plain(format!("the `{open}` is not closed")),
        ErrorKind::MismatchedFlowCollectionEnd { open, close } => plain(format!("a `{open}` is closed with `{close}`")),
        ErrorKind::MisplacedFlowCollectionEnd => plain("a bracket closes what was not opened"),
        ErrorKind::UnexpectedEofFlowMapping | ErrorKind::UnexpectedEofImplicitFlowMapping => {
            plain("a `{` is not closed")
        }
        ErrorKind::UnexpectedEofFlowSequence => plain("a `[` is not closed"),
        ErrorKind::ExpectedFlowMappingSeparator => plain("a `,` or `}` is missing before this"),
        ErrorKind::ExpectedFlowSequenceSeparator => plain("a `,` or `]` is missing before this"),
        _ => return None,
    })
}

fn quotes(kind: &ErrorKind) -> Option<Mistake> {
    Some(match kind {
        ErrorKind::UnclosedQuotedScalar
        | ErrorKind::InvalidQuotedScalarIndent
        | ErrorKind::DocumentIndicatorInQuotedScalar => hinted(
            "a quote that is opened above is not closed",
            "close it at the end of the value",
        ),
        ErrorKind::InvalidTrailingSingleQuotedScalar | ErrorKind::InvalidTrailingDoubleQuotedScalar => hinted(
            "the value goes on behind its closing quote",
            "put all of it between the quotes",
        ),
        ErrorKind::UnknownQuotedScalarEscape | ErrorKind::InvalidQuotedScalarHexEscape => hinted(
            "a backslash in double quotes begins no known character",
            "write `\\\\` for a backslash, or use single quotes",
        ),
        _ => return None,
    })
}

/// `a: b: c`, or a key that is indented below a value.
fn key_in_a_value(line: &str) -> Mistake {
    if line.matches(": ").count() > 1 {
        return hinted("a `: ` stands in a value without quotes", QUOTES);
    }
    hinted(
        "a key stands where the value of the line above goes on",
        "begin it in the same column as the keys that it belongs with",
    )
}

/// A map or a list as a key: hardly ever anything but a template.
pub(super) fn key_is_no_text(at: Position, text: &str) -> Mistake {
    let line = text.lines().nth(at.line.saturating_sub(1)).unwrap_or_default();
    match line.contains("{{") {
        true => hinted(
            "`{{` begins a map in a map here",
            "fill the template in first, or write the value in quotes",
        ),
        false => plain("a key is a map or a list, and must be a text"),
    }
}

fn word_at(line: &str, column: usize) -> String {
    let rest = line.chars().skip(column.saturating_sub(1));
    rest.take_while(|c| !c.is_whitespace() && !",]}".contains(*c)).collect()
}

fn plain(said: impl Into<String>) -> Mistake {
    Mistake {
        said: said.into(),
        hint: None,
    }
}

fn hinted(said: impl Into<String>, hint: impl Into<String>) -> Mistake {
    Mistake {
        said: said.into(),
        hint: Some(hint.into()),
    }
}

impl From<&str> for Mistake {
    fn from(said: &str) -> Self {
        plain(said)
    }
}
