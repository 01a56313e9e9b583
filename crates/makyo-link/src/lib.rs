//! Incidents become campaigns, and campaigns get weighed hypotheses about who it was.

pub mod cluster;
pub mod corpus;
pub mod incident;
pub mod profile;
pub mod weights;
