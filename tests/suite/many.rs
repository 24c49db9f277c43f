//! Many services in one run: their order, what one look at all of them costs, and how late a verdict comes.

mod lag;
mod order;
mod polling;
#[cfg(unix)]
mod runs;
mod world;
