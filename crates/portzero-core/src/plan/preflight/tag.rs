//! Images whose tag does not say which one they are.

use serde_json::Value;

use crate::base::finding::{Code, Finding};
use crate::task_definition::{Document, vague_tag};

/// A note for each container whose image has no tag, or the tag `latest`. AWS takes both; but nothing says afterwards what
/// ran, and a way back starts whatever the tag names by then.
pub(super) fn tag(document: &Value) -> Vec<Finding> {
    let document = Document::from_value(document.clone(), "");
    let unclear = |image: &str| match vague_tag(image)? {
        None => Some("has no tag, so that it means `latest`"),
        Some("latest") => Some("has the tag `latest`"),
        Some(_) => None,
    };
    let containers = document.containers();
    let found = containers.iter().filter_map(|container| {
        let (name, image) = (container.name()?, container.image()?);
        let why = unclear(image)?;
        let summary =
            format!("the image `{image}` of container `{name}` {why}: a rollback cannot name what ran before");
        Some(Finding::note(Code::ImageTag, summary).hint("give each build a tag of its own, or name its digest"))
    });
    found.collect()
}
