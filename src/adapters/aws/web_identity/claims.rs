//! What an ID token says of the workflow run.

/// What a role's trust policy is held against.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(crate) struct Claims {
    pub issuer: Option<String>,
    pub subject: Option<String>,
    pub audience: Option<String>,
}
