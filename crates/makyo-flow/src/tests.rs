mod beacons;
mod reading;
