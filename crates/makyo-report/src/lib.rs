//! A case for people: the nine answers in short, and the report.
//!
//! **Invariant**: nothing from evidence can become markup, script or formula. HTML is written by
//! templates that escape; the report loads nothing and runs nothing.

mod html;
mod markdown;
mod nine;
mod picture;
mod share;
mod stix;

pub use html::{ReportInputs, html};
pub use markdown::markdown;
pub use nine::{HEADINGS, Nine, Tables, nine};
pub use stix::stix;

#[cfg(test)]
mod tests;
