//! The protocol as a charger and a server use it.

#[cfg(test)]
mod exchange;
#[cfg(test)]
mod frames;
#[cfg(test)]
mod meter;
#[cfg(test)]
mod properties;
#[cfg(test)]
mod reading;
#[cfg(test)]
mod samples;
#[cfg(test)]
mod sending;
