//! Findings and aggregates to the entity graph, incidents and the answers.
//!
//! Aggregates are SQL over the case and as large as there are entities; everything else is plain
//! functions over them. An answer that the evidence does not support is `unknown`, never left out.

mod access;
mod accounts;
mod addresses;
mod alternatives;
mod answers;
mod assets;
mod containment;
mod coverage;
mod entry;
mod facts;
mod graph;
mod hosts;
mod incident;
mod intruder;
mod messages;
mod minor;
mod names;
mod path;
mod persistence;
mod rows;
mod timeline;

pub use answers::{Answers, Inputs, Table, Unread, answer};

#[cfg(test)]
mod tests;
