//! YAML by its events: the text of a scalar, whether it was quoted, and where it stands.
//!
//! What a plain scalar means is decided by the model, not by its looks: where the API wants a string, `1.10` is "1.10"
//! and `2048` is "2048"; where it wants an integer, `8080` is 8080 and a quoted "8080" stays the string that it is.

use std::collections::HashMap;

use granit_parser::{Event, Parser, ScalarStyle, Span, Tag, options};

use super::place::Mark;
use super::yaml_value::convert;
use crate::base::finding::{Code, Finding, Location, Severity};
use crate::task_definition::check::model::{Model, Type};
use crate::task_definition::read::json::duplicate_key;
use crate::task_definition::read::parsed::Parsed;
use crate::task_definition::read::yaml_node::{Kind, Node, mark};

/// Four times what AWS takes.
const BYTES_MAX: usize = 256 * 1024;
/// A task definition is seven levels deep.
const DEPTH_MAX: usize = 32;
/// Nodes after aliases are replaced by what they stand for, so that a few lines cannot stand for gigabytes.
const NODES_MAX: usize = 20_000;

pub(crate) fn read(text: &str, file: &str) -> Result<Parsed, Vec<Finding>> {
    if text.len() > BYTES_MAX {
        let summary = format!("`{file}` cannot be a task definition: it has {} bytes", text.len());
        return Err(vec![
            Finding::error(Code::Syntax, summary).evidence("limit", "256 KiB; AWS takes at most 64 KiB"),
        ]);
    }
    let root = Reader::new(text, file).document().map_err(|finding| vec![*finding])?;
    let model = Model::bundled();
    let kind = root_type(&root, model);
    let (value, places) = convert(&root, &kind, model);
    Ok(Parsed {
        value,
        places,
        has_places: true,
        warnings: Vec::new(),
    })
}

/// The root may be a task definition, the list of its containers, or (its members typed one level down) an answer.
fn root_type(root: &Node, model: &Model) -> Type {
    match &root.kind {
        Kind::List(_) => model.member(&model.root(), "containerDefinitions"),
        Kind::Map(members) if members.iter().any(|(key, _, _)| key == "taskDefinition") => Type::Answer,
        _ => model.root(),
    }
}

/// Boxed, because every function below may return one and a finding is large.
type Refused = Box<Finding>;

struct Reader<'t> {
    parser: Parser<'t, granit_parser::StrInput<'t>>,
    file: &'t str,
    anchors: HashMap<usize, Node>,
    nodes: usize,
}

impl<'t> Reader<'t> {
    fn new(text: &'t str, file: &'t str) -> Self {
        let limits = options! {
            emit_comments: false,
            flow_nesting_limit: DEPTH_MAX,
            block_nesting_limit: DEPTH_MAX,
        };
        Self {
            parser: Parser::new_from_str_with_options(text, limits),
            file,
            anchors: HashMap::new(),
            nodes: 0,
        }
    }

    fn document(mut self) -> Result<Node, Refused> {
        let mut root = None;
        loop {
            let (event, span) = self.next()?;
            match event {
                Event::StreamStart | Event::DocumentEnd => {}
                Event::DocumentStart(..) if root.is_some() => {
                    return Err(self.refuse(mark(span), "it holds more than one document"));
                }
                Event::DocumentStart(..) => {
                    let (event, span) = self.next()?;
                    root = Some(self.node(event, span, 1)?);
                }
                Event::StreamEnd => break,
                _ => return Err(self.refuse(mark(span), "it goes on after its end")),
            }
        }
        root.ok_or_else(|| self.refuse(Mark { line: 1, column: 1 }, "it is empty"))
    }

    fn next(&mut self) -> Result<(Event<'t>, Span), Refused> {
        match self.parser.next_event() {
            Some(Ok(next)) => Ok(next),
            Some(Err(error)) => {
                let at = error.marker();
                let mark = Mark {
                    line: at.line(),
                    column: at.col() + 1,
                };
                Err(self.refuse(mark, &error.info()))
            }
            None => Err(self.refuse(Mark { line: 1, column: 1 }, "it ends too early")),
        }
    }

    fn node(&mut self, event: Event<'t>, span: Span, depth: usize) -> Result<Node, Refused> {
        let at = mark(span);
        if depth > DEPTH_MAX {
            return Err(self.refuse(at, &format!("it is nested deeper than {DEPTH_MAX} levels")));
        }
        let (anchor, node) = match event {
            Event::Scalar(text, style, anchor, tag) => {
                let plain = is_plain(style, tag.as_deref());
                let text = text.into_owned();
                (anchor, self.finish(at, Kind::Scalar { text, plain })?)
            }
            Event::SequenceStart(_, anchor, _) => {
                let items = self.items(depth)?;
                (anchor, self.finish(at, Kind::List(items))?)
            }
            Event::MappingStart(_, anchor, _) => {
                let members = self.members(depth)?;
                (anchor, self.finish(at, Kind::Map(members))?)
            }
            Event::Alias(anchor) => return self.alias(anchor, at, depth),
            _ => return Err(self.refuse(at, "a value is missing")),
        };
        if anchor != 0 {
            self.anchors.insert(anchor, node.clone());
        }
        Ok(node)
    }

    fn items(&mut self, depth: usize) -> Result<Vec<Node>, Refused> {
        let mut items = Vec::new();
        loop {
            let (event, span) = self.next()?;
            if event == Event::SequenceEnd {
                return Ok(items);
            }
            items.push(self.node(event, span, depth + 1)?);
        }
    }

    fn members(&mut self, depth: usize) -> Result<Vec<(String, Mark, Node)>, Refused> {
        let mut members: Vec<(String, Mark, Node)> = Vec::new();
        let mut seen: HashMap<String, Mark> = HashMap::new();
        let mut merged = Vec::new();
        loop {
            let (event, span) = self.next()?;
            if event == Event::MappingEnd {
                break;
            }
            let at = mark(span);
            let key = self.node(event, span, depth + 1)?;
            let Kind::Scalar { text: key, plain } = key.kind else {
                return Err(self.refuse(at, "a key is no text"));
            };
            let (event, span) = self.next()?;
            let value = self.node(event, span, depth + 1)?;
            if key == "<<" && plain {
                merged.extend(self.merge_sources(value)?);
                continue;
            }
            if let Some(first) = seen.insert(key.clone(), at) {
                let finding = duplicate_key(self.file, &key, first, at, Severity::Error);
                return Err(Box::new(finding));
            }
            members.push((key, at, value));
        }
        for (key, at, value) in merged {
            if !seen.contains_key(&key) {
                seen.insert(key.clone(), at);
                members.push((key, at, value));
            }
        }
        Ok(members)
    }

    /// What `<<` merges: a map, or a list of maps of which the first wins.
    fn merge_sources(&self, value: Node) -> Result<Vec<(String, Mark, Node)>, Refused> {
        let at = value.mark;
        match value.kind {
            Kind::Map(members) => Ok(members),
            Kind::List(items) => {
                let mut members = Vec::new();
                for item in items {
                    members.extend(self.merge_sources(item)?);
                }
                Ok(members)
            }
            Kind::Scalar { .. } => Err(self.refuse(at, "`<<` merges no map")),
        }
    }

    fn alias(&mut self, anchor: usize, at: Mark, depth: usize) -> Result<Node, Refused> {
        let Some(target) = self.anchors.get(&anchor) else {
            return Err(self.refuse(at, "an alias stands inside of what it names"));
        };
        if depth + target.height > DEPTH_MAX + 1 {
            return Err(self.refuse(at, &format!("it is nested deeper than {DEPTH_MAX} levels")));
        }
        self.nodes += target.size;
        if self.nodes > NODES_MAX {
            return Err(self.too_many(at));
        }
        Ok(Node {
            mark: at,
            ..target.clone()
        })
    }

    fn finish(&mut self, mark: Mark, kind: Kind) -> Result<Node, Refused> {
        self.nodes += 1;
        if self.nodes > NODES_MAX {
            return Err(self.too_many(mark));
        }
        let (size, height) = match &kind {
            Kind::Scalar { .. } => (0, 0),
            Kind::List(items) => measure(items.iter()),
            Kind::Map(members) => measure(members.iter().map(|(_, _, node)| node)),
        };
        Ok(Node {
            mark,
            kind,
            size: size + 1,
            height: height + 1,
        })
    }

    fn too_many(&self, at: Mark) -> Refused {
        self.refuse(at, &format!("it stands for more than {NODES_MAX} values"))
    }

    fn refuse(&self, at: Mark, reason: &str) -> Refused {
        let file = self.file.to_owned();
        let summary = format!("`{file}` cannot be read as YAML: {reason}");
        Box::new(Finding::error(Code::Syntax, summary).at(Location {
            file,
            line: at.line,
            column: at.column,
        }))
    }
}

fn measure<'n>(nodes: impl Iterator<Item = &'n Node>) -> (usize, usize) {
    nodes.fold((0, 0), |(size, height), node| {
        (size + node.size, height.max(node.height))
    })
}

/// `!!str 1` is a string; other tags (`!Ref x`) say nothing that JSON could hold, so the text counts as it is written.
fn is_plain(style: ScalarStyle, tag: Option<&Tag>) -> bool {
    let is_string = tag.is_some_and(|tag| tag.is_yaml_core_schema_tag("str"));
    style == ScalarStyle::Plain && !is_string
}
