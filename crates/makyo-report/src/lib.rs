//! A case for people, the nine answers in short and the report; and for other programs, as STIX,
//! MISP, a Navigator layer and lines for Timesketch.
//!
//! **Invariant**: nothing from evidence can become markup, script or formula. HTML is written by
//! templates that escape; the report loads nothing and runs nothing. The same answers give the
//! same bytes in every format and language.

mod derived;
mod html;
mod judgement;
mod lang;
mod markdown;
mod misp;
mod navigator;
mod nine;
mod picture;
mod section;
mod share;
mod stix;
mod timesketch;

pub use html::{ReportInputs, html};
pub use lang::Language;
pub use markdown::markdown;
pub use misp::misp;
pub use navigator::navigator;
pub use nine::{Nine, Tables, nine};
pub use stix::stix;
pub use timesketch::timesketch;

#[cfg(test)]
mod tests;
