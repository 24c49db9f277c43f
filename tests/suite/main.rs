//! The tests of the whole: through the public interface, and with other people's programs.

mod clients;
mod corpus;
mod served;
mod task_definition_files;
mod task_definition_properties;
mod wire;
