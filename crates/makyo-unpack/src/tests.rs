//! Inert containers, built here: nothing in them can run.

mod build;
mod documents;
mod limits;
mod names;
mod passwords;
mod zoo;
