//! Attachments of a message to a tree of objects, with what was seen in each.
//!
//! **Invariant**: no input makes it panic or run without end, nothing is executed or written, and
//! an object that could not be opened to its end says so: what is closed is never taken for clean.

mod archive;
mod bytes;
mod document;
mod kind;
mod name;
mod password;
mod tree;

pub use kind::{Kind, kind_of};
pub use password::{PASSWORDS_MAX, password_candidates, speaks_of_password};
pub use tree::{Fact, Limits, Object, Part, Tree, unpack};

#[cfg(test)]
mod tests;
