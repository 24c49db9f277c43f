//! The tests of the whole: through the public interface, and with other people's programs.

mod clients;
mod served;
mod wire;
