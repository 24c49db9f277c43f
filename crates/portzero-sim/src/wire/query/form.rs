//! The Query protocol's requests: an HTML form, with lists as `Name.member.1`.

use std::collections::BTreeMap;
use std::str::FromStr;

use crate::model::refusal::Refusal;
use crate::wire::HttpRequest;

/// The versions of the APIs that speak the Query protocol: a request says which one it means, and so which service.
pub(crate) const STS_VERSION: &str = "2011-06-15";
pub(crate) const ELB_VERSION: &str = "2015-12-01";
pub(crate) const ELB_CLASSIC_VERSION: &str = "2012-06-01";

/// The form of a request, from its body and from the query string.
pub(crate) struct Form(BTreeMap<String, String>);

impl Form {
    /// `None` where the request is no form with an `Action`.
    pub(crate) fn read(request: &HttpRequest) -> Option<Self> {
        let query = request.path.split_once('?').map_or("", |(_, query)| query);
        let fields: BTreeMap<String, String> = form_urlencoded::parse(query.as_bytes())
            .chain(form_urlencoded::parse(&request.body))
            .map(|(name, value)| (name.into_owned(), value.into_owned()))
            .collect();
        fields.contains_key("Action").then_some(Self(fields))
    }

    pub(crate) fn action(&self) -> &str {
        self.text("Action").unwrap_or_default()
    }

    pub(crate) fn version(&self) -> &str {
        self.text("Version").unwrap_or_default()
    }

    pub(crate) fn text(&self, name: &str) -> Option<&str> {
        self.0.get(name).map(String::as_str)
    }

    pub(crate) fn required(&self, name: &str) -> Result<&str, Refusal> {
        self.text(name).filter(|text| !text.is_empty()).ok_or_else(|| {
            validation(format!(
                "1 validation error detected: Value null at '{}' failed to satisfy constraint: Member must not be null",
                uncapitalised(name)
            ))
        })
    }

    /// A number, where there is one.
    pub(crate) fn number<T: FromStr>(&self, name: &str) -> Result<Option<T>, Refusal> {
        number(self.text(name))
    }

    pub(crate) fn boolean(&self, name: &str) -> Result<Option<bool>, Refusal> {
        match self.text(name) {
            None | Some("") => Ok(None),
            Some("true") => Ok(Some(true)),
            Some("false") => Ok(Some(false)),
            Some(other) => Err(malformed(other)),
        }
    }

    /// `Name.member.1`, `Name.member.2`, … up to the first gap.
    pub(crate) fn list(&self, name: &str) -> Vec<&str> {
        (1..)
            .map_while(|number| self.text(&format!("{name}.member.{number}")))
            .collect()
    }

    /// The members of the structures of a list: `Targets.member.1.Id`, … as a lookup of the n-th structure's member.
    pub(crate) fn structures(&self, name: &str) -> Vec<Structure<'_>> {
        let begins = |prefix: &String| {
            let mut after = self.0.range(prefix.clone()..);
            after.next().is_some_and(|(key, _)| key.starts_with(prefix))
        };
        (1..)
            .map(|number| format!("{name}.member.{number}."))
            .take_while(begins)
            .map(|prefix| Structure { form: self, prefix })
            .collect()
    }
}

/// One structure in a list of a form.
pub(crate) struct Structure<'a> {
    form: &'a Form,
    prefix: String,
}

impl<'a> Structure<'a> {
    pub(crate) fn text(&self, name: &str) -> Option<&'a str> {
        self.form.text(&format!("{}{name}", self.prefix))
    }

    pub(crate) fn number<T: FromStr>(&self, name: &str) -> Result<Option<T>, Refusal> {
        number(self.text(name))
    }

    pub(crate) fn list(&self, name: &str) -> Vec<&'a str> {
        self.form.list(&format!("{}{name}", self.prefix))
    }

    pub(crate) fn structures(&self, name: &str) -> Vec<Structure<'a>> {
        self.form.structures(&format!("{}{name}", self.prefix))
    }
}

fn number<T: FromStr>(text: Option<&str>) -> Result<Option<T>, Refusal> {
    text.filter(|text| !text.is_empty())
        .map(|text| text.parse().map_err(|_| malformed(text)))
        .transpose()
}

/// What the front end of the Query protocol says to a member of another type.
fn malformed(text: &str) -> Refusal {
    Refusal::new("MalformedInput", format!("For input string: \"{text}\""))
}

pub(crate) fn validation(message: impl Into<String>) -> Refusal {
    Refusal::new("ValidationError", message)
}

pub(crate) fn unknown_operation(form: &Form) -> Refusal {
    Refusal::new(
        "InvalidAction",
        format!(
            "Could not find operation {} for version {}",
            form.action(),
            form.version()
        ),
    )
}

fn uncapitalised(name: &str) -> String {
    let mut letters = name.chars();
    letters
        .next()
        .map(|first| first.to_lowercase().chain(letters).collect())
        .unwrap_or_default()
}
