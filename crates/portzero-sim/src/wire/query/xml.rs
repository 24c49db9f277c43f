//! The Query protocol's answers: XML with `<member>` lists, escaped by quick-xml.

use std::fmt::Display;

use quick_xml::Writer;
use quick_xml::events::{BytesEnd, BytesStart, BytesText, Event};

use super::form::{ELB_CLASSIC_VERSION, ELB_VERSION, Form, STS_VERSION};
use crate::model::refusal::Refusal;
use crate::wire::{HttpResponse, Reply};

/// A document in the making. Nothing here can fail: the writer writes into memory.
pub(crate) struct Xml(Writer<Vec<u8>>);

impl Xml {
    pub(crate) fn new() -> Self {
        Self(Writer::new(Vec::new()))
    }

    /// `<name>value</name>`
    pub(crate) fn text(&mut self, name: &str, value: impl Display) {
        let value = legal(&value.to_string());
        self.event(Event::Start(BytesStart::new(name)));
        self.event(Event::Text(BytesText::new(&value)));
        self.event(Event::End(BytesEnd::new(name)));
    }

    /// `<name>…</name>`
    pub(crate) fn element(&mut self, name: &str, content: impl FnOnce(&mut Self)) {
        self.event(Event::Start(BytesStart::new(name)));
        content(self);
        self.event(Event::End(BytesEnd::new(name)));
    }

    /// `<name><member>…</member>…</name>`
    pub(crate) fn list<T>(
        &mut self,
        name: &str,
        items: impl IntoIterator<Item = T>,
        mut content: impl FnMut(&mut Self, T),
    ) {
        self.element(name, |xml| {
            for item in items {
                xml.element("member", |xml| content(xml, item));
            }
        });
    }

    /// `<name><member>text</member>…</name>`
    pub(crate) fn texts<T: Display>(&mut self, name: &str, items: impl IntoIterator<Item = T>) {
        self.element(name, |xml| {
            for item in items {
                xml.text("member", item);
            }
        });
    }

    fn root(&mut self, name: &str, namespace: &str, content: impl FnOnce(&mut Self)) {
        self.event(Event::Start(
            BytesStart::new(name).with_attributes([("xmlns", namespace)]),
        ));
        content(self);
        self.event(Event::End(BytesEnd::new(name)));
    }

    fn event(&mut self, event: Event<'_>) {
        let _ = self.0.write_event(event);
    }

    fn into_bytes(self) -> Vec<u8> {
        self.0.into_inner()
    }
}

/// The content of an operation's `…Result` element.
pub(crate) type Content<'a> = Box<dyn FnOnce(&mut Xml) + 'a>;

/// Wraps an operation's content, or its refusal, as the Query protocol does.
pub(crate) fn respond(form: &Form, reply: Reply<Content<'_>>, request_id: &str) -> HttpResponse {
    let answer = match reply {
        Ok(answer) => answer,
        Err(refusal) => return refuse(form, &refusal, request_id),
    };
    let action = form.action();
    let mut xml = Xml::new();
    xml.root(&format!("{action}Response"), &namespace(form), |xml| {
        xml.element(&format!("{action}Result"), answer.document);
        xml.element("ResponseMetadata", |xml| xml.text("RequestId", request_id));
    });
    let mut response = response(200, xml);
    response.note = answer.note;
    response
}

pub(crate) fn refuse(form: &Form, refusal: &Refusal, request_id: &str) -> HttpResponse {
    let mut xml = Xml::new();
    xml.root("ErrorResponse", &namespace(form), |xml| {
        xml.element("Error", |xml| {
            xml.text("Type", if refusal.status < 500 { "Sender" } else { "Receiver" });
            xml.text("Code", &refusal.code);
            xml.text("Message", &refusal.message);
        });
        xml.text("RequestId", request_id);
    });
    response(refusal.status, xml)
}

fn response(status: u16, xml: Xml) -> HttpResponse {
    HttpResponse {
        status,
        content_type: "text/xml",
        headers: Vec::new(),
        body: xml.into_bytes(),
        note: None,
    }
}

/// The namespace of an answer, by the version of the API that was asked.
fn namespace(form: &Form) -> String {
    match form.version() {
        STS_VERSION => "https://sts.amazonaws.com/doc/2011-06-15/".to_owned(),
        version if [ELB_VERSION, ELB_CLASSIC_VERSION].contains(&version) => {
            format!("http://elasticloadbalancing.amazonaws.com/doc/{version}/")
        }
        // What a service says to a version that it does not know: the namespace of its newest.
        _ => format!("http://elasticloadbalancing.amazonaws.com/doc/{ELB_VERSION}/"),
    }
}

/// XML 1.0 has no way to write most control characters, escaped or not; a client may send them in a name all the same.
fn legal(text: &str) -> String {
    text.chars()
        .map(|c| match c {
            '\t' | '\n' | '\r' => c,
            '\0'..='\u{1f}' | '\u{fffe}' | '\u{ffff}' => char::REPLACEMENT_CHARACTER,
            _ => c,
        })
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn text_is_escaped_and_stays_legal() {
        let mut xml = Xml::new();
        xml.text("Message", "'<a & b>' \u{1}");
        assert_eq!(
            String::from_utf8(xml.into_bytes()).unwrap(),
            "<Message>&apos;&lt;a &amp; b&gt;&apos; \u{fffd}</Message>"
        );
    }
}
