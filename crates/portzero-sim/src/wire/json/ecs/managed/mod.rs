//! What ECS manages of a service's ingress by itself: gateways, Express services, and how service revisions show both.

pub(super) mod document;
pub(super) mod express;
pub(super) mod gateways;
