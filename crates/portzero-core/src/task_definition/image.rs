//! Which container a new image is for.

use serde_json::Value;

use super::document::{Container, Document, container_maps};
use crate::base::finding::{Code, Finding};
use crate::base::text::most_alike;
use crate::task_definition::change::Change;
use crate::task_definition::check::placeholder;
use crate::task_definition::image_reference;

/// A new image, for the container of that name or for the only candidate.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ImageChange {
    /// The container's name; absent means the only candidate.
    pub container: Option<String>,
    /// The new image reference.
    pub image: String,
}

/// Finds the container of each change: (its place, the image).
pub(super) fn assign(document: &Document, changes: &[ImageChange]) -> Result<Vec<(usize, String)>, Vec<Finding>> {
    let containers = document.containers();
    let mut assigned: Vec<(usize, String)> = Vec::new();
    let mut findings = Vec::new();
    for change in changes {
        match target(&containers, change) {
            Ok(index) => match assigned.iter().find(|(known, _)| *known == index) {
                Some((_, image)) if *image != change.image => {
                    findings.push(twice(containers.get(index), image, &change.image));
                }
                Some(_) => {}
                None => assigned.push((index, change.image.clone())),
            },
            Err(finding) => findings.push(*finding),
        }
    }
    if findings.is_empty() {
        Ok(assigned)
    } else {
        Err(findings)
    }
}

fn target(containers: &[Container<'_>], change: &ImageChange) -> Result<usize, Box<Finding>> {
    let image = &change.image;
    if let Err(why) = image_reference::check(image) {
        let finding = Finding::error(Code::ImageTarget, format!("`{image}` is no image reference: {why}"))
            .hint("give --image CONTAINER=REPOSITORY:TAG, or REPOSITORY@sha256:…");
        return Err(Box::new(finding));
    }
    let Some(name) = &change.container else {
        return only_candidate(containers, image);
    };
    match containers.iter().find(|container| container.name() == Some(name)) {
        Some(container) => Ok(container.index),
        None => Err(Box::new(unknown_container(containers, name))),
    }
}

/// Without a name: the only container, else the only one that runs this repository now, else the only one whose image is
/// missing or a placeholder. Anything less certain would put an application's image into a sidecar.
fn only_candidate(containers: &[Container<'_>], image: &str) -> Result<usize, Box<Finding>> {
    if let [only] = containers {
        return Ok(only.index);
    }
    let is_same_repository = |c: &&Container<'_>| c.image().is_some_and(|now| repository(now) == repository(image));
    let is_open = |c: &&Container<'_>| {
        let now = c.image().unwrap_or_default();
        now.is_empty() || !placeholder::names_in(now).is_empty()
    };
    let same: Vec<usize> = containers.iter().filter(is_same_repository).map(|c| c.index).collect();
    let open: Vec<usize> = containers.iter().filter(is_open).map(|c| c.index).collect();
    match (same.as_slice(), open.as_slice()) {
        ([only], _) | ([], [only]) => Ok(*only),
        _ => {
            let finding = Finding::error(
                Code::ImageTarget,
                format!("`{image}` may be for any of {} containers", containers.len()),
            )
            .evidence("containers", list(containers))
            .hint(format!("say which one: --image CONTAINER={image}"));
            Err(Box::new(finding))
        }
    }
}

pub(super) fn unknown_container(containers: &[Container<'_>], name: &str) -> Finding {
    let finding = Finding::error(Code::ImageTarget, format!("there is no container `{name}`"))
        .evidence("containers", list(containers));
    match most_alike(name, containers.iter().filter_map(Container::name)) {
        Some(near) => finding.hint(format!("did you mean `{near}`?")),
        None => finding,
    }
}

fn list(containers: &[Container<'_>]) -> String {
    let names: Vec<&str> = containers.iter().filter_map(Container::name).collect();
    if names.is_empty() {
        "none".to_owned()
    } else {
        names.join(", ")
    }
}

fn twice(container: Option<&Container<'_>>, first: &str, second: &str) -> Finding {
    let name = container.and_then(Container::name).unwrap_or("?");
    Finding::error(Code::ImageTarget, format!("container `{name}` is given two images"))
        .evidence("first", first)
        .evidence("second", second)
}

/// The image without tag and digest; a colon before the last slash belongs to the registry's port.
fn repository(image: &str) -> &str {
    let image = image.split_once('@').map_or(image, |(name, _)| name);
    match image.rsplit_once(':') {
        Some((name, tag)) if !tag.contains('/') => name,
        _ => image,
    }
}

/// The tag where there is no digest: `None` says that there is neither. A digest says it all.
pub fn vague_tag(image: &str) -> Option<Option<&str>> {
    if image.contains('@') {
        return None;
    }
    let rest = image.strip_prefix(repository(image)).unwrap_or_default();
    Some(rest.strip_prefix(':'))
}

pub(super) fn apply(root: &mut Value, assigned: &[(usize, String)]) -> Vec<Change> {
    let mut changes = Vec::new();
    for (index, container) in container_maps(root) {
        let Some((_, image)) = assigned.iter().find(|(wanted, _)| *wanted == index) else {
            continue;
        };
        let before = container
            .get("image")
            .and_then(Value::as_str)
            .unwrap_or("none")
            .to_owned();
        if before == *image {
            continue;
        }
        let name = container.get("name").and_then(Value::as_str).unwrap_or("?");
        changes.push(Change {
            path: format!("containerDefinitions[{name}].image"),
            what: format!("image {before} -> {image}"),
        });
        container.insert("image".to_owned(), image.as_str().into());
    }
    changes
}

/// `registry:5000/team/web:v2@sha256:…` -> `registry:5000/team/web:previous`.
pub fn with_tag(image: &str, tag: &str) -> String {
    let name = image.split('@').next().unwrap_or(image);
    let slash = name.rfind('/').map_or(0, |at| at + 1);
    let end = name[slash..].find(':').map_or(name.len(), |at| slash + at);
    format!("{}:{tag}", &name[..end])
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_registrys_port_is_no_tag() {
        let images = [
            "registry:5000/web",
            "registry:5000/web:1.2",
            "web@sha256:ab",
            "web:1@sha256:ab",
        ];
        assert_eq!(
            images.map(repository),
            ["registry:5000/web", "registry:5000/web", "web", "web"]
        );
    }
}
