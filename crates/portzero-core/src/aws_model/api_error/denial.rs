//! IAM's sentence on what it does not allow, taken apart. It names the action that is really missing, which may be another
//! one than that of the call: `iam:PassRole`, where a task definition is registered.

/// `User: A is not authorized to perform: B on resource: C because no D allows the B action`, or `... with an explicit deny
/// in a D`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Denial<'a> {
    /// The ARN that the call was made as.
    pub caller: Option<&'a str>,
    pub action: &'a str,
    pub resource: Option<&'a str>,
    pub ground: Ground<'a>,
}

/// Why it is not allowed: without this, advice sends people to the wrong policy.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Ground<'a> {
    NotSaid,
    /// No policy of this kind allows it.
    NothingAllows(&'a str),
    /// A policy of this kind denies it, whatever others allow.
    ExplicitDeny(&'a str),
}

const PERFORM: &str = "is not authorized to perform: ";
const RESOURCE: &str = " on resource: ";
const NOTHING: &str = " because no ";
const DENY: &str = " with an explicit deny in ";

impl<'a> Denial<'a> {
    pub(crate) fn read(message: &'a str) -> Option<Self> {
        let (before, after) = message.split_once(PERFORM)?;
        let action = word(after)?;
        let resource = after.split_once(RESOURCE).and_then(|(_, rest)| word(rest));
        let caller = before.split_once("User: ").and_then(|(_, rest)| word(rest));
        Some(Self {
            caller,
            action,
            resource,
            ground: ground(after),
        })
    }

    /// `role deployer` or `user ci`, out of the caller's ARN.
    pub(crate) fn holder(&self) -> Option<String> {
        let (_, name) = self.caller?.rsplit_once(':')?;
        let mut parts = name.split('/');
        match (parts.next()?, parts.next()?) {
            ("assumed-role", role) => Some(format!("role `{role}`")),
            // A user may have a path; its name is the last part.
            ("user", first) => Some(format!("user `{}`", parts.next_back().unwrap_or(first))),
            _ => None,
        }
    }
}

fn ground(text: &str) -> Ground<'_> {
    if let Some((_, kind)) = text.split_once(DENY) {
        let kind = kind.split_once(' ').map_or(kind, |(_article, kind)| kind);
        return Ground::ExplicitDeny(end_of_kind(kind));
    }
    match text
        .split_once(NOTHING)
        .and_then(|(_, rest)| rest.split_once(" allows"))
    {
        Some((kind, _)) => Ground::NothingAllows(kind),
        None => Ground::NotSaid,
    }
}

/// Newer messages name the policy behind its kind: `in a service control policy: arn:…`.
fn end_of_kind(kind: &str) -> &str {
    kind.split([':', '.', ',']).next().unwrap_or(kind).trim()
}

fn word(text: &str) -> Option<&str> {
    let word = text.split_whitespace().next()?.trim_end_matches([',', '.']);
    (!word.is_empty()).then_some(word)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_denial_names_who_may_not_do_what_to_which_resource_and_why() {
        let read = Denial::read(
            "User: arn:aws:sts::111122223333:assumed-role/deployer/portzero is not authorized to perform: iam:PassRole on \
             resource: arn:aws:iam::111122223333:role/web-execution because no identity-based policy allows the \
             iam:PassRole action",
        )
        .expect("a denial");
        assert_eq!(read.action, "iam:PassRole");
        assert_eq!(read.resource, Some("arn:aws:iam::111122223333:role/web-execution"));
        assert_eq!(read.ground, Ground::NothingAllows("identity-based policy"));
        assert_eq!(read.holder().as_deref(), Some("role `deployer`"));
    }

    #[test]
    fn an_explicit_deny_is_told_from_a_missing_permission() {
        let ground = |tail: &str| {
            let text =
                format!("User: arn:aws:iam::1:user/team/ci is not authorized to perform: ecs:UpdateService{tail}");
            let read = Denial::read(&text).expect("a denial");
            assert_eq!(read.holder().as_deref(), Some("user `ci`"));
            format!("{:?}", read.ground)
        };
        let policy = " on resource: arn:x with an explicit deny in a service control policy";
        assert_eq!(ground(policy), "ExplicitDeny(\"service control policy\")");
        assert_eq!(
            ground(&format!("{policy}: arn:aws:organizations::1:policy/o-1/p-2")),
            ground(policy)
        );
        let boundary = " because no permissions boundary allows the ecs:UpdateService action";
        assert_eq!(ground(boundary), "NothingAllows(\"permissions boundary\")");
        assert_eq!(ground(""), "NotSaid");
    }

    #[test]
    fn other_sentences_are_no_denial() {
        for text in [
            "",
            "Rate exceeded",
            "is not authorized to perform: ",
            "User: x is not authorized",
        ] {
            assert_eq!(Denial::read(text), None, "{text}");
        }
    }
}
