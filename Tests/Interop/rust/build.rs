//! Generates the messages of echo.proto with rust-protobuf's own parser, so that no protoc plugin is needed.

use std::{env, fs, path::Path};

fn main() {
    println!("cargo:rerun-if-changed=../echo.proto");
    let out_dir = env::var("OUT_DIR").expect("cargo sets OUT_DIR");
    protobuf_codegen_pure::Codegen::new()
        .out_dir(&out_dir)
        .include("..")
        .input("../echo.proto")
        .run()
        .expect("echo.proto is valid");
    // The generated file starts with inner attributes, which only a module in a file of its own may have.
    fs::write(Path::new(&out_dir).join("mod.rs"), "pub mod echo;\n").expect("OUT_DIR is writable");
}
