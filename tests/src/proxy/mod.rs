//! A world for the proxy: a resolver and a dialler that count, servers on loopback, and clients that
//! write raw bytes.

pub mod cases;
pub mod client;
mod drive;
pub mod fuzzing;
pub mod hello;
pub mod upstream;
pub mod world;
