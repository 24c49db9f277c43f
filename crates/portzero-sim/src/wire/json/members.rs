//! The members of an AWS JSON request, read with the types that the operation's shape gives them.
//!
//! A member of another type is refused as the front end of AWS's JSON services does it (SerializationException, before
//! the operation sees it); a missing or null one is absent. Unknown members are passed over, as AWS does.

use serde_json::{Map, Value};

use crate::model::refusal::Refusal;

type Read<T> = Result<T, Refusal>;

#[derive(Clone, Copy)]
pub(crate) struct Members<'a>(&'a Map<String, Value>);

impl<'a> Members<'a> {
    pub(crate) fn of(document: &'a Value) -> Read<Self> {
        match document {
            Value::Object(members) => Ok(Self(members)),
            other => Err(cannot_convert(other, "a structure")),
        }
    }

    pub(crate) fn names(self) -> impl Iterator<Item = &'a str> {
        self.0
            .iter()
            .filter(|(_, value)| !value.is_null())
            .map(|(name, _)| name.as_str())
    }

    pub(crate) fn text(self, name: &str) -> Read<Option<&'a str>> {
        self.read(name, "a String", Value::as_str)
    }

    /// A member that the operation requires; an empty one counts as missing.
    pub(crate) fn required(self, name: &str) -> Read<&'a str> {
        match self.text(name)? {
            Some(text) if !text.is_empty() => Ok(text),
            _ => Err(Refusal::invalid_parameter(format!(
                "{} can not be blank.",
                capitalised(name)
            ))),
        }
    }

    pub(crate) fn boolean(self, name: &str) -> Read<Option<bool>> {
        self.read(name, "a Boolean", Value::as_bool)
    }

    /// Fractions are cut off, as AWS's reader does.
    pub(crate) fn integer(self, name: &str) -> Read<Option<i64>> {
        self.read(name, "an Integer", |value| {
            value.as_i64().or_else(|| value.as_f64().map(|float| float as i64))
        })
    }

    /// Seconds since the epoch, in plain digits or with an exponent.
    pub(crate) fn timestamp(self, name: &str) -> Read<Option<f64>> {
        self.read(name, "a Timestamp", Value::as_f64)
    }

    pub(crate) fn double(self, name: &str) -> Read<Option<f64>> {
        self.read(name, "a Double", Value::as_f64)
    }

    /// An integer that cannot be negative.
    pub(crate) fn count(self, name: &str) -> Read<Option<u32>> {
        self.integer(name)?
            .map(|number| {
                u32::try_from(number).map_err(|_| {
                    Refusal::invalid_parameter(format!("{} must be between 0 and {}.", capitalised(name), u32::MAX))
                })
            })
            .transpose()
    }

    pub(crate) fn structure(self, name: &str) -> Read<Option<Members<'a>>> {
        self.read(name, "a structure", |value| value.as_object().map(Members))
    }

    /// A list of structures; `None` where there is none.
    pub(crate) fn structures(self, name: &str) -> Read<Option<Vec<Members<'a>>>> {
        let Some(list) = self.read(name, "a list", Value::as_array)? else {
            return Ok(None);
        };
        list.iter().map(Members::of).collect::<Read<Vec<_>>>().map(Some)
    }

    /// A structure as it was given, without a look inside.
    pub(crate) fn document(self, name: &str) -> Read<Option<Value>> {
        Ok(self.structure(name)?.map(|inner| Value::Object(inner.0.clone())))
    }

    /// A list of structures as it was given, without a look inside.
    pub(crate) fn documents(self, name: &str) -> Read<Option<Value>> {
        let all = self.structures(name)?;
        Ok(all.map(|all| all.into_iter().map(|one| Value::Object(one.0.clone())).collect()))
    }

    /// A text that must be one of a few; refused as AWS refuses `launch type should be one of [EC2,FARGATE]`.
    pub(crate) fn one_of(self, name: &str, allowed: &[&str]) -> Read<Option<&'a str>> {
        match self.text(name)? {
            Some(text) if !allowed.contains(&text) => Err(Refusal::invalid_parameter(format!(
                "{} should be one of [{}]",
                in_words(name),
                allowed.join(",")
            ))),
            text => Ok(text),
        }
    }

    pub(crate) fn texts(self, name: &str) -> Read<Vec<&'a str>> {
        let Some(list) = self.read(name, "a list", Value::as_array)? else {
            return Ok(Vec::new());
        };
        list.iter()
            .map(|value| value.as_str().ok_or_else(|| cannot_convert(value, "a String")))
            .collect()
    }

    /// A list of references that must hold something and at most `limit` entries; `plural` is AWS's word for them where
    /// there are none, `items` where there are too many.
    pub(crate) fn references(self, name: &str, limit: usize, plural: &str, items: &str) -> Read<Vec<&'a str>> {
        let references = self.texts(name)?;
        if references.is_empty() {
            return Err(Refusal::invalid_parameter(format!("{plural} cannot be empty.")));
        }
        if references.len() > limit {
            return Err(Refusal::invalid_parameter(format!(
                "{items} can have at most {limit} items."
            )));
        }
        Ok(references)
    }

    /// Whether the list `include` names `what`.
    pub(crate) fn includes(self, what: &str) -> Read<bool> {
        Ok(self.texts("include")?.contains(&what))
    }

    fn read<T>(self, name: &str, kind: &str, convert: impl Fn(&'a Value) -> Option<T>) -> Read<Option<T>> {
        match self.0.get(name) {
            None | Some(Value::Null) => Ok(None),
            Some(value) => convert(value).map(Some).ok_or_else(|| cannot_convert(value, kind)),
        }
    }
}

fn cannot_convert(value: &Value, kind: &str) -> Refusal {
    let found = match value {
        Value::Null => "NULL_VALUE",
        Value::Bool(true) => "TRUE_VALUE",
        Value::Bool(false) => "FALSE_VALUE",
        Value::Number(_) => "NUMBER_VALUE",
        Value::String(_) => "STRING_VALUE",
        Value::Array(_) => "START_ARRAY",
        Value::Object(_) => "START_OBJECT",
    };
    Refusal::new(
        "SerializationException",
        format!("{found} can not be converted to {kind}"),
    )
}

/// `launchType` as `launch type`.
fn in_words(name: &str) -> String {
    name.chars().fold(String::new(), |mut words, letter| {
        if letter.is_uppercase() {
            words.push(' ');
        }
        words.extend(letter.to_lowercase());
        words
    })
}

fn capitalised(name: &str) -> String {
    let mut letters = name.chars();
    letters
        .next()
        .map(|first| first.to_uppercase().chain(letters).collect())
        .unwrap_or_default()
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn a_member_of_another_type_is_a_serialization_error_and_a_null_one_is_absent() {
        let body = json!({"service": 5, "cluster": null, "maxResults": "ten"});
        let members = Members::of(&body).unwrap();
        let refusal = members.text("service").unwrap_err();
        assert_eq!(
            (refusal.code.as_str(), refusal.message.as_str()),
            (
                "SerializationException",
                "NUMBER_VALUE can not be converted to a String"
            )
        );
        assert_eq!(members.text("cluster"), Ok(None));
        assert_eq!(
            members.integer("maxResults").unwrap_err().code,
            "SerializationException"
        );
    }
}
