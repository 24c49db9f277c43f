//! Task definitions as raw JSON: AWS JSON 1.1 makes the document the body of the request and a member of the answer,
//! so keys that the SDK's model lacks need not be lost on either way.

use std::sync::{Arc, Mutex, PoisonError};

use aws_smithy_runtime_api::box_error::BoxError;
use aws_smithy_runtime_api::client::interceptors::Intercept;
use aws_smithy_runtime_api::client::interceptors::context::AfterDeserializationInterceptorContextRef;
use aws_smithy_runtime_api::client::orchestrator::HttpRequest;
use aws_smithy_runtime_api::client::runtime_components::RuntimeComponents;
use aws_smithy_types::body::SdkBody;
use aws_smithy_types::config_bag::ConfigBag;
use serde_json::Value;

/// Puts `body` in place of what the SDK has serialized. Runs before signing.
pub(super) fn replace_body(request: &mut HttpRequest, body: &[u8]) {
    request.headers_mut().insert("content-length", body.len().to_string());
    *request.body_mut() = SdkBody::from(body.to_vec());
}

/// Keeps the body of the answer beside what the SDK makes of it.
#[derive(Clone, Debug, Default)]
pub(super) struct KeepBody(Arc<Mutex<Vec<u8>>>);

impl KeepBody {
    pub(super) fn take(&self) -> Vec<u8> {
        std::mem::take(&mut self.0.lock().unwrap_or_else(PoisonError::into_inner))
    }
}

impl Intercept for KeepBody {
    fn name(&self) -> &'static str {
        "KeepBody"
    }

    fn read_after_deserialization(
        &self,
        context: &AfterDeserializationInterceptorContextRef<'_>,
        _components: &RuntimeComponents,
        _config: &mut ConfigBag,
    ) -> Result<(), BoxError> {
        if let Some(bytes) = context.response().body().bytes() {
            *self.0.lock().unwrap_or_else(PoisonError::into_inner) = bytes.to_vec();
        }
        Ok(())
    }
}

/// The `taskDefinition` of an answer, with the `tags` that stand beside it carried in. `None` where there is none.
pub(super) fn task_definition(body: &[u8]) -> Option<Value> {
    let mut answer: Value = serde_json::from_slice(body).ok()?;
    let tags = answer.get_mut("tags").map(Value::take);
    let mut document = answer.get_mut("taskDefinition")?.take();
    let members = document.as_object_mut()?;
    if let Some(tags @ Value::Array(_)) = tags
        && tags.as_array().is_some_and(|list| !list.is_empty())
    {
        members.insert("tags".to_owned(), tags);
    }
    Some(document)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn unknown_members_numbers_and_tags_survive() {
        let body =
            br#"{"tags":[{"key":"team","value":"web"}],"taskDefinition":{"family":"web","newKey":{"n":1.50},"cpu":"256"}}"#;
        let document = task_definition(body).map(|d| d.to_string());
        assert_eq!(
            document.as_deref(),
            Some(r#"{"family":"web","newKey":{"n":1.50},"cpu":"256","tags":[{"key":"team","value":"web"}]}"#)
        );
    }
}
