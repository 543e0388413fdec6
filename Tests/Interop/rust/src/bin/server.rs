//! Answers the unary methods of echo.proto with the sync server of the ttrpc crate.
//!
//! Usage: server SOCKET. It prints "listening on SOCKET" once calls are accepted, and runs until it is killed.

use std::collections::HashMap;
use std::os::unix::{io::IntoRawFd, net::UnixListener};
use std::{env, process, thread, time::Duration};

use ttrpc::{get_status, Code, Error, MethodHandler, Request, Response, TtrpcContext};
use ttrpc_interop::{decode, encode, EchoRequest, EchoResponse, SERVICE};

fn main() {
    let arguments: Vec<String> = env::args().collect();
    if arguments.len() != 2 {
        eprintln!("usage: server SOCKET");
        process::exit(2);
    }
    if let Err(error) = serve(&arguments[1]) {
        eprintln!("rust server: {}", error);
        process::exit(1);
    }
}

fn serve(path: &str) -> Result<(), Box<dyn std::error::Error>> {
    let mut methods: HashMap<String, Box<dyn MethodHandler + Send + Sync>> = HashMap::new();
    let answers: [(&str, Answer); 4] = [
        ("Echo", answer_echo),
        ("Fail", answer_fail),
        ("Sleep", answer_sleep),
        ("Empty", answer_empty),
    ];
    for (name, answer) in answers {
        methods.insert(format!("/{}/{}", SERVICE, name), Box::new(Method(answer)));
    }
    // The crate binds abstract names only, so the socket with a path is made here.
    let listener = UnixListener::bind(path)?.into_raw_fd();
    let mut server = ttrpc::Server::new()
        .add_listener(listener)?
        .register_service(methods);
    server.start()?;
    println!("listening on {}", path);
    loop {
        thread::park();
    }
}

type Answer = fn(&TtrpcContext, EchoRequest) -> Result<EchoResponse, Error>;

struct Method(Answer);

impl MethodHandler for Method {
    fn handler(&self, context: TtrpcContext, request: Request) -> ttrpc::Result<()> {
        let mut response = Response::new();
        match decode(&request.payload).and_then(|message| (self.0)(&context, message)) {
            Ok(message) => {
                // The crate's generated handlers send an OK status rather than none, so this one does too.
                response.set_status(get_status(Code::OK, ""));
                response.set_payload(encode(&message)?);
            }
            Err(Error::RpcStatus(status)) => response.set_status(status),
            Err(error) => response.set_status(get_status(Code::UNKNOWN, error)),
        }
        ttrpc::response_to_channel(context.mh.stream_id, response, context.res_tx)
    }
}

fn answer_echo(context: &TtrpcContext, request: EchoRequest) -> Result<EchoResponse, Error> {
    let mut response = EchoResponse::new();
    response.set_text(request.text);
    response.set_payload(request.payload);
    response.set_timeout_nano(context.timeout_nano);
    for (key, values) in &context.metadata {
        for value in values {
            response.mut_metadata().push(format!("{}={}", key, value));
        }
    }
    Ok(response)
}

fn answer_fail(_: &TtrpcContext, request: EchoRequest) -> Result<EchoResponse, Error> {
    use protobuf::ProtobufEnum;
    match Code::from_i32(request.fail_code) {
        None | Some(Code::OK) => Err(status(Code::INVALID_ARGUMENT, "fail_code must be 1 to 16")),
        Some(code) => Err(status(code, &request.fail_message)),
    }
}

/// The crate leaves deadlines to handlers, so this one sleeps no longer than the call may last.
fn answer_sleep(context: &TtrpcContext, request: EchoRequest) -> Result<EchoResponse, Error> {
    let sleep = Duration::from_millis(request.sleep_millis.max(0) as u64);
    let limit = Duration::from_nanos(context.timeout_nano.max(0) as u64);
    if context.timeout_nano != 0 && limit < sleep {
        thread::sleep(limit);
        return Err(status(
            Code::DEADLINE_EXCEEDED,
            "the deadline passed while sleeping",
        ));
    }
    thread::sleep(sleep);
    let mut response = EchoResponse::new();
    response.set_text(request.text);
    Ok(response)
}

fn answer_empty(_: &TtrpcContext, _: EchoRequest) -> Result<EchoResponse, Error> {
    Ok(EchoResponse::new())
}

fn status(code: Code, message: &str) -> Error {
    Error::RpcStatus(get_status(code, message))
}
