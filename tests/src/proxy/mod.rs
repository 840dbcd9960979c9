//! A world for the proxy: a resolver and a dialler that count, servers on loopback, and clients that
//! write raw bytes.

pub mod cases;
pub mod client;
mod drive;
mod expect;
mod fields;
pub mod fuzzing;
pub mod hello;
mod many;
mod placeholders;
mod socks;
mod staging;
pub mod upstream;
pub mod world;
