//! Incidents become campaigns, and campaigns get weighed hypotheses about who it was.

pub mod answer;
pub mod attribute;
pub mod cluster;
pub mod corpus;
pub mod incident;
pub mod judge;
pub mod knowledge;
pub mod link;
pub mod profile;
pub mod read;
pub mod stix;
pub mod weights;
pub mod words;

#[cfg(test)]
mod tests;
