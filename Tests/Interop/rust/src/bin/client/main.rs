//! Checks a server of echo.proto with the sync client of the ttrpc crate.
//!
//! Usage: client SOCKET. It prints one line for each check and ends with status 0 when all of them hold, else 1. All
//! checks share one connection. The interop stage runs it against our server.

use std::os::unix::{io::IntoRawFd, net::UnixStream};
use std::{env, process, sync::mpsc, thread, time::Duration};

use checks::{Check, CHECKS};
use ttrpc::Client;

mod checks;

/// How long a check may take before it counts as failed, so that a server that never answers is reported.
const CHECK_LIMIT: Duration = Duration::from_secs(20);

fn main() {
    let arguments: Vec<String> = env::args().collect();
    if arguments.len() != 2 {
        eprintln!("usage: client SOCKET");
        process::exit(2);
    }
    // The crate connects to abstract names only, so the socket with a path is opened here.
    let stream = UnixStream::connect(&arguments[1]).unwrap_or_else(|error| {
        eprintln!("rust client: {}: {}", arguments[1], error);
        process::exit(1);
    });
    let client = Client::new(stream.into_raw_fd());

    let mut failed = 0;
    for (name, check) in CHECKS {
        match within(CHECK_LIMIT, client.clone(), check) {
            Ok(()) => println!("ok    {}", name),
            Err(error) => {
                failed += 1;
                println!("FAIL  {}: {}", name, error);
            }
        }
    }
    if failed > 0 {
        println!("rust client: {} of {} checks failed", failed, CHECKS.len());
        process::exit(1);
    }
    println!("rust client: {} checks ok", CHECKS.len());
}

/// Runs one check and gives up on it after the limit.
fn within(limit: Duration, client: Client, check: Check) -> Result<(), String> {
    let (sender, receiver) = mpsc::channel();
    thread::spawn(move || sender.send(check(&client)));
    receiver
        .recv_timeout(limit)
        .unwrap_or_else(|_| Err(format!("no result within {:?}", limit)))
}
