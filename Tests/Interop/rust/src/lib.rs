//! The messages of echo.proto and how they turn into bytes, for the Rust programs of the interop stage.
//! Used by the client and the server in `bin/`.

use protobuf::Message;

#[allow(warnings)] // the generator is older than some of the compiler's opinions
mod generated {
    include!(concat!(env!("OUT_DIR"), "/mod.rs"));
}

pub use generated::echo::{EchoRequest, EchoResponse};

/// The name that calls carry on the wire.
pub const SERVICE: &str = "ttrpc.interop.Echo";

/// An encoded message; the error is one of ttrpc's, as callers need it.
pub fn encode(message: &impl Message) -> ttrpc::Result<Vec<u8>> {
    message
        .write_to_bytes()
        .map_err(|error| ttrpc::Error::Others(error.to_string()))
}

/// The message in `bytes`.
pub fn decode<M: Message>(bytes: &[u8]) -> ttrpc::Result<M> {
    M::parse_from_bytes(bytes).map_err(|error| ttrpc::Error::Others(error.to_string()))
}
