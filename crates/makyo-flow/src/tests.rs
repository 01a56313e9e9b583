mod beacons;
mod judging;
mod questions;
mod reading;
