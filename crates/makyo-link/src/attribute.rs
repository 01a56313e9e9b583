//! Which known group fits an incident, against all others and against none of them.
//!
//! For each group `g` the evidence of a class is a sum over features of two estimates of the log
//! likelihood ratio against the background, both standard:
//!
//! - smoothed presence (Jelinek-Mercer): `ln((λ·[f ∈ g] + (1−λ)·p_f) / p_f)`,
//! - Dirichlet-multinomial: `ln((n_gf + α·p_f) / ((n_g + α)·p_f))`,
//!
//! beside them what the group's own software implies, in how many publications the feature stands,
//! and a correction for broad profiles; each divided by the design effect `1 + ρ·(n−1)` (Kish, *Survey Sampling*, 1965), because features
//! of one report are not independent witnesses. `p_f` is the share of groups with the feature. A
//! conditional logit (McFadden, 1974) with fitted coefficients turns the sums into probabilities
//! over all groups and over "none of them".

mod fit;
mod model;

pub use fit::{Free, Trial, fit};
pub use model::{
    Background, Feature, Model, NONE_SUMS, Profiles, SUMS, Scored, Scores, Sort, period,
};
