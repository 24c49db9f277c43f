//! The rules of ARCHITECTURE.md, held against the sources as text. Nothing here uses the library.
#![allow(clippy::expect_used, clippy::unwrap_used, reason = "a test says where it stopped")]

mod dependencies;
mod graph;
mod map;
mod order;
mod pages;
mod purity;
mod size;
mod source;
mod streams;

use std::path::Path;

/// What a rule has to say: the place, and what is wrong there.
pub type Breaches = Vec<String>;

/// The folder of the package.
pub fn root() -> &'static Path {
    Path::new(env!("CARGO_MANIFEST_DIR"))
}

#[track_caller]
pub fn assert_none(breaches: Breaches) {
    assert!(
        breaches.is_empty(),
        "{} breaches:\n  {}",
        breaches.len(),
        breaches.join("\n  ")
    );
}
