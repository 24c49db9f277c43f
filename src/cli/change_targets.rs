//! Which service a change that a flag asks for (`--image`, `--env`) is for.

use std::collections::BTreeSet;

use portzero_core::base::finding::{Code, Finding};
use portzero_core::base::text::nearest;
use portzero_core::plan::{DefinitionSource, DeployRequest};
use portzero_core::task_definition::image::with_tag;
use portzero_core::task_definition::{EnvironmentChange, ImageChange};

use crate::cli::options::{Selection, pair};
use crate::config::ServiceConfig;

/// The `--image`s. A container that is given two different ones is a slip, and so is an empty image: the variable that
/// was to fill it has no value.
pub(super) fn images(selection: &Selection) -> Result<Vec<ImageChange>, Vec<Finding>> {
    let mut images: Vec<ImageChange> = Vec::new();
    let mut findings = Vec::new();
    for text in &selection.images {
        if text.trim().is_empty() {
            findings.push(empty(text));
        }
        // `PORTZERO_IMAGE` holds one a line.
        for line in text.lines().map(str::trim).filter(|line| !line.is_empty()) {
            if line.starts_with('=') {
                findings.push(no_container(line));
                continue;
            }
            let change = image(line);
            if change.image.is_empty() {
                findings.push(empty(line));
                continue;
            }
            let twin = images.iter().find(|known| known.container == change.container);
            match (twin, &change.container) {
                (Some(twin), _) if twin.image == change.image => {}
                (Some(twin), Some(container)) => findings.push(
                    Finding::usage(format!("container `{container}` is given two images by --image"))
                        .evidence("first", twin.image.as_str())
                        .evidence("second", change.image.as_str()),
                ),
                _ => images.push(change),
            }
        }
    }
    if findings.is_empty() { Ok(images) } else { Err(findings) }
}

fn image(text: &str) -> ImageChange {
    // A digest or a registry may hold `=`, a container's name never holds `/`, `:` or `@`.
    let named = pair(text).filter(|(name, _)| !name.contains(['/', ':', '@']));
    let (container, image) = named.map_or((None, text), |(name, image)| (Some(name.to_owned()), image));
    ImageChange {
        container,
        image: image.to_owned(),
    }
}

fn empty(text: &str) -> Finding {
    Finding::usage(format!(
        "--image wants [CONTAINER=]IMAGE, got `{text}` without an image"
    ))
    .hint("look at the variable that is to fill it: it may have no value")
}

/// No image begins with `=`.
fn no_container(text: &str) -> Finding {
    Finding::usage(format!(
        "--image wants [CONTAINER=]IMAGE, got `{text}` with an empty CONTAINER"
    ))
    .hint("look at the variable that is to fill it: it may have no value")
}

/// The `--env`s.
pub(super) fn environment(selection: &Selection) -> Result<Vec<EnvironmentChange>, Finding> {
    selection
        .container_environment
        .iter()
        .map(|text| {
            let (target, value) = pair(text).ok_or_else(env_form)?;
            let (container, name) = target.split_once(':').ok_or_else(env_form)?;
            for (part, text) in [("CONTAINER", container), ("NAME", name)] {
                if text.trim().is_empty() {
                    return Err(env_empty(target, part));
                }
            }
            Ok(EnvironmentChange {
                container: container.to_owned(),
                name: name.to_owned(),
                value: value.to_owned(),
            })
        })
        .collect()
}

/// Without the text: its value may be a secret.
fn env_form() -> Finding {
    Finding::usage("--env wants CONTAINER:NAME=VALUE")
}

/// `target`: what stands before the `=`.
fn env_empty(target: &str, part: &str) -> Finding {
    Finding::usage(format!(
        "--env wants CONTAINER:NAME=VALUE, got `{target}=` with an empty {part}"
    ))
    .hint("look at the variable that is to fill it: it may have no value")
}

/// Hands the changes to the services that they are for. A single service gets all of them, and whether it has the
/// container is found out when it is rendered; of several, those get a change that are known to have its container.
pub(super) fn hand_out(
    requests: &mut [DeployRequest],
    stanzas: &[Option<ServiceConfig>],
    images: Vec<ImageChange>,
    environment: Vec<EnvironmentChange>,
) -> Vec<Finding> {
    let known: Vec<BTreeSet<String>> = requests
        .iter()
        .zip(stanzas)
        .map(|(request, stanza)| containers(request, stanza.as_ref()))
        .collect();
    let is_single = requests.len() == 1;
    // With a second one, a clash of the two must come out when the definition is rendered.
    let is_alone = images.len() == 1;
    let mut findings = Vec::new();
    for mut change in images {
        if let ([only], None, true) = (&*requests, &change.container, is_alone) {
            change.container = named_by_the_file(only, &change.image);
        }
        let Some(container) = change.container.clone().or_else(|| is_single.then(String::new)) else {
            findings.push(ambiguous(&change.image, requests));
            continue;
        };
        let has = |index: usize| is_single || known[index].contains(&container);
        if !(0..requests.len()).any(has) {
            findings.push(nobody("--image", &container, requests, &known));
        }
        for (_, request) in requests.iter_mut().enumerate().filter(|(index, _)| has(*index)) {
            // The flag wins over the file.
            request
                .images
                .retain(|other| change.container.is_none() || other.container != change.container);
            request.images.push(change.clone());
        }
    }
    for change in environment {
        let has = |index: usize| is_single || known[index].contains(&change.container);
        if !(0..requests.len()).any(has) {
            findings.push(nobody("--env", &change.container, requests, &known));
        }
        for (_, request) in requests.iter_mut().enumerate().filter(|(index, _)| has(*index)) {
            request.environment.push(change.clone());
        }
    }
    findings
}

/// The containers that a service is known to have. Where its definition is in AWS, those that the file speaks of.
fn containers(request: &DeployRequest, stanza: Option<&ServiceConfig>) -> BTreeSet<String> {
    if let DefinitionSource::Document(document) = &request.base {
        let names = document.containers();
        return names.iter().filter_map(|c| c.name()).map(str::to_owned).collect();
    }
    let shipped = stanza.into_iter().flat_map(|s| &s.images).map(|(name, _)| name.clone());
    let balanced = request.load_balancers.iter().map(|b| b.container_name.clone());
    shipped.chain(balanced).collect()
}

/// The container whose image in the file a flag without a container replaces: it has the same repository, and is the
/// only such one. Everything else is found out when the definition is rendered.
fn named_by_the_file(request: &DeployRequest, image: &str) -> Option<String> {
    let repository = |image: &str| with_tag(image, "");
    let alike = |other: &&ImageChange| repository(&other.image) == repository(image);
    match request.images.iter().filter(alike).collect::<Vec<_>>().as_slice() {
        [only] => only.container.clone(),
        _ => None,
    }
}

fn ambiguous(image: &str, requests: &[DeployRequest]) -> Finding {
    let names: Vec<&str> = requests.iter().map(|request| request.service.as_str()).collect();
    Finding::error(
        Code::ImageTarget,
        format!("`{image}` may be for any of {} services", names.len()),
    )
    .evidence("services", names.join(", "))
    .hint(format!("say which container it is for: --image CONTAINER={image}"))
    .hint("or name one service")
}

fn nobody(flag: &str, container: &str, requests: &[DeployRequest], known: &[BTreeSet<String>]) -> Finding {
    let finding = Finding::error(
        Code::ImageTarget,
        format!("none of the services has the container `{container}` that {flag} names"),
    );
    let finding = requests.iter().zip(known).fold(finding, |finding, (request, known)| {
        let names: Vec<&str> = known.iter().map(String::as_str).collect();
        let names = match (names.is_empty(), &request.base) {
            (false, _) => names.join(", "),
            (true, DefinitionSource::Document(_)) => "no container".to_owned(),
            (true, _) => "its definition is in AWS, and the file names none of its containers".to_owned(),
        };
        finding.evidence(request.service.as_str(), names)
    });
    match nearest(container, known.iter().flatten().map(String::as_str)) {
        Some(near) => finding.hint(format!("did you mean `{near}`?")),
        None => finding.hint("name one service, if its definition in AWS has that container"),
    }
}
