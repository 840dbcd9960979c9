//! The log: one JSON object a line.

use crate::{Event, Reports};
use serde_json::json;
use std::io::Write;
use std::sync::{Mutex, PoisonError};
use std::time::{SystemTime, UNIX_EPOCH};

/// Writes events as JSON Lines, each with the time in seconds since 1970.
#[derive(Debug)]
pub struct JsonLines<W>(Mutex<W>);

impl<W: Write + Send> JsonLines<W> {
    /// Writes to this.
    pub fn new(out: W) -> Self {
        Self(Mutex::new(out))
    }
}

impl<W: Write + Send> Reports for JsonLines<W> {
    fn report(&self, event: &Event) {
        let now = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default();
        let mut record = event.to_json();
        if let Some(object) = record.as_object_mut() {
            object.insert("time".to_owned(), json!(now.as_secs_f64()));
        }
        let line = format!("{record}\n");
        let mut out = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        // A log that cannot be written must not stop the traffic it would describe.
        drop(out.write_all(line.as_bytes()).and_then(|()| out.flush()));
    }
}
