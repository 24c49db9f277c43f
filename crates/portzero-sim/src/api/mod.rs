//! What clients ask of ECS: services and task definitions are made, changed and deleted, or refused.

pub(crate) mod advanced_checks;
pub(crate) mod create_service;
pub(crate) mod definition_checks;
pub(crate) mod delete_service;
pub(crate) mod fargate_sizes;
pub(crate) mod gateway;
pub(crate) mod register_task_definition;
pub(crate) mod revision;
pub(crate) mod scalable;
pub(crate) mod service_checks;
pub(crate) mod task_definition_keys;
pub(crate) mod task_list;
pub(crate) mod update_service;
