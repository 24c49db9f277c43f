//! Tags of what the account holds: clusters, services, tasks, task definitions, container instances.

use crate::model::status::ServiceStatus;
use serde_json::Value;

use super::state::Account;
use crate::model::refusal::Refusal;
use crate::world::World;

/// The most tags of one resource.
const TAGS_MAX: usize = 50;

/// Tags that AWS makes begin so, and nobody else's may.
const RESERVED: &str = "aws:";

impl World {
    /// The tags of a resource, `{key, value}` each, in the order in which they came.
    pub(crate) fn tags_of(&self, arn: &str) -> &[Value] {
        if let Some(definition) = arn
            .contains(":task-definition/")
            .then(|| self.definition(arn))
            .flatten()
        {
            return &definition.tags;
        }
        self.account.tags.get(arn).map(Vec::as_slice).unwrap_or_default()
    }

    /// ListTagsForResource.
    pub(crate) fn list_tags(&self, arn: &str) -> Result<&[Value], Refusal> {
        find(
            &self.account,
            arn,
            &Refusal::invalid_parameter("The specified resource was not found."),
        )?;
        Ok(self.tags_of(arn))
    }

    /// TagResource: a tag whose key is there already gets the new value.
    pub fn tag(&mut self, arn: &str, tags: &[Value]) -> Result<(), Refusal> {
        find(&self.account, arn, &not_found())?;
        for tag in tags {
            check(tag)?;
        }
        let mut all = self.tags_of(arn).to_vec();
        for tag in tags {
            match all.iter_mut().find(|old| key(old) == key(tag)) {
                Some(old) => *old = tag.clone(),
                None => all.push(tag.clone()),
            }
        }
        if all.len() > TAGS_MAX {
            return Err(Refusal::new(
                "LimitExceededException",
                format!("A resource can have at most {TAGS_MAX} tags."),
            ));
        }
        self.set_tags(arn, all);
        Ok(())
    }

    /// UntagResource: keys that the resource has not are passed over.
    pub(crate) fn untag(&mut self, arn: &str, keys: &[&str]) -> Result<(), Refusal> {
        find(&self.account, arn, &not_found())?;
        let mut all = self.tags_of(arn).to_vec();
        all.retain(|tag| !keys.contains(&key(tag)));
        self.set_tags(arn, all);
        Ok(())
    }

    fn set_tags(&mut self, arn: &str, tags: Vec<Value>) {
        let definitions = self.account.task_definitions.values_mut().flatten();
        match definitions.into_iter().find(|d| d.arn == arn) {
            Some(definition) => definition.tags = tags,
            None => {
                self.account.tags.insert(arn.to_owned(), tags);
            }
        }
    }
}

fn key(tag: &Value) -> &str {
    tag.get("key").and_then(Value::as_str).unwrap_or_default()
}

fn not_found() -> Refusal {
    Refusal::new("ResourceNotFoundException", "The specified resource was not found.")
}

/// AWS's rules of tags; not its words, which are not known.
fn check(tag: &Value) -> Result<(), Refusal> {
    let value = tag.get("value").and_then(Value::as_str).unwrap_or_default();
    if key(tag).is_empty() || key(tag).chars().count() > 128 {
        return Err(Refusal::invalid_parameter(
            "A tag key must have between 1 and 128 characters.",
        ));
    }
    if value.chars().count() > 256 {
        return Err(Refusal::invalid_parameter(
            "A tag value can have at most 256 characters.",
        ));
    }
    if key(tag).to_ascii_lowercase().starts_with(RESERVED) {
        return Err(Refusal::invalid_parameter(
            "Tag keys that begin with aws: are reserved.",
        ));
    }
    Ok(())
}

/// Whether there is something of that ARN to be tagged; `missing` is what is said where there is not.
fn find(account: &Account, arn: &str, missing: &Refusal) -> Result<(), Refusal> {
    let resource = arn.strip_prefix(&format!("arn:aws:ecs:{}:{}:", account.region, account.id));
    let Some((kind, name)) = resource.and_then(|resource| resource.split_once('/')) else {
        return Err(Refusal::invalid_parameter("The ARN provided is invalid."));
    };
    let is_there = match (kind, name.split_once('/')) {
        ("cluster", None) => match account.clusters.get(name).map(|c| c.status.as_str()) {
            Some("ACTIVE") => true,
            Some(_) => {
                let words = "The specified cluster is inactive. Specify an active cluster and try again.";
                return Err(Refusal::invalid_parameter(words));
            }
            None => return Err(Refusal::new("ClusterNotFoundException", "Cluster not found.")),
        },
        ("task-definition", None) => account.task_definitions.values().flatten().any(|d| d.arn == arn),
        ("service" | "task" | "container-instance", None) => {
            return Err(Refusal::invalid_parameter(
                "Long arn format must be used for tagging operations",
            ));
        }
        (kind, Some((cluster, id))) => account.clusters.get(cluster).is_some_and(|home| match kind {
            "service" => home
                .services
                .get(id)
                .is_some_and(|s| s.status != ServiceStatus::Inactive),
            "task" => home.tasks.contains_key(id),
            "container-instance" => home.instances.contains_key(id),
            _ => false,
        }),
        _ => return Err(Refusal::invalid_parameter("The ARN provided is invalid.")),
    };
    if is_there { Ok(()) } else { Err(missing.clone()) }
}
