//! The host: sockets, disk, TLS, timers, signals, settings and logs around the translator, and nothing about traces.
//!
//! The modules are the way the data goes: [`receive`] takes payloads from applications, [`drive`] passes them to the
//! translator in [`guest`], and [`deliver`] performs the requests that come out of it.

#![forbid(unsafe_code)]

pub mod bridge;
pub mod cli;
pub mod command;
pub mod deliver;
pub mod draw;
pub mod drive;
mod folder;
pub mod forward;
pub mod guest;
pub mod journal;
pub mod logs;
pub mod observe;
pub mod receive;
pub mod settings;
