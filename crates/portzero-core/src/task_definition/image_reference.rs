//! Image references by the grammar that Docker and every registry share: `[REGISTRY/]REPOSITORY[:TAG][@DIGEST]`.
//! Source: the package `reference` of the distribution project, 2026.

/// AWS takes no longer ones: `Container.image should be 255 characters or less`.
const LENGTH_MAX: usize = 255;
const TAG_MAX: usize = 128;
/// The hexadecimal digits of the digests that registries use.
const DIGESTS: [(&str, usize); 2] = [("sha256", 64), ("sha512", 128)];

/// `Err`: which part is wrong, and why.
pub(crate) fn check(image: &str) -> Result<(), String> {
    if image.len() > LENGTH_MAX {
        return Err(format!(
            "it is {} characters long, and AWS takes {LENGTH_MAX}",
            image.len()
        ));
    }
    if let Some((scheme, _)) = image.split_once("://") {
        return Err(format!("an image has no scheme; leave `{scheme}://` out"));
    }
    let (name, digest) = match image.split_once('@') {
        Some((name, digest)) => (name, Some(digest)),
        None => (image, None),
    };
    let (name, tag) = match name.rsplit_once(':') {
        Some((name, tag)) if !tag.contains('/') => (name, Some(tag)),
        _ if name.rsplit_once(':').is_some_and(|(_, rest)| !is_port_and_path(rest)) => {
            let tag = name.rsplit_once(':').map_or("", |(_, tag)| tag);
            return Err(format!("the tag `{tag}` has a slash in it"));
        }
        _ => (name, None),
    };
    check_name(name)?;
    tag.map_or(Ok(()), check_tag)?;
    digest.map_or(Ok(()), check_digest)
}

/// `5000/team/web`, behind the colon of a registry with a port.
fn is_port_and_path(text: &str) -> bool {
    let port = text.split('/').next().unwrap_or_default();
    !port.is_empty() && port.bytes().all(|b| b.is_ascii_digit())
}

fn check_name(name: &str) -> Result<(), String> {
    if name.is_empty() {
        return Err("the repository is missing".to_owned());
    }
    let (registry, repository) = match name.split_once('/') {
        Some((first, rest)) if is_registry(first) => (Some(first), rest),
        _ => (None, name),
    };
    if let Some(registry) = registry {
        check_registry(registry)?;
    }
    if repository.is_empty() {
        return Err("the repository is missing".to_owned());
    }
    repository.split('/').try_for_each(|part| check_part(part, repository))
}

/// As Docker tells a registry from the first part of a repository: by its dot, its port, or as `localhost`.
fn is_registry(first: &str) -> bool {
    first.contains(['.', ':']) || first == "localhost"
}

fn check_registry(registry: &str) -> Result<(), String> {
    let invalid = |why: &str| Err(format!("the registry `{registry}` {why}"));
    let host = match registry.rsplit_once(':') {
        // An IPv6 address stands in brackets.
        _ if registry.starts_with('[') => return Ok(()),
        Some((_, port)) if port.is_empty() || !port.bytes().all(|b| b.is_ascii_digit()) => {
            return invalid("has no number for a port");
        }
        Some((host, _)) => host,
        None => registry,
    };
    for label in host.split('.') {
        if label.is_empty() {
            return invalid("has an empty part between its dots");
        }
        let is_legal = |b: u8| b.is_ascii_alphanumeric() || b == b'-';
        if let Some(other) = label.chars().find(|c| !c.is_ascii() || !is_legal(*c as u8)) {
            return invalid(&format!("has `{other}` in it"));
        }
        if label.starts_with('-') || label.ends_with('-') {
            return invalid("has a part that begins or ends with a hyphen");
        }
    }
    Ok(())
}

/// Lower-case letters and digits, with `.`, `_`, `__` or hyphens between.
fn check_part(part: &str, repository: &str) -> Result<(), String> {
    let invalid = |why: String| Err(format!("the repository `{repository}` {why}"));
    if part.is_empty() {
        return invalid("has an empty part between its slashes".to_owned());
    }
    if part.chars().any(|c| c.is_ascii_uppercase()) {
        return invalid("has upper-case letters".to_owned());
    }
    let is_word = |c: char| c.is_ascii_lowercase() || c.is_ascii_digit();
    if let Some(other) = part.chars().find(|c| !is_word(*c) && !"._-".contains(*c)) {
        return invalid(format!("has `{}` in it", other.escape_default()));
    }
    if !part.starts_with(is_word) || !part.ends_with(is_word) {
        return invalid("has a part that begins or ends with a dot, an underscore or a hyphen".to_owned());
    }
    let mut separators = part.split(is_word).filter(|between| !between.is_empty());
    let is_one = |between: &str| matches!(between, "." | "_" | "__") || between.chars().all(|c| c == '-');
    if separators.any(|between| !is_one(between)) {
        return invalid("has two separators beside each other".to_owned());
    }
    Ok(())
}

fn check_tag(tag: &str) -> Result<(), String> {
    if tag.is_empty() {
        return Err("the tag behind the colon is empty".to_owned());
    }
    if tag.len() > TAG_MAX {
        return Err(format!(
            "the tag is {} characters long, and a tag has at most {TAG_MAX}",
            tag.len()
        ));
    }
    let is_word = |c: char| c.is_ascii_alphanumeric() || c == '_';
    if let Some(other) = tag.chars().find(|c| !is_word(*c) && *c != '.' && *c != '-') {
        return Err(format!("the tag `{tag}` has `{}` in it", other.escape_default()));
    }
    if !tag.starts_with(is_word) {
        return Err(format!("the tag `{tag}` begins with a dot or a hyphen"));
    }
    Ok(())
}

fn check_digest(digest: &str) -> Result<(), String> {
    let Some((algorithm, hex)) = digest.split_once(':') else {
        return Err(format!("the digest `{digest}` names no algorithm, as `sha256:` does"));
    };
    let Some((_, length)) = DIGESTS.iter().find(|(known, _)| *known == algorithm) else {
        return Err(format!("the digest has an algorithm that is not known: `{algorithm}`"));
    };
    let is_hex = |b: u8| b.is_ascii_digit() || (b'a'..=b'f').contains(&b);
    if hex.len() != *length || !hex.bytes().all(is_hex) {
        return Err(format!(
            "the digest is not {length} hexadecimal digits behind `{algorithm}:`"
        ));
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn p02_references_that_every_registry_takes_pass() {
        let digest = "a".repeat(64);
        for image in [
            "web",
            "web:1.27-alpine",
            "example/web:v2",
            "111122223333.dkr.ecr.eu-west-1.amazonaws.com/team/web:2026.11.30_1",
            "registry:5000/team/web",
            "localhost/web:latest",
            "localhost:5000/web__x/a-b---c:_1",
            "[2001:db8::1]:5000/web:1",
            "public.ecr.aws/nginx/nginx:stable",
            "Registry.example.com/web:1",
            &format!("web@sha256:{digest}"),
            &format!("ghcr.io/a/b:1@sha256:{digest}"),
        ] {
            assert_eq!(check(image), Ok(()), "{image}");
        }
    }

    #[test]
    fn p02_a_reference_that_is_none_is_refused_by_its_part() {
        for (image, why) in [
            ("repo/app:", "the tag behind the colon is empty"),
            ("/app:1", "the repository `/app` has an empty part between its slashes"),
            (
                ".dkr.ecr.us-east-1.amazonaws.com/app:1",
                "the registry `.dkr.ecr.us-east-1.amazonaws.com` has an empty part between its dots",
            ),
            ("https://r/a:1", "an image has no scheme; leave `https://` out"),
            ("a:1,log=b:2", "the repository `a:1,log=b` has `:` in it"),
            ("$REG/$REPO:$TAG", "the repository `$REG/$REPO` has upper-case letters"),
            ("$reg/web:1", "the repository `$reg/web` has `$` in it"),
            ("API:x", "the repository `API` has upper-case letters"),
            ("@sha256:aa", "the repository is missing"),
            (
                "web@sha256:aa",
                "the digest is not 64 hexadecimal digits behind `sha256:`",
            ),
            ("example/web:feature/x", "the tag `feature/x` has a slash in it"),
            ("Example/web:1", "the repository `Example/web` has upper-case letters"),
            (
                "***.dkr.ecr.us-east-1.amazonaws.com/web:1",
                "the registry `***.dkr.ecr.us-east-1.amazonaws.com` has `*` in it",
            ),
            ("", "the repository is missing"),
            ("web :1", "the repository `web ` has ` ` in it"),
            ("web:-1", "the tag `-1` begins with a dot or a hyphen"),
            ("we..b:1", "the repository `we..b` has two separators beside each other"),
            ("registry:x/web", "the tag `x/web` has a slash in it"),
            ("web@md5:aa", "the digest has an algorithm that is not known: `md5`"),
        ] {
            assert_eq!(check(image), Err(why.to_owned()), "{image}");
        }
    }

    #[test]
    fn p02_lengths_are_those_of_aws_and_of_registries() {
        assert!(check(&"a".repeat(256)).is_err_and(|why| why.contains("AWS takes 255")));
        assert!(check(&format!("web:{}", "1".repeat(129))).is_err_and(|why| why.contains("at most 128")));
    }
}
